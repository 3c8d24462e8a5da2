func.func @pooled(%x: tensor<2x8x34x66xf32>, %w: tensor<32x8x3x3xf32>, %b: tensor<32xf32>)
    -> tensor<2x32x16x32xf32> {
  %0 = fuse.conv2d %x, %w : (tensor<2x8x34x66xf32>, tensor<32x8x3x3xf32>) -> tensor<2x32x32x64xf32>
  %1 = fuse.reshape %b : tensor<32xf32> -> tensor<32x1x1xf32>
  %2 = fuse.add %0, %1 : (tensor<2x32x32x64xf32>, tensor<32x1x1xf32>) -> tensor<2x32x32x64xf32>
  %3 = fuse.relu %2 : tensor<2x32x32x64xf32>
  %4 = fuse.max_pool2d %3 kernel [2, 2] : tensor<2x32x32x64xf32> -> tensor<2x32x16x32xf32>
  return %4 : tensor<2x32x16x32xf32>
}
