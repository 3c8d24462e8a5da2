// Where a stride tells very many positions apart, the grid runs over their
// classes, and the taps of a class are found at run time: code stays short, and
// the whole is compiled in no time.
//
// RUN: fuse-opt %s --split-input-file --fuse-to-cpu=stop-after=tile | FileCheck %s

// Non-overlapping windows: the one tap of a position is the remainder.
// CHECK-LABEL: tile.func @side_by_side_k0
// CHECK: arith.remui %{{.*}}, %c5000
// CHECK-COUNT-2: tile.load
// CHECK-NOT: tile.load
// CHECK: tile.store
// CHECK-NOT: tile.store
func.func @side_by_side(%dy: tensor<2x2xf32>, %at: tensor<2x2xi32>) -> tensor<2x10000xf32> {
  %dx = fuse.window_max_grad %dy, %at input_size [10000] window [5000] stride [5000]
      : (tensor<2x2xf32>, tensor<2x2xi32>) -> tensor<2x10000xf32>
  return %dx : tensor<2x10000xf32>
}

// -----

// Windows that overlap, in both dims: two taps each at most.
// CHECK-LABEL: tile.func @overlap_k0
// CHECK: tile.store
// CHECK-NOT: tile.store
func.func @overlap(%dy: tensor<2x2xf32>) -> tensor<160x160xf32> {
  %dx = fuse.window_sum_grad %dy input_size [160, 160] window [90, 90] stride [70, 70]
      : tensor<2x2xf32> -> tensor<160x160xf32>
  return %dx : tensor<160x160xf32>
}

// -----

// No taps: what lies between neighbours is told by a remainder.
// CHECK-LABEL: tile.func @between_k0
// CHECK: arith.select
// CHECK: tile.store
// CHECK-NOT: tile.store
func.func @between(%x: tensor<4xf32>) -> tensor<15004xf32> {
  %y = fuse.pad %x low [0] high [0] interior [5000] value 1.0 : f32
      : tensor<4xf32> -> tensor<15004xf32>
  return %y : tensor<15004xf32>
}

// -----

// A transposed convolution: the taps that exist are in a branch.
// CHECK-LABEL: tile.func @transposed_k0
// CHECK: scf.if
// CHECK: tile.store
// CHECK-NOT: tile.store
func.func @transposed(%x: tensor<1x4x1x5xf32>, %w: tensor<4x4x1x150xf32>) -> tensor<1x4x1x550xf32> {
  %y = fuse.conv_transpose2d %x, %w stride [1, 100]
      : (tensor<1x4x1x5xf32>, tensor<4x4x1x150xf32>) -> tensor<1x4x1x550xf32>
  return %y : tensor<1x4x1x550xf32>
}
