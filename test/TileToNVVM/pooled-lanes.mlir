// RUN: %fuse-compile %s --emit=ptx -o %t.ptx
// RUN: %python %S/emulator/check.py pooled-lanes %t.ptx
// RUN: fuse-opt %s --tile-assign-layouts --tile-allocate-shared --convert-tile-to-nvvm | FileCheck %s

// Windows of four columns meet in two lanes. What they leave is only stored, so that
// the lanes divide it: one shuffle for two values, and each value is stored once.
// CHECK-LABEL: llvm.func @pool
// CHECK-COUNT-4: nvvm.shfl.sync
// CHECK-NOT: nvvm.shfl.sync
func.func @main(%a0: !tile.view<16x8xf32>, %a1: !tile.view<8x32xf32>, %a2: !tile.view<16x8xf32>)
    attributes {tile.entry, tile.num_inputs = 2 : i64} {
  tile.launch @pool ins(%a0, %a1 : !tile.view<16x8xf32>, !tile.view<8x32xf32>) outs(%a2 : !tile.view<16x8xf32>)
  return
}
tile.func @pool(%a: !tile.view<16x8xf32>, %b: !tile.view<8x32xf32>, %y: !tile.view<16x8xf32>)
    grid [1] warps 1 {
  %c0 = arith.constant 0 : index
  %zero = arith.constant dense<0.0> : tensor<16x32xf32>
  %l = tile.load %a[%c0, %c0] : !tile.view<16x8xf32> -> tensor<16x8xf32>
  %r = tile.load %b[%c0, %c0] : !tile.view<8x32xf32> -> tensor<8x32xf32>
  %p = tile.dot %l, %r, %zero lhs_contract [1] rhs_contract [0] {mma = #tile<mma mma_sync>, precision = #tile<precision tf32>} : tensor<16x8xf32>, tensor<8x32xf32> -> tensor<16x32xf32>
  %w = tile.reshape %p : tensor<16x32xf32> -> tensor<16x8x4xf32>
  %m = tile.reduce (%w) dims [2] : (tensor<16x8x4xf32>) -> (tensor<16x8x1xf32>) {
  ^bb0(%x: f32, %z: f32):
    %max = arith.maximumf %x, %z : f32
    tile.yield %max : f32
  }
  %o = tile.reshape %m : tensor<16x8x1xf32> -> tensor<16x8xf32>
  tile.store %o, %y[%c0, %c0] : tensor<16x8xf32>, !tile.view<16x8xf32>
  tile.return
}
