// RUN: fuse-opt %s --fuse-select-schedules --verify-diagnostics --split-input-file

func.func @rank(%x: tensor<64x64xf32>, %s: tensor<64xf32>) -> tensor<64x64xf32> {
  // expected-error @below {{has an illegal schedule: block has 1 extents, but the kernel has 2 dims}}
  %0 = fuse.kernel @k (%a = %x, %b = %s) : (tensor<64x64xf32>, tensor<64xf32>) -> tensor<64x64xf32> schedule(#fuse.schedule<block = [512], warps = 2, stages = 1, cluster = 1, mma = fma, splits = 1>) {
    %m = fuse.add %a, %b : (tensor<64x64xf32>, tensor<64xf32>) -> tensor<64x64xf32>
    fuse.yield %m : tensor<64x64xf32>
  }
  return %0 : tensor<64x64xf32>
}

// -----

func.func @power(%x: tensor<64x64xf32>) -> tensor<64x64xf32> {
  // expected-error @below {{has an illegal schedule: block extent 1 is 48, but tiles of sm_90a have powers of two}}
  %0 = fuse.kernel @k (%a = %x) : (tensor<64x64xf32>) -> tensor<64x64xf32> schedule(#fuse.schedule<block = [8, 48], warps = 2, stages = 1, cluster = 1, mma = fma, splits = 1>) {
    %m = fuse.tanh %a : tensor<64x64xf32>
    fuse.yield %m : tensor<64x64xf32>
  }
  return %0 : tensor<64x64xf32>
}

// -----

func.func @hold(%x: tensor<64x64xf32>) -> tensor<64x64xf32> {
  // expected-error @below {{has an illegal schedule: block extent 1 is 32, but a reduction needs all 64 in one tile}}
  %0 = fuse.kernel @k (%a = %x) : (tensor<64x64xf32>) -> tensor<64x64xf32> schedule(#fuse.schedule<block = [8, 32], warps = 2, stages = 1, cluster = 1, mma = fma, splits = 1>) {
    %m = fuse.reduce max %a dims [1] keepdims : tensor<64x64xf32> -> tensor<64x1xf32>
    %d = fuse.sub %a, %m : (tensor<64x64xf32>, tensor<64x1xf32>) -> tensor<64x64xf32>
    fuse.yield %d : tensor<64x64xf32>
  }
  return %0 : tensor<64x64xf32>
}

// -----

func.func @window(%x: tensor<8x8x16x16xf32>, %w: tensor<16x8x1x1xf32>) -> tensor<8x16x4x4xf32> {
  // expected-error @below {{has an illegal schedule: block extent 3 is 2, not a multiple of the window 4}}
  %0 = fuse.kernel @k (%a = %x, %b = %w) : (tensor<8x8x16x16xf32>, tensor<16x8x1x1xf32>) -> tensor<8x16x4x4xf32> schedule(#fuse.schedule<block = [1, 16, 4, 2, 8, 1, 1], warps = 2, stages = 1, cluster = 1, mma = fma, splits = 1>) {
    %c = fuse.conv2d %a, %b {fuse.anchor} : (tensor<8x8x16x16xf32>, tensor<16x8x1x1xf32>) -> tensor<8x16x16x16xf32>
    %p = fuse.window_reduce max %c window [4, 4] stride [4, 4] : tensor<8x16x16x16xf32> -> tensor<8x16x4x4xf32>
    fuse.yield %p : tensor<8x16x4x4xf32>
  }
  return %0 : tensor<8x16x4x4xf32>
}

// -----

func.func @shared(%x: tensor<1024x1024xf32>, %w: tensor<1024x1024xf32>) -> tensor<1024x1024xf32> {
  // expected-error @below {{has an illegal schedule: the operands of one step take 1048576 bytes of shared memory; there are 232448}}
  %0 = fuse.kernel @k (%a = %x, %b = %w) : (tensor<1024x1024xf32>, tensor<1024x1024xf32>) -> tensor<1024x1024xf32> schedule(#fuse.schedule<block = [128, 128, 1024], warps = 8, stages = 1, cluster = 1, mma = mma_sync, splits = 1>) {
    %c = fuse.matmul %a, %b {fuse.anchor} : (tensor<1024x1024xf32>, tensor<1024x1024xf32>) -> tensor<1024x1024xf32>
    fuse.yield %c : tensor<1024x1024xf32>
  }
  return %0 : tensor<1024x1024xf32>
}

// -----

func.func @two_anchors(%x: tensor<64x64xf32>) -> tensor<64x64xf32> {
  // expected-error @below {{is no legal kernel: a kernel has one anchor, and 'fuse.matmul' is another contraction}}
  %0 = fuse.kernel @k (%a = %x) : (tensor<64x64xf32>) -> tensor<64x64xf32> {
    %c = fuse.matmul %a, %a {fuse.anchor} : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
    %d = fuse.matmul %c, %a : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
    fuse.yield %d : tensor<64x64xf32>
  }
  return %0 : tensor<64x64xf32>
}

// -----

func.func @merged(%x: tensor<1000000x64xf32>) -> tensor<1000000x64xf32> {
  // expected-error @below {{has no schedule that fits the target: what one tile must hold takes 1048576 elements; 16384 fit}}
  %0 = fuse.kernel @k (%a = %x) : (tensor<1000000x64xf32>) -> tensor<1000000x64xf32> {
    %m = fuse.reduce max %a dims [0] : tensor<1000000x64xf32> -> tensor<64xf32>
    %d = fuse.sub %a, %m : (tensor<1000000x64xf32>, tensor<64xf32>) -> tensor<1000000x64xf32>
    fuse.yield %d : tensor<1000000x64xf32>
  }
  return %0 : tensor<1000000x64xf32>
}
