// RUN: fuse-opt %s --tile-assign-layouts --split-input-file | FileCheck %s

// Each of 512 gradients goes to one of 4 x 4 neighbours. The 256 threads share out
// the 512, two neighbours each, and hold the windows of theirs in registers: an
// element is loaded once, not once a neighbour.
// CHECK-DAG: #[[SMALL:.+]] = #tile.distributed<{{\[}}[], [64], [], [8]], register = {{\[}}[0, 0, 0, 1]], lane
// CHECK-DAG: #[[WINDOWS:.+]] = #tile.distributed<{{\[}}[], [64], [], [4], [8], [4]], register = {{\[}}[0, 0, 0, 0, 1, 0], [0, 0, 0, 0, 0, 1], [0, 0, 0, 0, 0, 2], [0, 0, 0, 1, 0, 0], [0, 0, 0, 2, 0, 0]], lane
// CHECK-LABEL: tile.func @windows
// CHECK: tile.load %arg0{{.*}} -> tensor<1x64x1x8xf32, #[[SMALL]]>
// CHECK: tile.broadcast {{.*}} -> tensor<1x64x1x4x8x4xf32, #[[WINDOWS]]>
// CHECK-NOT: convert_layout
// CHECK: tile.copy_to_shared
tile.func @windows(%g: !tile.view<1x64x63x64xf32>, %x: !tile.view<8x256x256xf32>, %m: !tile.view<4xf32>, %y: !tile.view<64x8xf32>) grid [1] warps 8 {
  %c0 = arith.constant 0 : index
  %zero = arith.constant dense<0.0> : tensor<64x8xf32>
  %none = arith.constant dense<0.0> : tensor<1x64x1x4x8x4xf32>
  %0 = tile.load %g[%c0, %c0, %c0, %c0] : !tile.view<1x64x63x64xf32> -> tensor<1x64x1x8xf32>
  %1 = tile.reshape %0 : tensor<1x64x1x8xf32> -> tensor<1x64x1x1x8x1xf32>
  %2 = tile.broadcast %1 : tensor<1x64x1x1x8x1xf32> -> tensor<1x64x1x4x8x4xf32>
  %3 = tile.iota 5 : tensor<1x1x1x1x1x4xi32>
  %4 = tile.broadcast %3 : tensor<1x1x1x1x1x4xi32> -> tensor<1x64x1x4x8x4xi32>
  %two = arith.constant dense<2> : tensor<1x64x1x4x8x4xi32>
  %5 = arith.cmpi eq, %4, %two : tensor<1x64x1x4x8x4xi32>
  %6 = arith.select %5, %2, %none : tensor<1x64x1x4x8x4xi1>, tensor<1x64x1x4x8x4xf32>
  %7 = tile.reshape %6 : tensor<1x64x1x4x8x4xf32> -> tensor<64x4x32xf32>
  %8 = tile.load %x[%c0, %c0, %c0] : !tile.view<8x256x256xf32> -> tensor<8x4x32xf32>
  %9 = tile.dot %7, %8, %zero lhs_contract [1, 2] rhs_contract [1, 2] {mma = #tile<mma mma_sync>, precision = #tile<precision tf32>} : tensor<64x4x32xf32>, tensor<8x4x32xf32> -> tensor<64x8xf32>
  tile.store %9, %y[%c0, %c0] : tensor<64x8xf32>, !tile.view<64x8xf32>
  tile.return
}

// -----

// A scale per channel is spread too, but over fewer elements than there are
// threads: sharing those out would make each thread compute whole rows that three
// others compute as well. The block is laid out as it lies in memory.
// CHECK-DAG: #[[MEMORY:.+]] = #tile.distributed<{{\[}}[], [64], [], [32]], register = {{\[}}[0, 0, 0, 1], {{.*}} lane = {{\[}}[0, 0, 0, 2]
// CHECK-LABEL: tile.func @scale
// CHECK: tile.load %arg0{{.*}} -> tensor<1x64x1x32xf32, #[[MEMORY]]>
// CHECK: tile.broadcast {{.*}} -> tensor<1x64x1x32xf32, #[[MEMORY]]>
// CHECK-NOT: convert_layout
// CHECK: tile.copy_to_shared {{.*}} tensor<1x64x1x32xf32, #[[MEMORY]]>
tile.func @scale(%z: !tile.view<1x64x254x254xf32>, %s: !tile.view<64x1x1xf32>, %x: !tile.view<64x256x256xf32>, %y: !tile.view<64x64xf32>) grid [1] warps 8 {
  %c0 = arith.constant 0 : index
  %zero = arith.constant dense<0.0> : tensor<64x64xf32>
  %0 = tile.load %z[%c0, %c0, %c0, %c0] : !tile.view<1x64x254x254xf32> -> tensor<1x64x1x32xf32>
  %1 = tile.load %s[%c0, %c0, %c0] : !tile.view<64x1x1xf32> -> tensor<64x1x1xf32>
  %2 = tile.reshape %1 : tensor<64x1x1xf32> -> tensor<1x64x1x1xf32>
  %3 = tile.broadcast %2 : tensor<1x64x1x1xf32> -> tensor<1x64x1x32xf32>
  %4 = arith.mulf %0, %3 : tensor<1x64x1x32xf32>
  %5 = tile.reshape %4 : tensor<1x64x1x32xf32> -> tensor<64x32xf32>
  %6 = tile.load %x[%c0, %c0, %c0] : !tile.view<64x256x256xf32> -> tensor<64x1x32xf32>
  %7 = tile.reshape %6 : tensor<64x1x32xf32> -> tensor<64x32xf32>
  %8 = tile.dot %5, %7, %zero lhs_contract [1] rhs_contract [1] {mma = #tile<mma mma_sync>, precision = #tile<precision tf32>} : tensor<64x32xf32>, tensor<64x32xf32> -> tensor<64x64xf32>
  tile.store %8, %y[%c0, %c0] : tensor<64x64xf32>, !tile.view<64x64xf32>
  tile.return
}

// -----

// An operand that another product makes stays where that product leaves it.
// CHECK-DAG: #[[ACC:.+]] = #tile.distributed<{{\[}}[64], [32]], register = {{\[}}[0, 1], [8, 0]
// CHECK-LABEL: tile.func @product
// CHECK: %[[Z:.+]] = tile.mma {{.*}} -> tensor<64x32xf32, #[[ACC]]>
// CHECK-NOT: convert_layout
// CHECK: tile.copy_to_shared {{.*}} tensor<64x32xf32, #[[ACC]]>
tile.func @product(%w: !tile.view<64x16xf32>, %x: !tile.view<16x32xf32>, %y: !tile.view<64x16xf32>) grid [1] warps 4 {
  %c0 = arith.constant 0 : index
  %zero = arith.constant dense<0.0> : tensor<64x32xf32>
  %none = arith.constant dense<0.0> : tensor<64x16xf32>
  %0 = tile.load %w[%c0, %c0] : !tile.view<64x16xf32> -> tensor<64x16xf32>
  %1 = tile.load %x[%c0, %c0] : !tile.view<16x32xf32> -> tensor<16x32xf32>
  %2 = tile.dot %0, %1, %zero lhs_contract [1] rhs_contract [0] {mma = #tile<mma mma_sync>, precision = #tile<precision tf32>} : tensor<64x16xf32>, tensor<16x32xf32> -> tensor<64x32xf32>
  %3 = arith.mulf %2, %2 : tensor<64x32xf32>
  %4 = tile.dot %3, %1, %none lhs_contract [1] rhs_contract [1] {mma = #tile<mma mma_sync>, precision = #tile<precision tf32>} : tensor<64x32xf32>, tensor<16x32xf32> -> tensor<64x16xf32>
  tile.store %4, %y[%c0, %c0] : tensor<64x16xf32>, !tile.view<64x16xf32>
  tile.return
}
