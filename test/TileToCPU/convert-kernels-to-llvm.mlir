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

// bf16 is bits in memory, a shift when it is widened, integers when narrowed.
// CHECK-LABEL: llvm.func @narrow(
// CHECK:         %[[BITS:.*]] = llvm.load %{{.*}} : !llvm.ptr -> i16
// CHECK-NOT:     fpext
// CHECK:         llvm.shl
// CHECK:         llvm.fadd
// CHECK-NOT:     fptrunc
// CHECK:         llvm.store %{{.*}}, %{{.*}} : i16, !llvm.ptr
func.func @narrow(%x: memref<8xbf16>, %i: index, %j: index, %k: index)
    attributes {tile.lowered} {
  %v = memref.load %x[%i] : memref<8xbf16>
  %wide = arith.extf %v : bf16 to f32
  %sum = arith.addf %wide, %wide : f32
  %y = arith.truncf %sum : f32 to bf16
  memref.store %y, %x[%i] : memref<8xbf16>
  return
}
