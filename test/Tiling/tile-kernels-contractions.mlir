// RUN: fuse-opt %s --split-input-file --fuse-tile-kernels | FileCheck %s

// A prologue on a padded operand: outside the image is zero, not exp(0).

// CHECK-LABEL: tile.func @prologue_k0(
// CHECK:         %[[P:.*]] = tile.load {{.*}} -> tensor<1x4x10x10xf32>
// CHECK:         %[[E:.*]] = math.exp %[[P]]
// CHECK:         %[[Z:.*]] = arith.select %{{.*}}, %[[E]], %{{.*}} : tensor<1x4x10x10xi1>, tensor<1x4x10x10xf32>
// CHECK:         tile.window %[[Z]] [0, 0, 0, 0]
func.func @prologue(%x: tensor<2x4x16x16xf32>, %w: tensor<8x4x3x3xf32>) -> tensor<2x8x16x16xf32> {
  %y = fuse.kernel @prologue_k0 (%a = %x, %c = %w) : (tensor<2x4x16x16xf32>, tensor<8x4x3x3xf32>) -> tensor<2x8x16x16xf32>
      schedule(#fuse.schedule<block = [1, 8, 8, 8, 4, 3, 3], warps = 4, stages = 1, cluster = 1, mma = fma, splits = 1>) {
    %e = fuse.exp %a : tensor<2x4x16x16xf32>
    %t = fuse.conv2d %e, %c padding [1, 1] {fuse.anchor} : (tensor<2x4x16x16xf32>, tensor<8x4x3x3xf32>) -> tensor<2x8x16x16xf32>
    fuse.yield %t : tensor<2x8x16x16xf32>
  }
  return %y : tensor<2x8x16x16xf32>
}

// -----

// The four residue classes are neighbouring instances of one code of 2 x 2 taps:
// weights are a view that starts at the class's first tap and steps by 2, results
// are stored with steps.

// CHECK-LABEL: tile.func @transposed_k0(
// CHECK-SAME:    grid [48]
// CHECK:         %[[PID:.*]] = tile.program_id 0
// CHECK:         %[[S:.*]] = arith.remui %[[PID]], %c2
// CHECK:         %[[REST:.*]] = arith.divui %[[PID]], %c2
// CHECK:         %[[R:.*]] = arith.remui %[[REST]], %c2
// CHECK:         tile.load %arg1[%{{.*}}, %c0, %[[R]], %[[S]]] {steps = array<i64: 1, 1, 2, 2>} : {{.*}} -> tensor<4x12x2x2xf32>
// CHECK-COUNT-4: tile.dot {{.*}} -> tensor<12x2x4xf32>
// CHECK-NOT:     tile.dot
// CHECK:         tile.store {{.*}} {steps = array<i64: 1, 1, 2, 2>} : tensor<1x12x2x4xf32>
// CHECK-NOT:     tile.store
// CHECK-NOT:     tile.insert_window
func.func @transposed(%x: tensor<2x8x5x6xf32>, %w: tensor<8x12x4x4xf32>) -> tensor<2x12x11x13xf32> {
  %y = fuse.kernel @transposed_k0 (%a = %x, %c = %w) : (tensor<2x8x5x6xf32>, tensor<8x12x4x4xf32>) -> tensor<2x12x11x13xf32>
      schedule(#fuse.schedule<block = [1, 12, 4, 8, 4, 4, 4], warps = 8, stages = 2, cluster = 1, mma = fma, splits = 1>) {
    %t = fuse.conv_transpose2d %a, %c stride [2, 2] padding [1, 1] output_padding [1, 1] {fuse.anchor} : (tensor<2x8x5x6xf32>, tensor<8x12x4x4xf32>) -> tensor<2x12x11x13xf32>
    fuse.yield %t : tensor<2x12x11x13xf32>
  }
  return %y : tensor<2x12x11x13xf32>
}

// -----

// Classes of 3 taps by 2 have 2 taps or 1: the second is skipped where there is
// none. Two tiles an instance share the weights.

// CHECK-LABEL: tile.func @uneven_k0(
// CHECK:         tile.load %arg1[{{.*}} -> tensor<8x16x2x1xf32>
// CHECK:         scf.for
// CHECK-NOT:       tile.load %arg1
// CHECK:           %[[FIRST:.*]] = tile.dot
// CHECK:           %[[HAS:.*]] = arith.cmpi ult
// CHECK:           scf.if %[[HAS]] -> (tensor<16x4x8xf32>) {
// CHECK:             tile.dot {{.*}}, %[[FIRST]]
// CHECK:           } else {
// CHECK:             scf.yield %[[FIRST]]
// CHECK:           tile.store
func.func @uneven(%x: tensor<4x8x5x6xf32>, %w: tensor<8x16x3x1xf32>) -> tensor<4x16x11x6xf32> {
  %y = fuse.kernel @uneven_k0 (%a = %x, %c = %w) : (tensor<4x8x5x6xf32>, tensor<8x16x3x1xf32>) -> tensor<4x16x11x6xf32>
      schedule(#fuse.schedule<block = [1, 16, 8, 8, 8, 3, 1], warps = 4, stages = 1, cluster = 1, mma = fma, splits = 1, tiles = 2>) {
    %t = fuse.conv_transpose2d %a, %c stride [2, 1] {fuse.anchor} : (tensor<4x8x5x6xf32>, tensor<8x16x3x1xf32>) -> tensor<4x16x11x6xf32>
    fuse.yield %t : tensor<4x16x11x6xf32>
  }
  return %y : tensor<4x16x11x6xf32>
}

// -----

// A weight gradient: one accumulator per tap, all fed from one patch in one loop.

// CHECK-LABEL: tile.func @weight_grad_k0(
// CHECK:         %[[SUMS:.*]]:9 = scf.for
// CHECK:           tile.load {{.*}} -> tensor<1x4x10x10xf32>
// CHECK-COUNT-9:   tile.dot {{.*}} lhs_contract {{.*}} -> tensor<8x4xf32>
// CHECK:         }
// CHECK-NOT:     scf.for
// CHECK-COUNT-9: tile.store {{.*}} : tensor<8x4x1x1xf32>
func.func @weight_grad(%x: tensor<2x4x10x10xf32>, %dy: tensor<2x8x8x8xf32>) -> tensor<8x4x3x3xf32> {
  %y = fuse.kernel @weight_grad_k0 (%a = %x, %c = %dy) : (tensor<2x4x10x10xf32>, tensor<2x8x8x8xf32>) -> tensor<8x4x3x3xf32>
      schedule(#fuse.schedule<block = [8, 4, 3, 3, 1, 8, 8], warps = 4, stages = 1, cluster = 1, mma = fma, splits = 1>) {
    %t = fuse.conv2d_weight_grad %a, %c kernel [3, 3] {fuse.anchor} : (tensor<2x4x10x10xf32>, tensor<2x8x8x8xf32>) -> tensor<8x4x3x3xf32>
    fuse.yield %t : tensor<8x4x3x3xf32>
  }
  return %y : tensor<8x4x3x3xf32>
}

// -----

// A ragged split of K: partial sums, then a finish with the epilogue.

// CHECK-LABEL: func.func @split(
// CHECK:         %[[PARTS:.*]] = tile.alloc : <3x16x16xf32>
// CHECK:         tile.launch @split_k0 {{.*}} outs(%[[PARTS]]
// CHECK:         tile.launch @split_k0_finish ins(%[[PARTS]] {{.*}} finish
// CHECK-LABEL: tile.func @split_k0(
// CHECK-NOT:     math.tanh
// CHECK-LABEL: tile.func @split_k0_finish(
// CHECK:         tile.reduce({{.*}}) dims [0]
// CHECK:         math.tanh
func.func @split(%x: tensor<16x100xf32>, %w: tensor<100x16xf32>) -> tensor<16x16xf32> {
  %y = fuse.kernel @split_k0 (%a = %x, %c = %w) : (tensor<16x100xf32>, tensor<100x16xf32>) -> tensor<16x16xf32>
      schedule(#fuse.schedule<block = [8, 8, 8], warps = 4, stages = 1, cluster = 1, mma = fma, splits = 3>) {
    %t = fuse.matmul %a, %c {fuse.anchor} : (tensor<16x100xf32>, tensor<100x16xf32>) -> tensor<16x16xf32>
    %u = fuse.tanh %t : tensor<16x16xf32>
    fuse.yield %u : tensor<16x16xf32>
  }
  return %y : tensor<16x16xf32>
}

// -----

// The 16 instances that share a weight gradient are more than its eight rows of steps,
// so each takes a row of one of the two images.

// CHECK-LABEL: func.func @split_rows(
// CHECK:         %[[PARTS:.*]] = tile.alloc : <16x8x4x3x3xf32>
// CHECK:         tile.launch @split_rows_k0 {{.*}} outs(%[[PARTS]]
// CHECK-LABEL: tile.func @split_rows_k0({{.*}} grid [16]
// CHECK:         %[[ID:.*]] = tile.program_id 0
// CHECK:         %[[IMAGE:.*]] = arith.remui %[[ID]], %{{.*}} : index
// CHECK:         %[[ROW:.*]] = arith.divui %[[ID]], %{{.*}} : index
// CHECK-NOT:     scf.for
// CHECK:         tile.load %{{.*}}[%[[IMAGE]], %{{.*}}, %[[ROW]], %{{.*}}]
func.func @split_rows(%x: tensor<2x4x10x10xf32>, %dz: tensor<2x8x8x8xf32>) -> tensor<8x4x3x3xf32> {
  %y = fuse.kernel @split_rows_k0 (%a = %x, %c = %dz) : (tensor<2x4x10x10xf32>, tensor<2x8x8x8xf32>) -> tensor<8x4x3x3xf32>
      schedule(#fuse.schedule<block = [8, 4, 3, 3, 1, 1, 8], warps = 4, stages = 1, cluster = 1, mma = fma, splits = 16>) {
    %t = fuse.conv2d_weight_grad %a, %c kernel [3, 3] {fuse.anchor} : (tensor<2x4x10x10xf32>, tensor<2x8x8x8xf32>) -> tensor<8x4x3x3xf32>
    fuse.yield %t : tensor<8x4x3x3xf32>
  }
  return %y : tensor<8x4x3x3xf32>
}

// -----

// A weight gradient of 8 channels has four pieces of 16 x 8 sums for eight warps, so
// each of four rows of pixels has sums of its own, added behind the loop.
// CHECK-LABEL: tile.func @few_channels_k
// CHECK: scf.for {{.*}} iter_args({{.*}}) -> (tensor<4x64x8xf32>
// CHECK: tile.dot {{.*}} lhs_contract [2] rhs_contract [2] batch [1] [1] {{.*}} : tensor<64x4x32xf32>, tensor<8x4x32xf32> -> tensor<4x64x8xf32>
// CHECK: scf.yield
// CHECK: tile.reduce{{.*}} dims [0] : (tensor<4x64x8xf32>) -> tensor<1x64x8xf32>
func.func @few_channels(%x: tensor<2x8x44x48xf32>, %dz: tensor<2x64x42x46xf32>) -> tensor<64x8x3x3xf32> {
  %0 = fuse.kernel @few_channels_k (%a = %x, %c = %dz) : (tensor<2x8x44x48xf32>, tensor<2x64x42x46xf32>) -> tensor<64x8x3x3xf32>
      schedule(#fuse.schedule<block = [64, 8, 3, 3, 1, 4, 32], warps = 8, stages = 1, cluster = 1, mma = mma_sync, splits = 1>) {
    %g = fuse.conv2d_weight_grad %a, %c kernel [3, 3] {fuse.anchor} : (tensor<2x8x44x48xf32>, tensor<2x64x42x46xf32>) -> tensor<64x8x3x3xf32>
    fuse.yield %g : tensor<64x8x3x3xf32>
  }
  return %0 : tensor<64x8x3x3xf32>
}

// -----

// A schedule of more taps than there are makes no sums for them.
// CHECK-LABEL: tile.func @many_taps_k
// CHECK-COUNT-9: tile.dot
// CHECK-NOT: tile.dot
func.func @many_taps(%x: tensor<2x8x34x34xf32>, %dz: tensor<2x8x32x32xf32>) -> tensor<8x8x3x3xf32> {
  %0 = fuse.kernel @many_taps_k (%a = %x, %c = %dz) : (tensor<2x8x34x34xf32>, tensor<2x8x32x32xf32>) -> tensor<8x8x3x3xf32>
      schedule(#fuse.schedule<block = [8, 8, 64, 64, 1, 2, 32], warps = 4, stages = 1, cluster = 1, mma = mma_sync, splits = 1>) {
    %g = fuse.conv2d_weight_grad %a, %c kernel [3, 3] {fuse.anchor} : (tensor<2x8x34x34xf32>, tensor<2x8x32x32xf32>) -> tensor<8x8x3x3xf32>
    fuse.yield %g : tensor<8x8x3x3xf32>
  }
  return %0 : tensor<8x8x3x3xf32>
}
