// RUN: fuse-opt %s --tile-allocate-shared --split-input-file --verify-diagnostics

#l = #tile.distributed<[[256], [256]], register = [[1, 0], [2, 0], [4, 0], [8, 0], [16, 0], [32, 0], [0, 32], [0, 64], [0, 128]], lane = [[0, 1], [0, 2], [0, 4], [0, 8], [0, 16]], warp = [[64, 0], [128, 0]]>
!s = !tile.shared<256x256xf32, #tile.shared_layout<[256, 1]>>

// expected-error @+1 {{needs 262144 bytes of shared memory, of 232448 that a block may have}}
tile.func @too_large(%x: !tile.view<256x256xf32>) grid [1] warps 4 {
  %c0 = arith.constant 0 : index
  %v = tile.load %x[%c0, %c0] : !tile.view<256x256xf32> -> tensor<256x256xf32, #l>
  // expected-note @+1 {{262144 bytes for '!tile.shared<256x256xf32}}
  %a = tile.alloc_shared : !s
  tile.copy_to_shared %v, %a : tensor<256x256xf32, #l>, !s
  %u = tile.load_shared %a : !s -> tensor<256x256xf32, #l>
  tile.store %u, %x[%c0, %c0] : tensor<256x256xf32, #l>, !tile.view<256x256xf32>
  tile.return
}
