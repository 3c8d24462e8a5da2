// RUN: fuse-opt %s --tile-assign-layouts --tile-pipeline --split-input-file | FileCheck %s --implicit-check-not=tile.shared_slot --implicit-check-not=tile.async_commit

// Loops that must stay as they are.

// The schedule has one stage.
// CHECK-LABEL: tile.func @one_stage
// CHECK: scf.for
// CHECK: tile.mma
tile.func @one_stage(%x: !tile.view<64x512xf32>, %y: !tile.view<512x64xf32>, %z: !tile.view<64x64xf32>) grid [1] warps 4 attributes {tile.stages = 1 : i64} {
  %c0 = arith.constant 0 : index
  %c32 = arith.constant 32 : index
  %c512 = arith.constant 512 : index
  %zero = arith.constant dense<0.0> : tensor<64x64xf32>
  %r = scf.for %k = %c0 to %c512 step %c32 iter_args(%acc = %zero) -> (tensor<64x64xf32>) {
    %a = tile.load %x[%c0, %k] : !tile.view<64x512xf32> -> tensor<64x32xf32>
    %b = tile.load %y[%k, %c0] : !tile.view<512x64xf32> -> tensor<32x64xf32>
    %d = tile.dot %a, %b, %acc lhs_contract [1] rhs_contract [0] {mma = #tile<mma mma_sync>, precision = #tile<precision tf32>} : tensor<64x32xf32>, tensor<32x64xf32> -> tensor<64x64xf32>
    scf.yield %d : tensor<64x64xf32>
  }
  tile.store %r, %z[%c0, %c0] : tensor<64x64xf32>, !tile.view<64x64xf32>
  tile.return
}

// -----

// What is no number of stages is none.
// CHECK-LABEL: tile.func @no_number
// CHECK: scf.for
// CHECK: tile.mma
tile.func @no_number(%x: !tile.view<64x512xf32>, %y: !tile.view<512x64xf32>, %z: !tile.view<64x64xf32>) grid [1] warps 4 attributes {tile.stages = "many"} {
  %c0 = arith.constant 0 : index
  %c32 = arith.constant 32 : index
  %c512 = arith.constant 512 : index
  %zero = arith.constant dense<0.0> : tensor<64x64xf32>
  %r = scf.for %k = %c0 to %c512 step %c32 iter_args(%acc = %zero) -> (tensor<64x64xf32>) {
    %a = tile.load %x[%c0, %k] : !tile.view<64x512xf32> -> tensor<64x32xf32>
    %b = tile.load %y[%k, %c0] : !tile.view<512x64xf32> -> tensor<32x64xf32>
    %d = tile.dot %a, %b, %acc lhs_contract [1] rhs_contract [0] {mma = #tile<mma mma_sync>, precision = #tile<precision tf32>} : tensor<64x32xf32>, tensor<32x64xf32> -> tensor<64x64xf32>
    scf.yield %d : tensor<64x64xf32>
  }
  tile.store %r, %z[%c0, %c0] : tensor<64x64xf32>, !tile.view<64x64xf32>
  tile.return
}

// -----

// The kernel writes what it reads: a later round's operands may be this one's
// results.
// CHECK-LABEL: tile.func @written
// CHECK: scf.for
// CHECK: tile.mma
tile.func @written(%x: !tile.view<64x512xf32>, %y: !tile.view<512x64xf32>) grid [1] warps 4 attributes {tile.stages = 3 : i64} {
  %c0 = arith.constant 0 : index
  %c32 = arith.constant 32 : index
  %c512 = arith.constant 512 : index
  %zero = arith.constant dense<0.0> : tensor<64x64xf32>
  %r = scf.for %k = %c0 to %c512 step %c32 iter_args(%acc = %zero) -> (tensor<64x64xf32>) {
    %a = tile.load %x[%c0, %k] : !tile.view<64x512xf32> -> tensor<64x32xf32>
    %b = tile.load %y[%k, %c0] : !tile.view<512x64xf32> -> tensor<32x64xf32>
    %d = tile.dot %a, %b, %acc lhs_contract [1] rhs_contract [0] {mma = #tile<mma mma_sync>, precision = #tile<precision tf32>} : tensor<64x32xf32>, tensor<32x64xf32> -> tensor<64x64xf32>
    tile.store %a, %x[%c0, %k] : tensor<64x32xf32>, !tile.view<64x512xf32>
    tile.store %b, %y[%k, %c0] : tensor<32x64xf32>, !tile.view<512x64xf32>
    scf.yield %d : tensor<64x64xf32>
  }
  tile.return
}
