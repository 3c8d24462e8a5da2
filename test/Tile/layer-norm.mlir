// RUN: fuse-opt %s --verify-roundtrip | fuse-opt --tile-expand-math --tile-to-cpu -o /dev/null

// y = (x - mean) / sqrt(var + 1e-5) * weight + bias for each row of 33 x 300.
// Mean and squared deviations come from one pass with Welford's merge: the state
// is (count, mean, m2), and columns past the end count 0.
tile.func @layer_norm(%x: !tile.view<33x300xf32>, %w: !tile.view<1x300xf32>,
                      %b: !tile.view<1x300xf32>, %y: !tile.view<33x300xf32>)
    grid [17] warps 4 {
  %pid = tile.program_id 0
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %row = arith.muli %pid, %c2 : index
  %v = tile.load %x[%row, %c0] : !tile.view<33x300xf32> -> tensor<2x512xf32>
  %column = tile.iota 1 : tensor<2x512xi32>
  %columns = arith.constant dense<300> : tensor<2x512xi32>
  %inside = arith.cmpi slt, %column, %columns : tensor<2x512xi32>
  %count1 = arith.uitofp %inside : tensor<2x512xi1> to tensor<2x512xf32>
  %zeros = arith.constant dense<0.0> : tensor<2x512xf32>
  %n, %mean, %m2 = tile.reduce (%count1, %v, %zeros) dims [1]
      : (tensor<2x512xf32>, tensor<2x512xf32>, tensor<2x512xf32>)
     -> (tensor<2x1xf32>, tensor<2x1xf32>, tensor<2x1xf32>) {
  ^bb0(%na: f32, %ma: f32, %sa: f32, %nb: f32, %mb: f32, %sb: f32):
    %zero = arith.constant 0.0 : f32
    %one = arith.constant 1.0 : f32
    %sum = arith.addf %na, %nb : f32
    %isEmpty = arith.cmpf oeq, %sum, %zero : f32
    %divisor = arith.select %isEmpty, %one, %sum : f32
    %share = arith.divf %nb, %divisor : f32
    %delta = arith.subf %mb, %ma : f32
    %move = arith.mulf %delta, %share : f32
    %m = arith.addf %ma, %move : f32
    %spread = arith.mulf %delta, %move : f32
    %between = arith.mulf %spread, %na : f32
    %s0 = arith.addf %sa, %sb : f32
    %s = arith.addf %s0, %between : f32
    tile.yield %sum, %m, %s : f32, f32, f32
  }
  %var = arith.divf %m2, %n : tensor<2x1xf32>
  %eps = arith.constant dense<1.0e-5> : tensor<2x1xf32>
  %shifted = arith.addf %var, %eps : tensor<2x1xf32>
  %scale = math.rsqrt %shifted : tensor<2x1xf32>
  %means = tile.broadcast %mean : tensor<2x1xf32> -> tensor<2x512xf32>
  %scales = tile.broadcast %scale : tensor<2x1xf32> -> tensor<2x512xf32>
  %wv = tile.load %w[%c0, %c0] : !tile.view<1x300xf32> -> tensor<1x512xf32>
  %bv = tile.load %b[%c0, %c0] : !tile.view<1x300xf32> -> tensor<1x512xf32>
  %ws = tile.broadcast %wv : tensor<1x512xf32> -> tensor<2x512xf32>
  %bs = tile.broadcast %bv : tensor<1x512xf32> -> tensor<2x512xf32>
  %centered = arith.subf %v, %means : tensor<2x512xf32>
  %normal = arith.mulf %centered, %scales : tensor<2x512xf32>
  %weighted = arith.mulf %normal, %ws : tensor<2x512xf32>
  %result = arith.addf %weighted, %bs : tensor<2x512xf32>
  tile.store %result, %y[%row, %c0] : tensor<2x512xf32>, !tile.view<33x300xf32>
  tile.return
}

func.func @main(%x: !tile.view<33x300xf32>, %w: !tile.view<1x300xf32>,
                %b: !tile.view<1x300xf32>, %y: !tile.view<33x300xf32>)
    attributes {tile.entry, tile.num_inputs = 3 : i64} {
  tile.launch @layer_norm
      ins(%x, %w, %b : !tile.view<33x300xf32>, !tile.view<1x300xf32>, !tile.view<1x300xf32>)
      outs(%y : !tile.view<33x300xf32>)
  return
}
