// RUN: fuse-opt %s --tile-mark-updates | FileCheck %s

// Reads and writes the same elements, and the old ones go nowhere else.
tile.func @blend(%old: !tile.view<64xf32>, %x: !tile.view<64xf32>, %new: !tile.view<64xf32>) grid [8] warps 1 {
  %c8 = arith.constant 8 : index
  %half = arith.constant dense<0.5> : tensor<8xf32>
  %id = tile.program_id 0
  %i = arith.muli %id, %c8 : index
  %a = tile.load %old[%i] : !tile.view<64xf32> -> tensor<8xf32>
  %b = tile.load %x[%i] : !tile.view<64xf32> -> tensor<8xf32>
  %0 = arith.mulf %a, %half : tensor<8xf32>
  %1 = arith.addf %0, %b : tensor<8xf32>
  tile.store %1, %new[%i] : tensor<8xf32>, !tile.view<64xf32>
  tile.return
}

// The old values of other instances.
tile.func @shifted(%old: !tile.view<64xf32>, %new: !tile.view<64xf32>) grid [8] warps 1 {
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %id = tile.program_id 0
  %i = arith.muli %id, %c8 : index
  %j = arith.addi %i, %c1 : index
  %a = tile.load %old[%j] : !tile.view<64xf32> -> tensor<8xf32>
  tile.store %a, %new[%i] : tensor<8xf32>, !tile.view<64xf32>
  tile.return
}

// The old values leave by another way as well.
tile.func @both(%old: !tile.view<64xf32>, %new: !tile.view<64xf32>, %y: !tile.view<64xf32>) grid [8] warps 1 {
  %c8 = arith.constant 8 : index
  %id = tile.program_id 0
  %i = arith.muli %id, %c8 : index
  %a = tile.load %old[%i] : !tile.view<64xf32> -> tensor<8xf32>
  %0 = arith.addf %a, %a : tensor<8xf32>
  tile.store %0, %new[%i] : tensor<8xf32>, !tile.view<64xf32>
  tile.store %0, %y[%i] : tensor<8xf32>, !tile.view<64xf32>
  tile.return
}

// Elements of the block mix: a thread may read one that another has written.
tile.func @mixed(%old: !tile.view<64xf32>, %new: !tile.view<64xf32>) grid [8] warps 1 {
  %c8 = arith.constant 8 : index
  %id = tile.program_id 0
  %i = arith.muli %id, %c8 : index
  %a = tile.load %old[%i] : !tile.view<64xf32> -> tensor<8xf32>
  %0 = tile.reduce(%a) dims [0] : (tensor<8xf32>) -> tensor<1xf32> {
  ^bb0(%p: f32, %q: f32):
    %s = arith.addf %p, %q : f32
    tile.yield %s : f32
  }
  %1 = tile.broadcast %0 : tensor<1xf32> -> tensor<8xf32>
  tile.store %1, %new[%i] : tensor<8xf32>, !tile.view<64xf32>
  tile.return
}

// CHECK-LABEL: func.func @updates
// CHECK-SAME:  %{{.*}}: !tile.view<64xf32> {fuse.alias_result = 0 : i64, tile.in_place}
func.func @updates(%old: !tile.view<64xf32> {fuse.alias_result = 0 : i64}, %x: !tile.view<64xf32>, %new: !tile.view<64xf32>)
    attributes {tile.entry, tile.num_inputs = 2 : i64} {
  tile.launch @blend ins(%old, %x : !tile.view<64xf32>, !tile.view<64xf32>) outs(%new : !tile.view<64xf32>)
  return
}

// Another launch reads the old values.
// CHECK-LABEL: func.func @read_again
// CHECK-NOT:   tile.in_place
func.func @read_again(%old: !tile.view<64xf32> {fuse.alias_result = 0 : i64}, %x: !tile.view<64xf32>, %new: !tile.view<64xf32>, %y: !tile.view<64xf32>)
    attributes {tile.entry, tile.num_inputs = 2 : i64} {
  tile.launch @blend ins(%old, %x : !tile.view<64xf32>, !tile.view<64xf32>) outs(%new : !tile.view<64xf32>)
  tile.launch @blend ins(%old, %x : !tile.view<64xf32>, !tile.view<64xf32>) outs(%y : !tile.view<64xf32>)
  return
}

// CHECK-LABEL: func.func @reads_others
// CHECK-NOT:   tile.in_place
func.func @reads_others(%old: !tile.view<64xf32> {fuse.alias_result = 0 : i64}, %new: !tile.view<64xf32>)
    attributes {tile.entry, tile.num_inputs = 1 : i64} {
  tile.launch @shifted ins(%old : !tile.view<64xf32>) outs(%new : !tile.view<64xf32>)
  return
}

// CHECK-LABEL: func.func @gives_twice
// CHECK-NOT:   tile.in_place
func.func @gives_twice(%old: !tile.view<64xf32> {fuse.alias_result = 0 : i64}, %new: !tile.view<64xf32>, %y: !tile.view<64xf32>)
    attributes {tile.entry, tile.num_inputs = 1 : i64} {
  tile.launch @both ins(%old : !tile.view<64xf32>) outs(%new, %y : !tile.view<64xf32>, !tile.view<64xf32>)
  return
}

// CHECK-LABEL: func.func @mixes
// CHECK-NOT:   tile.in_place
func.func @mixes(%old: !tile.view<64xf32> {fuse.alias_result = 0 : i64}, %new: !tile.view<64xf32>)
    attributes {tile.entry, tile.num_inputs = 1 : i64} {
  tile.launch @mixed ins(%old : !tile.view<64xf32>) outs(%new : !tile.view<64xf32>)
  return
}

// An argument whose values no result replaces.
// CHECK-LABEL: func.func @plain
// CHECK-NOT:   tile.in_place
func.func @plain(%old: !tile.view<64xf32>, %x: !tile.view<64xf32>, %new: !tile.view<64xf32>)
    attributes {tile.entry, tile.num_inputs = 2 : i64} {
  tile.launch @blend ins(%old, %x : !tile.view<64xf32>, !tile.view<64xf32>) outs(%new : !tile.view<64xf32>)
  return
}

// -----

// Counts that are none of the arguments are left to who reads the signature.
// CHECK-LABEL: func.func @miscounted
// CHECK-NOT: tile.in_place
func.func @miscounted(%x: !tile.view<8xf32> {fuse.alias_result = 9223372036854775807 : i64},
                      %y: !tile.view<8xf32>)
    attributes {tile.entry, tile.num_inputs = 65536 : i64} {
  return
}
