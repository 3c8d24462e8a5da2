// Stopping after a phase, going on from its text, and a dump of every phase give
// the same as one run.

// RUN: fuse-opt %s --fuse-to-ptx=stop-after=tile -o %t.tile.mlir
// RUN: fuse-opt %t.tile.mlir --fuse-to-ptx="start-at=plan stop-after=plan" -o %t.resumed.mlir
// RUN: fuse-opt %s --fuse-to-ptx=stop-after=plan -o %t.whole.mlir
// RUN: diff %t.resumed.mlir %t.whole.mlir
// RUN: FileCheck %s --input-file=%t.tile.mlir
// CHECK: fuse.target = #fuse.target<arch = "sm_90a"
// CHECK-DAG: tile.launch @[[KERNEL:.*]] ins
// CHECK-DAG: tile.func @[[KERNEL]](

// RUN: rm -rf %t.dump && mkdir %t.dump
// RUN: fuse-opt %s --fuse-to-cpu="stop-after=plan dump=%t.dump" -o /dev/null
// RUN: cat %t.dump/*-simplify.mlir | FileCheck %s --check-prefix=SIMPLIFIED
// RUN: cat %t.dump/*-kernels.mlir | FileCheck %s --check-prefix=FORMED
// SIMPLIFIED: fuse.target = #fuse.target<arch = "cpu"
// SIMPLIFIED-NOT: fuse.kernel
// FORMED: fuse.kernel

func.func @f(%x: tensor<4x6xf32>) -> tensor<4x6xf32> {
  %0 = fuse.tanh %x : tensor<4x6xf32>
  %1 = fuse.add %0, %x : (tensor<4x6xf32>, tensor<4x6xf32>) -> tensor<4x6xf32>
  return %1 : tensor<4x6xf32>
}
