// RUN: fuse-opt %s --tile-expand-math | FileCheck %s
// RUN: fuse-opt %s --tile-expand-math=approximate | FileCheck %s --check-prefix=FAST

// Powers of two stay, one each; nothing else does.
// FAST-LABEL: tile.func @k
// FAST: math.exp2 {{.*}} fastmath<afn> : tensor<64xf32>
// FAST-NOT: math.exp2
// FAST: arith.extf {{.*}} : tensor<64xf16> to tensor<64xf32>
// FAST: math.exp2 {{.*}} fastmath<afn> : tensor<64xf32>
// FAST-NOT: math.{{exp|tanh|erf|log}}

// CHECK-LABEL: tile.func @k
tile.func @k(%x: !tile.view<64xf32>, %h: !tile.view<64xf16>, %d: !tile.view<64xf64>)
    grid [1] warps 4 {
  %c0 = arith.constant 0 : index
  %v = tile.load %x[%c0] : !tile.view<64xf32> -> tensor<64xf32>
  // CHECK-NOT: math.exp
  // CHECK: math.fma {{.*}} : tensor<64xf32>
  %e = math.exp %v : tensor<64xf32>
  // CHECK-NOT: math.rsqrt
  // CHECK: %[[S:.*]] = math.sqrt
  // CHECK: arith.divf %{{.*}}, %[[S]]
  %r = math.rsqrt %e : tensor<64xf32>
  tile.store %r, %x[%c0] : tensor<64xf32>, !tile.view<64xf32>
  // 16-bit floats by way of f32.
  // CHECK: arith.extf %{{.*}} : tensor<64xf16> to tensor<64xf32>
  // CHECK: arith.truncf %{{.*}} : tensor<64xf32> to tensor<64xf16>
  %hv = tile.load %h[%c0] : !tile.view<64xf16> -> tensor<64xf16>
  %ht = math.tanh %hv : tensor<64xf16>
  tile.store %ht, %h[%c0] : tensor<64xf16>, !tile.view<64xf16>
  // f64 has its own; what is one instruction anyway stays.
  // CHECK-NOT: math.erf
  // CHECK: math.fma {{.*}} : tensor<64xf64>
  // CHECK: math.absf
  %dv = tile.load %d[%c0] : !tile.view<64xf64> -> tensor<64xf64>
  %de = math.erf %dv : tensor<64xf64>
  %da = math.absf %de : tensor<64xf64>
  tile.store %da, %d[%c0] : tensor<64xf64>, !tile.view<64xf64>
  // A combiner's scalars too.
  // CHECK: tile.reduce
  // CHECK-NOT: math.log1p
  %s = tile.reduce (%v) dims [0] : (tensor<64xf32>) -> (tensor<1xf32>) {
  ^bb0(%a: f32, %b: f32):
    %l = math.log1p %a : f32
    %t = arith.addf %l, %b : f32
    tile.yield %t : f32
  }
  tile.store %s, %x[%c0] : tensor<1xf32>, !tile.view<64xf32>
  tile.return
}
