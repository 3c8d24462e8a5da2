// RUN: fuse-opt %s --fuse-to-ptx=stop-after=schedules | FileCheck %s

// Rows of 129 elements, both classes of which are columns of one product. Every tile
// fetches all weights of a row's classes: pieces of four images, 2 x 8 positions of a
// class each, leave the fewest tiles.
// CHECK-LABEL: func.func @several
// CHECK: schedule(#fuse.schedule<block = [4, 128, 4, 16, 8, 4, 4], warps = 8, stages = 2, cluster = 1, mma = wgmma, splits = 1>)
// One image has rows and columns only.
// CHECK-LABEL: func.func @one
// CHECK: schedule(#fuse.schedule<block = [1, 128, 8, 32, 8, 4, 4], warps = 8,
module attributes {fuse.target = #fuse.target<arch = "sm_90a", units = 132, shared_memory = 232448, registers = 65536, dram = 4270, fp32 = 51000, tensor = 410000>} {
func.func @several(%x: tensor<128x64x64x64xf32>, %w: tensor<64x128x4x4xf32>) -> tensor<128x128x129x129xf32> {
  %y = fuse.conv_transpose2d %x, %w stride [2, 2] padding [1, 1] output_padding [1, 1] : (tensor<128x64x64x64xf32>, tensor<64x128x4x4xf32>) -> tensor<128x128x129x129xf32>
  %p = fuse.softmax %y dim 1 : tensor<128x128x129x129xf32> -> tensor<128x128x129x129xf32>
  return %p : tensor<128x128x129x129xf32>
}
func.func @one(%x: tensor<1x64x128x128xf32>, %w: tensor<64x128x4x4xf32>) -> tensor<1x128x257x257xf32> {
  %y = fuse.conv_transpose2d %x, %w stride [2, 2] padding [1, 1] output_padding [1, 1] : (tensor<1x64x128x128xf32>, tensor<64x128x4x4xf32>) -> tensor<1x128x257x257xf32>
  %p = fuse.softmax %y dim 1 : tensor<1x128x257x257xf32> -> tensor<1x128x257x257xf32>
  return %p : tensor<1x128x257x257xf32>
}
}
