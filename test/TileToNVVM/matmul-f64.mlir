// RUN: %fuse-compile %s --emit=ptx -o %t.ptx
// RUN: %python %S/emulator/check.py matmul-f64 %t.ptx
// RUN: %if ptxas %{ ptxas -arch=sm_90a -v %t.ptx -o %t.cubin 2>&1 | FileCheck %s --check-prefix=PTXAS %}
// PTXAS-NOT: C75
// PTXAS:     0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads

// No tensor core instruction here: fused multiply-adds over shared tiles.

func.func @main(%a0: !tile.view<256x128xf64>, %a1: !tile.view<128x256xf64>, %a2: !tile.view<256x256xf64>)
    attributes {tile.entry, tile.num_inputs = 2 : i64} {
  tile.launch @mm ins(%a0, %a1 : !tile.view<256x128xf64>, !tile.view<128x256xf64>)
                   outs(%a2 : !tile.view<256x256xf64>)
  return
}
tile.func @mm(%a: !tile.view<256x128xf64>, %b: !tile.view<128x256xf64>, %c: !tile.view<256x256xf64>) grid [32] warps 4 {
  %pid = tile.program_id 0
  %c4 = arith.constant 4 : index
  %c64 = arith.constant 64 : index
  %c32 = arith.constant 32 : index
  %c128 = arith.constant 128 : index
  %c0 = arith.constant 0 : index
  %pm = arith.divui %pid, %c4 : index
  %pn = arith.remui %pid, %c4 : index
  %m = arith.muli %pm, %c32 : index
  %n = arith.muli %pn, %c64 : index
  %zero = arith.constant dense<0.0> : tensor<32x64xf64>
  %r = scf.for %k = %c0 to %c128 step %c32 iter_args(%acc = %zero) -> (tensor<32x64xf64>) {
    %x = tile.load %a[%m, %k] : !tile.view<256x128xf64> -> tensor<32x32xf64>
    %y = tile.load %b[%k, %n] : !tile.view<128x256xf64> -> tensor<32x64xf64>
    %d = tile.dot %x, %y, %acc lhs_contract [1] rhs_contract [0] {mma = #tile<mma fma>, precision = #tile<precision ieee>} : tensor<32x32xf64>, tensor<32x64xf64> -> tensor<32x64xf64>
    scf.yield %d : tensor<32x64xf64>
  }
  tile.store %r, %c[%m, %n] : tensor<32x64xf64>, !tile.view<256x256xf64>
  tile.return
}
