// RUN: fuse-opt %s --fuse-select-schedules | FileCheck %s

module attributes {fuse.target = #fuse.target<arch = "sm_90a", units = 132, shared_memory = 232448, registers = 65536, dram = 4270, fp32 = 51000, tensor = 410000>} {

// 64 images leave half of the multiprocessors idle: half an image each. Instances of
// so many sums stay alone on a multiprocessor, so 256 would end no earlier.
// CHECK-LABEL: @images
// CHECK: block = [64, 32, 3, 3, 1, 1, 32]{{.*}} splits = 128>
func.func @images(%x: tensor<64x32x128x128xf32>, %dz: tensor<64x64x128x128xf32>) -> tensor<64x32x3x3xf32> {
  %0 = fuse.kernel @images_k0 (%a = %x, %b = %dz) : (tensor<64x32x128x128xf32>, tensor<64x64x128x128xf32>) -> tensor<64x32x3x3xf32> {
    %1 = fuse.conv2d_weight_grad %a, %b kernel [3, 3] padding [1, 1] {fuse.anchor} : (tensor<64x32x128x128xf32>, tensor<64x64x128x128xf32>) -> tensor<64x32x3x3xf32>
    fuse.yield %1 : tensor<64x32x3x3xf32>
  }
  return %0 : tensor<64x32x3x3xf32>
}

// Few sums: several instances a multiprocessor.
// CHECK-LABEL: @few_sums
// CHECK: block = [32, 16, 3, 3, 1, 2, 32]{{.*}} splits = 256>
func.func @few_sums(%x: tensor<32x16x64x128xf32>, %dz: tensor<32x32x64x128xf32>) -> tensor<32x16x3x3xf32> {
  %0 = fuse.kernel @few_sums_k0 (%a = %x, %b = %dz) : (tensor<32x16x64x128xf32>, tensor<32x32x64x128xf32>) -> tensor<32x16x3x3xf32> {
    %1 = fuse.conv2d_weight_grad %a, %b kernel [3, 3] padding [1, 1] {fuse.anchor} : (tensor<32x16x64x128xf32>, tensor<32x32x64x128xf32>) -> tensor<32x16x3x3xf32>
    fuse.yield %1 : tensor<32x16x3x3xf32>
  }
  return %0 : tensor<32x16x3x3xf32>
}

// At a stride of 2 a patch is larger than the filters of its tile: 128 filters in one.
// CHECK-LABEL: @strided
// CHECK: block = [1, 128, 8, 32, 8, 3, 3], warps = 16, {{.*}}wgmma
func.func @strided(%x: tensor<64x64x128x128xf32>, %w: tensor<128x64x3x3xf32>) -> tensor<64x128x64x64xf32> {
  %0 = fuse.kernel @strided_k0 (%a = %x, %b = %w) : (tensor<64x64x128x128xf32>, tensor<128x64x3x3xf32>) -> tensor<64x128x64x64xf32> {
    %1 = fuse.conv2d %a, %b stride [2, 2] padding [1, 1] precision tf32 {fuse.anchor} : (tensor<64x64x128x128xf32>, tensor<128x64x3x3xf32>) -> tensor<64x128x64x64xf32>
    fuse.yield %1 : tensor<64x128x64x64xf32>
  }
  return %0 : tensor<64x128x64x64xf32>
}

// Sums over a line of pixels leave one instance a multiprocessor: a wide one.
// CHECK-LABEL: @line_sums
// CHECK: block = [1, 256, 1, 128, 32, 1, 1], warps = 8, stages = 2, {{.*}}wgmma
func.func @line_sums(%x: tensor<32x256x1x784xf32>, %w: tensor<512x256x1x1xf32>) -> (tensor<32x512x1x784xf32>, tensor<512xf32>) {
  %0:2 = fuse.kernel @line_sums_k0 (%a = %x, %b = %w) : (tensor<32x256x1x784xf32>, tensor<512x256x1x1xf32>) -> (tensor<32x512x1x784xf32>, tensor<512xf32>) {
    %1 = fuse.conv2d %a, %b precision tf32 {fuse.anchor} : (tensor<32x256x1x784xf32>, tensor<512x256x1x1xf32>) -> tensor<32x512x1x784xf32>
    %2 = fuse.reduce sum %1 dims [0, 2, 3] : tensor<32x512x1x784xf32> -> tensor<512xf32>
    fuse.yield %1, %2 : tensor<32x512x1x784xf32>, tensor<512xf32>
  }
  return %0#0, %0#1 : tensor<32x512x1x784xf32>, tensor<512xf32>
}

// Pixels that arithmetic makes are in registers: mma.sync takes them from there.
// CHECK-LABEL: @made
// CHECK: block = [1, 128, 1, 128, 32, 1, 1], warps = 8, stages = 3, {{.*}}mma_sync
func.func @made(%x: tensor<32x256x1x784xf32>, %y: tensor<32x256x1x784xf32>, %w: tensor<512x256x1x1xf32>) -> tensor<32x512x1x784xf32> {
  %0 = fuse.kernel @made_k0 (%a = %x, %c = %y, %b = %w) : (tensor<32x256x1x784xf32>, tensor<32x256x1x784xf32>, tensor<512x256x1x1xf32>) -> tensor<32x512x1x784xf32> {
    %1 = fuse.mul %a, %c : tensor<32x256x1x784xf32>
    %2 = fuse.conv2d %1, %b precision tf32 {fuse.anchor} : (tensor<32x256x1x784xf32>, tensor<512x256x1x1xf32>) -> tensor<32x512x1x784xf32>
    fuse.yield %2 : tensor<32x512x1x784xf32>
  }
  return %0 : tensor<32x512x1x784xf32>
}
}
