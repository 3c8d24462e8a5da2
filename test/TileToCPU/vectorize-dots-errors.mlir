// RUN: fuse-opt %s --tile-vectorize-dots --split-input-file | FileCheck %s
// RUN: not fuse-opt %s --tile-vectorize-dots=vector-bits=7 --split-input-file 2>&1 | FileCheck %s --check-prefix=BITS
// BITS: vectorize-dots-errors.mlir:[[#]]:1: error: vector-bits must be 0 or 64 to 4096, found 7

// No dim of the product is contiguous: it stays a loop nest of scalars.
// CHECK-LABEL: func.func @columns
// CHECK-NOT: vector
// CHECK: linalg.generic
// CHECK-NOT: tile.dot
func.func @columns(%a: memref<4x8xf32>, %b: memref<8x4xf32>,
                   %c: memref<4x4xf32, strided<[4, 2]>>) {
  linalg.generic {indexing_maps = [affine_map<(i, j, k) -> (i, k)>,
                                   affine_map<(i, j, k) -> (k, j)>,
                                   affine_map<(i, j, k) -> (i, j)>],
                  iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : memref<4x8xf32>, memref<8x4xf32>)
      outs(%c : memref<4x4xf32, strided<[4, 2]>>) attrs = {tile.dot} {
  ^bb0(%x: f32, %y: f32, %z: f32):
    %p = arith.mulf %x, %y : f32
    %s = arith.addf %z, %p : f32
    linalg.yield %s : f32
  }
  return
}

// -----

// What is no product is left alone.
// CHECK-LABEL: func.func @sum
// CHECK-NOT: vector
// CHECK: linalg.generic
func.func @sum(%a: memref<32x32xf32>, %c: memref<32x32xf32>) {
  linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>,
                                   affine_map<(i, j) -> (i, j)>],
                  iterator_types = ["parallel", "parallel"]}
      ins(%a : memref<32x32xf32>) outs(%c : memref<32x32xf32>) {
  ^bb0(%x: f32, %z: f32):
    %s = arith.addf %z, %x : f32
    linalg.yield %s : f32
  }
  return
}
