// RUN: %fuse-compile %s --emit=ptx -o %t.ptx
// RUN: FileCheck %s --input-file=%t.ptx
// RUN: %python %S/emulator/check.py weight-gradient-strided %t.ptx
// RUN: %if ptxas %{ ptxas -arch=sm_90a -v %t.ptx -o %t.cubin 2>&1 | FileCheck %s --check-prefix=PTXAS %}
// PTXAS-NOT: C75
// PTXAS: 0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads

// A convolution of stride 2 reads even and odd columns of x: a block each, which the
// filter columns of its class share. The sum is over pairs of columns, in steps that
// are no power of two.
// CHECK-COUNT-9: m64n48k8

func.func @main(%x: tensor<2x16x11x75xf32>, %dz: tensor<2x64x6x38xf32>) -> tensor<64x16x3x3xf32> {
  %dw = fuse.kernel @wgrad (%a = %x, %c = %dz) : (tensor<2x16x11x75xf32>, tensor<2x64x6x38xf32>) -> tensor<64x16x3x3xf32>
      schedule(#fuse.schedule<block = [64, 16, 3, 3, 1, 1, 24], warps = 4, stages = 2, cluster = 1, mma = wgmma, splits = 1>) {
    %g = fuse.conv2d_weight_grad %a, %c kernel [3, 3] stride [2, 2] padding [1, 1] {fuse.anchor} : (tensor<2x16x11x75xf32>, tensor<2x64x6x38xf32>) -> tensor<64x16x3x3xf32>
    fuse.yield %g : tensor<64x16x3x3xf32>
  }
  return %dw : tensor<64x16x3x3xf32>
}
