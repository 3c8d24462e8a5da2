// RUN: fuse-opt %s --tile-assign-layouts | FileCheck %s
// RUN: %fuse-compile %s --emit=ptx -o %t.ptx
// RUN: %python %S/../TileToNVVM/emulator/check.py store-rows %t.ptx

// Rows of 126 elements start anywhere in a sector: sums go through shared memory and
// to memory in long rows, two neighbours a thread. Rows of 128 are stored as they lie.
// CHECK: #[[ROWS:.*]] = #tile.distributed<{{.*}}lane = {{\[\[}}0, 2], [0, 4], [0, 8], [0, 16], [0, 32]]
// CHECK-LABEL: tile.func @rows
// CHECK: %[[TILE:.*]] = tile.alloc_shared : <64x128xf32
// CHECK: tile.copy_to_shared %{{.*}}, %[[TILE]]
// CHECK: %[[OUT:.*]] = tile.load_shared %[[TILE]]{{.*}} -> tensor<64x128xf32, #[[ROWS]]>
// CHECK: tile.store %[[OUT]]
// CHECK: %[[SUM:.*]] = arith.addf
// CHECK-NEXT: tile.store %[[SUM]]
func.func @main(%a0: !tile.view<64x8xf32>, %a1: !tile.view<8x128xf32>, %a2: !tile.view<64x126xf32>, %a3: !tile.view<64x128xf32>)
    attributes {tile.entry, tile.num_inputs = 2 : i64} {
  tile.launch @rows ins(%a0, %a1 : !tile.view<64x8xf32>, !tile.view<8x128xf32>) outs(%a2, %a3 : !tile.view<64x126xf32>, !tile.view<64x128xf32>)
  return
}
tile.func @rows(%a: !tile.view<64x8xf32>, %b: !tile.view<8x128xf32>, %y: !tile.view<64x126xf32>, %z: !tile.view<64x128xf32>)
    grid [1] warps 4 {
  %c0 = arith.constant 0 : index
  %zero = arith.constant dense<0.0> : tensor<64x128xf32>
  %one = arith.constant dense<1.0> : tensor<64x128xf32>
  %l = tile.load %a[%c0, %c0] : !tile.view<64x8xf32> -> tensor<64x8xf32>
  %r = tile.load %b[%c0, %c0] : !tile.view<8x128xf32> -> tensor<8x128xf32>
  %p = tile.dot %l, %r, %zero lhs_contract [1] rhs_contract [0] {mma = #tile<mma mma_sync>, precision = #tile<precision tf32>} : tensor<64x8xf32>, tensor<8x128xf32> -> tensor<64x128xf32>
  %m = arith.mulf %p, %p : tensor<64x128xf32>
  tile.store %m, %y[%c0, %c0] : tensor<64x128xf32>, !tile.view<64x126xf32>
  %s = arith.addf %p, %one : tensor<64x128xf32>
  tile.store %s, %z[%c0, %c0] : tensor<64x128xf32>, !tile.view<64x128xf32>
  tile.return
}
