// RUN: fuse-opt %s --split-input-file --verify-diagnostics

tile.func @k() grid [2] warps 4 {
  %c0 = arith.constant 0 : index
  %a = arith.constant dense<1.0> : tensor<4x8xf32>
  %i = arith.constant dense<1> : tensor<4x8xi32>
  %s = arith.constant 1.0 : f32
  // expected-error @+1 {{dim 2 is outside 'tensor<4x8xi32>'}}
  %0 = tile.iota 2 : tensor<4x8xi32>
  tile.return
}

// -----

tile.func @k() grid [2] warps 4 {
  %c0 = arith.constant 0 : index
  %a = arith.constant dense<1.0> : tensor<4x8xf32>
  %i = arith.constant dense<1> : tensor<4x8xi32>
  %s = arith.constant 1.0 : f32
  // expected-error @+1 {{counts in i32, i64 or index, not in 'f32'}}
  %0 = tile.iota 0 : tensor<4x8xf32>
  tile.return
}

// -----

tile.func @k() grid [2] warps 4 {
  %c0 = arith.constant 0 : index
  %a = arith.constant dense<1.0> : tensor<4x8xf32>
  %i = arith.constant dense<1> : tensor<4x8xi32>
  %s = arith.constant 1.0 : f32
  // expected-error @+1 {{value has type 'f32', the block has 'f16'}}
  %0 = tile.splat %s : f32 -> tensor<4xf16>
  tile.return
}

// -----

tile.func @k() grid [2] warps 4 {
  %c0 = arith.constant 0 : index
  %a = arith.constant dense<1.0> : tensor<4x8xf32>
  %i = arith.constant dense<1> : tensor<4x8xi32>
  %s = arith.constant 1.0 : f32
  // expected-error @+1 {{needs a block of one element, but has 'tensor<4x8xf32>'}}
  %0 = tile.extract %a : tensor<4x8xf32> -> f32
  tile.return
}

// -----

tile.func @k() grid [2] warps 4 {
  %c0 = arith.constant 0 : index
  %a = arith.constant dense<1.0> : tensor<4x8xf32>
  %i = arith.constant dense<1> : tensor<4x8xi32>
  %s = arith.constant 1.0 : f32
  // expected-error @+1 {{rank must stay, but changes from 2 to 1}}
  %0 = tile.broadcast %a : tensor<4x8xf32> -> tensor<8xf32>
  tile.return
}

// -----

tile.func @k() grid [2] warps 4 {
  %c0 = arith.constant 0 : index
  %a = arith.constant dense<1.0> : tensor<4x8xf32>
  %i = arith.constant dense<1> : tensor<4x8xi32>
  %s = arith.constant 1.0 : f32
  // expected-error @+1 {{dim 0 cannot grow from 4 to 8}}
  %0 = tile.broadcast %a : tensor<4x8xf32> -> tensor<8x8xf32>
  tile.return
}

// -----

tile.func @k() grid [2] warps 4 {
  %c0 = arith.constant 0 : index
  %a = arith.constant dense<1.0> : tensor<4x8xf32>
  %i = arith.constant dense<1> : tensor<4x8xi32>
  %s = arith.constant 1.0 : f32
  // expected-error @+1 {{element type must stay, but changes from 'f32' to 'f16'}}
  %0 = tile.broadcast %a : tensor<4x8xf32> -> tensor<4x8xf16>
  tile.return
}

// -----

tile.func @k() grid [2] warps 4 {
  %c0 = arith.constant 0 : index
  %a = arith.constant dense<1.0> : tensor<4x8xf32>
  %i = arith.constant dense<1> : tensor<4x8xi32>
  %s = arith.constant 1.0 : f32
  // expected-error @+1 {{number of elements must stay, but changes from 32 to 31}}
  %0 = tile.reshape %a : tensor<4x8xf32> -> tensor<31xf32>
  tile.return
}

// -----

tile.func @k() grid [2] warps 4 {
  %c0 = arith.constant 0 : index
  %a = arith.constant dense<1.0> : tensor<4x8xf32>
  %i = arith.constant dense<1> : tensor<4x8xi32>
  %s = arith.constant 1.0 : f32
  // expected-error @+1 {{permutation [0, 0] is not one of 2 dims}}
  %0 = tile.trans %a [0, 0] : tensor<4x8xf32> -> tensor<4x8xf32>
  tile.return
}

// -----

tile.func @k() grid [2] warps 4 {
  %c0 = arith.constant 0 : index
  %a = arith.constant dense<1.0> : tensor<4x8xf32>
  %i = arith.constant dense<1> : tensor<4x8xi32>
  %s = arith.constant 1.0 : f32
  // expected-error @+1 {{permutation [-1, 0] is not one of 2 dims}}
  %0 = tile.trans %a [-1, 0] : tensor<4x8xf32> -> tensor<4x8xf32>
  tile.return
}

// -----

tile.func @k() grid [2] warps 4 {
  %c0 = arith.constant 0 : index
  %a = arith.constant dense<1.0> : tensor<4x8xf32>
  %i = arith.constant dense<1> : tensor<4x8xi32>
  %s = arith.constant 1.0 : f32
  // expected-error @+1 {{permutation [0] is not one of 2 dims}}
  %0 = tile.trans %a [0] : tensor<4x8xf32> -> tensor<4x8xf32>
  tile.return
}

// -----

tile.func @k() grid [2] warps 4 {
  %c0 = arith.constant 0 : index
  %a = arith.constant dense<1.0> : tensor<4x8xf32>
  %i = arith.constant dense<1> : tensor<4x8xi32>
  %s = arith.constant 1.0 : f32
  // expected-error @+1 {{result must be 'tensor<8x4xf32>', but is 'tensor<4x8xf32>'}}
  %0 = tile.trans %a [1, 0] : tensor<4x8xf32> -> tensor<4x8xf32>
  tile.return
}

// -----

tile.func @k() grid [2] warps 4 {
  %c0 = arith.constant 0 : index
  %a = arith.constant dense<1.0> : tensor<4x8xf32>
  %i = arith.constant dense<1> : tensor<4x8xi32>
  %s = arith.constant 1.0 : f32
  // expected-error @+1 {{window leaves the block in dim 1: offset 6, extent 2, stride 2 in an extent of 8}}
  %0 = tile.window %a [0, 6] strides [1, 2] : tensor<4x8xf32> -> tensor<4x2xf32>
  tile.return
}

// -----

tile.func @k() grid [2] warps 4 {
  %c0 = arith.constant 0 : index
  %a = arith.constant dense<1.0> : tensor<4x8xf32>
  %i = arith.constant dense<1> : tensor<4x8xi32>
  %s = arith.constant 1.0 : f32
  // expected-error @+1 {{window leaves the block in dim 0: offset -1}}
  %0 = tile.window %a [-1, 0] strides [1, 1] : tensor<4x8xf32> -> tensor<2x2xf32>
  tile.return
}

// -----

tile.func @k() grid [2] warps 4 {
  %c0 = arith.constant 0 : index
  %a = arith.constant dense<1.0> : tensor<4x8xf32>
  %i = arith.constant dense<1> : tensor<4x8xi32>
  %s = arith.constant 1.0 : f32
  // expected-error @+1 {{window leaves the block in dim 0: offset 9223372036854775807}}
  %0 = tile.window %a [9223372036854775807, 0] strides [9223372036854775807, 1] : tensor<4x8xf32> -> tensor<2x2xf32>
  tile.return
}

// -----

tile.func @k() grid [2] warps 4 {
  %c0 = arith.constant 0 : index
  %a = arith.constant dense<1.0> : tensor<4x8xf32>
  %i = arith.constant dense<1> : tensor<4x8xi32>
  %s = arith.constant 1.0 : f32
  // expected-error @+1 {{strides must be positive, but there is 0}}
  %0 = tile.window %a [0, 0] strides [0, 1] : tensor<4x8xf32> -> tensor<2x2xf32>
  tile.return
}

// -----

tile.func @k() grid [2] warps 4 {
  %c0 = arith.constant 0 : index
  %a = arith.constant dense<1.0> : tensor<4x8xf32>
  %i = arith.constant dense<1> : tensor<4x8xi32>
  %s = arith.constant 1.0 : f32
  // expected-error @+1 {{window, offsets and strides must have the block's rank 2, but have 1, 2 and 2}}
  %0 = tile.window %a [0, 0] strides [1, 1] : tensor<4x8xf32> -> tensor<2xf32>
  tile.return
}

// -----

tile.func @k() grid [2] warps 4 {
  %c0 = arith.constant 0 : index
  %a = arith.constant dense<1.0> : tensor<4x8xf32>
  %i = arith.constant dense<1> : tensor<4x8xi32>
  %s = arith.constant 1.0 : f32
  // expected-error @+1 {{window leaves the block in dim 1}}
  %0 = tile.insert_window %a into %a [0, 1] strides [1, 1] : tensor<4x8xf32> into tensor<4x8xf32>
  tile.return
}
