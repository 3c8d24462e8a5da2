// RUN: fuse-opt %s --verify-roundtrip | fuse-opt --tile-expand-math --tile-to-cpu -o /dev/null

// O = softmax(Q K^T / 8) V for 2 heads of 100 x 64, 32 queries an instance. Keys
// come 32 at a time; running maximum and sum rescale what was accumulated, so no
// row of scores exists as a whole.
tile.func @attention(%q: !tile.view<2x100x64xf32>, %k: !tile.view<2x100x64xf32>,
                     %v: !tile.view<2x100x64xf32>, %o: !tile.view<2x100x64xf32>)
    grid [4, 2] warps 4 {
  %block = tile.program_id 0
  %head = tile.program_id 1
  %c0 = arith.constant 0 : index
  %c32 = arith.constant 32 : index
  %c100 = arith.constant 100 : index
  %row = arith.muli %block, %c32 : index
  %q3 = tile.load %q[%head, %row, %c0] : !tile.view<2x100x64xf32> -> tensor<1x32x64xf32>
  %queries = tile.reshape %q3 : tensor<1x32x64xf32> -> tensor<32x64xf32>
  %zeroOut = arith.constant dense<0.0> : tensor<32x64xf32>
  %zeroSum = arith.constant dense<0.0> : tensor<32x1xf32>
  %lowest = arith.constant dense<-1.0e30> : tensor<32x1xf32>
  %r:3 = scf.for %key = %c0 to %c100 step %c32
      iter_args(%out = %zeroOut, %sum = %zeroSum, %max = %lowest)
      -> (tensor<32x64xf32>, tensor<32x1xf32>, tensor<32x1xf32>) {
    %k3 = tile.load %k[%head, %key, %c0] : !tile.view<2x100x64xf32> -> tensor<1x32x64xf32>
    %keys = tile.reshape %k3 : tensor<1x32x64xf32> -> tensor<32x64xf32>
    %v3 = tile.load %v[%head, %key, %c0] : !tile.view<2x100x64xf32> -> tensor<1x32x64xf32>
    %values = tile.reshape %v3 : tensor<1x32x64xf32> -> tensor<32x64xf32>
    %none = arith.constant dense<0.0> : tensor<32x32xf32>
    %products = tile.dot %queries, %keys, %none lhs_contract [1] rhs_contract [1]
        : tensor<32x64xf32>, tensor<32x64xf32> -> tensor<32x32xf32>
    %scale = arith.constant dense<0.125> : tensor<32x32xf32>
    %scores = arith.mulf %products, %scale : tensor<32x32xf32>
    // Keys past the end get no weight.
    %lane = tile.iota 1 : tensor<32x32xi32>
    %left = arith.subi %c100, %key : index
    %left32 = arith.index_cast %left : index to i32
    %bound = tile.splat %left32 : i32 -> tensor<32x32xi32>
    %isKey = arith.cmpi slt, %lane, %bound : tensor<32x32xi32>
    %low = arith.constant dense<-1.0e30> : tensor<32x32xf32>
    %masked = arith.select %isKey, %scores, %low : tensor<32x32xi1>, tensor<32x32xf32>
    %blockMax = tile.reduce (%masked) dims [1] : (tensor<32x32xf32>) -> (tensor<32x1xf32>) {
    ^bb0(%a: f32, %b: f32):
      %m = arith.maximumf %a, %b : f32
      tile.yield %m : f32
    }
    %newMax = arith.maximumf %max, %blockMax : tensor<32x1xf32>
    %maxs = tile.broadcast %newMax : tensor<32x1xf32> -> tensor<32x32xf32>
    %shifted = arith.subf %masked, %maxs : tensor<32x32xf32>
    %weights = math.exp %shifted : tensor<32x32xf32>
    %blockSum = tile.reduce (%weights) dims [1] : (tensor<32x32xf32>) -> (tensor<32x1xf32>) {
    ^bb0(%a: f32, %b: f32):
      %s = arith.addf %a, %b : f32
      tile.yield %s : f32
    }
    %drop = arith.subf %max, %newMax : tensor<32x1xf32>
    %factor = math.exp %drop : tensor<32x1xf32>
    %kept = arith.mulf %sum, %factor : tensor<32x1xf32>
    %newSum = arith.addf %kept, %blockSum : tensor<32x1xf32>
    %factors = tile.broadcast %factor : tensor<32x1xf32> -> tensor<32x64xf32>
    %rescaled = arith.mulf %out, %factors : tensor<32x64xf32>
    %newOut = tile.dot %weights, %values, %rescaled lhs_contract [1] rhs_contract [0]
        : tensor<32x32xf32>, tensor<32x64xf32> -> tensor<32x64xf32>
    scf.yield %newOut, %newSum, %newMax
        : tensor<32x64xf32>, tensor<32x1xf32>, tensor<32x1xf32>
  }
  %sums = tile.broadcast %r#1 : tensor<32x1xf32> -> tensor<32x64xf32>
  %result = arith.divf %r#0, %sums : tensor<32x64xf32>
  %o3 = tile.reshape %result : tensor<32x64xf32> -> tensor<1x32x64xf32>
  tile.store %o3, %o[%head, %row, %c0] : tensor<1x32x64xf32>, !tile.view<2x100x64xf32>
  tile.return
}

func.func @main(%q: !tile.view<2x100x64xf32>, %k: !tile.view<2x100x64xf32>,
                %v: !tile.view<2x100x64xf32>, %o: !tile.view<2x100x64xf32>)
    attributes {tile.entry, tile.num_inputs = 3 : i64} {
  tile.launch @attention
      ins(%q, %k, %v : !tile.view<2x100x64xf32>, !tile.view<2x100x64xf32>, !tile.view<2x100x64xf32>)
      outs(%o : !tile.view<2x100x64xf32>)
  return
}
