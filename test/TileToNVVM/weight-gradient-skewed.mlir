// RUN: %fuse-compile %s --emit=ptx -o %t.ptx
// RUN: FileCheck %s --input-file=%t.ptx
// RUN: %python %S/emulator/check.py weight-gradient-skewed %t.ptx
// RUN: %if ptxas %{ ptxas -arch=sm_90a -v %t.ptx -o %t.cubin 2>&1 | FileCheck %s --check-prefix=PTXAS %}
// RUN: sed 's/warps = 4, stages = 2/warps = 8, stages = 1/' %s > %t.wide.mlir
// RUN: %fuse-compile %t.wide.mlir --emit=ptx -o %t.wide.ptx
// RUN: FileCheck %s --input-file=%t.wide.ptx --check-prefix=WIDE
// RUN: %python %S/emulator/check.py weight-gradient-skewed %t.wide.ptx
// RUN: sed 's/3, 3, 1, 1, 32\]/3, 3, 1, 2, 32]/; s/^ *%%g = fuse.conv2d_weight_grad %%a, %%c/%%n = fuse.neg %%c : tensor<2x64x10x44xf32>\n%%m = fuse.neg %%n : tensor<2x64x10x44xf32>\n%%g = fuse.conv2d_weight_grad %%a, %%m/' %s > %t.made.mlir
// RUN: %fuse-compile %t.made.mlir --emit=ptx -o %t.made.ptx
// RUN: FileCheck %s --input-file=%t.made.ptx
// RUN: %python %S/emulator/check.py weight-gradient-skewed %t.made.ptx
// PTXAS-NOT: C75
// PTXAS: 0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads

// Warpgroups sum over the elements of a row of x; filter columns shift what comes
// from registers, and filter rows are columns of the product beside the channels.
// The products of a step's filter columns are in flight together. Two warpgroups
// share out the columns so that those of each are still one instruction. Then two
// rows a step with an operand that is made, which reads as zero beside its rows.
// CHECK-COUNT-12: m64n48k8
// WIDE-COUNT-12: m64n24k8

func.func @main(%x: tensor<2x16x10x44xf32>, %dz: tensor<2x64x10x44xf32>) -> tensor<64x16x3x3xf32> {
  %dw = fuse.kernel @wgrad (%a = %x, %c = %dz) : (tensor<2x16x10x44xf32>, tensor<2x64x10x44xf32>) -> tensor<64x16x3x3xf32>
      schedule(#fuse.schedule<block = [64, 16, 3, 3, 1, 1, 32], warps = 4, stages = 2, cluster = 1, mma = wgmma, splits = 1>) {
    %g = fuse.conv2d_weight_grad %a, %c kernel [3, 3] padding [1, 1] {fuse.anchor} : (tensor<2x16x10x44xf32>, tensor<2x64x10x44xf32>) -> tensor<64x16x3x3xf32>
    fuse.yield %g : tensor<64x16x3x3xf32>
  }
  return %dw : tensor<64x16x3x3xf32>
}
