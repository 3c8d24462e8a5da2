// RUN: fuse-opt %s --tile-mark-updates --split-input-file | FileCheck %s --implicit-check-not=tile.in_place

// Signatures that say what is not so: left to who reads them, and never an update.

tile.func @blend(%old: !tile.view<64xf32>, %new: !tile.view<64xf32>) grid [1] warps 1 {
  %c0 = arith.constant 0 : index
  %x = tile.load %old[%c0] : !tile.view<64xf32> -> tensor<64xf32>
  %y = arith.addf %x, %x : tensor<64xf32>
  tile.store %y, %new[%c0] : tensor<64xf32>, !tile.view<64xf32>
  tile.return
}

// CHECK-LABEL: func.func @no_entry
func.func @no_entry(%old: !tile.view<64xf32> {fuse.alias_result = 0 : i64}, %new: !tile.view<64xf32>) {
  tile.launch @blend ins(%old : !tile.view<64xf32>) outs(%new : !tile.view<64xf32>)
  return
}

// -----

// CHECK-LABEL: func.func @miscounted
func.func @miscounted(%x: !tile.view<8xf32> {fuse.alias_result = 9223372036854775807 : i64},
                      %y: !tile.view<8xf32>)
    attributes {tile.entry, tile.num_inputs = 65536 : i64} {
  return
}
