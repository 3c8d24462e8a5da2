// RUN: fuse-opt %s --verify-roundtrip | fuse-opt --tile-expand-math --tile-to-cpu -o /dev/null

// C = A B for 100 x 150 and 150 x 130: 32 x 32 blocks, 16 deep.
tile.func @matmul(%a: !tile.view<100x150xf32>, %b: !tile.view<150x130xf32>,
                  %c: !tile.view<100x130xf32>) grid [4, 5] warps 4 {
  %i = tile.program_id 0
  %j = tile.program_id 1
  %block = arith.constant 32 : index
  %row = arith.muli %i, %block : index
  %column = arith.muli %j, %block : index
  %first = arith.constant 0 : index
  %depth = arith.constant 150 : index
  %step = arith.constant 16 : index
  %zero = arith.constant dense<0.0> : tensor<32x32xf32>
  %sum = scf.for %k = %first to %depth step %step
      iter_args(%acc = %zero) -> (tensor<32x32xf32>) {
    %x = tile.load %a[%row, %k] : !tile.view<100x150xf32> -> tensor<32x16xf32>
    %y = tile.load %b[%k, %column] : !tile.view<150x130xf32> -> tensor<16x32xf32>
    %next = tile.dot %x, %y, %acc lhs_contract [1] rhs_contract [0]
        : tensor<32x16xf32>, tensor<16x32xf32> -> tensor<32x32xf32>
    scf.yield %next : tensor<32x32xf32>
  }
  tile.store %sum, %c[%row, %column] : tensor<32x32xf32>, !tile.view<100x130xf32>
  tile.return
}

func.func @main(%a: !tile.view<100x150xf32>, %b: !tile.view<150x130xf32>,
                %c: !tile.view<100x130xf32>)
    attributes {tile.entry, tile.num_inputs = 2 : i64} {
  tile.launch @matmul ins(%a, %b : !tile.view<100x150xf32>, !tile.view<150x130xf32>)
                      outs(%c : !tile.view<100x130xf32>)
  return
}
