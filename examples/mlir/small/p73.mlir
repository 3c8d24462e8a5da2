// batch_norm(conv2d(x, w) + b) * 2.0, training mode; the running statistics are
// updated in place when the caller gives the same memory for both.
//
// The small size: every channel, filter and stride of the full one, a few tiles
// and a ragged one in each tiled dim. Runs on a CPU in a blink.
//   fuse-run small/p73.mlir --check

func.func @p73(%x: tensor<3x8x39x264xf32> {fuse.init = #fuse.init<uniform, 0.0, 1.0>},
               %w: tensor<64x8x3x3xf32> {fuse.init = #fuse.init<uniform, -0.11785113, 0.11785113>},
               %b: tensor<64xf32> {fuse.init = #fuse.init<uniform, -0.11785113, 0.11785113>},
               %gamma: tensor<64xf32> {fuse.init = #fuse.init<uniform, 0.5, 1.5>},
               %beta: tensor<64xf32> {fuse.init = #fuse.init<normal, 0.0, 0.1>},
               %mean: tensor<64xf32> {fuse.init = #fuse.init<normal, 0.0, 0.1>, fuse.alias_result = 1},
               %var: tensor<64xf32> {fuse.init = #fuse.init<uniform, 0.5, 1.5>, fuse.alias_result = 2})
    -> (tensor<3x64x37x262xf32>, tensor<64xf32>, tensor<64xf32>) {
  %two = fuse.constant dense<2.0> : tensor<f32>
  %conv = fuse.conv2d %x, %w : (tensor<3x8x39x264xf32>, tensor<64x8x3x3xf32>) -> tensor<3x64x37x262xf32>
  %b3 = fuse.reshape %b : tensor<64xf32> -> tensor<64x1x1xf32>
  %z = fuse.add %conv, %b3 : (tensor<3x64x37x262xf32>, tensor<64x1x1xf32>) -> tensor<3x64x37x262xf32>
  %n, %new_mean, %new_var = fuse.batch_norm %z, %gamma, %beta, %mean, %var
      eps 1.0e-05 momentum 1.0e-01
      : (tensor<3x64x37x262xf32>, tensor<64xf32>, tensor<64xf32>, tensor<64xf32>, tensor<64xf32>)
      -> (tensor<3x64x37x262xf32>, tensor<64xf32>, tensor<64xf32>)
  %y = fuse.mul %n, %two : (tensor<3x64x37x262xf32>, tensor<f32>) -> tensor<3x64x37x262xf32>
  return %y, %new_mean, %new_var
      : tensor<3x64x37x262xf32>, tensor<64xf32>, tensor<64xf32>
}
