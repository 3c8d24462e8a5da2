// RUN: fuse-opt %s --verify-roundtrip | fuse-opt --tile-expand-math --tile-to-cpu -o /dev/null

// Dropout with p = 0.25 from counters: element i is kept where the first word of
// Philox4x32-10 at counter (i, 0, 0, 0) and key (seed, 0) is at least p * 2^32. No state, so any
// grid gives the same mask. `seed` is a view of rank 0.
tile.func @dropout(%x: !tile.view<1000xf32>, %seed: !tile.view<i32>,
                   %y: !tile.view<1000xf32>) grid [8] warps 4 {
  %pid = tile.program_id 0
  %size = arith.constant 128 : index
  %start = arith.muli %pid, %size : index
  %start32 = arith.index_cast %start : index to i32
  %base = tile.splat %start32 : i32 -> tensor<128xi32>
  %lane = tile.iota 0 : tensor<128xi32>
  %counter = arith.addi %base, %lane : tensor<128xi32>
  %zero = arith.constant dense<0> : tensor<128xi32>
  %key0 = tile.load %seed[] : !tile.view<i32> -> tensor<i32>
  %key = tile.extract %key0 : tensor<i32> -> i32
  %k0 = tile.splat %key : i32 -> tensor<128xi32>
  // Multipliers of the rounds, and what is added to the key between them.
  %m0 = arith.constant dense<0xD2511F53> : tensor<128xi32>
  %m1 = arith.constant dense<0xCD9E8D57> : tensor<128xi32>
  %w0 = arith.constant dense<0x9E3779B9> : tensor<128xi32>
  %w1 = arith.constant dense<0xBB67AE85> : tensor<128xi32>
  %first = arith.constant 0 : index
  %rounds = arith.constant 10 : index
  %one = arith.constant 1 : index
  %r:6 = scf.for %round = %first to %rounds step %one
      iter_args(%c0 = %counter, %c1 = %zero, %c2 = %zero, %c3 = %zero,
                %ka = %k0, %kb = %zero)
      -> (tensor<128xi32>, tensor<128xi32>, tensor<128xi32>, tensor<128xi32>,
          tensor<128xi32>, tensor<128xi32>) {
    %low0, %high0 = arith.mului_extended %m0, %c0 : tensor<128xi32>
    %low1, %high1 = arith.mului_extended %m1, %c2 : tensor<128xi32>
    %a0 = arith.xori %high1, %c1 : tensor<128xi32>
    %n0 = arith.xori %a0, %ka : tensor<128xi32>
    %a2 = arith.xori %high0, %c3 : tensor<128xi32>
    %n2 = arith.xori %a2, %kb : tensor<128xi32>
    %na = arith.addi %ka, %w0 : tensor<128xi32>
    %nb = arith.addi %kb, %w1 : tensor<128xi32>
    scf.yield %n0, %low1, %n2, %low0, %na, %nb
        : tensor<128xi32>, tensor<128xi32>, tensor<128xi32>, tensor<128xi32>,
          tensor<128xi32>, tensor<128xi32>
  }
  %limit = arith.constant dense<0x40000000> : tensor<128xi32>
  %keep = arith.cmpi uge, %r#0, %limit : tensor<128xi32>
  %v = tile.load %x[%start] : !tile.view<1000xf32> -> tensor<128xf32>
  %scale = arith.constant dense<1.33333333> : tensor<128xf32>
  %scaled = arith.mulf %v, %scale : tensor<128xf32>
  %nothing = arith.constant dense<0.0> : tensor<128xf32>
  %kept = arith.select %keep, %scaled, %nothing : tensor<128xi1>, tensor<128xf32>
  tile.store %kept, %y[%start] : tensor<128xf32>, !tile.view<1000xf32>
  tile.return
}

func.func @main(%x: !tile.view<1000xf32>, %seed: !tile.view<i32>,
                %y: !tile.view<1000xf32>)
    attributes {tile.entry, tile.num_inputs = 2 : i64} {
  tile.launch @dropout ins(%x, %seed : !tile.view<1000xf32>, !tile.view<i32>)
                       outs(%y : !tile.view<1000xf32>)
  return
}
