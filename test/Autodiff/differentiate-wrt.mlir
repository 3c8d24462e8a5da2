// RUN: fuse-opt %s --fuse-differentiate=wrt=1 | FileCheck %s

// Only the second argument's gradient, and nothing on the way to the first's.
// CHECK-LABEL: func.func @product
// CHECK-SAME: (%[[A:.*]]: tensor<4x8xf32>, %{{.*}}: tensor<8xf32>, %[[DY:.*]]: tensor<4x8xf32> {fuse.init = #fuse.init<normal, 0.000000e+00, 1.000000e+00>, fuse.name = "cotangent0"})
// CHECK-SAME: -> (tensor<4x8xf32>, tensor<8xf32> {fuse.name = "grad_arg1"})
// CHECK: %[[WIDE:.*]] = fuse.mul %[[DY]], %[[A]]
// CHECK-NEXT: %[[DB:.*]] = fuse.reduce sum %[[WIDE]] dims [0]
// CHECK-NEXT: return %{{.*}}, %[[DB]]
func.func @product(%a: tensor<4x8xf32>, %b: tensor<8xf32>) -> tensor<4x8xf32> {
  %y = fuse.mul %a, %b : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<4x8xf32>
  return %y : tensor<4x8xf32>
}
