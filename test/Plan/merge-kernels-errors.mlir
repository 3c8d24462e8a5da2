// RUN: not fuse-opt %s --tile-merge-kernels --split-input-file 2>&1 | FileCheck %s

// A launch of what is not there, or of other arguments, is refused before kernels merge.

// CHECK: error: 'tile.launch' op {{.*}}nothing
func.func @unknown(%x: !tile.view<64xf32>) {
  tile.launch @nothing ins(%x : !tile.view<64xf32>)
  return
}

// -----

// CHECK: error: 'tile.launch' op
func.func @miscounted(%x: !tile.view<64xf32>) {
  tile.launch @k ins(%x : !tile.view<64xf32>)
  return
}
tile.func @k() grid [1] warps 1 {
  tile.return
}
