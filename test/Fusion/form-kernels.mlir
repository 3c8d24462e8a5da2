// RUN: fuse-opt %s --split-input-file --fuse-form-kernels | FileCheck %s

// A convolution, what follows it point by point, and an aligned window: one
// kernel. The bias changes its shape for free outside.

// CHECK-LABEL: func.func @conv_pool
// CHECK:       fuse.reshape
// CHECK:       fuse.kernel @conv_pool_k0
// CHECK:         fuse.constant dense<2.0
// CHECK:         fuse.conv2d {{.*}}fuse.anchor
// CHECK:         fuse.add
// CHECK:         fuse.tanh
// CHECK:         fuse.window_reduce
// CHECK:         fuse.yield %{{[0-9]+}} : tensor<2x16x4x4xf32>
// CHECK-NOT:   fuse.kernel
func.func @conv_pool(%x: tensor<2x8x20x20xf32>, %w: tensor<16x8x3x3xf32>, %b: tensor<16xf32>) -> tensor<2x16x4x4xf32> {
  %two = fuse.constant dense<2.0> : tensor<f32>
  %c = fuse.conv2d %x, %w : (tensor<2x8x20x20xf32>, tensor<16x8x3x3xf32>) -> tensor<2x16x18x18xf32>
  %b3 = fuse.reshape %b : tensor<16xf32> -> tensor<16x1x1xf32>
  %z = fuse.add %c, %b3 : (tensor<2x16x18x18xf32>, tensor<16x1x1xf32>) -> tensor<2x16x18x18xf32>
  %t = fuse.tanh %z : tensor<2x16x18x18xf32>
  %m = fuse.mul %t, %two : (tensor<2x16x18x18xf32>, tensor<f32>) -> tensor<2x16x18x18xf32>
  %y = fuse.window_reduce max %m window [4, 4] stride [4, 4] : tensor<2x16x18x18xf32> -> tensor<2x16x4x4xf32>
  return %y : tensor<2x16x4x4xf32>
}

// -----

// Overlapping windows reach into the neighbours' tiles: their own kernel.

// CHECK-LABEL: func.func @overlapping_pool
// CHECK:       fuse.kernel @overlapping_pool_k0
// CHECK:         fuse.conv2d {{.*}}fuse.anchor
// CHECK:         fuse.yield
// CHECK:       fuse.kernel @overlapping_pool_k1
// CHECK:         fuse.window_reduce {{.*}}fuse.anchor
func.func @overlapping_pool(%x: tensor<2x8x20x20xf32>, %w: tensor<16x8x3x3xf32>) -> tensor<2x16x16x16xf32> {
  %c = fuse.conv2d %x, %w : (tensor<2x8x20x20xf32>, tensor<16x8x3x3xf32>) -> tensor<2x16x18x18xf32>
  %y = fuse.window_reduce max %c window [3, 3] : tensor<2x16x18x18xf32> -> tensor<2x16x16x16xf32>
  return %y : tensor<2x16x16x16xf32>
}

// -----

// Softmax over channels: a tile holds all 32 of them.

// CHECK-LABEL: func.func @softmax
// CHECK:       fuse.kernel @softmax_k0
// CHECK:         fuse.reduce max
// CHECK:         fuse.reduce sum
// CHECK:         fuse.yield
// CHECK-NOT:   fuse.kernel
func.func @softmax(%x: tensor<2x8x20x20xf32>, %w: tensor<32x8x3x3xf32>) -> tensor<2x32x18x18xf32> {
  %c = fuse.conv2d %x, %w : (tensor<2x8x20x20xf32>, tensor<32x8x3x3xf32>) -> tensor<2x32x18x18xf32>
  %m = fuse.reduce max %c dims [1] keepdims : tensor<2x32x18x18xf32> -> tensor<2x1x18x18xf32>
  %d = fuse.sub %c, %m : (tensor<2x32x18x18xf32>, tensor<2x1x18x18xf32>) -> tensor<2x32x18x18xf32>
  %e = fuse.exp %d : tensor<2x32x18x18xf32>
  %s = fuse.reduce sum %e dims [1] keepdims : tensor<2x32x18x18xf32> -> tensor<2x1x18x18xf32>
  %y = fuse.div %e, %s : (tensor<2x32x18x18xf32>, tensor<2x1x18x18xf32>) -> tensor<2x32x18x18xf32>
  return %y : tensor<2x32x18x18xf32>
}

// -----

// Rows too long for a product's tile: the softmax is a kernel over rows, maximum
// included, although the maximum alone would fit the product's.

// CHECK-LABEL: func.func @wide_softmax
// CHECK:       fuse.kernel @wide_softmax_k0
// CHECK:         fuse.matmul
// CHECK-NEXT:    fuse.yield
// CHECK:       fuse.kernel @wide_softmax_k1
// CHECK:         fuse.reduce max
// CHECK:         fuse.reduce sum
func.func @wide_softmax(%x: tensor<256x256xf32>, %w: tensor<256x8192xf32>) -> tensor<256x8192xf32> {
  %c = fuse.matmul %x, %w : (tensor<256x256xf32>, tensor<256x8192xf32>) -> tensor<256x8192xf32>
  %m = fuse.reduce max %c dims [1] keepdims : tensor<256x8192xf32> -> tensor<256x1xf32>
  %d = fuse.sub %c, %m : (tensor<256x8192xf32>, tensor<256x1xf32>) -> tensor<256x8192xf32>
  %e = fuse.exp %d : tensor<256x8192xf32>
  %s = fuse.reduce sum %e dims [1] keepdims : tensor<256x8192xf32> -> tensor<256x1xf32>
  %y = fuse.div %e, %s : (tensor<256x8192xf32>, tensor<256x1xf32>) -> tensor<256x8192xf32>
  return %y : tensor<256x8192xf32>
}

// -----

// Moments of a cheap convolution: it is computed twice and never stored; what
// depends on the moments alone goes to the finish.

// CHECK-LABEL: func.func @recompute
// CHECK:       %[[K0:.*]]:2 = fuse.kernel @recompute_k0
// CHECK:         fuse.conv2d
// CHECK:         fuse.reduce moments
// CHECK:         fuse.rsqrt
// CHECK:         fuse.yield %{{.*}}, %{{.*}} : tensor<64x1x1xf32>, tensor<64x1x1xf32>
// CHECK:       fuse.kernel @recompute_k1
// CHECK:         fuse.conv2d
// CHECK:         fuse.sub
// CHECK:         fuse.mul
func.func @recompute(%x: tensor<128x8x128x128xf32>, %w: tensor<64x8x3x3xf32>) -> tensor<128x64x126x126xf32> {
  %c = fuse.conv2d %x, %w : (tensor<128x8x128x128xf32>, tensor<64x8x3x3xf32>) -> tensor<128x64x126x126xf32>
  %mean, %m2 = fuse.reduce moments %c dims [0, 2, 3] : tensor<128x64x126x126xf32> -> tensor<64xf32>, tensor<64xf32>
  %r = fuse.rsqrt %m2 : tensor<64xf32>
  %mean3 = fuse.reshape %mean : tensor<64xf32> -> tensor<64x1x1xf32>
  %r3 = fuse.reshape %r : tensor<64xf32> -> tensor<64x1x1xf32>
  %d = fuse.sub %c, %mean3 : (tensor<128x64x126x126xf32>, tensor<64x1x1xf32>) -> tensor<128x64x126x126xf32>
  %y = fuse.mul %d, %r3 : (tensor<128x64x126x126xf32>, tensor<64x1x1xf32>) -> tensor<128x64x126x126xf32>
  return %y : tensor<128x64x126x126xf32>
}

// -----

// A deep product is stored and read back.

// CHECK-LABEL: func.func @store
// CHECK:       fuse.kernel @store_k0
// CHECK:         fuse.matmul
// CHECK:         fuse.reduce moments
// CHECK:         fuse.yield %{{.*}}, %{{.*}} : tensor<4096x8192xf32>, tensor<8192xf32>
// CHECK:       fuse.kernel @store_k1
// CHECK-NOT:     fuse.matmul
// CHECK:         fuse.sub
func.func @store(%x: tensor<4096x8192xf32>, %w: tensor<8192x8192xf32>) -> tensor<4096x8192xf32> {
  %c = fuse.matmul %x, %w : (tensor<4096x8192xf32>, tensor<8192x8192xf32>) -> tensor<4096x8192xf32>
  %mean, %m2 = fuse.reduce moments %c dims [0] : tensor<4096x8192xf32> -> tensor<8192xf32>, tensor<8192xf32>
  %d = fuse.sub %c, %mean : (tensor<4096x8192xf32>, tensor<8192xf32>) -> tensor<4096x8192xf32>
  return %d : tensor<4096x8192xf32>
}

// -----

// Pointwise work on an operand moves into the contraction's kernel; two
// contractions are two kernels.

// CHECK-LABEL: func.func @prologue
// CHECK:       fuse.kernel @prologue_k0
// CHECK:         fuse.maximum
// CHECK:         fuse.conv2d {{.*}}fuse.anchor
// CHECK:       fuse.kernel @prologue_k1
// CHECK:         fuse.conv2d {{.*}}fuse.anchor
// CHECK:         fuse.add
// CHECK-NOT:   fuse.kernel
func.func @prologue(%x: tensor<2x8x18x18xf32>, %w: tensor<16x8x3x3xf32>, %v: tensor<16x8x3x3xf32>) -> tensor<2x16x16x16xf32> {
  %zero = fuse.constant dense<0.0> : tensor<f32>
  %r = fuse.maximum %x, %zero : (tensor<2x8x18x18xf32>, tensor<f32>) -> tensor<2x8x18x18xf32>
  %a = fuse.conv2d %r, %w : (tensor<2x8x18x18xf32>, tensor<16x8x3x3xf32>) -> tensor<2x16x16x16xf32>
  %b = fuse.conv2d %x, %v : (tensor<2x8x18x18xf32>, tensor<16x8x3x3xf32>) -> tensor<2x16x16x16xf32>
  %y = fuse.add %a, %b : tensor<2x16x16x16xf32>
  return %y : tensor<2x16x16x16xf32>
}

// -----

// Behind a grouped contraction: an index is group * size + channel.

// CHECK-LABEL: func.func @groups
// CHECK:       fuse.kernel @groups_k0
// CHECK:         fuse.conv2d
// CHECK:         fuse.tanh
// CHECK-NOT:   fuse.kernel
func.func @groups(%x: tensor<2x8x8x8xf32>, %w: tensor<8x4x3x3xf32>) -> tensor<2x8x6x6xf32> {
  %c = fuse.conv2d %x, %w groups 2 : (tensor<2x8x8x8xf32>, tensor<8x4x3x3xf32>) -> tensor<2x8x6x6xf32>
  %t = fuse.tanh %c : tensor<2x8x6x6xf32>
  return %t : tensor<2x8x6x6xf32>
}

// -----

// Several results, one of them in the middle; small vectors move to the reader.

// CHECK-LABEL: func.func @results
// CHECK:       fuse.kernel @results_k0
// CHECK:         fuse.yield %{{.*}}, %{{.*}} : tensor<64x1000xf32>, tensor<64x1000xf32>
// CHECK-NOT:   fuse.kernel
func.func @results(%x: tensor<64x1000xf32>, %s: tensor<1000xf32>) -> (tensor<64x1000xf32>, tensor<64x1000xf32>) {
  %e = fuse.exp %s : tensor<1000xf32>
  %t = fuse.tanh %x : tensor<64x1000xf32>
  %a = fuse.mul %t, %e : (tensor<64x1000xf32>, tensor<1000xf32>) -> tensor<64x1000xf32>
  %b = fuse.sub %x, %e : (tensor<64x1000xf32>, tensor<1000xf32>) -> tensor<64x1000xf32>
  %c = fuse.add %a, %b : tensor<64x1000xf32>
  return %t, %c : tensor<64x1000xf32>, tensor<64x1000xf32>
}

// -----

// The sine and its change of shape are one kernel, until the reader of the sine
// itself gets a copy of it: then only the other shape is stored, in whose tiles
// the sine is no block. The kernel is split, and the change of shape is free.

// CHECK-LABEL: func.func @grouped
// CHECK:         fuse.kernel @grouped_k0
// CHECK-NEXT:      fuse.sin
// CHECK-NEXT:      fuse.hardsigmoid
// CHECK:         %[[SINE:.*]] = fuse.kernel @grouped_k1
// CHECK-NEXT:      fuse.sin
// CHECK-NEXT:      fuse.yield
// CHECK:         %[[R:.*]] = fuse.reshape %[[SINE]]
// CHECK:         fuse.kernel @grouped_k2 (%{{.*}} = %[[R]])
// CHECK-NEXT:      fuse.reduce moments
// CHECK:         fuse.conv_transpose2d
module attributes {fuse.target = #fuse.target<arch = "cpu", units = 16, shared_memory = 1048576, registers = 2048, dram = 100, fp32 = 1500, tensor = 1500>} {
func.func @grouped(%x: tensor<3x8x3x5xf32>, %w: tensor<8x2x1x1xf32>) -> (tensor<3x8x3x5xf32>, tensor<3x4x6x14xf32>) {
  %s = fuse.sin %x : tensor<3x8x3x5xf32>
  %r = fuse.reshape %s : tensor<3x8x3x5xf32> -> tensor<3x4x2x3x5xf32>
  %m, %v = fuse.reduce moments %r dims [2, 3, 4] keepdims : tensor<3x4x2x3x5xf32> -> tensor<3x4x1x1x1xf32>, tensor<3x4x1x1x1xf32>
  %d = fuse.sub %r, %m : (tensor<3x4x2x3x5xf32>, tensor<3x4x1x1x1xf32>) -> tensor<3x4x2x3x5xf32>
  %n = fuse.mul %d, %v : (tensor<3x4x2x3x5xf32>, tensor<3x4x1x1x1xf32>) -> tensor<3x4x2x3x5xf32>
  %g = fuse.reshape %n : tensor<3x4x2x3x5xf32> -> tensor<3x8x3x5xf32>
  %c = fuse.conv_transpose2d %g, %w stride [2, 3] output_padding [1, 1] groups 2 : (tensor<3x8x3x5xf32>, tensor<8x2x1x1xf32>) -> tensor<3x4x6x14xf32>
  %h = fuse.hardsigmoid %s : tensor<3x8x3x5xf32>
  return %h, %c : tensor<3x8x3x5xf32>, tensor<3x4x6x14xf32>
}
}
