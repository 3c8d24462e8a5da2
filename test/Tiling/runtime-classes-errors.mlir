// RUN: fuse-opt %s --fuse-tile-kernels --verify-diagnostics -o /dev/null

// Elements of a row that are its smallest are counted: both must be the same code's
// to the bit, and the row falls into classes that the grid runs over.
module attributes {fuse.target = #fuse.target<arch = "sm_90a", units = 132, shared_memory = 232448, registers = 65536, dram = 4270, fp32 = 51000, tensor = 410000>} {
  func.func @smallest(%x: tensor<3x3x15x5xf64>, %w: tensor<3x5x4x4xf64>) -> (tensor<3x5x16xf64>, tensor<3x5x16x1xf64>) {
    // expected-remark @below {{its ops run one by one: 'fuse.conv_transpose2d' op tiling: a block of it would be put together from classes, while its tile has one that is known at run time only}}
    %0:2 = fuse.kernel @k (%a = %x, %b = %w) : (tensor<3x3x15x5xf64>, tensor<3x5x4x4xf64>) -> (tensor<3x5x16xf64>, tensor<3x5x16x1xf64>)
        schedule(#fuse.schedule<block = [1, 8, 1, 16, 3, 4, 4], warps = 1, stages = 2, cluster = 1, mma = fma, splits = 1>) {
      %one = fuse.constant dense<1.0> : tensor<3x5x16x13xf64>
      %zero = fuse.constant dense<0.0> : tensor<f64>
      %z = fuse.conv_transpose2d %a, %b stride [1, 3] padding [1, 2] output_padding [0, 1] {fuse.anchor}
          : (tensor<3x3x15x5xf64>, tensor<3x5x4x4xf64>) -> tensor<3x5x16x13xf64>
      %m = fuse.reduce min %z dims [3] : tensor<3x5x16x13xf64> -> tensor<3x5x16xf64>
      %r = fuse.reshape %m : tensor<3x5x16xf64> -> tensor<3x5x16x1xf64>
      %e = fuse.compare eq %z, %r : (tensor<3x5x16x13xf64>, tensor<3x5x16x1xf64>) -> tensor<3x5x16x13xi1>
      %c = fuse.select %e, %one, %zero : (tensor<3x5x16x13xi1>, tensor<3x5x16x13xf64>, tensor<f64>) -> tensor<3x5x16x13xf64>
      %n = fuse.reduce sum %c dims [3] keepdims : tensor<3x5x16x13xf64> -> tensor<3x5x16x1xf64>
      fuse.yield %m, %n : tensor<3x5x16xf64>, tensor<3x5x16x1xf64>
    }
    return %0#0, %0#1 : tensor<3x5x16xf64>, tensor<3x5x16x1xf64>
  }
}
