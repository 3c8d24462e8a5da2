// RUN: fuse-opt %s --canonicalize | FileCheck %s

// CHECK-LABEL: tile.func @folds
tile.func @folds(%x: !tile.view<8x16xf32>, %y: !tile.view<8x16xf32>) grid [1] warps 4 {
  // CHECK-DAG: %[[C2:.*]] = arith.constant dense<2.000000e+00> : tensor<8x16xf32>
  // CHECK-DAG: %[[C0:.*]] = arith.constant 0 : index
  %c0 = arith.constant 0 : index
  %two = arith.constant 2.0 : f32
  // CHECK: %[[V:.*]] = tile.load
  %v = tile.load %x[%c0, %c0] : !tile.view<8x16xf32> -> tensor<8x16xf32>
  // Reshapes, transpositions and windows that change nothing go.
  %a = tile.reshape %v : tensor<8x16xf32> -> tensor<128xf32>
  %b = tile.reshape %a : tensor<128xf32> -> tensor<8x16xf32>
  %c = tile.trans %b [1, 0] : tensor<8x16xf32> -> tensor<16x8xf32>
  %d = tile.trans %c [1, 0] : tensor<16x8xf32> -> tensor<8x16xf32>
  %e = tile.window %d [0, 0] strides [1, 1] : tensor<8x16xf32> -> tensor<8x16xf32>
  // A splat of a constant is a constant, through any shape.
  %s = tile.splat %two : f32 -> tensor<8x1xf32>
  %t = tile.broadcast %s : tensor<8x1xf32> -> tensor<8x16xf32>
  // CHECK: %[[R:.*]] = arith.mulf %[[V]], %[[C2]]
  %r = arith.mulf %e, %t : tensor<8x16xf32>
  // CHECK: tile.store %[[R]]
  tile.store %r, %y[%c0, %c0] : tensor<8x16xf32>, !tile.view<8x16xf32>
  tile.return
}

// CHECK-LABEL: func.func @view
func.func @view(%x: !tile.view<8xf32>) -> !tile.view<8xf32> {
  // CHECK-NEXT: return %arg0
  %0 = tile.view_cast %x : !tile.view<8xf32> -> !tile.view<8xf32>
  return %0 : !tile.view<8xf32>
}
