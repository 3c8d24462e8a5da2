// RUN: %fuse-opt %s --convert-tile-to-nvvm --split-input-file | FileCheck %s

// Four neighbouring registers are one 16-byte access; the last block is ragged,
// so it is predicated, as a whole since 2000 is a multiple of 4.

#l = #tile.distributed<[[512]], register = [[1], [2]], lane = [[4], [8], [16], [32], [64]], warp = [[128], [256]]>

// CHECK-LABEL: llvm.func @ragged(
// CHECK-SAME:    !llvm.ptr<1>, %{{.*}}: !llvm.ptr<1>)
// CHECK-SAME:    nvvm.kernel
// CHECK-SAME:    nvvm.reqntid = array<i32: 128>
// CHECK-SAME:    tile.grid = array<i64: 4>
// CHECK-SAME:    tile.shared_bytes = 0
// CHECK-SAME:    tile.warps = 4
// CHECK:         nvvm.read.ptx.sreg.tid.x range <i32, 0, 128>
// CHECK:         nvvm.read.ptx.sreg.ctaid.x range <i32, 0, 4>
// CHECK:         llvm.icmp "ult"
// CHECK:         llvm.inline_asm {{.*}}"@$5 ld.global.v4.b32 {$0, $1, $2, $3}, [$4];"
// CHECK-COUNT-4: llvm.fadd
// CHECK:         llvm.inline_asm {{.*}}"@$5 st.global.v4.b32 [$4], {$0, $1, $2, $3};"
// CHECK-NOT:     tile.func
tile.func @ragged(%x: !tile.view<2000xf32>, %y: !tile.view<2000xf32>) grid [4] warps 4 {
  %pid = tile.program_id 0
  %c512 = arith.constant 512 : index
  %o = arith.muli %pid, %c512 : index
  %a = tile.load %x[%o] : !tile.view<2000xf32> -> tensor<512xf32, #l>
  %b = arith.addf %a, %a : tensor<512xf32, #l>
  tile.store %b, %y[%o] : tensor<512xf32, #l>, !tile.view<2000xf32>
  tile.return
}

// -----

// The blocks cover the view exactly: no predicate.

#l = #tile.distributed<[[512]], register = [[1], [2]], lane = [[4], [8], [16], [32], [64]], warp = [[128], [256]]>

// CHECK-LABEL: llvm.func @exact
// CHECK-NOT:   icmp
// CHECK:       llvm.load {{.*}} {alignment = 16 : i64} : !llvm.ptr<1> -> vector<4xf32>
// CHECK:       llvm.store {{.*}} {alignment = 16 : i64} : vector<4xf32>, !llvm.ptr<1>
tile.func @exact(%x: !tile.view<2048xf32>, %y: !tile.view<2048xf32>) grid [4] warps 4 {
  %pid = tile.program_id 0
  %c512 = arith.constant 512 : index
  %o = arith.muli %pid, %c512 : index
  %a = tile.load %x[%o] : !tile.view<2048xf32> -> tensor<512xf32, #l>
  tile.store %a, %y[%o] : tensor<512xf32, #l>, !tile.view<2048xf32>
  tile.return
}

// -----

// Rows of 127 floats are misaligned and a halo starts at -1: one element at a
// time, filled with one.

#l = #tile.distributed<[[4], [32]], register = [[0, 1]], lane = [[0, 2], [0, 4], [0, 8], [0, 16], [1, 0]], warp = [[2, 0]]>

// CHECK-LABEL: llvm.func @halo
// CHECK:       llvm.mlir.constant(1.000000e+00 : f32)
// CHECK-COUNT-2: llvm.inline_asm {{.*}}ld.global.b32
tile.func @halo(%x: !tile.view<64x127xf32>, %y: !tile.view<4x32xf32>) grid [1] warps 2 {
  %c0 = arith.constant 0 : index
  %m1 = arith.constant -1 : index
  %one = arith.constant 1.0 : f32
  %a = tile.load %x[%m1, %m1] fill %one : f32 : !tile.view<64x127xf32> -> tensor<4x32xf32, #l>
  tile.store %a, %y[%c0, %c0] : tensor<4x32xf32, #l>, !tile.view<4x32xf32>
  tile.return
}

// -----

// A view that the host starts in the middle of another is aligned to what its
// offset allows.

#l = #tile.distributed<[[128]], register = [[1], [2]], lane = [[4], [8], [16], [32], [64]]>

// CHECK-LABEL: llvm.func @shifted
// CHECK-COUNT-2: llvm.load {{.*}} {alignment = 8 : i64} : !llvm.ptr<1> -> vector<2xf32>
tile.func @shifted(%x: !tile.view<128xf32>, %y: !tile.view<128xf32>) grid [1] warps 1 {
  %c0 = arith.constant 0 : index
  %a = tile.load %x[%c0] : !tile.view<128xf32> -> tensor<128xf32, #l>
  tile.store %a, %y[%c0] : tensor<128xf32, #l>, !tile.view<128xf32>
  tile.return
}
func.func @main(%x: !tile.view<130xf32>, %y: !tile.view<128xf32>) attributes {tile.entry} {
  %s = tile.view_cast %x offset 2 : !tile.view<130xf32> -> !tile.view<128xf32>
  tile.launch @shifted ins(%s : !tile.view<128xf32>) outs(%y : !tile.view<128xf32>)
  return
}

// -----

// A loop carries one scalar a register.

#l = #tile.distributed<[[64]], register = [[1]], lane = [[2], [4], [8], [16], [32]]>

// CHECK-LABEL: llvm.func @loop
// CHECK:       llvm.br ^[[HEAD:.*]]({{.*}} : i64, f32, f32)
// CHECK:       llvm.cond_br
tile.func @loop(%y: !tile.view<64xf32>) grid [1] warps 1 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c10 = arith.constant 10 : index
  %zero = arith.constant dense<0.0> : tensor<64xf32, #l>
  %s = scf.for %i = %c0 to %c10 step %c1 iter_args(%acc = %zero) -> (tensor<64xf32, #l>) {
    %n = arith.negf %acc : tensor<64xf32, #l>
    scf.yield %n : tensor<64xf32, #l>
  }
  tile.store %s, %y[%c0] : tensor<64xf32, #l>, !tile.view<64xf32>
  tile.return
}

// -----

// Shared memory holds three instances of the first: ptxas, which keeps registers for
// five, is told so. It chooses for the second, of which nine fit, and for the wide third.

// CHECK-LABEL: llvm.func @three_instances
// CHECK-SAME:    nvvm.minctasm = 3
// CHECK-LABEL: llvm.func @nine_instances
// CHECK-NOT:     nvvm.minctasm
// CHECK-LABEL: llvm.func @wide
// CHECK-NOT:     nvvm.minctasm
tile.func @three_instances() grid [1] warps 4 attributes {tile.shared_bytes = 75008 : i64} {
  tile.return
}
tile.func @nine_instances() grid [1] warps 4 attributes {tile.shared_bytes = 24576 : i64} {
  tile.return
}
tile.func @wide() grid [1] warps 8 attributes {tile.shared_bytes = 75008 : i64} {
  tile.return
}

// -----

// Bytes of a ragged block are read where that is allowed in any case: a load under
// a condition waits for the one before.

#l = #tile.distributed<[[256]], register = [[128]], lane = [[1], [2], [4], [8], [16]], warp = [[32], [64]]>

// CHECK-LABEL: llvm.func @masked_bytes(
// CHECK-NOT:     ld.global.b8
// CHECK:         %[[SAFE:.*]] = llvm.select %{{.*}}, %{{.*}}, %{{.*}} : i1, !llvm.ptr<1>
// CHECK-COUNT-2: llvm.load %{{.*}} {alignment = 1 : i64} : !llvm.ptr<1> -> i8
// CHECK-NOT:     llvm.load
// CHECK:         llvm.icmp "ne"
tile.func @masked_bytes(%x: !tile.view<4x1000xi1>, %y: !tile.view<4x1000xf32>) grid [4] warps 4 {
  %pid = tile.program_id 0
  %c0 = arith.constant 0 : index
  %c256 = arith.constant 256 : index
  %o = arith.muli %pid, %c256 : index
  %v = tile.load %x[%c0, %o] : !tile.view<4x1000xi1> -> tensor<1x256xi1, #tile.distributed<[[], [256]], register = [[0, 128]], lane = [[0, 1], [0, 2], [0, 4], [0, 8], [0, 16]], warp = [[0, 32], [0, 64]]>>
  %f = arith.uitofp %v : tensor<1x256xi1, #tile.distributed<[[], [256]], register = [[0, 128]], lane = [[0, 1], [0, 2], [0, 4], [0, 8], [0, 16]], warp = [[0, 32], [0, 64]]>> to tensor<1x256xf32, #tile.distributed<[[], [256]], register = [[0, 128]], lane = [[0, 1], [0, 2], [0, 4], [0, 8], [0, 16]], warp = [[0, 32], [0, 64]]>>
  tile.store %f, %y[%c0, %o] : tensor<1x256xf32, #tile.distributed<[[], [256]], register = [[0, 128]], lane = [[0, 1], [0, 2], [0, 4], [0, 8], [0, 16]], warp = [[0, 32], [0, 64]]>>, !tile.view<4x1000xf32>
  tile.return
}

// -----

// What a branch loads ahead is read behind it, through a copy that nothing is moved
// past.

#a = #tile.distributed<[[128]], lane = [[1], [2], [4], [8], [16]], warp = [[32], [64]]>

// CHECK-LABEL: llvm.func @ahead(
// CHECK:         llvm.cond_br
// CHECK:         llvm.br ^[[AFTER:.*]](%{{.*}}, %{{.*}} : i32, f32)
// CHECK:         llvm.inline_asm "mov.b32 $0, $1;", "=r,r"
// CHECK:         llvm.trunc %{{.*}} : i32 to i8
// CHECK:         llvm.icmp "ne"
// CHECK:         llvm.inline_asm "mov.b32 $0, $1;", "=f,f"
tile.func @ahead(%x: !tile.view<128xi1>, %y: !tile.view<128xf32>, %z: !tile.view<128xf32>) grid [2] warps 4 {
  %pid = tile.program_id 0
  %c0 = arith.constant 0 : index
  %first = arith.cmpi eq, %pid, %c0 : index
  %r:2 = scf.if %first -> (tensor<128xi1, #a>, tensor<128xf32, #a>) {
    %m = tile.load %x[%c0] : !tile.view<128xi1> -> tensor<128xi1, #a>
    %v = tile.load %y[%c0] : !tile.view<128xf32> -> tensor<128xf32, #a>
    scf.yield %m, %v : tensor<128xi1, #a>, tensor<128xf32, #a>
  } else {
    %no = arith.constant dense<false> : tensor<128xi1, #a>
    %zero = arith.constant dense<0.0> : tensor<128xf32, #a>
    scf.yield %no, %zero : tensor<128xi1, #a>, tensor<128xf32, #a>
  } {tile.loads_ahead}
  %w = arith.addf %r#1, %r#1 : tensor<128xf32, #a>
  %s = arith.select %r#0, %w, %r#1 : tensor<128xi1, #a>, tensor<128xf32, #a>
  tile.store %s, %z[%c0] : tensor<128xf32, #a>, !tile.view<128xf32>
  tile.return
}
