// RUN: fuse-opt %s --split-input-file --verify-diagnostics

tile.func @k() grid [2] warps 4 {
  %c0 = arith.constant 0 : index
  %a = arith.constant dense<1.0> : tensor<4x8xf32>
  %b = arith.constant dense<1.0> : tensor<8x16xf32>
  %h = arith.constant dense<1.0> : tensor<4x8xf16>
  %i = arith.constant dense<1> : tensor<4x8xi32>
  %c = arith.constant dense<0.0> : tensor<4x16xf32>
  %ch = arith.constant dense<0.0> : tensor<4x4xf16>
  // expected-error @+1 {{contracting dims 0 of lhs and 0 of rhs have extents 4 and 8}}
  %0 = tile.dot %a, %b, %c lhs_contract [0] rhs_contract [0] : tensor<4x8xf32>, tensor<8x16xf32> -> tensor<4x16xf32>
  tile.return
}

// -----

tile.func @k() grid [2] warps 4 {
  %c0 = arith.constant 0 : index
  %a = arith.constant dense<1.0> : tensor<4x8xf32>
  %b = arith.constant dense<1.0> : tensor<8x16xf32>
  %h = arith.constant dense<1.0> : tensor<4x8xf16>
  %i = arith.constant dense<1> : tensor<4x8xi32>
  %c = arith.constant dense<0.0> : tensor<4x16xf32>
  %ch = arith.constant dense<0.0> : tensor<4x4xf16>
  // expected-error @+1 {{lhs has 1 contracting dims, rhs has 2}}
  %0 = tile.dot %a, %b, %c lhs_contract [1] rhs_contract [0, 1] : tensor<4x8xf32>, tensor<8x16xf32> -> tensor<4x16xf32>
  tile.return
}

// -----

tile.func @k() grid [2] warps 4 {
  %c0 = arith.constant 0 : index
  %a = arith.constant dense<1.0> : tensor<4x8xf32>
  %b = arith.constant dense<1.0> : tensor<8x16xf32>
  %h = arith.constant dense<1.0> : tensor<4x8xf16>
  %i = arith.constant dense<1> : tensor<4x8xi32>
  %c = arith.constant dense<0.0> : tensor<4x16xf32>
  %ch = arith.constant dense<0.0> : tensor<4x4xf16>
  // expected-error @+1 {{lhs dim 2 is outside 'tensor<4x8xf32>'}}
  %0 = tile.dot %a, %b, %c lhs_contract [2] rhs_contract [0] : tensor<4x8xf32>, tensor<8x16xf32> -> tensor<4x16xf32>
  tile.return
}

// -----

tile.func @k() grid [2] warps 4 {
  %c0 = arith.constant 0 : index
  %a = arith.constant dense<1.0> : tensor<4x8xf32>
  %b = arith.constant dense<1.0> : tensor<8x16xf32>
  %h = arith.constant dense<1.0> : tensor<4x8xf16>
  %i = arith.constant dense<1> : tensor<4x8xi32>
  %c = arith.constant dense<0.0> : tensor<4x16xf32>
  %ch = arith.constant dense<0.0> : tensor<4x4xf16>
  // expected-error @+1 {{lhs dim 1 is used twice}}
  %0 = tile.dot %a, %b, %c lhs_contract [1, 1] rhs_contract [0, 0] : tensor<4x8xf32>, tensor<8x16xf32> -> tensor<4x16xf32>
  tile.return
}

// -----

tile.func @k() grid [2] warps 4 {
  %c0 = arith.constant 0 : index
  %a = arith.constant dense<1.0> : tensor<4x8xf32>
  %b = arith.constant dense<1.0> : tensor<8x16xf32>
  %h = arith.constant dense<1.0> : tensor<4x8xf16>
  %i = arith.constant dense<1> : tensor<4x8xi32>
  %c = arith.constant dense<0.0> : tensor<4x16xf32>
  %ch = arith.constant dense<0.0> : tensor<4x4xf16>
  // expected-error @+1 {{rhs dim 0 is used twice}}
  %0 = tile.dot %a, %b, %c lhs_contract [1] rhs_contract [0] batch [0] [0] : tensor<4x8xf32>, tensor<8x16xf32> -> tensor<4x16xf32>
  tile.return
}

// -----

tile.func @k() grid [2] warps 4 {
  %c0 = arith.constant 0 : index
  %a = arith.constant dense<1.0> : tensor<4x8xf32>
  %b = arith.constant dense<1.0> : tensor<8x16xf32>
  %h = arith.constant dense<1.0> : tensor<4x8xf16>
  %i = arith.constant dense<1> : tensor<4x8xi32>
  %c = arith.constant dense<0.0> : tensor<4x16xf32>
  %ch = arith.constant dense<0.0> : tensor<4x4xf16>
  // expected-error @+1 {{batch dims 0 of lhs and 1 of rhs have extents 4 and 16}}
  %0 = tile.dot %a, %b, %c lhs_contract [1] rhs_contract [0] batch [0] [1] : tensor<4x8xf32>, tensor<8x16xf32> -> tensor<4x16xf32>
  tile.return
}

// -----

tile.func @k() grid [2] warps 4 {
  %c0 = arith.constant 0 : index
  %a = arith.constant dense<1.0> : tensor<4x8xf32>
  %b = arith.constant dense<1.0> : tensor<8x16xf32>
  %h = arith.constant dense<1.0> : tensor<4x8xf16>
  %i = arith.constant dense<1> : tensor<4x8xi32>
  %c = arith.constant dense<0.0> : tensor<4x16xf32>
  %ch = arith.constant dense<0.0> : tensor<4x4xf16>
  // expected-error @+1 {{needs at least one contracting dim}}
  %0 = tile.dot %a, %b, %c lhs_contract [] rhs_contract [] : tensor<4x8xf32>, tensor<8x16xf32> -> tensor<4x16xf32>
  tile.return
}

// -----

tile.func @k() grid [2] warps 4 {
  %c0 = arith.constant 0 : index
  %a = arith.constant dense<1.0> : tensor<4x8xf32>
  %b = arith.constant dense<1.0> : tensor<8x16xf32>
  %h = arith.constant dense<1.0> : tensor<4x8xf16>
  %i = arith.constant dense<1> : tensor<4x8xi32>
  %c = arith.constant dense<0.0> : tensor<4x16xf32>
  %ch = arith.constant dense<0.0> : tensor<4x4xf16>
  // expected-error @+1 {{acc and result must be 'tensor<4x4xf32>', but are 'tensor<4x16xf32>'}}
  %0 = tile.dot %a, %a, %c lhs_contract [1] rhs_contract [1] : tensor<4x8xf32>, tensor<4x8xf32> -> tensor<4x16xf32>
  tile.return
}

// -----

tile.func @k() grid [2] warps 4 {
  %c0 = arith.constant 0 : index
  %a = arith.constant dense<1.0> : tensor<4x8xf32>
  %b = arith.constant dense<1.0> : tensor<8x16xf32>
  %h = arith.constant dense<1.0> : tensor<4x8xf16>
  %i = arith.constant dense<1> : tensor<4x8xi32>
  %c = arith.constant dense<0.0> : tensor<4x16xf32>
  %ch = arith.constant dense<0.0> : tensor<4x4xf16>
  // expected-error @+1 {{operands must have one float element type, but have 'f32' and 'f16'}}
  %0 = tile.dot %a, %h, %c lhs_contract [1] rhs_contract [1] : tensor<4x8xf32>, tensor<4x8xf16> -> tensor<4x16xf32>
  tile.return
}

// -----

tile.func @k() grid [2] warps 4 {
  %c0 = arith.constant 0 : index
  %a = arith.constant dense<1.0> : tensor<4x8xf32>
  %b = arith.constant dense<1.0> : tensor<8x16xf32>
  %h = arith.constant dense<1.0> : tensor<4x8xf16>
  %i = arith.constant dense<1> : tensor<4x8xi32>
  %c = arith.constant dense<0.0> : tensor<4x16xf32>
  %ch = arith.constant dense<0.0> : tensor<4x4xf16>
  // expected-error @+1 {{operands must have one float element type, but have 'i32' and 'i32'}}
  %0 = tile.dot %i, %i, %c lhs_contract [1] rhs_contract [1] : tensor<4x8xi32>, tensor<4x8xi32> -> tensor<4x16xf32>
  tile.return
}

// -----

tile.func @k() grid [2] warps 4 {
  %c0 = arith.constant 0 : index
  %a = arith.constant dense<1.0> : tensor<4x8xf32>
  %b = arith.constant dense<1.0> : tensor<8x16xf32>
  %h = arith.constant dense<1.0> : tensor<4x8xf16>
  %i = arith.constant dense<1> : tensor<4x8xi32>
  %c = arith.constant dense<0.0> : tensor<4x16xf32>
  %ch = arith.constant dense<0.0> : tensor<4x4xf16>
  // expected-error @+1 {{acc of 'f16' operands must be f32, but is 'f16'}}
  %0 = tile.dot %h, %h, %ch lhs_contract [1] rhs_contract [1] : tensor<4x8xf16>, tensor<4x8xf16> -> tensor<4x4xf16>
  tile.return
}
