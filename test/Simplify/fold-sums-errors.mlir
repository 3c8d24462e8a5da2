// Sums that must stay as they are.
// RUN: fuse-opt %s --fuse-fold-sums --split-input-file | FileCheck %s

!t = tensor<4x8xf32>
!c = tensor<8xf32>

// The factor varies along the dim that is folded.
// CHECK-LABEL: @varies
// CHECK: %[[P:.*]] = fuse.mul
// CHECK: fuse.reduce sum %[[P]] dims [1]
func.func @varies(%x: !t, %c: !c) -> tensor<4xf32> {
  %p = fuse.mul %x, %c : (!t, !c) -> !t
  %s = fuse.reduce sum %p dims [1] : !t -> tensor<4xf32>
  return %s : tensor<4xf32>
}

// -----

!t = tensor<4x8xf32>
!c = tensor<8xf32>

// A divisor by what is summed is no factor of it; nor is a summand.
// CHECK-LABEL: @dividend
// CHECK: fuse.div %arg1, %arg0
// CHECK: fuse.add
// CHECK: fuse.reduce sum
// CHECK-NOT: fuse.mul
func.func @dividend(%x: !t, %c: !c) -> !c {
  %q = fuse.div %c, %x : (!c, !t) -> !t
  %a = fuse.add %q, %c : (!t, !c) -> !t
  %s = fuse.reduce sum %a dims [0] : !t -> !c
  return %s : !c
}

// -----

!t = tensor<4x8xf16>
!c = tensor<8xf16>

// The sum of unscaled halves might overflow.
// CHECK-LABEL: @narrow
// CHECK: fuse.mul
// CHECK: fuse.reduce sum
// CHECK-NOT: fuse.mul
func.func @narrow(%x: !t, %c: !c) -> !c {
  %p = fuse.mul %x, %c : (!t, !c) -> !t
  %s = fuse.reduce sum %p dims [0] : !t -> !c
  return %s : !c
}

// -----

!t = tensor<4x8xf32>
!c = tensor<8xf32>

// Only sums are linear.
// CHECK-LABEL: @maximum
// CHECK: fuse.mul
// CHECK: fuse.reduce max
// CHECK-NOT: fuse.mul
func.func @maximum(%x: !t, %c: !c) -> !c {
  %p = fuse.mul %x, %c : (!t, !c) -> !t
  %s = fuse.reduce max %p dims [0] : !t -> !c
  return %s : !c
}

// -----

// An outer product: what is left varies along one dim only.
// CHECK-LABEL: @outer
// CHECK: fuse.mul
// CHECK: fuse.reduce sum %{{.*}} dims [0]
func.func @outer(%x: tensor<4x1xf32>, %c: tensor<8xf32>) -> tensor<8xf32> {
  %p = fuse.mul %x, %c : (tensor<4x1xf32>, tensor<8xf32>) -> tensor<4x8xf32>
  %s = fuse.reduce sum %p dims [0] : tensor<4x8xf32> -> tensor<8xf32>
  return %s : tensor<8xf32>
}

// -----

// The inner sum is a result of its own.
// CHECK-LABEL: @both
// CHECK: %[[A:.*]] = fuse.reduce sum %arg0 dims [2]
// CHECK: fuse.reduce sum %[[A]] dims [0]
func.func @both(%x: tensor<4x8x6xf32>) -> (tensor<4x8xf32>, tensor<8xf32>) {
  %a = fuse.reduce sum %x dims [2] : tensor<4x8x6xf32> -> tensor<4x8xf32>
  %b = fuse.reduce sum %a dims [0] : tensor<4x8xf32> -> tensor<8xf32>
  return %a, %b : tensor<4x8xf32>, tensor<8xf32>
}
