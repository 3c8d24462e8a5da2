// RUN: fuse-opt %s --fuse-tile-kernels | FileCheck %s

// Every filter column multiplies the same block of x, whose rows start at whole
// steps; the other operand is one patch from a column before to a column behind,
// read at shifts. Rows of a step are unrolled, rows of the filter stay columns of the
// product.
// CHECK-LABEL: tile.func @skewed
// CHECK: scf.for
// CHECK: %[[COLUMN:.*]] = arith.muli %{{.*}}, %c32
// CHECK: %[[X:.*]] = tile.load %arg0[{{.*}}, %[[COLUMN]]] : <2x16x12x64xf32> -> tensor<1x16x4x32xf32>
// CHECK: tile.window %[[X]] [0, 0, 0, 0] {{.*}} -> tensor<1x16x3x32xf32>
// CHECK: tile.load %arg1[{{.*}}] : <2x64x12x64xf32> -> tensor<1x64x2x40xf32>
// CHECK: tile.dot {{.*}} : tensor<64x32xf32>, tensor<16x3x32xf32> -> tensor<64x16x3xf32>
// CHECK: tile.window %[[X]] [0, 0, 1, 0] {{.*}} -> tensor<1x16x3x32xf32>
// CHECK-COUNT-5: tile.dot {{.*}} : tensor<64x32xf32>, tensor<16x3x32xf32> -> tensor<64x16x3xf32>
// CHECK-NOT: tile.dot

// A convolution sums over the shifts, and stays as it is.
// CHECK-LABEL: tile.func @plain
// CHECK-COUNT-9: tile.dot
// CHECK-NOT: tile.dot
module attributes {fuse.target = #fuse.target<arch = "sm_90a", units = 132, shared_memory = 232448, registers = 65536, dram = 4270, fp32 = 51000, tensor = 410000>} {
func.func @skew(%x: tensor<2x16x12x64xf32>, %dz: tensor<2x64x12x64xf32>) -> tensor<64x16x3x3xf32> {
  %0 = fuse.kernel @skewed (%a = %x, %b = %dz) : (tensor<2x16x12x64xf32>, tensor<2x64x12x64xf32>) -> tensor<64x16x3x3xf32> schedule(#fuse.schedule<block = [64, 16, 3, 3, 1, 2, 32], warps = 4, stages = 1, cluster = 1, mma = wgmma, splits = 1>) {
    %g = fuse.conv2d_weight_grad %a, %b kernel [3, 3] padding [1, 1] {fuse.anchor} : (tensor<2x16x12x64xf32>, tensor<2x64x12x64xf32>) -> tensor<64x16x3x3xf32>
    fuse.yield %g : tensor<64x16x3x3xf32>
  }
  return %0 : tensor<64x16x3x3xf32>
}
func.func @convolution(%x: tensor<2x8x34x66xf32>, %w: tensor<64x8x3x3xf32>) -> tensor<2x64x32x64xf32> {
  %0 = fuse.kernel @plain (%a = %x, %b = %w) : (tensor<2x8x34x66xf32>, tensor<64x8x3x3xf32>) -> tensor<2x64x32x64xf32> schedule(#fuse.schedule<block = [1, 64, 2, 32, 8, 3, 3], warps = 4, stages = 1, cluster = 1, mma = wgmma, splits = 1>) {
    %c = fuse.conv2d %a, %b {fuse.anchor} : (tensor<2x8x34x66xf32>, tensor<64x8x3x3xf32>) -> tensor<2x64x32x64xf32>
    fuse.yield %c : tensor<2x64x32x64xf32>
  }
  return %0 : tensor<2x64x32x64xf32>
}
}
