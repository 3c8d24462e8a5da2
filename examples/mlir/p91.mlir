// sigmoid((softmax over channels(conv_transpose2d(x, w) + b) + bias) * 2.0)
//   fuse-run p91.mlir --check

func.func @p91(%x: tensor<128x64x64x64xf32> {fuse.init = #fuse.init<uniform, 0.0, 1.0>},
               %w: tensor<64x128x4x4xf32> {fuse.init = #fuse.init<uniform, -0.02209709, 0.02209709>},
               %b: tensor<128xf32> {fuse.init = #fuse.init<uniform, -0.02209709, 0.02209709>},
               %bias: tensor<128x1x1xf32> {fuse.init = #fuse.init<normal, 0.0, 1.0>})
    -> tensor<128x128x129x129xf32> {
  %two = fuse.constant dense<2.0> : tensor<f32>
  %conv = fuse.conv_transpose2d %x, %w stride [2, 2] padding [1, 1] output_padding [1, 1]
      : (tensor<128x64x64x64xf32>, tensor<64x128x4x4xf32>) -> tensor<128x128x129x129xf32>
  %b3 = fuse.reshape %b : tensor<128xf32> -> tensor<128x1x1xf32>
  %z = fuse.add %conv, %b3 : (tensor<128x128x129x129xf32>, tensor<128x1x1xf32>) -> tensor<128x128x129x129xf32>
  %p = fuse.softmax %z dim 1 : tensor<128x128x129x129xf32> -> tensor<128x128x129x129xf32>
  %a = fuse.add %p, %bias : (tensor<128x128x129x129xf32>, tensor<128x1x1xf32>) -> tensor<128x128x129x129xf32>
  %s = fuse.mul %a, %two : (tensor<128x128x129x129xf32>, tensor<f32>) -> tensor<128x128x129x129xf32>
  %y = fuse.sigmoid %s : tensor<128x128x129x129xf32>
  return %y : tensor<128x128x129x129xf32>
}
