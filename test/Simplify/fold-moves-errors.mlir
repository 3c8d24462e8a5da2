// Pads and transposes that must stay.
// RUN: fuse-opt %s --fuse-fold-moves | FileCheck %s

// CHECK-LABEL: @batch_transpose
// CHECK: fuse.transpose
func.func @batch_transpose(%x: tensor<4x3x8xf32>, %w: tensor<8x16xf32>) -> tensor<3x4x16xf32> {
  %0 = fuse.transpose %x permutation [1, 0, 2] : tensor<4x3x8xf32> -> tensor<3x4x8xf32>
  %1 = fuse.matmul %0, %w : (tensor<3x4x8xf32>, tensor<8x16xf32>) -> tensor<3x4x16xf32>
  return %1 : tensor<3x4x16xf32>
}

// CHECK-LABEL: @one_sided
// CHECK: fuse.pad
func.func @one_sided(%x: tensor<1x2x8x8xf32>, %w: tensor<4x2x3x3xf32>) -> tensor<1x4x8x6xf32> {
  %0 = fuse.pad %x low [0, 0, 2, 0] high [0, 0, 0, 0] value 0.0 : f32 : tensor<1x2x8x8xf32> -> tensor<1x2x10x8xf32>
  %1 = fuse.conv2d %0, %w : (tensor<1x2x10x8xf32>, tensor<4x2x3x3xf32>) -> tensor<1x4x8x6xf32>
  return %1 : tensor<1x4x8x6xf32>
}

// CHECK-LABEL: @other_value
// CHECK: fuse.pad
func.func @other_value(%x: tensor<1x2x8x8xf32>, %w: tensor<4x2x3x3xf32>) -> tensor<1x4x8x8xf32> {
  %0 = fuse.pad %x low [0, 0, 1, 1] high [0, 0, 1, 1] value 1.0 : f32 : tensor<1x2x8x8xf32> -> tensor<1x2x10x10xf32>
  %1 = fuse.conv2d %0, %w : (tensor<1x2x10x10xf32>, tensor<4x2x3x3xf32>) -> tensor<1x4x8x8xf32>
  return %1 : tensor<1x4x8x8xf32>
}

// CHECK-LABEL: @padded_channels
// CHECK: fuse.pad
func.func @padded_channels(%x: tensor<1x2x8x8xf32>, %w: tensor<4x4x3x3xf32>) -> tensor<1x4x6x6xf32> {
  %0 = fuse.pad %x low [0, 1, 0, 0] high [0, 1, 0, 0] value 0.0 : f32 : tensor<1x2x8x8xf32> -> tensor<1x4x8x8xf32>
  %1 = fuse.conv2d %0, %w : (tensor<1x4x8x8xf32>, tensor<4x4x3x3xf32>) -> tensor<1x4x6x6xf32>
  return %1 : tensor<1x4x6x6xf32>
}

// 0 is not neutral for a maximum.
// CHECK-LABEL: @zeros_in_max
// CHECK: fuse.pad
func.func @zeros_in_max(%x: tensor<8xf32>) -> tensor<8xf32> {
  %0 = fuse.pad %x low [1] high [1] value 0.0 : f32 : tensor<8xf32> -> tensor<10xf32>
  %1 = fuse.window_reduce max %0 window [3] : tensor<10xf32> -> tensor<8xf32>
  return %1 : tensor<8xf32>
}

// CHECK-LABEL: @two_values
// CHECK: fuse.pad
// CHECK: fuse.pad
func.func @two_values(%x: tensor<2xf32>) -> tensor<6xf32> {
  %0 = fuse.pad %x low [1] high [1] value 1.0 : f32 : tensor<2xf32> -> tensor<4xf32>
  %1 = fuse.pad %0 low [1] high [1] value 2.0 : f32 : tensor<4xf32> -> tensor<6xf32>
  return %1 : tensor<6xf32>
}

// CHECK-LABEL: @between
// CHECK: fuse.pad
// CHECK: fuse.pad
func.func @between(%x: tensor<2xf32>) -> tensor<7xf32> {
  %0 = fuse.pad %x low [1] high [1] value 0.0 : f32 : tensor<2xf32> -> tensor<4xf32>
  %1 = fuse.pad %0 low [0] high [0] interior [1] value 0.0 : f32 : tensor<4xf32> -> tensor<7xf32>
  return %1 : tensor<7xf32>
}

// The leading dim of the result comes from the reshaped operand.
// CHECK-LABEL: @only_rank
// CHECK: fuse.reshape
// CHECK: fuse.add %arg0, %{{.*}} : (tensor<8xf32>, tensor<1x8xf32>)
func.func @only_rank(%x: tensor<8xf32>, %c: tensor<8xf32>) -> tensor<1x8xf32> {
  %0 = fuse.reshape %c : tensor<8xf32> -> tensor<1x8xf32>
  %1 = fuse.add %x, %0 : (tensor<8xf32>, tensor<1x8xf32>) -> tensor<1x8xf32>
  return %1 : tensor<1x8xf32>
}
