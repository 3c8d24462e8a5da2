// RUN: fuse-opt %s --fuse-differentiate --split-input-file --verify-diagnostics

// Composite ops are decomposed first.
func.func @composite(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  // expected-error @+1 {{'fuse.softmax' op has no derivative rule; decompose it first (fuse-simplify)}}
  %y = fuse.softmax %x dim 1 : tensor<4x8xf32> -> tensor<4x8xf32>
  return %y : tensor<4x8xf32>
}

// -----

// The gradient of a gradient by positions goes tap by tap, so taps have to be few.
func.func @second(%dy: tensor<1x2xf32>, %at: tensor<1x2xi32>) -> tensor<1x10000xf32> {
  // expected-error @+1 {{'fuse.window_max_grad' op has no derivative rule for these attributes}}
  %dx = fuse.window_max_grad %dy, %at input_size [10000] window [5000] stride [5000]
      : (tensor<1x2xf32>, tensor<1x2xi32>) -> tensor<1x10000xf32>
  return %dx : tensor<1x10000xf32>
}
