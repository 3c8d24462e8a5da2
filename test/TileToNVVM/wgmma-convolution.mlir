// RUN: %fuse-compile %s --emit=ptx -o %t.ptx
// RUN: FileCheck %s --input-file=%t.ptx --check-prefix=PTX
// RUN: %python %S/emulator/check.py convolution %t.ptx
// RUN: %if ptxas %{ ptxas -arch=sm_90a -v %t.ptx -o %t.cubin 2>&1 | FileCheck %s --check-prefix=PTXAS %}
// PTX-COUNT-18: wgmma.mma_async.sync.aligned.m64n64k8.f32.tf32.tf32
// PTXAS-NOT: C75
// PTXAS:     0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads

// A 3x3 convolution by taps, bias, and a 4x4 max pool: pixels are rows, so that the
// fragments of a tap are loads at other addresses, and the weights are core matrices,
// of which a tap is another start. The rows of one pool lie in one warp.

func.func @main(%a0: !tile.view<2x8x38x70xf32>, %a1: !tile.view<64x8x3x3xf32>, %a2: !tile.view<64x1x1xf32>, %a3: !tile.view<2x64x9x17xf32>)
    attributes {tile.entry, tile.num_inputs = 3 : i64} {
  tile.launch @conv ins(%a0, %a1, %a2 : !tile.view<2x8x38x70xf32>, !tile.view<64x8x3x3xf32>, !tile.view<64x1x1xf32>)
                   outs(%a3 : !tile.view<2x64x9x17xf32>)
  return
}
tile.func @conv(%x: !tile.view<2x8x38x70xf32>, %w: !tile.view<64x8x3x3xf32>, %b: !tile.view<64x1x1xf32>, %y: !tile.view<2x64x9x17xf32>) grid [30] warps 8 {
  %pid = tile.program_id 0
  %c0 = arith.constant 0 : index
  %c3 = arith.constant 3 : index
  %c5 = arith.constant 5 : index
  %c8 = arith.constant 8 : index
  %c2 = arith.constant 2 : index
  %c4 = arith.constant 4 : index
  %c32 = arith.constant 32 : index
  %ow = arith.remui %pid, %c3 : index
  %q1 = arith.divui %pid, %c3 : index
  %oh = arith.remui %q1, %c5 : index
  %n = arith.divui %q1, %c5 : index
  %oh0 = arith.muli %oh, %c8 : index
  %ow0 = arith.muli %ow, %c32 : index
  %zero = arith.constant dense<0.0> : tensor<64x8x32xf32>
  %p = tile.load %x[%n, %c0, %oh0, %ow0] : !tile.view<2x8x38x70xf32> -> tensor<1x8x10x34xf32>
  %p3 = tile.reshape %p : tensor<1x8x10x34xf32> -> tensor<8x10x34xf32>
  %wt = tile.load %w[%c0, %c0, %c0, %c0] : !tile.view<64x8x3x3xf32> -> tensor<64x8x3x3xf32>
  %w0 = tile.window %wt [0, 0, 0, 0] strides [1, 1, 1, 1] : tensor<64x8x3x3xf32> -> tensor<64x8x1x1xf32>
  %v0 = tile.reshape %w0 : tensor<64x8x1x1xf32> -> tensor<64x8xf32>
  %p0 = tile.window %p3 [0, 0, 0] strides [1, 1, 1] : tensor<8x10x34xf32> -> tensor<8x8x32xf32>
  %a0 = tile.dot %v0, %p0, %zero lhs_contract [1] rhs_contract [0] {mma = #tile<mma wgmma>, precision = #tile<precision tf32>} : tensor<64x8xf32>, tensor<8x8x32xf32> -> tensor<64x8x32xf32>
  %w1 = tile.window %wt [0, 0, 0, 1] strides [1, 1, 1, 1] : tensor<64x8x3x3xf32> -> tensor<64x8x1x1xf32>
  %v1 = tile.reshape %w1 : tensor<64x8x1x1xf32> -> tensor<64x8xf32>
  %p1 = tile.window %p3 [0, 0, 1] strides [1, 1, 1] : tensor<8x10x34xf32> -> tensor<8x8x32xf32>
  %a1 = tile.dot %v1, %p1, %a0 lhs_contract [1] rhs_contract [0] {mma = #tile<mma wgmma>, precision = #tile<precision tf32>} : tensor<64x8xf32>, tensor<8x8x32xf32> -> tensor<64x8x32xf32>
  %w2 = tile.window %wt [0, 0, 0, 2] strides [1, 1, 1, 1] : tensor<64x8x3x3xf32> -> tensor<64x8x1x1xf32>
  %v2 = tile.reshape %w2 : tensor<64x8x1x1xf32> -> tensor<64x8xf32>
  %p2 = tile.window %p3 [0, 0, 2] strides [1, 1, 1] : tensor<8x10x34xf32> -> tensor<8x8x32xf32>
  %a2 = tile.dot %v2, %p2, %a1 lhs_contract [1] rhs_contract [0] {mma = #tile<mma wgmma>, precision = #tile<precision tf32>} : tensor<64x8xf32>, tensor<8x8x32xf32> -> tensor<64x8x32xf32>
  %w3 = tile.window %wt [0, 0, 1, 0] strides [1, 1, 1, 1] : tensor<64x8x3x3xf32> -> tensor<64x8x1x1xf32>
  %v3 = tile.reshape %w3 : tensor<64x8x1x1xf32> -> tensor<64x8xf32>
  %pp3 = tile.window %p3 [0, 1, 0] strides [1, 1, 1] : tensor<8x10x34xf32> -> tensor<8x8x32xf32>
  %a3 = tile.dot %v3, %pp3, %a2 lhs_contract [1] rhs_contract [0] {mma = #tile<mma wgmma>, precision = #tile<precision tf32>} : tensor<64x8xf32>, tensor<8x8x32xf32> -> tensor<64x8x32xf32>
  %w4 = tile.window %wt [0, 0, 1, 1] strides [1, 1, 1, 1] : tensor<64x8x3x3xf32> -> tensor<64x8x1x1xf32>
  %v4 = tile.reshape %w4 : tensor<64x8x1x1xf32> -> tensor<64x8xf32>
  %p4 = tile.window %p3 [0, 1, 1] strides [1, 1, 1] : tensor<8x10x34xf32> -> tensor<8x8x32xf32>
  %a4 = tile.dot %v4, %p4, %a3 lhs_contract [1] rhs_contract [0] {mma = #tile<mma wgmma>, precision = #tile<precision tf32>} : tensor<64x8xf32>, tensor<8x8x32xf32> -> tensor<64x8x32xf32>
  %w5 = tile.window %wt [0, 0, 1, 2] strides [1, 1, 1, 1] : tensor<64x8x3x3xf32> -> tensor<64x8x1x1xf32>
  %v5 = tile.reshape %w5 : tensor<64x8x1x1xf32> -> tensor<64x8xf32>
  %p5 = tile.window %p3 [0, 1, 2] strides [1, 1, 1] : tensor<8x10x34xf32> -> tensor<8x8x32xf32>
  %a5 = tile.dot %v5, %p5, %a4 lhs_contract [1] rhs_contract [0] {mma = #tile<mma wgmma>, precision = #tile<precision tf32>} : tensor<64x8xf32>, tensor<8x8x32xf32> -> tensor<64x8x32xf32>
  %w6 = tile.window %wt [0, 0, 2, 0] strides [1, 1, 1, 1] : tensor<64x8x3x3xf32> -> tensor<64x8x1x1xf32>
  %v6 = tile.reshape %w6 : tensor<64x8x1x1xf32> -> tensor<64x8xf32>
  %p6 = tile.window %p3 [0, 2, 0] strides [1, 1, 1] : tensor<8x10x34xf32> -> tensor<8x8x32xf32>
  %a6 = tile.dot %v6, %p6, %a5 lhs_contract [1] rhs_contract [0] {mma = #tile<mma wgmma>, precision = #tile<precision tf32>} : tensor<64x8xf32>, tensor<8x8x32xf32> -> tensor<64x8x32xf32>
  %w7 = tile.window %wt [0, 0, 2, 1] strides [1, 1, 1, 1] : tensor<64x8x3x3xf32> -> tensor<64x8x1x1xf32>
  %v7 = tile.reshape %w7 : tensor<64x8x1x1xf32> -> tensor<64x8xf32>
  %p7 = tile.window %p3 [0, 2, 1] strides [1, 1, 1] : tensor<8x10x34xf32> -> tensor<8x8x32xf32>
  %a7 = tile.dot %v7, %p7, %a6 lhs_contract [1] rhs_contract [0] {mma = #tile<mma wgmma>, precision = #tile<precision tf32>} : tensor<64x8xf32>, tensor<8x8x32xf32> -> tensor<64x8x32xf32>
  %w8 = tile.window %wt [0, 0, 2, 2] strides [1, 1, 1, 1] : tensor<64x8x3x3xf32> -> tensor<64x8x1x1xf32>
  %v8 = tile.reshape %w8 : tensor<64x8x1x1xf32> -> tensor<64x8xf32>
  %p8 = tile.window %p3 [0, 2, 2] strides [1, 1, 1] : tensor<8x10x34xf32> -> tensor<8x8x32xf32>
  %a8 = tile.dot %v8, %p8, %a7 lhs_contract [1] rhs_contract [0] {mma = #tile<mma wgmma>, precision = #tile<precision tf32>} : tensor<64x8xf32>, tensor<8x8x32xf32> -> tensor<64x8x32xf32>
  %bb = tile.load %b[%c0, %c0, %c0] : !tile.view<64x1x1xf32> -> tensor<64x1x1xf32>
  %bw = tile.broadcast %bb : tensor<64x1x1xf32> -> tensor<64x8x32xf32>
  %s0 = arith.addf %a8, %bw : tensor<64x8x32xf32>
  %s1 = tile.reshape %s0 : tensor<64x8x32xf32> -> tensor<64x2x4x8x4xf32>
  %s2 = tile.reduce (%s1) dims [2, 4] : (tensor<64x2x4x8x4xf32>) -> (tensor<64x2x1x8x1xf32>) {
  ^bb0(%f: f32, %g: f32):
    %h = arith.maximumf %f, %g : f32
    tile.yield %h : f32
  }
  %s3 = tile.reshape %s2 : tensor<64x2x1x8x1xf32> -> tensor<1x64x2x8xf32>
  %ph = arith.divui %oh0, %c4 : index
  %pw = arith.divui %ow0, %c4 : index
  tile.store %s3, %y[%n, %c0, %ph, %pw] : tensor<1x64x2x8xf32>, !tile.view<2x64x9x17xf32>
  tile.return
}