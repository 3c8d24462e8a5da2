// RUN: fuse-opt %s --split-input-file --tile-plan-buffers | FileCheck %s

tile.func @copy(%x: !tile.view<1000xf32>, %y: !tile.view<1000xf32>) grid [1] warps 1 {
  tile.return
}

// The first and the third buffer never live together: they share a place. Sizes
// round up to 256 bytes.

// CHECK-LABEL: func.func @chain
// CHECK-SAME:  tile.workspace = 8192 : i64
// CHECK:       tile.alloc at 0 :
// CHECK:       tile.alloc at 4096 :
// CHECK:       tile.alloc at 0 :
func.func @chain(%x: !tile.view<1000xf32>, %y: !tile.view<1000xf32>) attributes {tile.entry, tile.num_inputs = 1 : i64} {
  %0 = tile.alloc : !tile.view<1000xf32>
  %1 = tile.alloc : !tile.view<1000xf32>
  %2 = tile.alloc : !tile.view<1000xf32>
  tile.launch @copy ins(%x : !tile.view<1000xf32>) outs(%0 : !tile.view<1000xf32>)
  tile.launch @copy ins(%0 : !tile.view<1000xf32>) outs(%1 : !tile.view<1000xf32>)
  tile.launch @copy ins(%1 : !tile.view<1000xf32>) outs(%2 : !tile.view<1000xf32>)
  tile.launch @copy ins(%2 : !tile.view<1000xf32>) outs(%y : !tile.view<1000xf32>)
  return
}

// A view keeps its buffer alive; a buffer without use goes.

// CHECK-LABEL: func.func @views
// CHECK-SAME:  tile.workspace = 12288 : i64
// CHECK:       tile.alloc at 0 :
// CHECK:       tile.alloc at 4096 :
// CHECK:       tile.alloc at 8192 :
// CHECK-NOT:   tile.alloc
func.func @views(%x: !tile.view<1000xf32>, %y: !tile.view<1000xf32>) attributes {tile.entry, tile.num_inputs = 1 : i64} {
  %0 = tile.alloc : !tile.view<10x100xf32>
  %1 = tile.alloc : !tile.view<1000xf32>
  %2 = tile.alloc : !tile.view<1000xf32>
  %3 = tile.alloc : !tile.view<1000xf32>
  %v = tile.view_cast %0 : !tile.view<10x100xf32> -> !tile.view<1000xf32>
  tile.launch @copy ins(%x : !tile.view<1000xf32>) outs(%v : !tile.view<1000xf32>)
  tile.launch @copy ins(%v : !tile.view<1000xf32>) outs(%1 : !tile.view<1000xf32>)
  tile.launch @copy ins(%1 : !tile.view<1000xf32>) outs(%2 : !tile.view<1000xf32>)
  tile.launch @copy ins(%v : !tile.view<1000xf32>) outs(%y : !tile.view<1000xf32>)
  return
}

// -----

tile.func @small(%x: !tile.view<64xf32>, %y: !tile.view<64xf32>) grid [1] warps 1 {
  tile.return
}

// Nothing to place: no workspace. Functions that are no entry stay as they are.

// CHECK-LABEL: func.func @none
// CHECK-SAME:  tile.workspace = 0 : i64
func.func @none(%x: !tile.view<64xf32>, %y: !tile.view<64xf32>) attributes {tile.entry, tile.num_inputs = 1 : i64} {
  tile.launch @small ins(%x : !tile.view<64xf32>) outs(%y : !tile.view<64xf32>)
  return
}

// CHECK-LABEL: func.func @other
// CHECK-NOT:   tile.workspace
func.func @other(%x: tensor<64xf32>) -> tensor<64xf32> {
  return %x : tensor<64xf32>
}
