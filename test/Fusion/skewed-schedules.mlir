// RUN: fuse-opt %s --fuse-select-schedules | FileCheck %s

module attributes {fuse.target = #fuse.target<arch = "sm_90a", units = 132, shared_memory = 232448, registers = 65536, dram = 4270, fp32 = 51000, tensor = 410000>} {

// Warpgroups sum over elements of rows: one row a step, and instances that end
// together.
// CHECK-LABEL: @square
// CHECK: block = [64, 64, 3, 3, 1, 1, 32], warps = 8, stages = 2, cluster = 1, mma = wgmma, splits = 128>
func.func @square(%x: tensor<32x64x128x128xf32>, %dz: tensor<32x64x128x128xf32>) -> tensor<64x64x3x3xf32> {
  %0 = fuse.kernel @k (%a = %x, %b = %dz) : (tensor<32x64x128x128xf32>, tensor<32x64x128x128xf32>) -> tensor<64x64x3x3xf32> {
    %g = fuse.conv2d_weight_grad %a, %b kernel [3, 3] padding [1, 1] {fuse.anchor} : (tensor<32x64x128x128xf32>, tensor<32x64x128x128xf32>) -> tensor<64x64x3x3xf32>
    fuse.yield %g : tensor<64x64x3x3xf32>
  }
  return %0 : tensor<64x64x3x3xf32>
}

// Pairs of 132 columns: three steps of 24 leave less empty than three of 32. Two
// classes of columns wait in registers, so fewer channels.
// CHECK-LABEL: @pairs
// CHECK: block = [64, 32, 4, 4, 1, 1, 24], warps = 8, stages = 2, cluster = 1, mma = wgmma
func.func @pairs(%x: tensor<128x128x132x132xf32>, %dz: tensor<128x64x66x66xf32>) -> tensor<64x128x4x4xf32> {
  %0 = fuse.kernel @k (%a = %x, %b = %dz) : (tensor<128x128x132x132xf32>, tensor<128x64x66x66xf32>) -> tensor<64x128x4x4xf32> {
    %g = fuse.conv2d_weight_grad %a, %b kernel [4, 4] stride [2, 2] padding [1, 1] {fuse.anchor} : (tensor<128x128x132x132xf32>, tensor<128x64x66x66xf32>) -> tensor<64x128x4x4xf32>
    fuse.yield %g : tensor<64x128x4x4xf32>
  }
  return %0 : tensor<64x128x4x4xf32>
}

// 32 output channels are half of an instruction's rows; rows of five are short, and
// start anywhere.
// CHECK-LABEL: @narrow
// CHECK: mma_sync
func.func @narrow(%x: tensor<64x32x64x64xf32>, %dz: tensor<64x32x64x64xf32>) -> tensor<32x32x3x3xf32> {
  %0 = fuse.kernel @k (%a = %x, %b = %dz) : (tensor<64x32x64x64xf32>, tensor<64x32x64x64xf32>) -> tensor<32x32x3x3xf32> {
    %g = fuse.conv2d_weight_grad %a, %b kernel [3, 3] padding [1, 1] {fuse.anchor} : (tensor<64x32x64x64xf32>, tensor<64x32x64x64xf32>) -> tensor<32x32x3x3xf32>
    fuse.yield %g : tensor<32x32x3x3xf32>
  }
  return %0 : tensor<32x32x3x3xf32>
}
// CHECK-LABEL: @short
// CHECK: mma_sync
func.func @short(%x: tensor<64x64x64x5xf32>, %dz: tensor<64x64x64x5xf32>) -> tensor<64x64x3x3xf32> {
  %0 = fuse.kernel @k (%a = %x, %b = %dz) : (tensor<64x64x64x5xf32>, tensor<64x64x64x5xf32>) -> tensor<64x64x3x3xf32> {
    %g = fuse.conv2d_weight_grad %a, %b kernel [3, 3] padding [1, 1] {fuse.anchor} : (tensor<64x64x64x5xf32>, tensor<64x64x64x5xf32>) -> tensor<64x64x3x3xf32>
    fuse.yield %g : tensor<64x64x3x3xf32>
  }
  return %0 : tensor<64x64x3x3xf32>
}
}
