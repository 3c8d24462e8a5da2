// sigmoid((softmax over channels(conv_transpose2d(x, w) + b) + bias) * 2.0)
//
// The small size: every channel, filter and stride of the full one, a few tiles
// and a ragged one in each tiled dim. Runs on a CPU in a blink.
//   fuse-run small/p91.mlir --check

func.func @p91(%x: tensor<9x64x20x40xf32> {fuse.init = #fuse.init<uniform, 0.0, 1.0>},
               %w: tensor<64x128x4x4xf32> {fuse.init = #fuse.init<uniform, -0.02209709, 0.02209709>},
               %b: tensor<128xf32> {fuse.init = #fuse.init<uniform, -0.02209709, 0.02209709>},
               %bias: tensor<128x1x1xf32> {fuse.init = #fuse.init<normal, 0.0, 1.0>})
    -> tensor<9x128x41x81xf32> {
  %two = fuse.constant dense<2.0> : tensor<f32>
  %conv = fuse.conv_transpose2d %x, %w stride [2, 2] padding [1, 1] output_padding [1, 1]
      : (tensor<9x64x20x40xf32>, tensor<64x128x4x4xf32>) -> tensor<9x128x41x81xf32>
  %b3 = fuse.reshape %b : tensor<128xf32> -> tensor<128x1x1xf32>
  %z = fuse.add %conv, %b3 : (tensor<9x128x41x81xf32>, tensor<128x1x1xf32>) -> tensor<9x128x41x81xf32>
  %p = fuse.softmax %z dim 1 : tensor<9x128x41x81xf32> -> tensor<9x128x41x81xf32>
  %a = fuse.add %p, %bias : (tensor<9x128x41x81xf32>, tensor<128x1x1xf32>) -> tensor<9x128x41x81xf32>
  %s = fuse.mul %a, %two : (tensor<9x128x41x81xf32>, tensor<f32>) -> tensor<9x128x41x81xf32>
  %y = fuse.sigmoid %s : tensor<9x128x41x81xf32>
  return %y : tensor<9x128x41x81xf32>
}
