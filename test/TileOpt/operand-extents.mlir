// RUN: fuse-opt %s --tile-assign-layouts | FileCheck %s

// The last step of a reduction over columns: three windows of one patch, each masked
// behind its 30th column. The masks become extents, and the windows stay views of one
// shared tile. A mask that is no box from 0 on is staged as it is.
// CHECK-LABEL: tile.func @taps
// CHECK-COUNT-3: tile.alloc_shared
// CHECK-NOT: tile.alloc_shared
// CHECK-COUNT-2: tile.mma {{.*}}rhs_rounded, tile.rhs_extents = array<i64: 16, 30>
// CHECK: tile.mma
// CHECK-NOT: rhs_extents
// CHECK: tile.return
tile.func @taps(%z: !tile.view<16x62xf32>, %x: !tile.view<16x64xf32>, %y: !tile.view<16x16xf32>) grid [1] warps 1 {
  %c0 = arith.constant 0 : index
  %c32 = arith.constant 32 : index
  %none = arith.constant dense<0.0> : tensor<16x32xf32>
  %zero = arith.constant dense<0.0> : tensor<16x16xf32>
  %0 = tile.load %z[%c0, %c32] : !tile.view<16x62xf32> -> tensor<16x32xf32>
  %1 = tile.load %x[%c0, %c32] : !tile.view<16x64xf32> -> tensor<16x36xf32>
  %2 = tile.iota 1 : tensor<1x32xi32>
  %first = arith.constant dense<32> : tensor<1x32xi32>
  %end = arith.constant dense<62> : tensor<1x32xi32>
  %3 = arith.addi %2, %first : tensor<1x32xi32>
  %4 = arith.cmpi slt, %3, %end : tensor<1x32xi32>
  %5 = tile.broadcast %4 : tensor<1x32xi1> -> tensor<16x32xi1>
  %6 = tile.window %1 [0, 0] strides [1, 1] : tensor<16x36xf32> -> tensor<16x32xf32>
  %7 = arith.select %5, %6, %none : tensor<16x32xi1>, tensor<16x32xf32>
  %8 = tile.dot %0, %7, %zero lhs_contract [1] rhs_contract [1] {mma = #tile<mma mma_sync>, precision = #tile<precision tf32>} : tensor<16x32xf32>, tensor<16x32xf32> -> tensor<16x16xf32>
  %9 = tile.window %1 [0, 1] strides [1, 1] : tensor<16x36xf32> -> tensor<16x32xf32>
  %10 = arith.select %5, %9, %none : tensor<16x32xi1>, tensor<16x32xf32>
  %11 = tile.dot %0, %10, %8 lhs_contract [1] rhs_contract [1] {mma = #tile<mma mma_sync>, precision = #tile<precision tf32>} : tensor<16x32xf32>, tensor<16x32xf32> -> tensor<16x16xf32>
  %12 = arith.cmpi sge, %3, %end : tensor<1x32xi32>
  %13 = tile.broadcast %12 : tensor<1x32xi1> -> tensor<16x32xi1>
  %14 = arith.select %13, %6, %none : tensor<16x32xi1>, tensor<16x32xf32>
  %15 = tile.dot %0, %14, %11 lhs_contract [1] rhs_contract [1] {mma = #tile<mma mma_sync>, precision = #tile<precision tf32>} : tensor<16x32xf32>, tensor<16x32xf32> -> tensor<16x16xf32>
  tile.store %15, %y[%c0, %c0] : tensor<16x16xf32>, !tile.view<16x16xf32>
  tile.return
}
