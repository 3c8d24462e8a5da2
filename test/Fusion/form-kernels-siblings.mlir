// Reductions that read the same values share a kernel, whatever dims they fold.
// RUN: fuse-opt %s --split-input-file --fuse-form-kernels | FileCheck %s
// The tile programs made of them compute what the graph says.
// RUN: fuse-opt %s --split-input-file --fuse-form-kernels --fuse-select-schedules --fuse-tile-kernels | FileCheck %s --check-prefix=TILE
// RUN: fuse-run %p/Inputs/siblings.mlir --entry=different_dims --check
// RUN: fuse-run %p/Inputs/siblings.mlir --entry=different_dims --check --schedule-target=sm_90a
// RUN: fuse-run %p/Inputs/siblings.mlir --entry=inner_and_outer --check
// RUN: fuse-run %p/Inputs/siblings.mlir --entry=inner_and_outer --check --schedule-target=sm_90a
// RUN: fuse-run %p/Inputs/siblings.mlir --entry=beside_convolution --check
// RUN: fuse-run %p/Inputs/siblings.mlir --entry=beside_convolution --check --schedule-target=sm_90a
// RUN: fuse-run %p/Inputs/siblings.mlir --entry=constants --check --schedule-target=sm_90a
// RUN: fuse-run %p/Inputs/siblings.mlir --entry=only_constants --check --schedule-target=sm_90a

module attributes {fuse.target = #fuse.target<arch = "sm_90a", units = 132, shared_memory = 232448, registers = 65536, dram = 4000, fp32 = 60000, tensor = 400000>} {

// Sums over [0] and over [0, 1] of one product: one kernel, each with its own
// partial states and its own finish.
// CHECK-LABEL: func.func @different_dims
// CHECK: fuse.kernel @different_dims_k0
// CHECK: fuse.reduce sum %{{.*}} dims [0]
// CHECK: fuse.reduce sum %{{.*}} dims [0, 1]
// CHECK-NOT: fuse.kernel
// CHECK: return
// TILE-LABEL: func.func @different_dims
// TILE-COUNT-3: tile.launch @different_dims_k0
// TILE-NOT: tile.launch
// TILE: return
func.func @different_dims(%x: tensor<1024x2048xf32>, %y: tensor<1024x2048xf32>) -> (tensor<2048xf32>, tensor<f32>) {
  %0 = fuse.mul %x, %y : tensor<1024x2048xf32>
  %1 = fuse.reduce sum %0 dims [0] : tensor<1024x2048xf32> -> tensor<2048xf32>
  %2 = fuse.reduce sum %0 dims [0, 1] : tensor<1024x2048xf32> -> tensor<f32>
  return %1, %2 : tensor<2048xf32>, tensor<f32>
}

// The gradient of a softmax over channels and its sum per channel: the tile
// holds the channels, and goes along the rows with the sums.
// CHECK-LABEL: func.func @inner_and_outer
// CHECK: fuse.kernel @inner_and_outer_k0
// CHECK: fuse.reduce sum %{{.*}} dims [0, 2, 3]
// CHECK: fuse.reduce sum %{{.*}} dims [1] keepdims
// CHECK: fuse.reduce sum %{{.*}} dims [0, 2, 3]
// CHECK-NOT: fuse.kernel
// CHECK: return
// TILE-LABEL: func.func @inner_and_outer
// TILE-COUNT-2: tile.launch @inner_and_outer_k0
// TILE-NOT: tile.launch
// TILE: return
func.func @inner_and_outer(%s: tensor<32x64x130x128xf32>, %dy: tensor<32x64x130x128xf32>)
    -> (tensor<32x64x130x128xf32>, tensor<64xf32>, tensor<64xf32>) {
  %0 = fuse.reduce sum %dy dims [0, 2, 3] : tensor<32x64x130x128xf32> -> tensor<64xf32>
  %1 = fuse.mul %s, %dy : tensor<32x64x130x128xf32>
  %2 = fuse.reduce sum %1 dims [1] keepdims : tensor<32x64x130x128xf32> -> tensor<32x1x130x128xf32>
  %3 = fuse.sub %dy, %2 : (tensor<32x64x130x128xf32>, tensor<32x1x130x128xf32>) -> tensor<32x64x130x128xf32>
  %4 = fuse.mul %s, %3 : tensor<32x64x130x128xf32>
  %5 = fuse.reduce sum %4 dims [0, 2, 3] : tensor<32x64x130x128xf32> -> tensor<64xf32>
  return %4, %0, %5 : tensor<32x64x130x128xf32>, tensor<64xf32>, tensor<64xf32>
}

// Statistics of a convolution against dy and of dy alone: both in the epilogue.
// CHECK-LABEL: func.func @beside_convolution
// CHECK: fuse.kernel @beside_convolution_k0
// CHECK: fuse.conv2d {{.*}} {fuse.anchor}
// CHECK: fuse.reduce sum
// CHECK: fuse.reduce sum
// CHECK-NOT: fuse.kernel
// CHECK: return
// TILE-LABEL: func.func @beside_convolution
// TILE-COUNT-2: tile.launch @beside_convolution_k0
// TILE-NOT: tile.launch
// TILE: return
func.func @beside_convolution(%x: tensor<32x8x66x66xf32>, %w: tensor<64x8x3x3xf32>, %dy: tensor<32x64x64x64xf32>)
    -> (tensor<64xf32>, tensor<64xf32>) {
  %0 = fuse.conv2d %x, %w : (tensor<32x8x66x66xf32>, tensor<64x8x3x3xf32>) -> tensor<32x64x64x64xf32>
  %1 = fuse.reduce sum %dy dims [0, 2, 3] : tensor<32x64x64x64xf32> -> tensor<64xf32>
  %2 = fuse.mul %0, %dy : tensor<32x64x64x64xf32>
  %3 = fuse.reduce sum %2 dims [0, 2, 3] : tensor<32x64x64x64xf32> -> tensor<64xf32>
  return %1, %3 : tensor<64xf32>, tensor<64xf32>
}

// Two constants that are equal: two more results of the kernel that is there.
// CHECK-LABEL: func.func @constants
// CHECK: %[[K:.*]]:3 = fuse.kernel @constants_k0
// CHECK-COUNT-2: fuse.constant dense<0.000000e+00> : tensor<70xf32>
// CHECK: return %[[K]]#0, %[[K]]#1, %[[K]]#2
// TILE-LABEL: func.func @constants
// TILE: tile.launch @constants_k0
// TILE-NOT: tile.launch
// TILE: return
func.func @constants(%x: tensor<4096xf32>) -> (tensor<4096xf32>, tensor<70xf32>, tensor<70xf32>) {
  %0 = fuse.constant dense<0.0> : tensor<70xf32>
  %1 = fuse.tanh %x : tensor<4096xf32>
  return %1, %0, %0 : tensor<4096xf32>, tensor<70xf32>, tensor<70xf32>
}

// CHECK-LABEL: func.func @only_constants
// CHECK: fuse.kernel @only_constants_k0
// CHECK: fuse.constant dense<3.000000e+00> : tensor<5x70xf32>
// CHECK: fuse.yield
func.func @only_constants(%x: tensor<8xf32>) -> tensor<5x70xf32> {
  %0 = fuse.constant dense<3.0> : tensor<5x70xf32>
  return %0 : tensor<5x70xf32>
}

// A layer as wide as it is deep: its input's gradient is few tiles, each shared by
// several instances, so the bias's gradient does not move in although it fits.
// CHECK-LABEL: func.func @deep_product
// CHECK: fuse.kernel @deep_product_k0
// CHECK: fuse.kernel @deep_product_k1
func.func @deep_product(%dy: tensor<128x4096xf32>, %w: tensor<4096x4096xf32>) -> (tensor<128x4096xf32>, tensor<4096xf32>) {
  %0 = fuse.matmul %dy, %w : (tensor<128x4096xf32>, tensor<4096x4096xf32>) -> tensor<128x4096xf32>
  %1 = fuse.reduce sum %dy dims [0] : tensor<128x4096xf32> -> tensor<4096xf32>
  return %0, %1 : tensor<128x4096xf32>, tensor<4096xf32>
}

// An op that needs two sums over different dims stays outside.
// CHECK-LABEL: func.func @both_sums
// CHECK: fuse.kernel @both_sums_k0
// CHECK: fuse.kernel @both_sums_k1
func.func @both_sums(%x: tensor<1024x2048xf32>) -> tensor<2048xf32> {
  %0 = fuse.reduce sum %x dims [0] : tensor<1024x2048xf32> -> tensor<2048xf32>
  %1 = fuse.reduce sum %x dims [0, 1] : tensor<1024x2048xf32> -> tensor<f32>
  %2 = fuse.div %0, %1 : (tensor<2048xf32>, tensor<f32>) -> tensor<2048xf32>
  return %2 : tensor<2048xf32>
}

}

// TILE-LABEL: tile.func @inner_and_outer_k0(
// TILE: scf.for {{.*}} iter_args
// TILE: tile.reduce{{.*}} dims [1]
// TILE: tile.store
// TILE: scf.yield
// TILE: tile.reduce
// TILE: tile.return
