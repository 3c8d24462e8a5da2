// RUN: fuse-opt %s --fuse-set-target=arch=sm_90a --fuse-differentiate --fuse-partition --canonicalize | FileCheck %s
// RUN: fuse-opt %s --fuse-differentiate --fuse-partition | FileCheck %s --check-prefix=CHEAP
// RUN: fuse-opt %s --fuse-differentiate --fuse-partition=remarks 2>&1 | FileCheck %s --check-prefix=REMARK

module attributes {fuse.target = #fuse.target<arch = "sm_90a", units = 132,
    shared_memory = 232448, registers = 65536, dram = 4270, fp32 = 51000, tensor = 410000>} {

// y is a result and costs nothing to keep; x need not be read again.
// CHECK-LABEL: func.func @tanh_forward
// CHECK-SAME: -> tensor<1024x1024xf32>
// CHECK-LABEL: func.func @tanh_backward
// CHECK-SAME: fuse.saved = ["result 0"]
func.func @tanh(%x: tensor<1024x1024xf32>) -> tensor<1024x1024xf32> {
  %y = fuse.tanh %x : tensor<1024x1024xf32>
  return %y : tensor<1024x1024xf32>
}

// A product that is long to compute and small to keep is saved ...
// CHECK-LABEL: func.func @deep_forward
// CHECK-SAME: -> (tensor<256x256xf32>, tensor<256x256xf32>
// CHECK-LABEL: func.func @deep_backward
// CHECK-SAME: fuse.saved = ["arg 0", "arg 1", "residual 0"]
// REMARK: remark: saved: 262144 bytes, {{.*}} us to write and read; computing its op again would take 1073741824 flops, {{[0-9]+}} us
func.func @deep(%a: tensor<256x8192xf32>, %b: tensor<8192x256xf32>) -> tensor<256x256xf32> {
  %z = fuse.matmul %a, %b : (tensor<256x8192xf32>, tensor<8192x256xf32>) -> tensor<256x256xf32>
  %s = fuse.square %z : tensor<256x256xf32>
  %y = fuse.sin %s : tensor<256x256xf32>
  return %y : tensor<256x256xf32>
}

// ... one that is quick to compute and large to keep is computed again.
// CHECK-LABEL: func.func @flat_forward
// CHECK-SAME: -> tensor<8192x8192xf32>
// CHECK-LABEL: func.func @flat_backward
// CHECK-SAME: fuse.saved = ["arg 0", "arg 1"]
// CHECK: fuse.matmul
func.func @flat(%a: tensor<8192x4xf32>, %b: tensor<4x8192xf32>) -> tensor<8192x8192xf32> {
  %z = fuse.matmul %a, %b precision tf32 : (tensor<8192x4xf32>, tensor<4x8192xf32>) -> tensor<8192x8192xf32>
  %s = fuse.square %z : tensor<8192x8192xf32>
  %y = fuse.sin %s : tensor<8192x8192xf32>
  return %y : tensor<8192x8192xf32>
}

// An attribute overrides the cost.
// CHECK-LABEL: func.func @kept_forward
// CHECK-SAME: -> (tensor<8192x8192xf32>, tensor<8192x8192xf32> {fuse.name = "residual0"})
// CHECK-LABEL: func.func @kept_backward
func.func @kept(%a: tensor<8192x4xf32>, %b: tensor<4x8192xf32>) -> tensor<8192x8192xf32> {
  %z = fuse.matmul %a, %b precision tf32 {fuse.save} : (tensor<8192x4xf32>, tensor<4x8192xf32>) -> tensor<8192x8192xf32>
  %s = fuse.square %z : tensor<8192x8192xf32>
  %y = fuse.sin %s {fuse.recompute} : tensor<8192x8192xf32>
  return %y : tensor<8192x8192xf32>
}

// What follows from it is not saved in its place.
// CHECK-LABEL: func.func @source_forward
// CHECK: %[[Z:.*]] = fuse.matmul
// CHECK: %[[Y:.*]] = fuse.sin
// CHECK: return %[[Y]], %[[Z]]
// CHECK-LABEL: func.func @source_backward
// CHECK-NOT: fuse.matmul %arg0, %arg1
// CHECK: return
func.func @source(%a: tensor<8192x4xf32>, %b: tensor<4x8192xf32>) -> tensor<8192x8192xf32> {
  %z = fuse.matmul %a, %b precision tf32 {fuse.save} : (tensor<8192x4xf32>, tensor<4x8192xf32>) -> tensor<8192x8192xf32>
  %s = fuse.square %z : tensor<8192x8192xf32>
  %t = fuse.tanh %s : tensor<8192x8192xf32>
  %y = fuse.sin %t : tensor<8192x8192xf32>
  return %y : tensor<8192x8192xf32>
}
}
// CHEAP: func.func @tanh_forward
