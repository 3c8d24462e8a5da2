// RUN: fuse-opt %s --tile-assign-layouts --tile-pipeline --tile-allocate-shared --split-input-file | FileCheck %s

// What needs no rounding is copied past the registers, two rounds ahead with three
// buffers: the copies of rounds 0 and 1 in front of the loop, then one barrier a
// round, behind which the buffer of the round before is free.
// CHECK-LABEL: tile.func @asynchronous
// CHECK: %[[A:.*]] = tile.alloc_shared {{.*}}<3x64x32xf32
// CHECK: %[[B:.*]] = tile.alloc_shared {{.*}}<3x64x32xf32
// CHECK: tile.async_copy {{.*}} deferred
// CHECK: tile.async_commit
// CHECK: tile.async_copy {{.*}} deferred
// CHECK: tile.async_commit
// CHECK: scf.for
// CHECK-NEXT: tile.async_wait newest 1
// CHECK-NEXT: tile.barrier
// CHECK-NOT: tile.barrier
// CHECK: scf.if
// CHECK: tile.shared_slot %[[A]][%{{.*}}] ahead 2
// CHECK: tile.shared_slot %[[B]][%{{.*}}] ahead 2
// CHECK: tile.async_commit
// CHECK-NOT: tile.barrier
// CHECK: tile.mma
// CHECK-NOT: tile.barrier
// CHECK: scf.yield
tile.func @asynchronous(%x: !tile.view<64x512xf32>, %y: !tile.view<64x512xf32>, %z: !tile.view<64x64xf32>) grid [1] warps 4 attributes {tile.stages = 3 : i64} {
  %c0 = arith.constant 0 : index
  %c32 = arith.constant 32 : index
  %c512 = arith.constant 512 : index
  %zero = arith.constant dense<0.0> : tensor<64x64xf32>
  %r = scf.for %k = %c0 to %c512 step %c32 iter_args(%acc = %zero) -> (tensor<64x64xf32>) {
    %a = tile.load %x[%c0, %k] : !tile.view<64x512xf32> -> tensor<64x32xf32>
    %b = tile.load %y[%c0, %k] : !tile.view<64x512xf32> -> tensor<64x32xf32>
    %d = tile.dot %a, %b, %acc lhs_contract [1] rhs_contract [1] {mma = #tile<mma mma_sync>} : tensor<64x32xf32>, tensor<64x32xf32> -> tensor<64x64xf32>
    scf.yield %d : tensor<64x64xf32>
  }
  tile.store %r, %z[%c0, %c0] : tensor<64x64xf32>, !tile.view<64x64xf32>
  tile.return
}

// -----

// A computed operand: what it is computed from is copied during the product, each
// thread's part where only that thread looks; the arithmetic and the store to the
// other buffer come after. The small block that several threads hold waits in
// registers.
// CHECK-LABEL: tile.func @computed
// CHECK: tile.alloc_shared {{.*}}tile.private
// CHECK: scf.for
// CHECK: scf.if
// CHECK-NEXT: {{.*}} = arith.muli
// CHECK-NEXT: tile.load %{{.*}} : <64x512xf32> -> tensor<1x1xf32
// CHECK: } else {
// CHECK: scf.if
// CHECK: tile.async_copy
// CHECK-NOT: math.absf
// CHECK: tile.async_commit
// CHECK: tile.barrier
// CHECK-NOT: tile.barrier
// CHECK: tile.mma
// CHECK: tile.async_wait
// CHECK-NOT: tile.barrier
// CHECK: tile.load_shared
// CHECK: math.absf
// CHECK: tile.shared_slot {{.*}} ahead 1
// CHECK: tile.copy_to_shared {{.*}} rounding tf32
// CHECK: scf.yield
// CHECK-NOT: tile.barrier
// CHECK: tile.store
tile.func @computed(%x: !tile.view<64x512xf32>, %y: !tile.view<64x512xf32>, %z: !tile.view<64x64xf32>) grid [1] warps 4 attributes {tile.stages = 2 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %c32 = arith.constant 32 : index
  %zero = arith.constant dense<0.0> : tensor<64x64xf32>
  %r = scf.for %i = %c0 to %c16 step %c1 iter_args(%acc = %zero) -> (tensor<64x64xf32>) {
    %k = arith.muli %i, %c32 : index
    %a = tile.load %x[%c0, %k] : !tile.view<64x512xf32> -> tensor<64x32xf32>
    %s = tile.load %x[%c0, %k] : !tile.view<64x512xf32> -> tensor<1x1xf32>
    %t = tile.broadcast %s : tensor<1x1xf32> -> tensor<64x32xf32>
    %m = arith.mulf %a, %t : tensor<64x32xf32>
    %abs = math.absf %m : tensor<64x32xf32>
    %b = tile.load %y[%c0, %k] : !tile.view<64x512xf32> -> tensor<64x32xf32>
    %d = tile.dot %abs, %b, %acc lhs_contract [1] rhs_contract [1] {mma = #tile<mma mma_sync>, precision = #tile<precision tf32>} : tensor<64x32xf32>, tensor<64x32xf32> -> tensor<64x64xf32>
    scf.yield %d : tensor<64x64xf32>
  }
  tile.store %r, %z[%c0, %c0] : tensor<64x64xf32>, !tile.view<64x64xf32>
  tile.return
}

// -----

// What the kernel writes is not read ahead.
// CHECK-LABEL: tile.func @written
// CHECK-NOT: tile.shared_slot
tile.func @written(%x: !tile.view<64x512xf32>, %z: !tile.view<64x512xf32>) grid [1] warps 4 attributes {tile.stages = 2 : i64} {
  %c0 = arith.constant 0 : index
  %c32 = arith.constant 32 : index
  %c512 = arith.constant 512 : index
  %zero = arith.constant dense<0.0> : tensor<64x64xf32>
  %r = scf.for %k = %c0 to %c512 step %c32 iter_args(%acc = %zero) -> (tensor<64x64xf32>) {
    %a = tile.load %z[%c0, %k] : !tile.view<64x512xf32> -> tensor<64x32xf32>
    %d = tile.dot %a, %a, %acc lhs_contract [1] rhs_contract [1] {mma = #tile<mma mma_sync>, precision = #tile<precision tf32>} : tensor<64x32xf32>, tensor<64x32xf32> -> tensor<64x64xf32>
    scf.yield %d : tensor<64x64xf32>
  }
  tile.store %r, %z[%c0, %c0] : tensor<64x64xf32>, !tile.view<64x512xf32>
  tile.return
}

// -----

// Warpgroups wait for their own products. With one more buffer these stay in flight
// over the barrier: it stands behind them with all copies, and what waits in
// registers for two rounds is carried by the loop.
// CHECK-LABEL: tile.func @overlapped
// CHECK-DAG: %[[A:.*]] = tile.alloc_shared {{.*}}<4x64x32xf32
// CHECK-DAG: %[[B:.*]] = tile.alloc_shared {{.*}}<3x64x8x4xf32
// CHECK: tile.async_wait
// CHECK-NEXT: tile.barrier
// CHECK: tile.load
// CHECK: scf.for {{.*}} iter_args(%{{.*}} = %{{.*}}, %[[HELD:.*]] = %{{.*}}) -> (tensor<64x64xf32, {{.*}}>, tensor<64x32xf32
// CHECK-NOT: tile.barrier
// CHECK: tile.mma
// CHECK: tile.shared_slot %{{.*}} ahead 2
// CHECK-NEXT: tile.async_copy
// CHECK: tile.reshape %[[HELD]]
// CHECK: tile.copy_to_shared {{.*}} rounding tf32
// CHECK: tile.load
// CHECK: tile.async_wait
// CHECK-NEXT: tile.barrier {tile.keeps_products_in_flight}
// CHECK: scf.yield {{.*}}, {{.*}} : tensor<64x64xf32
// CHECK: tile.barrier
// CHECK: tile.store
tile.func @overlapped(%x: !tile.view<64x512xf32>, %y: !tile.view<64x512xf32>, %z: !tile.view<64x64xf32>) grid [1] warps 4 attributes {tile.stages = 3 : i64} {
  %c0 = arith.constant 0 : index
  %c32 = arith.constant 32 : index
  %c512 = arith.constant 512 : index
  %zero = arith.constant dense<0.0> : tensor<64x64xf32>
  %r = scf.for %k = %c0 to %c512 step %c32 iter_args(%acc = %zero) -> (tensor<64x64xf32>) {
    %a = tile.load %x[%c0, %k] : !tile.view<64x512xf32> -> tensor<64x32xf32>
    %b = tile.load %y[%c0, %k] : !tile.view<64x512xf32> -> tensor<64x32xf32>
    %d = tile.dot %a, %b, %acc lhs_contract [1] rhs_contract [1] {mma = #tile<mma wgmma>, precision = #tile<precision tf32>} : tensor<64x32xf32>, tensor<64x32xf32> -> tensor<64x64xf32>
    scf.yield %d : tensor<64x64xf32>
  }
  tile.store %r, %z[%c0, %c0] : tensor<64x64xf32>, !tile.view<64x64xf32>
  tile.return
}
