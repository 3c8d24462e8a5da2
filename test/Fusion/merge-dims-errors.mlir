// What must stay as it is, and what is refused before kernels change.
// RUN: fuse-opt %s --fuse-merge-dims --split-input-file --verify-diagnostics | FileCheck %s

// A schedule that was given is one of these dims; elements of a constant that differ
// belong to rows; a CPU's tiles fit rows of any length.
// CHECK-LABEL: func.func @given(
// CHECK-NOT:     fuse.reshape
// CHECK-LABEL: func.func @elements(
// CHECK-NOT:     fuse.reshape
!row = tensor<4x2x3xf32>
module attributes {fuse.target = #fuse.target<arch = "sm_90a", units = 132, shared_memory = 232448, registers = 65536, dram = 4000, fp32 = 60000, tensor = 400000>} {
func.func @given(%x: !row) -> !row {
  %0 = fuse.kernel @given_k0 (%a = %x) : (!row) -> !row schedule(#fuse.schedule<block = [1, 2, 4], warps = 4, stages = 1, cluster = 1, mma = fma, splits = 1>) {
    %t = fuse.tanh %a {fuse.anchor} : !row
    fuse.yield %t : !row
  }
  return %0 : !row
}
func.func @elements(%x: !row) -> !row {
  %0 = fuse.kernel @elements_k0 (%a = %x) : (!row) -> !row {
    %c = fuse.constant dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]> : tensor<2x3xf32>
    %t = fuse.add %a, %c : (!row, tensor<2x3xf32>) -> !row
    fuse.yield %t : !row
  }
  return %0 : !row
}
}

// -----

// CHECK-LABEL: func.func @cpu(
// CHECK-NOT:     fuse.reshape
module attributes {fuse.target = #fuse.target<arch = "cpu", units = 16, shared_memory = 1048576, registers = 32, dram = 100, fp32 = 1000, tensor = 1000>} {
func.func @cpu(%x: tensor<4x28x28xf32>) -> tensor<4x28x28xf32> {
  %0 = fuse.kernel @cpu_k0 (%a = %x) : (tensor<4x28x28xf32>) -> tensor<4x28x28xf32> {
    %t = fuse.tanh %a : tensor<4x28x28xf32>
    fuse.yield %t : tensor<4x28x28xf32>
  }
  return %0 : tensor<4x28x28xf32>
}
}

// -----

func.func @mistyped(%x: tensor<4x28x28xf32>) -> tensor<4x28x28xf32> {
  %0 = fuse.kernel @mistyped_k0 (%a = %x) : (tensor<4x28x28xf32>) -> tensor<4x28x28xf32> {
    %t = fuse.reduce sum %a dims [2] : tensor<4x28x28xf32> -> tensor<4x28xf32>
    // expected-error @below {{expected values of the kernel's result types ('tensor<4x28x28xf32>'), but found ('tensor<4x28xf32>')}}
    fuse.yield %t : tensor<4x28xf32>
  }
  return %0 : tensor<4x28x28xf32>
}
