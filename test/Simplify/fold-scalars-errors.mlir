// Scalars that must stay apart.
// RUN: fuse-opt %s --fuse-fold-scalars | FileCheck %s

!t = tensor<4xf32>
!s = tensor<f32>

// 1e-30 * 1e-30 is 0 in f32: a joint factor would lose everything.
// CHECK-LABEL: @underflow
// CHECK: fuse.mul
// CHECK: fuse.mul
func.func @underflow(%x: !t) -> !t {
  %c = fuse.constant dense<1.0e-30> : !s
  %0 = fuse.mul %x, %c : (!t, !s) -> !t
  %1 = fuse.mul %0, %c : (!t, !s) -> !t
  return %1 : !t
}

// CHECK-LABEL: @zeros
// CHECK: fuse.mul
// CHECK: fuse.mul
func.func @zeros(%x: !t) -> !t {
  %zero = fuse.constant dense<0.0> : !s
  %two = fuse.constant dense<2.0> : !s
  %0 = fuse.mul %x, %two : (!t, !s) -> !t
  %1 = fuse.mul %0, %zero : (!t, !s) -> !t
  return %1 : !t
}

// The reciprocal of 3 is not exact.
// CHECK-LABEL: @third
// CHECK: fuse.div
func.func @third(%x: !t) -> !t {
  %three = fuse.constant dense<3.0> : !s
  %0 = fuse.div %x, %three : (!t, !s) -> !t
  return %0 : !t
}

// A scalar divided by x is no factor of it.
// CHECK-LABEL: @dividend
// CHECK: fuse.div
// CHECK: fuse.div
func.func @dividend(%x: !t) -> !t {
  %three = fuse.constant dense<3.0> : !s
  %0 = fuse.div %three, %x : (!s, !t) -> !t
  %1 = fuse.div %0, %three : (!t, !s) -> !t
  return %1 : !t
}

// Integers wrap around and divide towards zero.
// CHECK-LABEL: @integers
// CHECK: fuse.mul
// CHECK: fuse.div
func.func @integers(%x: tensor<4xi32>) -> tensor<4xi32> {
  %three = fuse.constant dense<3> : tensor<i32>
  %0 = fuse.mul %x, %three : (tensor<4xi32>, tensor<i32>) -> tensor<4xi32>
  %1 = fuse.div %0, %three : (tensor<4xi32>, tensor<i32>) -> tensor<4xi32>
  return %1 : tensor<4xi32>
}

// Both factors have an element for each: there is no smaller one.
// CHECK-LABEL: @same_size
// CHECK: fuse.mul %arg0, %{{.*}} : (tensor<4xf32>, tensor<f32>)
func.func @same_size(%x: !t, %y: !t) -> !t {
  %three = fuse.constant dense<3.0> : !s
  %0 = fuse.mul %x, %three : (!t, !s) -> !t
  %1 = fuse.mul %0, %y : !t
  return %1 : !t
}
