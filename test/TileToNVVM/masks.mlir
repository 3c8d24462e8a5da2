// RUN: %fuse-compile %s --emit=ptx -o %t.ptx
// RUN: %python %S/emulator/check.py masks %t.ptx
// RUN: %if ptxas %{ ptxas -arch=sm_90a -v %t.ptx -o %t.cubin 2>&1 | FileCheck %s --check-prefix=PTXAS %}
// PTXAS-NOT: C75
// PTXAS:     0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads

// i1 in memory is a byte; a mask from data; f16 conversion; odd extents; a
// transposed, strided store.

func.func @main(%a0: !tile.view<15x33xf32>, %a1: !tile.view<15x33xi1>, %a2: !tile.view<33x30xf16>)
    attributes {tile.entry, tile.num_inputs = 2 : i64} {
  tile.launch @masks ins(%a0, %a1 : !tile.view<15x33xf32>, !tile.view<15x33xi1>)
                   outs(%a2 : !tile.view<33x30xf16>)
  return
}
tile.func @masks(%x: !tile.view<15x33xf32>, %m: !tile.view<15x33xi1>, %y: !tile.view<33x30xf16>) grid [1] warps 2 {
  %c0 = arith.constant 0 : index
  %v = tile.load %x[%c0, %c0] : !tile.view<15x33xf32> -> tensor<15x33xf32>
  %k = tile.load %m[%c0, %c0] : !tile.view<15x33xi1> -> tensor<15x33xi1>
  %h = arith.truncf %v : tensor<15x33xf32> to tensor<15x33xf16>
  %t = tile.trans %h [1, 0] : tensor<15x33xf16> -> tensor<33x15xf16>
  %tk = tile.trans %k [1, 0] : tensor<15x33xi1> -> tensor<33x15xi1>
  tile.store %t, %y[%c0, %c0] mask %tk : tensor<33x15xi1> {steps = array<i64: 1, 2>} : tensor<33x15xf16>, !tile.view<33x30xf16>
  tile.return
}
