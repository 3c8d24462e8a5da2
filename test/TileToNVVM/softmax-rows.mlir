// RUN: %fuse-compile %s --emit=ptx -o %t.ptx
// RUN: %python %S/emulator/check.py softmax-rows %t.ptx
// RUN: %if ptxas %{ ptxas -arch=sm_90a -v %t.ptx -o %t.cubin 2>&1 | FileCheck %s --check-prefix=PTXAS %}
// PTXAS-NOT: C75
// PTXAS:     0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads

// 100 rows of 1000: a ragged row of a power-of-two block, filled with -inf; both
// reductions cross warps.

func.func @main(%a0: !tile.view<100x1000xf32>, %a1: !tile.view<100x1000xf32>)
    attributes {tile.entry, tile.num_inputs = 1 : i64} {
  tile.launch @softmax ins(%a0 : !tile.view<100x1000xf32>)
                   outs(%a1 : !tile.view<100x1000xf32>)
  return
}
tile.func @softmax(%x: !tile.view<100x1000xf32>, %y: !tile.view<100x1000xf32>) grid [25] warps 4 {
  %pid = tile.program_id 0
  %c4 = arith.constant 4 : index
  %c0 = arith.constant 0 : index
  %o = arith.muli %pid, %c4 : index
  %ninf = arith.constant 0xFF800000 : f32
  %a = tile.load %x[%o, %c0] fill %ninf : f32 : !tile.view<100x1000xf32> -> tensor<4x1024xf32>
  %m = tile.reduce (%a) dims [1] : (tensor<4x1024xf32>) -> (tensor<4x1xf32>) {
  ^bb0(%p: f32, %q: f32):
    %r = arith.maximumf %p, %q : f32
    tile.yield %r : f32
  }
  %mb = tile.broadcast %m : tensor<4x1xf32> -> tensor<4x1024xf32>
  %d = arith.subf %a, %mb : tensor<4x1024xf32>
  %e = math.exp %d : tensor<4x1024xf32>
  %s = tile.reduce (%e) dims [1] : (tensor<4x1024xf32>) -> (tensor<4x1xf32>) {
  ^bb0(%p: f32, %q: f32):
    %r = arith.addf %p, %q : f32
    tile.yield %r : f32
  }
  %sb = tile.broadcast %s : tensor<4x1xf32> -> tensor<4x1024xf32>
  %v = arith.divf %e, %sb : tensor<4x1024xf32>
  tile.store %v, %y[%o, %c0] : tensor<4x1024xf32>, !tile.view<100x1000xf32>
  tile.return
}
