// RUN: fuse-opt %s --split-input-file --fuse-form-kernels --fuse-select-schedules | FileCheck %s

// The gradient of a pool without overlap is made where both gradients of the
// convolution read it; steps and tiles are whole windows.

// CHECK-LABEL: func.func @pooled
// CHECK:       fuse.kernel @pooled_k0 {{.*}} -> tensor<128x8x256x256xf32> schedule(#fuse.schedule<block = [{{[0-9]+}}, 8, 16, 32, 8, 3, 3], warps = 4
// CHECK:         fuse.window_max_grad
// CHECK-NOT:     fuse.anchor
// CHECK:         fuse.conv_transpose2d {{.*}}fuse.anchor
// CHECK:       fuse.kernel @pooled_k1 {{.*}} -> tensor<64x8x3x3xf32> schedule(#fuse.schedule<block = [64, 8, 3, 3, 1, 4, 32]
// CHECK:         fuse.window_max_grad
// CHECK:         fuse.conv2d_weight_grad {{.*}}fuse.anchor
// CHECK-NOT:   fuse.kernel
func.func @pooled(%dy: tensor<128x64x63x63xf32>, %at: tensor<128x64x63x63xi8>, %x: tensor<128x8x256x256xf32>, %w: tensor<64x8x3x3xf32>) -> (tensor<128x8x256x256xf32>, tensor<64x8x3x3xf32>) {
  %dz = fuse.window_max_grad %dy, %at input_size [254, 254] window [4, 4] stride [4, 4] : (tensor<128x64x63x63xf32>, tensor<128x64x63x63xi8>) -> tensor<128x64x254x254xf32>
  %dx = fuse.conv_transpose2d %dz, %w : (tensor<128x64x254x254xf32>, tensor<64x8x3x3xf32>) -> tensor<128x8x256x256xf32>
  %dw = fuse.conv2d_weight_grad %x, %dz kernel [3, 3] : (tensor<128x8x256x256xf32>, tensor<128x64x254x254xf32>) -> tensor<64x8x3x3xf32>
  return %dx, %dw : tensor<128x8x256x256xf32>, tensor<64x8x3x3xf32>
}

// -----

// Windows of 3 rows never start where tiles of powers of two do: in memory.

// CHECK-LABEL: func.func @odd_windows
// CHECK:       fuse.kernel @odd_windows_k0
// CHECK:         fuse.window_max_grad {{.*}}fuse.anchor
// CHECK:       fuse.kernel @odd_windows_k1
// CHECK:         fuse.conv_transpose2d {{.*}}fuse.anchor
func.func @odd_windows(%dy: tensor<128x64x84x84xf32>, %at: tensor<128x64x84x84xi8>, %w: tensor<64x8x3x3xf32>) -> tensor<128x8x256x256xf32> {
  %dz = fuse.window_max_grad %dy, %at input_size [254, 254] window [3, 3] stride [3, 3] : (tensor<128x64x84x84xf32>, tensor<128x64x84x84xi8>) -> tensor<128x64x254x254xf32>
  %dx = fuse.conv_transpose2d %dz, %w : (tensor<128x64x254x254xf32>, tensor<64x8x3x3xf32>) -> tensor<128x8x256x256xf32>
  return %dx : tensor<128x8x256x256xf32>
}

// -----

// Eight input channels: once more in each reader, the convolution costs less than
// its output's traffic. The sum over all of it comes first and stores nothing else.

// CHECK-LABEL: func.func @normalised
// CHECK:       fuse.kernel @normalised_k0 {{.*}} -> tensor<64x1x1xf32> schedule
// CHECK:         fuse.conv2d {{.*}}fuse.anchor
// CHECK:       fuse.kernel @normalised_k1 {{.*}} -> tensor<128x8x128x128xf32>
// CHECK:         fuse.conv2d
// CHECK:         fuse.conv_transpose2d {{.*}}fuse.anchor
// CHECK:       fuse.kernel @normalised_k2 {{.*}} -> tensor<64x8x3x3xf32>
// CHECK:         fuse.conv2d
// CHECK:         fuse.conv2d_weight_grad {{.*}}fuse.anchor
// CHECK-NOT:   fuse.kernel
func.func @normalised(%x: tensor<128x8x128x128xf32>, %w: tensor<64x8x3x3xf32>, %dy: tensor<128x64x126x126xf32>) -> (tensor<128x8x128x128xf32>, tensor<64x8x3x3xf32>) {
  %z = fuse.conv2d %x, %w : (tensor<128x8x128x128xf32>, tensor<64x8x3x3xf32>) -> tensor<128x64x126x126xf32>
  %p = fuse.mul %z, %dy : tensor<128x64x126x126xf32>
  %g = fuse.reduce sum %p dims [0, 2, 3] : tensor<128x64x126x126xf32> -> tensor<64xf32>
  %s = fuse.reshape %g : tensor<64xf32> -> tensor<64x1x1xf32>
  %c = fuse.mul %z, %s : (tensor<128x64x126x126xf32>, tensor<64x1x1xf32>) -> tensor<128x64x126x126xf32>
  %dz = fuse.add %dy, %c : tensor<128x64x126x126xf32>
  %dx = fuse.conv_transpose2d %dz, %w : (tensor<128x64x126x126xf32>, tensor<64x8x3x3xf32>) -> tensor<128x8x128x128xf32>
  %dw = fuse.conv2d_weight_grad %x, %dz kernel [3, 3] : (tensor<128x8x128x128xf32>, tensor<128x64x126x126xf32>) -> tensor<64x8x3x3xf32>
  return %dx, %dw : tensor<128x8x128x128xf32>, tensor<64x8x3x3xf32>
}

// -----

// A product visits its operand once per tile of columns: written once, read often.

// CHECK-LABEL: func.func @product
// CHECK:       fuse.kernel @product_k0
// CHECK:         fuse.tanh
// CHECK:         fuse.yield
// CHECK:       fuse.kernel @product_k1
// CHECK-NEXT:    fuse.matmul
func.func @product(%z: tensor<1024x8192xf32>, %dy: tensor<1024x8192xf32>, %w: tensor<8192x8192xf32>) -> tensor<1024x8192xf32> {
  %t = fuse.tanh %z : tensor<1024x8192xf32>
  %dz = fuse.mul %dy, %t : tensor<1024x8192xf32>
  %dx = fuse.matmul %dz, %w : (tensor<1024x8192xf32>, tensor<8192x8192xf32>) -> tensor<1024x8192xf32>
  return %dx : tensor<1024x8192xf32>
}

// -----

// What takes many operations an element is written where it is computed anyway, for
// the sum, and read by both gradients: as an operand it would be made again in each,
// between a load and a barrier. A scale in front of them is made there.

// CHECK-LABEL: func.func @costly
// CHECK:       fuse.kernel @costly_k0 {{.*}} -> (tensor<64x64x126x126xf32>, tensor<64xf32>)
// CHECK:         fuse.erf
// CHECK:         fuse.reduce sum
// CHECK:       fuse.kernel @costly_k1
// CHECK-NOT:     fuse.erf
// CHECK:         fuse.conv_transpose2d {{.*}}fuse.anchor
// CHECK:       fuse.kernel @costly_k2
// CHECK-NOT:     fuse.erf
// CHECK:         fuse.conv2d_weight_grad {{.*}}fuse.anchor
func.func @costly(%z: tensor<64x64x126x126xf32>, %dy: tensor<64x64x126x126xf32>, %x: tensor<64x256x128x128xf32>, %w: tensor<64x256x3x3xf32>) -> (tensor<64x256x128x128xf32>, tensor<64x256x3x3xf32>, tensor<64xf32>) {
  %0 = fuse.erf %z : tensor<64x64x126x126xf32>
  %1 = fuse.mul %z, %z : tensor<64x64x126x126xf32>
  %2 = fuse.exp %1 : tensor<64x64x126x126xf32>
  %3 = fuse.add %0, %2 : tensor<64x64x126x126xf32>
  %dz = fuse.mul %dy, %3 : tensor<64x64x126x126xf32>
  %dx = fuse.conv_transpose2d %dz, %w : (tensor<64x64x126x126xf32>, tensor<64x256x3x3xf32>) -> tensor<64x256x128x128xf32>
  %dw = fuse.conv2d_weight_grad %x, %dz kernel [3, 3] : (tensor<64x256x128x128xf32>, tensor<64x64x126x126xf32>) -> tensor<64x256x3x3xf32>
  %db = fuse.reduce sum %dz dims [0, 2, 3] : tensor<64x64x126x126xf32> -> tensor<64xf32>
  return %dx, %dw, %db : tensor<64x256x128x128xf32>, tensor<64x256x3x3xf32>, tensor<64xf32>
}

// -----

// As large as anything else that its readers read, it would be a large part of the
// memory of a step: it is made in both, though that takes longer.

// CHECK-LABEL: func.func @largest
// CHECK-NOT:   -> (tensor<64x64x126x126xf32>
// CHECK:       fuse.kernel @largest_k1
// CHECK:         fuse.erf
// CHECK:         fuse.conv_transpose2d {{.*}}fuse.anchor
// CHECK:       fuse.kernel @largest_k2
// CHECK:         fuse.erf
// CHECK:         fuse.conv2d_weight_grad {{.*}}fuse.anchor
func.func @largest(%z: tensor<64x64x126x126xf32>, %dy: tensor<64x64x126x126xf32>, %x: tensor<64x64x128x128xf32>, %w: tensor<64x64x3x3xf32>) -> (tensor<64x64x128x128xf32>, tensor<64x64x3x3xf32>, tensor<64xf32>) {
  %0 = fuse.erf %z : tensor<64x64x126x126xf32>
  %1 = fuse.mul %z, %z : tensor<64x64x126x126xf32>
  %2 = fuse.exp %1 : tensor<64x64x126x126xf32>
  %3 = fuse.add %0, %2 : tensor<64x64x126x126xf32>
  %dz = fuse.mul %dy, %3 : tensor<64x64x126x126xf32>
  %dx = fuse.conv_transpose2d %dz, %w : (tensor<64x64x126x126xf32>, tensor<64x64x3x3xf32>) -> tensor<64x64x128x128xf32>
  %dw = fuse.conv2d_weight_grad %x, %dz kernel [3, 3] : (tensor<64x64x128x128xf32>, tensor<64x64x126x126xf32>) -> tensor<64x64x3x3xf32>
  %db = fuse.reduce sum %dz dims [0, 2, 3] : tensor<64x64x126x126xf32> -> tensor<64xf32>
  return %dx, %dw, %db : tensor<64x64x128x128xf32>, tensor<64x64x3x3xf32>, tensor<64xf32>
}

// -----

// One link of a chain is made where it is read, not what that reads in its turn.

// CHECK-LABEL: func.func @chain
// CHECK:       fuse.kernel @chain_k0
// CHECK:         fuse.conv2d {{.*}}fuse.anchor
// CHECK:       fuse.kernel @chain_k1
// CHECK:         fuse.conv2d
// CHECK-NOT:     fuse.anchor
// CHECK:         fuse.conv2d {{.*}}fuse.anchor
// CHECK-NOT:   fuse.kernel
func.func @chain(%x: tensor<4x32x1x8000xf32>, %a: tensor<32x32x1x1xf32>, %b: tensor<32x32x1x3xf32>, %c: tensor<32x32x1x1xf32>) -> tensor<4x32x1x8000xf32> {
  %0 = fuse.conv2d %x, %a : (tensor<4x32x1x8000xf32>, tensor<32x32x1x1xf32>) -> tensor<4x32x1x8000xf32>
  %1 = fuse.relu %0 : tensor<4x32x1x8000xf32>
  %2 = fuse.conv2d %1, %b padding [0, 1] : (tensor<4x32x1x8000xf32>, tensor<32x32x1x3xf32>) -> tensor<4x32x1x8000xf32>
  %3 = fuse.relu %2 : tensor<4x32x1x8000xf32>
  %4 = fuse.conv2d %3, %c : (tensor<4x32x1x8000xf32>, tensor<32x32x1x1xf32>) -> tensor<4x32x1x8000xf32>
  return %4 : tensor<4x32x1x8000xf32>
}

// -----

// What one step of the first convolution reads for a patch of the second, 64 channels
// of 54 x 56 pixels, would not fit shared memory: in memory.

// CHECK-LABEL: func.func @wide_patch
// CHECK:       fuse.kernel @wide_patch_k0
// CHECK:         fuse.conv2d {{.*}}fuse.anchor
// CHECK:       fuse.kernel @wide_patch_k1
// CHECK-NEXT:    fuse.conv2d {{.*}}fuse.anchor
func.func @wide_patch(%x: tensor<100x256x112x130xf32>, %v: tensor<32x256x3x1xf32>, %w: tensor<3x32x5x5xf32>) -> tensor<100x3x37x44xf32> {
  %0 = fuse.conv2d %x, %v : (tensor<100x256x112x130xf32>, tensor<32x256x3x1xf32>) -> tensor<100x32x110x130xf32>
  %1 = fuse.conv2d %0, %w stride [3, 3] padding [2, 2] : (tensor<100x32x110x130xf32>, tensor<3x32x5x5xf32>) -> tensor<100x3x37x44xf32>
  return %1 : tensor<100x3x37x44xf32>
}

// -----

// Tiles are powers of two and reach over the rim of narrow images: so do patches.

// CHECK-LABEL: func.func @narrow_images
// CHECK:       fuse.kernel @narrow_images_k0
// CHECK:         fuse.conv2d {{.*}}fuse.anchor
// CHECK:       fuse.kernel @narrow_images_k1
// CHECK-NEXT:    fuse.conv2d {{.*}}fuse.anchor
func.func @narrow_images(%x: tensor<100x24x32x7xf32>, %v: tensor<192x24x1x3xf32>, %w: tensor<48x8x3x3xf32>) -> tensor<100x48x11x2xf32> {
  %0 = fuse.conv2d %x, %v stride [3, 3] : (tensor<100x24x32x7xf32>, tensor<192x24x1x3xf32>) -> tensor<100x192x11x2xf32>
  %1 = fuse.conv2d %0, %w padding [2, 2] dilation [2, 2] groups 24 : (tensor<100x192x11x2xf32>, tensor<48x8x3x3xf32>) -> tensor<100x48x11x2xf32>
  return %1 : tensor<100x48x11x2xf32>
}

// -----

// One filter leaves the matrix unit nothing to share: one warp's threads would each
// unroll thousands of the other convolution's products.

// CHECK-LABEL: func.func @one_filter
// CHECK:       fuse.kernel @one_filter_k0
// CHECK:         fuse.conv2d {{.*}}fuse.anchor
// CHECK:       fuse.kernel @one_filter_k1
// CHECK-NEXT:    fuse.conv2d {{.*}}fuse.anchor
func.func @one_filter(%x: tensor<1x128x17x56xf16>, %v: tensor<128x8x7x1xf16>, %w: tensor<1x128x5x5xf16>) -> tensor<1x1x5x19xf16> {
  %0 = fuse.conv2d %x, %v padding [3, 0] groups 16 : (tensor<1x128x17x56xf16>, tensor<128x8x7x1xf16>) -> tensor<1x128x17x56xf16>
  %1 = fuse.conv2d %0, %w stride [3, 3] padding [0, 2] : (tensor<1x128x17x56xf16>, tensor<1x128x5x5xf16>) -> tensor<1x1x5x19xf16>
  return %1 : tensor<1x1x5x19xf16>
}
