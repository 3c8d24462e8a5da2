// RUN: fuse-opt %s --split-input-file --verify-diagnostics

tile.func @k(%x: !tile.view<8x16xf32>) grid [2] warps 4 {
  %c0 = arith.constant 0 : index
  // expected-error @+1 {{a view of rank 2 needs as many offsets, but there are 1}}
  %0 = tile.load %x[%c0] : !tile.view<8x16xf32> -> tensor<4x4xf32>
  tile.return
}

// -----

tile.func @k(%x: !tile.view<8x16xf32>) grid [2] warps 4 {
  %c0 = arith.constant 0 : index
  // expected-error @+1 {{block has rank 1, the view has rank 2}}
  %0 = tile.load %x[%c0, %c0] : !tile.view<8x16xf32> -> tensor<4xf32>
  tile.return
}

// -----

tile.func @k(%x: !tile.view<8x16xf32>) grid [2] warps 4 {
  %c0 = arith.constant 0 : index
  // expected-error @+1 {{block has element type 'f16', the view has 'f32'}}
  %0 = tile.load %x[%c0, %c0] : !tile.view<8x16xf32> -> tensor<4x4xf16>
  tile.return
}

// -----

tile.func @k(%x: !tile.view<8x16xf32>) grid [2] warps 4 {
  %c0 = arith.constant 0 : index
  %f = arith.constant 1 : i32
  // expected-error @+1 {{fill has type 'i32', the view has 'f32'}}
  %0 = tile.load %x[%c0, %c0] fill %f : i32 : !tile.view<8x16xf32> -> tensor<4x4xf32>
  tile.return
}

// -----

tile.func @k(%x: !tile.view<8x16xf32>) grid [2] warps 4 {
  %c0 = arith.constant 0 : index
  %m = arith.constant dense<true> : tensor<4x5xi1>
  // expected-error @+1 {{mask must be an i1 block of the shape of 'tensor<4x4xf32>', but is 'tensor<4x5xi1>'}}
  %0 = tile.load %x[%c0, %c0] mask %m : tensor<4x5xi1> : !tile.view<8x16xf32> -> tensor<4x4xf32>
  tile.return
}

// -----

tile.func @k(%x: !tile.view<8x16xf32>) grid [2] warps 4 {
  %c0 = arith.constant 0 : index
  %m = arith.constant dense<1> : tensor<4x4xi8>
  // expected-error @+1 {{mask must be an i1 block}}
  %0 = tile.load %x[%c0, %c0] mask %m : tensor<4x4xi8> : !tile.view<8x16xf32> -> tensor<4x4xf32>
  tile.return
}

// -----

tile.func @k(%x: !tile.view<8x16xf32>) grid [2] warps 4 {
  %c0 = arith.constant 0 : index
  // expected-error @+1 {{a view of rank 2 needs as many steps, but there are 1}}
  %0 = tile.load %x[%c0, %c0] {steps = array<i64: 1>} : !tile.view<8x16xf32> -> tensor<4x4xf32>
  tile.return
}

// -----

tile.func @k(%x: !tile.view<8x16xf32>) grid [2] warps 4 {
  %c0 = arith.constant 0 : index
  // expected-error @+1 {{steps must be positive, but there is 0}}
  %0 = tile.load %x[%c0, %c0] {steps = array<i64: 1, 0>} : !tile.view<8x16xf32> -> tensor<4x4xf32>
  tile.return
}

// -----

tile.func @k(%x: !tile.view<8x16xf32>) grid [2] warps 4 {
  %c0 = arith.constant 0 : index
  // expected-error @+1 {{step 9223372036854775807 over a block extent of 4 exceeds 32 bits}}
  %0 = tile.load %x[%c0, %c0] {steps = array<i64: 1, 9223372036854775807>} : !tile.view<8x16xf32> -> tensor<4x4xf32>
  tile.return
}

// -----

tile.func @k(%x: !tile.view<8x16xf32>) grid [2] warps 4 {
  %c0 = arith.constant 0 : index
  // expected-error @+1 {{result #0 must be block}}
  %0 = tile.load %x[%c0, %c0] : !tile.view<8x16xf32> -> tensor<4x?xf32>
  tile.return
}

// -----

tile.func @k(%x: !tile.view<8x16xf32>) grid [2] warps 4 {
  %c0 = arith.constant 0 : index
  // expected-error @+1 {{result #0 must be block}}
  %0 = tile.load %x[%c0, %c0] : !tile.view<8x16xf32> -> tensor<100000x100000xf32>
  tile.return
}

// -----

tile.func @k(%x: !tile.view<8x16xf32>) grid [2] warps 4 {
  %c0 = arith.constant 0 : index
  // expected-error @+1 {{result #0 must be block}}
  %0 = tile.load %x[%c0, %c0] : !tile.view<8x16xf32> -> tensor<0x4xf32>
  tile.return
}

// -----

tile.func @k(%x: !tile.view<8x16xf32>) grid [2] warps 4 {
  %c0 = arith.constant 0 : index
  %v = arith.constant dense<0.0> : tensor<4x4xf64>
  // expected-error @+1 {{block has element type 'f64', the view has 'f32'}}
  tile.store %v, %x[%c0, %c0] : tensor<4x4xf64>, !tile.view<8x16xf32>
  tile.return
}

// -----

tile.func @k(%x: !tile.view<8x16xf32, strides = [0, 1]>) grid [2] warps 4 {
  %c0 = arith.constant 0 : index
  %v = arith.constant dense<0.0> : tensor<4x4xf32>
  // expected-error @+1 {{cannot write to a view that repeats elements (stride 0)}}
  tile.store %v, %x[%c0, %c0] : tensor<4x4xf32>, !tile.view<8x16xf32, strides = [0, 1]>
  tile.return
}

// -----

tile.func @k(%x: !tile.view<8x8xi32>) grid [2] warps 4 {
  %c0 = arith.constant 0 : index
  %i = arith.constant dense<0> : tensor<4xi32>
  // expected-error @+1 {{view must have rank 1, but has rank 2}}
  tile.atomic add %x[%i : tensor<4xi32>], %i : tensor<4xi32> : !tile.view<8x8xi32>
  tile.return
}

// -----

tile.func @k(%x: !tile.view<8xf32>) grid [2] warps 4 {
  %c0 = arith.constant 0 : index
  %i = arith.constant dense<0> : tensor<4xi32>
  %v = arith.constant dense<0.0> : tensor<4xf32>
  // expected-error @+1 {{view must hold i32 or i64, but holds 'f32'}}
  tile.atomic add %x[%i : tensor<4xi32>], %v : tensor<4xf32> : !tile.view<8xf32>
  tile.return
}

// -----

tile.func @k(%x: !tile.view<8xi32>) grid [2] warps 4 {
  %c0 = arith.constant 0 : index
  %i = arith.constant dense<0> : tensor<4xi32>
  %v = arith.constant dense<0> : tensor<5xi32>
  // expected-error @+1 {{index and value must have one shape, but are 'tensor<4xi32>' and 'tensor<5xi32>'}}
  tile.atomic add %x[%i : tensor<4xi32>], %v : tensor<5xi32> : !tile.view<8xi32>
  tile.return
}

// -----

tile.func @k(%x: !tile.view<8xi32>) grid [2] warps 4 {
  %c0 = arith.constant 0 : index
  %i = arith.constant dense<0> : tensor<4xi8>
  %v = arith.constant dense<0> : tensor<4xi32>
  // expected-error @+1 {{index must be a block of i32, i64 or index, but is 'tensor<4xi8>'}}
  tile.atomic add %x[%i : tensor<4xi8>], %v : tensor<4xi32> : !tile.view<8xi32>
  tile.return
}

// -----

tile.func @k(%x: !tile.view<8x16xf32>) grid [2] warps 4 {
  %c0 = arith.constant 0 : index
  %v = arith.constant dense<0> : tensor<4xi32>
  // expected-error @+1 {{condition must be i1 or a block of i1, but is 'tensor<4xi32>'}}
  tile.assert %v, "wrong" : tensor<4xi32>
  tile.return
}

// -----

tile.func @k(%x: !tile.view<8x16xf32>) grid [2] warps 4 {
  %c0 = arith.constant 0 : index
  // expected-error @+1 {{prints blocks and scalars, not '!tile.view<8x16xf32>'}}
  tile.debug_print "x", %x : !tile.view<8x16xf32>
  tile.return
}
