// RUN: fuse-opt %s --verify-roundtrip | fuse-opt --tile-expand-math --tile-to-cpu -o /dev/null

// Counts of 10 bins over 5000 values; values outside [0, 10) fall out. A first
// kernel clears the counts: instances add to them in any order.
tile.func @clear(%h: !tile.view<10xi32>) grid [1] warps 1 {
  %c0 = arith.constant 0 : index
  %zero = arith.constant dense<0> : tensor<16xi32>
  tile.store %zero, %h[%c0] : tensor<16xi32>, !tile.view<10xi32>
  tile.return
}

tile.func @count(%x: !tile.view<5000xi32>, %h: !tile.view<10xi32>)
    grid [20] warps 4 {
  %pid = tile.program_id 0
  %size = arith.constant 256 : index
  %start = arith.muli %pid, %size : index
  // What a block reads past the end counts nowhere.
  %nowhere = arith.constant -1 : i32
  %v = tile.load %x[%start] fill %nowhere : i32 : !tile.view<5000xi32> -> tensor<256xi32>
  %one = arith.constant dense<1> : tensor<256xi32>
  tile.atomic add %h[%v : tensor<256xi32>], %one : tensor<256xi32> : !tile.view<10xi32>
  tile.return
}

func.func @main(%x: !tile.view<5000xi32>, %h: !tile.view<10xi32>)
    attributes {tile.entry, tile.num_inputs = 1 : i64} {
  tile.launch @clear outs(%h : !tile.view<10xi32>)
  tile.launch @count ins(%x : !tile.view<5000xi32>) outs(%h : !tile.view<10xi32>)
  return
}
