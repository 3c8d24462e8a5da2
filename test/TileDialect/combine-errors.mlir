// RUN: fuse-opt %s --split-input-file --verify-diagnostics

tile.func @k() grid [2] warps 4 {
  %c0 = arith.constant 0 : index
  %a = arith.constant dense<1.0> : tensor<4x8xf32>
  %i = arith.constant dense<1> : tensor<4x8xi32>
  %s = arith.constant 1.0 : f32
  // expected-error @+1 {{output must be 'tensor<4x1xf32>', but is 'tensor<4xf32>'}}
  %0 = tile.reduce (%a) dims [1] : (tensor<4x8xf32>) -> (tensor<4xf32>) {
  ^bb0(%u: f32, %v: f32):
    %r = arith.addf %u, %v : f32
    tile.yield %r : f32
  }
  tile.return
}

// -----

tile.func @k() grid [2] warps 4 {
  %c0 = arith.constant 0 : index
  %a = arith.constant dense<1.0> : tensor<4x8xf32>
  %i = arith.constant dense<1> : tensor<4x8xi32>
  %s = arith.constant 1.0 : f32
  // expected-error @+1 {{needs at least one dim}}
  %0 = tile.reduce (%a) dims [] : (tensor<4x8xf32>) -> (tensor<4x1xf32>) {
  ^bb0(%u: f32, %v: f32):
    %r = arith.addf %u, %v : f32
    tile.yield %r : f32
  }
  tile.return
}

// -----

tile.func @k() grid [2] warps 4 {
  %c0 = arith.constant 0 : index
  %a = arith.constant dense<1.0> : tensor<4x8xf32>
  %i = arith.constant dense<1> : tensor<4x8xi32>
  %s = arith.constant 1.0 : f32
  // expected-error @+1 {{dims [1, 0] must be increasing dims of 'tensor<4x8xf32>'}}
  %0 = tile.reduce (%a) dims [1, 0] : (tensor<4x8xf32>) -> (tensor<1x1xf32>) {
  ^bb0(%u: f32, %v: f32):
    %r = arith.addf %u, %v : f32
    tile.yield %r : f32
  }
  tile.return
}

// -----

tile.func @k() grid [2] warps 4 {
  %c0 = arith.constant 0 : index
  %a = arith.constant dense<1.0> : tensor<4x8xf32>
  %i = arith.constant dense<1> : tensor<4x8xi32>
  %s = arith.constant 1.0 : f32
  // expected-error @+1 {{dims [2] must be increasing dims of 'tensor<4x8xf32>'}}
  %0 = tile.reduce (%a) dims [2] : (tensor<4x8xf32>) -> (tensor<4x1xf32>) {
  ^bb0(%u: f32, %v: f32):
    %r = arith.addf %u, %v : f32
    tile.yield %r : f32
  }
  tile.return
}

// -----

tile.func @k() grid [2] warps 4 {
  %c0 = arith.constant 0 : index
  %a = arith.constant dense<1.0> : tensor<4x8xf32>
  %i = arith.constant dense<1> : tensor<4x8xi32>
  %s = arith.constant 1.0 : f32
  // expected-error @+1 {{has 1 inputs and 2 outputs}}
  %0:2 = tile.reduce (%a) dims [1] : (tensor<4x8xf32>) -> (tensor<4x1xf32>, tensor<4x1xf32>) {
  ^bb0(%u: f32, %v: f32):
    %r = arith.addf %u, %v : f32
    tile.yield %r : f32
  }
  tile.return
}

// -----

tile.func @k() grid [2] warps 4 {
  %c0 = arith.constant 0 : index
  %a = arith.constant dense<1.0> : tensor<4x8xf32>
  %i = arith.constant dense<1> : tensor<4x8xi32>
  %s = arith.constant 1.0 : f32
  // expected-error @+1 {{needs at least one input}}
  tile.reduce () dims [1] : () -> () {
  ^bb0(%u: f32, %v: f32):
    %r = arith.addf %u, %v : f32
    tile.yield %r : f32
  }
  tile.return
}

// -----

tile.func @k() grid [2] warps 4 {
  %c0 = arith.constant 0 : index
  %a = arith.constant dense<1.0> : tensor<4x8xf32>
  %i = arith.constant dense<1> : tensor<4x8xi32>
  %s = arith.constant 1.0 : f32
  // expected-error @+1 {{combiner must take 2 scalars, but takes 1}}
  %0 = tile.reduce (%a) dims [1] : (tensor<4x8xf32>) -> (tensor<4x1xf32>) {
  ^bb0(%u: f32):
    tile.yield %u : f32
  }
  tile.return
}

// -----

tile.func @k() grid [2] warps 4 {
  %c0 = arith.constant 0 : index
  %a = arith.constant dense<1.0> : tensor<4x8xf32>
  %i = arith.constant dense<1> : tensor<4x8xi32>
  %s = arith.constant 1.0 : f32
  // expected-error @+1 {{combiner must take and yield 'f32' for input 0, but there is 'i32'}}
  %0 = tile.reduce (%a) dims [1] : (tensor<4x8xf32>) -> (tensor<4x1xf32>) {
  ^bb0(%u: f32, %v: i32):
    tile.yield %u : f32
  }
  tile.return
}

// -----

tile.func @k() grid [2] warps 4 {
  %c0 = arith.constant 0 : index
  %a = arith.constant dense<1.0> : tensor<4x8xf32>
  %i = arith.constant dense<1> : tensor<4x8xi32>
  %s = arith.constant 1.0 : f32
  // expected-error @+1 {{combiner must yield 1 scalars, but yields 2}}
  %0 = tile.reduce (%a) dims [1] : (tensor<4x8xf32>) -> (tensor<4x1xf32>) {
  ^bb0(%u: f32, %v: f32):
    tile.yield %u, %v : f32, f32
  }
  tile.return
}

// -----

tile.func @k() grid [2] warps 4 {
  %c0 = arith.constant 0 : index
  %a = arith.constant dense<1.0> : tensor<4x8xf32>
  %i = arith.constant dense<1> : tensor<4x8xi32>
  %s = arith.constant 1.0 : f32
  %0 = tile.reduce (%a) dims [1] : (tensor<4x8xf32>) -> (tensor<4x1xf32>) {
  ^bb0(%u: f32, %v: f32):
    // expected-error @+1 {{has effects; a combiner must have none}}
    tile.debug_print "u", %u : f32
    tile.yield %u : f32
  }
  tile.return
}

// -----

tile.func @k() grid [2] warps 4 {
  %c0 = arith.constant 0 : index
  %a = arith.constant dense<1.0> : tensor<4x8xf32>
  %i = arith.constant dense<1> : tensor<4x8xi32>
  %s = arith.constant 1.0 : f32
  %0 = tile.reduce (%a) dims [1] : (tensor<4x8xf32>) -> (tensor<4x1xf32>) {
  ^bb0(%u: f32, %v: f32):
    // expected-error @+1 {{makes a 'tensor<4xf32>'; a combiner works on scalars}}
    %t = tile.splat %u : f32 -> tensor<4xf32>
    tile.yield %u : f32
  }
  tile.return
}

// -----

tile.func @k() grid [2] warps 4 {
  %c0 = arith.constant 0 : index
  %a = arith.constant dense<1.0> : tensor<4x8xf32>
  %i = arith.constant dense<1> : tensor<4x8xi32>
  %s = arith.constant 1.0 : f32
  // expected-error @+1 {{dim 2 is outside 'tensor<4x8xf32>'}}
  %0 = tile.scan (%a) dim 2 : (tensor<4x8xf32>) -> (tensor<4x8xf32>) {
  ^bb0(%u: f32, %v: f32):
    %r = arith.addf %u, %v : f32
    tile.yield %r : f32
  }
  tile.return
}

// -----

tile.func @k() grid [2] warps 4 {
  %c0 = arith.constant 0 : index
  %a = arith.constant dense<1.0> : tensor<4x8xf32>
  %i = arith.constant dense<1> : tensor<4x8xi32>
  %s = arith.constant 1.0 : f32
  // expected-error @+1 {{output must be 'tensor<4x8xf32>', but is 'tensor<4x1xf32>'}}
  %0 = tile.scan (%a) dim 1 : (tensor<4x8xf32>) -> (tensor<4x1xf32>) {
  ^bb0(%u: f32, %v: f32):
    %r = arith.addf %u, %v : f32
    tile.yield %r : f32
  }
  tile.return
}

// -----

tile.func @k() grid [2] warps 4 {
  %c0 = arith.constant 0 : index
  %a = arith.constant dense<1.0> : tensor<4x8xf32>
  %i = arith.constant dense<1> : tensor<4x8xi32>
  %s = arith.constant 1.0 : f32
  // expected-error @+1 {{combiner must take 4 scalars, but takes 2}}
  %0:2 = tile.scan (%a, %i) dim 1 : (tensor<4x8xf32>, tensor<4x8xi32>) -> (tensor<4x8xf32>, tensor<4x8xi32>) {
  ^bb0(%u: f32, %v: f32):
    %r = arith.addf %u, %v : f32
    tile.yield %r : f32
  }
  tile.return
}
