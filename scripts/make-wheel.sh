#!/bin/bash
# Builds the Python wheel, dist/tilefuse-VERSION-py3-none-linux_x86_64.whl: the package and
# the compiler with LLVM linked in. It runs on CPython 3.10 or newer on x86-64 Linux with
# glibc 2.35 or newer. Shares its build folder with scripts/make-bundle.sh.
#
#   scripts/make-wheel.sh                      # build
#   scripts/make-wheel.sh build/release/lib    # with the libtilefuse.so that is there
set -euo pipefail
source "$(dirname "$0")/common.sh"

python=$root/.venv/bin/python
options=()
if [ $# -gt 0 ]; then
  prebuilt=$(realpath "$1")
  [ -f "$prebuilt/libtilefuse.so" ] || fail "there is no libtilefuse.so in '$1'"
  folder=$(mktemp -d)
  trap 'rm -rf "$folder"' EXIT
  options=("--config-settings=cmake.define.TILEFUSE_PREBUILT=$prebuilt"
    "--config-settings=build-dir=$folder")
fi
CMAKE_BUILD_PARALLEL_LEVEL=$build_jobs "$python" -m pip wheel . --no-deps --no-build-isolation \
  --no-index -q -w "${WHEEL_DIR:-dist}" "${options[@]}"
ls -l "${WHEEL_DIR:-dist}"/tilefuse-*.whl
