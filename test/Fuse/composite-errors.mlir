// RUN: fuse-opt %s --split-input-file --verify-diagnostics

func.func @one_value(%x: tensor<1x8x1x1xf32>, %c: tensor<8xf32>) {
  // expected-error @+1 {{'fuse.batch_norm' op expected more than one value per channel when training, but found 'tensor<1x8x1x1xf32>'}}
  %0:3 = fuse.batch_norm %x, %c, %c, %c, %c
    : (tensor<1x8x1x1xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>)
    -> (tensor<1x8x1x1xf32>, tensor<8xf32>, tensor<8xf32>)
  return
}

// -----

func.func @parameter(%x: tensor<2x8x1x1xf32>, %c: tensor<8xf32>, %d: tensor<4xf32>) {
  // expected-error @+1 {{'fuse.batch_norm' op expected running_mean of shape 8 and x's element type or f32, but found 'tensor<4xf32>'}}
  %0:3 = fuse.batch_norm %x, %c, %c, %d, %c
    : (tensor<2x8x1x1xf32>, tensor<8xf32>, tensor<8xf32>, tensor<4xf32>, tensor<8xf32>)
    -> (tensor<2x8x1x1xf32>, tensor<4xf32>, tensor<8xf32>)
  return
}

// -----

func.func @rank(%x: tensor<8xf32>) {
  // expected-error @+1 {{'fuse.batch_norm_inference' op expected x of rank 2 or more, but found 'tensor<8xf32>'}}
  %0 = fuse.batch_norm_inference %x, %x, %x, %x, %x
    : (tensor<8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  return
}

// -----

func.func @eps(%x: tensor<2x8xf32>, %c: tensor<8xf32>) {
  // expected-error @+1 {{'fuse.batch_norm_inference' op expected a finite eps of 0 or more, but found -1}}
  %0 = fuse.batch_norm_inference %x, %c, %c, %c, %c eps -1.0
    : (tensor<2x8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>) -> tensor<2x8xf32>
  return
}

// -----

func.func @momentum(%x: tensor<2x8xf32>, %c: tensor<8xf32>) {
  // expected-error @+1 {{'fuse.batch_norm' op expected a momentum from 0 to 1, but found 2}}
  %0:3 = fuse.batch_norm %x, %c, %c, %c, %c momentum 2.0
    : (tensor<2x8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>)
    -> (tensor<2x8xf32>, tensor<8xf32>, tensor<8xf32>)
  return
}

// -----

func.func @layer(%x: tensor<2x8xf32>, %c: tensor<4xf32>) {
  // expected-error @+1 {{'fuse.layer_norm' op expected gamma of shape 8 and x's element type or f32, but found 'tensor<4xf32>'}}
  %0 = fuse.layer_norm %x num_dims 1 gamma %c : (tensor<2x8xf32>, tensor<4xf32>) -> tensor<2x8xf32>
  return
}

// -----

func.func @layer_dims(%x: tensor<2x8xf32>) {
  // expected-error @+1 {{'fuse.layer_norm' op expected num_dims from 1 to 2, but found 3}}
  %0 = fuse.layer_norm %x num_dims 3 : (tensor<2x8xf32>) -> tensor<2x8xf32>
  return
}

// -----

func.func @groups(%x: tensor<2x8xf32>) {
  // expected-error @+1 {{'fuse.group_norm' op expected groups that divide 8 channels, but found 3}}
  %0 = fuse.group_norm %x groups 3 : (tensor<2x8xf32>) -> tensor<2x8xf32>
  return
}

// -----

func.func @softmax(%x: tensor<2x8xf32>) {
  // expected-error @+1 {{'fuse.softmax' op expected a dim from 0 to 1, but found 2}}
  %0 = fuse.softmax %x dim 2 : tensor<2x8xf32> -> tensor<2x8xf32>
  return
}

// -----

func.func @mean(%x: tensor<2x8xi32>) {
  // expected-error @+1 {{'fuse.mean' op operand #0 must be static, non-empty tensor of f32, f16, bf16 or f64 elements}}
  %0 = fuse.mean %x dims [0] : tensor<2x8xi32> -> tensor<8xi32>
  return
}

// -----

func.func @padding(%x: tensor<2x8x16x16xf32>) {
  // expected-error @+1 {{'fuse.max_pool2d' op expected padding of at most half the window (1), but found 2}}
  %0 = fuse.max_pool2d %x kernel [3, 3] padding [2, 2] : tensor<2x8x16x16xf32> -> tensor<2x8x6x6xf32>
  return
}

// -----

func.func @pool_window(%x: tensor<2x8x2x16xf32>) {
  // expected-error @+1 {{'fuse.avg_pool2d' op expected a window inside the padded input, but found a window that reaches over 3 of 2 elements}}
  %0 = fuse.avg_pool2d %x kernel [3, 3] : tensor<2x8x2x16xf32> -> tensor<2x8x1x5xf32>
  return
}

// -----

func.func @pool_rank(%x: tensor<16x16xf32>) {
  // expected-error @+1 {{'fuse.max_pool2d' op expected images of rank 3 or 4, but found 'tensor<16x16xf32>'}}
  %0 = fuse.max_pool2d %x kernel [3, 3] : tensor<16x16xf32> -> tensor<5x5xf32>
  return
}
