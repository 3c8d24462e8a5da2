#!/bin/bash
# From a fresh machine to the main job: installs what is missing, builds, and
# compiles the five example subgraphs. Run again, it takes seconds.
set -euo pipefail
source "$(dirname "$0")/common.sh"

scripts/setup.sh
configure release
step "Building (build/release, $build_jobs jobs)"
cmake --build build/release -j "$build_jobs" --target fuse-opt fuse-compile fuse-run
export PATH="$PATH:$(dirname "$(find_ptxas || echo /usr/bin/true)")"
step "The five subgraphs"
exec .venv/bin/python scripts/demo.py build/release "$@"
