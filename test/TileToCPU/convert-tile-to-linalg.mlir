// RUN: fuse-opt %s --convert-tile-to-linalg | FileCheck %s

// CHECK-LABEL: func.func @copy(
// CHECK-SAME: %[[X:.*]]: memref<100xf32>, %[[Y:.*]]: memref<10x10xf32, strided<[1, 10]>>, %[[Z:.*]]: memref<8xi8>,
// CHECK-SAME: %[[ID:[^:]*]]: index, %{{[^:]*}}: index, %{{[^:]*}}: index) attributes {tile.lowered}
tile.func @copy(%x: !tile.view<100xf32>, %y: !tile.view<10x10xf32, strides = [1, 10]>,
                %z: !tile.view<8xi1>) grid [4] warps 1 {
  %i = tile.program_id 0
  // Fill unless all is inside, then the part that is inside.
  // CHECK: %[[BUFFER:.*]] = memref.alloc() : memref<32xf32>
  // CHECK: scf.if
  // CHECK: memref.store %{{.*}}, %[[BUFFER]]
  // CHECK: scf.for
  // CHECK: %[[V:.*]] = memref.load %[[X]]
  // CHECK: memref.store %[[V]], %[[BUFFER]]
  // CHECK: bufferization.to_tensor %[[BUFFER]] restrict writable
  %v = tile.load %x[%i] : !tile.view<100xf32> -> tensor<32xf32>
  // CHECK: tensor.expand_shape
  %m = tile.reshape %v : tensor<32xf32> -> tensor<4x8xf32>
  // CHECK: scf.for
  // CHECK: tensor.extract
  // CHECK: memref.store %{{.*}}, %[[Y]]
  tile.store %m, %y[%i, %i] : tensor<4x8xf32>, !tile.view<10x10xf32, strides = [1, 10]>
  // An i1 is a byte, and any byte but 0 is true.
  // CHECK: memref.load %[[Z]]
  // CHECK: arith.cmpi ne, %{{.*}} : i8
  %b = tile.load %z[%i] : !tile.view<8xi1> -> tensor<8xi1>
  // CHECK: llvm.call @tilefuse_assert_failed
  tile.assert %b, "all" : tensor<8xi1>
  // CHECK: return
  tile.return
}

// Outer dims first; the last dim in 16 lanes.
// CHECK-LABEL: func.func @reduce
tile.func @reduce(%x: !tile.view<8x48xf32>) grid [1] warps 1 {
  %c0 = arith.constant 0 : index
  %v = tile.load %x[%c0, %c0] : !tile.view<8x48xf32> -> tensor<8x48xf32>
  // CHECK: linalg.generic {{.*}}["reduction", "parallel"]
  // CHECK-SAME: outs(%{{.*}} : tensor<1x48xf32>)
  // CHECK: linalg.generic {{.*}}["parallel", "reduction", "parallel"]
  // CHECK-SAME: outs(%{{.*}} : tensor<1x1x16xf32>)
  // CHECK: linalg.generic {{.*}}["parallel", "reduction"]
  // CHECK-SAME: outs(%{{.*}} : tensor<1x1xf32>)
  %s = tile.reduce (%v) dims [0, 1] : (tensor<8x48xf32>) -> (tensor<1x1xf32>) {
  ^bb0(%a: f32, %b: f32):
    %r = arith.addf %a, %b : f32
    tile.yield %r : f32
  }
  tile.debug_print "sum", %s : tensor<1x1xf32>
  tile.return
}

// The operand that is read in vectors ends in the product's last dim.
// CHECK-LABEL: func.func @dot
tile.func @dot(%x: !tile.view<8x16xf32>, %y: !tile.view<32x16xf32>) grid [1] warps 1 {
  %c0 = arith.constant 0 : index
  %acc = arith.constant dense<0.0> : tensor<8x32xf32>
  %a = tile.load %x[%c0, %c0] : !tile.view<8x16xf32> -> tensor<8x16xf32>
  %b = tile.load %y[%c0, %c0] : !tile.view<32x16xf32> -> tensor<32x16xf32>
  // CHECK: linalg.transpose {{.*}} permutation = [1, 0]
  // CHECK: linalg.generic {{.*}}["parallel", "parallel", "reduction"]{{.*}}tile.dot
  // CHECK: math.fma
  %c = tile.dot %a, %b, %acc lhs_contract [1] rhs_contract [1]
      : tensor<8x16xf32>, tensor<32x16xf32> -> tensor<8x32xf32>
  tile.debug_print "c", %c : tensor<8x32xf32>
  tile.return
}

// No lanes divide 701: 43 * 16 of them in lanes, which are folded by halves, 13 in
// a chain, one sum of both.
// CHECK-LABEL: func.func @long_sum(
// CHECK:         %[[HEAD:.*]] = tensor.extract_slice %{{.*}}[0] [688] [1]
// CHECK:         %[[TAIL:.*]] = tensor.extract_slice %{{.*}}[688] [13] [1]
// CHECK:         %[[LANES:.*]] = tensor.expand_shape %[[HEAD]] {{.*}} into tensor<43x16xf32>
// CHECK:         linalg.generic {{.*}} ins(%[[LANES]] : tensor<43x16xf32>)
// CHECK:         linalg.generic {{.*}} ins(%{{.*}} : tensor<2x8xf32>)
// CHECK:         linalg.generic {{.*}} ins(%{{.*}} : tensor<2x4xf32>)
// CHECK:         linalg.generic {{.*}} ins(%{{.*}} : tensor<4xf32>)
// CHECK:         linalg.generic {{.*}} ins(%[[TAIL]] : tensor<13xf32>)
// CHECK:         linalg.generic {{.*}} ins(%{{.*}} : tensor<1xf32>)
tile.func @long_sum(%x: !tile.view<701xf32>, %y: !tile.view<1xf32>) grid [1] warps 1 {
  %c0 = arith.constant 0 : index
  %0 = tile.load %x[%c0] : !tile.view<701xf32> -> tensor<701xf32>
  %1 = tile.reduce(%0) dims [0] : (tensor<701xf32>) -> tensor<1xf32> {
  ^bb0(%a: f32, %b: f32):
    %s = arith.addf %a, %b : f32
    tile.yield %s : f32
  }
  tile.store %1, %y[%c0] : tensor<1xf32>, !tile.view<1xf32>
  tile.return
}
