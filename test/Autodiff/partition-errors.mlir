// RUN: fuse-opt %s --fuse-partition --split-input-file --verify-diagnostics

// expected-error @+1 {{'fuse.joint' does not describe the function}}
func.func @f(%x: tensor<4xf32>, %dy: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>)
    attributes {fuse.joint = {num_inputs = 3 : i64, num_results = 1 : i64, wrt = array<i64: 0>}} {
  return %x, %dy : tensor<4xf32>, tensor<4xf32>
}

// -----

// expected-error @+1 {{'fuse.joint' does not describe the function}}
func.func @g(%x: tensor<4xf32>) -> tensor<4xf32> attributes {fuse.joint = {}} {
  return %x : tensor<4xf32>
}
