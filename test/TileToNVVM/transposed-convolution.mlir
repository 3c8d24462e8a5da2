// RUN: %fuse-compile %s --emit=ptx -o %t.ptx
// RUN: %python %S/emulator/check.py transposed-convolution %t.ptx
// RUN: %if ptxas %{ ptxas -arch=sm_90a -v %t.ptx -o %t.cubin 2>&1 | FileCheck %s --check-prefix=PTXAS %}
// RUN: sed 's/stages = 1/stages = 2/' %s > %t.staged.mlir
// RUN: %fuse-compile %t.staged.mlir --emit=ptx -o %t.staged.ptx
// RUN: %python %S/emulator/check.py transposed-convolution %t.staged.ptx
// PTXAS: 0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads

// Four residue classes of 2 or 1 taps a dim, each an instance that computes three
// images with the same weights; softmax over all channels in registers. Then with
// the next image's patch fetched during a product.

func.func @main(%x: tensor<6x16x9x10xf32>, %w: tensor<16x32x3x3xf32>) -> tensor<6x32x18x20xf32> {
  %y = fuse.kernel @conv (%a = %x, %c = %w) : (tensor<6x16x9x10xf32>, tensor<16x32x3x3xf32>) -> tensor<6x32x18x20xf32>
      schedule(#fuse.schedule<block = [1, 32, 16, 16, 16, 3, 3], warps = 2, stages = 1, cluster = 1, mma = mma_sync, splits = 1, tiles = 3>) {
    %t = fuse.conv_transpose2d %a, %c stride [2, 2] padding [1, 1] output_padding [1, 1] {fuse.anchor} : (tensor<6x16x9x10xf32>, tensor<16x32x3x3xf32>) -> tensor<6x32x18x20xf32>
    %m = fuse.reduce max %t dims [1] keepdims : tensor<6x32x18x20xf32> -> tensor<6x1x18x20xf32>
    %d = fuse.sub %t, %m : (tensor<6x32x18x20xf32>, tensor<6x1x18x20xf32>) -> tensor<6x32x18x20xf32>
    %e = fuse.exp %d : tensor<6x32x18x20xf32>
    %s = fuse.reduce sum %e dims [1] keepdims : tensor<6x32x18x20xf32> -> tensor<6x1x18x20xf32>
    %p = fuse.div %e, %s : (tensor<6x32x18x20xf32>, tensor<6x1x18x20xf32>) -> tensor<6x32x18x20xf32>
    fuse.yield %p : tensor<6x32x18x20xf32>
  }
  return %y : tensor<6x32x18x20xf32>
}
