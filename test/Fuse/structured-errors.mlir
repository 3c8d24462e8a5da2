// RUN: fuse-opt %s --split-input-file --verify-diagnostics

func.func @rank(%x: tensor<8x32x32xf32>, %w: tensor<64x8x3x3xf32>) {
  // expected-error @+1 {{'fuse.conv2d' op expected images of rank 4, but found 'tensor<8x32x32xf32>'}}
  %0 = fuse.conv2d %x, %w : (tensor<8x32x32xf32>, tensor<64x8x3x3xf32>) -> tensor<64x30x30xf32>
  return
}

// -----

func.func @channels(%x: tensor<2x8x32x32xf32>, %w: tensor<64x4x3x3xf32>) {
  // expected-error @+1 {{'fuse.conv2d' op expected filters of 8 input channels (8 in 1 groups), but found 'tensor<64x4x3x3xf32>'}}
  %0 = fuse.conv2d %x, %w : (tensor<2x8x32x32xf32>, tensor<64x4x3x3xf32>) -> tensor<2x64x30x30xf32>
  return
}

// -----

func.func @groups(%x: tensor<2x8x32x32xf32>, %w: tensor<64x4x3x3xf32>) {
  // expected-error @+1 {{'fuse.conv2d' op expected input channels that 3 groups divide, but found 8}}
  %0 = fuse.conv2d %x, %w groups 3 : (tensor<2x8x32x32xf32>, tensor<64x4x3x3xf32>) -> tensor<2x64x30x30xf32>
  return
}

// -----

func.func @no_groups(%x: tensor<2x8x32x32xf32>, %w: tensor<64x4x3x3xf32>) {
  // expected-error @+1 {{'fuse.conv2d' op expected groups from 1 to 2^31 - 1, but found 0}}
  %0 = fuse.conv2d %x, %w groups 0 : (tensor<2x8x32x32xf32>, tensor<64x4x3x3xf32>) -> tensor<2x64x30x30xf32>
  return
}

// -----

func.func @window(%x: tensor<2x8x4x4xf32>, %w: tensor<64x8x7x3xf32>) {
  // expected-error @+1 {{'fuse.conv2d' op expected a window inside the padded input, but found a window that reaches over 7 of 6 elements}}
  %0 = fuse.conv2d %x, %w padding [1, 1] : (tensor<2x8x4x4xf32>, tensor<64x8x7x3xf32>) -> tensor<2x64x1x4xf32>
  return
}

// -----

func.func @huge_dilation(%x: tensor<2x8x4x4xf32>, %w: tensor<64x8x3x3xf32>) {
  // expected-error @+1 {{'fuse.conv2d' op expected a window inside the padded input, but found a window that reaches over 4294967295 of 4 elements}}
  %0 = fuse.conv2d %x, %w dilation [2147483647, 1] : (tensor<2x8x4x4xf32>, tensor<64x8x3x3xf32>) -> tensor<2x64x1x4xf32>
  return
}

// -----

func.func @overflow(%x: tensor<2x8x4x4xf32>, %w: tensor<64x8x3x3xf32>) {
  // expected-error @+1 {{'fuse.conv2d' op expected padding from 0 to 2^31 - 1, but found 9223372036854775807}}
  %0 = fuse.conv2d %x, %w padding [9223372036854775807, 1] : (tensor<2x8x4x4xf32>, tensor<64x8x3x3xf32>) -> tensor<2x64x1x4xf32>
  return
}

// -----

func.func @stride(%x: tensor<2x8x4x4xf32>, %w: tensor<64x8x3x3xf32>) {
  // expected-error @+1 {{'fuse.conv2d' op expected 2 values in stride, but found 3}}
  %0 = fuse.conv2d %x, %w stride [1, 1, 1] : (tensor<2x8x4x4xf32>, tensor<64x8x3x3xf32>) -> tensor<2x64x2x2xf32>
  return
}

// -----

func.func @elements(%x: tensor<2x8x4x4xf16>, %w: tensor<64x8x3x3xf32>) {
  // expected-error @+1 {{'fuse.conv2d' op expected operands of one element type}}
  %0 = fuse.conv2d %x, %w : (tensor<2x8x4x4xf16>, tensor<64x8x3x3xf32>) -> tensor<2x64x2x2xf32>
  return
}

// -----

func.func @precision(%x: tensor<2x8x4x4xf16>, %w: tensor<64x8x3x3xf16>) {
  // expected-error @+1 {{'fuse.conv2d' op expected precision f16 for 'f16' operands, but found tf32}}
  %0 = fuse.conv2d %x, %w precision tf32 : (tensor<2x8x4x4xf16>, tensor<64x8x3x3xf16>) -> tensor<2x64x2x2xf16>
  return
}

// -----

func.func @result(%x: tensor<2x8x4x4xf32>, %w: tensor<64x8x3x3xf32>) {
  // expected-error @+1 {{'fuse.conv2d' op expected result #0 of type 'tensor<2x64x2x2xf32>', but found 'tensor<2x64x4x4xf32>'}}
  %0 = fuse.conv2d %x, %w : (tensor<2x8x4x4xf32>, tensor<64x8x3x3xf32>) -> tensor<2x64x4x4xf32>
  return
}

// -----

func.func @output_padding(%x: tensor<2x64x8x8xf32>, %w: tensor<64x128x4x4xf32>) {
  // expected-error @+1 {{'fuse.conv_transpose2d' op expected output_padding below stride or dilation (2), but found 2}}
  %0 = fuse.conv_transpose2d %x, %w stride [2, 2] output_padding [2, 0] : (tensor<2x64x8x8xf32>, tensor<64x128x4x4xf32>) -> tensor<2x128x20x18xf32>
  return
}

// -----

func.func @nothing_left(%x: tensor<2x64x1x1xf32>, %w: tensor<64x128x2x2xf32>) {
  // expected-error @+1 {{'fuse.conv_transpose2d' op expected extents of the result from 1 to 2^31 - 1, but found 0}}
  %0 = fuse.conv_transpose2d %x, %w padding [1, 1] : (tensor<2x64x1x1xf32>, tensor<64x128x2x2xf32>) -> tensor<2x128x1x1xf32>
  return
}

// -----

func.func @weight_grad(%x: tensor<2x8x16x16xf32>, %dy: tensor<2x64x16x16xf32>) {
  // expected-error @+1 {{'fuse.conv2d_weight_grad' op expected gradients of the convolution's result, 2x64x14x14, but found 'tensor<2x64x16x16xf32>'}}
  %0 = fuse.conv2d_weight_grad %x, %dy kernel [3, 3] : (tensor<2x8x16x16xf32>, tensor<2x64x16x16xf32>) -> tensor<64x8x3x3xf32>
  return
}

// -----

func.func @inner(%x: tensor<4x8xf32>, %w: tensor<16x8xf32>) {
  // expected-error @+1 {{'fuse.matmul' op expected operands of one inner extent, but found 8 in 'tensor<4x8xf32>' and 16 in 'tensor<16x8xf32>'}}
  %0 = fuse.matmul %x, %w : (tensor<4x8xf32>, tensor<16x8xf32>) -> tensor<4x16xf32>
  return
}

// -----

func.func @batch(%x: tensor<2x4x8xf32>, %w: tensor<3x8x16xf32>) {
  // expected-error @+1 {{'fuse.matmul' op expected batch dims that broadcast, but found 'tensor<2x4x8xf32>' and 'tensor<3x8x16xf32>'}}
  %0 = fuse.matmul %x, %w : (tensor<2x4x8xf32>, tensor<3x8x16xf32>) -> tensor<2x4x16xf32>
  return
}

// -----

func.func @vector(%x: tensor<8xf32>, %w: tensor<8x16xf32>) {
  // expected-error @+1 {{'fuse.matmul' op expected operands of rank 2 or more, but found 'tensor<8xf32>'}}
  %0 = fuse.matmul %x, %w : (tensor<8xf32>, tensor<8x16xf32>) -> tensor<16xf32>
  return
}

// -----

func.func @window_rank(%x: tensor<8xf32>) {
  // expected-error @+1 {{'fuse.window_reduce' op expected a window of 1 to 1 dims, but found 2}}
  %0 = fuse.window_reduce max %x window [2, 2] : tensor<8xf32> -> tensor<7xf32>
  return
}

// -----

func.func @window_size(%x: tensor<8xf32>) {
  // expected-error @+1 {{'fuse.window_reduce' op expected window from 1 to 2^31 - 1, but found 0}}
  %0 = fuse.window_reduce max %x window [0] : tensor<8xf32> -> tensor<7xf32>
  return
}

// -----

func.func @sum_argmax(%x: tensor<8xf32>) {
  // expected-error @+1 {{'fuse.window_reduce' op expected argmax with max or min, but found sum}}
  %0:2 = fuse.window_reduce sum %x window [2] argmax i8 : tensor<8xf32> -> tensor<7xf32>, tensor<7xi8>
  return
}

// -----

func.func @argmax_range(%x: tensor<300xf32>) {
  // expected-error @+1 {{'fuse.window_reduce' op expected a window of at most 256 positions for an argmax of type 'i8', but found 257}}
  %0:2 = fuse.window_reduce max %x window [257] argmax i8 : tensor<300xf32> -> tensor<44xf32>, tensor<44xi8>
  return
}

// -----

func.func @argmax_missing(%x: tensor<8xf32>) {
  // expected-error @+1 {{'fuse.window_reduce' op expected 2 results, but found 1}}
  %0 = fuse.window_reduce max %x window [2] argmax i8 : tensor<8xf32> -> tensor<7xf32>
  return
}

// -----

func.func @grad_windows(%dy: tensor<2x8x8x8xf32>) {
  // expected-error @+1 {{'fuse.window_sum_grad' op expected gradients of 7x7 windows, but found 'tensor<2x8x8x8xf32>'}}
  %0 = fuse.window_sum_grad %dy input_size [16, 16] window [4, 4] stride [2, 2] : tensor<2x8x8x8xf32> -> tensor<2x8x16x16xf32>
  return
}

// -----

func.func @reduce_range(%x: tensor<4x8xf32>) {
  // expected-error @+1 {{'fuse.reduce' op expected dims from 0 to 1, but found 2}}
  %0 = fuse.reduce sum %x dims [2] : tensor<4x8xf32> -> tensor<4xf32>
  return
}

// -----

func.func @reduce_twice(%x: tensor<4x8xf32>) {
  // expected-error @+1 {{'fuse.reduce' op expected ascending dims without duplicates, but found 1 in front of 1}}
  %0 = fuse.reduce sum %x dims [1, 1] : tensor<4x8xf32> -> tensor<4xf32>
  return
}

// -----

func.func @reduce_results(%x: tensor<4x8xf32>) {
  // expected-error @+1 {{'fuse.reduce' op expected 2 results, but found 1}}
  %0 = fuse.reduce moments %x dims [1] : tensor<4x8xf32> -> tensor<4xf32>
  return
}

// -----

func.func @reduce_masks(%x: tensor<4x8xi1>) {
  // expected-error @+1 {{'fuse.reduce' op expected numbers for sum, but found 'tensor<4x8xi1>' (fuse.cast converts)}}
  %0 = fuse.reduce sum %x dims [1] : tensor<4x8xi1> -> tensor<4xi1>
  return
}
