func.func @f(%x: tensor<4x6xf32>, %w: tensor<6x5xf32>) -> tensor<4x5xf32> {
  %0 = fuse.matmul %x, %w : (tensor<4x6xf32>, tensor<6x5xf32>) -> tensor<4x5xf32>
  %1 = fuse.tanh %0 : tensor<4x5xf32>
  return %1 : tensor<4x5xf32>
}
