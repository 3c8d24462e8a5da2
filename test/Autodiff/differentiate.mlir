// RUN: fuse-opt %s --fuse-differentiate --verify-roundtrip | FileCheck %s

// The joint graph takes a cotangent per result and gives a gradient per argument.
// CHECK-LABEL: func.func @product
// CHECK-SAME: (%[[A:.*]]: tensor<4x8xf32>, %[[B:.*]]: tensor<8xf32>, %[[DY:.*]]: tensor<4x8xf32> {fuse.init = #fuse.init<normal, 0.000000e+00, 1.000000e+00>, fuse.name = "cotangent0"})
// CHECK-SAME: -> (tensor<4x8xf32>, tensor<4x8xf32> {fuse.name = "grad_arg0"}, tensor<8xf32> {fuse.name = "grad_arg1"})
// CHECK-SAME: fuse.joint = {num_inputs = 2 : i64, num_results = 1 : i64, wrt = array<i64: 0, 1>}
// CHECK: %[[Y:.*]] = fuse.mul %[[A]], %[[B]]
// CHECK: %[[DA:.*]] = fuse.mul %[[DY]], %[[B]]
// CHECK: %[[WIDE:.*]] = fuse.mul %[[DY]], %[[A]]
// Broadcasting is undone by a sum.
// CHECK: %[[DB:.*]] = fuse.reduce sum %[[WIDE]] dims [0]
// CHECK: return %[[Y]], %[[DA]], %[[DB]]

func.func @product(%a: tensor<4x8xf32>, %b: tensor<8xf32>) -> tensor<4x8xf32> {
  %y = fuse.mul %a, %b : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<4x8xf32>
  return %y : tensor<4x8xf32>
}

// A value that is used twice gets the sum of both gradients.
// CHECK-LABEL: func.func @twice
// CHECK: %[[N:.*]] = fuse.neg %arg2
// CHECK: %[[E:.*]] = fuse.mul %arg2
// CHECK: fuse.add %[[N]], %[[E]]
// An argument that reaches nothing gets an exact zero.
// CHECK: fuse.constant dense<0.000000e+00>
func.func @twice(%x: tensor<4xf32>, %unused: tensor<4xf32>) -> tensor<4xf32> {
  %e = fuse.exp %x : tensor<4xf32>
  %n = fuse.neg %x : tensor<4xf32>
  %y = fuse.add %e, %n : tensor<4xf32>
  return %y : tensor<4xf32>
}

// Running statistics are state: no cotangent for the result, no gradient for the
// argument.
// CHECK-LABEL: func.func @state
// CHECK-SAME: (%{{.*}}: tensor<4xf32>, %{{.*}}: tensor<4xf32> {fuse.alias_result = 1 : i64}, %{{.*}}: tensor<4xf32> {fuse.init = #fuse.init<normal, 0.000000e+00, 1.000000e+00>, fuse.name = "cotangent0"})
// CHECK-SAME: -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32> {fuse.name = "grad_arg0"})
func.func @state(%x: tensor<4xf32>, %s: tensor<4xf32> {fuse.alias_result = 1 : i64})
    -> (tensor<4xf32>, tensor<4xf32>) {
  %y = fuse.tanh %x : tensor<4xf32>
  %t = fuse.add %s, %x : tensor<4xf32>
  return %y, %t : tensor<4xf32>, tensor<4xf32>
}

// A max window gives its positions from now on.
// CHECK-LABEL: func.func @pool
// CHECK: %[[POOL:.*]]:2 = fuse.window_reduce max %{{.*}} window [2, 2] stride [2, 2] argmax i8
// CHECK: fuse.window_max_grad %{{.*}}, %[[POOL]]#1
func.func @pool(%x: tensor<1x1x4x4xf32>) -> tensor<1x1x2x2xf32> {
  %y = fuse.window_reduce max %x window [2, 2] stride [2, 2]
      : tensor<1x1x4x4xf32> -> tensor<1x1x2x2xf32>
  return %y : tensor<1x1x2x2xf32>
}

// The first of equal extremes has all of the gradient where the text says so.
// CHECK-LABEL: func.func @first
// CHECK: %[[AT:.*]] = fuse.reduce argmax %arg0 dims [1] keepdims
// CHECK: %[[NARROW:.*]] = fuse.cast %[[AT]] : tensor<4x1xi64> -> tensor<4x1xi8>
// CHECK: fuse.iota dim 1 : tensor<1x8xi8>
// CHECK: fuse.select
// CHECK-NOT: fuse.div
// CHECK: return
func.func @first(%x: tensor<4x8xf32>) -> tensor<4xf32> {
  %y = fuse.reduce max %x dims [1] {fuse.first_extreme} : tensor<4x8xf32> -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// CHECK-LABEL: func.func @conv
// CHECK: fuse.conv_transpose2d %{{.*}}, %{{.*}} stride [2, 2] padding [1, 1] output_padding [1, 1]
// CHECK: fuse.conv2d_weight_grad %{{.*}}, %{{.*}} kernel [3, 3] stride [2, 2] padding [1, 1]
func.func @conv(%x: tensor<1x2x8x8xf32>, %w: tensor<4x2x3x3xf32>) -> tensor<1x4x4x4xf32> {
  %y = fuse.conv2d %x, %w stride [2, 2] padding [1, 1]
      : (tensor<1x2x8x8xf32>, tensor<4x2x3x3xf32>) -> tensor<1x4x4x4xf32>
  return %y : tensor<1x4x4x4xf32>
}

// The shift of a softmax has no derivative.
// CHECK-LABEL: func.func @softmax
// CHECK: fuse.reduce max {{.*}} {fuse.stop_gradient}
// CHECK-NOT: fuse.compare
func.func @softmax(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %m = fuse.reduce max %x dims [1] keepdims {fuse.stop_gradient} : tensor<4x8xf32> -> tensor<4x1xf32>
  %s = fuse.sub %x, %m : (tensor<4x8xf32>, tensor<4x1xf32>) -> tensor<4x8xf32>
  %e = fuse.exp %s : tensor<4x8xf32>
  return %e : tensor<4x8xf32>
}
