// RUN: fuse-opt %s --split-input-file --verify-diagnostics

tile.func @k(%x: !tile.view<8xf32>) grid [1] warps 4 {
  tile.return
}

func.func @f(%x: !tile.view<8xf32>, %y: !tile.view<4xf32>) {
  // expected-error @+1 {{there is no tile.func @missing}}
  tile.launch @missing ins(%x : !tile.view<8xf32>)
  return
}

// -----

tile.func @k(%x: !tile.view<8xf32>) grid [1] warps 4 {
  tile.return
}

func.func @f(%x: !tile.view<8xf32>, %y: !tile.view<4xf32>) {
  // expected-error @+1 {{there is no tile.func @f}}
  tile.launch @f ins(%x : !tile.view<8xf32>)
  return
}

// -----

tile.func @k(%x: !tile.view<8xf32>) grid [1] warps 4 {
  tile.return
}

func.func @f(%x: !tile.view<8xf32>, %y: !tile.view<4xf32>) {
  // expected-error @+1 {{kernel @k takes 1 arguments, but there are 2}}
  tile.launch @k ins(%x, %x : !tile.view<8xf32>, !tile.view<8xf32>)
  return
}

// -----

tile.func @k(%x: !tile.view<8xf32>) grid [1] warps 4 {
  tile.return
}

func.func @f(%x: !tile.view<8xf32>, %y: !tile.view<4xf32>) {
  // expected-error @+1 {{argument 0 of kernel @k is '!tile.view<8xf32>', not '!tile.view<4xf32>'}}
  tile.launch @k outs(%y : !tile.view<4xf32>)
  return
}

// -----

tile.func @k(%x: !tile.view<8xf32>) grid [1] warps 4 {
  tile.return
}

func.func @f(%x: !tile.view<8xf32>, %y: !tile.view<4xf32>) {
  // expected-error @+1 {{offset must be a multiple of 256, but is 100}}
  %0 = tile.alloc at 100 : !tile.view<8xf32>
  return
}

// -----

tile.func @k(%x: !tile.view<8xf32>) grid [1] warps 4 {
  tile.return
}

func.func @f(%x: !tile.view<8xf32>, %y: !tile.view<4xf32>) {
  // expected-error @+1 {{makes dense views, not '!tile.view<8xf32, strides = [2]>'}}
  %0 = tile.alloc : !tile.view<8xf32, strides = [2]>
  return
}

// -----

tile.func @k(%x: !tile.view<8xf32>) grid [1] warps 4 {
  tile.return
}

func.func @f(%x: !tile.view<8xf32>, %y: !tile.view<4xf32>) {
  // expected-error @+1 {{value of type 'tensor<4xf32>' does not match '!tile.view<8xf32>'}}
  %0 = tile.constant dense<1.0> : tensor<4xf32> : !tile.view<8xf32>
  return
}

// -----

tile.func @k(%x: !tile.view<8xf32>) grid [1] warps 4 {
  tile.return
}

func.func @f(%x: !tile.view<8xf32>, %y: !tile.view<4xf32>) {
  // expected-error @+1 {{value must be a dense<...> attribute}}
  %0 = tile.constant sparse<[[0]], [1.0]> : tensor<8xf32> : !tile.view<8xf32>
  return
}

// -----

tile.func @k(%x: !tile.view<8xf32>) grid [1] warps 4 {
  tile.return
}

func.func @f(%x: !tile.view<8xf32>, %y: !tile.view<4xf32>) {
  // expected-error @+1 {{result of 8 elements at offset 1 leaves the operand, which has 8}}
  %0 = tile.view_cast %x offset 1 : !tile.view<8xf32> -> !tile.view<8xf32>
  return
}

// -----

tile.func @k(%x: !tile.view<8xf32>) grid [1] warps 4 {
  tile.return
}

func.func @f(%x: !tile.view<8xf32>, %y: !tile.view<4xf32>) {
  // expected-error @+1 {{result of 15 elements at offset 0 leaves the operand, which has 8}}
  %0 = tile.view_cast %x : !tile.view<8xf32> -> !tile.view<8xf32, strides = [2]>
  return
}

// -----

tile.func @k(%x: !tile.view<8xf32>) grid [1] warps 4 {
  tile.return
}

func.func @f(%x: !tile.view<8xf32>, %y: !tile.view<4xf32>) {
  // expected-error @+1 {{at offset 9223372036854775807 leaves the operand}}
  %0 = tile.view_cast %x offset 9223372036854775807 : !tile.view<8xf32> -> !tile.view<8xf32>
  return
}

// -----

tile.func @k(%x: !tile.view<8xf32>) grid [1] warps 4 {
  tile.return
}

func.func @f(%x: !tile.view<8xf32>, %y: !tile.view<4xf32>) {
  // expected-error @+1 {{element type must stay, but changes from 'f32' to 'i32'}}
  %0 = tile.view_cast %x : !tile.view<8xf32> -> !tile.view<8xi32>
  return
}
