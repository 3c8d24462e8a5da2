// RUN: fuse-opt %s --tile-assign-layouts --split-input-file --verify-diagnostics

// expected-error @+1 {{needs 1, 2, 4, 8, 16 or 32 warps, but has 3}}
tile.func @warps() grid [1] warps 3 {
  tile.return
}

// -----

tile.func @scan(%x: !tile.view<1024xf32>) grid [1] warps 4 {
  %c0 = arith.constant 0 : index
  %t = tile.load %x[%c0] : !tile.view<1024xf32> -> tensor<1024xf32>
  // expected-error @+1 {{takes 1024 registers a thread for 'tensor<1024xf32}}
  %s = tile.scan (%t) dim 0 : (tensor<1024xf32>) -> (tensor<1024xf32>) {
  ^bb0(%a: f32, %b: f32):
    %c = arith.addf %a, %b : f32
    tile.yield %c : f32
  }
  tile.store %s, %x[%c0] : tensor<1024xf32>, !tile.view<1024xf32>
  tile.return
}

// -----

// expected-error @+1 {{has layouts already}}
tile.func @twice() grid [1] warps 1 {
  %s = tile.alloc_shared : !tile.shared<16xf32, #tile.shared_layout<[1]>>
  tile.return
}

// -----

tile.func @remark(%x: !tile.view<8x8xf32>) grid [1] warps 1 {
  %c0 = arith.constant 0 : index
  %zero = arith.constant dense<0.0> : tensor<8x8xf32>
  %a = tile.load %x[%c0, %c0] : !tile.view<8x8xf32> -> tensor<8x8xf32>
  // expected-remark @+1 {{runs on FMA units: a product of 8 x 8 x 8 is not made of 16 x 8 x 8 steps}}
  %d = tile.dot %a, %a, %zero lhs_contract [1] rhs_contract [0] {mma = #tile<mma mma_sync>} : tensor<8x8xf32>, tensor<8x8xf32> -> tensor<8x8xf32>
  tile.store %d, %x[%c0, %c0] : tensor<8x8xf32>, !tile.view<8x8xf32>
  tile.return
}

// -----

tile.func @large(%x: !tile.view<1024x1024xf32>) grid [1] warps 4 {
  %c0 = arith.constant 0 : index
  // expected-error @+1 {{makes a block of 1048576 elements, of 262144 that a program instance holds at most}}
  %t = tile.load %x[%c0, %c0] : !tile.view<1024x1024xf32> -> tensor<1024x1024xf32>
  tile.store %t, %x[%c0, %c0] : tensor<1024x1024xf32>, !tile.view<1024x1024xf32>
  tile.return
}
