// RUN: fuse-opt %s --fuse-fold-scalars | FileCheck %s

!t = tensor<4xf32>
!s = tensor<f32>

// CHECK-LABEL: @factors
// CHECK: %[[C:.*]] = fuse.constant dense<6.000000e+00> : tensor<f32>
// CHECK: fuse.mul %arg0, %[[C]]
// CHECK-NOT: fuse.mul
func.func @factors(%x: !t) -> !t {
  %two = fuse.constant dense<2.0> : !s
  %three = fuse.constant dense<3.0> : !s
  %0 = fuse.mul %x, %two : (!t, !s) -> !t
  %1 = fuse.mul %three, %0 : (!s, !t) -> !t
  return %1 : !t
}

// CHECK-LABEL: @summands
// CHECK: %[[C:.*]] = fuse.constant dense<5.000000e+00> : tensor<f32>
// CHECK: fuse.add %arg0, %[[C]]
func.func @summands(%x: !t) -> !t {
  %two = fuse.constant dense<2.0> : !s
  %three = fuse.constant dense<3.0> : !s
  %0 = fuse.add %x, %two : (!t, !s) -> !t
  %1 = fuse.add %0, %three : (!t, !s) -> !t
  return %1 : !t
}

// CHECK-LABEL: @divisions
// CHECK: %[[C:.*]] = fuse.constant dense<2.500000e-01>
// CHECK: fuse.mul %arg0, %[[C]]
func.func @divisions(%x: !t) -> !t {
  %four = fuse.constant dense<4.0> : !s
  %0 = fuse.div %x, %four : (!t, !s) -> !t
  return %0 : !t
}

// x * 3 / -(12) -> x * -0.25
// CHECK-LABEL: @mixed
// CHECK: %[[C:.*]] = fuse.constant dense<-2.500000e-01>
// CHECK: %[[Y:.*]] = fuse.mul %arg0, %[[C]]
// CHECK: return %[[Y]]
func.func @mixed(%x: !t) -> !t {
  %three = fuse.constant dense<3.0> : !s
  %twelve = fuse.constant dense<12.0> : !s
  %0 = fuse.mul %x, %three : (!t, !s) -> !t
  %1 = fuse.div %0, %twelve : (!t, !s) -> !t
  %2 = fuse.neg %1 : !t
  return %2 : !t
}

// CHECK-LABEL: @differences
// CHECK: %[[C:.*]] = fuse.constant dense<-5.000000e+00>
// CHECK: %[[Y:.*]] = fuse.add %arg0, %[[C]]
// CHECK: return %[[Y]]
func.func @differences(%x: !t) -> !t {
  %two = fuse.constant dense<2.0> : !s
  %three = fuse.constant dense<3.0> : !s
  %0 = fuse.sub %x, %two : (!t, !s) -> !t
  %1 = fuse.sub %0, %three : (!t, !s) -> !t
  return %1 : !t
}

// CHECK-LABEL: @powers
// CHECK: fuse.square
// CHECK: fuse.sqrt
// CHECK: fuse.rsqrt
// CHECK: fuse.reciprocal
// CHECK: fuse.square
// CHECK: fuse.mul
// CHECK: fuse.pow
func.func @powers(%x: !t) -> !t {
  %two = fuse.constant dense<2.0> : !s
  %half = fuse.constant dense<0.5> : !s
  %minus_half = fuse.constant dense<-0.5> : !s
  %minus_one = fuse.constant dense<-1.0> : !s
  %three = fuse.constant dense<3.0> : !s
  %other = fuse.constant dense<2.5> : !s
  %0 = fuse.pow %x, %two : (!t, !s) -> !t
  %1 = fuse.pow %0, %half : (!t, !s) -> !t
  %2 = fuse.pow %1, %minus_half : (!t, !s) -> !t
  %3 = fuse.pow %2, %minus_one : (!t, !s) -> !t
  %4 = fuse.pow %3, %three : (!t, !s) -> !t
  %5 = fuse.pow %4, %other : (!t, !s) -> !t
  return %5 : !t
}

// The values per channel take the scalar: one product an element.
// CHECK-LABEL: @per_channel
// CHECK: %[[F:.*]] = fuse.mul %arg1, %{{.*}} : (tensor<8xf32>, tensor<f32>)
// CHECK: fuse.mul %arg0, %[[F]] : (tensor<4x8xf32>, tensor<8xf32>)
func.func @per_channel(%x: tensor<4x8xf32>, %c: tensor<8xf32>) -> tensor<4x8xf32> {
  %two = fuse.constant dense<2.0> : !s
  %0 = fuse.mul %x, %two : (tensor<4x8xf32>, !s) -> tensor<4x8xf32>
  %1 = fuse.mul %0, %c : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<4x8xf32>
  return %1 : tensor<4x8xf32>
}
