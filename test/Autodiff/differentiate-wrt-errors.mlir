// RUN: fuse-opt %s --fuse-differentiate=wrt=1 --split-input-file --verify-diagnostics

// expected-error @+1 {{'wrt' names argument 1, but the function has 1}}
func.func @few(%x: tensor<4xf32>) -> tensor<4xf32> {
  return %x : tensor<4xf32>
}

// -----

// expected-error @+1 {{'wrt' names argument 1, which has no float elements}}
func.func @integers(%x: tensor<4xf32>, %i: tensor<4xi32>) -> tensor<4xf32> {
  return %x : tensor<4xf32>
}
