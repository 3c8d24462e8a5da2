// RUN: fuse-opt %s --fuse-differentiate --split-input-file --verify-diagnostics

// Composite ops are decomposed first.
func.func @composite(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  // expected-error @+1 {{'fuse.softmax' op has no derivative rule; decompose it first (fuse-simplify)}}
  %y = fuse.softmax %x dim 1 : tensor<4x8xf32> -> tensor<4x8xf32>
  return %y : tensor<4x8xf32>
}

// -----

// The gradient of a gradient by positions is not written.
func.func @second(%dy: tensor<1x1x2x2xf32>, %at: tensor<1x1x2x2xi8>) -> tensor<1x1x4x4xf32> {
  // expected-error @+1 {{'fuse.window_max_grad' op has no derivative rule}}
  %dx = fuse.window_max_grad %dy, %at input_size [4, 4] window [2, 2] stride [2, 2]
      : (tensor<1x1x2x2xf32>, tensor<1x1x2x2xi8>) -> tensor<1x1x4x4xf32>
  return %dx : tensor<1x1x4x4xf32>
}
