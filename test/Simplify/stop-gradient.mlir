// What passes no gradient on stays where it is: the rules below would drop it, or
// join it with an op that does.
// RUN: fuse-opt %s --fuse-simplify --fuse-differentiate --fuse-simplify --split-input-file | FileCheck %s

// Each op of a composite is marked.
// CHECK-LABEL: func.func @composite
// CHECK: %[[S:.*]] = fuse.mul {{.*}} {fuse.stop_gradient}
// CHECK: %[[DX:.*]] = fuse.mul %arg1, %[[S]]
// CHECK: return %{{.*}}, %[[DX]]
func.func @composite(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %s = fuse.softmax %x dim 1 {fuse.stop_gradient} : tensor<4x8xf32> -> tensor<4x8xf32>
  %y = fuse.mul %s, %x : tensor<4x8xf32>
  return %y : tensor<4x8xf32>
}

// -----

// CHECK-LABEL: func.func @reshape
// CHECK: %[[S:.*]] = fuse.reshape %arg0 {fuse.stop_gradient}
// CHECK: %[[DX:.*]] = fuse.mul %arg1, %[[S]]
// CHECK: return %{{.*}}, %[[DX]]
func.func @reshape(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %s = fuse.reshape %x {fuse.stop_gradient} : tensor<4x8xf32> -> tensor<4x8xf32>
  %y = fuse.mul %s, %x : tensor<4x8xf32>
  return %y : tensor<4x8xf32>
}

// -----

// CHECK-LABEL: func.func @scale
// CHECK: %[[ZERO:.*]] = fuse.constant dense<0.000000e+00> : tensor<4x8xf32>
// CHECK: return %{{.*}}, %[[ZERO]]
func.func @scale(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %two = fuse.constant dense<2.0> : tensor<f32>
  %s = fuse.mul %x, %two {fuse.stop_gradient} : (tensor<4x8xf32>, tensor<f32>) -> tensor<4x8xf32>
  %y = fuse.mul %s, %two : (tensor<4x8xf32>, tensor<f32>) -> tensor<4x8xf32>
  return %y : tensor<4x8xf32>
}

// -----

// CHECK-LABEL: func.func @neutral
// CHECK: %[[ZERO:.*]] = fuse.constant dense<0.000000e+00> : tensor<4x8xf32>
// CHECK: return %{{.*}}, %{{.*}}, %{{.*}}, %[[ZERO]]
func.func @neutral(%x: tensor<4x8xf32>) -> (tensor<4x8xf32>, tensor<4x8xf32>, tensor<4x8xf32>) {
  %one = fuse.constant dense<1.0> : tensor<f32>
  %a = fuse.mul %x, %one {fuse.stop_gradient} : (tensor<4x8xf32>, tensor<f32>) -> tensor<4x8xf32>
  %n = fuse.neg %x {fuse.stop_gradient} : tensor<4x8xf32>
  %b = fuse.neg %n : tensor<4x8xf32>
  %c = fuse.maximum %x, %x {fuse.stop_gradient} : tensor<4x8xf32>
  return %a, %b, %c : tensor<4x8xf32>, tensor<4x8xf32>, tensor<4x8xf32>
}

// -----

// A sum's factor, and the padding of a convolution.
// CHECK-LABEL: func.func @sum
// CHECK: %[[ZERO:.*]] = fuse.constant dense<0.000000e+00> : tensor<8xf32>
// CHECK: return %{{.*}}, %{{.*}}, %[[ZERO]]
func.func @sum(%x: tensor<4x8xf32>, %c: tensor<8xf32>) -> tensor<8xf32> {
  %0 = fuse.mul %x, %c : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<4x8xf32>
  %1 = fuse.reduce sum %0 dims [0] {fuse.stop_gradient} : tensor<4x8xf32> -> tensor<8xf32>
  return %1 : tensor<8xf32>
}

// -----

// CHECK-LABEL: func.func @pad
// CHECK: fuse.pad {{.*}} {fuse.stop_gradient}
// CHECK-NOT: fuse.conv_transpose2d
// CHECK: return
func.func @pad(%x: tensor<1x2x6x6xf32>, %w: tensor<3x2x3x3xf32>) -> tensor<1x3x6x6xf32> {
  %p = fuse.pad %x low [0, 0, 1, 1] high [0, 0, 1, 1] value 0.0 : f32 {fuse.stop_gradient} : tensor<1x2x6x6xf32> -> tensor<1x2x8x8xf32>
  %y = fuse.conv2d %p, %w : (tensor<1x2x8x8xf32>, tensor<3x2x3x3xf32>) -> tensor<1x3x6x6xf32>
  return %y : tensor<1x3x6x6xf32>
}

// -----

// A bias moved behind a pool that passes nothing on would get a gradient.
// CHECK-LABEL: func.func @pool
// CHECK: %[[ZERO:.*]] = fuse.constant dense<0.000000e+00> : tensor<2x1x1xf32>
// CHECK: return {{.*}}%[[ZERO]]
func.func @pool(%x: tensor<1x2x4x4xf32>, %b: tensor<2x1x1xf32>) -> tensor<1x2x2x2xf32> {
  %0 = fuse.add %x, %b : (tensor<1x2x4x4xf32>, tensor<2x1x1xf32>) -> tensor<1x2x4x4xf32>
  %1 = fuse.max_pool2d %0 kernel [2, 2] {fuse.stop_gradient} : tensor<1x2x4x4xf32> -> tensor<1x2x2x2xf32>
  return %1 : tensor<1x2x2x2xf32>
}
