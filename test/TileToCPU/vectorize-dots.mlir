// RUN: fuse-opt %s --tile-vectorize-dots=vector-bits=256 | FileCheck %s

#a = affine_map<(i, j, k) -> (i, k)>
#b = affine_map<(i, j, k) -> (k, j)>
#c = affine_map<(i, j, k) -> (i, j)>

// 4 x 2 vectors of 8; K of 128 in chunks of 64.
// CHECK-LABEL: func.func @matmul
func.func @matmul(%a: memref<64x128xf32>, %b: memref<128x64xf32>, %c: memref<64x64xf32>) {
  // CHECK: scf.for %[[J:.*]] = %{{.*}} to %{{.*}} step %c16
  // CHECK: scf.for %[[I:.*]] = %{{.*}} to %{{.*}} step %c4
  // CHECK: scf.for %{{.*}} step %c64
  // CHECK: %{{.*}}:8 = scf.for
  // CHECK-COUNT-8: vector.fma
  // CHECK: scf.yield
  // CHECK-COUNT-8: vector.store
  // CHECK-NOT: linalg.generic
  linalg.generic {indexing_maps = [#a, #b, #c],
                  iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : memref<64x128xf32>, memref<128x64xf32>)
      outs(%c : memref<64x64xf32>) attrs = {tile.dot} {
  ^bb0(%x: f32, %y: f32, %z: f32):
    %0 = math.fma %x, %y, %z : f32
    linalg.yield %0 : f32
  }
  return
}

// What is left over at the end of a row is masked.
// CHECK-LABEL: func.func @ragged
func.func @ragged(%a: memref<4x4xf32>, %b: memref<4x19xf32>, %c: memref<4x19xf32>) {
  // CHECK: vector.store
  // CHECK: vector.constant_mask [3] : vector<8xi1>
  // CHECK: vector.maskedstore
  linalg.generic {indexing_maps = [#a, #b, #c],
                  iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : memref<4x4xf32>, memref<4x19xf32>)
      outs(%c : memref<4x19xf32>) attrs = {tile.dot} {
  ^bb0(%x: f32, %y: f32, %z: f32):
    %0 = math.fma %x, %y, %z : f32
    linalg.yield %0 : f32
  }
  return
}

// Without contiguous rows the loops stay plain.
// CHECK-LABEL: func.func @strided
func.func @strided(%a: memref<4x4xf32>, %b: memref<4x8xf32, strided<[16, 2]>>,
                   %c: memref<4x8xf32>) {
  // CHECK: linalg.generic
  // CHECK-NOT: tile.dot
  linalg.generic {indexing_maps = [#a, #b, #c],
                  iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : memref<4x4xf32>, memref<4x8xf32, strided<[16, 2]>>)
      outs(%c : memref<4x8xf32>) attrs = {tile.dot} {
  ^bb0(%x: f32, %y: f32, %z: f32):
    %0 = math.fma %x, %y, %z : f32
    linalg.yield %0 : f32
  }
  return
}

// Two taps of one sum share their loops; the copy between them does no harm.
// CHECK-LABEL: func.func @taps
func.func @taps(%a: memref<4x8xf32>, %b: memref<8x16xf32>, %c: memref<4x16xf32>) {
  %t = memref.alloc() : memref<8x16xf32>
  // CHECK: linalg.copy
  // CHECK: scf.for
  // CHECK-NOT: vector.store
  // CHECK: scf.for
  // CHECK: vector.store
  // CHECK-NOT: scf.for
  // CHECK: return
  linalg.generic {indexing_maps = [#a, #b, #c],
                  iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : memref<4x8xf32>, memref<8x16xf32>)
      outs(%c : memref<4x16xf32>) attrs = {tile.dot} {
  ^bb0(%x: f32, %y: f32, %z: f32):
    %0 = math.fma %x, %y, %z : f32
    linalg.yield %0 : f32
  }
  linalg.copy ins(%b : memref<8x16xf32>) outs(%t : memref<8x16xf32>)
  linalg.generic {indexing_maps = [#a, #b, #c],
                  iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %t : memref<4x8xf32>, memref<8x16xf32>)
      outs(%c : memref<4x16xf32>) attrs = {tile.dot} {
  ^bb0(%x: f32, %y: f32, %z: f32):
    %0 = math.fma %x, %y, %z : f32
    linalg.yield %0 : f32
  }
  return
}
