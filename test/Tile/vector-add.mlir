// RUN: fuse-opt %s --verify-roundtrip | fuse-opt --tile-expand-math --tile-to-cpu -o /dev/null

// z = x + y over 1000 elements in blocks of 256; the last block is ragged.
tile.func @add(%x: !tile.view<1000xf32>, %y: !tile.view<1000xf32>,
               %z: !tile.view<1000xf32>) grid [4] warps 4 {
  %pid = tile.program_id 0
  %size = arith.constant 256 : index
  %start = arith.muli %pid, %size : index
  %a = tile.load %x[%start] : !tile.view<1000xf32> -> tensor<256xf32>
  %b = tile.load %y[%start] : !tile.view<1000xf32> -> tensor<256xf32>
  %c = arith.addf %a, %b : tensor<256xf32>
  tile.store %c, %z[%start] : tensor<256xf32>, !tile.view<1000xf32>
  tile.return
}

func.func @main(%x: !tile.view<1000xf32>, %y: !tile.view<1000xf32>,
                %z: !tile.view<1000xf32>)
    attributes {tile.entry, tile.num_inputs = 2 : i64} {
  tile.launch @add ins(%x, %y : !tile.view<1000xf32>, !tile.view<1000xf32>)
                   outs(%z : !tile.view<1000xf32>)
  return
}
