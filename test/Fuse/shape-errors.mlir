// RUN: fuse-opt %s --split-input-file --verify-diagnostics

func.func @reshape(%x: tensor<4x8xf32>) {
  // expected-error @+1 {{'fuse.reshape' op expected a result of as many elements of the same type, but found 'tensor<4x8xf32>' and 'tensor<31xf32>'}}
  %0 = fuse.reshape %x : tensor<4x8xf32> -> tensor<31xf32>
  return
}

// -----

func.func @reshape_type(%x: tensor<4x8xf32>) {
  // expected-error @+1 {{of the same type}}
  %0 = fuse.reshape %x : tensor<4x8xf32> -> tensor<32xf16>
  return
}

// -----

func.func @broadcast(%x: tensor<4x8xf32>) {
  // expected-error @+1 {{'fuse.broadcast' op expected a result that the operand broadcasts to, but found 'tensor<4x8xf32>' and 'tensor<8x4xf32>'}}
  %0 = fuse.broadcast %x : tensor<4x8xf32> -> tensor<8x4xf32>
  return
}

// -----

func.func @broadcast_rank(%x: tensor<4x8xf32>) {
  // expected-error @+1 {{expected a result that the operand broadcasts to}}
  %0 = fuse.broadcast %x : tensor<4x8xf32> -> tensor<8xf32>
  return
}

// -----

func.func @transpose(%x: tensor<4x8xf32>) {
  // expected-error @+1 {{'fuse.transpose' op expected a permutation of 2 dims, but found 1x1}}
  %0 = fuse.transpose %x permutation [1, 1] : tensor<4x8xf32> -> tensor<8x8xf32>
  return
}

// -----

func.func @transpose_range(%x: tensor<4x8xf32>) {
  // expected-error @+1 {{expected a permutation of 2 dims}}
  %0 = fuse.transpose %x permutation [0, 9223372036854775807] : tensor<4x8xf32> -> tensor<4x8xf32>
  return
}

// -----

func.func @slice_outside(%x: tensor<4x8xf32>) {
  // expected-error @+1 {{'fuse.slice' op expected a box inside 'tensor<4x8xf32>', but found position 8 in dim 1}}
  %0 = fuse.slice %x offsets [0, 2] sizes [4, 3] strides [1, 3] : tensor<4x8xf32> -> tensor<4x3xf32>
  return
}

// -----

func.func @slice_step(%x: tensor<4x8xf32>) {
  // expected-error @+1 {{'fuse.slice' op expected strides from 1 to 2^31 - 1, but found 0}}
  %0 = fuse.slice %x offsets [0, 2] sizes [4, 3] strides [1, 0] : tensor<4x8xf32> -> tensor<4x3xf32>
  return
}

// -----

func.func @slice_count(%x: tensor<4x8xf32>) {
  // expected-error @+1 {{'fuse.slice' op expected 2 values in offsets, but found 1}}
  %0 = fuse.slice %x offsets [0] sizes [4, 3] strides [1, 1] : tensor<4x8xf32> -> tensor<4x3xf32>
  return
}

// -----

func.func @pad_value(%x: tensor<4xf32>) {
  // expected-error @+1 {{'fuse.pad' op expected a value of type 'f32', but found 0 : i32}}
  %0 = fuse.pad %x low [1] high [1] value 0 : i32 : tensor<4xf32> -> tensor<6xf32>
  return
}

// -----

func.func @pad_negative(%x: tensor<4xf32>) {
  // expected-error @+1 {{'fuse.pad' op expected low from 0 to 2^31 - 1, but found -1}}
  %0 = fuse.pad %x low [-1] high [1] value 0.0 : f32 : tensor<4xf32> -> tensor<4xf32>
  return
}

// -----

func.func @pad_huge(%x: tensor<4xf32>) {
  // expected-error @+1 {{'fuse.pad' op expected extents of the result from 1 to 2^31 - 1, but found 6442450941}}
  %0 = fuse.pad %x low [2147483647] high [2147483647] interior [715827881] value 0.0 : f32 : tensor<4xf32> -> tensor<4xf32>
  return
}

// -----

func.func @concat_rank(%x: tensor<4xf32>, %y: tensor<4x1xf32>) {
  // expected-error @+1 {{'fuse.concat' op expected operands that differ in dim 0 only, but found 'tensor<4xf32>' and 'tensor<4x1xf32>'}}
  %0 = fuse.concat %x, %y dim 0 : (tensor<4xf32>, tensor<4x1xf32>) -> tensor<8xf32>
  return
}

// -----

func.func @concat_dim(%x: tensor<4xf32>) {
  // expected-error @+1 {{'fuse.concat' op expected a dim from 0 to 0, but found -1}}
  %0 = fuse.concat %x, %x dim -1 : (tensor<4xf32>, tensor<4xf32>) -> tensor<8xf32>
  return
}

// -----

func.func @concat_nothing() {
  // expected-error @+1 {{'fuse.concat' op expected at least one operand, but found none}}
  %0 = "fuse.concat"() <{dim = 0 : i64}> : () -> tensor<8xf32>
  return
}

// -----

func.func @iota() {
  // expected-error @+1 {{'fuse.iota' op expected a dim below the result's rank 1, but found 1}}
  %0 = fuse.iota dim 1 : tensor<4xi32>
  return
}

// -----

func.func @constant_kind() {
  // expected-error @+1 {{'fuse.constant' op result #0 must be static, non-empty tensor}}
  %0 = fuse.constant dense<2.0> : vector<4xf32>
  return
}
