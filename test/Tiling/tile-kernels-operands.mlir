// RUN: fuse-opt %s --split-input-file --fuse-tile-kernels | FileCheck %s

// A patch of the gradient of a pool: whole windows of pooled values, each spread
// over its window, with the taps as windows of the enlarged patch.

// CHECK-LABEL: tile.func @spread_k0(
// CHECK:         %[[DY:.*]] = tile.load {{.*}} -> tensor<1x16x3x5xf32>
// CHECK:         %[[R:.*]] = tile.reshape %[[DY]] : tensor<1x16x3x5xf32> -> tensor<1x16x3x1x5x1xf32>
// CHECK:         tile.broadcast %[[R]] : {{.*}} -> tensor<1x16x3x4x5x4xf32>
// CHECK:         arith.cmpi eq
// CHECK:         %[[P:.*]] = tile.reshape %{{.*}} : tensor<1x16x3x4x5x4xf32> -> tensor<1x16x12x20xf32>
// CHECK:         tile.window %{{.*}} [0, 0, 4, 4] {{.*}} : tensor<1x16x12x20xf32> -> tensor<1x16x8x16xf32>
// CHECK-COUNT-9: tile.dot
// CHECK-NOT:     scf.for
// CHECK:         tile.return
func.func @spread(%dy: tensor<2x16x9x9xf32>, %at: tensor<2x16x9x9xi8>, %w: tensor<16x8x3x3xf32>) -> tensor<2x8x40x40xf32> {
  %dx = fuse.kernel @spread_k0 (%a = %dy, %b = %at, %c = %w) : (tensor<2x16x9x9xf32>, tensor<2x16x9x9xi8>, tensor<16x8x3x3xf32>) -> tensor<2x8x40x40xf32>
      schedule(#fuse.schedule<block = [1, 8, 8, 16, 16, 3, 3], warps = 4, stages = 1, cluster = 1, mma = mma_sync, splits = 1>) {
    %dz = fuse.window_max_grad %a, %b input_size [38, 38] window [4, 4] stride [4, 4] : (tensor<2x16x9x9xf32>, tensor<2x16x9x9xi8>) -> tensor<2x16x38x38xf32>
    %t = fuse.conv_transpose2d %dz, %c {fuse.anchor} : (tensor<2x16x38x38xf32>, tensor<16x8x3x3xf32>) -> tensor<2x8x40x40xf32>
    fuse.yield %t : tensor<2x8x40x40xf32>
  }
  return %dx : tensor<2x8x40x40xf32>
}

// -----

// A convolution inside the weight gradient's step: its block is the operand.

// CHECK-LABEL: tile.func @nested_k0(
// CHECK:         scf.for
// CHECK-COUNT-3: tile.dot {{.*}} : tensor<16x8x3xf32>, tensor<8x3x32xf32> -> tensor<16x32xf32>
// CHECK:         %[[DZ:.*]] = arith.addf
// CHECK-COUNT-3: tile.dot {{.*}} -> tensor<16x8x3xf32>
func.func @nested(%x: tensor<2x8x18x34xf32>, %w: tensor<16x8x3x3xf32>, %dy: tensor<2x16x16x32xf32>) -> tensor<16x8x3x3xf32> {
  %dw = fuse.kernel @nested_k0 (%a = %x, %b = %w, %c = %dy) : (tensor<2x8x18x34xf32>, tensor<16x8x3x3xf32>, tensor<2x16x16x32xf32>) -> tensor<16x8x3x3xf32>
      schedule(#fuse.schedule<block = [16, 8, 3, 3, 1, 1, 32], warps = 4, stages = 1, cluster = 1, mma = mma_sync, splits = 1>) {
    %z = fuse.conv2d %a, %b : (tensor<2x8x18x34xf32>, tensor<16x8x3x3xf32>) -> tensor<2x16x16x32xf32>
    %dz = fuse.add %z, %c : tensor<2x16x16x32xf32>
    %t = fuse.conv2d_weight_grad %a, %dz kernel [3, 3] {fuse.anchor} : (tensor<2x8x18x34xf32>, tensor<2x16x16x32xf32>) -> tensor<16x8x3x3xf32>
    fuse.yield %t : tensor<16x8x3x3xf32>
  }
  return %dw : tensor<16x8x3x3xf32>
}

// -----

// The last step of a weight gradient's row is emitted by itself: only there are
// windows of the patch masked.

// CHECK-LABEL: tile.func @peeled_k0(
// CHECK:         scf.for
// CHECK:           scf.for
// CHECK-COUNT-2:     tile.dot
// CHECK-NOT:         arith.select
// CHECK:             scf.yield
// CHECK:           arith.select
func.func @peeled(%x: tensor<2x8x18x72xf32>, %dy: tensor<2x16x16x70xf32>) -> tensor<16x8x3x3xf32> {
  %dw = fuse.kernel @peeled_k0 (%a = %x, %c = %dy) : (tensor<2x8x18x72xf32>, tensor<2x16x16x70xf32>) -> tensor<16x8x3x3xf32>
      schedule(#fuse.schedule<block = [16, 8, 3, 3, 1, 1, 32], warps = 4, stages = 1, cluster = 1, mma = mma_sync, splits = 1>) {
    %t = fuse.conv2d_weight_grad %a, %c kernel [3, 3] {fuse.anchor} : (tensor<2x8x18x72xf32>, tensor<2x16x16x70xf32>) -> tensor<16x8x3x3xf32>
    fuse.yield %t : tensor<16x8x3x3xf32>
  }
  return %dw : tensor<16x8x3x3xf32>
}

// -----

// Where an operand is made, all steps of images and rows are one loop, so that the
// next row's is made ahead too. The last steps of rows come behind.

// CHECK-LABEL: tile.func @one_loop_k0(
// CHECK:         scf.for
// CHECK-NOT:       scf.for
// CHECK:           arith.remui
// CHECK-COUNT-3:   tile.dot
// CHECK:           scf.yield
// CHECK:         scf.for
// CHECK-NOT:       scf.for
// CHECK:           tile.return
func.func @one_loop(%x: tensor<2x8x18x72xf32>, %dy: tensor<2x16x16x70xf32>) -> tensor<16x8x3x3xf32> {
  %dw = fuse.kernel @one_loop_k0 (%a = %x, %c = %dy) : (tensor<2x8x18x72xf32>, tensor<2x16x16x70xf32>) -> tensor<16x8x3x3xf32>
      schedule(#fuse.schedule<block = [16, 8, 3, 3, 1, 1, 32], warps = 4, stages = 1, cluster = 1, mma = mma_sync, splits = 1>) {
    %d = fuse.mul %c, %c : tensor<2x16x16x70xf32>
    %t = fuse.conv2d_weight_grad %a, %d kernel [3, 3] {fuse.anchor} : (tensor<2x8x18x72xf32>, tensor<2x16x16x70xf32>) -> tensor<16x8x3x3xf32>
    fuse.yield %t : tensor<16x8x3x3xf32>
  }
  return %dw : tensor<16x8x3x3xf32>
}
