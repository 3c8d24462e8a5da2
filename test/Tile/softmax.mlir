// RUN: fuse-opt %s --verify-roundtrip | fuse-opt --tile-expand-math --tile-to-cpu -o /dev/null

// Softmax of each row of 37 x 200, four rows an instance. Columns past the end
// are -infinity: they take no part in the maximum and add nothing to the sum.
tile.func @softmax(%x: !tile.view<37x200xf32>, %y: !tile.view<37x200xf32>)
    grid [10] warps 4 {
  %pid = tile.program_id 0
  %zero = arith.constant 0 : index
  %rows = arith.constant 4 : index
  %row = arith.muli %pid, %rows : index
  %outside = arith.constant 0xFF800000 : f32
  %v = tile.load %x[%row, %zero] fill %outside : f32
      : !tile.view<37x200xf32> -> tensor<4x256xf32>
  %max = tile.reduce (%v) dims [1] : (tensor<4x256xf32>) -> (tensor<4x1xf32>) {
  ^bb0(%a: f32, %b: f32):
    %m = arith.maximumf %a, %b : f32
    tile.yield %m : f32
  }
  %maxs = tile.broadcast %max : tensor<4x1xf32> -> tensor<4x256xf32>
  %shifted = arith.subf %v, %maxs : tensor<4x256xf32>
  %e = math.exp %shifted : tensor<4x256xf32>
  %sum = tile.reduce (%e) dims [1] : (tensor<4x256xf32>) -> (tensor<4x1xf32>) {
  ^bb0(%a: f32, %b: f32):
    %s = arith.addf %a, %b : f32
    tile.yield %s : f32
  }
  %sums = tile.broadcast %sum : tensor<4x1xf32> -> tensor<4x256xf32>
  %p = arith.divf %e, %sums : tensor<4x256xf32>
  tile.store %p, %y[%row, %zero] : tensor<4x256xf32>, !tile.view<37x200xf32>
  tile.return
}

func.func @main(%x: !tile.view<37x200xf32>, %y: !tile.view<37x200xf32>)
    attributes {tile.entry, tile.num_inputs = 1 : i64} {
  tile.launch @softmax ins(%x : !tile.view<37x200xf32>)
                       outs(%y : !tile.view<37x200xf32>)
  return
}
