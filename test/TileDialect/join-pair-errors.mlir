// RUN: fuse-opt %s --split-input-file --verify-diagnostics

#l = #tile.distributed<[[64], [16]], register = [[1, 0], [0, 8], [16, 0], [32, 0]], lane = [[2, 0], [4, 0], [0, 1], [0, 2], [0, 4]], warp = [[8, 0]]>
#s = #tile.shared_layout<[1]>
tile.func @short(%y: !tile.view<1xf32>) grid [2] warps 2 {
  %v = arith.constant dense<1.0> : tensor<64x16xf32, #l>
  %t = tile.alloc_shared : !tile.shared<512xf32, #s>
  %b = tile.alloc_shared : !tile.shared<8xf32, #s>
  // expected-error @below {{is not twice as long as}}
  %j = tile.join_pair %v, %t barriers %b dim 0 : tensor<64x16xf32, #l>, !tile.shared<512xf32, #s>, !tile.shared<8xf32, #s> -> tensor<64x16xf32, #l>
  tile.return
}

// -----

#l = #tile.distributed<[[64], [16]], register = [[1, 0], [0, 8], [16, 0], [32, 0]], lane = [[2, 0], [4, 0], [0, 1], [0, 2], [0, 4]], warp = [[8, 0]]>
#m = #tile.distributed<[[64], [32]], register = [[1, 0], [0, 8], [16, 0], [32, 0], [0, 16]], lane = [[2, 0], [4, 0], [0, 1], [0, 2], [0, 4]], warp = [[8, 0]]>
#s = #tile.shared_layout<[1]>
tile.func @alone(%y: !tile.view<1xf32>) grid [2] warps 2 {
  %v = arith.constant dense<1.0> : tensor<64x16xf32, #l>
  %t = tile.alloc_shared : !tile.shared<512xf32, #s>
  %b = tile.alloc_shared : !tile.shared<8xf32, #s>
  // expected-error @below {{one bit for the thread block}}
  %j = tile.join_pair %v, %t barriers %b dim 1 : tensor<64x16xf32, #l>, !tile.shared<512xf32, #s>, !tile.shared<8xf32, #s> -> tensor<64x32xf32, #m>
  tile.return
}
