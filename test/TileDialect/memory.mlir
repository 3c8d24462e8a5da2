// RUN: fuse-opt %s --verify-roundtrip | FileCheck %s
// RUN: fuse-opt %s --mlir-print-op-generic | fuse-opt | FileCheck %s

// CHECK-LABEL: tile.func @copy(
// CHECK-SAME: %[[X:.*]]: !tile.view<8x16xf32, strides = [1, 8]> {fuse.name = "x"}
// CHECK-SAME: grid [2, 1, 3] warps 8 attributes {note = "kept"}
tile.func @copy(%x: !tile.view<8x16xf32, strides = [1, 8]> {fuse.name = "x"},
                %y: !tile.view<4xi1>, %s: !tile.view<f64>)
    grid [2, 1, 3] warps 8 attributes {note = "kept"} {
  // CHECK: %[[I:.*]] = tile.program_id 2
  %i = tile.program_id 2
  %fill = arith.constant 1.0 : f32
  %mask = arith.constant dense<true> : tensor<2x4xi1>
  // CHECK: tile.load %[[X]][%[[I]], %[[I]]] fill %{{.*}} : f32 mask %{{.*}} : tensor<2x4xi1>
  // CHECK-SAME: {steps = array<i64: 1, 2>} : <8x16xf32, strides = [1, 8]> -> tensor<2x4xf32>
  %a = tile.load %x[%i, %i] fill %fill : f32 mask %mask : tensor<2x4xi1>
      {steps = array<i64: 1, 2>}
      : !tile.view<8x16xf32, strides = [1, 8]> -> tensor<2x4xf32>
  // CHECK: tile.store %{{.*}}, %[[X]][%[[I]], %[[I]]] mask
  tile.store %a, %x[%i, %i] mask %mask : tensor<2x4xi1>
      : tensor<2x4xf32>, !tile.view<8x16xf32, strides = [1, 8]>
  // CHECK: tile.load %{{.*}}[] : <f64> -> tensor<f64>
  %b = tile.load %s[] : !tile.view<f64> -> tensor<f64>
  %c = tile.load %y[%i] : !tile.view<4xi1> -> tensor<4xi1>
  tile.debug_print "b: ", %b : tensor<f64>
  tile.assert %c, "all of them" : tensor<4xi1>
  tile.return
}

// CHECK-LABEL: tile.func @count
tile.func @count(%h: !tile.view<10xi32>) grid [1] warps 1 {
  %i = tile.iota 0 : tensor<8xindex>
  %one = arith.constant dense<1> : tensor<8xi32>
  // CHECK: tile.atomic {{ *}}max %{{.*}}[%{{.*}} : tensor<8xindex>], %{{.*}} : tensor<8xi32> : <10xi32>
  tile.atomic max %h[%i : tensor<8xindex>], %one : tensor<8xi32> : !tile.view<10xi32>
  tile.return
}
