// RUN: fuse-opt %s --fuse-tile-kernels | FileCheck %s
// RUN: %fuse-compile %s --entry=main --emit=ptx -o %t.ptx
// RUN: fuse-opt %s --fuse-to-ptx=stop-after=layouts | FileCheck %s --check-prefix=ROWS
// RUN: %python %S/../TileToNVVM/emulator/check.py joined-classes %t.ptx

// Both classes of a row are columns of one product: taps kx and kx + 1 multiply the
// same elements of x. What they make lies side by side and is stored so; rows two
// apart are another instance. Each channel's columns of one class follow each other.
// CHECK-LABEL: tile.func @conv
// CHECK: scf.for
// CHECK: %[[X:.*]] = tile.load %arg0[{{.*}}] : <2x16x9x20xf32> -> tensor<1x8x5x20xf32>
// CHECK: %[[W:.*]] = tile.load %arg1[{{.*}}] {steps = array<i64: 1, 1, 2, 1>} : <16x32x4x4xf32> -> tensor<8x32x2x4xf32>
// CHECK: tile.window %[[W]] [0, 0, 0, 0] strides [1, 1, 1, 1] : tensor<8x32x2x4xf32> -> tensor<8x32x1x2xf32>
// CHECK: %[[BOTH:.*]] = tile.trans %{{.*}} [2, 0, 1] : tensor<8x32x2xf32> -> tensor<2x8x32xf32>
// CHECK: tile.dot %[[BOTH]], {{.*}} : tensor<2x8x32xf32>, tensor<8x4x16xf32> -> tensor<2x32x4x16xf32>
// CHECK: tile.window %[[W]] [0, 0, 0, 2] strides [1, 1, 1, 1]
// CHECK-COUNT-3: tile.dot
// CHECK-NOT: tile.dot
// CHECK: tile.trans %{{.*}} [1, 2, 3, 0] : tensor<2x32x4x16xf32> -> tensor<32x4x16x2xf32>
// CHECK: tile.store {{.*}} {steps = array<i64: 1, 1, 2, 1>} : tensor<1x32x4x32xf32>, <2x32x19x41xf32>

// Sums of one class leave gaps between neighbouring lanes: rows go through shared
// memory.
// ROWS-LABEL: tile.func @conv
// ROWS: %[[TILE:.*]] = tile.alloc_shared : <1x32x4x32xf32
// ROWS: tile.copy_to_shared %{{.*}}, %[[TILE]]
// ROWS: %[[OUT:.*]] = tile.load_shared %[[TILE]]
// ROWS: tile.store %[[OUT]]

// Rows of 64 elements, the first class one element early, would take one more tile:
// an instance a class.
// CHECK-LABEL: tile.func @even
// CHECK: tile.store {{.*}} {steps = array<i64: 1, 1, 2, 2>}

// Three taps: the first class has one in front of them instead, which is zero.
// CHECK-LABEL: tile.func @odd
// CHECK: tile.load %arg1[{{.*}}, %c-1{{[_0-9]*}}] {steps = array<i64: 1, 1, 2, 1>} : <16x32x3x3xf32> -> tensor<8x32x2x4xf32>
// CHECK: tile.store {{.*}} {steps = array<i64: 1, 1, 2, 1>}
module attributes {fuse.target = #fuse.target<arch = "sm_90a", units = 132, shared_memory = 232448, registers = 65536, dram = 4270, fp32 = 51000, tensor = 410000>} {
func.func @main(%x: tensor<2x16x9x20xf32>, %w: tensor<16x32x4x4xf32>) -> tensor<2x32x19x41xf32> {
  %y = fuse.kernel @conv (%a = %x, %c = %w) : (tensor<2x16x9x20xf32>, tensor<16x32x4x4xf32>) -> tensor<2x32x19x41xf32>
      schedule(#fuse.schedule<block = [1, 32, 8, 32, 8, 4, 4], warps = 4, stages = 2, cluster = 1, mma = wgmma, splits = 1>) {
    %t = fuse.conv_transpose2d %a, %c stride [2, 2] padding [1, 1] output_padding [1, 1] {fuse.anchor} : (tensor<2x16x9x20xf32>, tensor<16x32x4x4xf32>) -> tensor<2x32x19x41xf32>
    %m = fuse.reduce max %t dims [1] keepdims : tensor<2x32x19x41xf32> -> tensor<2x1x19x41xf32>
    %d = fuse.sub %t, %m : (tensor<2x32x19x41xf32>, tensor<2x1x19x41xf32>) -> tensor<2x32x19x41xf32>
    fuse.yield %d : tensor<2x32x19x41xf32>
  }
  return %y : tensor<2x32x19x41xf32>
}
func.func @other(%x: tensor<2x16x9x32xf32>, %w: tensor<16x32x4x4xf32>) -> tensor<2x32x18x64xf32> {
  %y = fuse.kernel @even (%a = %x, %c = %w) : (tensor<2x16x9x32xf32>, tensor<16x32x4x4xf32>) -> tensor<2x32x18x64xf32>
      schedule(#fuse.schedule<block = [1, 32, 8, 32, 8, 4, 4], warps = 4, stages = 2, cluster = 1, mma = wgmma, splits = 1>) {
    %t = fuse.conv_transpose2d %a, %c stride [2, 2] padding [1, 1] {fuse.anchor} : (tensor<2x16x9x32xf32>, tensor<16x32x4x4xf32>) -> tensor<2x32x18x64xf32>
    fuse.yield %t : tensor<2x32x18x64xf32>
  }
  return %y : tensor<2x32x18x64xf32>
}
func.func @third(%x: tensor<2x16x9x32xf32>, %w: tensor<16x32x3x3xf32>) -> tensor<2x32x18x64xf32> {
  %y = fuse.kernel @odd (%a = %x, %c = %w) : (tensor<2x16x9x32xf32>, tensor<16x32x3x3xf32>) -> tensor<2x32x18x64xf32>
      schedule(#fuse.schedule<block = [1, 32, 8, 32, 8, 3, 3], warps = 4, stages = 2, cluster = 1, mma = wgmma, splits = 1>) {
    %t = fuse.conv_transpose2d %a, %c stride [2, 2] padding [1, 1] output_padding [1, 1] {fuse.anchor} : (tensor<2x16x9x32xf32>, tensor<16x32x3x3xf32>) -> tensor<2x32x18x64xf32>
    fuse.yield %t : tensor<2x32x18x64xf32>
  }
  return %y : tensor<2x32x18x64xf32>
}
}
