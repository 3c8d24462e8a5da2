// RUN: fuse-opt %s --fuse-simplify | FileCheck %s

// The scaled tanh of a convolution runs on the pooled image.
// CHECK-LABEL: @pooled
// CHECK: %[[C:.*]] = fuse.conv2d
// CHECK: %[[P:.*]] = fuse.window_reduce max %[[C]] window [4, 4] stride [4, 4]
// CHECK: %[[B:.*]] = fuse.add %[[P]]
// CHECK: %[[T:.*]] = fuse.tanh %[[B]] : tensor<2x64x9x17xf32>
// CHECK: fuse.mul %[[T]]
// CHECK-NOT: fuse.max_pool2d
func.func @pooled(%x: tensor<2x8x38x70xf32>, %w: tensor<64x8x3x3xf32>, %b: tensor<64xf32>) -> tensor<2x64x9x17xf32> {
  %0 = fuse.conv2d %x, %w : (tensor<2x8x38x70xf32>, tensor<64x8x3x3xf32>) -> tensor<2x64x36x68xf32>
  %1 = fuse.reshape %b : tensor<64xf32> -> tensor<64x1x1xf32>
  %2 = fuse.add %0, %1 : (tensor<2x64x36x68xf32>, tensor<64x1x1xf32>) -> tensor<2x64x36x68xf32>
  %3 = fuse.tanh %2 : tensor<2x64x36x68xf32>
  %two = fuse.constant dense<2.0> : tensor<f32>
  %4 = fuse.mul %3, %two : (tensor<2x64x36x68xf32>, tensor<f32>) -> tensor<2x64x36x68xf32>
  %5 = fuse.max_pool2d %4 kernel [4, 4] : tensor<2x64x36x68xf32> -> tensor<2x64x9x17xf32>
  return %5 : tensor<2x64x9x17xf32>
}

// The bias shifts the running mean only, the division by 1 goes, and the bias is
// read as the vector it is.
// CHECK-LABEL: @normalised
// CHECK-SAME: %[[B:arg2|.*]]: tensor<16xf32>, %{{.*}}: tensor<16xf32>)
// CHECK: %[[Z:.*]] = fuse.matmul
// CHECK: fuse.reduce split_moments %[[Z]] dims [0]
// CHECK: fuse.sub %[[Z]],
// CHECK-NOT: fuse.reshape
// CHECK-NOT: fuse.div %{{.*}} : (tensor<32x16xf32>
func.func @normalised(%x: tensor<32x8xf32>, %w: tensor<16x8xf32>, %b: tensor<16xf32>, %c: tensor<16xf32>)
    -> (tensor<32x16xf32>, tensor<16xf32>, tensor<16xf32>) {
  %0 = fuse.matmul %x, %w transpose_b : (tensor<32x8xf32>, tensor<16x8xf32>) -> tensor<32x16xf32>
  %1 = fuse.add %0, %b : (tensor<32x16xf32>, tensor<16xf32>) -> tensor<32x16xf32>
  %2:3 = fuse.batch_norm %1, %c, %c, %c, %c
    : (tensor<32x16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<16xf32>)
    -> (tensor<32x16xf32>, tensor<16xf32>, tensor<16xf32>)
  %one = fuse.constant dense<1.0> : tensor<f32>
  %3 = fuse.div %2#0, %one : (tensor<32x16xf32>, tensor<f32>) -> tensor<32x16xf32>
  return %3, %2#1, %2#2 : tensor<32x16xf32>, tensor<16xf32>, tensor<16xf32>
}
