// RUN: %fuse-compile %s --emit=ptx -o %t.ptx
// RUN: FileCheck %s --input-file=%t.ptx --check-prefix=PTX
// RUN: %python %S/emulator/check.py matmul-tf32 %t.ptx
// RUN: %if ptxas %{ ptxas -arch=sm_90a -v %t.ptx -o %t.cubin 2>&1 | FileCheck %s --check-prefix=PTXAS %}
// PTX: wgmma.mma_async.sync.aligned.m64n{{[0-9]+}}k8.f32.tf32.tf32
// PTXAS-NOT: C75
// PTXAS:     0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads

// A warpgroup multiplies: one operand from registers, the other as core matrices in
// shared memory, transposed on its way there. Sums stay in flight from round to round.

func.func @main(%a0: !tile.view<256x128xf32>, %a1: !tile.view<128x256xf32>, %a2: !tile.view<256x256xf32>)
    attributes {tile.entry, tile.num_inputs = 2 : i64} {
  tile.launch @mm ins(%a0, %a1 : !tile.view<256x128xf32>, !tile.view<128x256xf32>)
                   outs(%a2 : !tile.view<256x256xf32>)
  return
}
tile.func @mm(%a: !tile.view<256x128xf32>, %b: !tile.view<128x256xf32>, %c: !tile.view<256x256xf32>) grid [8] warps 4 attributes {tile.stages = 3 : i64} {
  %pid = tile.program_id 0
  %c4 = arith.constant 4 : index
  %c64 = arith.constant 64 : index
  %c32 = arith.constant 32 : index
  %c128 = arith.constant 128 : index
  %c0 = arith.constant 0 : index
  %pm = arith.divui %pid, %c4 : index
  %pn = arith.remui %pid, %c4 : index
  %m = arith.muli %pm, %c128 : index
  %n = arith.muli %pn, %c64 : index
  %zero = arith.constant dense<0.0> : tensor<128x64xf32>
  %r = scf.for %k = %c0 to %c128 step %c32 iter_args(%acc = %zero) -> (tensor<128x64xf32>) {
    %x = tile.load %a[%m, %k] : !tile.view<256x128xf32> -> tensor<128x32xf32>
    %y = tile.load %b[%k, %n] : !tile.view<128x256xf32> -> tensor<32x64xf32>
    %d = tile.dot %x, %y, %acc lhs_contract [1] rhs_contract [0] {mma = #tile<mma wgmma>, precision = #tile<precision tf32>} : tensor<128x32xf32>, tensor<32x64xf32> -> tensor<128x64xf32>
    scf.yield %d : tensor<128x64xf32>
  }
  tile.store %r, %c[%m, %n] : tensor<128x64xf32>, !tile.view<256x256xf32>
  tile.return
}
