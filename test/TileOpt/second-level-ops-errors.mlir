// RUN: fuse-opt %s --split-input-file --verify-diagnostics

#l = #tile.distributed<[[16], [8]], register = [[8, 0], [0, 4]], lane = [[0, 1], [0, 2], [1, 0], [2, 0], [4, 0]]>
tile.func @rank(%x: !tile.view<16xf32>) grid [1] warps 1 {
  // expected-error @+1 {{layout of rank 2 on a block of rank 1}}
  %a = arith.constant dense<0.0> : tensor<16xf32, #l>
  tile.return
}

// -----

#l = #tile.distributed<[[16], [8]], register = [[8, 0], [0, 4]], lane = [[0, 1], [0, 2], [1, 0], [2, 0], [4, 0]]>
tile.func @extent() grid [1] warps 1 {
  // expected-error @+1 {{layout covers 8 of 9 elements of dim 1}}
  %a = arith.constant dense<0.0> : tensor<16x9xf32, #l>
  tile.return
}

// -----

// expected-error @+1 {{non-zero bases must be independent and span all bits}}
#l = #tile.distributed<[[16]], lane = [[1], [2], [4], [4], [0]]>

// -----

// expected-error @+1 {{factors are powers of two or odd}}
#l = #tile.distributed<[[6]], lane = [[1]]>

// -----

// expected-error @+1 {{a basis has 2 coordinates, the block 1 dims}}
#l = #tile.distributed<[[16]], lane = [[1, 1]]>

// -----

// expected-error @+1 {{expected one of register, lane, warp, block, each once}}
#l = #tile.distributed<[[16]], thread = [[1]]>

// -----

// expected-error @+1 {{stride -1 must be between 0 and 2^32}}
#s = #tile.shared_layout<[-1]>

// -----

// expected-error @+1 {{swizzle [3, 0, 2] must be at most}}
#s = #tile.shared_layout<[8, 1], swizzle = [3, 0, 2]>

// -----

tile.func @overlap() grid [1] warps 1 {
  // expected-error @+1 {{layout gives one position to several elements}}
  %s = tile.alloc_shared : !tile.shared<16x8xf32, #tile.shared_layout<[7, 1]>>
  tile.return
}

// -----

tile.func @no_layout() grid [1] warps 1 {
  %s = tile.alloc_shared : !tile.shared<16x8xf32, #tile.shared_layout<[8, 1]>>
  // expected-error @+1 {{result needs a #tile.distributed encoding}}
  %a = tile.load_shared %s : !tile.shared<16x8xf32, #tile.shared_layout<[8, 1]>> -> tensor<16x8xf32>
  tile.return
}

// -----

#l = #tile.distributed<[[16], [8]], register = [[8, 0], [0, 4]], lane = [[0, 1], [0, 2], [1, 0], [2, 0], [4, 0]]>
tile.func @shapes() grid [1] warps 1 {
  %s = tile.alloc_shared : !tile.shared<16x7xf32, #tile.shared_layout<[8, 1]>>
  // expected-error @+1 {{differ in shape or element type}}
  %a = tile.load_shared %s : !tile.shared<16x7xf32, #tile.shared_layout<[8, 1]>> -> tensor<16x8xf32, #l>
  tile.return
}

// -----

#l = #tile.distributed<[[16], [8]], register = [[8, 0], [0, 4]], lane = [[0, 1], [0, 2], [1, 0], [2, 0], [4, 0]]>
tile.func @rounding() grid [1] warps 1 {
  %s = tile.alloc_shared : !tile.shared<16x8xi32, #tile.shared_layout<[8, 1]>>
  %a = arith.constant dense<0> : tensor<16x8xi32, #l>
  // expected-error @+1 {{rounding is tf32, of f32 elements}}
  tile.copy_to_shared %a, %s rounding tf32 : tensor<16x8xi32, #l>, !tile.shared<16x8xi32, #tile.shared_layout<[8, 1]>>
  tile.return
}

// -----

#l = #tile.distributed<[[16], [8]], register = [[8, 0], [0, 4]], lane = [[0, 1], [0, 2], [1, 0], [2, 0], [4, 0]]>
tile.func @narrow(%x: !tile.view<16x8xf16>) grid [1] warps 1 {
  %c0 = arith.constant 0 : index
  %s = tile.alloc_shared : !tile.shared<16x8xf16, #tile.shared_layout<[8, 1]>>
  // expected-error @+1 {{copies at least 4 bytes at a time, elements have 16 bits}}
  %t = tile.async_copy %x[%c0, %c0] to %s layout #l : !tile.view<16x8xf16>, !tile.shared<16x8xf16, #tile.shared_layout<[8, 1]>>
  tile.return
}

// -----

tile.func @window() grid [1] warps 1 {
  %s = tile.alloc_shared : !tile.shared<16x8xf32, #tile.shared_layout<[8, 1]>>
  // expected-error @+1 {{window of dim 1 leaves the tile of extent 8: offset 1, stride 1, size 8}}
  %w = tile.shared_window %s [0, 1] strides [1, 1] : !tile.shared<16x8xf32, #tile.shared_layout<[8, 1]>> -> !tile.shared<16x8xf32, #tile.shared_layout<[8, 1], offset = 1>>
  tile.return
}

// -----

tile.func @window_layout() grid [1] warps 1 {
  %s = tile.alloc_shared : !tile.shared<16x8xf32, #tile.shared_layout<[8, 1]>>
  // expected-error @+1 {{result must have layout #tile.shared_layout<[8, 1], offset = 1>}}
  %w = tile.shared_window %s [0, 1] strides [1, 1] : !tile.shared<16x8xf32, #tile.shared_layout<[8, 1]>> -> !tile.shared<16x7xf32, #tile.shared_layout<[8, 1]>>
  tile.return
}

// -----

tile.func @reshape() grid [1] warps 1 {
  %s = tile.alloc_shared : !tile.shared<16x8xf32, #tile.shared_layout<[9, 1]>>
  // expected-error @+1 {{is not representable}}
  %w = tile.shared_reshape %s : !tile.shared<16x8xf32, #tile.shared_layout<[9, 1]>> -> !tile.shared<128xf32, #tile.shared_layout<[1]>>
  tile.return
}

// -----

tile.func @trans() grid [1] warps 1 {
  %s = tile.alloc_shared : !tile.shared<16x8xf32, #tile.shared_layout<[8, 1]>>
  // expected-error @+1 {{permutation [0, 0] is not one of 2 dims}}
  %w = tile.shared_trans %s [0, 0] : !tile.shared<16x8xf32, #tile.shared_layout<[8, 1]>> -> !tile.shared<16x16xf32, #tile.shared_layout<[1, 8]>>
  tile.return
}

// -----

#l = #tile.distributed<[[2], [32]], lane = [[0, 1], [0, 2], [0, 4], [0, 8], [0, 16]], warp = [[1, 0]]>
#m = #tile.distributed<[[2], [32]], lane = [[1, 0], [0, 1], [0, 2], [0, 4], [0, 8]], warp = [[0, 16]]>
tile.func @across_warps() grid [1] warps 2 {
  %a = arith.constant dense<0.0> : tensor<2x32xf32, #l>
  // expected-error @+1 {{moves values between warps, which takes a shared tile}}
  %b = tile.convert_layout %a : tensor<2x32xf32, #l> -> tensor<2x32xf32, #m>
  tile.return
}

// -----

#acc = #tile.distributed<[[16], [8]], register = [[0, 1], [8, 0]], lane = [[0, 2], [0, 4], [1, 0], [2, 0], [4, 0]]>
tile.func @no_fragments() grid [1] warps 1 {
  %a = tile.alloc_shared : !tile.shared<16x8xf32, #tile.shared_layout<[12, 1]>>
  %b = tile.alloc_shared : !tile.shared<8x8xf32, #tile.shared_layout<[8, 1]>>
  %zero = arith.constant dense<0.0> : tensor<16x8xf32, #acc>
  // expected-error @+1 {{mma_sync needs lhs_layout and rhs_layout}}
  %r = tile.mma %a, %b, %zero lhs_contract [1] rhs_contract [0] {mma = #tile<mma mma_sync>} : !tile.shared<16x8xf32, #tile.shared_layout<[12, 1]>>, !tile.shared<8x8xf32, #tile.shared_layout<[8, 1]>> -> tensor<16x8xf32, #acc>
  tile.return
}

// -----

#lhs = #tile.distributed<[[16], [8]], register = [[8, 0], [0, 4]], lane = [[0, 1], [0, 2], [1, 0], [2, 0], [4, 0]]>
#rhs = #tile.distributed<[[8], [8]], register = [[4, 0]], lane = [[1, 0], [2, 0], [0, 1], [0, 2], [0, 4]]>
tile.func @wrong_accumulator() grid [1] warps 1 {
  %a = tile.alloc_shared : !tile.shared<16x8xf32, #tile.shared_layout<[12, 1]>>
  %b = tile.alloc_shared : !tile.shared<8x8xf32, #tile.shared_layout<[8, 1]>>
  %zero = arith.constant dense<0.0> : tensor<16x8xf32, #lhs>
  // expected-error @+1 {{layouts of accumulator and fragments do not make mma instructions together}}
  %r = tile.mma %a, %b, %zero lhs_contract [1] rhs_contract [0] {mma = #tile<mma mma_sync>, lhs_layout = #lhs, rhs_layout = #rhs} : !tile.shared<16x8xf32, #tile.shared_layout<[12, 1]>>, !tile.shared<8x8xf32, #tile.shared_layout<[8, 1]>> -> tensor<16x8xf32, #lhs>
  tile.return
}

// -----

// expected-error @+1 {{more than 65536 registers a thread}}
#l = #tile.distributed<[[2147483647]], lane = [[0], [0], [0], [0], [0]]>

// -----

tile.func @many_elements() grid [1] warps 1 {
  // expected-error @+1 {{has 1048576 elements, of 232448 that shared memory holds at most}}
  %s = tile.alloc_shared : !tile.shared<1024x1024xf32, #tile.shared_layout<[1, 1]>>
  tile.return
}
