// RUN: fuse-opt %s --verify-roundtrip | fuse-opt --tile-expand-math --tile-to-cpu -o /dev/null

// 3 x 3 convolution with stride 2 and padding 1, from NCHW: the patch of an
// instance is read once, its window for each tap (r, s) is multiplied by that
// tap's weights. Padding is what a load gives outside the view.
tile.func @conv(%x: !tile.view<2x4x21x45xf32>, %w: !tile.view<16x4x3x3xf32>,
                %y: !tile.view<2x16x11x23xf32>) grid [2, 3, 2] warps 4 {
  %wi = tile.program_id 0
  %h0 = tile.program_id 1
  %n = tile.program_id 2
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %c8 = arith.constant 8 : index
  %c16 = arith.constant 16 : index
  %c32 = arith.constant 32 : index
  %oh = arith.muli %h0, %c4 : index
  %ow = arith.muli %wi, %c16 : index
  %ih2 = arith.muli %h0, %c8 : index
  %iw2 = arith.muli %wi, %c32 : index
  %ih = arith.subi %ih2, %c1 : index
  %iw = arith.subi %iw2, %c1 : index
  %loaded = tile.load %x[%n, %c0, %ih, %iw]
      : !tile.view<2x4x21x45xf32> -> tensor<1x4x9x33xf32>
  %patch = tile.reshape %loaded : tensor<1x4x9x33xf32> -> tensor<4x9x33xf32>
  %weights = tile.load %w[%c0, %c0, %c0, %c0]
      : !tile.view<16x4x3x3xf32> -> tensor<16x4x3x3xf32>
  %zero = arith.constant dense<0.0> : tensor<16x4x16xf32>
  %w0 = tile.window %weights [0, 0, 0, 0] strides [1, 1, 1, 1]
      : tensor<16x4x3x3xf32> -> tensor<16x4x1x1xf32>
  %m0 = tile.reshape %w0 : tensor<16x4x1x1xf32> -> tensor<16x4xf32>
  %p0 = tile.window %patch [0, 0, 0] strides [1, 2, 2]
      : tensor<4x9x33xf32> -> tensor<4x4x16xf32>
  %a0 = tile.dot %m0, %p0, %zero lhs_contract [1] rhs_contract [0]
      : tensor<16x4xf32>, tensor<4x4x16xf32> -> tensor<16x4x16xf32>
  %w1 = tile.window %weights [0, 0, 0, 1] strides [1, 1, 1, 1]
      : tensor<16x4x3x3xf32> -> tensor<16x4x1x1xf32>
  %m1 = tile.reshape %w1 : tensor<16x4x1x1xf32> -> tensor<16x4xf32>
  %p1 = tile.window %patch [0, 0, 1] strides [1, 2, 2]
      : tensor<4x9x33xf32> -> tensor<4x4x16xf32>
  %a1 = tile.dot %m1, %p1, %a0 lhs_contract [1] rhs_contract [0]
      : tensor<16x4xf32>, tensor<4x4x16xf32> -> tensor<16x4x16xf32>
  %w2 = tile.window %weights [0, 0, 0, 2] strides [1, 1, 1, 1]
      : tensor<16x4x3x3xf32> -> tensor<16x4x1x1xf32>
  %m2 = tile.reshape %w2 : tensor<16x4x1x1xf32> -> tensor<16x4xf32>
  %p2 = tile.window %patch [0, 0, 2] strides [1, 2, 2]
      : tensor<4x9x33xf32> -> tensor<4x4x16xf32>
  %a2 = tile.dot %m2, %p2, %a1 lhs_contract [1] rhs_contract [0]
      : tensor<16x4xf32>, tensor<4x4x16xf32> -> tensor<16x4x16xf32>
  %w3 = tile.window %weights [0, 0, 1, 0] strides [1, 1, 1, 1]
      : tensor<16x4x3x3xf32> -> tensor<16x4x1x1xf32>
  %m3 = tile.reshape %w3 : tensor<16x4x1x1xf32> -> tensor<16x4xf32>
  %p3 = tile.window %patch [0, 1, 0] strides [1, 2, 2]
      : tensor<4x9x33xf32> -> tensor<4x4x16xf32>
  %a3 = tile.dot %m3, %p3, %a2 lhs_contract [1] rhs_contract [0]
      : tensor<16x4xf32>, tensor<4x4x16xf32> -> tensor<16x4x16xf32>
  %w4 = tile.window %weights [0, 0, 1, 1] strides [1, 1, 1, 1]
      : tensor<16x4x3x3xf32> -> tensor<16x4x1x1xf32>
  %m4 = tile.reshape %w4 : tensor<16x4x1x1xf32> -> tensor<16x4xf32>
  %p4 = tile.window %patch [0, 1, 1] strides [1, 2, 2]
      : tensor<4x9x33xf32> -> tensor<4x4x16xf32>
  %a4 = tile.dot %m4, %p4, %a3 lhs_contract [1] rhs_contract [0]
      : tensor<16x4xf32>, tensor<4x4x16xf32> -> tensor<16x4x16xf32>
  %w5 = tile.window %weights [0, 0, 1, 2] strides [1, 1, 1, 1]
      : tensor<16x4x3x3xf32> -> tensor<16x4x1x1xf32>
  %m5 = tile.reshape %w5 : tensor<16x4x1x1xf32> -> tensor<16x4xf32>
  %p5 = tile.window %patch [0, 1, 2] strides [1, 2, 2]
      : tensor<4x9x33xf32> -> tensor<4x4x16xf32>
  %a5 = tile.dot %m5, %p5, %a4 lhs_contract [1] rhs_contract [0]
      : tensor<16x4xf32>, tensor<4x4x16xf32> -> tensor<16x4x16xf32>
  %w6 = tile.window %weights [0, 0, 2, 0] strides [1, 1, 1, 1]
      : tensor<16x4x3x3xf32> -> tensor<16x4x1x1xf32>
  %m6 = tile.reshape %w6 : tensor<16x4x1x1xf32> -> tensor<16x4xf32>
  %p6 = tile.window %patch [0, 2, 0] strides [1, 2, 2]
      : tensor<4x9x33xf32> -> tensor<4x4x16xf32>
  %a6 = tile.dot %m6, %p6, %a5 lhs_contract [1] rhs_contract [0]
      : tensor<16x4xf32>, tensor<4x4x16xf32> -> tensor<16x4x16xf32>
  %w7 = tile.window %weights [0, 0, 2, 1] strides [1, 1, 1, 1]
      : tensor<16x4x3x3xf32> -> tensor<16x4x1x1xf32>
  %m7 = tile.reshape %w7 : tensor<16x4x1x1xf32> -> tensor<16x4xf32>
  %p7 = tile.window %patch [0, 2, 1] strides [1, 2, 2]
      : tensor<4x9x33xf32> -> tensor<4x4x16xf32>
  %a7 = tile.dot %m7, %p7, %a6 lhs_contract [1] rhs_contract [0]
      : tensor<16x4xf32>, tensor<4x4x16xf32> -> tensor<16x4x16xf32>
  %w8 = tile.window %weights [0, 0, 2, 2] strides [1, 1, 1, 1]
      : tensor<16x4x3x3xf32> -> tensor<16x4x1x1xf32>
  %m8 = tile.reshape %w8 : tensor<16x4x1x1xf32> -> tensor<16x4xf32>
  %p8 = tile.window %patch [0, 2, 2] strides [1, 2, 2]
      : tensor<4x9x33xf32> -> tensor<4x4x16xf32>
  %a8 = tile.dot %m8, %p8, %a7 lhs_contract [1] rhs_contract [0]
      : tensor<16x4xf32>, tensor<4x4x16xf32> -> tensor<16x4x16xf32>
  %out = tile.reshape %a8 : tensor<16x4x16xf32> -> tensor<1x16x4x16xf32>
  tile.store %out, %y[%n, %c0, %oh, %ow]
      : tensor<1x16x4x16xf32>, !tile.view<2x16x11x23xf32>
  tile.return
}

func.func @main(%x: !tile.view<2x4x21x45xf32>, %w: !tile.view<16x4x3x3xf32>,
                %y: !tile.view<2x16x11x23xf32>)
    attributes {tile.entry, tile.num_inputs = 2 : i64} {
  tile.launch @conv ins(%x, %w : !tile.view<2x4x21x45xf32>, !tile.view<16x4x3x3xf32>)
                    outs(%y : !tile.view<2x16x11x23xf32>)
  return
}
