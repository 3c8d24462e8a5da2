// RUN: fuse-opt %s --fuse-to-ptx="target=sm_90a grad stop-after=kernels" | FileCheck %s --check-prefix=PLAN
// RUN: fuse-run %s --grad --schedule-target=sm_90a --check --no-cache | FileCheck %s

// The weight gradient makes the depthwise convolution again. If that came out otherwise than
// in the forward pass, which took its mean and variance, sums that cancel would not.

// PLAN: func.func @depthwise_backward
// PLAN: fuse.conv2d
// PLAN: fuse.conv2d_weight_grad
// PLAN-NEXT: fuse.yield

// CHECK: compared with
// CHECK: grad_w {{.*}} right
func.func @depthwise(%x: tensor<8x8x112x112xf32> {fuse.init = #fuse.init<normal, 0.5, 1.0>},
                     %w: tensor<8x1x3x3xf32>, %gamma: tensor<8xf32>, %beta: tensor<8xf32>,
                     %mean: tensor<8xf32> {fuse.alias_result = 0 : i64},
                     %var: tensor<8xf32> {fuse.alias_result = 1 : i64, fuse.init = #fuse.init<uniform, 0.5, 2.0>})
    -> (tensor<8xf32>, tensor<8xf32>, tensor<8x8x112x112xf32>) {
  %z = fuse.conv2d %x, %w padding [1, 1] groups 8 precision tf32 : (tensor<8x8x112x112xf32>, tensor<8x1x3x3xf32>) -> tensor<8x8x112x112xf32>
  %n, %m, %v = fuse.batch_norm %z, %gamma, %beta, %mean, %var eps 1.0e-05 momentum 0.1 : (tensor<8x8x112x112xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>) -> (tensor<8x8x112x112xf32>, tensor<8xf32>, tensor<8xf32>)
  %y = fuse.clamp %n min 0.0 max 6.0 : tensor<8x8x112x112xf32>
  return %m, %v, %y : tensor<8xf32>, tensor<8xf32>, tensor<8x8x112x112xf32>
}
