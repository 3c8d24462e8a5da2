// RUN: fuse-opt %s --fuse-sink-monotone | FileCheck %s

!in = tensor<2x8x16x16xf32>
!out = tensor<2x8x4x4xf32>

// A whole chain, per-channel operands included.
// CHECK-LABEL: @chain
// CHECK: %[[P:.*]] = fuse.window_reduce max %arg0 window [4, 4] stride [4, 4]
// CHECK: fuse.add %[[P]], %arg1 : (tensor<2x8x4x4xf32>, tensor<8x1x1xf32>) -> tensor<2x8x4x4xf32>
// CHECK: fuse.tanh %{{.*}} : tensor<2x8x4x4xf32>
// CHECK: fuse.mul %{{.*}} : (tensor<2x8x4x4xf32>, tensor<f32>) -> tensor<2x8x4x4xf32>
func.func @chain(%x: !in, %b: tensor<8x1x1xf32>) -> !out {
  %two = fuse.constant dense<2.0> : tensor<f32>
  %0 = fuse.add %x, %b : (!in, tensor<8x1x1xf32>) -> !in
  %1 = fuse.tanh %0 : !in
  %2 = fuse.mul %1, %two : (!in, tensor<f32>) -> !in
  %3 = fuse.window_reduce max %2 window [4, 4] stride [4, 4] : !in -> !out
  return %3 : !out
}

// CHECK-LABEL: @decreasing
// CHECK: %[[P:.*]] = fuse.window_reduce min %arg0
// CHECK: %[[N:.*]] = fuse.neg %[[P]]
// CHECK: return %[[N]]
func.func @decreasing(%x: !in) -> !out {
  %0 = fuse.neg %x : !in
  %1 = fuse.window_reduce max %0 window [4, 4] stride [4, 4] : !in -> !out
  return %1 : !out
}

// Two negative factors: min, then max again. A scalar minus x decreases too.
// CHECK-LABEL: @signs
// CHECK: fuse.window_reduce min %arg0
// CHECK: fuse.mul
// CHECK: fuse.sub
func.func @signs(%x: !in) -> !out {
  %c = fuse.constant dense<-3.0> : tensor<f32>
  %0 = fuse.mul %x, %c : (!in, tensor<f32>) -> !in
  %1 = fuse.sub %c, %0 : (tensor<f32>, !in) -> !in
  %2 = fuse.window_reduce min %1 window [4, 4] stride [4, 4] : !in -> !out
  return %2 : !out
}

// CHECK-LABEL: @casts
// CHECK: %[[P:.*]] = fuse.window_reduce max %arg0 {{.*}} : tensor<2x8x16x16xf16> -> tensor<2x8x4x4xf16>
// CHECK: fuse.cast %[[P]] : tensor<2x8x4x4xf16> -> tensor<2x8x4x4xf32>
func.func @casts(%x: tensor<2x8x16x16xf16>) -> !out {
  %0 = fuse.cast %x : tensor<2x8x16x16xf16> -> !in
  %1 = fuse.window_reduce max %0 window [4, 4] stride [4, 4] : !in -> !out
  return %1 : !out
}

// Padding is fine as long as each window holds an element.
// CHECK-LABEL: @padded
// CHECK: fuse.window_reduce max %arg0
// CHECK: fuse.relu
func.func @padded(%x: !in) -> tensor<2x8x8x8xf32> {
  %0 = fuse.relu %x : !in
  %1 = fuse.window_reduce max %0 window [3, 3] stride [2, 2] padding_low [1, 1] padding_high [1, 1] : !in -> tensor<2x8x8x8xf32>
  return %1 : tensor<2x8x8x8xf32>
}
