// RUN: fuse-opt %s --tile-place-buffers --split-input-file --verify-diagnostics

func.func @k(%n: index) attributes {tile.lowered} {
  %c0 = arith.constant 0 : index
  // expected-error @+1 {{'memref.alloc' op has an extent that is no constant}}
  %0 = memref.alloc(%n) : memref<?xf32>
  %1 = memref.load %0[%c0] : memref<?xf32>
  return
}

// -----

// expected-error @+1 {{kernel needs more than 1 GiB for its blocks}}
func.func @k() attributes {tile.lowered} {
  %c0 = arith.constant 0 : index
  %0 = memref.alloc() : memref<2147483647xf64>
  %1 = memref.load %0[%c0] : memref<2147483647xf64>
  return
}
