// RUN: %fuse-compile %s --emit=ptx -o %t.ptx
// RUN: %python %S/emulator/check.py weight-gradient %t.ptx
// RUN: %if ptxas %{ ptxas -arch=sm_90a -v %t.ptx -o %t.cubin 2>&1 | FileCheck %s --check-prefix=PTXAS %}
// RUN: sed 's/stages = 1/stages = 2/' %s > %t.staged.mlir
// RUN: %fuse-compile %t.staged.mlir --emit=ptx -o %t.staged.ptx
// RUN: %python %S/emulator/check.py weight-gradient %t.staged.ptx
// RUN: sed 's/warps = 2/warps = 4/' %t.staged.mlir > %t.partial.mlir
// RUN: %fuse-compile %t.partial.mlir --emit=ptx -o %t.partial.ptx
// RUN: %python %S/emulator/check.py weight-gradient %t.partial.ptx
// RUN: sed 's/3, 3, 1, 4, 32\]/3, 3, 1, 1, 32]/; s/stages = 2/stages = 3/; s/^ *%%g = fuse.conv2d_weight_grad %%a, %%c/%%n = fuse.neg %%c : tensor<2x16x10x44xf32>\n%%m = fuse.neg %%n : tensor<2x16x10x44xf32>\n%%g = fuse.conv2d_weight_grad %%a, %%m/' %t.staged.mlir > %t.loop.mlir
// RUN: %fuse-compile %t.loop.mlir --emit=ptx -o %t.loop.ptx
// RUN: %python %S/emulator/check.py weight-gradient %t.loop.ptx
// PTXAS-NOT: C75
// PTXAS: 0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads

// A weight gradient sums over 10 rows of 44 pixels in steps of 4 x 32: the last step
// of either dim ends inside of the block, with extents of the operand in place of a
// masked copy for each tap. The input is infinite in its last column, which belongs
// to the last tap only: products with pixels that do not exist must not spread it.
// Then with copies in flight; then with more warps than pieces of 16 x 8 sums, which
// take rows of pixels of their own; then row by row with an operand that is made, all
// images and rows in one loop.

func.func @main(%x: tensor<2x16x12x46xf32>, %dz: tensor<2x16x10x44xf32>) -> tensor<16x16x3x3xf32> {
  %dw = fuse.kernel @wgrad (%a = %x, %c = %dz) : (tensor<2x16x12x46xf32>, tensor<2x16x10x44xf32>) -> tensor<16x16x3x3xf32>
      schedule(#fuse.schedule<block = [16, 16, 3, 3, 1, 4, 32], warps = 2, stages = 1, cluster = 1, mma = mma_sync, splits = 1>) {
    %g = fuse.conv2d_weight_grad %a, %c kernel [3, 3] {fuse.anchor} : (tensor<2x16x12x46xf32>, tensor<2x16x10x44xf32>) -> tensor<16x16x3x3xf32>
    fuse.yield %g : tensor<16x16x3x3xf32>
  }
  return %dw : tensor<16x16x3x3xf32>
}
