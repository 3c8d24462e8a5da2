// RUN: fuse-opt %s --fuse-tile-kernels --verify-diagnostics --split-input-file -o /dev/null

func.func @loose(%x: tensor<8xf32>) -> tensor<8xf32> {
  // expected-error @below {{is outside a kernel; run fuse-form-kernels first}}
  %y = fuse.tanh %x : tensor<8xf32>
  return %y : tensor<8xf32>
}

// -----

// expected-error @below {{must have a single block to become a host program}}
func.func @blocks(%x: tensor<8xf32>) -> tensor<8xf32> {
  cf.br ^next
^next:
  return %x : tensor<8xf32>
}

// -----

// expected-error @below {{expects ranked tensor arguments, found 'i32'}}
func.func @scalar(%x: i32) {
  return
}

// -----

// A tile that does not follow a change of shape: the ops run one by one.
func.func @separate(%x: tensor<4x6x5xf32>) -> tensor<8x15xf32> {
  // expected-remark @below {{fused tiles could not be emitted, its ops run one by one}}
  %y = fuse.kernel @separate_k0 (%a = %x) : (tensor<4x6x5xf32>) -> tensor<8x15xf32>
      schedule(#fuse.schedule<block = [2, 8], warps = 1, stages = 1, cluster = 1, mma = fma, splits = 1>) {
    %e = fuse.exp %a : tensor<4x6x5xf32>
    %r = fuse.reshape %e : tensor<4x6x5xf32> -> tensor<8x15xf32>
    %t = fuse.tanh %r : tensor<8x15xf32>
    fuse.yield %t : tensor<8x15xf32>
  }
  return %y : tensor<8x15xf32>
}
