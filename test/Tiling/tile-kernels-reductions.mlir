// RUN: fuse-opt %s --split-input-file --fuse-tile-kernels | FileCheck %s

// Softmax over the channels of a tile that holds them all: rows past the end of
// the tile are masked out of the reductions, and nothing is transposed.

// CHECK-LABEL: tile.func @softmax_k0(
// CHECK:         %[[X:.*]] = tile.load {{.*}} -> tensor<1x16x32xf32>
// CHECK-NOT:     tile.trans
// CHECK:         arith.select {{.*}}, %[[X]]
// CHECK:         %[[M:.*]] = tile.reduce({{.*}}) dims [1] : (tensor<1x16x32xf32>) -> tensor<1x1x32xf32>
// CHECK:         arith.subf %[[X]]
// CHECK:         math.exp
// CHECK:         tile.reduce({{.*}}) dims [1]
// CHECK:         tile.store
module attributes {fuse.target = #fuse.target<arch = "sm_90a", units = 132, shared_memory = 232448, registers = 65536, dram = 4270, fp32 = 51000, tensor = 410000>} {
func.func @softmax(%x: tensor<2x12x100xf32>) -> tensor<2x12x100xf32> {
  %y = fuse.kernel @softmax_k0 (%a = %x) : (tensor<2x12x100xf32>) -> tensor<2x12x100xf32>
      schedule(#fuse.schedule<block = [1, 16, 32], warps = 4, stages = 1, cluster = 1, mma = fma, splits = 1>) {
    %m = fuse.reduce max %a dims [1] keepdims : tensor<2x12x100xf32> -> tensor<2x1x100xf32>
    %d = fuse.sub %a, %m : (tensor<2x12x100xf32>, tensor<2x1x100xf32>) -> tensor<2x12x100xf32>
    %e = fuse.exp %d : tensor<2x12x100xf32>
    %s = fuse.reduce sum %e dims [1] keepdims : tensor<2x12x100xf32> -> tensor<2x1x100xf32>
    %q = fuse.div %e, %s : (tensor<2x12x100xf32>, tensor<2x1x100xf32>) -> tensor<2x12x100xf32>
    fuse.yield %q : tensor<2x12x100xf32>
  }
  return %y : tensor<2x12x100xf32>
}
}

// -----

// Moments across tiles: partial states in memory, merged in order by a finish that
// also evaluates what follows from them.

// CHECK-LABEL: func.func @moments(
// CHECK-COUNT-3: tile.alloc : <12x6xf32>
// CHECK:         tile.launch @moments_k0
// CHECK:         tile.launch @moments_k0_finish {{.*}} finish {bytes = 936 : i64}
// CHECK-LABEL: tile.func @moments_k0(
// CHECK:         tile.dot
// CHECK:         tile.iota 3
// CHECK:         arith.cmpi slt
// CHECK:         tile.reduce({{.*}}) dims [2, 3]
// CHECK:         tile.store {{.*}} : tensor<1x4xf32>, <12x6xf32>
// CHECK-LABEL: tile.func @moments_k0_finish(
// CHECK:         tile.reduce({{.*}}) dims [0] : (tensor<12x6xf32>, tensor<12x6xf32>, tensor<12x6xf32>)
// CHECK:         tile.store {{.*}} : tensor<6xf32>, <6xf32>
// CHECK:         arith.mulf
// CHECK:         tile.store {{.*}} : tensor<6xf32>, <6xf32>
module attributes {fuse.target = #fuse.target<arch = "cpu", units = 2, shared_memory = 1048576, registers = 2048, dram = 100, fp32 = 1500, tensor = 1500>} {
func.func @moments(%x: tensor<2x8x10x12xf32>, %w: tensor<6x8x3x3xf32>, %v: tensor<6xf32>) -> (tensor<6xf32>, tensor<6xf32>) {
  %y:2 = fuse.kernel @moments_k0 (%a = %x, %c = %w, %d = %v) : (tensor<2x8x10x12xf32>, tensor<6x8x3x3xf32>, tensor<6xf32>) -> (tensor<6xf32>, tensor<6xf32>)
      schedule(#fuse.schedule<block = [1, 4, 4, 4, 8, 3, 3], warps = 8, stages = 2, cluster = 1, mma = fma, splits = 1>) {
    %t = fuse.conv2d %a, %c {fuse.anchor} : (tensor<2x8x10x12xf32>, tensor<6x8x3x3xf32>) -> tensor<2x6x8x10xf32>
    %m, %m2 = fuse.reduce moments %t dims [0, 2, 3] : tensor<2x6x8x10xf32> -> tensor<6xf32>, tensor<6xf32>
    %s = fuse.mul %m2, %d : tensor<6xf32>
    fuse.yield %m, %s : tensor<6xf32>, tensor<6xf32>
  }
  return %y#0, %y#1 : tensor<6xf32>, tensor<6xf32>
}
}

// -----

// Overlapping, padded windows: a strided read per tap, -inf outside.

// CHECK-LABEL: tile.func @window_k0(
// CHECK:         tile.load {{.*}} fill %{{.*}} : f32 {steps = array<i64: 1, 1, 2, 2>} : <2x4x15x15xf32> -> tensor<1x4x8x8xf32>
// CHECK-COUNT-8: tile.load {{.*}} -> tensor<1x4x8x8xf32>
// CHECK-NOT:     tile.load
// CHECK:         tile.store
module attributes {fuse.target = #fuse.target<arch = "sm_90a", units = 132, shared_memory = 232448, registers = 65536, dram = 4270, fp32 = 51000, tensor = 410000>} {
func.func @window(%x: tensor<2x4x15x15xf32>) -> tensor<2x4x8x8xf32> {
  %y = fuse.kernel @window_k0 (%a = %x) : (tensor<2x4x15x15xf32>) -> tensor<2x4x8x8xf32>
      schedule(#fuse.schedule<block = [1, 4, 8, 8, 3, 3], warps = 4, stages = 1, cluster = 1, mma = fma, splits = 1>) {
    %p = fuse.window_reduce max %a window [3, 3] stride [2, 2] padding_low [1, 1] padding_high [1, 1] {fuse.anchor} : tensor<2x4x15x15xf32> -> tensor<2x4x8x8xf32>
    fuse.yield %p : tensor<2x4x8x8xf32>
  }
  return %y : tensor<2x4x8x8xf32>
}
}

// -----

// Windows 3 rows apart, taps 2 rows apart: row 3q + c has no tap, or one, by its
// residue class c. The first tap of a class may be one that is never read; the
// columns are taps all the same.

// CHECK-LABEL: tile.func @dilated_k0(
// CHECK:         %[[ALL:.*]] = tile.load {{.*}} -> tensor<2x3x3x15xf32>
// CHECK-COUNT-3: tile.window %[[ALL]]
// CHECK-NOT:     tile.window
// CHECK-COUNT-3: tile.insert_window {{.*}} strides [1, 1, 3, 1]
// CHECK:         tile.store
module attributes {fuse.target = #fuse.target<arch = "cpu", units = 2, shared_memory = 1048576, registers = 2048, dram = 100, fp32 = 1500, tensor = 1500>} {
func.func @dilated(%dy: tensor<2x3x3x7xf32>) -> tensor<2x3x9x11xf32> {
  %y = fuse.kernel @dilated_k0 (%a = %dy) : (tensor<2x3x3x7xf32>) -> tensor<2x3x9x11xf32>
      schedule(#fuse.schedule<block = [2, 3, 9, 11], warps = 1, stages = 1, cluster = 1, mma = fma, splits = 1>) {
    %t = fuse.window_sum_grad %a input_size [9, 11] window [2, 3] stride [3, 1] padding_low [0, 0] padding_high [0, 0] dilation [2, 2] : tensor<2x3x3x7xf32> -> tensor<2x3x9x11xf32>
    fuse.yield %t : tensor<2x3x9x11xf32>
  }
  return %y : tensor<2x3x9x11xf32>
}
}
