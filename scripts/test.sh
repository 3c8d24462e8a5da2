#!/bin/bash
# Runs the tests.
#
#   scripts/test.sh               quick tier: lit, units, small numerics, 2,000 mutants
#   scripts/test.sh --all         every tier, the ASan + UBSan build and clang-tidy
#   scripts/test.sh --gpu BUNDLE  the GPU tier, from a portable tarball; nothing is built
#
# The last line is `N passed, N failed`, summed from the runners' own reports.
# Exits with 1 when anything failed or could not run.
set -uo pipefail
source "$(dirname "$0")/common.sh"

tier=quick
bundle=
case "${1:-}" in
  "") ;;
  --all) tier=all ;;
  --gpu) tier=gpu bundle=${2:-}; [ -f "$bundle" ] || fail "--gpu needs the tarball that scripts/make-bundle.sh wrote" ;;
  *) fail "unknown option '$1'; expected nothing, --all or --gpu BUNDLE" ;;
esac

if [ "$tier" = gpu ]; then
  unpacked=$(mktemp -d)
  trap 'rm -rf "$unpacked"' EXIT
  tar -xJf "$bundle" -C "$unpacked" || fail "'$bundle' is not the portable tarball"
  python3 "$unpacked"/tilefuse-*/test/gpu/run.py
  exit
fi

# The quick tier repeats one draw of random graphs and inputs, so that a change is
# judged by itself; --all draws anew. The seed is printed either way.
[ "$tier" = all ] || export TILEFUSE_SEED=${TILEFUSE_SEED:-1815257502}

reports=$root/build/reports
rm -rf "$reports"
mkdir -p "$reports"
python=$root/.venv/bin/python
lit=/usr/lib/llvm-22/bin/lit

# note NAME COMMAND...: runs a step that has no report of its own; it counts as
# one test.
note() {
  local name=$1
  shift
  local result=passed
  "$@" || result=failed
  echo "$name $result" >>"$reports/steps.txt"
  [ $result = passed ]
}

build() {
  configure "$1" && cmake --build "build/$1" -j "$build_jobs"
}

# run_lit PRESET, run_units PRESET, run_fuzz PRESET MUTANTS
run_lit() {
  step "lit ($1)"
  "$lit" -s -j "$build_jobs" --param "build=build/$1" \
    --xunit-xml-output "$reports/lit-$1.xml" test | grep -v "^$" |
    tail -n 40
  [ -f "$reports/lit-$1.xml" ] || echo "lit-$1 failed" >>"$reports/steps.txt"
}

run_units() {
  step "units ($1)"
  local program name
  for program in "build/$1"/bin/unit/*; do
    [ -x "$program" ] || continue
    name=$(basename "$program")
    "$program" --gtest_brief=1 --gtest_output="xml:$reports/unit-$1-$name.xml"
    [ -f "$reports/unit-$1-$name.xml" ] || echo "unit-$1-$name failed" >>"$reports/steps.txt"
  done
}

run_pytest() { # PRESET ARGUMENTS...
  local preset=$1
  shift
  step "Python tests ($preset)"
  TILEFUSE_BUILD=$root/build/$preset "$python" -m pytest -q -p no:cacheprovider -o junit_family=xunit1 \
    --junitxml "$reports/pytest-$preset.xml" "$@" test
  local code=$?
  # 1: a test failed, which the report says.
  [ $code = 0 ] || [ $code = 1 ] || echo "pytest-$preset failed" >>"$reports/steps.txt"
}

run_fuzz() {
  step "$2 mutants ($1)"
  "$python" test/fuzz/fuzz.py --build "build/$1" --mutants "$2" --jobs "$build_jobs" \
    --junit "$reports/fuzz-$1.xml"
  [ -f "$reports/fuzz-$1.xml" ] || echo "fuzz-$1 failed" >>"$reports/steps.txt"
}

if ! note setup scripts/setup.sh; then
  echo "0 passed, 1 failed"
  exit 1
fi
if [ "${CI:-}" = true ]; then
  note ptxas find_ptxas >/dev/null || echo "error: CI must have ptxas, and it was not found" >&2
fi
export PATH="$PATH:$(dirname "$(find_ptxas || echo /usr/bin/true)")"

step "Building build/release"
if note build build release; then
  run_lit release
  run_units release
  if [ "$tier" = all ]; then run_pytest release; else run_pytest release -m "not slow"; fi
  run_fuzz release "$([ "$tier" = all ] && echo 20000 || echo 2000)"
fi

if [ "$tier" = all ]; then
  step "Building build/asan"
  if note build-asan build asan; then
    run_lit asan
    run_units asan
    run_fuzz asan 2000
  fi
  step "clang-tidy"
  note clang-tidy scripts/tidy.sh
fi

step "Result"
"$python" scripts/sum-reports.py "$reports"
