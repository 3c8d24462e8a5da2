// RUN: fuse-opt %s --tile-expand-math --tile-to-cpu | FileCheck %s

// CHECK: llvm.func @k(%{{.*}}: !llvm.ptr, %{{.*}}: i64, %{{.*}}: i64, %{{.*}}: i64)
// CHECK-NOT: builtin.unrealized_conversion_cast
// CHECK-NOT: llvm.call @{{.*}}tanh
// CHECK: llvm.intr.fma
// CHECK: llvm.return
tile.func @k(%x: !tile.view<100x64xf32>, %y: !tile.view<100x64xf32>) grid [7] warps 4 {
  %i = tile.program_id 0
  %c0 = arith.constant 0 : index
  %v = tile.load %x[%i, %c0] : !tile.view<100x64xf32> -> tensor<16x64xf32>
  %t = math.tanh %v : tensor<16x64xf32>
  tile.store %t, %y[%i, %c0] : tensor<16x64xf32>, !tile.view<100x64xf32>
  tile.return
}

// CHECK: func.func @f
// CHECK: tile.launch @k
func.func @f(%x: !tile.view<100x64xf32>, %y: !tile.view<100x64xf32>)
    attributes {tile.entry, tile.num_inputs = 1 : i64} {
  tile.launch @k ins(%x : !tile.view<100x64xf32>) outs(%y : !tile.view<100x64xf32>)
  return
}
