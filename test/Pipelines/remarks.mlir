// What was not fused, and what is kept for the backward pass, with the reason.

// RUN: fuse-opt %s --fuse-to-ptx="stop-after=kernels remarks" -o /dev/null 2>&1 | FileCheck %s
// RUN: fuse-opt %examples/p54.mlir --fuse-to-ptx="grad stop-after=partition remarks" -o /dev/null 2>&1 | FileCheck %s --check-prefix=GRAD
// RUN: fuse-opt %s --fuse-to-ptx=stop-after=kernels -o /dev/null 2>&1 | count 0

// CHECK-DAG: remarks.mlir:[[#@LINE+6]]:8: remark: not fused: stored and read back: computing it again costs more
// CHECK-DAG: remarks.mlir:[[#@LINE+7]]:8: remark: not fused: what one tile must hold makes it 4096 by 4, too thin for the contraction

// GRAD: p54.mlir:{{.*}}: remark: saved: 1057030144 bytes

func.func @hold(%x: tensor<4096x1024xf32>, %w: tensor<1024x4096xf32>) -> tensor<4096x4096xf32> {
  %c = fuse.matmul %x, %w : (tensor<4096x1024xf32>, tensor<1024x4096xf32>) -> tensor<4096x4096xf32>
  %m = fuse.reduce sum %c dims [0] : tensor<4096x4096xf32> -> tensor<4096xf32>
  %y = fuse.sub %c, %m : (tensor<4096x4096xf32>, tensor<4096xf32>) -> tensor<4096x4096xf32>
  %t = fuse.tanh %y : tensor<4096x4096xf32>
  return %t : tensor<4096x4096xf32>
}
