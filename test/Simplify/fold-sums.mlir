// RUN: fuse-opt %s --fuse-fold-sums --split-input-file | FileCheck %s

!t = tensor<4x8xf32>
!c = tensor<8xf32>

// CHECK-LABEL: @factor
// CHECK: %[[S:.*]] = fuse.reduce sum %arg0 dims [0] : tensor<4x8xf32> -> tensor<8xf32>
// CHECK: %[[P:.*]] = fuse.mul %[[S]], %arg1 : tensor<8xf32>
// CHECK: %[[N:.*]] = fuse.neg %[[P]]
// CHECK: return %[[N]]
func.func @factor(%x: !t, %c: !c) -> !c {
  %p = fuse.mul %x, %c : (!t, !c) -> !t
  %n = fuse.neg %p : !t
  %s = fuse.reduce sum %n dims [0] : !t -> !c
  return %s : !c
}

// -----

// Kept dims: the factor broadcasts against the sum as it did before.
!t = tensor<4x8x6xf64>
!c = tensor<8x1xf64>

// CHECK-LABEL: @divisor
// CHECK: %[[S:.*]] = fuse.reduce sum %arg0 dims [0, 2] keepdims
// CHECK: fuse.div %[[S]], %arg1 : (tensor<1x8x1xf64>, tensor<8x1xf64>) -> tensor<1x8x1xf64>
func.func @divisor(%x: !t, %c: !c) -> tensor<1x8x1xf64> {
  %q = fuse.div %x, %c : (!t, !c) -> !t
  %s = fuse.reduce sum %q dims [0, 2] keepdims : !t -> tensor<1x8x1xf64>
  return %s : tensor<1x8x1xf64>
}

// -----

// Per channel of an image: the factor loses the dims that are folded.
!t = tensor<2x8x3x5xf32>
!c = tensor<8x1x1xf32>

// CHECK-LABEL: @channels
// CHECK: %[[S:.*]] = fuse.reduce sum %arg0 dims [0, 2, 3]
// CHECK: %[[C:.*]] = fuse.reshape %arg1 : tensor<8x1x1xf32> -> tensor<8xf32>
// CHECK: fuse.mul %[[S]], %[[C]] : tensor<8xf32>
func.func @channels(%x: !t, %c: !c) -> tensor<8xf32> {
  %p = fuse.mul %c, %x : (!c, !t) -> !t
  %s = fuse.reduce sum %p dims [0, 2, 3] : !t -> tensor<8xf32>
  return %s : tensor<8xf32>
}

// -----

// A batch-norm by hand: both products are ds * d, in the same order.
!t = tensor<4x8xf32>
!c = tensor<8xf32>

// CHECK-LABEL: @one_product
// CHECK-DAG: %[[A:.*]] = fuse.mul %arg0, %arg1 : tensor<4x8xf32>
// CHECK-DAG: %[[B:.*]] = fuse.mul %arg0, %arg1 : tensor<4x8xf32>
// CHECK-DAG: fuse.reduce sum %[[A]] dims [0]
// CHECK-DAG: fuse.reduce sum %[[B]] dims [0]
func.func @one_product(%ds: !t, %d: !t, %r: !c, %g: !c) -> (!c, !c) {
  %n = fuse.mul %d, %r : (!t, !c) -> !t
  %0 = fuse.mul %ds, %n : !t
  %1 = fuse.reduce sum %0 dims [0] : !t -> !c
  %e = fuse.mul %ds, %g : (!t, !c) -> !t
  %2 = fuse.mul %d, %e : !t
  %3 = fuse.reduce sum %2 dims [0] : !t -> !c
  return %1, %3 : !c, !c
}

// -----

// CHECK-LABEL: @repeated
// CHECK-DAG: %[[N:.*]] = fuse.constant dense<4.000000e+00>
// CHECK-DAG: %[[S:.*]] = fuse.reduce sum %arg0 dims [1] keepdims : tensor<8x3xf32> -> tensor<8x1xf32>
// CHECK: %[[P:.*]] = fuse.mul %[[S]], %[[N]]
// CHECK: %[[B:.*]] = fuse.broadcast %[[P]] : tensor<8x1xf32> -> tensor<1x8x1xf32>
// CHECK: fuse.reshape %[[B]] : tensor<1x8x1xf32> -> tensor<8xf32>
func.func @repeated(%x: tensor<8x3xf32>) -> tensor<8xf32> {
  %b = fuse.broadcast %x : tensor<8x3xf32> -> tensor<4x8x3xf32>
  %s = fuse.reduce sum %b dims [0, 2] : tensor<4x8x3xf32> -> tensor<8xf32>
  return %s : tensor<8xf32>
}

// -----

// CHECK-LABEL: @twice
// CHECK: fuse.reduce sum %arg0 dims [0, 2] : tensor<4x8x6xf32> -> tensor<8xf32>
// CHECK-NOT: fuse.reduce
func.func @twice(%x: tensor<4x8x6xf32>) -> tensor<8xf32> {
  %a = fuse.reduce sum %x dims [2] : tensor<4x8x6xf32> -> tensor<4x8xf32>
  %b = fuse.reduce sum %a dims [0] : tensor<4x8xf32> -> tensor<8xf32>
  return %b : tensor<8xf32>
}
