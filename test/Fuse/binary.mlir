// RUN: fuse-opt %s --verify-roundtrip | FileCheck %s
// RUN: fuse-opt %s --mlir-print-op-generic | fuse-opt | FileCheck %s

// CHECK-LABEL: @broadcasting
func.func @broadcasting(%x: tensor<4x8xf32>, %c: tensor<8xf32>) -> tensor<4x8xf32> {
  // CHECK: fuse.add %{{.*}}, %{{.*}} : tensor<4x8xf32>
  %0 = fuse.add %x, %x : tensor<4x8xf32>
  // CHECK: fuse.sub %{{.*}}, %{{.*}} : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<4x8xf32>
  %1 = fuse.sub %0, %c : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<4x8xf32>
  // CHECK: fuse.mul %{{.*}}, %{{.*}} : tensor<4x8xf32>
  %2 = fuse.mul %1, %x : tensor<4x8xf32>
  // CHECK: fuse.div %{{.*}}, %{{.*}} : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<4x8xf32>
  %3 = fuse.div %2, %c : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<4x8xf32>
  // CHECK: fuse.maximum %{{.*}}, %{{.*}} : tensor<4x8xf32>
  %4 = fuse.maximum %3, %x : tensor<4x8xf32>
  // CHECK: fuse.minimum %{{.*}}, %{{.*}} : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<4x8xf32>
  %5 = fuse.minimum %4, %c : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<4x8xf32>
  // CHECK: fuse.pow %{{.*}}, %{{.*}} : tensor<4x8xf32>
  %6 = fuse.pow %5, %x : tensor<4x8xf32>
  // CHECK: fuse.remainder %{{.*}}, %{{.*}} : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<4x8xf32>
  %7 = fuse.remainder %6, %c : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<4x8xf32>
  // CHECK: fuse.atan2 %{{.*}}, %{{.*}} : tensor<4x8xf32>
  %8 = fuse.atan2 %7, %x : tensor<4x8xf32>
  return %8 : tensor<4x8xf32>
}

// CHECK-LABEL: @both_sides_broadcast
func.func @both_sides_broadcast(%a: tensor<4x1xf32>, %b: tensor<1x8xf32>, %s: tensor<f32>) -> tensor<4x8xf32> {
  // CHECK: fuse.add %{{.*}} : (tensor<4x1xf32>, tensor<1x8xf32>) -> tensor<4x8xf32>
  %0 = fuse.add %a, %b : (tensor<4x1xf32>, tensor<1x8xf32>) -> tensor<4x8xf32>
  // CHECK: fuse.mul %{{.*}} : (tensor<f32>, tensor<4x8xf32>) -> tensor<4x8xf32>
  %1 = fuse.mul %s, %0 : (tensor<f32>, tensor<4x8xf32>) -> tensor<4x8xf32>
  return %1 : tensor<4x8xf32>
}

// CHECK-LABEL: @masks
func.func @masks(%x: tensor<4x8xf32>, %s: tensor<f32>, %i: tensor<8xi64>) -> tensor<4x8xf32> {
  // CHECK: fuse.compare lt %{{.*}}, %{{.*}} : (tensor<4x8xf32>, tensor<f32>) -> tensor<4x8xi1>
  %0 = fuse.compare lt %x, %s : (tensor<4x8xf32>, tensor<f32>) -> tensor<4x8xi1>
  // CHECK: fuse.compare ge %{{.*}}, %{{.*}} : (tensor<8xi64>, tensor<8xi64>) -> tensor<8xi1>
  %1 = fuse.compare ge %i, %i : (tensor<8xi64>, tensor<8xi64>) -> tensor<8xi1>
  // CHECK: fuse.and
  %2 = fuse.and %0, %1 : (tensor<4x8xi1>, tensor<8xi1>) -> tensor<4x8xi1>
  // CHECK: fuse.or
  %3 = fuse.or %2, %0 : tensor<4x8xi1>
  // CHECK: fuse.xor
  %4 = fuse.xor %3, %1 : (tensor<4x8xi1>, tensor<8xi1>) -> tensor<4x8xi1>
  // CHECK: fuse.select %{{.*}} : (tensor<4x8xi1>, tensor<4x8xf32>, tensor<f32>) -> tensor<4x8xf32>
  %5 = fuse.select %4, %x, %s : (tensor<4x8xi1>, tensor<4x8xf32>, tensor<f32>) -> tensor<4x8xf32>
  return %5 : tensor<4x8xf32>
}
