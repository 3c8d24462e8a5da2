// RUN: fuse-opt %s --verify-roundtrip | FileCheck %s
// RUN: fuse-opt %s --mlir-print-op-generic | fuse-opt | FileCheck %s

// CHECK-LABEL: @norms
func.func @norms(%x: tensor<2x8x4x4xf32>, %c: tensor<8xf32>, %p: tensor<4x4xf32>) {
  // CHECK: fuse.batch_norm %{{.*}} eps 1.000000e-03 momentum 2.000000e-01 :
  %0:3 = fuse.batch_norm %x, %c, %c, %c, %c eps 1.0e-3 momentum 0.2
    : (tensor<2x8x4x4xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>)
    -> (tensor<2x8x4x4xf32>, tensor<8xf32>, tensor<8xf32>)
  // CHECK: fuse.batch_norm_inference %{{.*}} :
  %1 = fuse.batch_norm_inference %x, %c, %c, %c, %c
    : (tensor<2x8x4x4xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>)
    -> tensor<2x8x4x4xf32>
  // CHECK: fuse.layer_norm %{{.*}} num_dims 2 gamma %{{.*}} beta %{{.*}} :
  %2 = fuse.layer_norm %x num_dims 2 gamma %p beta %p
    : (tensor<2x8x4x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<2x8x4x4xf32>
  // CHECK: fuse.layer_norm %{{.*}} num_dims 1 : (tensor<2x8x4x4xf32>)
  %3 = fuse.layer_norm %x num_dims 1 : (tensor<2x8x4x4xf32>) -> tensor<2x8x4x4xf32>
  // CHECK: fuse.group_norm %{{.*}} groups 4 beta %{{.*}} :
  %4 = fuse.group_norm %x groups 4 beta %c : (tensor<2x8x4x4xf32>, tensor<8xf32>) -> tensor<2x8x4x4xf32>
  return
}

// CHECK-LABEL: @softmaxes
func.func @softmaxes(%x: tensor<4x8xf16>) {
  // CHECK: fuse.softmax %{{.*}} dim 1 : tensor<4x8xf16> -> tensor<4x8xf16>
  %0 = fuse.softmax %x dim 1 : tensor<4x8xf16> -> tensor<4x8xf16>
  // CHECK: fuse.log_softmax %{{.*}} dim 0
  %1 = fuse.log_softmax %x dim 0 : tensor<4x8xf16> -> tensor<4x8xf16>
  // CHECK: fuse.logsumexp %{{.*}} dims [0, 1] : tensor<4x8xf16> -> tensor<f16>
  %2 = fuse.logsumexp %x dims [0, 1] : tensor<4x8xf16> -> tensor<f16>
  // CHECK: fuse.mean %{{.*}} dims [1] keepdims : tensor<4x8xf16> -> tensor<4x1xf16>
  %3 = fuse.mean %x dims [1] keepdims : tensor<4x8xf16> -> tensor<4x1xf16>
  return
}

// CHECK-LABEL: @pools
func.func @pools(%x: tensor<2x8x16x16xf32>, %y: tensor<8x5x5xf32>) {
  // CHECK: fuse.max_pool2d %{{.*}} kernel [3, 3] stride [2, 2] padding [1, 1] : {{.*}} -> tensor<2x8x8x8xf32>
  %0 = fuse.max_pool2d %x kernel [3, 3] stride [2, 2] padding [1, 1] : tensor<2x8x16x16xf32> -> tensor<2x8x8x8xf32>
  // CHECK: fuse.max_pool2d %{{.*}} kernel [2, 2] dilation [2, 2] ceil_mode :
  %1 = fuse.max_pool2d %y kernel [2, 2] dilation [2, 2] ceil_mode : tensor<8x5x5xf32> -> tensor<8x2x2xf32>
  // CHECK: fuse.avg_pool2d %{{.*}} kernel [3, 3] stride [2, 2] padding [1, 1] count_include_pad false :
  %2 = fuse.avg_pool2d %x kernel [3, 3] stride [2, 2] padding [1, 1] count_include_pad false : tensor<2x8x16x16xf32> -> tensor<2x8x8x8xf32>
  return
}
