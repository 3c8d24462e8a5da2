// A composite that is not well formed is refused before it decomposes.
// RUN: fuse-opt %s --fuse-decompose-composites --split-input-file --verify-diagnostics

func.func @one_value(%x: tensor<1x8xf32>, %c: tensor<8xf32>) {
  // expected-error @+1 {{'fuse.batch_norm' op expected more than one value per channel}}
  %0:3 = fuse.batch_norm %x, %c, %c, %c, %c
    : (tensor<1x8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>)
    -> (tensor<1x8xf32>, tensor<8xf32>, tensor<8xf32>)
  return
}

// -----

func.func @dim(%x: tensor<1x8xf32>) -> tensor<1x8xf32> {
  // expected-error @+1 {{'fuse.softmax' op expected a dim from 0 to 1, but found 7}}
  %0 = fuse.softmax %x dim 7 : tensor<1x8xf32> -> tensor<1x8xf32>
  return %0 : tensor<1x8xf32>
}
