// RUN: fuse-opt %s --convert-tile-to-nvvm | FileCheck %s

// A block that spans more than 2^31 bytes of its view is addressed in 64 bits.
#l = #tile.distributed<[[32], [32]], register = [[1, 0], [2, 0], [4, 0], [8, 0], [16, 0]], lane = [[0, 1], [0, 2], [0, 4], [0, 8], [0, 16]]>
// CHECK-LABEL: llvm.func @wide
// CHECK: llvm.mlir.constant(160000000 : i64)
tile.func @wide(%x: !tile.view<64x40000000xf32>, %y: !tile.view<32x32xf32>) grid [1] warps 1 {
  %c0 = arith.constant 0 : index
  %a = tile.load %x[%c0, %c0] : !tile.view<64x40000000xf32> -> tensor<32x32xf32, #l>
  tile.store %a, %y[%c0, %c0] : tensor<32x32xf32, #l>, !tile.view<32x32xf32>
  tile.return
}
