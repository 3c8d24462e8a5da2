// RUN: fuse-opt %s --tile-assign-layouts | FileCheck %s

// Weights of 3 x 3 taps lie in memory as lines of 8 * 9 elements: copied as such, 16
// bytes at a time, and seen as taps again.
// CHECK-LABEL: tile.func @taps
// CHECK: %[[LINES:.*]] = tile.view_cast %{{.*}} : <32x16x3x3xf32> -> <32x144xf32>
// CHECK: %[[AT:.*]] = arith.muli %{{.*}}, %c9
// CHECK: %[[TILE:.*]] = tile.alloc_shared : <32x72xf32
// CHECK: tile.async_copy %[[LINES]][%c0, %[[AT]]] to %[[TILE]]
// CHECK: tile.shared_reshape %[[TILE]] : <32x72xf32, {{.*}}> -> <32x8x3x3xf32
tile.func @taps(%x: !tile.view<16x34x66xf32>, %w: !tile.view<32x16x3x3xf32>, %y: !tile.view<32x16x32xf32>)
    grid [1] warps 4 attributes {tile.stages = 2 : i64} {
  %c0 = arith.constant 0 : index
  %c8 = arith.constant 8 : index
  %c16 = arith.constant 16 : index
  %zero = arith.constant dense<0.0> : tensor<32x16x32xf32>
  %sum = scf.for %c = %c0 to %c16 step %c8 iter_args(%acc = %zero) -> tensor<32x16x32xf32> {
    %p = tile.load %x[%c, %c0, %c0] : !tile.view<16x34x66xf32> -> tensor<8x18x34xf32>
    %t = tile.load %w[%c0, %c, %c0, %c0] : !tile.view<32x16x3x3xf32> -> tensor<32x8x3x3xf32>
    %w0 = tile.window %t [0, 0, 0, 1] strides [1, 1, 1, 1] : tensor<32x8x3x3xf32> -> tensor<32x8x1x1xf32>
    %w1 = tile.reshape %w0 : tensor<32x8x1x1xf32> -> tensor<32x8xf32>
    %p0 = tile.window %p [0, 0, 1] strides [1, 1, 1] : tensor<8x18x34xf32> -> tensor<8x16x32xf32>
    %a = tile.dot %w1, %p0, %acc lhs_contract [1] rhs_contract [0] {mma = #tile<mma mma_sync>, precision = #tile<precision ieee>} : tensor<32x8xf32>, tensor<8x16x32xf32> -> tensor<32x16x32xf32>
    scf.yield %a : tensor<32x16x32xf32>
  }
  tile.store %sum, %y[%c0, %c0, %c0] : tensor<32x16x32xf32>, !tile.view<32x16x32xf32>
  tile.return
}
