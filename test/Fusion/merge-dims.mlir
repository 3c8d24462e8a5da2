// RUN: fuse-opt %s --split-input-file --fuse-merge-dims | FileCheck %s

// A filter of one point: images of 28 x 28 are lines, and their sums over both dims
// stay sums. Neighbouring kernels hand lines on.

// CHECK-LABEL: func.func @points(
// CHECK-SAME:    %[[X:.*]]: tensor<4x16x28x28xf32>
// CHECK:         %[[LINES:.*]] = fuse.reshape %[[X]] : tensor<4x16x28x28xf32> -> tensor<4x16x1x784xf32>
// CHECK:         %[[K:.*]]:2 = fuse.kernel @points_k0 (%{{.*}} = %[[LINES]], {{.*}} -> (tensor<4x32x1x784xf32>, tensor<32xf32>)
// CHECK:           fuse.conv2d {{.*}} (tensor<4x16x1x784xf32>, tensor<32x16x1x1xf32>) -> tensor<4x32x1x784xf32>
// CHECK:           fuse.reduce sum {{.*}} dims [0, 2, 3] : tensor<4x32x1x784xf32> -> tensor<32xf32>
// CHECK-NOT:     fuse.reshape %[[K]]
// CHECK:         fuse.kernel @points_k1 (%{{.*}} = %[[K]]#0, %{{.*}} = %[[K]]#1)
// CHECK:           fuse.constant dense<1.000000e+00> : tensor<1x784xf32>
// CHECK:         fuse.reshape %{{.*}} : tensor<4x32x1x784xf32> -> tensor<4x32x28x28xf32>
module attributes {fuse.target = #fuse.target<arch = "sm_90a", units = 132, shared_memory = 232448, registers = 65536, dram = 4000, fp32 = 60000, tensor = 400000>} {
func.func @points(%x: tensor<4x16x28x28xf32>, %w: tensor<32x16x1x1xf32>) -> tensor<4x32x28x28xf32> {
  %y:2 = fuse.kernel @points_k0 (%a = %x, %b = %w) : (tensor<4x16x28x28xf32>, tensor<32x16x1x1xf32>) -> (tensor<4x32x28x28xf32>, tensor<32xf32>) {
    %c = fuse.conv2d %a, %b {fuse.anchor} : (tensor<4x16x28x28xf32>, tensor<32x16x1x1xf32>) -> tensor<4x32x28x28xf32>
    %s = fuse.reduce sum %c dims [0, 2, 3] : tensor<4x32x28x28xf32> -> tensor<32xf32>
    fuse.yield %c, %s : tensor<4x32x28x28xf32>, tensor<32xf32>
  }
  %z = fuse.kernel @points_k1 (%a = %y#0, %b = %y#1) : (tensor<4x32x28x28xf32>, tensor<32xf32>) -> tensor<4x32x28x28xf32> {
    %one = fuse.constant dense<1.0> : tensor<28x28xf32>
    %r = fuse.reshape %b : tensor<32xf32> -> tensor<32x1x1xf32>
    %m = fuse.mul %a, %r : (tensor<4x32x28x28xf32>, tensor<32x1x1xf32>) -> tensor<4x32x28x28xf32>
    %p = fuse.add %m, %one : (tensor<4x32x28x28xf32>, tensor<28x28xf32>) -> tensor<4x32x28x28xf32>
    fuse.yield %p : tensor<4x32x28x28xf32>
  }
  return %z : tensor<4x32x28x28xf32>
}
}

// -----

// Rows matter to a padded window, to a sum over columns only, to what is added a row,
// and to a stride. Rows of 64 are whole already.

// CHECK-LABEL: func.func @rows(
// CHECK-NOT:     fuse.reshape
module attributes {fuse.target = #fuse.target<arch = "sm_90a", units = 132, shared_memory = 232448, registers = 65536, dram = 4000, fp32 = 60000, tensor = 400000>} {
func.func @rows(%x: tensor<4x16x28x28xf32>, %w: tensor<32x16x3x3xf32>, %v: tensor<32x16x1x1xf32>, %u: tensor<28x1xf32>, %l: tensor<4x64x64xf32>) -> (tensor<4x32x28x28xf32>, tensor<4x16x28xf32>, tensor<4x16x28x28xf32>, tensor<4x32x14x14xf32>, tensor<4x64x64xf32>) {
  %0 = fuse.kernel @rows_k0 (%a = %x, %b = %w) : (tensor<4x16x28x28xf32>, tensor<32x16x3x3xf32>) -> tensor<4x32x28x28xf32> {
    %c = fuse.conv2d %a, %b padding [1, 1] {fuse.anchor} : (tensor<4x16x28x28xf32>, tensor<32x16x3x3xf32>) -> tensor<4x32x28x28xf32>
    fuse.yield %c : tensor<4x32x28x28xf32>
  }
  %1 = fuse.kernel @rows_k1 (%a = %x) : (tensor<4x16x28x28xf32>) -> tensor<4x16x28xf32> {
    %s = fuse.reduce sum %a dims [3] : tensor<4x16x28x28xf32> -> tensor<4x16x28xf32>
    fuse.yield %s : tensor<4x16x28xf32>
  }
  %2 = fuse.kernel @rows_k2 (%a = %x, %b = %u) : (tensor<4x16x28x28xf32>, tensor<28x1xf32>) -> tensor<4x16x28x28xf32> {
    %s = fuse.add %a, %b : (tensor<4x16x28x28xf32>, tensor<28x1xf32>) -> tensor<4x16x28x28xf32>
    fuse.yield %s : tensor<4x16x28x28xf32>
  }
  %3 = fuse.kernel @rows_k3 (%a = %x, %b = %v) : (tensor<4x16x28x28xf32>, tensor<32x16x1x1xf32>) -> tensor<4x32x14x14xf32> {
    %c = fuse.conv2d %a, %b stride [2, 2] {fuse.anchor} : (tensor<4x16x28x28xf32>, tensor<32x16x1x1xf32>) -> tensor<4x32x14x14xf32>
    fuse.yield %c : tensor<4x32x14x14xf32>
  }
  %4 = fuse.kernel @rows_k4 (%a = %l) : (tensor<4x64x64xf32>) -> tensor<4x64x64xf32> {
    %t = fuse.tanh %a : tensor<4x64x64xf32>
    fuse.yield %t : tensor<4x64x64xf32>
  }
  return %0, %1, %2, %3, %4 : tensor<4x32x28x28xf32>, tensor<4x16x28xf32>, tensor<4x16x28x28xf32>, tensor<4x32x14x14xf32>, tensor<4x64x64xf32>
}
}
