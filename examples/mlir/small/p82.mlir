// maxpool4x4(tanh(conv2d(x, w) + b) * 2.0 + bias)
//
// The small size: every channel, filter and stride of the full one, a few tiles
// and a ragged one in each tiled dim. Runs on a CPU in a blink.
//   fuse-run small/p82.mlir --check

func.func @p82(%x: tensor<2x8x40x136xf32> {fuse.init = #fuse.init<uniform, 0.0, 1.0>},
               %w: tensor<64x8x3x3xf32> {fuse.init = #fuse.init<uniform, -0.11785113, 0.11785113>},
               %b: tensor<64xf32> {fuse.init = #fuse.init<uniform, -0.11785113, 0.11785113>},
               %bias: tensor<64x1x1xf32> {fuse.init = #fuse.init<normal, 0.0, 1.0>})
    -> tensor<2x64x9x33xf32> {
  %two = fuse.constant dense<2.0> : tensor<f32>
  %conv = fuse.conv2d %x, %w : (tensor<2x8x40x136xf32>, tensor<64x8x3x3xf32>) -> tensor<2x64x38x134xf32>
  %b3 = fuse.reshape %b : tensor<64xf32> -> tensor<64x1x1xf32>
  %z = fuse.add %conv, %b3 : (tensor<2x64x38x134xf32>, tensor<64x1x1xf32>) -> tensor<2x64x38x134xf32>
  %t = fuse.tanh %z : tensor<2x64x38x134xf32>
  %s = fuse.mul %t, %two : (tensor<2x64x38x134xf32>, tensor<f32>) -> tensor<2x64x38x134xf32>
  %a = fuse.add %s, %bias : (tensor<2x64x38x134xf32>, tensor<64x1x1xf32>) -> tensor<2x64x38x134xf32>
  %y = fuse.max_pool2d %a kernel [4, 4] : tensor<2x64x38x134xf32> -> tensor<2x64x9x33xf32>
  return %y : tensor<2x64x9x33xf32>
}
