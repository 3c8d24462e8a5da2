// RUN: fuse-opt %s --tile-round-dot-operands | FileCheck %s

// The patch is rounded once, in front of both windows.
// CHECK-LABEL: tile.func @conv
tile.func @conv(%x: !tile.view<8x34xf32>, %y: !tile.view<4x32xf32>) grid [1] warps 4 {
  %c0 = arith.constant 0 : index
  %w = arith.constant dense<1.0> : tensor<4x8xf32>
  %acc = arith.constant dense<0.0> : tensor<4x32xf32>
  // CHECK: %[[P:.*]] = tile.load
  // CHECK: %[[T:.*]] = arith.truncf %[[P]] : tensor<8x34xf32> to tensor<8x34xbf16>
  // CHECK: %[[R:.*]] = arith.extf %[[T]]
  // CHECK-NOT: arith.truncf
  %p = tile.load %x[%c0, %c0] : !tile.view<8x34xf32> -> tensor<8x34xf32>
  // CHECK: %[[W0:.*]] = tile.window %[[R]] [0, 0]
  // CHECK: tile.dot %{{.*}}, %[[W0]]
  // CHECK-NOT: precision
  %w0 = tile.window %p [0, 0] strides [1, 1] : tensor<8x34xf32> -> tensor<8x32xf32>
  %a0 = tile.dot %w, %w0, %acc lhs_contract [1] rhs_contract [0]
      {precision = #tile<precision bf16>}
      : tensor<4x8xf32>, tensor<8x32xf32> -> tensor<4x32xf32>
  // CHECK: %[[W1:.*]] = tile.window %[[R]] [0, 2]
  // CHECK: tile.dot %{{.*}}, %[[W1]]
  %w1 = tile.window %p [0, 2] strides [1, 1] : tensor<8x34xf32> -> tensor<8x32xf32>
  %a1 = tile.dot %w, %w1, %a0 lhs_contract [1] rhs_contract [0]
      {precision = #tile<precision bf16>}
      : tensor<4x8xf32>, tensor<8x32xf32> -> tensor<4x32xf32>
  tile.store %a1, %y[%c0, %c0] : tensor<4x32xf32>, !tile.view<4x32xf32>
  tile.return
}

// 16-bit operands are widened, whatever the precision; f64 stays.
// CHECK-LABEL: tile.func @types
tile.func @types(%x: !tile.view<8x8xf16>, %z: !tile.view<8x8xf64>) grid [1] warps 4 {
  %c0 = arith.constant 0 : index
  %acc = arith.constant dense<0.0> : tensor<8x8xf32>
  %acc64 = arith.constant dense<0.0> : tensor<8x8xf64>
  // CHECK: arith.extf %{{.*}} : tensor<8x8xf16> to tensor<8x8xf32>
  // CHECK-NOT: arith.bitcast
  // CHECK: tile.dot {{.*}} : tensor<8x8xf32>, tensor<8x8xf32> -> tensor<8x8xf32>
  %p = tile.load %x[%c0, %c0] : !tile.view<8x8xf16> -> tensor<8x8xf16>
  %a = tile.dot %p, %p, %acc lhs_contract [1] rhs_contract [0]
      {precision = #tile<precision tf32>}
      : tensor<8x8xf16>, tensor<8x8xf16> -> tensor<8x8xf32>
  // CHECK: tile.dot {{.*}} : tensor<8x8xf64>, tensor<8x8xf64> -> tensor<8x8xf64>
  %q = tile.load %z[%c0, %c0] : !tile.view<8x8xf64> -> tensor<8x8xf64>
  %b = tile.dot %q, %q, %acc64 lhs_contract [1] rhs_contract [0]
      : tensor<8x8xf64>, tensor<8x8xf64> -> tensor<8x8xf64>
  tile.debug_print "a", %a : tensor<8x8xf32>
  tile.debug_print "b", %b : tensor<8x8xf64>
  tile.return
}
