// RUN: fuse-opt %s --tile-place-buffers --verify-diagnostics

func.func @k(%n: index) attributes {tile.lowered} {
  %c0 = arith.constant 0 : index
  // expected-error @+1 {{'memref.alloc' op has an extent that is no constant}}
  %0 = memref.alloc(%n) : memref<?xf32>
  %1 = memref.load %0[%c0] : memref<?xf32>
  return
}
