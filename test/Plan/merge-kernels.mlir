// RUN: fuse-opt %s --tile-merge-kernels --split-input-file | FileCheck %s
// RUN: fuse-opt %s --tile-merge-kernels --split-input-file --statistics 2>&1 >/dev/null | FileCheck %s --check-prefix=COUNT

// COUNT: 2 merged: Kernels that were erased

// Names and locations make no difference; an attribute, the grid and the body do.

// CHECK-LABEL: func.func @chain
// CHECK:       tile.launch @k0 ins(%{{.*}}) outs(%[[A:[^ ]*]] :
// CHECK-NEXT:  tile.launch @k0 ins(%[[A]] : {{.*}}) outs(%[[B:[^ ]*]] :
// CHECK-NEXT:  tile.launch @grid
// CHECK-NEXT:  tile.launch @warps
// CHECK-NEXT:  tile.launch @body
// CHECK-NEXT:  tile.launch @k0
func.func @chain(%x: !tile.view<64xf32>, %a: !tile.view<64xf32>, %b: !tile.view<64xf32>) {
  tile.launch @k0 ins(%x : !tile.view<64xf32>) outs(%a : !tile.view<64xf32>)
  tile.launch @k1 ins(%a : !tile.view<64xf32>) outs(%b : !tile.view<64xf32>)
  tile.launch @grid ins(%x : !tile.view<64xf32>) outs(%a : !tile.view<64xf32>)
  tile.launch @warps ins(%x : !tile.view<64xf32>) outs(%a : !tile.view<64xf32>)
  tile.launch @body ins(%x : !tile.view<64xf32>) outs(%a : !tile.view<64xf32>)
  tile.launch @k2 ins(%x : !tile.view<64xf32>) outs(%a : !tile.view<64xf32>)
  return
}

// CHECK:     tile.func @k0
// CHECK-NOT: tile.func @k1
// CHECK-NOT: tile.func @k2
// CHECK:     tile.func @grid
// CHECK:     tile.func @warps
// CHECK:     tile.func @body
tile.func @k0(%x: !tile.view<64xf32>, %y: !tile.view<64xf32>) grid [1] warps 1 {
  %c0 = arith.constant 0 : index
  %a = tile.load %x[%c0] : !tile.view<64xf32> -> tensor<64xf32>
  %b = arith.addf %a, %a : tensor<64xf32>
  tile.store %b, %y[%c0] : tensor<64xf32>, !tile.view<64xf32>
  tile.return
}
tile.func @k1(%in: !tile.view<64xf32>, %out: !tile.view<64xf32>) grid [1] warps 1 {
  %zero = arith.constant 0 : index
  %v = tile.load %in[%zero] : !tile.view<64xf32> -> tensor<64xf32>
  %w = arith.addf %v, %v : tensor<64xf32>
  tile.store %w, %out[%zero] : tensor<64xf32>, !tile.view<64xf32>
  tile.return
}
tile.func @grid(%x: !tile.view<64xf32>, %y: !tile.view<64xf32>) grid [2] warps 1 {
  %c0 = arith.constant 0 : index
  %a = tile.load %x[%c0] : !tile.view<64xf32> -> tensor<64xf32>
  %b = arith.addf %a, %a : tensor<64xf32>
  tile.store %b, %y[%c0] : tensor<64xf32>, !tile.view<64xf32>
  tile.return
}
tile.func @warps(%x: !tile.view<64xf32>, %y: !tile.view<64xf32>) grid [1] warps 2 {
  %c0 = arith.constant 0 : index
  %a = tile.load %x[%c0] : !tile.view<64xf32> -> tensor<64xf32>
  %b = arith.addf %a, %a : tensor<64xf32>
  tile.store %b, %y[%c0] : tensor<64xf32>, !tile.view<64xf32>
  tile.return
}
tile.func @body(%x: !tile.view<64xf32>, %y: !tile.view<64xf32>) grid [1] warps 1 {
  %c0 = arith.constant 0 : index
  %a = tile.load %x[%c0] : !tile.view<64xf32> -> tensor<64xf32>
  %b = arith.mulf %a, %a : tensor<64xf32>
  tile.store %b, %y[%c0] : tensor<64xf32>, !tile.view<64xf32>
  tile.return
}
tile.func @k2(%x: !tile.view<64xf32>, %y: !tile.view<64xf32>) grid [1] warps 1 {
  %c0 = arith.constant 0 : index
  %a = tile.load %x[%c0] : !tile.view<64xf32> -> tensor<64xf32>
  %b = arith.addf %a, %a : tensor<64xf32>
  tile.store %b, %y[%c0] : tensor<64xf32>, !tile.view<64xf32>
  tile.return
}
