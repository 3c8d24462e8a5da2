// RUN: fuse-opt %s --fuse-to-ptx="target=sm_90a grad stop-after=tile" | FileCheck %s

// One channel a group: a tap's product is one multiply deep, nothing for a matrix unit.
// CHECK-LABEL: func.func @grouped_forward
// CHECK-LABEL: tile.func @grouped_forward_k0
// CHECK-NOT: mma_sync
func.func @grouped(%x: tensor<1x3x15x3xf32>, %w: tensor<12x1x2x2xf32>) -> tensor<1x12x17x3xf32> {
  %y = fuse.conv2d %x, %w padding [2, 1] dilation [2, 2] groups 3 precision bf16 : (tensor<1x3x15x3xf32>, tensor<12x1x2x2xf32>) -> tensor<1x12x17x3xf32>
  return %y : tensor<1x12x17x3xf32>
}

// One output channel and a column of pixels: a tap of the input's gradient has no depth at
// all, so that there are no rows of it to share among warps.
// CHECK-LABEL: tile.func @column_backward_k0
// CHECK: arith.mulf
// CHECK: tile.store
func.func @column(%x: tensor<3x7x10x1xf32>, %w: tensor<1x7x2x2xf32>) -> tensor<3x1x5x4xf32> {
  %y = fuse.conv2d %x, %w stride [2, 1] padding [0, 2] : (tensor<3x7x10x1xf32>, tensor<1x7x2x2xf32>) -> tensor<3x1x5x4xf32>
  return %y : tensor<3x1x5x4xf32>
}
