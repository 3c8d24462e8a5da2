// RUN: %fuse-compile %s --emit=ptx -o %t.ptx
// RUN: %python %S/emulator/check.py column-moments %t.ptx
// RUN: %if ptxas %{ ptxas -arch=sm_90a -v %t.ptx -o %t.cubin 2>&1 | FileCheck %s --check-prefix=PTXAS %}
// PTXAS-NOT: C75
// PTXAS:     0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads

// Count, mean and squared deviations of columns, merged by Chan's formula: a
// combiner of three values over registers, lanes and warps, carried by a loop.

func.func @main(%a0: !tile.view<1000x96xf32>, %a1: !tile.view<96xf32>, %a2: !tile.view<96xf32>, %a3: !tile.view<96xf32>)
    attributes {tile.entry, tile.num_inputs = 1 : i64} {
  tile.launch @moments ins(%a0 : !tile.view<1000x96xf32>)
                   outs(%a1, %a2, %a3 : !tile.view<96xf32>, !tile.view<96xf32>, !tile.view<96xf32>)
  return
}
tile.func @moments(%x: !tile.view<1000x96xf32>, %n: !tile.view<96xf32>, %mu: !tile.view<96xf32>, %m2: !tile.view<96xf32>) grid [3] warps 8 {
  %pid = tile.program_id 0
  %c32 = arith.constant 32 : index
  %c0 = arith.constant 0 : index
  %c128 = arith.constant 128 : index
  %c1000 = arith.constant 1000 : index
  %c1024 = arith.constant 1024 : index
  %o = arith.muli %pid, %c32 : index
  %z = arith.constant dense<0.0> : tensor<1x32xf32>
  %one = arith.constant dense<1.0> : tensor<128x32xf32>
  %zz = arith.constant dense<0.0> : tensor<128x32xf32>
  %r:3 = scf.for %i = %c0 to %c1024 step %c128 iter_args(%an = %z, %am = %z, %aq = %z) -> (tensor<1x32xf32>, tensor<1x32xf32>, tensor<1x32xf32>) {
    %t = tile.load %x[%i, %o] : !tile.view<1000x96xf32> -> tensor<128x32xf32>
    %row = tile.iota 0 : tensor<128x32xi32>
    %ii = arith.index_cast %i : index to i32
    %is = tile.splat %ii : i32 -> tensor<128x32xi32>
    %at = arith.addi %row, %is : tensor<128x32xi32>
    %lim = arith.constant dense<1000> : tensor<128x32xi32>
    %in = arith.cmpi slt, %at, %lim : tensor<128x32xi32>
    %cnt = arith.select %in, %one, %zz : tensor<128x32xi1>, tensor<128x32xf32>
    %red:3 = tile.reduce (%cnt, %t, %zz) dims [0] : (tensor<128x32xf32>, tensor<128x32xf32>, tensor<128x32xf32>) -> (tensor<1x32xf32>, tensor<1x32xf32>, tensor<1x32xf32>) {
    ^bb0(%n1: f32, %m1: f32, %q1: f32, %n2: f32, %mm2: f32, %q2: f32):
      %nn = arith.addf %n1, %n2 : f32
      %zero = arith.constant 0.0 : f32
      %e0 = arith.cmpf oeq, %nn, %zero : f32
      %o1 = arith.constant 1.0 : f32
      %dn = arith.select %e0, %o1, %nn : f32
      %w = arith.divf %n2, %dn : f32
      %dd = arith.subf %mm2, %m1 : f32
      %dw = arith.mulf %dd, %w : f32
      %mean = arith.addf %m1, %dw : f32
      %d2 = arith.mulf %dd, %dw : f32
      %d3 = arith.mulf %d2, %n1 : f32
      %qs = arith.addf %q1, %q2 : f32
      %q = arith.addf %qs, %d3 : f32
      tile.yield %nn, %mean, %q : f32, f32, f32
    }
    %nn = arith.addf %an, %red#0 : tensor<1x32xf32>
    %w = arith.divf %red#0, %nn : tensor<1x32xf32>
    %dd = arith.subf %red#1, %am : tensor<1x32xf32>
    %dw = arith.mulf %dd, %w : tensor<1x32xf32>
    %mean = arith.addf %am, %dw : tensor<1x32xf32>
    %d2 = arith.mulf %dd, %dw : tensor<1x32xf32>
    %d3 = arith.mulf %d2, %an : tensor<1x32xf32>
    %qs = arith.addf %aq, %red#2 : tensor<1x32xf32>
    %q = arith.addf %qs, %d3 : tensor<1x32xf32>
    scf.yield %nn, %mean, %q : tensor<1x32xf32>, tensor<1x32xf32>, tensor<1x32xf32>
  }
  %n1 = tile.reshape %r#0 : tensor<1x32xf32> -> tensor<32xf32>
  %m1 = tile.reshape %r#1 : tensor<1x32xf32> -> tensor<32xf32>
  %q1 = tile.reshape %r#2 : tensor<1x32xf32> -> tensor<32xf32>
  tile.store %n1, %n[%o] : tensor<32xf32>, !tile.view<96xf32>
  tile.store %m1, %mu[%o] : tensor<32xf32>, !tile.view<96xf32>
  tile.store %q1, %m2[%o] : tensor<32xf32>, !tile.view<96xf32>
  tile.return
}
