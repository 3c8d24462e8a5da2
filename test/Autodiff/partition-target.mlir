// Ten times the bandwidth makes saving pay; ten times the arithmetic, computing again.
// RUN: sed 's/DRAM/4270/; s/TENSOR/410000/' %s | fuse-opt --fuse-differentiate --fuse-partition | FileCheck %s --check-prefix=AGAIN
// RUN: sed 's/DRAM/42700/; s/TENSOR/41000/' %s | fuse-opt --fuse-differentiate --fuse-partition | FileCheck %s --check-prefix=SAVE
module attributes {fuse.target = #fuse.target<arch = "sm_90a", units = 132,
    shared_memory = 232448, registers = 65536, dram = DRAM, fp32 = 51000, tensor = TENSOR>} {
// AGAIN-LABEL: func.func @f_forward
// AGAIN-SAME: -> tensor<4096x4096xf32>
// SAVE-LABEL: func.func @f_forward
// SAVE-SAME: -> (tensor<4096x4096xf32>, tensor<4096x4096xf32>
func.func @f(%a: tensor<4096x64xf32>, %b: tensor<64x4096xf32>) -> tensor<4096x4096xf32> {
  %z = fuse.matmul %a, %b precision tf32 : (tensor<4096x64xf32>, tensor<64x4096xf32>) -> tensor<4096x4096xf32>
  %s = fuse.square %z : tensor<4096x4096xf32>
  %y = fuse.sin %s : tensor<4096x4096xf32>
  return %y : tensor<4096x4096xf32>
}
}
