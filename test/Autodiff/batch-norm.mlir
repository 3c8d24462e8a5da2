// The derivative of a training batch-norm, with what is around it, sums two things
// over each channel, ds and ds * (z - mean): gamma, beta, the input and a bias
// behind it live on these. A bias in front of it has a gradient of exactly zero.
// RUN: fuse-opt %s --fuse-to-ptx="grad stop-after=joint" | FileCheck %s
// RUN: fuse-run %s --entry=composite --grad --check
// RUN: fuse-run %s --entry=by_hand --grad --check

!x = tensor<6x5x7x9xf64>
!c = tensor<5xf64>
!k = tensor<5x1x1xf64>

// CHECK-LABEL: func.func @composite
// CHECK: %[[ZERO:.*]] = fuse.constant dense<0.000000e+00> : tensor<5x1x1xf64>
// CHECK-COUNT-2: fuse.reduce sum
// CHECK-NOT: fuse.reduce
// CHECK: return {{.*}}%[[ZERO]]
func.func @composite(%x: !x, %b: !k, %gamma: !c, %beta: !c, %after: !k,
                     %mean: !c {fuse.alias_result = 1 : i64},
                     %var: !c {fuse.alias_result = 2 : i64}) -> (!x, !c, !c) {
  %three = fuse.constant dense<3.0> : tensor<f64>
  %0 = fuse.add %x, %b : (!x, !k) -> !x
  %1:3 = fuse.batch_norm %0, %gamma, %beta, %mean, %var : (!x, !c, !c, !c, !c) -> (!x, !c, !c)
  %2 = fuse.add %1#0, %after : (!x, !k) -> !x
  %3 = fuse.mul %2, %three : (!x, tensor<f64>) -> !x
  return %3, %1#1, %1#2 : !x, !c, !c
}

// CHECK-LABEL: func.func @by_hand
// CHECK-COUNT-2: fuse.reduce sum
// CHECK-NOT: fuse.reduce
// CHECK: return
func.func @by_hand(%x: !x, %gamma: !k, %beta: !k) -> !x {
  %eps = fuse.constant dense<1.0e-3> : tensor<f64>
  %n = fuse.constant dense<378.0> : tensor<f64>
  %0:2 = fuse.reduce moments %x dims [0, 2, 3] keepdims : !x -> tensor<1x5x1x1xf64>, tensor<1x5x1x1xf64>
  %1 = fuse.div %0#1, %n : (tensor<1x5x1x1xf64>, tensor<f64>) -> tensor<1x5x1x1xf64>
  %2 = fuse.add %1, %eps : (tensor<1x5x1x1xf64>, tensor<f64>) -> tensor<1x5x1x1xf64>
  %3 = fuse.rsqrt %2 : tensor<1x5x1x1xf64>
  %4 = fuse.sub %x, %0#0 : (!x, tensor<1x5x1x1xf64>) -> !x
  %5 = fuse.mul %4, %3 : (!x, tensor<1x5x1x1xf64>) -> !x
  %6 = fuse.mul %5, %gamma : (!x, !k) -> !x
  %7 = fuse.add %6, %beta : (!x, !k) -> !x
  return %7 : !x
}
