// Every phase's text, as `dump` writes it, is where a run can go on: what comes out
// is what one run makes. On both ways, with gradients and without.

// RUN: rm -rf %t && mkdir %t %t/cpu %t/ptx %t/cpu-grad %t/ptx-grad
// RUN: fuse-opt %s --fuse-to-cpu="dump=%t/cpu" -o %t/cpu.mlir
// RUN: fuse-opt %s --fuse-to-ptx="dump=%t/ptx" -o %t/ptx.mlir
// RUN: fuse-opt %s --fuse-to-cpu="grad dump=%t/cpu-grad" -o %t/cpu-grad.mlir
// RUN: fuse-opt %s --fuse-to-ptx="grad dump=%t/ptx-grad" -o %t/ptx-grad.mlir
// RUN: %python %S/Inputs/resume.py %t cpu ptx cpu-grad ptx-grad | FileCheck %s

// CHECK: cpu: target simplify kernels schedules tile plan math lower
// CHECK: ptx: target simplify kernels schedules tile plan math layouts shared lower
// CHECK: cpu-grad: target simplify joint partition kernels schedules tile plan math lower
// CHECK: ptx-grad: target simplify joint partition kernels schedules tile plan math layouts shared lower

func.func @f(%x: tensor<2x8x18x34xf32>, %w: tensor<16x8x3x3xf32>, %b: tensor<16x1x1xf32>) -> (tensor<2x16x8x16xf32>, tensor<2x16x16x32xf32>) {
  %0 = fuse.conv2d %x, %w : (tensor<2x8x18x34xf32>, tensor<16x8x3x3xf32>) -> tensor<2x16x16x32xf32>
  %1 = fuse.add %0, %b : (tensor<2x16x16x32xf32>, tensor<16x1x1xf32>) -> tensor<2x16x16x32xf32>
  %2 = fuse.tanh %1 : tensor<2x16x16x32xf32>
  %3 = fuse.max_pool2d %2 kernel [2, 2] : tensor<2x16x16x32xf32> -> tensor<2x16x8x16xf32>
  %4 = fuse.softmax %1 dim 3 : tensor<2x16x16x32xf32> -> tensor<2x16x16x32xf32>
  return %3, %4 : tensor<2x16x8x16xf32>, tensor<2x16x16x32xf32>
}
