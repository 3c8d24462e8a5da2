// RUN: fuse-opt %s --tile-group-pointwise | FileCheck %s

// One nest for the whole chain; the bias is read where it lies.
// CHECK-DAG: #[[ROW:.*]] = affine_map<(d0, d1) -> (d0, 0)>
// CHECK-LABEL: tile.func @chain
tile.func @chain(%x: !tile.view<8x32xf32>, %b: !tile.view<8x1xf32>) grid [1] warps 4 {
  %c0 = arith.constant 0 : index
  %bound = arith.constant dense<30> : tensor<8x32xi32>
  %none = arith.constant dense<0.0> : tensor<8x32xf32>
  // CHECK: %[[X:.*]] = tile.load
  // CHECK: %[[B:.*]] = tile.load
  %v = tile.load %x[%c0, %c0] : !tile.view<8x32xf32> -> tensor<8x32xf32>
  %w = tile.load %b[%c0, %c0] : !tile.view<8x1xf32> -> tensor<8x1xf32>
  %ws = tile.broadcast %w : tensor<8x1xf32> -> tensor<8x32xf32>
  %s = arith.addf %v, %ws : tensor<8x32xf32>
  %m = arith.mulf %s, %s : tensor<8x32xf32>
  %i = tile.iota 1 : tensor<8x32xi32>
  %c = arith.cmpi slt, %i, %bound : tensor<8x32xi32>
  %r = arith.select %c, %m, %none : tensor<8x32xi1>, tensor<8x32xf32>
  // CHECK: %[[R:.*]] = linalg.generic {{.*}}#[[ROW]]{{.*}} ins(%[[X]], %[[B]] :
  // CHECK-DAG: arith.addf
  // CHECK-DAG: arith.mulf
  // CHECK-DAG: linalg.index 1
  // CHECK-DAG: arith.cmpi
  // CHECK: arith.select
  // CHECK-NEXT: linalg.yield
  // CHECK-NOT: linalg.generic
  // CHECK: tile.store %[[R]]
  tile.store %r, %x[%c0, %c0] : tensor<8x32xf32>, !tile.view<8x32xf32>
  tile.return
}

// A value with a use that is not pointwise exists; nothing is computed twice. A
// mask made of iota and constants is repeated instead.
// CHECK-LABEL: tile.func @shared
tile.func @shared(%x: !tile.view<8x32xf32>) grid [1] warps 4 {
  %c0 = arith.constant 0 : index
  %v = tile.load %x[%c0, %c0] : !tile.view<8x32xf32> -> tensor<8x32xf32>
  // CHECK: %[[E:.*]] = linalg.generic
  // CHECK: math.absf
  // CHECK: linalg.yield
  %e = math.absf %v : tensor<8x32xf32>
  // CHECK: tile.reduce(%[[E]])
  %sum = tile.reduce (%e) dims [1] : (tensor<8x32xf32>) -> (tensor<8x1xf32>) {
  ^bb0(%a: f32, %b: f32):
    %s = arith.addf %a, %b : f32
    tile.yield %s : f32
  }
  // CHECK: linalg.generic {{.*}} ins(%[[E]],
  // CHECK-NOT: math.absf
  // CHECK: arith.divf
  %sums = tile.broadcast %sum : tensor<8x1xf32> -> tensor<8x32xf32>
  %p = arith.divf %e, %sums : tensor<8x32xf32>
  tile.store %p, %x[%c0, %c0] : tensor<8x32xf32>, !tile.view<8x32xf32>
  tile.return
}
