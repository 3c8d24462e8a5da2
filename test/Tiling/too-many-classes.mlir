// A tile whose positions differ one by one is laid out class by class, which has
// an end on the CPU: an answer in seconds, rather than a program in hours.
//
// RUN: not fuse-opt %s --fuse-to-cpu 2>&1 | FileCheck %s

// CHECK: error: 'fuse.kernel' op tiling: a tile of it falls into 5000 classes of positions, and 448 at most
func.func @wide(%dy: tensor<2x2xf32>, %at: tensor<2x2xi32>) -> tensor<2x10000xf32> {
  %dx = fuse.window_max_grad %dy, %at input_size [10000] window [5000] stride [5000]
      : (tensor<2x2xf32>, tensor<2x2xi32>) -> tensor<2x10000xf32>
  return %dx : tensor<2x10000xf32>
}
