// RUN: fuse-opt %s --verify-roundtrip | FileCheck %s

tile.func @k(%x: !tile.view<8x8xf32>, %y: !tile.view<64xf32>) grid [4] warps 4 {
  tile.return
}

// CHECK-LABEL: func.func @f
func.func @f(%x: !tile.view<128xf32>, %y: !tile.view<64xf32>)
    attributes {tile.entry, tile.num_inputs = 1 : i64} {
  // CHECK: tile.view_cast %{{.*}} offset 64 : <128xf32> -> <8x8xf32>
  %a = tile.view_cast %x offset 64 : !tile.view<128xf32> -> !tile.view<8x8xf32>
  // CHECK: tile.alloc at 512 : <64xf32>
  %b = tile.alloc at 512 : !tile.view<64xf32>
  // CHECK: tile.constant dense<1.000000e+00> : tensor<8x8xf32> : <8x8xf32>
  %c = tile.constant dense<1.0> : tensor<8x8xf32> : !tile.view<8x8xf32>
  // CHECK: tile.launch @k ins(%{{.*}} : !tile.view<8x8xf32>) outs(%{{.*}} : !tile.view<64xf32>)
  tile.launch @k ins(%a : !tile.view<8x8xf32>) outs(%b : !tile.view<64xf32>)
  // CHECK: tile.launch @k {{.*}} finish {bytes = 512 : i64}
  tile.launch @k ins(%c : !tile.view<8x8xf32>) outs(%y : !tile.view<64xf32>)
      finish {bytes = 512}
  return
}
