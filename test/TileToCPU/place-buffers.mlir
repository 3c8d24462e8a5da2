// RUN: fuse-opt %s --tile-place-buffers | FileCheck %s

// CHECK-LABEL: func.func @k
func.func @k(%x: memref<4096xf32>, %n: index) attributes {tile.lowered} {
  // CHECK: memref.alloca() {alignment = 64 : i64} : memref<16xf32>
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // CHECK: %[[BIG:.*]] = memref.alloc() {alignment = 64 : i64} : memref<4096xf32>
  // CHECK-NEXT: scf.for
  scf.for %i = %c0 to %n step %c1 {
    %big = memref.alloc() : memref<4096xf32>
    %small = memref.alloc() : memref<16xf32>
    %part = memref.subview %big[16] [16] [1]
        : memref<4096xf32> to memref<16xf32, strided<[1], offset: 16>>
    // CHECK-NOT: memref.copy
    // CHECK: linalg.generic
    memref.copy %part, %small
        : memref<16xf32, strided<[1], offset: 16>> to memref<16xf32>
    %v = memref.load %small[%c0] : memref<16xf32>
    memref.store %v, %x[%i] : memref<4096xf32>
  }
  // CHECK: memref.dealloc %[[BIG]]
  return
}

// Other functions are left alone.
// CHECK-LABEL: func.func @host
func.func @host() -> memref<4xf32> {
  // CHECK-NEXT: memref.alloc() : memref<4xf32>
  %0 = memref.alloc() : memref<4xf32>
  return %0 : memref<4xf32>
}
