// A computed patch of 10 x 34 elements is made as a line of 340: 12 elements a
// thread instead of 18. Its loads are copied by other threads than read them.
// RUN: fuse-opt %s --tile-assign-layouts --tile-pipeline | FileCheck %s

#tf32 = #tile<precision tf32>
#mma = #tile<mma mma_sync>

// CHECK-DAG: #[[LINE:.*]] = #tile.distributed<{{\[\[}}8], [128, 3]], register = {{\[\[}}0, 1], [0, 2]], lane = {{\[\[}}0, 4]
// CHECK-LABEL: tile.func @patch
// CHECK: %[[RING:.*]] = tile.alloc_shared : <2x8x10x34xf32
// CHECK: %[[WAIT:.*]] = tile.alloc_shared : <8x10x34xf32
// The first round, before the loop.
// CHECK: tile.async_copy %{{.*}} to %[[WAIT]]
// CHECK: tile.async_wait
// CHECK-NEXT: tile.barrier
// CHECK: tile.load_shared %{{.*}} -> tensor<8x340xf32, #[[LINE]]>
// CHECK: scf.for
// Behind the barrier nobody reads the last round's copy.
// CHECK: tile.barrier
// CHECK: tile.async_copy %{{.*}} to %[[WAIT]]
// CHECK-COUNT-2: tile.mma
// CHECK: tile.async_wait
// CHECK-NEXT: tile.barrier
// The rows' mask comes from positions in the line.
// CHECK: arith.divui
// CHECK: %[[X:.*]] = tile.load_shared %{{.*}} -> tensor<8x340xf32, #[[LINE]]>
// CHECK: %[[S:.*]] = tile.broadcast %{{.*}} : tensor<8x1xf32, {{.*}}> -> tensor<8x340xf32, #[[LINE]]>
// CHECK: %[[M:.*]] = arith.mulf %[[X]], %[[S]]
// CHECK: %[[Z:.*]] = arith.select %{{.*}}, %[[M]], %{{.*}} : tensor<8x340xi1, #[[LINE]]>, tensor<8x340xf32, #[[LINE]]>
// CHECK: tile.copy_to_shared %[[Z]], %{{.*}} rounding{{ +}}tf32
tile.func @patch(%x: !tile.view<64x30x66xf32>, %s: !tile.view<64x1x1xf32>,
                 %w: !tile.view<64x64xf32>, %y: !tile.view<64x8x32xf32>)
    grid [1] warps 8 attributes {tile.stages = 2 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %sums = arith.constant dense<0.0> : tensor<64x8x32xf32>
  %zeros = arith.constant dense<0.0> : tensor<8x10x34xf32>
  %last = arith.constant dense<9> : tensor<1x10x1xi32>
  %r = scf.for %i = %c0 to %c8 step %c1 iter_args(%acc = %sums) -> (tensor<64x8x32xf32>) {
    %k = arith.muli %i, %c8 : index
    %p = tile.load %x[%k, %c0, %c0] : !tile.view<64x30x66xf32> -> tensor<8x10x34xf32>
    %t = tile.load %s[%k, %c0, %c0] : !tile.view<64x1x1xf32> -> tensor<8x1x1xf32>
    %b = tile.broadcast %t : tensor<8x1x1xf32> -> tensor<8x10x34xf32>
    %m = arith.mulf %p, %b : tensor<8x10x34xf32>
    %row = tile.iota 1 : tensor<1x10x1xi32>
    %in = arith.cmpi slt, %row, %last : tensor<1x10x1xi32>
    %mask = tile.broadcast %in : tensor<1x10x1xi1> -> tensor<8x10x34xi1>
    %z = arith.select %mask, %m, %zeros : tensor<8x10x34xi1>, tensor<8x10x34xf32>
    %a = tile.load %w[%c0, %k] : !tile.view<64x64xf32> -> tensor<64x8xf32>
    %w0 = tile.window %z [0, 0, 0] strides [1, 1, 1] : tensor<8x10x34xf32> -> tensor<8x8x32xf32>
    %d0 = tile.dot %a, %w0, %acc lhs_contract [1] rhs_contract [0] {mma = #mma, precision = #tf32} : tensor<64x8xf32>, tensor<8x8x32xf32> -> tensor<64x8x32xf32>
    %w1 = tile.window %z [0, 2, 2] strides [1, 1, 1] : tensor<8x10x34xf32> -> tensor<8x8x32xf32>
    %d1 = tile.dot %a, %w1, %d0 lhs_contract [1] rhs_contract [0] {mma = #mma, precision = #tf32} : tensor<64x8xf32>, tensor<8x8x32xf32> -> tensor<64x8x32xf32>
    scf.yield %d1 : tensor<64x8x32xf32>
  }
  tile.store %r, %y[%c0, %c0, %c0] : tensor<64x8x32xf32>, !tile.view<64x8x32xf32>
  tile.return
}
