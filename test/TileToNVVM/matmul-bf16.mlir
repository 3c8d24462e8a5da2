// RUN: %fuse-compile %s --emit=ptx -o %t.ptx
// RUN: %python %S/emulator/check.py matmul-bf16 %t.ptx
// RUN: %if ptxas %{ ptxas -arch=sm_90a -v %t.ptx -o %t.cubin 2>&1 | FileCheck %s --check-prefix=PTXAS %}
// PTXAS-NOT: C75
// PTXAS:     0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads

// 16-bit operands, f32 sums.

func.func @main(%a0: !tile.view<256x128xbf16>, %a1: !tile.view<128x256xbf16>, %a2: !tile.view<256x256xf32>)
    attributes {tile.entry, tile.num_inputs = 2 : i64} {
  tile.launch @mm ins(%a0, %a1 : !tile.view<256x128xbf16>, !tile.view<128x256xbf16>)
                   outs(%a2 : !tile.view<256x256xf32>)
  return
}
tile.func @mm(%a: !tile.view<256x128xbf16>, %b: !tile.view<128x256xbf16>, %c: !tile.view<256x256xf32>) grid [8] warps 4 {
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
    %x = tile.load %a[%m, %k] : !tile.view<256x128xbf16> -> tensor<128x32xbf16>
    %y = tile.load %b[%k, %n] : !tile.view<128x256xbf16> -> tensor<32x64xbf16>
    %d = tile.dot %x, %y, %acc lhs_contract [1] rhs_contract [0] {mma = #tile<mma mma_sync>, precision = #tile<precision ieee>} : tensor<128x32xbf16>, tensor<32x64xbf16> -> tensor<128x64xf32>
    scf.yield %d : tensor<128x64xf32>
  }
  tile.store %r, %c[%m, %n] : tensor<128x64xf32>, !tile.view<256x256xf32>
  tile.return
}
