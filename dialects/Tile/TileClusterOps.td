//===- TileClusterOps.td - ops of neighbouring blocks ------*- tablegen -*-===//
//
// Second-level ops of kernels whose thread blocks run in clusters
// (`tile.cluster` of tile.func).
//
//===----------------------------------------------------------------------===//

#ifndef TILEFUSE_DIALECTS_TILE_TILECLUSTEROPS
#define TILEFUSE_DIALECTS_TILE_TILECLUSTEROPS

include "dialects/Tile/TileTypes.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def JoinPairOp : Op<Tile_Dialect, "join_pair"> {
  let summary = "Interleaves a block with that of the other block of the cluster";
  let description = [{
    Along `dim`, even elements of the result are those of the cluster's first
    thread block, odd ones those of its second. The result's encoding has a bit
    for the thread block: each of the two keeps half of the result. Both must come
    here equally often; values meet in `scratch`, whose contents are lost, and
    which both must have done with before they come.

    ```mlir
    %j = tile.join_pair %v, %s dim 1
        : tensor<64x16xf32, #l>, !tile.shared<64x20xf32, #s> -> tensor<64x32xf32, #m>
    ```
  }];
  let arguments = (ins
    Tile_BlockTensor:$value,                                // 32-bit elements
    Arg<Tile_SharedType, "exchange", [MemRead, MemWrite]>:$scratch, // any bytes
    Arg<Tile_SharedType, "counters", [MemRead, MemWrite]>:$barriers, // see above
    I64Attr:$dim);                                          // what interleaves
  let results = (outs Tile_BlockTensor:$result); // twice as long along dim
  let assemblyFormat = [{
    $value `,` $scratch `barriers` $barriers `dim` $dim attr-dict
    `:` type($value) `,` type($scratch) `,` type($barriers) `->` type($result)
  }];
  let hasVerifier = 1;
}

#endif // TILEFUSE_DIALECTS_TILE_TILECLUSTEROPS
