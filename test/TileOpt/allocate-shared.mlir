// RUN: fuse-opt %s --tile-allocate-shared --split-input-file | FileCheck %s

#l = #tile.distributed<[[32], [32]], register = [[1, 0], [2, 0], [4, 0], [8, 0]], lane = [[0, 1], [0, 2], [0, 4], [0, 8], [0, 16]], warp = [[16, 0]]>
!s = !tile.shared<32x32xf32, #tile.shared_layout<[32, 1]>>

// Small tiles lie side by side; one barrier serves both.
// CHECK-LABEL: tile.func @side_by_side
// CHECK-SAME: tile.shared_bytes = 8192
// CHECK: alloc_shared at 0
// CHECK: alloc_shared at 4096
// CHECK: copy_to_shared
// CHECK-NEXT: copy_to_shared
// CHECK-NEXT: tile.barrier
// CHECK-NEXT: load_shared
// CHECK-NEXT: load_shared
// CHECK-NOT: tile.barrier
tile.func @side_by_side(%x: !tile.view<32x32xf32>) grid [1] warps 2 {
  %c0 = arith.constant 0 : index
  %v = tile.load %x[%c0, %c0] : !tile.view<32x32xf32> -> tensor<32x32xf32, #l>
  %a = tile.alloc_shared : !s
  %b = tile.alloc_shared : !s
  tile.copy_to_shared %v, %a : tensor<32x32xf32, #l>, !s
  tile.copy_to_shared %v, %b : tensor<32x32xf32, #l>, !s
  %u = tile.load_shared %a : !s -> tensor<32x32xf32, #l>
  %w = tile.load_shared %b : !s -> tensor<32x32xf32, #l>
  tile.store %u, %x[%c0, %c0] : tensor<32x32xf32, #l>, !tile.view<32x32xf32>
  tile.store %w, %x[%c0, %c0] : tensor<32x32xf32, #l>, !tile.view<32x32xf32>
  tile.return
}

// -----

#l = #tile.distributed<[[32], [32]], register = [[1, 0], [2, 0], [4, 0], [8, 0]], lane = [[0, 1], [0, 2], [0, 4], [0, 8], [0, 16]], warp = [[16, 0]]>
!s = !tile.shared<32x32xf32, #tile.shared_layout<[32, 1]>>

// The next round's copy waits for this round's readers.
// CHECK-LABEL: tile.func @loop
// CHECK: scf.for
// CHECK: tile.barrier
// CHECK-NEXT: copy_to_shared
// CHECK-NEXT: tile.barrier
// CHECK-NEXT: load_shared
// CHECK-NOT: tile.barrier
// CHECK: scf.yield
tile.func @loop(%x: !tile.view<32x32xf32>) grid [1] warps 2 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %v = tile.load %x[%c0, %c0] : !tile.view<32x32xf32> -> tensor<32x32xf32, #l>
  %r = scf.for %i = %c0 to %c8 step %c1 iter_args(%acc = %v) -> (tensor<32x32xf32, #l>) {
    %a = tile.alloc_shared : !s
    tile.copy_to_shared %acc, %a : tensor<32x32xf32, #l>, !s
    %u = tile.load_shared %a : !s -> tensor<32x32xf32, #l>
    scf.yield %u : tensor<32x32xf32, #l>
  }
  tile.store %r, %x[%c0, %c0] : tensor<32x32xf32, #l>, !tile.view<32x32xf32>
  tile.return
}

// -----

#l = #tile.distributed<[[128], [128]], register = [[1, 0], [2, 0], [4, 0], [8, 0], [16, 0], [0, 32], [0, 64]], lane = [[0, 1], [0, 2], [0, 4], [0, 8], [0, 16]], warp = [[32, 0], [64, 0]]>
!s = !tile.shared<128x128xf32, #tile.shared_layout<[128, 1]>>

// Large tiles whose lives do not overlap share bytes, with a barrier between the
// last read of one and the first write of the other.
// CHECK-LABEL: tile.func @reuse
// CHECK-SAME: tile.shared_bytes = 65536
// CHECK: alloc_shared at 0
// CHECK: load_shared
// CHECK: alloc_shared at 0
// CHECK-NEXT: tile.barrier
// CHECK-NEXT: copy_to_shared
tile.func @reuse(%x: !tile.view<128x128xf32>) grid [1] warps 4 {
  %c0 = arith.constant 0 : index
  %v = tile.load %x[%c0, %c0] : !tile.view<128x128xf32> -> tensor<128x128xf32, #l>
  %a = tile.alloc_shared : !s
  tile.copy_to_shared %v, %a : tensor<128x128xf32, #l>, !s
  %u = tile.load_shared %a : !s -> tensor<128x128xf32, #l>
  %b = tile.alloc_shared : !s
  tile.copy_to_shared %u, %b : tensor<128x128xf32, #l>, !s
  %w = tile.load_shared %b : !s -> tensor<128x128xf32, #l>
  tile.store %w, %x[%c0, %c0] : tensor<128x128xf32, #l>, !tile.view<128x128xf32>
  tile.return
}

// -----

#l = #tile.distributed<[[32], [32]], register = [[1, 0], [2, 0], [4, 0], [8, 0]], lane = [[0, 1], [0, 2], [0, 4], [0, 8], [0, 16]], warp = [[16, 0]]>
!s = !tile.shared<32x32xf32, #tile.shared_layout<[32, 1]>>

// Both sides of a branch are counted; a barrier of the source is not repeated.
// CHECK-LABEL: tile.func @branch
// CHECK: scf.if
// CHECK: copy_to_shared
// CHECK: tile.barrier
// CHECK-NEXT: load_shared
// CHECK: copy_to_shared
// CHECK-NEXT: tile.barrier
// CHECK-NEXT: load_shared
tile.func @branch(%x: !tile.view<32x32xf32>) grid [1] warps 2 {
  %c0 = arith.constant 0 : index
  %pid = tile.program_id 0
  %first = arith.cmpi eq, %pid, %c0 : index
  %v = tile.load %x[%c0, %c0] : !tile.view<32x32xf32> -> tensor<32x32xf32, #l>
  %a = tile.alloc_shared : !s
  %b = tile.alloc_shared : !s
  scf.if %first {
    tile.copy_to_shared %v, %a : tensor<32x32xf32, #l>, !s
  }
  %u = tile.load_shared %a : !s -> tensor<32x32xf32, #l>
  tile.copy_to_shared %u, %b : tensor<32x32xf32, #l>, !s
  tile.barrier
  %w = tile.load_shared %b : !s -> tensor<32x32xf32, #l>
  tile.store %w, %x[%c0, %c0] : tensor<32x32xf32, #l>, !tile.view<32x32xf32>
  tile.return
}
