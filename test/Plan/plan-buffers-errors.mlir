// RUN: fuse-opt %s --tile-plan-buffers --verify-diagnostics --split-input-file

tile.func @copy(%x: !tile.view<64xf32>, %y: !tile.view<64xf32>) grid [1] warps 1 {
  tile.return
}
func.func @early(%y: !tile.view<64xf32>) attributes {tile.entry, tile.num_inputs = 0 : i64} {
  // expected-note @below {{the buffer is here}}
  %0 = tile.alloc : !tile.view<64xf32>
  // expected-error @below {{reads a buffer that no launch before it wrote}}
  tile.launch @copy ins(%0 : !tile.view<64xf32>) outs(%y : !tile.view<64xf32>)
  return
}

// -----

func.func @foreign(%x: !tile.view<64xf32>) attributes {tile.entry, tile.num_inputs = 1 : i64} {
  // expected-error @below {{is no part of a host program}}
  %0 = arith.constant 1.0 : f32
  return
}

// -----

func.func @no_entry() {
  // expected-error @below {{is in a function without 'tile.entry'}}
  %0 = tile.alloc : !tile.view<64xf32>
  return
}

// -----

func.func @returns(%x: !tile.view<64xf32>) -> !tile.view<64xf32> attributes {tile.entry, tile.num_inputs = 1 : i64} {
  // expected-error @below {{of a host program has no operands: results are arguments}}
  return %x : !tile.view<64xf32>
}

// -----

// expected-error @below {{is an entry of 2 blocks; a host program is one straight line}}
func.func @blocks(%x: !tile.view<64xf32>) attributes {tile.entry, tile.num_inputs = 1 : i64} {
  cf.br ^next
^next:
  return
}
