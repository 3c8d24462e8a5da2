// RUN: fuse-opt %s --fuse-tile-kernels | FileCheck %s

// A depthwise convolution made again as an operand rounds nothing, as where it is a kernel
// by itself: mean and variance were taken from those values. The weight gradient is a
// product like others.
// CHECK-LABEL: tile.func @again
// CHECK: tile.dot {{.*}} batch [0] [0] : tensor<16x3x32xf32>
// CHECK: tile.dot {{.*}} batch [0] [0] {precision = #tile<precision tf32>} : tensor<16x4x32xf32>
module attributes {fuse.target = #fuse.target<arch = "sm_90a", units = 132, shared_memory = 232448, registers = 65536, dram = 4270, fp32 = 51000, tensor = 410000>} {
func.func @depthwise(%x: tensor<2x16x12x44xf32>, %w: tensor<16x1x3x3xf32>) -> tensor<16x1x3x3xf32> {
  %0 = fuse.kernel @again (%a = %x, %b = %w) : (tensor<2x16x12x44xf32>, tensor<16x1x3x3xf32>) -> tensor<16x1x3x3xf32> schedule(#fuse.schedule<block = [16, 1, 4, 4, 1, 1, 32], warps = 1, stages = 1, cluster = 1, mma = fma, splits = 1>) {
    %z = fuse.conv2d %a, %b padding [1, 1] groups 16 precision tf32 : (tensor<2x16x12x44xf32>, tensor<16x1x3x3xf32>) -> tensor<2x16x12x44xf32>
    %t = fuse.tanh %z : tensor<2x16x12x44xf32>
    %g = fuse.conv2d_weight_grad %a, %t kernel [3, 3] padding [1, 1] groups 16 precision tf32 {fuse.anchor} : (tensor<2x16x12x44xf32>, tensor<2x16x12x44xf32>) -> tensor<16x1x3x3xf32>
    fuse.yield %g : tensor<16x1x3x3xf32>
  }
  return %0 : tensor<16x1x3x3xf32>
}
}
