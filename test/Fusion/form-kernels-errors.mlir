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

// -----

func.func @foreign() {
  // expected-error @below {{cannot become part of a kernel: it is not an operation of the fuse dialect}}
  %0 = tile.alloc : !tile.view<64xf32>
  return
}

// -----

// expected-error @below {{argument 0 of 'empty' must be a static, non-empty tensor, found 'tensor<0xf32>'}}
func.func @empty(%x: tensor<0xf32>) -> tensor<0xf32> {
  return %x : tensor<0xf32>
}
