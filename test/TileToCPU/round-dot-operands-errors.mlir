// RUN: fuse-opt %s --tile-round-dot-operands --split-input-file --verify-diagnostics

#l = #tile.distributed<[[32]], lane = [[1], [2], [4], [8], [16]]>
tile.func @layout(%x: !tile.view<32xf32>) grid [1] warps 1 {
  %c0 = arith.constant 0 : index
  // expected-error @+1 {{makes a block with a layout; the CPU takes the program before tile-assign-layouts}}
  %a = tile.load %x[%c0] : !tile.view<32xf32> -> tensor<32xf32, #l>
  tile.return
}
