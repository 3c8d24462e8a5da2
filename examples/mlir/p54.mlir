// gelu(leaky_relu((conv2d(x, w) + b) * multiplier, 0.01))
//   fuse-run p54.mlir --check

func.func @p54(%x: tensor<64x64x256x256xf32> {fuse.init = #fuse.init<uniform, 0.0, 1.0>},
               %w: tensor<64x64x3x3xf32> {fuse.init = #fuse.init<uniform, -0.04166667, 0.04166667>},
               %b: tensor<64xf32> {fuse.init = #fuse.init<uniform, -0.04166667, 0.04166667>},
               %multiplier: tensor<64x1x1xf32> {fuse.init = #fuse.init<normal, 0.0, 1.0>})
    -> tensor<64x64x254x254xf32> {
  %conv = fuse.conv2d %x, %w : (tensor<64x64x256x256xf32>, tensor<64x64x3x3xf32>) -> tensor<64x64x254x254xf32>
  %b3 = fuse.reshape %b : tensor<64xf32> -> tensor<64x1x1xf32>
  %z = fuse.add %conv, %b3 : (tensor<64x64x254x254xf32>, tensor<64x1x1xf32>) -> tensor<64x64x254x254xf32>
  %m = fuse.mul %z, %multiplier : (tensor<64x64x254x254xf32>, tensor<64x1x1xf32>) -> tensor<64x64x254x254xf32>
  %l = fuse.leaky_relu %m slope 0.01 : tensor<64x64x254x254xf32>
  %y = fuse.gelu %l : tensor<64x64x254x254xf32>
  return %y : tensor<64x64x254x254xf32>
}
