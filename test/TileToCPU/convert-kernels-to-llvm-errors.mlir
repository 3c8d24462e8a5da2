// RUN: fuse-opt %s --split-input-file --verify-diagnostics --convert-kernels-to-llvm

// expected-error @+1 {{is no lowered kernel: expected memrefs, three arguments of type index, and no results}}
func.func @none() attributes {tile.lowered} {
  return
}

// -----

// expected-error @+1 {{is no lowered kernel}}
func.func @result(%x: memref<8xf32>, %i: index, %j: index, %k: index) -> index
    attributes {tile.lowered} {
  return %i : index
}

// -----

// expected-error @+1 {{is no lowered kernel}}
func.func private @declared(index, index, index) attributes {tile.lowered}
