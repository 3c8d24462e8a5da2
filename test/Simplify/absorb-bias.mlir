// RUN: fuse-opt %s --fuse-absorb-bias | FileCheck %s

!norm = tensor<2x8x4x4xf32>
!channel = tensor<8xf32>

// CHECK-LABEL: @per_channel
// CHECK-SAME: %[[X:.*]]: tensor<2x8x4x4xf32>, %[[B:.*]]: tensor<8x1x1xf32>
// CHECK: %[[W:.*]] = fuse.constant dense<2.500000e-01>
// CHECK: %[[Y:.*]], %[[M:.*]], %[[V:.*]] = fuse.batch_norm %[[X]], {{.*}} momentum 2.500000e-01
// CHECK: %[[R:.*]] = fuse.reshape %[[B]] : tensor<8x1x1xf32> -> tensor<8xf32>
// CHECK: %[[S:.*]] = fuse.mul %[[R]], %[[W]]
// CHECK: %[[T:.*]] = fuse.add %[[M]], %[[S]]
// CHECK: return %[[Y]], %[[T]], %[[V]]
func.func @per_channel(%x: !norm, %b: tensor<8x1x1xf32>, %c: !channel) -> (!norm, !channel, !channel) {
  %0 = fuse.add %b, %x : (tensor<8x1x1xf32>, !norm) -> !norm
  %1:3 = fuse.batch_norm %0, %c, %c, %c, %c momentum 0.25
    : (!norm, !channel, !channel, !channel, !channel) -> (!norm, !channel, !channel)
  return %1#0, %1#1, %1#2 : !norm, !channel, !channel
}

// A scalar, and a second bias in front of it, go the same way.
// CHECK-LABEL: @twice
// CHECK-SAME: %[[X:[a-z0-9]*]]: tensor<4x8xf32>
// CHECK: fuse.batch_norm %[[X]],
func.func @twice(%x: tensor<4x8xf32>, %b: !channel, %s: tensor<f32>, %c: !channel) -> (tensor<4x8xf32>, !channel, !channel) {
  %0 = fuse.add %x, %b : (tensor<4x8xf32>, !channel) -> tensor<4x8xf32>
  %1 = fuse.add %0, %s : (tensor<4x8xf32>, tensor<f32>) -> tensor<4x8xf32>
  %2:3 = fuse.batch_norm %1, %c, %c, %c, %c
    : (tensor<4x8xf32>, !channel, !channel, !channel, !channel) -> (tensor<4x8xf32>, !channel, !channel)
  return %2#0, %2#1, %2#2 : tensor<4x8xf32>, !channel, !channel
}
