// RUN: fuse-opt %s --verify-roundtrip | fuse-opt --tile-expand-math --tile-to-cpu -o /dev/null

// Inclusive sums along each row of 10 x 70, forwards and backwards, and a running
// maximum with its position: a scan of pairs.
tile.func @scan(%x: !tile.view<10x70xi32>, %f: !tile.view<10x70xi32>,
                %r: !tile.view<10x70xi32>, %m: !tile.view<10x70xi32>,
                %at: !tile.view<10x70xi32>) grid [3] warps 4 {
  %pid = tile.program_id 0
  %c0 = arith.constant 0 : index
  %c4 = arith.constant 4 : index
  %row = arith.muli %pid, %c4 : index
  %v = tile.load %x[%row, %c0] : !tile.view<10x70xi32> -> tensor<4x128xi32>
  %sums = tile.scan (%v) dim 1 : (tensor<4x128xi32>) -> (tensor<4x128xi32>) {
  ^bb0(%before: i32, %element: i32):
    %s = arith.addi %before, %element : i32
    tile.yield %s : i32
  }
  tile.store %sums, %f[%row, %c0] : tensor<4x128xi32>, !tile.view<10x70xi32>
  %rest = tile.scan (%v) dim 1 reverse : (tensor<4x128xi32>) -> (tensor<4x128xi32>) {
  ^bb0(%after: i32, %element: i32):
    %s = arith.addi %after, %element : i32
    tile.yield %s : i32
  }
  tile.store %rest, %r[%row, %c0] : tensor<4x128xi32>, !tile.view<10x70xi32>
  %position = tile.iota 1 : tensor<4x128xi32>
  %max, %where = tile.scan (%v, %position) dim 1
      : (tensor<4x128xi32>, tensor<4x128xi32>) -> (tensor<4x128xi32>, tensor<4x128xi32>) {
  ^bb0(%best: i32, %bestAt: i32, %element: i32, %elementAt: i32):
    %better = arith.cmpi sgt, %element, %best : i32
    %value = arith.select %better, %element, %best : i32
    %index = arith.select %better, %elementAt, %bestAt : i32
    tile.yield %value, %index : i32, i32
  }
  tile.store %max, %m[%row, %c0] : tensor<4x128xi32>, !tile.view<10x70xi32>
  tile.store %where, %at[%row, %c0] : tensor<4x128xi32>, !tile.view<10x70xi32>
  tile.return
}

func.func @main(%x: !tile.view<10x70xi32>, %f: !tile.view<10x70xi32>,
                %r: !tile.view<10x70xi32>, %m: !tile.view<10x70xi32>,
                %at: !tile.view<10x70xi32>)
    attributes {tile.entry, tile.num_inputs = 1 : i64} {
  tile.launch @scan ins(%x : !tile.view<10x70xi32>)
      outs(%f, %r, %m, %at : !tile.view<10x70xi32>, !tile.view<10x70xi32>,
                             !tile.view<10x70xi32>, !tile.view<10x70xi32>)
  return
}
