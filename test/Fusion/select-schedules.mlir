// RUN: fuse-opt %s --split-input-file --fuse-select-schedules | FileCheck %s

module attributes {fuse.target = #fuse.target<arch = "sm_90a", units = 132, shared_memory = 232448, registers = 65536, dram = 4270, fp32 = 51000, tensor = 410000>} {

// Channels against pixels; windows divide the tile. Sums of one step that are pooled
// at once stay with four warps, and tiles share the weights.
// CHECK-LABEL: @conv
// CHECK: block = [1, 64, 4, 64, 8, 3, 3], warps = 4, stages = 1, cluster = 1, mma = wgmma, splits = 1, tiles = 8
func.func @conv(%x: tensor<128x8x256x256xf32>, %w: tensor<64x8x3x3xf32>) -> tensor<128x64x63x63xf32> {
  %0 = fuse.kernel @k (%a = %x, %b = %w) : (tensor<128x8x256x256xf32>, tensor<64x8x3x3xf32>) -> tensor<128x64x63x63xf32> {
    %c = fuse.conv2d %a, %b {fuse.anchor} : (tensor<128x8x256x256xf32>, tensor<64x8x3x3xf32>) -> tensor<128x64x254x254xf32>
    %p = fuse.window_reduce max %c window [4, 4] stride [4, 4] : tensor<128x64x254x254xf32> -> tensor<128x64x63x63xf32>
    fuse.yield %p : tensor<128x64x63x63xf32>
  }
  return %0 : tensor<128x64x63x63xf32>
}

// Three channels multiply as eight.
// CHECK-LABEL: @shallow
// CHECK: block = [1, 32, {{[0-9]+}}, {{[0-9]+}}, 8, 3, 3]{{.*}}mma_sync
func.func @shallow(%x: tensor<2x3x64x64xf32>, %w: tensor<32x3x3x3xf32>) -> tensor<2x32x62x62xf32> {
  %0 = fuse.kernel @k (%a = %x, %b = %w) : (tensor<2x3x64x64xf32>, tensor<32x3x3x3xf32>) -> tensor<2x32x62x62xf32> {
    %c = fuse.conv2d %a, %b {fuse.anchor} : (tensor<2x3x64x64xf32>, tensor<32x3x3x3xf32>) -> tensor<2x32x62x62xf32>
    fuse.yield %c : tensor<2x32x62x62xf32>
  }
  return %0 : tensor<2x32x62x62xf32>
}

// Nine residue classes of a tile of a power of two, which share weights: the warps
// are a power of two all the same.
// CHECK-LABEL: @thirds
// CHECK: block = [1, 64, {{[0-9]+}}, {{[0-9]+}}, 32, 3, 3], warps = {{2|4|8|16}}, {{.*}}tiles = {{[2-9]}}
func.func @thirds(%x: tensor<8x24x128x28xf32>, %w: tensor<24x96x3x3xf32>) -> tensor<8x96x382x82xf32> {
  %0 = fuse.kernel @k (%a = %x, %b = %w) : (tensor<8x24x128x28xf32>, tensor<24x96x3x3xf32>) -> tensor<8x96x382x82xf32> {
    %c = fuse.conv_transpose2d %a, %b stride [3, 3] padding [1, 1] {fuse.anchor} : (tensor<8x24x128x28xf32>, tensor<24x96x3x3xf32>) -> tensor<8x96x382x82xf32>
    fuse.yield %c : tensor<8x96x382x82xf32>
  }
  return %0 : tensor<8x96x382x82xf32>
}

// A weight gradient of three channels has sums for eight, which the unit multiplies
// at once anyway. With so few sums a step takes pairs of rows.
// CHECK-LABEL: @shallow_gradient
// CHECK: block = [32, 8, 3, 3, 1, 2, 32], warps = {{4|8}},{{.*}}mma_sync
func.func @shallow_gradient(%x: tensor<64x3x192x192xf32>, %dz: tensor<64x32x190x190xf32>) -> tensor<32x3x3x3xf32> {
  %0 = fuse.kernel @k (%a = %x, %b = %dz) : (tensor<64x3x192x192xf32>, tensor<64x32x190x190xf32>) -> tensor<32x3x3x3xf32> {
    %g = fuse.conv2d_weight_grad %a, %b kernel [3, 3] {fuse.anchor} : (tensor<64x3x192x192xf32>, tensor<64x32x190x190xf32>) -> tensor<32x3x3x3xf32>
    fuse.yield %g : tensor<32x3x3x3xf32>
  }
  return %0 : tensor<32x3x3x3xf32>
}

// Eight channels: four pieces of 16 x 8 sums, and two rows of pixels, for eight warps.
// CHECK-LABEL: @few_sums
// CHECK: block = [64, 8, 3, 3, 1, 2, 32], warps = 8, {{.*}}mma_sync
func.func @few_sums(%x: tensor<128x8x128x128xf32>, %dz: tensor<128x64x126x126xf32>) -> tensor<64x8x3x3xf32> {
  %0 = fuse.kernel @k (%a = %x, %b = %dz) : (tensor<128x8x128x128xf32>, tensor<128x64x126x126xf32>) -> tensor<64x8x3x3xf32> {
    %g = fuse.conv2d_weight_grad %a, %b kernel [3, 3] {fuse.anchor} : (tensor<128x8x128x128xf32>, tensor<128x64x126x126xf32>) -> tensor<64x8x3x3xf32>
    fuse.yield %g : tensor<64x8x3x3xf32>
  }
  return %0 : tensor<64x8x3x3xf32>
}

// Instances share the pixels of small images too, instead of tiles that read
// everything again.
// CHECK-LABEL: @small_images
// CHECK: block = [{{16|32}}, 32, 5, 5, 1, 1, 16]{{.*}}mma_sync, splits = {{[2-9]|[1-9][0-9]}}>
func.func @small_images(%x: tensor<16x64x119x119xf32>, %dz: tensor<16x32x40x40xf32>) -> tensor<32x64x5x5xf32> {
  %0 = fuse.kernel @k (%a = %x, %b = %dz) : (tensor<16x64x119x119xf32>, tensor<16x32x40x40xf32>) -> tensor<32x64x5x5xf32> {
    %g = fuse.conv2d_weight_grad %a, %b kernel [5, 5] stride [3, 3] padding [2, 2] {fuse.anchor} : (tensor<16x64x119x119xf32>, tensor<16x32x40x40xf32>) -> tensor<32x64x5x5xf32>
    fuse.yield %g : tensor<32x64x5x5xf32>
  }
  return %0 : tensor<32x64x5x5xf32>
}

// Both operands lie along the reduction: warpgroups multiply.
// CHECK-LABEL: @transposed_product
// CHECK: block = [128, 128, 32], warps = 8, stages = 3, cluster = 1, mma = wgmma
func.func @transposed_product(%x: tensor<4096x512xf32>, %w: tensor<1000x512xf32>) -> tensor<4096x1000xf32> {
  %0 = fuse.kernel @k (%a = %x, %b = %w) : (tensor<4096x512xf32>, tensor<1000x512xf32>) -> tensor<4096x1000xf32> {
    %c = fuse.matmul %a, %b transpose_b {fuse.anchor} : (tensor<4096x512xf32>, tensor<1000x512xf32>) -> tensor<4096x1000xf32>
    fuse.yield %c : tensor<4096x1000xf32>
  }
  return %0 : tensor<4096x1000xf32>
}

// One lies across it: transposed on its way to shared memory. There are tiles enough
// for all multiprocessors, so none shares its reduction.
// CHECK-LABEL: @product
// CHECK: block = [128, 128, 32], warps = 8, stages = 3, cluster = 1, mma = wgmma, splits = 1
func.func @product(%x: tensor<4096x512xf32>, %w: tensor<512x1000xf32>) -> tensor<4096x1000xf32> {
  %0 = fuse.kernel @k (%a = %x, %b = %w) : (tensor<4096x512xf32>, tensor<512x1000xf32>) -> tensor<4096x1000xf32> {
    %c = fuse.matmul %a, %b {fuse.anchor} : (tensor<4096x512xf32>, tensor<512x1000xf32>) -> tensor<4096x1000xf32>
    fuse.yield %c : tensor<4096x1000xf32>
  }
  return %0 : tensor<4096x1000xf32>
}

// A small product is cut smaller, so that every multiprocessor has a tile.
// CHECK-LABEL: @small_product
// CHECK: block = [64, 128, 32]
func.func @small_product(%x: tensor<1024x512xf32>, %w: tensor<512x1000xf32>) -> tensor<1024x1000xf32> {
  %0 = fuse.kernel @k (%a = %x, %b = %w) : (tensor<1024x512xf32>, tensor<512x1000xf32>) -> tensor<1024x1000xf32> {
    %c = fuse.matmul %a, %b {fuse.anchor} : (tensor<1024x512xf32>, tensor<512x1000xf32>) -> tensor<1024x1000xf32>
    fuse.yield %c : tensor<1024x1000xf32>
  }
  return %0 : tensor<1024x1000xf32>
}

// Doubles have no place in the matrix unit.
// CHECK-LABEL: @doubles
// CHECK: mma = fma
func.func @doubles(%x: tensor<64x64xf64>, %w: tensor<64x64xf64>) -> tensor<64x64xf64> {
  %0 = fuse.kernel @k (%a = %x, %b = %w) : (tensor<64x64xf64>, tensor<64x64xf64>) -> tensor<64x64xf64> {
    %c = fuse.matmul %a, %b {fuse.anchor} : (tensor<64x64xf64>, tensor<64x64xf64>) -> tensor<64x64xf64>
    fuse.yield %c : tensor<64x64xf64>
  }
  return %0 : tensor<64x64xf64>
}

// The tile holds the 100 elements of a row, rounded up, whole.
// CHECK-LABEL: @softmax
// CHECK: block = [{{[0-9]+}}, 128]
func.func @softmax(%x: tensor<1000x100xf32>) -> tensor<1000x100xf32> {
  %0 = fuse.kernel @k (%a = %x) : (tensor<1000x100xf32>) -> tensor<1000x100xf32> {
    %m = fuse.reduce max %a dims [1] keepdims : tensor<1000x100xf32> -> tensor<1000x1xf32>
    %d = fuse.sub %a, %m : (tensor<1000x100xf32>, tensor<1000x1xf32>) -> tensor<1000x100xf32>
    fuse.yield %d : tensor<1000x100xf32>
  }
  return %0 : tensor<1000x100xf32>
}

// A schedule that is there stays.
// CHECK-LABEL: @given
// CHECK: block = [512], warps = 2,
func.func @given(%x: tensor<1000xf32>) -> tensor<1000xf32> {
  %0 = fuse.kernel @k (%a = %x) : (tensor<1000xf32>) -> tensor<1000xf32> schedule(#fuse.schedule<block = [512], warps = 2, stages = 1, cluster = 1, mma = fma, splits = 1>) {
    %m = fuse.tanh %a : tensor<1000xf32>
    fuse.yield %m : tensor<1000xf32>
  }
  return %0 : tensor<1000xf32>
}
}

// -----

module attributes {fuse.target = #fuse.target<arch = "cpu", units = 16, shared_memory = 1048576, registers = 32, dram = 100, fp32 = 1000, tensor = 1000>} {
// 254 columns in even pieces; nothing need be a power of two.
// CHECK-LABEL: @conv
// CHECK: block = [1, 64, 4, 64, 8, 3, 3], warps = 1
func.func @conv(%x: tensor<2x8x256x256xf32>, %w: tensor<64x8x3x3xf32>) -> tensor<2x64x254x254xf32> {
  %0 = fuse.kernel @k (%a = %x, %b = %w) : (tensor<2x8x256x256xf32>, tensor<64x8x3x3xf32>) -> tensor<2x64x254x254xf32> {
    %c = fuse.conv2d %a, %b {fuse.anchor} : (tensor<2x8x256x256xf32>, tensor<64x8x3x3xf32>) -> tensor<2x64x254x254xf32>
    fuse.yield %c : tensor<2x64x254x254xf32>
  }
  return %0 : tensor<2x64x254x254xf32>
}
}

// -----

// Residue classes are instances. The weights of one, for the whole reduction, fill
// most of shared memory: each instance computes several tiles with them, by as
// many warps as two instances have elsewhere.
// CHECK-LABEL: @transposed
// CHECK: block = [{{.*}}, 64, 4, 4], warps = 16, {{.*}}, tiles = {{[0-9]+}}>
module attributes {fuse.target = #fuse.target<arch = "sm_90a", units = 132, shared_memory = 232448, registers = 65536, dram = 4270, fp32 = 51000, tensor = 410000>} {
  func.func @transposed(%x: tensor<128x64x64x64xf32>, %w: tensor<64x128x4x4xf32>) -> tensor<128x129x129xf32> {
    %0 = fuse.kernel @k0 (%a = %x, %b = %w) : (tensor<128x64x64x64xf32>, tensor<64x128x4x4xf32>) -> tensor<128x129x129xf32> {
      %1 = fuse.conv_transpose2d %a, %b stride [2, 2] padding [1, 1] output_padding [1, 1] {fuse.anchor} : (tensor<128x64x64x64xf32>, tensor<64x128x4x4xf32>) -> tensor<128x128x129x129xf32>
      %2 = fuse.reduce max %1 dims [1] : tensor<128x128x129x129xf32> -> tensor<128x129x129xf32>
      fuse.yield %2 : tensor<128x129x129xf32>
    }
    return %0 : tensor<128x129x129xf32>
  }
}

// -----

// 48 channels are no whole step of a power of two: instances of one tile.
// CHECK-LABEL: @transposed_narrow
// CHECK: block = [1, 64, {{.*}} splits = 1>
module attributes {fuse.target = #fuse.target<arch = "sm_90a", units = 132, shared_memory = 232448, registers = 65536, dram = 4270, fp32 = 51000, tensor = 410000>} {
  func.func @transposed_narrow(%x: tensor<32x48x40x40xf32>, %w: tensor<48x96x4x4xf32>) -> tensor<32x96x80x80xf32> {
    %0 = fuse.kernel @k0 (%a = %x, %b = %w) : (tensor<32x48x40x40xf32>, tensor<48x96x4x4xf32>) -> tensor<32x96x80x80xf32> {
      %1 = fuse.conv_transpose2d %a, %b stride [2, 2] padding [1, 1] {fuse.anchor} : (tensor<32x48x40x40xf32>, tensor<48x96x4x4xf32>) -> tensor<32x96x80x80xf32>
      fuse.yield %1 : tensor<32x96x80x80xf32>
    }
    return %0 : tensor<32x96x80x80xf32>
  }
}

// -----

// The input gradient of a convolution with 3 input channels: taps read each row 9
// times, so that the matrix unit pays even with 3 of its 8 columns.
// CHECK-LABEL: func.func @few_columns
// CHECK: block = [1, 8, {{.*}}, 3, 3]{{.*}}mma_sync
module attributes {fuse.target = #fuse.target<arch = "sm_90a", units = 132, shared_memory = 232448, registers = 65536, dram = 4270, fp32 = 51000, tensor = 410000>} {
func.func @few_columns(%dz: tensor<64x32x190x190xf32>, %w: tensor<32x3x3x3xf32>) -> tensor<64x3x192x192xf32> {
  %0 = fuse.kernel @k (%a = %dz, %b = %w) : (tensor<64x32x190x190xf32>, tensor<32x3x3x3xf32>) -> tensor<64x3x192x192xf32> {
    %1 = fuse.conv_transpose2d %a, %b {fuse.anchor} : (tensor<64x32x190x190xf32>, tensor<32x3x3x3xf32>) -> tensor<64x3x192x192xf32>
    fuse.yield %1 : tensor<64x3x192x192xf32>
  }
  return %0 : tensor<64x3x192x192xf32>
}
}

// -----

// Arithmetic on an operand: half the sums a thread, and as such an instance has a
// multiprocessor for itself, all of its shared memory for a step.
// CHECK-LABEL: func.func @computed
// CHECK: block = [1, 64, 8, 32, 16, 3, 3], warps = 16, {{.*}}wgmma
// Three taps leave room for both classes of a row side by side; weights are most of
// what a step fetches then, and with arithmetic twice the rows share them.
// CHECK: block = [1, 64, 8, 64, 16, 3, 3], warps = 8, {{.*}}wgmma
// CHECK: block = [1, 64, 16, 64, 16, 3, 3], warps = 16, {{.*}}wgmma
// Two classes of 3 channels are 8 columns; arithmetic on few elements a thread.
// CHECK: block = [1, 4, 32, 32, 8, 7, 7], warps = 4, {{.*}}mma_sync
module attributes {fuse.target = #fuse.target<arch = "sm_90a", units = 132, shared_memory = 232448, registers = 65536, dram = 4270, fp32 = 51000, tensor = 410000>} {
func.func @computed(%dy: tensor<64x64x254x254xf32>, %z: tensor<64x64x254x254xf32>, %w: tensor<64x64x3x3xf32>, %dz: tensor<64x128x64x64xf32>, %v: tensor<128x64x3x3xf32>, %e: tensor<64x64x112x112xf32>, %u: tensor<64x3x7x7xf32>) -> (tensor<64x64x256x256xf32>, tensor<64x64x128x128xf32>, tensor<64x64x128x128xf32>, tensor<64x3x224x224xf32>) {
  %0 = fuse.kernel @k (%a = %dy, %b = %z, %c = %w) : (tensor<64x64x254x254xf32>, tensor<64x64x254x254xf32>, tensor<64x64x3x3xf32>) -> tensor<64x64x256x256xf32> {
    %1 = fuse.tanh %b : tensor<64x64x254x254xf32>
    %2 = fuse.mul %a, %1 : tensor<64x64x254x254xf32>
    %3 = fuse.conv_transpose2d %2, %c {fuse.anchor} : (tensor<64x64x254x254xf32>, tensor<64x64x3x3xf32>) -> tensor<64x64x256x256xf32>
    fuse.yield %3 : tensor<64x64x256x256xf32>
  }
  %4 = fuse.kernel @l (%a = %dz, %b = %v) : (tensor<64x128x64x64xf32>, tensor<128x64x3x3xf32>) -> tensor<64x64x128x128xf32> {
    %5 = fuse.conv_transpose2d %a, %b stride [2, 2] padding [1, 1] output_padding [1, 1] {fuse.anchor} : (tensor<64x128x64x64xf32>, tensor<128x64x3x3xf32>) -> tensor<64x64x128x128xf32>
    fuse.yield %5 : tensor<64x64x128x128xf32>
  }
  %6 = fuse.kernel @m (%a = %dz, %b = %v) : (tensor<64x128x64x64xf32>, tensor<128x64x3x3xf32>) -> tensor<64x64x128x128xf32> {
    %7 = fuse.tanh %a : tensor<64x128x64x64xf32>
    %8 = fuse.conv_transpose2d %7, %b stride [2, 2] padding [1, 1] output_padding [1, 1] {fuse.anchor} : (tensor<64x128x64x64xf32>, tensor<128x64x3x3xf32>) -> tensor<64x64x128x128xf32>
    fuse.yield %8 : tensor<64x64x128x128xf32>
  }
  %9 = fuse.kernel @n (%a = %e, %b = %u) : (tensor<64x64x112x112xf32>, tensor<64x3x7x7xf32>) -> tensor<64x3x224x224xf32> {
    %10 = fuse.tanh %a : tensor<64x64x112x112xf32>
    %11 = fuse.conv_transpose2d %10, %b stride [2, 2] padding [3, 3] output_padding [1, 1] {fuse.anchor} : (tensor<64x64x112x112xf32>, tensor<64x3x7x7xf32>) -> tensor<64x3x224x224xf32>
    fuse.yield %11 : tensor<64x3x224x224xf32>
  }
  return %0, %4, %6, %9 : tensor<64x64x256x256xf32>, tensor<64x64x128x128xf32>, tensor<64x64x128x128xf32>, tensor<64x3x224x224xf32>
}
}
