#!/bin/bash
# clang-tidy over every source file, with the commands of build/release, which must
# be built (its precompiled header and dependency log are read). Quiet when clean.
# Files that were clean and whose inputs did not change since are skipped.
set -uo pipefail
source "$(dirname "$0")/common.sh"
configure release
exec "$root/.venv/bin/python" scripts/tidy.py --build build/release --jobs "$build_jobs" "$@"
