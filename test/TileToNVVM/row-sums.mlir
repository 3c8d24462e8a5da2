// RUN: %fuse-compile %s --emit=ptx -o %t.ptx
// RUN: %python %S/emulator/check.py row-sums %t.ptx
// RUN: fuse-opt %s --tile-assign-layouts | FileCheck %s
// RUN: %if ptxas %{ ptxas -arch=sm_90a -v %t.ptx -o %t.cubin 2>&1 | FileCheck %s --check-prefix=PTXAS %}
// PTXAS-NOT: C75
// PTXAS:     0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads

// Rows that a loop only adds up: the lanes that meet in a row divide the rows among
// them, and none keeps what another has. The 16 rows of a thread over 5 bits of
// lanes take 8 + 4 + 2 + 1 exchanges and one more, not 16 * 5.
// CHECK: #[[SUM:.*]] = #tile.distributed<{{\[\[}}64], []], lane = {{\[\[}}4, 0], [8, 0], [16, 0], [32, 0], [0, 0]]
// CHECK: scf.for {{.*}} -> (tensor<64x1xf32, #[[SUM]]>)

func.func @main(%a0: !tile.view<64x1000xf32>, %a1: !tile.view<64x1xf32>)
    attributes {tile.entry, tile.num_inputs = 1 : i64} {
  tile.launch @sums ins(%a0 : !tile.view<64x1000xf32>) outs(%a1 : !tile.view<64x1xf32>)
  return
}
tile.func @sums(%x: !tile.view<64x1000xf32>, %y: !tile.view<64x1xf32>) grid [1] warps 4 {
  %c0 = arith.constant 0 : index
  %c128 = arith.constant 128 : index
  %c1024 = arith.constant 1024 : index
  %zero = arith.constant dense<0.0> : tensor<64x1xf32>
  %s = scf.for %i = %c0 to %c1024 step %c128 iter_args(%sum = %zero) -> (tensor<64x1xf32>) {
    %t = tile.load %x[%c0, %i] : !tile.view<64x1000xf32> -> tensor<64x128xf32>
    %part = tile.reduce (%t) dims [1] : (tensor<64x128xf32>) -> tensor<64x1xf32> {
    ^bb0(%a: f32, %b: f32):
      %c = arith.addf %a, %b : f32
      tile.yield %c : f32
    }
    %next = arith.addf %sum, %part : tensor<64x1xf32>
    scf.yield %next : tensor<64x1xf32>
  }
  tile.store %s, %y[%c0, %c0] : tensor<64x1xf32>, !tile.view<64x1xf32>
  tile.return
}
