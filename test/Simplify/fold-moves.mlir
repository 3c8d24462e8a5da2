// RUN: fuse-opt %s --fuse-fold-moves | FileCheck %s

// CHECK-LABEL: @transposes
// CHECK: fuse.matmul %arg0, %arg1 transpose_a : (tensor<3x8x4xf32>, tensor<8x16xf32>) -> tensor<3x4x16xf32>
func.func @transposes(%x: tensor<3x8x4xf32>, %w: tensor<8x16xf32>) -> tensor<3x4x16xf32> {
  %0 = fuse.transpose %x permutation [0, 2, 1] : tensor<3x8x4xf32> -> tensor<3x4x8xf32>
  %1 = fuse.transpose %w permutation [1, 0] : tensor<8x16xf32> -> tensor<16x8xf32>
  %2 = fuse.matmul %0, %1 transpose_b : (tensor<3x4x8xf32>, tensor<16x8xf32>) -> tensor<3x4x16xf32>
  return %2 : tensor<3x4x16xf32>
}

// CHECK-LABEL: @convolution
// CHECK: fuse.conv2d %arg0, %arg1 padding [3, 1] :
func.func @convolution(%x: tensor<1x2x8x8xf32>, %w: tensor<4x2x3x3xf32>) -> tensor<1x4x12x8xf32> {
  %0 = fuse.pad %x low [0, 0, 2, 0] high [0, 0, 2, 0] value 0.0 : f32 : tensor<1x2x8x8xf32> -> tensor<1x2x12x8xf32>
  %1 = fuse.conv2d %0, %w padding [1, 1] : (tensor<1x2x12x8xf32>, tensor<4x2x3x3xf32>) -> tensor<1x4x12x8xf32>
  return %1 : tensor<1x4x12x8xf32>
}

// A window's padding may differ on its two sides; two pads come as one.
// CHECK-LABEL: @window
// CHECK: fuse.window_reduce max %arg0 window [3, 3] padding_low [1, 0] padding_high [0, 3] :
func.func @window(%x: tensor<2x8x8xf32>) -> tensor<2x7x9xf32> {
  %0 = fuse.pad %x low [0, 1, 0] high [0, 0, 1] value 0xFF800000 : f32 : tensor<2x8x8xf32> -> tensor<2x9x9xf32>
  %1 = fuse.pad %0 low [0, 0, 0] high [0, 0, 2] value 0xFF800000 : f32 : tensor<2x9x9xf32> -> tensor<2x9x11xf32>
  %2 = fuse.window_reduce max %1 window [3, 3] : tensor<2x9x11xf32> -> tensor<2x7x9xf32>
  return %2 : tensor<2x7x9xf32>
}

// CHECK-LABEL: @pads
// CHECK: fuse.pad %arg0 low [1, 2] high [4, 0] value 1.0
func.func @pads(%x: tensor<2x3xf32>) -> tensor<7x5xf32> {
  %0 = fuse.pad %x low [1, 0] high [1, 0] value 1.0 : f32 : tensor<2x3xf32> -> tensor<4x3xf32>
  %1 = fuse.pad %0 low [0, 2] high [3, 0] value 1.0 : f32 : tensor<4x3xf32> -> tensor<7x5xf32>
  return %1 : tensor<7x5xf32>
}

// Both differences are one: the vector broadcasts as it is.
// CHECK-LABEL: @leading_ones
// CHECK: fuse.sub %arg0, %arg1 : (tensor<4x8xf32>, tensor<8xf32>)
// CHECK: fuse.sub %arg0, %arg1 : (tensor<4x8xf32>, tensor<8xf32>)
func.func @leading_ones(%x: tensor<4x8xf32>, %c: tensor<8xf32>) -> (tensor<4x8xf32>, tensor<4x8xf32>) {
  %0 = fuse.sub %x, %c : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<4x8xf32>
  %1 = fuse.reshape %c : tensor<8xf32> -> tensor<1x8xf32>
  %2 = fuse.sub %x, %1 : (tensor<4x8xf32>, tensor<1x8xf32>) -> tensor<4x8xf32>
  return %0, %2 : tensor<4x8xf32>, tensor<4x8xf32>
}
