// RUN: %fuse-compile %s --emit=ptx -o %t.ptx
// RUN: FileCheck %s --input-file=%t.ptx
// RUN: %if ptxas %{ ptxas -arch=sm_90a -v %t.ptx -o %t.cubin 2>&1 | FileCheck %s --check-prefix=PTXAS %}
// RUN: fuse-run %s --schedule-target=sm_90a --check

// Functions of f64 are arithmetic, as those of f32: no library is called.
// CHECK-NOT: .extern .func
// CHECK-NOT: call
// CHECK: fma.rn.f64
// CHECK-NOT: call
// PTXAS: 0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads

func.func @f(%x: tensor<64x64xf64>, %y: tensor<64x64xf64>) -> tensor<64x64xf64> {
  %0 = fuse.exp %x : tensor<64x64xf64>
  %1 = fuse.erf %0 : tensor<64x64xf64>
  %2 = fuse.tanh %1 : tensor<64x64xf64>
  %3 = fuse.log %2 : tensor<64x64xf64>
  %4 = fuse.sin %3 : tensor<64x64xf64>
  %6 = fuse.sigmoid %4 : tensor<64x64xf64>
  %7 = fuse.sqrt %6 : tensor<64x64xf64>
  %8 = fuse.pow %7, %y : tensor<64x64xf64>
  %9 = fuse.gelu %8 : tensor<64x64xf64>
  %10 = fuse.rsqrt %9 : tensor<64x64xf64>
  return %10 : tensor<64x64xf64>
}
