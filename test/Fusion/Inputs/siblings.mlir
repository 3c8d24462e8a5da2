// The graphs of form-kernels-siblings.mlir with extents that tiles do not divide.

func.func @different_dims(%x: tensor<137x331xf32>, %y: tensor<137x331xf32>) -> (tensor<331xf32>, tensor<f32>) {
  %0 = fuse.mul %x, %y : tensor<137x331xf32>
  %1 = fuse.reduce sum %0 dims [0] : tensor<137x331xf32> -> tensor<331xf32>
  %2 = fuse.reduce sum %0 dims [0, 1] : tensor<137x331xf32> -> tensor<f32>
  return %1, %2 : tensor<331xf32>, tensor<f32>
}

func.func @inner_and_outer(%s: tensor<3x64x131x77xf32>, %dy: tensor<3x64x131x77xf32>)
    -> (tensor<3x64x131x77xf32>, tensor<64xf32>, tensor<64xf32>, tensor<f32>) {
  %0 = fuse.reduce sum %dy dims [0, 2, 3] : tensor<3x64x131x77xf32> -> tensor<64xf32>
  %1 = fuse.mul %s, %dy : tensor<3x64x131x77xf32>
  %2 = fuse.reduce sum %1 dims [1] keepdims : tensor<3x64x131x77xf32> -> tensor<3x1x131x77xf32>
  %3 = fuse.sub %dy, %2 : (tensor<3x64x131x77xf32>, tensor<3x1x131x77xf32>) -> tensor<3x64x131x77xf32>
  %4 = fuse.mul %s, %3 : tensor<3x64x131x77xf32>
  %5 = fuse.reduce sum %4 dims [0, 2, 3] : tensor<3x64x131x77xf32> -> tensor<64xf32>
  %6 = fuse.reduce max %4 dims [0, 1, 2, 3] : tensor<3x64x131x77xf32> -> tensor<f32>
  return %4, %0, %5, %6 : tensor<3x64x131x77xf32>, tensor<64xf32>, tensor<64xf32>, tensor<f32>
}

func.func @beside_convolution(%x: tensor<3x8x23x39xf32>, %w: tensor<64x8x3x3xf32>, %dy: tensor<3x64x21x37xf32>)
    -> (tensor<64xf32>, tensor<64xf32>) {
  %0 = fuse.conv2d %x, %w : (tensor<3x8x23x39xf32>, tensor<64x8x3x3xf32>) -> tensor<3x64x21x37xf32>
  %1 = fuse.reduce sum %dy dims [0, 2, 3] : tensor<3x64x21x37xf32> -> tensor<64xf32>
  %2 = fuse.mul %0, %dy : tensor<3x64x21x37xf32>
  %3 = fuse.reduce sum %2 dims [0, 2, 3] : tensor<3x64x21x37xf32> -> tensor<64xf32>
  return %1, %3 : tensor<64xf32>, tensor<64xf32>
}

func.func @constants(%x: tensor<4096xf32>) -> (tensor<4096xf32>, tensor<70xf32>, tensor<70xf32>) {
  %0 = fuse.constant dense<0.0> : tensor<70xf32>
  %1 = fuse.tanh %x : tensor<4096xf32>
  return %1, %0, %0 : tensor<4096xf32>, tensor<70xf32>, tensor<70xf32>
}

func.func @only_constants(%x: tensor<8xf32>) -> tensor<5x70xf32> {
  %0 = fuse.constant dense<3.0> : tensor<5x70xf32>
  return %0 : tensor<5x70xf32>
}
