// RUN: %fuse-compile %s --emit=ptx -o %t.ptx
// RUN: %python %S/../TileToNVVM/emulator/check.py diagnostics %t.ptx
// RUN: %if ptxas %{ ptxas -arch=sm_90a %t.ptx -o %t.cubin %}

// Three elements in a block of four: the fourth is neither printed nor asserted.
// run.py runs this file on a device.

tile.func @k(%x: !tile.view<3xi32>, %y: !tile.view<3xi32>) grid [2] warps 1 {
  %c0 = arith.constant 0 : index
  %v = tile.load %x[%c0] : !tile.view<3xi32> -> tensor<3xi32>
  tile.debug_print "v = ", %v : tensor<3xi32>
  %h = arith.constant 2.5 : f32
  tile.debug_print "100%: ", %h : f32
  %three = arith.constant dense<3> : tensor<3xi32>
  %ok = arith.cmpi slt, %v, %three : tensor<3xi32>
  tile.assert %ok, "all below 3" : tensor<3xi1>
  tile.store %v, %y[%c0] : tensor<3xi32>, !tile.view<3xi32>
  tile.return
}
func.func @main(%x: !tile.view<3xi32>, %y: !tile.view<3xi32>) attributes {tile.entry, tile.num_inputs = 1 : i64} {
  tile.launch @k ins(%x : !tile.view<3xi32>) outs(%y : !tile.view<3xi32>)
  return
}
