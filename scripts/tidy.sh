#!/bin/bash
# clang-tidy over every source file, with the commands of build/release. Quiet
# when clean.
set -uo pipefail
source "$(dirname "$0")/common.sh"
configure release
git ls-files -- '*.cpp' | grep -v '^examples/\|^cmake/' |
  xargs -P "$build_jobs" -n 4 clang-tidy-22 -p build/release --quiet 2>/tmp/tilefuse-tidy-$$.err
code=$?
((code == 0)) || grep -v 'warnings generated\|Suppressed\|Use -header-filter' /tmp/tilefuse-tidy-$$.err >&2
rm -f /tmp/tilefuse-tidy-$$.err
exit $((code != 0))
