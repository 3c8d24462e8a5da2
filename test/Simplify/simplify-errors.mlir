// Sums that only look alike: nothing here may be rewritten.
// RUN: fuse-opt %s --fuse-simplify | FileCheck %s

// The mean of a window is not the window of a mean.
// CHECK-LABEL: @average
// CHECK: fuse.tanh
// CHECK: fuse.window_reduce sum
func.func @average(%x: tensor<1x2x8x8xf32>) -> tensor<1x2x4x4xf32> {
  %0 = fuse.tanh %x : tensor<1x2x8x8xf32>
  %1 = fuse.avg_pool2d %0 kernel [2, 2] : tensor<1x2x8x8xf32> -> tensor<1x2x4x4xf32>
  return %1 : tensor<1x2x4x4xf32>
}

// Evaluation mode does not subtract the bias again.
// CHECK-LABEL: @evaluation
// CHECK: %[[A:.*]] = fuse.add %arg0, %arg1
// CHECK: fuse.sub %[[A]]
func.func @evaluation(%x: tensor<4x8xf32>, %b: tensor<8xf32>) -> tensor<4x8xf32> {
  %0 = fuse.add %x, %b : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<4x8xf32>
  %1 = fuse.batch_norm_inference %0, %b, %b, %b, %b
    : (tensor<4x8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>) -> tensor<4x8xf32>
  return %1 : tensor<4x8xf32>
}
