// What must stay in front of the window.
// RUN: fuse-opt %s --fuse-sink-monotone | FileCheck %s

!in = tensor<2x8x16x16xf32>
!out = tensor<2x8x4x4xf32>

// CHECK-LABEL: @not_monotone
// CHECK: fuse.silu
// CHECK-NEXT: fuse.window_reduce
func.func @not_monotone(%x: !in) -> !out {
  %0 = fuse.silu %x : !in
  %1 = fuse.window_reduce max %0 window [4, 4] stride [4, 4] : !in -> !out
  return %1 : !out
}

// The sign of a factor that is not known.
// CHECK-LABEL: @unknown_factor
// CHECK: fuse.mul
// CHECK-NEXT: fuse.window_reduce
func.func @unknown_factor(%x: !in, %c: tensor<8x1x1xf32>) -> !out {
  %0 = fuse.mul %x, %c : (!in, tensor<8x1x1xf32>) -> !in
  %1 = fuse.window_reduce max %0 window [4, 4] stride [4, 4] : !in -> !out
  return %1 : !out
}

// inf * 0 is NaN.
// CHECK-LABEL: @zero_factor
// CHECK: fuse.mul
// CHECK-NEXT: fuse.window_reduce
func.func @zero_factor(%x: !in) -> !out {
  %c = fuse.constant dense<0.0> : tensor<f32>
  %0 = fuse.mul %x, %c : (!in, tensor<f32>) -> !in
  %1 = fuse.window_reduce max %0 window [4, 4] stride [4, 4] : !in -> !out
  return %1 : !out
}

// CHECK-LABEL: @varying_operand
// CHECK: fuse.add
// CHECK-NEXT: fuse.window_reduce
func.func @varying_operand(%x: !in, %b: tensor<16xf32>) -> !out {
  %0 = fuse.add %x, %b : (!in, tensor<16xf32>) -> !in
  %1 = fuse.window_reduce max %0 window [4, 4] stride [4, 4] : !in -> !out
  return %1 : !out
}

// CHECK-LABEL: @sum
// CHECK: fuse.tanh
// CHECK-NEXT: fuse.window_reduce
func.func @sum(%x: !in) -> !out {
  %0 = fuse.tanh %x : !in
  %1 = fuse.window_reduce sum %0 window [4, 4] stride [4, 4] : !in -> !out
  return %1 : !out
}

// relu makes equal what was not: the positions would differ.
// CHECK-LABEL: @argmax
// CHECK: fuse.relu
// CHECK-NEXT: fuse.window_reduce
func.func @argmax(%x: !in) -> tensor<2x8x4x4xi8> {
  %0 = fuse.relu %x : !in
  %1:2 = fuse.window_reduce max %0 window [4, 4] stride [4, 4] argmax i8 : !in -> !out, tensor<2x8x4x4xi8>
  return %1#1 : tensor<2x8x4x4xi8>
}

// CHECK-LABEL: @other_use
// CHECK: fuse.tanh
// CHECK-NEXT: fuse.window_reduce
func.func @other_use(%x: !in) -> (!in, !out) {
  %0 = fuse.tanh %x : !in
  %1 = fuse.window_reduce max %0 window [4, 4] stride [4, 4] : !in -> !out
  return %0, %1 : !in, !out
}

// The first window holds padding alone: -inf, of which tanh would make -1.
// CHECK-LABEL: @empty_window
// CHECK: fuse.tanh
// CHECK-NEXT: fuse.window_reduce
func.func @empty_window(%x: tensor<8xf32>) -> tensor<5xf32> {
  %0 = fuse.tanh %x : tensor<8xf32>
  %1 = fuse.window_reduce max %0 window [2] stride [2] padding_low [2] : tensor<8xf32> -> tensor<5xf32>
  return %1 : tensor<5xf32>
}

// A transpose moves elements between windows.
// CHECK-LABEL: @moved
// CHECK: fuse.transpose
// CHECK-NEXT: fuse.window_reduce
func.func @moved(%x: tensor<8x8xf32>) -> tensor<8x4xf32> {
  %0 = fuse.transpose %x permutation [1, 0] : tensor<8x8xf32> -> tensor<8x8xf32>
  %1 = fuse.window_reduce max %0 window [2] stride [2] : tensor<8x8xf32> -> tensor<8x4xf32>
  return %1 : tensor<8x4xf32>
}
