// RUN: fuse-opt %s --convert-tile-to-linalg --split-input-file --verify-diagnostics

tile.func @loop(%x: !tile.view<8xf32>, %y: !tile.view<8xf32>) grid [1] warps 1 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r = scf.for %i = %c0 to %c1 step %c1 iter_args(%v = %x) -> (!tile.view<8xf32>) {
    scf.yield %y : !tile.view<8xf32>
  }
  // expected-error @+1 {{'tile.load' op uses a view that is no argument of its kernel}}
  %a = tile.load %r[%c0] : !tile.view<8xf32> -> tensor<8xf32>
  tile.return
}

// -----

#l = #tile.distributed<[[32]], lane = [[1], [2], [4], [8], [16]]>
tile.func @layout(%x: !tile.view<32xf32>) grid [1] warps 1 {
  %c0 = arith.constant 0 : index
  // expected-error @+1 {{makes a block with a layout; the CPU takes the program before tile-assign-layouts}}
  %a = tile.load %x[%c0] : !tile.view<32xf32> -> tensor<32xf32, #l>
  tile.return
}

// -----

tile.func @barrier() grid [1] warps 1 {
  // expected-error @+1 {{'tile.barrier' op has no lowering to the CPU}}
  tile.barrier
  tile.return
}
