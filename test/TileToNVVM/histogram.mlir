// RUN: %fuse-compile %s --emit=ptx -o %t.ptx
// RUN: %python %S/emulator/check.py histogram %t.ptx
// RUN: %if ptxas %{ ptxas -arch=sm_90a -v %t.ptx -o %t.cubin 2>&1 | FileCheck %s --check-prefix=PTXAS %}
// PTXAS-NOT: C75
// PTXAS:     0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads

// Integer atomics; elements outside the view's bins do nothing.

func.func @main(%a0: !tile.view<1000xi32>, %a1: !tile.view<10xi32>)
    attributes {tile.entry, tile.num_inputs = 1 : i64} {
  tile.launch @histogram ins(%a0 : !tile.view<1000xi32>)
                   outs(%a1 : !tile.view<10xi32>)
  return
}
tile.func @histogram(%x: !tile.view<1000xi32>, %y: !tile.view<10xi32>) grid [4] warps 2 {
  %pid = tile.program_id 0
  %c256 = arith.constant 256 : index
  %o = arith.muli %pid, %c256 : index
  %m1 = arith.constant -1 : i32
  %v = tile.load %x[%o] fill %m1 : i32 : !tile.view<1000xi32> -> tensor<256xi32>
  %one = arith.constant dense<1> : tensor<256xi32>
  tile.atomic add %y[%v : tensor<256xi32>], %one : tensor<256xi32> : !tile.view<10xi32>
  tile.return
}
