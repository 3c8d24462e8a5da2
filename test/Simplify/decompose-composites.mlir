// RUN: fuse-opt %s --fuse-decompose-composites | FileCheck %s

// CHECK-LABEL: @softmax
// CHECK: %[[M:.*]] = fuse.reduce max %[[X:.*]] dims [1] keepdims
// CHECK: %[[D:.*]] = fuse.sub %[[X]], %[[M]]
// CHECK: %[[E:.*]] = fuse.exp %[[D]]
// CHECK: %[[S:.*]] = fuse.reduce sum %[[E]] dims [1] keepdims
// CHECK: %[[R:.*]] = fuse.reciprocal %[[S]] : tensor<4x1xf32>
// CHECK: fuse.mul %[[E]], %[[R]]
func.func @softmax(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %0 = fuse.softmax %x dim 1 : tensor<4x8xf32> -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}

// f16 computes in f32.
// CHECK-LABEL: @log_softmax
// CHECK: %[[X:.*]] = fuse.cast %{{.*}} : tensor<4x8xf16> -> tensor<4x8xf32>
// CHECK: fuse.reduce max %[[X]]
// CHECK: fuse.exp
// CHECK: fuse.reduce sum
// CHECK: fuse.log
// CHECK: fuse.sub
// CHECK: fuse.cast %{{.*}} : tensor<4x8xf32> -> tensor<4x8xf16>
func.func @log_softmax(%x: tensor<4x8xf16>) -> tensor<4x8xf16> {
  %0 = fuse.log_softmax %x dim 1 : tensor<4x8xf16> -> tensor<4x8xf16>
  return %0 : tensor<4x8xf16>
}

// CHECK-LABEL: @logsumexp
// CHECK: fuse.reduce max
// CHECK: fuse.select
// CHECK: fuse.reduce sum
// CHECK: fuse.log
// CHECK: fuse.reshape %{{.*}} : tensor<4x1xf32> -> tensor<4xf32>
func.func @logsumexp(%x: tensor<4x8xf32>) -> tensor<4xf32> {
  %0 = fuse.logsumexp %x dims [1] : tensor<4x8xf32> -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// Biased variance (/ 32) for y, unbiased (/ 31) for the running variance. What the
// mean's rounding lost goes into beta, per channel and without a derivative.
// CHECK-LABEL: @batch_norm
// CHECK: %[[M:.*]]:3 = fuse.reduce split_moments %{{.*}} dims [0, 2, 3]
// CHECK: %[[N:.*]] = fuse.constant dense<3.200000e+01>
// CHECK: fuse.div %[[M]]#1, %[[N]]
// CHECK: fuse.rsqrt
// CHECK: %[[R:.*]] = fuse.mul %[[M]]#2, %{{.*}} {fuse.stop_gradient} : tensor<8xf32>
// CHECK: fuse.sub %{{.*}}, %[[R]] : tensor<8xf32>
// CHECK: %[[U:.*]] = fuse.constant dense<3.100000e+01>
// CHECK: fuse.div %[[M]]#1, %[[U]]
func.func @batch_norm(%x: tensor<2x8x4x4xf32>, %c: tensor<8xf32>) -> (tensor<2x8x4x4xf32>, tensor<8xf32>, tensor<8xf32>) {
  %0:3 = fuse.batch_norm %x, %c, %c, %c, %c
    : (tensor<2x8x4x4xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>)
    -> (tensor<2x8x4x4xf32>, tensor<8xf32>, tensor<8xf32>)
  return %0#0, %0#1, %0#2 : tensor<2x8x4x4xf32>, tensor<8xf32>, tensor<8xf32>
}

// The digits of f64 do.
// CHECK-LABEL: @batch_norm_f64
// CHECK: fuse.reduce moments
func.func @batch_norm_f64(%x: tensor<4x8xf64>, %c: tensor<8xf64>) -> tensor<4x8xf64> {
  %0:3 = fuse.batch_norm %x, %c, %c, %c, %c
    : (tensor<4x8xf64>, tensor<8xf64>, tensor<8xf64>, tensor<8xf64>, tensor<8xf64>)
    -> (tensor<4x8xf64>, tensor<8xf64>, tensor<8xf64>)
  return %0#0 : tensor<4x8xf64>
}

// CHECK-LABEL: @batch_norm_inference
// CHECK-NOT: fuse.reduce
// CHECK: fuse.rsqrt %{{.*}} : tensor<8xf32>
// CHECK: fuse.sub %{{.*}} : (tensor<2x8x4x4xf32>, tensor<8x1x1xf32>)
// CHECK: fuse.mul %{{.*}} : (tensor<2x8x4x4xf32>, tensor<8x1x1xf32>)
// CHECK: fuse.add %{{.*}} : (tensor<2x8x4x4xf32>, tensor<8x1x1xf32>)
func.func @batch_norm_inference(%x: tensor<2x8x4x4xf32>, %c: tensor<8xf32>) -> tensor<2x8x4x4xf32> {
  %0 = fuse.batch_norm_inference %x, %c, %c, %c, %c
    : (tensor<2x8x4x4xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>)
    -> tensor<2x8x4x4xf32>
  return %0 : tensor<2x8x4x4xf32>
}

// CHECK-LABEL: @layer_norm
// CHECK: %[[M:.*]]:3 = fuse.reduce split_moments %{{.*}} dims [1] keepdims
// CHECK: %[[C:.*]] = fuse.sub %{{.*}}, %[[M]]#0
// CHECK: fuse.sub %[[C]], %[[M]]#2
func.func @layer_norm(%x: tensor<4x8xf32>, %g: tensor<8xf32>) -> tensor<4x8xf32> {
  %0 = fuse.layer_norm %x num_dims 1 gamma %g : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}

// CHECK-LABEL: @group_norm
// CHECK: fuse.reshape %{{.*}} : tensor<2x8x4x4xf32> -> tensor<2x4x2x4x4xf32>
// CHECK: fuse.reshape %{{.*}} : tensor<8xf32> -> tensor<4x2x1x1xf32>
// CHECK: fuse.reduce split_moments %{{.*}} dims [2, 3, 4] keepdims
// CHECK: fuse.reshape %{{.*}} : tensor<2x4x2x4x4xf32> -> tensor<2x8x4x4xf32>
func.func @group_norm(%x: tensor<2x8x4x4xf32>, %g: tensor<8xf32>) -> tensor<2x8x4x4xf32> {
  %0 = fuse.group_norm %x groups 4 gamma %g : (tensor<2x8x4x4xf32>, tensor<8xf32>) -> tensor<2x8x4x4xf32>
  return %0 : tensor<2x8x4x4xf32>
}

// CHECK-LABEL: @instance_norm
// CHECK-NOT: -> tensor<2x4x2x4x4xf32>
// CHECK: fuse.reduce split_moments %{{.*}} dims [2, 3] keepdims : tensor<2x8x4x4xf32>
func.func @instance_norm(%x: tensor<2x8x4x4xf32>) -> tensor<2x8x4x4xf32> {
  %0 = fuse.group_norm %x groups 8 : (tensor<2x8x4x4xf32>) -> tensor<2x8x4x4xf32>
  return %0 : tensor<2x8x4x4xf32>
}

// CHECK-LABEL: @max_pool
// CHECK: fuse.window_reduce max %{{.*}} window [3, 2] stride [2, 2] padding_low [1, 1] padding_high [1, 0]
func.func @max_pool(%x: tensor<1x1x7x7xf32>) -> tensor<1x1x4x4xf32> {
  %0 = fuse.max_pool2d %x kernel [3, 2] stride [2, 2] padding [1, 1] : tensor<1x1x7x7xf32> -> tensor<1x1x4x4xf32>
  return %0 : tensor<1x1x4x4xf32>
}

// All windows count as many elements: one constant.
// CHECK-LABEL: @avg_pool
// CHECK: %[[S:.*]] = fuse.window_reduce sum %{{.*}} window [2, 2] stride [2, 2] :
// CHECK: %[[N:.*]] = fuse.constant dense<4.000000e+00>
// CHECK: fuse.div %[[S]], %[[N]]
// CHECK-NOT: fuse.iota
func.func @avg_pool(%x: tensor<1x1x8x8xf32>) -> tensor<1x1x4x4xf32> {
  %0 = fuse.avg_pool2d %x kernel [2, 2] : tensor<1x1x8x8xf32> -> tensor<1x1x4x4xf32>
  return %0 : tensor<1x1x4x4xf32>
}

// Windows at the border count fewer, by their position.
// CHECK-LABEL: @avg_pool_border
// CHECK: fuse.iota dim 0 : tensor<4x1xi64>
// CHECK: fuse.iota dim 0 : tensor<4xi64>
func.func @avg_pool_border(%x: tensor<1x1x7x7xf32>) -> tensor<1x1x4x4xf32> {
  %0 = fuse.avg_pool2d %x kernel [3, 3] stride [2, 2] padding [1, 1] count_include_pad false : tensor<1x1x7x7xf32> -> tensor<1x1x4x4xf32>
  return %0 : tensor<1x1x4x4xf32>
}

// CHECK-LABEL: @concat
// CHECK-SAME: %[[A:.*]]: tensor<4x2xf32>, %[[B:.*]]: tensor<4x3xf32>
// CHECK: %[[PB:.*]] = fuse.pad %[[B]] low [0, 2] high [0, 0] value 0.0
// CHECK: %[[PA:.*]] = fuse.pad %[[A]] low [0, 0] high [0, 3] value 0.0
// CHECK: %[[I:.*]] = fuse.iota dim 1 : tensor<1x5xi64>
// CHECK: %[[C:.*]] = fuse.compare lt %[[I]]
// CHECK: fuse.select %[[C]], %[[PA]], %[[PB]]
func.func @concat(%a: tensor<4x2xf32>, %b: tensor<4x3xf32>) -> tensor<4x5xf32> {
  %0 = fuse.concat %a, %b dim 1 : (tensor<4x2xf32>, tensor<4x3xf32>) -> tensor<4x5xf32>
  return %0 : tensor<4x5xf32>
}

// CHECK-LABEL: @mean
// CHECK: fuse.reduce sum %{{.*}} dims [0, 1] : tensor<4x8xf32> -> tensor<f32>
// CHECK: fuse.constant dense<3.200000e+01>
// CHECK: fuse.div
func.func @mean(%x: tensor<4x8xf32>) -> tensor<f32> {
  %0 = fuse.mean %x dims [0, 1] : tensor<4x8xf32> -> tensor<f32>
  return %0 : tensor<f32>
}
