// RUN: fuse-opt %s --tile-group-pointwise --split-input-file --verify-diagnostics

#l = #tile.distributed<[[32]], lane = [[1], [2], [4], [8], [16]]>
tile.func @layout(%x: !tile.view<32xf32>) grid [1] warps 1 {
  // expected-error @+1 {{makes a block with a layout; the CPU takes the program before tile-assign-layouts}}
  %a = arith.constant dense<1.0> : tensor<32xf32, #l>
  %b = arith.addf %a, %a : tensor<32xf32, #l>
  tile.return
}
