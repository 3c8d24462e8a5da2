// RUN: fuse-opt %s --split-input-file --verify-diagnostics

func.func @dynamic(%x: tensor<?xf32>) -> tensor<?xf32> {
  // expected-error @+1 {{'fuse.tanh' op operand #0 must be static, non-empty tensor of f32, f16, bf16 or f64 elements (extents below 2^31, at most 2^40 elements), but got 'tensor<?xf32>'}}
  %0 = fuse.tanh %x : tensor<?xf32>
  return %0 : tensor<?xf32>
}

// -----

func.func @zero_sized(%x: tensor<4x0xf32>) -> tensor<4x0xf32> {
  // expected-error @+1 {{must be static, non-empty tensor}}
  %0 = fuse.tanh %x : tensor<4x0xf32>
  return %0 : tensor<4x0xf32>
}

// -----

func.func @too_long(%x: tensor<3000000000xf32>) -> tensor<3000000000xf32> {
  // expected-error @+1 {{extents below 2^31}}
  %0 = fuse.tanh %x : tensor<3000000000xf32>
  return %0 : tensor<3000000000xf32>
}

// -----

func.func @too_many(%x: tensor<2000000000x2000000000x2000000000xf32>) {
  // expected-error @+1 {{at most 2^40 elements}}
  %0 = fuse.tanh %x : tensor<2000000000x2000000000x2000000000xf32>
  return
}

// -----

// More than 2^31 elements are fine: all indices are 64 bits wide.
func.func @large(%x: tensor<65536x65536xf32>) -> tensor<65536x65536xf32> {
  %0 = fuse.tanh %x : tensor<65536x65536xf32>
  return %0 : tensor<65536x65536xf32>
}

// -----

func.func @encoding(%x: tensor<4xf32, "layout">) {
  // expected-error @+1 {{must be static, non-empty tensor}}
  %0 = fuse.tanh %x : tensor<4xf32, "layout">
  return
}

// -----

func.func @integers(%x: tensor<4xi32>) -> tensor<4xi32> {
  // expected-error @+1 {{operand #0 must be static, non-empty tensor of f32, f16, bf16 or f64 elements}}
  %0 = fuse.exp %x : tensor<4xi32>
  return %0 : tensor<4xi32>
}

// -----

func.func @odd_elements(%x: tensor<4xi16>) -> tensor<4xi16> {
  // expected-error @+1 {{but got 'tensor<4xi16>'}}
  %0 = fuse.neg %x : tensor<4xi16>
  return %0 : tensor<4xi16>
}

// -----

func.func @unranked(%x: tensor<*xf32>) {
  // expected-error @+1 {{invalid kind of type specified}}
  %0 = fuse.tanh %x : tensor<*xf32>
  return
}

// -----

func.func @mixed(%x: tensor<4xf32>, %y: tensor<4xf16>) -> tensor<4xf32> {
  // expected-error @+1 {{'fuse.add' op expected operands of one element type, but found 'tensor<4xf32>' and 'tensor<4xf16>' (fuse.cast converts)}}
  %0 = fuse.add %x, %y : (tensor<4xf32>, tensor<4xf16>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

func.func @no_broadcast(%x: tensor<4x8xf32>, %y: tensor<4xf32>) -> tensor<4x8xf32> {
  // expected-error @+1 {{'fuse.mul' op expected operands that broadcast, but found 'tensor<4x8xf32>' and 'tensor<4xf32>'}}
  %0 = fuse.mul %x, %y : (tensor<4x8xf32>, tensor<4xf32>) -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}

// -----

func.func @wrong_result(%x: tensor<4x8xf32>, %y: tensor<8xf32>) -> tensor<8xf32> {
  // expected-error @+1 {{'fuse.sub' op expected result #0 of type 'tensor<4x8xf32>', but found 'tensor<8xf32>'}}
  %0 = fuse.sub %x, %y : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<8xf32>
  return %0 : tensor<8xf32>
}

// -----

func.func @three_types(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{expected 2 operand types and 1 result type, but found '(tensor<4xf32>) -> tensor<4xf32>'}}
  %0 = fuse.add %x, %x : (tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

func.func @compare_result(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{'fuse.compare' op result #0 must be static, non-empty tensor of i1 elements}}
  %0 = fuse.compare lt %x, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

func.func @compare_predicate(%x: tensor<4xf32>) -> tensor<4xi1> {
  // expected-error @+2 {{expected ::tilefuse::fuse::Predicate to be one of: eq, ne, lt, le, gt, ge}}
  // expected-error @+1 {{failed to parse Fuse_PredicateAttr}}
  %0 = fuse.compare less %x, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xi1>
  return %0 : tensor<4xi1>
}

// -----

func.func @select_condition(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{'fuse.select' op operand #0 must be static, non-empty tensor of i1 elements}}
  %0 = fuse.select %x, %x, %x : (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

func.func @clamp_nothing(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{'fuse.clamp' op expected a min, a max or both, but found neither}}
  %0 = fuse.clamp %x : tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

func.func @celu_zero(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{'fuse.celu' op expected an alpha other than 0, but found 0}}
  %0 = fuse.celu %x alpha 0.0 : tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

func.func @softplus_zero(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{'fuse.softplus' op expected a beta other than 0, but found 0}}
  %0 = fuse.softplus %x beta 0.0 : tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

func.func @cast_shape(%x: tensor<4xf32>) -> tensor<5xf16> {
  // expected-error @+1 {{'fuse.cast' op requires the same shape for all operands and results}}
  %0 = fuse.cast %x : tensor<4xf32> -> tensor<5xf16>
  return %0 : tensor<5xf16>
}
