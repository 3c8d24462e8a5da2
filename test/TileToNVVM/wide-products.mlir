// RUN: %fuse-compile %s --emit=ptx -o %t.ptx
// RUN: %python %S/emulator/check.py wide-products %t.ptx
// RUN: FileCheck %s --input-file=%t.ptx
// RUN: fuse-opt %s --tile-expand-math | FileCheck %s --check-prefix=EXPANDED

// High halves of products, as counter-based random numbers need them.
// CHECK-DAG: mul.hi.u32
// CHECK-DAG: mul.hi.s32
// EXPANDED-NOT: extended

func.func @main(%a0: !tile.view<2x64xi32>, %a1: !tile.view<2x64xi64>, %a2: !tile.view<2x64xi32>, %a3: !tile.view<2x64xi64>)
    attributes {tile.entry, tile.num_inputs = 2 : i64} {
  tile.launch @wide ins(%a0, %a1 : !tile.view<2x64xi32>, !tile.view<2x64xi64>)
                    outs(%a2, %a3 : !tile.view<2x64xi32>, !tile.view<2x64xi64>)
  return
}
tile.func @wide(%a: !tile.view<2x64xi32>, %b: !tile.view<2x64xi64>, %c: !tile.view<2x64xi32>, %d: !tile.view<2x64xi64>) grid [1] warps 1 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %x = tile.load %a[%c0, %c0] : !tile.view<2x64xi32> -> tensor<1x64xi32>
  %y = tile.load %a[%c1, %c0] : !tile.view<2x64xi32> -> tensor<1x64xi32>
  %u:2 = arith.mului_extended %x, %y : tensor<1x64xi32>
  %s:2 = arith.mulsi_extended %x, %y : tensor<1x64xi32>
  tile.store %u#1, %c[%c0, %c0] : tensor<1x64xi32>, !tile.view<2x64xi32>
  tile.store %s#1, %c[%c1, %c0] : tensor<1x64xi32>, !tile.view<2x64xi32>
  %v = tile.load %b[%c0, %c0] : !tile.view<2x64xi64> -> tensor<1x64xi64>
  %w = tile.load %b[%c1, %c0] : !tile.view<2x64xi64> -> tensor<1x64xi64>
  %p:2 = arith.mului_extended %v, %w : tensor<1x64xi64>
  %q:2 = arith.mulsi_extended %v, %w : tensor<1x64xi64>
  %sum, %carry = arith.addui_extended %v, %w : tensor<1x64xi64>, tensor<1x64xi1>
  %one = arith.extui %carry : tensor<1x64xi1> to tensor<1x64xi64>
  %t = arith.addi %q#1, %one : tensor<1x64xi64>
  tile.store %p#1, %d[%c0, %c0] : tensor<1x64xi64>, !tile.view<2x64xi64>
  tile.store %t, %d[%c1, %c0] : tensor<1x64xi64>, !tile.view<2x64xi64>
  tile.return
}
