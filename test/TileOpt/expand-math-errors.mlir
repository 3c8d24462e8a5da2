// Functions without an expansion stay, for the lowering to judge: the CPU has a
// library, a GPU has nothing.
// RUN: fuse-opt %s --tile-expand-math --split-input-file | FileCheck %s
// RUN: fuse-opt %s --tile-expand-math --tile-assign-layouts --tile-allocate-shared --convert-tile-to-nvvm --split-input-file --verify-diagnostics -o /dev/null

// CHECK-LABEL: tile.func @unknown
// CHECK: math.sinh
tile.func @unknown(%x: !tile.view<32xf32>, %y: !tile.view<32xf32>) grid [1] warps 1 {
  %c0 = arith.constant 0 : index
  %a = tile.load %x[%c0] : !tile.view<32xf32> -> tensor<32xf32>
  // expected-error @+1 {{'math.sinh' op has no GPU instruction; tile-expand-math expands the f32 functions}}
  %b = math.sinh %a : tensor<32xf32>
  tile.store %b, %y[%c0] : tensor<32xf32>, !tile.view<32xf32>
  tile.return
}

// -----

// Only kernels are touched: the host program is not compiled.
// CHECK-LABEL: func.func @host
// CHECK: math.exp
func.func @host(%x: f32) -> f32 {
  %0 = math.exp %x : f32
  return %0 : f32
}
