// RUN: fuse-opt %s --verify-roundtrip | FileCheck %s
// RUN: fuse-opt %s --mlir-print-op-generic | fuse-opt | FileCheck %s

// CHECK: module attributes {fuse.target = #fuse.target<arch = "sm_90a", units = 132, shared_memory = 232448, registers = 65536, dram = 4270, fp32 = 51000, tensor = 410000>}
module attributes {fuse.target = #fuse.target<arch = "sm_90a", units = 132,
  shared_memory = 232448, registers = 65536, dram = 4270, fp32 = 51000, tensor = 410000>} {

// CHECK: @arguments(%{{.*}}: tensor<4x8xf32> {fuse.init = #fuse.init<uniform, 0.000000e+00, 1.000000e+00>}, %{{.*}}: tensor<4xf32> {fuse.alias_result = 1 : i64, fuse.init = #fuse.init<normal, -1.000000e+00, 5.000000e-01>})
func.func @arguments(%x: tensor<4x8xf32> {fuse.init = #fuse.init<uniform, 0.0, 1.0>},
                     %m: tensor<4xf32> {fuse.alias_result = 1, fuse.init = #fuse.init<normal, -1.0, 0.5>})
    -> (tensor<4x8xf32>, tensor<4xf32>) {
  return %x, %m : tensor<4x8xf32>, tensor<4xf32>
}

// CHECK-LABEL: @kernels
func.func @kernels(%x: tensor<4x8xf32>, %w: tensor<8x2xf32>) -> (tensor<4x2xf32>, tensor<4xf32>) {
  // CHECK: %[[Y:.*]]:2 = fuse.kernel @main (%[[A:.*]] = %{{.*}}, %[[B:.*]] = %{{.*}}) : (tensor<4x8xf32>, tensor<8x2xf32>) -> (tensor<4x2xf32>, tensor<4xf32>)
  // CHECK-SAME: schedule(#fuse.schedule<block = [4, 2, 8], warps = 4, stages = 2, cluster = 1, mma = fma, splits = 1>)
  // CHECK-SAME: attributes {note = 1 : i64} {
  // CHECK: fuse.matmul %[[A]], %[[B]] {fuse.anchor} :
  %y:2 = fuse.kernel @main (%a = %x, %b = %w) : (tensor<4x8xf32>, tensor<8x2xf32>) -> (tensor<4x2xf32>, tensor<4xf32>)
      schedule(#fuse.schedule<block = [4, 2, 8], warps = 4, stages = 2, cluster = 1, mma = fma, splits = 1>)
      attributes {note = 1} {
    %p = fuse.matmul %a, %b {fuse.anchor} : (tensor<4x8xf32>, tensor<8x2xf32>) -> tensor<4x2xf32>
    %s = fuse.reduce sum %p dims [1] : tensor<4x2xf32> -> tensor<4xf32>
    fuse.yield %p, %s : tensor<4x2xf32>, tensor<4xf32>
  }
  // CHECK: fuse.kernel @none () : () -> tensor<2xf32> {
  %z = fuse.kernel @none () : () -> (tensor<2xf32>) {
    %c = fuse.constant dense<1.0> : tensor<2xf32>
    fuse.yield %c : tensor<2xf32>
  }
  return %y#0, %y#1 : tensor<4x2xf32>, tensor<4xf32>
}
}

// A tensor without dims has a block of none.
// CHECK-LABEL: @scalar
// CHECK: schedule(#fuse.schedule<block = [], warps = 1
func.func @scalar(%x: tensor<f32>) -> tensor<f32> {
  %0 = fuse.kernel @k (%a = %x) : (tensor<f32>) -> tensor<f32>
      schedule(#fuse.schedule<block = [], warps = 1, stages = 1, cluster = 1, mma = fma, splits = 1>) {
    %1 = fuse.relu %a : tensor<f32>
    fuse.yield %1 : tensor<f32>
  }
  return %0 : tensor<f32>
}
