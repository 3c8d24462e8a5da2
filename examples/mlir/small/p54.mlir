// gelu(leaky_relu((conv2d(x, w) + b) * multiplier, 0.01))
//
// The small size: every channel, filter and stride of the full one, a few tiles
// and a ragged one in each tiled dim. Runs on a CPU in a blink.
//   fuse-run small/p54.mlir --check

func.func @p54(%x: tensor<2x64x39x264xf32> {fuse.init = #fuse.init<uniform, 0.0, 1.0>},
               %w: tensor<64x64x3x3xf32> {fuse.init = #fuse.init<uniform, -0.04166667, 0.04166667>},
               %b: tensor<64xf32> {fuse.init = #fuse.init<uniform, -0.04166667, 0.04166667>},
               %multiplier: tensor<64x1x1xf32> {fuse.init = #fuse.init<normal, 0.0, 1.0>})
    -> tensor<2x64x37x262xf32> {
  %conv = fuse.conv2d %x, %w : (tensor<2x64x39x264xf32>, tensor<64x64x3x3xf32>) -> tensor<2x64x37x262xf32>
  %b3 = fuse.reshape %b : tensor<64xf32> -> tensor<64x1x1xf32>
  %z = fuse.add %conv, %b3 : (tensor<2x64x37x262xf32>, tensor<64x1x1xf32>) -> tensor<2x64x37x262xf32>
  %m = fuse.mul %z, %multiplier : (tensor<2x64x37x262xf32>, tensor<64x1x1xf32>) -> tensor<2x64x37x262xf32>
  %l = fuse.leaky_relu %m slope 0.01 : tensor<2x64x37x262xf32>
  %y = fuse.gelu %l : tensor<2x64x37x262xf32>
  return %y : tensor<2x64x37x262xf32>
}
