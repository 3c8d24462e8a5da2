//===- TileSharedOps.td - second-level ops of tile ---------*- tablegen -*-===//
//
// Included at the end of TileOps.td. Legal only after tile-assign-layouts: block
// tensors carry a #tile.distributed encoding, shared tiles and barriers are
// explicit, and nothing below needs scratch memory that is not in the IR.
//
//===----------------------------------------------------------------------===//

#ifndef TILEFUSE_DIALECTS_TILE_TILESHAREDOPS
#define TILEFUSE_DIALECTS_TILE_TILESHAREDOPS

include "dialects/Tile/TileLayoutAttrs.td"
include "dialects/Tile/TileTypes.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def AllocSharedOp : Tile_Op<"alloc_shared", [MemoryEffects<[MemAlloc]>]> {
  let summary = "A tile in shared memory";
  let description = [{
    Not initialised. `tile-allocate-shared` gives it a byte offset; tiles that
    are not live together may share bytes.

    ```mlir
    %s = tile.alloc_shared at 4096 : !tile.shared<8x10x34xf32, #tile.shared_layout<[360, 34, 1]>>
    ```
  }];
  let arguments = (ins
    Arg<OptionalAttr<I64Attr>, "byte offset in the block's shared memory">:$offset);
  let results = (outs Res<Tile_SharedType, "the tile, of any layout">:$result);
  let assemblyFormat = "(`at` $offset^)? attr-dict `:` type($result)";
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// Bytes from the tile's start to the end of its last element.
    int64_t getBytes();
  }];
}

def CopyToSharedOp : Tile_Op<"copy_to_shared"> {
  let summary = "Stores a distributed block to a shared tile";
  let description = [{
    Each element is stored once: of threads that hold copies, the one with all
    copy bits zero; padding is not stored. Seen by other threads after the next
    `tile.barrier`. `rounding` tf32 rounds f32 to nearest with 10 mantissa bits,
    ties to even, so that tensor cores, which truncate, read exact values; with
    `rest` what rounding takes away is stored instead.

    ```mlir
    tile.copy_to_shared %p, %s rounding tf32
        : tensor<8x10x34xf32, #l>, !tile.shared<8x10x34xf32, #s>
    ```
  }];
  let arguments = (ins
    Arg<Tile_BlockTensor, "distributed block to store">:$value,
    Arg<Tile_SharedType, "tile of that shape", [MemWrite]>:$dest,
    Arg<OptionalAttr<Tile_PrecisionAttr>, "tf32: round f32 elements to it">:$rounding,
    Arg<UnitAttr, "store value - rounded value">:$rest);
  let assemblyFormat = [{
    $value `,` $dest (`rounding` $rounding^)? (`rest` $rest^)? attr-dict
    `:` type($value) `,` type($dest)
  }];
  let hasVerifier = 1;
}

def LoadSharedOp : Tile_Op<"load_shared"> {
  let summary = "Reads a shared tile into a distributed block";
  let description = [{
    Threads that hold copies all read. Padding registers are undefined.

    ```mlir
    %v = tile.load_shared %s : !tile.shared<8x32xf32, #s> -> tensor<8x32xf32, #l>
    ```
  }];
  let arguments = (ins
    Arg<Tile_SharedType, "tile of the result's shape", [MemRead]>:$source);
  let results = (outs
    Res<Tile_BlockTensor, "block whose encoding says which thread reads what">:$result);
  let assemblyFormat =
      "$source attr-dict `:` type($source) `->` type($result)";
  let hasVerifier = 1;
}

def AsyncCopyOp : Tile_Op<"async_copy"> {
  let summary = "Copies a block of a view to a shared tile, past the registers";
  let description = [{
    Addresses as in `tile.load`; what lies outside the view becomes zero. Done
    when an `async_wait` on the token has returned and a barrier has followed.
    `layout` says which thread copies which element; its registers run in order.
    A copy is a group by itself, unless `deferred`: then the next
    `tile.async_commit` makes one group of it and its predecessors.

    ```mlir
    %t = tile.async_copy %x[%i, %k] to %s layout #l
        : !tile.view<1024x512xf32>, !tile.shared<64x32xf32, #s>
    ```
  }];
  let arguments = (ins
    Arg<Tile_ViewType, "source in global memory">:$view,
    Arg<Variadic<Index>, "coordinates of element (0, 0, ...)">:$offsets,
    Arg<Tile_SharedType, "tile of the block's shape", [MemWrite]>:$dest,
    Arg<Tile_DistributedAttr, "threads to elements">:$layout,
    Arg<OptionalAttr<DenseI64ArrayAttr>, "view elements per block element">:$steps,
    Arg<UnitAttr, "a later async_commit makes the group">:$deferred);
  let results = (outs
    Res<Tile_TokenType, "stands for the copy; async_wait takes it">:$token);
  let assemblyFormat = [{
    $view `[` $offsets `]` `to` $dest `layout` $layout (`deferred` $deferred^)?
    attr-dict
    `:` type($view) `,` type($dest)
  }];
  let hasVerifier = 1;
}

def AsyncWaitOp : Tile_Op<"async_wait", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "Waits for this thread's part of asynchronous copies";
  let description = [{
    All copies issued before the newest of the tokens' are complete too. Without
    tokens: all groups but the `newest` ones, as many as that says. Other threads'
    parts are visible after a `tile.barrier` only.

    ```mlir
    tile.async_wait %t
    tile.async_wait newest 1
    ```
  }];
  let arguments = (ins
    Arg<Variadic<Tile_TokenType>, "copies waited for">:$tokens,
    Arg<DefaultValuedAttr<I64Attr, "0">, "groups not waited for">:$newest);
  let assemblyFormat = "($tokens^)? (`newest` $newest^)? attr-dict";
  let hasVerifier = 1;
}

def AsyncCommitOp : Tile_Op<"async_commit", [MemoryEffects<[MemWrite]>]> {
  let summary = "Makes one group of the deferred copies since the last group";
  let description = [{
    A group of no copies counts too, so that a wait can count groups where some
    copies are conditional.

    ```mlir
    tile.async_commit
    ```
  }];
  let assemblyFormat = "attr-dict";
}

def SharedSlotOp : Tile_Op<"shared_slot", [Pure]> {
  let summary = "One buffer of a ring of shared tiles; no bytes move";
  let description = [{
    The ring is a tile whose first dim counts buffers. The result is buffer
    `(step + ahead) mod slots`. `step` is a constant or the induction variable of
    a loop from 0 by 1: so the position of a buffer relative to the loop's round
    is known, and barriers are placed only where two rounds meet in one buffer.

    ```mlir
    %t = tile.shared_slot %ring[%i] ahead 1
        : !tile.shared<2x64x32xf32, #r> -> !tile.shared<64x32xf32, #s>
    ```
  }];
  let arguments = (ins
    Arg<Tile_SharedType, "ring of buffers">:$source,
    Arg<Index, "round of the loop, or a constant">:$step,
    Arg<DefaultValuedAttr<I64Attr, "0">, "rounds ahead of it, at least 0">:$ahead);
  let results = (outs Res<Tile_SharedType, "one buffer of the ring">:$result);
  let assemblyFormat = [{
    $source `[` $step `]` (`ahead` $ahead^)? attr-dict
    `:` type($source) `->` type($result)
  }];
  let hasVerifier = 1;
}

def SharedWindowOp : Tile_Op<"shared_window", [Pure]> {
  let summary = "A strided slice of a shared tile; no bytes move";
  let description = [{
    Element `(i0, ...)` is the operand's `(offset0 + i0 * stride0, ...)`. The
    result's layout is the operand's with another offset and strides.

    ```mlir
    %t = tile.shared_window %s [0, 1, 2] strides [1, 1, 1]
        : !tile.shared<8x10x34xf32, #s> -> !tile.shared<8x8x32xf32, #t>
    ```
  }];
  let arguments = (ins
    Arg<Tile_SharedType, "tile seen through the window">:$source,
    Arg<DenseI64ArrayAttr, "operand coordinates of element (0, 0, ...)">:$offsets,
    Arg<DenseI64ArrayAttr, "operand elements per result element">:$strides);
  let results = (outs Res<Tile_SharedType, "the slice, in the same memory">:$result);
  let assemblyFormat = [{
    $source $offsets `strides` $strides attr-dict
    `:` type($source) `->` type($result)
  }];
  let hasVerifier = 1;
}

def SharedReshapeOp : Tile_Op<"shared_reshape", [Pure]> {
  let summary = "Another shape of a shared tile; no bytes move";
  let description = [{
    Row-major, as `tile.reshape`. Dims merge only where their strides nest.

    ```mlir
    %t = tile.shared_reshape %s
        : !tile.shared<1x8x34xf32, #s> -> !tile.shared<8x34xf32, #t>
    ```
  }];
  let arguments = (ins Arg<Tile_SharedType, "tile to see in another shape">:$source);
  let results = (outs Res<Tile_SharedType, "the same memory in another shape">:$result);
  let assemblyFormat = "$source attr-dict `:` type($source) `->` type($result)";
  let hasVerifier = 1;
}

def SharedTransOp : Tile_Op<"shared_trans", [Pure]> {
  let summary = "Permuted dims of a shared tile; no bytes move";
  let description = [{
    Result dim i is operand dim permutation[i].

    ```mlir
    %t = tile.shared_trans %s [1, 0]
        : !tile.shared<8x34xf32, #s> -> !tile.shared<34x8xf32, #t>
    ```
  }];
  let arguments = (ins
    Arg<Tile_SharedType, "tile to permute">:$source,
    Arg<DenseI64ArrayAttr, "a permutation of its dims">:$permutation);
  let results = (outs
    Res<Tile_SharedType, "the same memory with its dims permuted">:$result);
  let assemblyFormat =
      "$source $permutation attr-dict `:` type($source) `->` type($result)";
  let hasVerifier = 1;
}

def BarrierOp : Tile_Op<"barrier", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "All threads of the block arrive; shared stores become visible";
  let description = [{
    `tile-allocate-shared` puts one where two accesses to the same bytes need it.

    ```mlir
    tile.barrier
    ```
  }];
  let assemblyFormat = "attr-dict";
}

def ConvertLayoutOp : Tile_Op<"convert_layout", [Pure]> {
  let summary = "The same block held by other registers and lanes";
  let description = [{
    Moves values within a warp only: `planConversion` of the two encodings gives
    the register moves or shuffles. What crosses warps goes through a shared
    tile, in the IR.

    ```mlir
    %b = tile.convert_layout %a : tensor<8x32xf32, #l> -> tensor<8x32xf32, #m>
    ```
  }];
  let arguments = (ins Arg<Tile_BlockTensor, "block in one layout">:$value);
  let results = (outs Res<Tile_BlockTensor, "the same in another">:$result);
  let assemblyFormat = "$value attr-dict `:` type($value) `->` type($result)";
  let hasVerifier = 1;
}

def MmaOp : Tile_Op<"mma", [AllTypesMatch<["acc", "result"]>]> {
  let summary = "tile.dot with both operands in shared memory";
  let description = [{
    Dims as in `tile.dot`. With `mma` = mma_sync the accumulator has a fragment
    layout, `lhs_layout` and `rhs_layout` say which element each thread loads
    into its operand fragments (threads' addresses are these layouts followed by
    the tiles' shared layouts), and `planMma` lists the instructions. With `mma`
    = fma every thread sums over K for the elements it holds of any layout.

    Precision `ieee` of f32 operands on mma_sync means three TF32 products:
    x = big + small, both rounded to nearest at fragment load; small*big +
    big*small first, then big*big. `tf32` operands are rounded at fragment load
    unless `lhs_rounded` / `rhs_rounded` says that the tile holds rounded values.

    With `mma` = wgmma the fragments are the same, but rhs stays in shared memory:
    `planWgmma` lists the instructions, the layout of rhs is one of core matrices,
    and it holds rounded values. Precision `ieee` has what rounding took away in
    the tile `rest`, laid out as rhs.

    ```mlir
    %r = tile.mma %w, %p, %acc lhs_contract [1] rhs_contract [0]
        {mma = #tile<mma mma_sync>, precision = #tile<precision tf32>,
         lhs_layout = #a, rhs_layout = #b, lhs_rounded, rhs_rounded}
        : !tile.shared<64x8xf32, #s>, !tile.shared<8x8x32xf32, #t>
        -> tensor<64x8x32xf32, #c>
    ```
  }];
  let arguments = (ins
    Arg<Tile_SharedType, "left operand", [MemRead]>:$lhs,
    Arg<Tile_SharedType, "right operand", [MemRead]>:$rhs,
    Arg<Tile_BlockTensor, "summand, in registers">:$acc,
    Arg<DenseI64ArrayAttr, "contracting dims of lhs">:$lhs_contract,
    Arg<DenseI64ArrayAttr, "their partners in rhs">:$rhs_contract,
    Arg<DefaultValuedAttr<DenseI64ArrayAttr, "{}">, "batch dims of lhs">:$lhs_batch,
    Arg<DefaultValuedAttr<DenseI64ArrayAttr, "{}">, "their partners in rhs">:$rhs_batch,
    Arg<DefaultValuedAttr<Tile_PrecisionAttr, "::tilefuse::tile::Precision::ieee">,
        "contract on multiplicands">:$precision,
    Arg<DefaultValuedAttr<Tile_MmaKindAttr, "::tilefuse::tile::MmaKind::fma">,
        "instruction that multiplies">:$mma,
    Arg<OptionalAttr<Tile_DistributedAttr>, "lhs fragments (mma_sync)">:$lhs_layout,
    Arg<OptionalAttr<Tile_DistributedAttr>, "rhs fragments (mma_sync)">:$rhs_layout,
    Arg<UnitAttr, "lhs holds tf32 values">:$lhs_rounded,
    Arg<UnitAttr, "rhs holds tf32 values">:$rhs_rounded,
    Arg<Optional<Tile_SharedType>, "what rounding took from rhs", [MemRead]>:$rhs_rest);
  let results = (outs Res<Tile_BlockTensor, "acc + lhs * rhs">:$result);
  let assemblyFormat = [{
    $lhs `,` $rhs `,` $acc `lhs_contract` $lhs_contract `rhs_contract`
    $rhs_contract (`batch` $lhs_batch^ $rhs_batch)? (`rest` $rhs_rest^)?
    attr-dict `:` type($lhs) `,` type($rhs) (`,` type($rhs_rest)^)? `->`
    type($result)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// The product's dims and the layouts that planMma needs.
    DotDims getDims();
    MmaLayouts getMmaLayouts();
  }];
}

#endif // TILEFUSE_DIALECTS_TILE_TILESHAREDOPS
