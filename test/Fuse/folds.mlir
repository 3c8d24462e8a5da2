// RUN: fuse-opt %s --canonicalize | FileCheck %s

// CHECK-LABEL: @identities
// CHECK-SAME: %[[X:.*]]: tensor<4xf32>
// CHECK-NEXT: return %[[X]], %[[X]], %[[X]], %[[X]], %[[X]], %[[X]], %[[X]]
func.func @identities(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
  %one = fuse.constant dense<1.0> : tensor<f32>
  %zero = fuse.constant dense<0.0> : tensor<f32>
  %minus_zero = fuse.constant dense<-0.0> : tensor<f32>
  %0 = fuse.mul %one, %x : (tensor<f32>, tensor<4xf32>) -> tensor<4xf32>
  %1 = fuse.div %x, %one : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %2 = fuse.add %x, %minus_zero : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %3 = fuse.sub %x, %zero : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %4 = fuse.neg %x : tensor<4xf32>
  %5 = fuse.neg %4 : tensor<4xf32>
  %6 = fuse.maximum %x, %x : tensor<4xf32>
  %7 = fuse.pow %x, %one : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  return %0, %1, %2, %3, %5, %6, %7 : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}

// x + 0.0 turns -0.0 into 0.0, x * 0 keeps NaN: neither folds. A one of larger
// shape broadcasts.
// CHECK-LABEL: @not_identities
func.func @not_identities(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<2x4xf32>) {
  %zero = fuse.constant dense<0.0> : tensor<f32>
  %ones = fuse.constant dense<1.0> : tensor<2x4xf32>
  // CHECK: fuse.add
  %0 = fuse.add %x, %zero : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  // CHECK: fuse.mul
  %1 = fuse.mul %x, %zero : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  // CHECK: fuse.mul
  %2 = fuse.mul %x, %ones : (tensor<4xf32>, tensor<2x4xf32>) -> tensor<2x4xf32>
  return %0, %1, %2 : tensor<4xf32>, tensor<4xf32>, tensor<2x4xf32>
}

// CHECK-LABEL: @constants
func.func @constants() -> (tensor<2xf32>, tensor<f16>, tensor<i1>, tensor<i32>, tensor<f32>) {
  // CHECK-DAG: fuse.constant dense<6.000000e+00> : tensor<2xf32>
  // CHECK-DAG: fuse.constant dense<1.414060e+00> : tensor<f16>
  // CHECK-DAG: fuse.constant dense<false> : tensor<i1>
  // CHECK-DAG: fuse.constant dense<-2147483648> : tensor<i32>
  // CHECK-DAG: fuse.constant dense<0x7FC00000> : tensor<f32>
  %two = fuse.constant dense<2.0> : tensor<2xf32>
  %three = fuse.constant dense<3.0> : tensor<f32>
  %0 = fuse.mul %two, %three : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %half = fuse.constant dense<2.0> : tensor<f16>
  %1 = fuse.sqrt %half : tensor<f16>
  %nan = fuse.constant dense<0x7FC00000> : tensor<f32>
  %2 = fuse.compare lt %nan, %three : (tensor<f32>, tensor<f32>) -> tensor<i1>
  %max = fuse.constant dense<2147483647> : tensor<i32>
  %one = fuse.constant dense<1> : tensor<i32>
  %3 = fuse.add %max, %one : tensor<i32>
  %4 = fuse.maximum %nan, %three : tensor<f32>
  return %0, %1, %2, %3, %4 : tensor<2xf32>, tensor<f16>, tensor<i1>, tensor<i32>, tensor<f32>
}

// CHECK-LABEL: @casts
// CHECK-SAME: %[[H:.*]]: tensor<4xf16>, %[[X:.*]]: tensor<4xf32>
func.func @casts(%h: tensor<4xf16>, %x: tensor<4xf32>) -> (tensor<4xf16>, tensor<4xf64>, tensor<4xf32>) {
  %0 = fuse.cast %h : tensor<4xf16> -> tensor<4xf32>
  %1 = fuse.cast %0 : tensor<4xf32> -> tensor<4xf16>
  // CHECK-DAG: %[[D:.*]] = fuse.cast %[[H]] : tensor<4xf16> -> tensor<4xf64>
  %2 = fuse.cast %0 : tensor<4xf32> -> tensor<4xf64>
  // Rounding to f16 and back is not exact.
  // CHECK-DAG: %[[R:.*]] = fuse.cast %[[X]] : tensor<4xf32> -> tensor<4xf16>
  // CHECK-DAG: %[[B:.*]] = fuse.cast %[[R]] : tensor<4xf16> -> tensor<4xf32>
  %3 = fuse.cast %x : tensor<4xf32> -> tensor<4xf16>
  %4 = fuse.cast %3 : tensor<4xf16> -> tensor<4xf32>
  // CHECK: return %[[H]], %[[D]], %[[B]]
  return %1, %2, %4 : tensor<4xf16>, tensor<4xf64>, tensor<4xf32>
}

// CHECK-LABEL: @selects
// CHECK-SAME: %[[C:.*]]: tensor<4xi1>, %[[X:.*]]: tensor<4xf32>, %[[Y:.*]]: tensor<4xf32>
// CHECK-NEXT: return %[[X]], %[[Y]]
func.func @selects(%c: tensor<4xi1>, %x: tensor<4xf32>, %y: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %false = fuse.constant dense<false> : tensor<i1>
  %0 = fuse.select %c, %x, %x : (tensor<4xi1>, tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %1 = fuse.select %false, %x, %y : (tensor<i1>, tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %0, %1 : tensor<4xf32>, tensor<4xf32>
}

// CHECK-LABEL: @moves
// CHECK-SAME: %[[X:.*]]: tensor<4x6xf32>
func.func @moves(%x: tensor<4x6xf32>) -> (tensor<4x6xf32>, tensor<4x6xf32>, tensor<24xf32>, tensor<2x1xf32>) {
  %0 = fuse.transpose %x permutation [1, 0] : tensor<4x6xf32> -> tensor<6x4xf32>
  %1 = fuse.transpose %0 permutation [1, 0] : tensor<6x4xf32> -> tensor<4x6xf32>
  %2 = fuse.reshape %x : tensor<4x6xf32> -> tensor<2x12xf32>
  %3 = fuse.reshape %2 : tensor<2x12xf32> -> tensor<4x6xf32>
  // CHECK-DAG: %[[R:.*]] = fuse.reshape %[[X]] : tensor<4x6xf32> -> tensor<24xf32>
  %4 = fuse.reshape %2 : tensor<2x12xf32> -> tensor<24xf32>
  // CHECK-DAG: %[[S:.*]] = fuse.slice %[[X]] offsets [1, 3] sizes [2, 1] strides [2, 1]
  %5 = fuse.slice %x offsets [1, 1] sizes [3, 3] strides [1, 2] : tensor<4x6xf32> -> tensor<3x3xf32>
  %6 = fuse.slice %5 offsets [0, 1] sizes [2, 1] strides [2, 1] : tensor<3x3xf32> -> tensor<2x1xf32>
  // CHECK: return %[[X]], %[[X]], %[[R]], %[[S]]
  return %1, %3, %4, %6 : tensor<4x6xf32>, tensor<4x6xf32>, tensor<24xf32>, tensor<2x1xf32>
}

// CHECK-LABEL: @rotate
func.func @rotate(%x: tensor<2x3x4xf32>) -> tensor<4x2x3xf32> {
  // CHECK: fuse.transpose %{{.*}} permutation [2, 0, 1] : tensor<2x3x4xf32> -> tensor<4x2x3xf32>
  // CHECK-NOT: fuse.transpose
  %0 = fuse.transpose %x permutation [1, 2, 0] : tensor<2x3x4xf32> -> tensor<3x4x2xf32>
  %1 = fuse.transpose %0 permutation [1, 2, 0] : tensor<3x4x2xf32> -> tensor<4x2x3xf32>
  return %1 : tensor<4x2x3xf32>
}

// CHECK-LABEL: @moved_constants
func.func @moved_constants() -> (tensor<2x3xf32>, tensor<4x2xi32>, tensor<3xf32>) {
  // CHECK-DAG: fuse.constant dense<1.000000e+00> : tensor<2x3xf32>
  // CHECK-DAG: fuse.constant dense<{{\[\[}}0, 1], [2, 3], [4, 5], [6, 7]]> : tensor<4x2xi32>
  // CHECK-DAG: fuse.constant dense<2.000000e+00> : tensor<3xf32>
  %0 = fuse.constant dense<1.0> : tensor<f32>
  %1 = fuse.broadcast %0 : tensor<f32> -> tensor<2x3xf32>
  %2 = fuse.constant dense<[[0, 1, 2, 3], [4, 5, 6, 7]]> : tensor<2x4xi32>
  %3 = fuse.reshape %2 : tensor<2x4xi32> -> tensor<4x2xi32>
  %4 = fuse.constant dense<2.0> : tensor<1xf32>
  %5 = fuse.pad %4 low [1] high [1] value 2.0 : f32 : tensor<1xf32> -> tensor<3xf32>
  return %1, %3, %5 : tensor<2x3xf32>, tensor<4x2xi32>, tensor<3xf32>
}

// The reader broadcasts itself, unless the result's shape came from it alone.
// CHECK-LABEL: @broadcasts
// CHECK-SAME: %[[X:.*]]: tensor<4x8xf32>, %[[C:.*]]: tensor<8xf32>
func.func @broadcasts(%x: tensor<4x8xf32>, %c: tensor<8xf32>) -> (tensor<4x8xf32>, tensor<4x8xf32>) {
  // CHECK: %[[B:.*]] = fuse.broadcast %[[C]]
  %0 = fuse.broadcast %c : tensor<8xf32> -> tensor<4x8xf32>
  // CHECK: fuse.add %[[X]], %[[C]]
  %1 = fuse.add %x, %0 : tensor<4x8xf32>
  // CHECK: fuse.mul
  // CHECK-SAME: %[[B]]
  %2 = fuse.mul %0, %c : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<4x8xf32>
  return %1, %2 : tensor<4x8xf32>, tensor<4x8xf32>
}

// CHECK-LABEL: @activations
func.func @activations() -> (tensor<f32>, tensor<f32>, tensor<f32>, tensor<f32>, tensor<f32>, tensor<f32>) {
  // CHECK-DAG: %[[R:.*]] = fuse.constant dense<0x7FC00000>
  // CHECK-DAG: %[[S:.*]] = fuse.constant dense<-0.268941432>
  // CHECK-DAG: %[[L:.*]] = fuse.constant dense<-0.00999999977>
  // CHECK-DAG: %[[G:.*]] = fuse.constant dense<-0.158655256>
  // CHECK-DAG: %[[P:.*]] = fuse.constant dense<0.313261688>
  // CHECK-DAG: %[[M:.*]] = fuse.constant dense<2.000000e+00>
  // CHECK: return %[[R]], %[[S]], %[[L]], %[[G]], %[[P]], %[[M]]
  %nan = fuse.constant dense<0x7FC00000> : tensor<f32>
  %x = fuse.constant dense<-1.0> : tensor<f32>
  %y = fuse.constant dense<3.0> : tensor<f32>
  %0 = fuse.relu6 %nan : tensor<f32>
  %1 = fuse.silu %x : tensor<f32>
  %2 = fuse.leaky_relu %x : tensor<f32>
  %3 = fuse.gelu %x : tensor<f32>
  %4 = fuse.softplus %x : tensor<f32>
  %5 = fuse.remainder %x, %y : tensor<f32>
  return %0, %1, %2, %3, %4, %5 : tensor<f32>, tensor<f32>, tensor<f32>, tensor<f32>, tensor<f32>, tensor<f32>
}
