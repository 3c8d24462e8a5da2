// maxpool4x4(tanh(conv2d(x, w) + b) * 2.0 + bias)
//   fuse-run p82.mlir --check

func.func @p82(%x: tensor<128x8x256x256xf32> {fuse.init = #fuse.init<uniform, 0.0, 1.0>},
               %w: tensor<64x8x3x3xf32> {fuse.init = #fuse.init<uniform, -0.11785113, 0.11785113>},
               %b: tensor<64xf32> {fuse.init = #fuse.init<uniform, -0.11785113, 0.11785113>},
               %bias: tensor<64x1x1xf32> {fuse.init = #fuse.init<normal, 0.0, 1.0>})
    -> tensor<128x64x63x63xf32> {
  %two = fuse.constant dense<2.0> : tensor<f32>
  %conv = fuse.conv2d %x, %w : (tensor<128x8x256x256xf32>, tensor<64x8x3x3xf32>) -> tensor<128x64x254x254xf32>
  %b3 = fuse.reshape %b : tensor<64xf32> -> tensor<64x1x1xf32>
  %z = fuse.add %conv, %b3 : (tensor<128x64x254x254xf32>, tensor<64x1x1xf32>) -> tensor<128x64x254x254xf32>
  %t = fuse.tanh %z : tensor<128x64x254x254xf32>
  %s = fuse.mul %t, %two : (tensor<128x64x254x254xf32>, tensor<f32>) -> tensor<128x64x254x254xf32>
  %a = fuse.add %s, %bias : (tensor<128x64x254x254xf32>, tensor<64x1x1xf32>) -> tensor<128x64x254x254xf32>
  %y = fuse.max_pool2d %a kernel [4, 4] : tensor<128x64x254x254xf32> -> tensor<128x64x63x63xf32>
  return %y : tensor<128x64x63x63xf32>
}
