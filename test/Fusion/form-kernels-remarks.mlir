// RUN: fuse-opt %s --fuse-form-kernels=remarks=true --verify-diagnostics --split-input-file -o /dev/null

func.func @hold(%x: tensor<4096x1024xf32>, %w: tensor<1024x4096xf32>) -> tensor<4096x4096xf32> {
  // expected-remark @below {{not fused: stored and read back: computing it again costs more}}
  %c = fuse.matmul %x, %w : (tensor<4096x1024xf32>, tensor<1024x4096xf32>) -> tensor<4096x4096xf32>
  %m = fuse.reduce sum %c dims [0] : tensor<4096x4096xf32> -> tensor<4096xf32>
  // expected-remark @below {{not fused: what one tile must hold makes it 4096 by 4, too thin for the contraction}}
  %y = fuse.sub %c, %m : (tensor<4096x4096xf32>, tensor<4096xf32>) -> tensor<4096x4096xf32>
  return %y : tensor<4096x4096xf32>
}

// -----

func.func @transposed(%x: tensor<64x64xf32>) -> tensor<64x64xf32> {
  %m = fuse.reduce max %x dims [1] keepdims : tensor<64x64xf32> -> tensor<64x1xf32>
  %d = fuse.sub %x, %m : (tensor<64x64xf32>, tensor<64x1xf32>) -> tensor<64x64xf32>
  %t = fuse.transpose %d permutation [1, 0] : tensor<64x64xf32> -> tensor<64x64xf32>
  // expected-remark @below {{not fused: 'fuse.add' reads a value of the tile at another place than the tile has it}}
  %y = fuse.add %d, %t : tensor<64x64xf32>
  return %y : tensor<64x64xf32>
}
