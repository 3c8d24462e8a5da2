// RUN: fuse-opt %s --verify-roundtrip | FileCheck %s
// RUN: fuse-opt %s --mlir-print-op-generic | fuse-opt | FileCheck %s

// CHECK-LABEL: @constants
func.func @constants() -> (tensor<f32>, tensor<2x3xi32>, tensor<3xi1>, tensor<2x3xf32>) {
  // CHECK: fuse.constant dense<2.000000e+00> : tensor<f32>
  %0 = fuse.constant dense<2.0> : tensor<f32>
  // CHECK: fuse.constant dense<{{\[\[}}1, 2, 3], [4, 5, 6]]> : tensor<2x3xi32>
  %1 = fuse.constant dense<[[1, 2, 3], [4, 5, 6]]> : tensor<2x3xi32>
  // CHECK: fuse.constant dense<[true, false, true]> : tensor<3xi1>
  %2 = fuse.constant dense<[true, false, true]> : tensor<3xi1>
  // CHECK: fuse.iota dim 1 : tensor<2x3xf32>
  %3 = fuse.iota dim 1 : tensor<2x3xf32>
  return %0, %1, %2, %3 : tensor<f32>, tensor<2x3xi32>, tensor<3xi1>, tensor<2x3xf32>
}

// CHECK-LABEL: @moves
func.func @moves(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  // CHECK: fuse.reshape %{{.*}} : tensor<4x8xf32> -> tensor<2x2x8xf32>
  %0 = fuse.reshape %x : tensor<4x8xf32> -> tensor<2x2x8xf32>
  // CHECK: fuse.transpose %{{.*}} permutation [1, 0, 2] : tensor<2x2x8xf32> -> tensor<2x2x8xf32>
  %1 = fuse.transpose %0 permutation [1, 0, 2] : tensor<2x2x8xf32> -> tensor<2x2x8xf32>
  // CHECK: fuse.slice %{{.*}} offsets [0, 1, 2] sizes [2, 1, 3] strides [1, 1, 2] : tensor<2x2x8xf32> -> tensor<2x1x3xf32>
  %2 = fuse.slice %1 offsets [0, 1, 2] sizes [2, 1, 3] strides [1, 1, 2] : tensor<2x2x8xf32> -> tensor<2x1x3xf32>
  // CHECK: fuse.broadcast %{{.*}} : tensor<2x1x3xf32> -> tensor<2x2x3xf32>
  %3 = fuse.broadcast %2 : tensor<2x1x3xf32> -> tensor<2x2x3xf32>
  // CHECK: fuse.pad %{{.*}} low [0, 0, 1] high [0, 0, 2] value 0.000000e+00 : f32 : tensor<2x2x3xf32> -> tensor<2x2x6xf32>
  %4 = fuse.pad %3 low [0, 0, 1] high [0, 0, 2] value 0.0 : f32 : tensor<2x2x3xf32> -> tensor<2x2x6xf32>
  // CHECK: fuse.pad %{{.*}} interior [0, 0, 1] value
  %5 = fuse.pad %3 low [0, 0, 0] high [0, 0, 0] interior [0, 0, 1] value 1.0 : f32 : tensor<2x2x3xf32> -> tensor<2x2x5xf32>
  // CHECK: fuse.concat %{{.*}}, %{{.*}} dim 2 : (tensor<2x2x6xf32>, tensor<2x2x5xf32>) -> tensor<2x2x11xf32>
  %6 = fuse.concat %4, %5 dim 2 : (tensor<2x2x6xf32>, tensor<2x2x5xf32>) -> tensor<2x2x11xf32>
  return %x : tensor<4x8xf32>
}
