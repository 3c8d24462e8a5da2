// The lines that docs/architecture.md shows.

// RUN: rm -rf %t && mkdir %t
// RUN: fuse-opt %root/docs/pooled.mlir --fuse-to-ptx=dump=%t -o /dev/null
// RUN: cat %t/*-simplify.mlir | FileCheck %s --check-prefix=SIMPLIFY
// RUN: cat %t/*-schedules.mlir | FileCheck %s --check-prefix=KERNEL
// RUN: cat %t/*-tile.mlir | FileCheck %s --check-prefix=TILE
// RUN: cat %t/*-layouts.mlir | FileCheck %s --check-prefix=LAYOUTS
// RUN: cat %t/*-lower.mlir | FileCheck %s --check-prefix=LOWER

// SIMPLIFY: fuse.conv2d
// SIMPLIFY: fuse.window_reduce max {{.*}} window [2, 2] stride [2, 2] : tensor<2x32x32x64xf32> -> tensor<2x32x16x32xf32>
// SIMPLIFY: fuse.add {{.*}} : (tensor<2x32x16x32xf32>, tensor<32x1x1xf32>)
// SIMPLIFY: fuse.relu {{.*}} : tensor<2x32x16x32xf32>

// KERNEL: fuse.kernel @pooled_k0 {{.*}} -> tensor<2x32x16x32xf32> schedule(#fuse.schedule<block = [{{.*}}, 8, 3, 3], warps = [[#]], stages = 2, cluster = 1, mma = mma_sync, splits = 1>)
// KERNEL: fuse.conv2d {{.*}} {fuse.anchor}
// KERNEL: fuse.window_reduce max
// KERNEL: fuse.yield

// TILE: tile.launch @pooled_k0 ins({{.*}}) outs({{.*}}) {bytes = 284032 : i64}
// TILE: tile.func @pooled_k0({{.*}}) grid {{.*}} warps
// TILE: tile.load {{.*}} : <2x8x34x66xf32> -> tensor<1x8x
// TILE: tile.window {{.*}} [0, 0, 0, 1] strides [1, 1, 1, 1]
// TILE: tile.dot {{.*}} {mma = #tile<mma mma_sync>, precision = #tile<precision tf32>}
// TILE: tile.reduce({{.*}}) dims [3, 5]
// TILE: tile.store {{.*}}, <2x32x16x32xf32>

// LAYOUTS: #tile.shared_layout<[[[STRIDES:.*]], 1]>
// LAYOUTS: #tile.shared_layout<[[[STRIDES]], 1], offset = 1>

// LOWER: llvm.func @pooled_k0(%arg0: !llvm.ptr<1>, {{.*}}nvvm.kernel, nvvm.reqntid = array<i32: {{.*}}>, tile.grid = array<i64: {{.*}}>
