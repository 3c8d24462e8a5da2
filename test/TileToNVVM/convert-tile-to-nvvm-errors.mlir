// RUN: %fuse-opt %s --convert-tile-to-nvvm --split-input-file --verify-diagnostics

tile.func @no_layout(%x: !tile.view<128xf32>) grid [1] warps 1 {
  %c0 = arith.constant 0 : index
  // expected-error @+1 {{has a block without a layout: 'tensor<128xf32>' (run tile-assign-layouts first)}}
  %a = tile.load %x[%c0] : !tile.view<128xf32> -> tensor<128xf32>
  tile.return
}

// -----

#l = #tile.distributed<[[128]], register = [[1]], lane = [[2], [4], [8], [16], [32]], warp = [[64]]>
tile.func @other_warps(%x: !tile.view<128xf32>) grid [1] warps 4 {
  %c0 = arith.constant 0 : index
  // expected-error @+1 {{has a layout over 32 lanes and 2 warps in a kernel of 4 warps of 32 lanes}}
  %a = tile.load %x[%c0] : !tile.view<128xf32> -> tensor<128xf32, #l>
  tile.return
}

// -----

#l = #tile.distributed<[[128]], register = [[1], [2]], lane = [[4], [8], [16], [32], [64]]>
tile.func @no_instruction(%x: !tile.view<128xf32>) grid [1] warps 1 {
  %c0 = arith.constant 0 : index
  %a = tile.load %x[%c0] : !tile.view<128xf32> -> tensor<128xf32, #l>
  // expected-error @+1 {{has no GPU instruction; tile-expand-math expands the f32 functions}}
  %b = math.exp %a : tensor<128xf32, #l>
  tile.return
}

// -----

#l = #tile.distributed<[[128]], register = [[1], [2]], lane = [[4], [8], [16], [32], [64]]>
tile.func @no_lowering(%x: !tile.view<128xf32>) grid [1] warps 1 {
  %c0 = arith.constant 0 : index
  %a = tile.load %x[%c0] : !tile.view<128xf32> -> tensor<128xf32, #l>
  // expected-error @+1 {{'tensor.extract' op has no lowering to the GPU}}
  %b = tensor.extract %a[%c0] : tensor<128xf32, #l>
  tile.return
}

// -----

#l = #tile.distributed<[[64]], lane = [[1], [2], [4], [8], [16]], warp = [[32]]>
#s = #tile.distributed<[[]], lane = [[0], [0], [0], [0], [0]], warp = [[0]]>
tile.func @across_warps(%x: !tile.view<64xf32>) grid [1] warps 2 {
  %c0 = arith.constant 0 : index
  %a = tile.load %x[%c0] : !tile.view<64xf32> -> tensor<64xf32, #l>
  // expected-error @+1 {{reduces over coordinates spread over warps; expected a shared tile of partials}}
  %m = tile.reduce (%a) dims [0] : (tensor<64xf32, #l>) -> (tensor<1xf32, #s>) {
  ^bb0(%p: f32, %q: f32):
    %r = arith.addf %p, %q : f32
    tile.yield %r : f32
  }
  tile.return
}

// -----

#l = #tile.distributed<[[4], [32]], register = [[1, 0], [2, 0]], lane = [[0, 1], [0, 2], [0, 4], [0, 8], [0, 16]]>
#t = #tile.distributed<[[32], [4]], register = [[1, 0], [2, 0]], lane = [[4, 0], [8, 0], [16, 0], [0, 1], [0, 2]]>
tile.func @no_renaming(%x: !tile.view<4x32xf32>) grid [1] warps 1 {
  %c0 = arith.constant 0 : index
  %a = tile.load %x[%c0, %c0] : !tile.view<4x32xf32> -> tensor<4x32xf32, #l>
  // expected-error @+1 {{moves elements between threads; expected layouts in which it renames registers}}
  %b = tile.trans %a [1, 0] : tensor<4x32xf32, #l> -> tensor<32x4xf32, #t>
  tile.return
}

// -----

#l = #tile.distributed<[[64]], register = [[1]], lane = [[2], [4], [8], [16], [32]]>
tile.func @scan_lanes(%x: !tile.view<64xf32>) grid [1] warps 1 {
  %c0 = arith.constant 0 : index
  %a = tile.load %x[%c0] : !tile.view<64xf32> -> tensor<64xf32, #l>
  // expected-error @+1 {{scans a dim that is spread over threads; expected a layout that holds it in registers}}
  %s = tile.scan (%a) dim 0 : (tensor<64xf32, #l>) -> (tensor<64xf32, #l>) {
  ^bb0(%p: f32, %q: f32):
    %r = arith.addf %p, %q : f32
    tile.yield %r : f32
  }
  tile.return
}

// -----

tile.func @no_place() grid [1] warps 1 {
  // expected-error @+1 {{has no place in shared memory (run tile-allocate-shared first)}}
  %s = tile.alloc_shared : !tile.shared<8xf32, #tile.shared_layout<[1]>>
  tile.return
}
