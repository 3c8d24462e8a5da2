// RUN: fuse-opt %s --split-input-file --verify-diagnostics

func.func @argument_type(%x: tensor<4xf32>) {
  // expected-error @+1 {{'fuse.kernel' op expected body argument #0 of type 'tensor<4xf32>', but found 'tensor<5xf32>'}}
  %0 = "fuse.kernel"(%x) <{name = "k"}> ({
  ^bb0(%a: tensor<5xf32>):
    %y = fuse.constant dense<0.0> : tensor<4xf32>
    fuse.yield %y : tensor<4xf32>
  }) : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @argument_count(%x: tensor<4xf32>) {
  // expected-error @+1 {{'fuse.kernel' op expected one body argument per input (1), but found 0}}
  %0 = "fuse.kernel"(%x) <{name = "k"}> ({
    %y = fuse.constant dense<0.0> : tensor<4xf32>
    fuse.yield %y : tensor<4xf32>
  }) : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @operand_types(%x: tensor<4xf32>) {
  // expected-error @+1 {{expected 1 operand types, but found 0}}
  %0 = fuse.kernel @k (%a = %x) : () -> tensor<4xf32> {
    fuse.yield %a : tensor<4xf32>
  }
  return
}

// -----

func.func @yield(%x: tensor<4xf32>) {
  %0 = fuse.kernel @k (%a = %x) : (tensor<4xf32>) -> tensor<5xf32> {
    // expected-error @+1 {{'fuse.yield' op expected values of the kernel's result types ('tensor<5xf32>'), but found ('tensor<4xf32>')}}
    fuse.yield %a : tensor<4xf32>
  }
  return
}

// -----

func.func @no_yield(%x: tensor<4xf32>) {
  // expected-error @+1 {{'fuse.kernel' op expected a body that ends with fuse.yield}}
  %0 = fuse.kernel @k (%a = %x) : (tensor<4xf32>) -> tensor<4xf32> {
    %1 = fuse.tanh %a : tensor<4xf32>
  }
  return
}

// -----

func.func @isolated(%x: tensor<4xf32>) {
  // expected-note @+1 {{required by region isolation constraints}}
  %0 = fuse.kernel @k () : () -> tensor<4xf32> {
    // expected-error @+1 {{using value defined outside the region}}
    fuse.yield %x : tensor<4xf32>
  }
  return
}

// -----

func.func @anchors(%x: tensor<4xf32>) {
  %0 = fuse.kernel @k (%a = %x) : (tensor<4xf32>) -> tensor<4xf32> {
    %1 = fuse.tanh %a {fuse.anchor} : tensor<4xf32>
    // expected-error @+1 {{'fuse.tanh' op expected one anchor in a kernel, but found a second}}
    %2 = fuse.tanh %1 {fuse.anchor} : tensor<4xf32>
    fuse.yield %2 : tensor<4xf32>
  }
  return
}

// -----

func.func @anchor_outside(%x: tensor<4xf32>) {
  // expected-error @+1 {{expected fuse.anchor on an op with an iteration space in a fuse.kernel, but found it on fuse.tanh}}
  %1 = fuse.tanh %x {fuse.anchor} : tensor<4xf32>
  return
}

// -----

func.func @block(%x: tensor<4xf32>) {
  // expected-error @+1 {{'fuse.kernel' op expected a schedule with 1 block extents, one per dim of the anchor, but found 2}}
  %0 = fuse.kernel @k (%a = %x) : (tensor<4xf32>) -> tensor<4xf32>
      schedule(#fuse.schedule<block = [4, 4], warps = 4, stages = 2, cluster = 1, mma = fma, splits = 1>) {
    %1 = fuse.tanh %a {fuse.anchor} : tensor<4xf32>
    fuse.yield %1 : tensor<4xf32>
  }
  return
}

// -----

// The anchor is checked before its dims are counted.
func.func @wrong_anchor(%x: tensor<2x8x4x4xf32>, %w: tensor<64x8x3x3xf32>) {
  %0 = fuse.kernel @k (%a = %x, %b = %w) : (tensor<2x8x4x4xf32>, tensor<64x8x3x3xf32>) -> tensor<2x64x2x2xf32>
      schedule(#fuse.schedule<block = [1, 1, 1, 1, 1, 1, 1], warps = 4, stages = 2, cluster = 1, mma = fma, splits = 1>) {
    // expected-error @+1 {{'fuse.conv2d' op expected 2 values in stride, but found 0}}
    %1 = fuse.conv2d %a, %b stride [] {fuse.anchor} : (tensor<2x8x4x4xf32>, tensor<64x8x3x3xf32>) -> tensor<2x64x2x2xf32>
    fuse.yield %1 : tensor<2x64x2x2xf32>
  }
  return
}

// -----

func.func @nested(%x: tensor<4xf32>) {
  %0 = fuse.kernel @k (%a = %x) : (tensor<4xf32>) -> tensor<4xf32> {
    // expected-error @+1 {{'fuse.kernel' op expected pure fuse ops in a kernel}}
    %1 = fuse.kernel @inner (%b = %a) : (tensor<4xf32>) -> tensor<4xf32> {
      fuse.yield %b : tensor<4xf32>
    }
    fuse.yield %1 : tensor<4xf32>
  }
  return
}

// -----

func.func @side_effect(%x: tensor<4xf32>) {
  %0 = fuse.kernel @k (%a = %x) : (tensor<4xf32>) -> tensor<4xf32> {
    // expected-error @+1 {{'func.call' op expected pure fuse ops in a kernel}}
    func.call @f() : () -> ()
    fuse.yield %a : tensor<4xf32>
  }
  return
}
func.func private @f()

// -----

// expected-error @+1 {{expected 1, 2, 4, 8, 16 or 32 warps, but found 3}}
#schedule = #fuse.schedule<block = [4], warps = 3, stages = 2, cluster = 1, mma = fma, splits = 1>

// -----

// expected-error @+1 {{expected block extents from 1 to 2^31 - 1, but found 0}}
#schedule = #fuse.schedule<block = [0], warps = 4, stages = 2, cluster = 1, mma = fma, splits = 1>

// -----

// expected-error @+1 {{expected arch `cpu` or `sm_NN[a]`, but found "gfx90a"}}
#target = #fuse.target<arch = "gfx90a", units = 1, shared_memory = 1, registers = 1, dram = 1, fp32 = 1, tensor = 1>

// -----

// expected-error @+1 {{expected units from 1 to 2^40, but found 0}}
#target = #fuse.target<arch = "cpu", units = 0, shared_memory = 1, registers = 1, dram = 1, fp32 = 1, tensor = 1>

// -----

// expected-error @+1 {{expected fuse.target = #fuse.target<...>, but found "sm_90a"}}
module attributes {fuse.target = "sm_90a"} {}

// -----

// expected-error @+1 {{expected `uniform` or `normal`, but found `gauss`}}
func.func @init_kind(%x: tensor<4xf32> {fuse.init = #fuse.init<gauss, 0.0, 1.0>}) { return }

// -----

// expected-error @+1 {{expected bounds in order, but found}}
func.func @init_order(%x: tensor<4xf32> {fuse.init = #fuse.init<uniform, 1.0, 0.0>}) { return }

// -----

// expected-error @+1 {{expected fuse.init = #fuse.init<...>, but found 1 : i64}}
func.func @init_attribute(%x: tensor<4xf32> {fuse.init = 1}) { return }

// -----

// expected-error @+1 {{expected fuse.alias_result below the number of results 1, but found 1}}
func.func @alias_range(%x: tensor<4xf32> {fuse.alias_result = 1}) -> tensor<4xf32> { return %x : tensor<4xf32> }

// -----

// expected-error @+1 {{expected fuse.alias_result = 0 on an argument of the result's type 'tensor<5xf32>', but found 'tensor<4xf32>'}}
func.func @alias_type(%x: tensor<4xf32> {fuse.alias_result = 0}, %y: tensor<5xf32>) -> tensor<5xf32> { return %y : tensor<5xf32> }

// -----

// expected-error @+1 {{expected one argument per aliased result, but found arguments #0 and #1 with fuse.alias_result = 0 : i64}}
func.func @alias_twice(%x: tensor<4xf32> {fuse.alias_result = 0}, %y: tensor<4xf32> {fuse.alias_result = 0}) -> tensor<4xf32> { return %y : tensor<4xf32> }

// -----

// expected-error @+1 {{expected fuse.alias_result = <i64 index of a result>, but found "0"}}
func.func @alias_kind(%x: tensor<4xf32> {fuse.alias_result = "0"}) -> tensor<4xf32> { return %x : tensor<4xf32> }
