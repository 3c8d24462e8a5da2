// RUN: fuse-opt %s --verify-roundtrip | FileCheck %s
// RUN: fuse-opt %s --mlir-print-op-generic | fuse-opt | FileCheck %s

// CHECK-LABEL: @convolutions
func.func @convolutions(%x: tensor<2x8x32x32xf32>, %w: tensor<64x8x3x3xf32>,
                        %g: tensor<16x2x5x1xf32>, %d: tensor<8x1x3x3xf32>) {
  // CHECK: fuse.conv2d %{{.*}}, %{{.*}} : (tensor<2x8x32x32xf32>, tensor<64x8x3x3xf32>) -> tensor<2x64x30x30xf32>
  %0 = fuse.conv2d %x, %w : (tensor<2x8x32x32xf32>, tensor<64x8x3x3xf32>) -> tensor<2x64x30x30xf32>
  // CHECK: fuse.conv2d %{{.*}}, %{{.*}} stride [2, 1] padding [1, 1] dilation [1, 2] groups 4 precision f32 :
  %1 = fuse.conv2d %x, %g stride [2, 1] padding [1, 1] dilation [1, 2] groups 4 precision f32 : (tensor<2x8x32x32xf32>, tensor<16x2x5x1xf32>) -> tensor<2x16x15x34xf32>
  // CHECK: fuse.conv2d %{{.*}}, %{{.*}} groups 8 : {{.*}} -> tensor<2x8x30x30xf32>
  %2 = fuse.conv2d %x, %d groups 8 : (tensor<2x8x32x32xf32>, tensor<8x1x3x3xf32>) -> tensor<2x8x30x30xf32>
  // CHECK: fuse.conv_transpose2d %{{.*}}, %{{.*}} stride [2, 2] groups 8 : {{.*}} -> tensor<2x8x61x61xf32>
  %3 = fuse.conv_transpose2d %2, %d stride [2, 2] groups 8 : (tensor<2x8x30x30xf32>, tensor<8x1x3x3xf32>) -> tensor<2x8x61x61xf32>
  return
}

// CHECK-LABEL: @transposed
func.func @transposed(%x: tensor<2x64x8x8xf32>, %w: tensor<64x128x4x4xf32>) -> tensor<2x128x17x17xf32> {
  // CHECK: fuse.conv_transpose2d %{{.*}}, %{{.*}} stride [2, 2] padding [1, 1] output_padding [1, 1] :
  %0 = fuse.conv_transpose2d %x, %w stride [2, 2] padding [1, 1] output_padding [1, 1]
    : (tensor<2x64x8x8xf32>, tensor<64x128x4x4xf32>) -> tensor<2x128x17x17xf32>
  return %0 : tensor<2x128x17x17xf32>
}

// CHECK-LABEL: @weight_grad
func.func @weight_grad(%x: tensor<2x8x16x16xf32>, %dy: tensor<2x64x16x16xf32>) -> tensor<64x8x3x3xf32> {
  // CHECK: fuse.conv2d_weight_grad %{{.*}}, %{{.*}} kernel [3, 3] padding [1, 1] :
  %0 = fuse.conv2d_weight_grad %x, %dy kernel [3, 3] padding [1, 1]
    : (tensor<2x8x16x16xf32>, tensor<2x64x16x16xf32>) -> tensor<64x8x3x3xf32>
  return %0 : tensor<64x8x3x3xf32>
}

// CHECK-LABEL: @matmuls
func.func @matmuls(%x: tensor<4x8xf32>, %w: tensor<16x8xf32>, %b: tensor<3x1x8x4xf32>, %h: tensor<8x4xf16>) {
  // CHECK: fuse.matmul %{{.*}}, %{{.*}} transpose_b : (tensor<4x8xf32>, tensor<16x8xf32>) -> tensor<4x16xf32>
  %0 = fuse.matmul %x, %w transpose_b : (tensor<4x8xf32>, tensor<16x8xf32>) -> tensor<4x16xf32>
  // CHECK: fuse.matmul %{{.*}}, %{{.*}} transpose_a transpose_b precision tf32 :
  %1 = fuse.matmul %b, %w transpose_a transpose_b precision tf32 : (tensor<3x1x8x4xf32>, tensor<16x8xf32>) -> tensor<3x1x4x16xf32>
  // CHECK: fuse.matmul %{{.*}}, %{{.*}} transpose_a : (tensor<8x4xf16>, tensor<8x4xf16>) -> tensor<4x4xf16>
  %2 = fuse.matmul %h, %h transpose_a : (tensor<8x4xf16>, tensor<8x4xf16>) -> tensor<4x4xf16>
  return
}

// CHECK-LABEL: @windows
func.func @windows(%x: tensor<2x8x16x16xf32>, %i: tensor<9xi32>) -> tensor<2x8x16x16xf32> {
  // CHECK: fuse.window_reduce max %{{.*}} window [4, 4] stride [4, 4] : tensor<2x8x16x16xf32> -> tensor<2x8x4x4xf32>
  %0 = fuse.window_reduce max %x window [4, 4] stride [4, 4] : tensor<2x8x16x16xf32> -> tensor<2x8x4x4xf32>
  // CHECK: fuse.window_reduce max %{{.*}} window [2, 2] argmax i8 : tensor<2x8x16x16xf32> -> tensor<2x8x15x15xf32>, tensor<2x8x15x15xi8>
  %1:2 = fuse.window_reduce max %x window [2, 2] argmax i8 : tensor<2x8x16x16xf32> -> tensor<2x8x15x15xf32>, tensor<2x8x15x15xi8>
  // CHECK: fuse.window_reduce sum %{{.*}} window [3] padding_low [1] padding_high [2] dilation [2] :
  %2 = fuse.window_reduce sum %x window [3] padding_low [1] padding_high [2] dilation [2] : tensor<2x8x16x16xf32> -> tensor<2x8x16x15xf32>
  // CHECK: fuse.window_reduce min %{{.*}} window [3] : tensor<9xi32> -> tensor<7xi32>
  %3 = fuse.window_reduce min %i window [3] : tensor<9xi32> -> tensor<7xi32>
  // CHECK: fuse.window_max_grad %{{.*}}, %{{.*}} input_size [16, 16] window [2, 2] :
  %4 = fuse.window_max_grad %1#0, %1#1 input_size [16, 16] window [2, 2] : (tensor<2x8x15x15xf32>, tensor<2x8x15x15xi8>) -> tensor<2x8x16x16xf32>
  // CHECK: fuse.window_sum_grad %{{.*}} input_size [16, 16] window [4, 4] stride [4, 4] :
  %5 = fuse.window_sum_grad %0 input_size [16, 16] window [4, 4] stride [4, 4] : tensor<2x8x4x4xf32> -> tensor<2x8x16x16xf32>
  return %5 : tensor<2x8x16x16xf32>
}

// CHECK-LABEL: @reductions
func.func @reductions(%x: tensor<2x64x8x8xf32>, %h: tensor<4x8xf16>, %m: tensor<4x8xi1>) {
  // CHECK: fuse.reduce sum %{{.*}} dims [1] keepdims : tensor<4x8xf16> -> tensor<4x1xf16>
  %0 = fuse.reduce sum %h dims [1] keepdims : tensor<4x8xf16> -> tensor<4x1xf16>
  // CHECK: fuse.reduce moments %{{.*}} dims [0, 2, 3] : tensor<2x64x8x8xf32> -> tensor<64xf32>, tensor<64xf32>
  %1:2 = fuse.reduce moments %x dims [0, 2, 3] : tensor<2x64x8x8xf32> -> tensor<64xf32>, tensor<64xf32>
  // CHECK: fuse.reduce split_moments %{{.*}} dims [1] : tensor<4x8xf16> -> tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
  %7:3 = fuse.reduce split_moments %h dims [1] : tensor<4x8xf16> -> tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
  // CHECK: fuse.reduce moments %{{.*}} dims [0] : tensor<4x8xf16> -> tensor<8xf32>, tensor<8xf32>
  %2:2 = fuse.reduce moments %h dims [0] : tensor<4x8xf16> -> tensor<8xf32>, tensor<8xf32>
  // CHECK: fuse.reduce argmax %{{.*}} dims [0, 1, 2, 3] : tensor<2x64x8x8xf32> -> tensor<i64>
  %3 = fuse.reduce argmax %x dims [0, 1, 2, 3] : tensor<2x64x8x8xf32> -> tensor<i64>
  // CHECK: fuse.reduce max %{{.*}} dims [1] : tensor<4x8xi1> -> tensor<4xi1>
  %4 = fuse.reduce max %m dims [1] : tensor<4x8xi1> -> tensor<4xi1>
  // CHECK: fuse.reduce prod
  %5 = fuse.reduce prod %x dims [1] : tensor<2x64x8x8xf32> -> tensor<2x8x8xf32>
  // CHECK: fuse.reduce min %{{.*}} dims []
  %6 = fuse.reduce min %x dims [] : tensor<2x64x8x8xf32> -> tensor<2x64x8x8xf32>
  return
}
