// RUN: fuse-opt %s --tile-assign-layouts --split-input-file | FileCheck %s

// One patch, one weight tile; taps are views; the pooling window is folded inside
// a quad, with no conversion anywhere.
// CHECK-DAG: #[[PATCH:.+]] = #tile.shared_layout<[344, 34, 1]>
// CHECK-LABEL: tile.func @conv_pool
// CHECK-COUNT-2: tile.alloc_shared
// CHECK: tile.shared_window
// CHECK: tile.mma
// CHECK-SAME: lhs_rounded
// CHECK-NOT: tile.alloc_shared
// CHECK-NOT: convert_layout
// CHECK: tile.mma
// CHECK: tile.reduce
// CHECK: tile.store
tile.func @conv_pool(%x: !tile.view<8x38x70xf32>, %w: !tile.view<64x8x3x3xf32>, %b: !tile.view<64x1x1xf32>, %y: !tile.view<64x9x17xf32>) grid [1] warps 8 {
  %c0 = arith.constant 0 : index
  %zero = arith.constant dense<0.0> : tensor<64x8x32xf32>
  %p = tile.load %x[%c0, %c0, %c0] : !tile.view<8x38x70xf32> -> tensor<8x10x34xf32>
  %wt = tile.load %w[%c0, %c0, %c0, %c0] : !tile.view<64x8x3x3xf32> -> tensor<64x8x3x3xf32>
  %w0 = tile.window %wt [0, 0, 0, 0] strides [1, 1, 1, 1] : tensor<64x8x3x3xf32> -> tensor<64x8x1x1xf32>
  %w1 = tile.reshape %w0 : tensor<64x8x1x1xf32> -> tensor<64x8xf32>
  %p0 = tile.window %p [0, 0, 0] strides [1, 1, 1] : tensor<8x10x34xf32> -> tensor<8x8x32xf32>
  %a1 = tile.dot %w1, %p0, %zero lhs_contract [1] rhs_contract [0] {mma = #tile<mma mma_sync>, precision = #tile<precision tf32>} : tensor<64x8xf32>, tensor<8x8x32xf32> -> tensor<64x8x32xf32>
  %w2 = tile.window %wt [0, 0, 1, 2] strides [1, 1, 1, 1] : tensor<64x8x3x3xf32> -> tensor<64x8x1x1xf32>
  %w3 = tile.reshape %w2 : tensor<64x8x1x1xf32> -> tensor<64x8xf32>
  %p1 = tile.window %p [0, 1, 2] strides [1, 1, 1] : tensor<8x10x34xf32> -> tensor<8x8x32xf32>
  %a2 = tile.dot %w3, %p1, %a1 lhs_contract [1] rhs_contract [0] {mma = #tile<mma mma_sync>, precision = #tile<precision tf32>} : tensor<64x8xf32>, tensor<8x8x32xf32> -> tensor<64x8x32xf32>
  %bt = tile.load %b[%c0, %c0, %c0] : !tile.view<64x1x1xf32> -> tensor<64x1x1xf32>
  %bb = tile.broadcast %bt : tensor<64x1x1xf32> -> tensor<64x8x32xf32>
  %s = arith.addf %a2, %bb : tensor<64x8x32xf32>
  %r = tile.reshape %s : tensor<64x8x32xf32> -> tensor<64x2x4x8x4xf32>
  %m = tile.reduce (%r) dims [2, 4] : (tensor<64x2x4x8x4xf32>) -> (tensor<64x2x1x8x1xf32>) {
  ^bb0(%u: f32, %v: f32):
    %c = arith.maximumf %u, %v : f32
    tile.yield %c : f32
  }
  %o = tile.reshape %m : tensor<64x2x1x8x1xf32> -> tensor<64x2x8xf32>
  tile.store %o, %y[%c0, %c0, %c0] : tensor<64x2x8xf32>, !tile.view<64x9x17xf32>
  tile.return
}

// -----

// Exact f32 operands go past the registers, both waited for at once; rows of K
// get a pitch of 36, free of conflicts for fragments and 16-byte copies.
// CHECK-DAG: #[[S:.+]] = #tile.shared_layout<[36, 1]>
// CHECK-LABEL: tile.func @matmul
// CHECK: scf.for
// CHECK: %[[A:.+]] = tile.async_copy
// CHECK: %[[B:.+]] = tile.async_copy
// CHECK-NEXT: tile.async_wait %[[A]], %[[B]]
// CHECK-NEXT: tile.mma
// CHECK-NOT: lhs_rounded
// CHECK: scf.yield
tile.func @matmul(%x: !tile.view<128x512xf32>, %w: !tile.view<128x512xf32>, %y: !tile.view<128x128xf32>) grid [1] warps 8 {
  %c0 = arith.constant 0 : index
  %c32 = arith.constant 32 : index
  %c512 = arith.constant 512 : index
  %zero = arith.constant dense<0.0> : tensor<128x128xf32>
  %r = scf.for %k = %c0 to %c512 step %c32 iter_args(%acc = %zero) -> (tensor<128x128xf32>) {
    %a = tile.load %x[%c0, %k] : !tile.view<128x512xf32> -> tensor<128x32xf32>
    %b = tile.load %w[%c0, %k] : !tile.view<128x512xf32> -> tensor<128x32xf32>
    %d = tile.dot %a, %b, %acc lhs_contract [1] rhs_contract [1] {mma = #tile<mma mma_sync>} : tensor<128x32xf32>, tensor<128x32xf32> -> tensor<128x128xf32>
    scf.yield %d : tensor<128x128xf32>
  }
  tile.store %r, %y[%c0, %c0] : tensor<128x128xf32>, !tile.view<128x128xf32>
  tile.return
}

// -----

// A prologue runs in registers before the operand is staged, as 16 bits.
// CHECK-LABEL: tile.func @prologue
// CHECK: arith.mulf
// CHECK: arith.truncf {{.*}} to tensor<64x16xbf16
// CHECK: tile.mma {{.*}}xbf16
tile.func @prologue(%x: !tile.view<64x16xf32>, %w: !tile.view<16x64xf32>, %y: !tile.view<64x64xf32>) grid [1] warps 4 {
  %c0 = arith.constant 0 : index
  %two = arith.constant dense<2.0> : tensor<64x16xf32>
  %zero = arith.constant dense<0.0> : tensor<64x64xf32>
  %a = tile.load %x[%c0, %c0] : !tile.view<64x16xf32> -> tensor<64x16xf32>
  %b = tile.load %w[%c0, %c0] : !tile.view<16x64xf32> -> tensor<16x64xf32>
  %aa = arith.mulf %a, %two : tensor<64x16xf32>
  %d = tile.dot %aa, %b, %zero lhs_contract [1] rhs_contract [0] {mma = #tile<mma mma_sync>, precision = #tile<precision bf16>} : tensor<64x16xf32>, tensor<16x64xf32> -> tensor<64x64xf32>
  tile.store %d, %y[%c0, %c0] : tensor<64x64xf32>, !tile.view<64x64xf32>
  tile.return
}

// -----

// A row over 4 warps: folded within each, exchanged, folded again.
// CHECK-LABEL: tile.func @row_sum
// CHECK: tile.reshape {{.*}} -> tensor<1x2x4x128xf32
// CHECK: tile.reduce{{.*}} dims [1, 3]
// CHECK: tile.copy_to_shared
// CHECK: tile.load_shared
// CHECK: tile.reduce{{.*}} dims [2]
// CHECK: tile.broadcast
tile.func @row_sum(%x: !tile.view<100x1024xf32>, %y: !tile.view<100x1024xf32>) grid [100] warps 4 {
  %p = tile.program_id 0
  %c0 = arith.constant 0 : index
  %t = tile.load %x[%p, %c0] : !tile.view<100x1024xf32> -> tensor<1x1024xf32>
  %s = tile.reduce (%t) dims [1] : (tensor<1x1024xf32>) -> (tensor<1x1xf32>) {
  ^bb0(%a: f32, %b: f32):
    %c = arith.addf %a, %b : f32
    tile.yield %c : f32
  }
  %sb = tile.broadcast %s : tensor<1x1xf32> -> tensor<1x1024xf32>
  %d = arith.divf %t, %sb : tensor<1x1024xf32>
  tile.store %d, %y[%p, %c0] : tensor<1x1024xf32>, !tile.view<100x1024xf32>
  tile.return
}

// -----

// Overlapping windows of registers: staged once, read twice.
// CHECK-LABEL: tile.func @windows
// CHECK: tile.copy_to_shared
// CHECK-NOT: tile.copy_to_shared
// CHECK-COUNT-2: tile.load_shared
// CHECK-NOT: tile.window
// CHECK: arith.maximumf
tile.func @windows(%x: !tile.view<8x17x33xf32>, %y: !tile.view<8x8x16xf32>) grid [8] warps 4 {
  %p = tile.program_id 0
  %c0 = arith.constant 0 : index
  %t = tile.load %x[%p, %c0, %c0] : !tile.view<8x17x33xf32> -> tensor<1x17x33xf32>
  %a = tile.window %t [0, 0, 0] strides [1, 2, 2] : tensor<1x17x33xf32> -> tensor<1x8x16xf32>
  %b = tile.window %t [0, 1, 2] strides [1, 2, 2] : tensor<1x17x33xf32> -> tensor<1x8x16xf32>
  %m = arith.maximumf %a, %b : tensor<1x8x16xf32>
  tile.store %m, %y[%p, %c0, %c0] : tensor<1x8x16xf32>, !tile.view<8x8x16xf32>
  tile.return
}

// -----

// f64 and shapes that no instruction has run on FMA units.
// CHECK-LABEL: tile.func @fma
// CHECK: tile.mma
// CHECK-NOT: mma_sync
// CHECK: tile.store
tile.func @fma(%x: !tile.view<64x3xf64>, %y: !tile.view<64x64xf64>) grid [1] warps 4 {
  %c0 = arith.constant 0 : index
  %zero = arith.constant dense<0.0> : tensor<64x64xf64>
  %a = tile.load %x[%c0, %c0] : !tile.view<64x3xf64> -> tensor<64x3xf64>
  %d = tile.dot %a, %a, %zero lhs_contract [1] rhs_contract [1] {mma = #tile<mma mma_sync>} : tensor<64x3xf64>, tensor<64x3xf64> -> tensor<64x64xf64>
  tile.store %d, %y[%c0, %c0] : tensor<64x64xf64>, !tile.view<64x64xf64>
  tile.return
}

// -----

// The result of a product is the operand of the next: staged from registers.
// CHECK-LABEL: tile.func @chain
// CHECK: %[[P:.+]] = tile.mma
// CHECK: tile.copy_to_shared %[[P]], %[[S:.+]] rounding tf32
// CHECK: tile.mma %{{.*}}, %[[S]],
tile.func @chain(%x: !tile.view<16x16xf32>, %y: !tile.view<16x16xf32>) grid [1] warps 1 {
  %c0 = arith.constant 0 : index
  %zero = arith.constant dense<0.0> : tensor<16x16xf32>
  %a = tile.load %x[%c0, %c0] : !tile.view<16x16xf32> -> tensor<16x16xf32>
  %d = tile.dot %a, %a, %zero lhs_contract [1] rhs_contract [0] {mma = #tile<mma mma_sync>, precision = #tile<precision tf32>} : tensor<16x16xf32>, tensor<16x16xf32> -> tensor<16x16xf32>
  %e = tile.dot %a, %d, %zero lhs_contract [1] rhs_contract [0] {mma = #tile<mma mma_sync>, precision = #tile<precision tf32>} : tensor<16x16xf32>, tensor<16x16xf32> -> tensor<16x16xf32>
  tile.store %e, %y[%c0, %c0] : tensor<16x16xf32>, !tile.view<16x16xf32>
  tile.return
}

// -----

// A scan runs along registers; one line a thread.
// CHECK-LABEL: tile.func @scan
// CHECK: tile.copy_to_shared
// CHECK: tile.load_shared {{.*}} -> tensor<128x32xf32, #[[L:.+]]>
// CHECK: tile.scan{{.*}} dim 1 : (tensor<128x32xf32, #[[L]]>) -> tensor<128x32xf32, #[[L]]>
tile.func @scan(%x: !tile.view<128x32xf32>) grid [1] warps 4 {
  %c0 = arith.constant 0 : index
  %t = tile.load %x[%c0, %c0] : !tile.view<128x32xf32> -> tensor<128x32xf32>
  %s = tile.scan (%t) dim 1 : (tensor<128x32xf32>) -> (tensor<128x32xf32>) {
  ^bb0(%a: f32, %b: f32):
    %c = arith.addf %a, %b : f32
    tile.yield %c : f32
  }
  tile.store %s, %x[%c0, %c0] : tensor<128x32xf32>, !tile.view<128x32xf32>
  tile.return
}

// -----

// Both states cross warps behind one barrier.
// CHECK-LABEL: tile.func @moments
// CHECK-COUNT-2: tile.copy_to_shared
// CHECK-COUNT-2: tile.load_shared
// CHECK: tile.reduce{{.*}} dims [2]
tile.func @moments(%x: !tile.view<1x1024xf32>) grid [1] warps 4 {
  %c0 = arith.constant 0 : index
  %t = tile.load %x[%c0, %c0] : !tile.view<1x1024xf32> -> tensor<1x1024xf32>
  %one = arith.constant dense<1.0> : tensor<1x1024xf32>
  %s:2 = tile.reduce (%t, %one) dims [1] : (tensor<1x1024xf32>, tensor<1x1024xf32>) -> (tensor<1x1xf32>, tensor<1x1xf32>) {
  ^bb0(%a: f32, %na: f32, %b: f32, %nb: f32):
    %c = arith.addf %a, %b : f32
    %n = arith.addf %na, %nb : f32
    tile.yield %c, %n : f32, f32
  }
  %q = arith.divf %s#0, %s#1 : tensor<1x1xf32>
  tile.store %q, %x[%c0, %c0] : tensor<1x1xf32>, !tile.view<1x1024xf32>
  tile.return
}

// -----

// A product that nothing reads is gone, and nothing is staged for it.
// CHECK-LABEL: tile.func @dead_product
// CHECK-NOT: tile.mma
// CHECK-NOT: tile.shared
// CHECK: tile.return
tile.func @dead_product(%a: !tile.view<64x64xf32>, %b: !tile.view<64x64xf32>, %c: !tile.view<64x64xf32>) grid [1] warps 4 {
  %c0 = arith.constant 0 : index
  %z = arith.constant dense<0.0> : tensor<64x64xf32>
  %x = tile.load %a[%c0, %c0] : <64x64xf32> -> tensor<64x64xf32>
  %y = tile.load %b[%c0, %c0] : <64x64xf32> -> tensor<64x64xf32>
  %d = tile.dot %x, %y, %z lhs_contract [1] rhs_contract [0] {mma = #tile<mma mma_sync>, precision = #tile<precision tf32>} : tensor<64x64xf32>, tensor<64x64xf32> -> tensor<64x64xf32>
  tile.store %x, %c[%c0, %c0] : tensor<64x64xf32>, <64x64xf32>
  tile.return
}
