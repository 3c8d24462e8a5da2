// RUN: fuse-opt %s --tile-pair-stores | FileCheck %s

// Every second element of a row, by instances that follow each other: each stores
// whole runs of half of the rows.
// CHECK: #[[JOINT:.*]] = #tile.distributed<{{\[\[}}64], [32]], {{.*}}lane = {{\[\[}}0, 1], [0, 2], [0, 4], [0, 8], [0, 16]]{{.*}}block = {{\[\[}}32, 0]]>
#rows = #tile.distributed<[[64], [16]], register = [[1, 0], [0, 8], [16, 0], [32, 0]], lane = [[2, 0], [4, 0], [0, 1], [0, 2], [0, 4]], warp = [[8, 0]]>

// CHECK-LABEL: tile.func @interleaved
// CHECK-SAME: tile.cluster = 2
// CHECK: %[[PARITY:.*]] = arith.remui
// CHECK: %[[X:.*]] = arith.addi %{{.*}}, %[[PARITY]]
// CHECK: scf.for
// CHECK: %[[WHOLE:.*]] = tile.join_pair %{{.*}}, %{{.*}} barriers %{{.*}} dim 1 : tensor<64x16xf32, {{.*}}> -> tensor<64x32xf32, #[[JOINT]]>
// CHECK: %[[FIRST:.*]] = arith.subi %[[X]], %[[PARITY]]
// CHECK: tile.store %[[WHOLE]], %{{.*}}[%{{.*}}, %[[FIRST]]] {steps = array<i64: 1, 1>}
tile.func @interleaved(%y: !tile.view<640x129xf32>) grid [8] warps 2 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c10 = arith.constant 10 : index
  %c32 = arith.constant 32 : index
  %c64 = arith.constant 64 : index
  %v = arith.constant dense<1.0> : tensor<64x16xf32, #rows>
  %id = tile.program_id 0
  %class = arith.remui %id, %c2 : index
  %tile = arith.divui %id, %c2 : index
  %start = arith.muli %tile, %c32 : index
  %x = arith.addi %start, %class : index
  scf.for %i = %c0 to %c10 step %c1 {
    %row = arith.muli %i, %c64 : index
    tile.store %v, %y[%row, %x] {steps = array<i64: 1, 2>} : tensor<64x16xf32, #rows>, <640x129xf32>
  }
  tile.return
}

// Rows depend on the instance too; or only some instances come to the store.
// CHECK-LABEL: tile.func @elsewhere
// CHECK-NOT: tile.join_pair
tile.func @elsewhere(%y: !tile.view<640x129xf32>) grid [8] warps 2 {
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  %c64 = arith.constant 64 : index
  %v = arith.constant dense<1.0> : tensor<64x16xf32, #rows>
  %id = tile.program_id 0
  %class = arith.remui %id, %c2 : index
  %row = arith.muli %id, %c64 : index
  tile.store %v, %y[%row, %class] {steps = array<i64: 1, 2>} : tensor<64x16xf32, #rows>, <640x129xf32>
  %some = arith.cmpi ult, %id, %c3 : index
  scf.if %some {
    tile.store %v, %y[%c64, %class] {steps = array<i64: 1, 2>} : tensor<64x16xf32, #rows>, <640x129xf32>
  }
  tile.return
}
