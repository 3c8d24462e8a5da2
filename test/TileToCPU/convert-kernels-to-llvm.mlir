// RUN: fuse-opt %s --convert-kernels-to-llvm --reconcile-unrealized-casts | FileCheck %s

// CHECK: llvm.func @k(%[[ARGS:.*]]: !llvm.ptr, %[[ID:.*]]: i64, %{{.*}}: i64, %{{.*}}: i64)
// CHECK: %[[SLOT:.*]] = llvm.getelementptr %[[ARGS]][0]
// CHECK: %[[X:.*]] = llvm.load %[[SLOT]] : !llvm.ptr -> !llvm.ptr
// CHECK: llvm.load %{{.*}} : !llvm.ptr -> f32
// CHECK: llvm.return
func.func @k(%x: memref<8xf32>, %y: memref<8xf32>, %i: index, %j: index, %k: index)
    attributes {tile.lowered} {
  %v = memref.load %x[%i] : memref<8xf32>
  memref.store %v, %y[%i] : memref<8xf32>
  return
}

// The host program stays as it is.
// CHECK: func.func @f(%{{.*}}: !tile.view<8xf32>, %{{.*}}: !tile.view<8xf32>)
// CHECK: tile.launch @k
func.func @f(%x: !tile.view<8xf32>, %y: !tile.view<8xf32>)
    attributes {tile.entry, tile.num_inputs = 1 : i64} {
  tile.launch @k ins(%x : !tile.view<8xf32>) outs(%y : !tile.view<8xf32>)
  return
}
