// RUN: fuse-opt %s --split-input-file --verify-diagnostics

// expected-error @+1 {{extent of a view must be positive, but is 0}}
tile.func @k(%x: !tile.view<0x4xf32>) grid [1] warps 4 {
  tile.return
}

// -----

// expected-error @+1 {{a view must have at most 2^56 elements}}
tile.func @k(%x: !tile.view<9000000000000000000x9000000000000000000xf32>) grid [1] warps 4 {
  tile.return
}

// -----

// expected-error @+1 {{a view of rank 2 has 1 strides}}
tile.func @k(%x: !tile.view<4x4xf32, strides = [1]>) grid [1] warps 4 {
  tile.return
}

// -----

// expected-error @+1 {{stride of a view must not be negative, but is -1}}
tile.func @k(%x: !tile.view<4xf32, strides = [-1]>) grid [1] warps 4 {
  tile.return
}

// -----

// expected-error @+1 {{element type of a view must be f16, bf16, f32, f64, i1, i8, i16, i32 or i64, but is 'i7'}}
tile.func @k(%x: !tile.view<4xi7>) grid [1] warps 4 {
  tile.return
}

// -----

// expected-error @+1 {{arguments must be views, but there is a 'f32'}}
tile.func @k(%x: f32) grid [1] warps 4 {
  tile.return
}

// -----

// expected-error @+1 {{has no results; it writes to views}}
tile.func @k() -> f32 grid [1] warps 4 {
  tile.return
}

// -----

// expected-error @+1 {{grid must have 1 to 3 axes, but has 4}}
tile.func @k() grid [1, 1, 1, 1] warps 4 {
  tile.return
}

// -----

// expected-error @+1 {{grid extents must be 1 to 2^31 - 1 and their product below 2^63, but there is 0}}
tile.func @k() grid [0] warps 4 {
  tile.return
}

// -----

// expected-error @+1 {{grid extents must be 1 to 2^31 - 1 and their product below 2^63}}
tile.func @k() grid [2147483647, 2147483647, 2147483647] warps 4 {
  tile.return
}

// -----

// expected-error @+1 {{warps must be 1 to 32, but is 64}}
tile.func @k() grid [1] warps 64 {
  tile.return
}

// -----

// expected-error @+1 {{body must have one block; control flow is scf}}
tile.func @k() grid [1] warps 4 {
  cf.br ^next
^next:
  tile.return
}

// -----

tile.func @k() grid [1] warps 4 {
  // expected-error @+1 {{axis 1 is outside the grid of rank 1}}
  %0 = tile.program_id 1
  tile.return
}

// -----

func.func @f() {
  // expected-error @+1 {{must be inside a tile.func}}
  %0 = tile.program_id 0
  return
}

// -----

// expected-error @+1 {{expected 'grid'}}
tile.func @k() {
  tile.return
}
