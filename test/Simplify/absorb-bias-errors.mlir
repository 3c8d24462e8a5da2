// What must stay in front of batch-norm.
// RUN: fuse-opt %s --fuse-absorb-bias | FileCheck %s

!norm = tensor<2x8x4x4xf32>
!channel = tensor<8xf32>

// What varies inside a channel stays.
// CHECK-LABEL: @inside_channel
// CHECK: %[[A:.*]] = fuse.add
// CHECK: fuse.batch_norm %[[A]],
func.func @inside_channel(%x: !norm, %b: tensor<4x4xf32>, %c: !channel) -> (!norm, !channel, !channel) {
  %0 = fuse.add %x, %b : (!norm, tensor<4x4xf32>) -> !norm
  %1:3 = fuse.batch_norm %0, %c, %c, %c, %c
    : (!norm, !channel, !channel, !channel, !channel) -> (!norm, !channel, !channel)
  return %1#0, %1#1, %1#2 : !norm, !channel, !channel
}

// The sum has to be there for its other reader in any case.
// CHECK-LABEL: @other_use
// CHECK: %[[A:.*]] = fuse.add
// CHECK: fuse.batch_norm %[[A]],
func.func @other_use(%x: !norm, %b: tensor<8x1x1xf32>, %c: !channel) -> (!norm, !norm) {
  %0 = fuse.add %x, %b : (!norm, tensor<8x1x1xf32>) -> !norm
  %1:3 = fuse.batch_norm %0, %c, %c, %c, %c
    : (!norm, !channel, !channel, !channel, !channel) -> (!norm, !channel, !channel)
  return %0, %1#0 : !norm, !norm
}
