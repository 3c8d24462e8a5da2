// RUN: fuse-opt %s --verify-roundtrip | FileCheck %s

// CHECK-LABEL: tile.func @blocks
tile.func @blocks() grid [1] warps 4 {
  %x = arith.constant dense<1.0> : tensor<64x8xf32>
  %p = arith.constant dense<2.0> : tensor<8x10x34xf32>
  %acc = arith.constant dense<0.0> : tensor<64x8x32xf32>
  %one = arith.constant 1.0 : f32
  // CHECK: tile.iota 1 : tensor<4x32xi32>
  %i = tile.iota 1 : tensor<4x32xi32>
  // CHECK: tile.splat %{{.*}} : f32 -> tensor<1x1xf32>
  %s = tile.splat %one : f32 -> tensor<1x1xf32>
  // CHECK: tile.extract %{{.*}} : tensor<1x1xf32> -> f32
  %e = tile.extract %s : tensor<1x1xf32> -> f32
  // CHECK: tile.broadcast %{{.*}} : tensor<1x1xf32> -> tensor<4x32xf32>
  %b = tile.broadcast %s : tensor<1x1xf32> -> tensor<4x32xf32>
  // CHECK: tile.window %{{.*}} [0, 1, 2] strides [1, 1, 1] : tensor<8x10x34xf32> -> tensor<8x8x32xf32>
  %w = tile.window %p [0, 1, 2] strides [1, 1, 1] : tensor<8x10x34xf32> -> tensor<8x8x32xf32>
  // CHECK: tile.insert_window %{{.*}} into %{{.*}} [0, 1, 0] strides [1, 1, 1] : tensor<8x8x32xf32> into tensor<8x10x34xf32>
  %n = tile.insert_window %w into %p [0, 1, 0] strides [1, 1, 1]
      : tensor<8x8x32xf32> into tensor<8x10x34xf32>
  // CHECK: tile.dot %{{.*}}, %{{.*}}, %{{.*}} lhs_contract [1] rhs_contract [0]
  // CHECK-SAME: mma = #tile<mma mma_sync>, precision = #tile<precision tf32>
  %d = tile.dot %x, %w, %acc lhs_contract [1] rhs_contract [0]
      {mma = #tile<mma mma_sync>, precision = #tile<precision tf32>}
      : tensor<64x8xf32>, tensor<8x8x32xf32> -> tensor<64x8x32xf32>
  // CHECK: tile.dot %{{.*}} batch [0] [0]
  %z = arith.constant dense<0.0> : tensor<64xf32>
  %f = tile.dot %x, %x, %z lhs_contract [1] rhs_contract [1] batch [0] [0]
      : tensor<64x8xf32>, tensor<64x8xf32> -> tensor<64xf32>
  // CHECK: tile.reshape %{{.*}} : tensor<64x8x32xf32> -> tensor<64x2x4x8x4xf32>
  %r = tile.reshape %d : tensor<64x8x32xf32> -> tensor<64x2x4x8x4xf32>
  // CHECK: tile.trans %{{.*}} [2, 0, 1] : tensor<64x8x32xf32> -> tensor<32x64x8xf32>
  %t = tile.trans %d [2, 0, 1] : tensor<64x8x32xf32> -> tensor<32x64x8xf32>
  // CHECK: tile.reduce(%{{.*}}) dims [2, 4]
  %m = tile.reduce (%r) dims [2, 4]
      : (tensor<64x2x4x8x4xf32>) -> (tensor<64x2x1x8x1xf32>) {
  ^bb0(%u: f32, %v: f32):
    %c = arith.maximumf %u, %v : f32
    tile.yield %c : f32
  }
  // CHECK: tile.scan(%{{.*}}) dim 0 reverse
  %q = tile.scan (%i) dim 0 reverse : (tensor<4x32xi32>) -> (tensor<4x32xi32>) {
  ^bb0(%u: i32, %v: i32):
    %c = arith.addi %u, %v : i32
    tile.yield %c : i32
  }
  tile.debug_print "sums: ", %q : tensor<4x32xi32>
  tile.return
}
