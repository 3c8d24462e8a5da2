# Sourced by every script here: where things are, and how to say what goes on.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root" || exit 1
# A private name: the caller's environment may hold a `jobs` of its own.
build_jobs=$(nproc)
# A compile of MLIR headers takes up to 1.5 GiB.
memory_jobs=$(awk '/MemAvailable/ {print int($2 / 1572864)}' /proc/meminfo)
((memory_jobs < build_jobs)) && build_jobs=$((memory_jobs > 0 ? memory_jobs : 1))

if [ -t 1 ]; then bold=$'\e[1m' plain=$'\e[0m'; else bold='' plain=''; fi

step() { printf '%s== %s%s\n' "$bold" "$*" "$plain"; }
fail() { printf 'error: %s\n' "$*" >&2; exit 1; }

# Prints the path of ptxas: PATH, a CUDA Toolkit, or the wheels in .venv.
find_ptxas() {
  local candidate
  for candidate in "$(command -v ptxas)" /usr/local/cuda/bin/ptxas \
    $(ls -d /usr/local/cuda-*/bin/ptxas 2>/dev/null | sort -rV) \
    "$root"/.venv/lib/python3*/site-packages/nvidia/cu*/bin/ptxas; do
    if [ -x "$candidate" ]; then
      echo "$candidate"
      return 0
    fi
  done
  return 1
}

# Configures a preset once; ninja configures again by itself when it must.
configure() {
  [ -f "build/$1/build.ninja" ] && [ ! CMakePresets.json -nt "build/$1/build.ninja" ] && return
  step "Configuring build/$1"
  cmake --preset "$1" >"/tmp/tilefuse-configure-$$.log" 2>&1 || {
    cat "/tmp/tilefuse-configure-$$.log" >&2
    fail "CMake could not configure the preset '$1'"
  }
  rm -f "/tmp/tilefuse-configure-$$.log"
}
