// RUN: fuse-opt %s --fuse-form-kernels --verify-diagnostics --split-input-file

func.func @composite(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  // expected-error @below {{cannot become part of a kernel: it is neither pointwise, a reduction nor a contraction (run fuse-simplify first)}}
  %y = fuse.softmax %x dim 1 : tensor<4x8xf32> -> tensor<4x8xf32>
  return %y : tensor<4x8xf32>
}

// -----

// expected-error @below {{has more than one block}}
func.func @blocks(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  cf.br ^next
^next:
  return %x : tensor<4x8xf32>
}
