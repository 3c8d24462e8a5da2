// RUN: %fuse-compile %s --emit=ptx -o %t.ptx
// RUN: %python %S/emulator/check.py scan %t.ptx
// RUN: %if ptxas %{ ptxas -arch=sm_90a -v %t.ptx -o %t.cubin 2>&1 | FileCheck %s --check-prefix=PTXAS %}
// PTXAS-NOT: C75
// PTXAS:     0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads

// Inclusive sums of rows, and of rows from the right.

func.func @main(%a0: !tile.view<30x64xf32>, %a1: !tile.view<30x64xf32>, %a2: !tile.view<30x64xf32>)
    attributes {tile.entry, tile.num_inputs = 1 : i64} {
  tile.launch @scan ins(%a0 : !tile.view<30x64xf32>)
                   outs(%a1, %a2 : !tile.view<30x64xf32>, !tile.view<30x64xf32>)
  return
}
tile.func @scan(%x: !tile.view<30x64xf32>, %y: !tile.view<30x64xf32>, %z: !tile.view<30x64xf32>) grid [2] warps 1 {
  %pid = tile.program_id 0
  %c16 = arith.constant 16 : index
  %c0 = arith.constant 0 : index
  %o = arith.muli %pid, %c16 : index
  %v = tile.load %x[%o, %c0] : !tile.view<30x64xf32> -> tensor<16x64xf32>
  %s = tile.scan (%v) dim 1 : (tensor<16x64xf32>) -> (tensor<16x64xf32>) {
  ^bb0(%p: f32, %q: f32):
    %r = arith.addf %p, %q : f32
    tile.yield %r : f32
  }
  %t = tile.scan (%v) dim 1 reverse : (tensor<16x64xf32>) -> (tensor<16x64xf32>) {
  ^bb0(%p: f32, %q: f32):
    %r = arith.addf %p, %q : f32
    tile.yield %r : f32
  }
  tile.store %s, %y[%o, %c0] : tensor<16x64xf32>, !tile.view<30x64xf32>
  tile.store %t, %z[%o, %c0] : tensor<16x64xf32>, !tile.view<30x64xf32>
  tile.return
}
