// RUN: fuse-opt %s --split-input-file --fuse-tile-kernels | FileCheck %s

// The host program: launches in destination style; arguments that are returned,
// and results that are returned twice, are copied.

// CHECK-LABEL: func.func @host(
// CHECK-SAME:    %[[X:[a-z0-9]+]]: !tile.view<3x1000xf32> {fuse.init = #fuse.init<uniform, 0.000000e+00, 1.000000e+00>}, %[[B:[a-z0-9]+]]: !tile.view<1000xf32>,
// CHECK-SAME:    %[[Y:[a-z0-9]+]]: !tile.view<3x1000xf32>, %[[B2:[a-z0-9]+]]: !tile.view<1000xf32>, %[[Y2:[a-z0-9]+]]: !tile.view<3000xf32>
// CHECK-SAME:    attributes {tile.entry, tile.num_inputs = 2 : i64}
// CHECK:         tile.launch @host_k0 ins(%[[X]], %[[B]] {{.*}}) outs(%[[Y]] {{.*}}) {bytes = 28000 : i64}
// CHECK:         tile.view_cast %[[Y]]
// CHECK:         tile.launch @host_copy ins(%[[B]] {{.*}}) outs(%[[B2]] {{.*}})
// CHECK:         tile.launch @host_copy_0 {{.*}} outs(%[[Y2]]
// CHECK:         return

// CHECK-LABEL: tile.func @host_k0(
// CHECK-SAME:    grid [12] warps 4
// CHECK:         %[[PID:.*]] = tile.program_id 0
// CHECK-DAG:     %[[J:.*]] = arith.remui %[[PID]]
// CHECK-DAG:     %[[I:.*]] = arith.divui %[[PID]]
// CHECK:         %[[J0:.*]] = arith.muli %[[J]]
// CHECK:         tile.load %{{.*}}[%[[I]], %[[J0]]] : <3x1000xf32> -> tensor<1x256xf32>
// CHECK:         math.tanh
// CHECK:         tile.load %{{.*}}[%[[J0]]] : <1000xf32> -> tensor<256xf32>
// CHECK:         arith.addf
// CHECK:         tile.store %{{.*}}[%[[I]], %[[J0]]]
func.func @host(%x: tensor<3x1000xf32> {fuse.init = #fuse.init<uniform, 0.0, 1.0>}, %b: tensor<1000xf32>)
    -> (tensor<3x1000xf32>, tensor<1000xf32>, tensor<3000xf32>) {
  %y = fuse.kernel @host_k0 (%a = %x, %c = %b) : (tensor<3x1000xf32>, tensor<1000xf32>) -> tensor<3x1000xf32>
      schedule(#fuse.schedule<block = [1, 256], warps = 4, stages = 1, cluster = 1, mma = fma, splits = 1>) {
    %t = fuse.tanh %a : tensor<3x1000xf32>
    %u = fuse.add %t, %c : (tensor<3x1000xf32>, tensor<1000xf32>) -> tensor<3x1000xf32>
    fuse.yield %u : tensor<3x1000xf32>
  }
  %flat = fuse.reshape %y : tensor<3x1000xf32> -> tensor<3000xf32>
  return %y, %b, %flat : tensor<3x1000xf32>, tensor<1000xf32>, tensor<3000xf32>
}

// -----

// The patch is read once; each tap is a window of it. The aligned pooling window
// is a reshape of the tile, reduced where its dims lie.

// CHECK-LABEL: tile.func @conv_pool_k0(
// CHECK:         %[[PATCH:.*]] = tile.load {{.*}} -> tensor<1x8x10x34xf32>
// CHECK-NOT:     tile.load {{.*}} -> tensor<1x8x
// CHECK:         tile.window %[[PATCH]] [0, 0, 0, 0] strides [1, 1, 1, 1] : tensor<1x8x10x34xf32> -> tensor<1x8x8x32xf32>
// CHECK:         tile.dot {{.*}} lhs_contract [1] rhs_contract [0] {mma = #tile<mma mma_sync>, precision = #tile<precision tf32>} : tensor<64x8xf32>, tensor<8x8x32xf32> -> tensor<64x8x32xf32>
// CHECK:         tile.window %[[PATCH]] [0, 0, 0, 1]
// CHECK:         tile.window %[[PATCH]] [0, 0, 2, 2]
// CHECK:         tile.dot
// CHECK:         tile.broadcast {{.*}} -> tensor<1x64x8x32xf32>
// CHECK:         math.tanh
// CHECK:         tile.reduce({{.*}}) dims [3, 5] : (tensor<1x64x2x4x8x4xf32>) -> tensor<1x64x2x1x8x1xf32>
// CHECK:         tile.store {{.*}} : tensor<1x64x2x8xf32>, <2x64x9x17xf32>
func.func @conv_pool(%x: tensor<2x8x38x70xf32>, %w: tensor<64x8x3x3xf32>, %b: tensor<64x1x1xf32>) -> tensor<2x64x9x17xf32> {
  %y = fuse.kernel @conv_pool_k0 (%a = %x, %c = %w, %d = %b) : (tensor<2x8x38x70xf32>, tensor<64x8x3x3xf32>, tensor<64x1x1xf32>) -> tensor<2x64x9x17xf32>
      schedule(#fuse.schedule<block = [1, 64, 8, 32, 8, 3, 3], warps = 8, stages = 2, cluster = 1, mma = mma_sync, splits = 1>) {
    %t = fuse.conv2d %a, %c {fuse.anchor} : (tensor<2x8x38x70xf32>, tensor<64x8x3x3xf32>) -> tensor<2x64x36x68xf32>
    %u = fuse.add %t, %d : (tensor<2x64x36x68xf32>, tensor<64x1x1xf32>) -> tensor<2x64x36x68xf32>
    %v = fuse.tanh %u : tensor<2x64x36x68xf32>
    %p = fuse.window_reduce max %v window [4, 4] stride [4, 4] : tensor<2x64x36x68xf32> -> tensor<2x64x9x17xf32>
    fuse.yield %p : tensor<2x64x9x17xf32>
  }
  return %y : tensor<2x64x9x17xf32>
}
