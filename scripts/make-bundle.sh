#!/bin/bash
# Builds the portable tarball, build/portable/tilefuse-VERSION-linux-x86_64.tar.xz:
# the tools with LLVM linked in, the examples, the Python layer and the GPU tier's
# tests. It runs on x86-64 Linux with glibc 2.35 or newer; nothing else is needed.
set -euo pipefail
source "$(dirname "$0")/common.sh"

configure portable
cmake --build build/portable -j "${BUNDLE_JOBS:-$build_jobs}"

version=$(sed -n 's/^project(tilefuse VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
name=tilefuse-$version-linux-x86_64
stage=build/portable/$name
rm -rf "$stage"
mkdir -p "$stage/bin" "$stage/lib" "$stage/python" "$stage/test" "$stage/scripts"
cp build/portable/bin/{fuse-opt,fuse-compile,fuse-run} "$stage/bin/"
cp -P build/portable/lib/libtilefuse*.so* "$stage/lib/" 2>/dev/null || true
strip "$stage"/bin/* "$stage"/lib/*.so* 2>/dev/null || true
cp -r python_bindings/tilefuse "$stage/python/"
# With this folder on the path, torch.compile knows the backend by its name.
info=$stage/python/tilefuse-$version.dist-info
mkdir "$info"
printf 'Metadata-Version: 2.1\nName: tilefuse\nVersion: %s\n' "$version" >"$info/METADATA"
sed -n '/^\[project.entry-points.torch_dynamo_backends\]/,/^$/p' pyproject.toml |
  sed 's/^\[project.entry-points.\(.*\)\]/[\1]/; s/"//g' >"$info/entry_points.txt"
cp -r examples "$stage/"
cp -r test/gpu "$stage/test/"
cp -r benchmarks "$stage/"
cp scripts/demo.py "$stage/scripts/"
cp LICENSE README.md "$stage/"
find "$stage" -name __pycache__ -prune -exec rm -rf {} +
# Reports made from the bundle name the commit it was built from.
{ git rev-parse HEAD 2>/dev/null; git diff --quiet HEAD 2>/dev/null || echo modified; } |
  paste -sd' ' >"$stage/COMMIT"

# The tools have most of their bytes in common: a window that spans them all saves
# more than effort does, and takes a tenth of the time.
tar -C build/portable -cf - --sort=name --owner=0 --group=0 --numeric-owner "$name" |
  xz -T1 --x86 --lzma2=preset=2,dict=384MiB >"build/portable/$name.tar.xz"
size=$(stat -c %s "build/portable/$name.tar.xz")
echo "build/portable/$name.tar.xz: $((size / 1000000)) MB"
((size < 60000000)) || fail "the bundle must stay under 60 MB"
