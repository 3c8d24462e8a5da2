// RUN: fuse-opt %s --verify-roundtrip | fuse-opt | FileCheck %s
// RUN: fuse-opt %s --mlir-print-op-generic | fuse-opt | FileCheck %s

#blocked = #tile.distributed<[[16], [8]], register = [[8, 0], [0, 4]], lane = [[0, 1], [0, 2], [1, 0], [2, 0], [4, 0]], warp = [[0, 0]]>
#columns = #tile.distributed<[[8], [16]], register = [[0, 8], [4, 0]], lane = [[1, 0], [2, 0], [0, 1], [0, 2], [0, 4]], warp = [[0, 0]]>
#small = #tile.distributed<[[8], [8]], register = [[4, 0]], lane = [[1, 0], [2, 0], [0, 1], [0, 2], [0, 4]], warp = [[0, 0]]>
#acc = #tile.distributed<[[16], [8]], register = [[0, 1], [8, 0]], lane = [[0, 2], [0, 4], [1, 0], [2, 0], [4, 0]], warp = [[0, 0]]>

// CHECK-LABEL: tile.func @copies
tile.func @copies(%x: !tile.view<16x8xf32>) grid [1] warps 2 {
  %c0 = arith.constant 0 : index
  // CHECK: tile.alloc_shared at 128 : <16x8xf32, #[[S:.+]]>
  %s = tile.alloc_shared at 128 : !tile.shared<16x8xf32, #tile.shared_layout<[12, 1]>>
  // CHECK: tile.async_copy %{{.*}}[%c0, %c0] to %{{.*}} layout #{{.*}} {steps = array<i64: 1, 2>}
  %t = tile.async_copy %x[%c0, %c0] to %s layout #blocked {steps = array<i64: 1, 2>}
      : !tile.view<16x8xf32>, !tile.shared<16x8xf32, #tile.shared_layout<[12, 1]>>
  // CHECK: tile.async_wait
  tile.async_wait %t
  // CHECK: tile.barrier
  tile.barrier
  // CHECK: tile.load_shared
  %v = tile.load_shared %s : !tile.shared<16x8xf32, #tile.shared_layout<[12, 1]>> -> tensor<16x8xf32, #blocked>
  // CHECK: tile.convert_layout
  %c = tile.convert_layout %v : tensor<16x8xf32, #blocked> -> tensor<16x8xf32, #acc>
  %u = tile.alloc_shared : !tile.shared<16x8xf32, #tile.shared_layout<[8, 1], swizzle = [2, 0, 3]>>
  // CHECK: tile.copy_to_shared {{.*}} rounding tf32
  tile.copy_to_shared %c, %u rounding tf32
      : tensor<16x8xf32, #acc>, !tile.shared<16x8xf32, #tile.shared_layout<[8, 1], swizzle = [2, 0, 3]>>
  tile.return
}

// CHECK-LABEL: tile.func @views
tile.func @views() grid [1] warps 2 {
  %s = tile.alloc_shared : !tile.shared<8x10x34xf32, #tile.shared_layout<[344, 34, 1]>>
  // CHECK: tile.shared_window {{.*}} [0, 1, 2] strides [1, 1, 2]
  // CHECK-SAME: #[[W:.+]]>
  %w = tile.shared_window %s [0, 1, 2] strides [1, 1, 2]
      : !tile.shared<8x10x34xf32, #tile.shared_layout<[344, 34, 1]>>
      -> !tile.shared<8x8x16xf32, #tile.shared_layout<[344, 34, 2], offset = 36>>
  // CHECK: tile.shared_reshape
  %r = tile.shared_reshape %w
      : !tile.shared<8x8x16xf32, #tile.shared_layout<[344, 34, 2], offset = 36>>
      -> !tile.shared<2x4x8x1x16xf32, #tile.shared_layout<[1376, 344, 34, 0, 2], offset = 36>>
  // CHECK: tile.shared_trans {{.*}} [1, 2, 0]
  %t = tile.shared_trans %w [1, 2, 0]
      : !tile.shared<8x8x16xf32, #tile.shared_layout<[344, 34, 2], offset = 36>>
      -> !tile.shared<8x16x8xf32, #tile.shared_layout<[34, 2, 344], offset = 36>>
  tile.return
}

// CHECK-LABEL: tile.func @mma
tile.func @mma() grid [1] warps 2 {
  %a = tile.alloc_shared : !tile.shared<16x8xf32, #tile.shared_layout<[12, 1]>>
  %b = tile.alloc_shared : !tile.shared<8x8xf32, #tile.shared_layout<[8, 1]>>
  %zero = arith.constant dense<0.0> : tensor<16x8xf32, #acc>
  // CHECK: tile.mma %{{.*}}, %{{.*}}, %{{.*}} lhs_contract [1] rhs_contract [0]
  // CHECK-SAME: mma = #tile<mma mma_sync>
  %r = tile.mma %a, %b, %zero lhs_contract [1] rhs_contract [0]
      {mma = #tile<mma mma_sync>, precision = #tile<precision tf32>,
       lhs_layout = #blocked, rhs_layout = #small, lhs_rounded, rhs_rounded}
      : !tile.shared<16x8xf32, #tile.shared_layout<[12, 1]>>, !tile.shared<8x8xf32, #tile.shared_layout<[8, 1]>>
      -> tensor<16x8xf32, #acc>
  // Any layout will do for FMA units.
  %other = arith.constant dense<0.0> : tensor<16x8xf32, #blocked>
  // CHECK: tile.mma
  %f = tile.mma %a, %b, %other lhs_contract [1] rhs_contract [0]
      : !tile.shared<16x8xf32, #tile.shared_layout<[12, 1]>>, !tile.shared<8x8xf32, #tile.shared_layout<[8, 1]>>
      -> tensor<16x8xf32, #blocked>
  tile.return
}
