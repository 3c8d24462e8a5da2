//===- TileOps.td - first level and host ops of tile -------*- tablegen -*-===//

#ifndef TILEFUSE_DIALECTS_TILE_TILEOPS
#define TILEFUSE_DIALECTS_TILE_TILEOPS

include "dialects/Tile/TileTypes.td"
include "mlir/IR/OpAsmInterface.td"
include "mlir/IR/RegionKindInterface.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/CallInterfaces.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/FunctionInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class Tile_Op<string mnemonic, list<Trait> traits = []>
    : Op<Tile_Dialect, mnemonic, traits>;

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

def FuncOp : Tile_Op<"func", [
    IsolatedFromAbove, AutomaticAllocationScope, FunctionOpInterface,
    HasParent<"::mlir::ModuleOp">]> {
  let summary = "A kernel: the code of one program instance";
  let description = [{
    Arguments are views; a scalar is a view of rank 0. The body runs once per
    point of `grid` (1 to 3 axes); instances run in any order and do not see each
    other's stores. A grid of one instance per tile is the usual one.

    ```mlir
    tile.func @add(%x: !tile.view<1000xf32>, %y: !tile.view<1000xf32>)
        grid [4] warps 4 {
      ...
      tile.return
    }
    ```
  }];
  let arguments = (ins
    Arg<SymbolNameAttr, "the name that tile.launch calls it by">:$sym_name,
    Arg<TypeAttrOf<FunctionType>, "views to nothing">:$function_type,
    Arg<DenseI64ArrayAttr, "instances along each axis">:$grid,
    Arg<DefaultValuedAttr<I64Attr, "4">, "warps of a block, 1 to 32 (GPU)">:$warps,
    Arg<OptionalAttr<DictArrayAttr>, "attributes of arguments">:$arg_attrs,
    Arg<OptionalAttr<DictArrayAttr>, "unused: there are no results">:$res_attrs);
  let regions = (region AnyRegion:$body);
  let builders = [
    OpBuilder<(ins "::llvm::StringRef":$name, "::mlir::FunctionType":$type,
                   "::llvm::ArrayRef<int64_t>":$grid, "int64_t":$warps)>,
  ];
  let skipDefaultBuilders = 1;
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::llvm::ArrayRef<::mlir::Type> getArgumentTypes() {
      return getFunctionType().getInputs();
    }
    ::llvm::ArrayRef<::mlir::Type> getResultTypes() {
      return getFunctionType().getResults();
    }
    ::mlir::Region *getCallableRegion() { return &getBody(); }
  }];
}

def ReturnOp : Tile_Op<"return", [Pure, HasParent<"FuncOp">, Terminator, ReturnLike]> {
  let summary = "Ends a kernel";
  let description = [{
    A kernel has no results: what it computes it has stored.

    ```mlir
    tile.return
    ```
  }];
  let assemblyFormat = "attr-dict";
}

def YieldOp : Tile_Op<"yield", [Pure, Terminator,
    ParentOneOf<["ReduceOp", "ScanOp"]>]> {
  let summary = "Values of a combiner";
  let description = [{
    Ends the region of a `tile.reduce` or `tile.scan`.

    ```mlir
    tile.yield %max, %position : f32, i32
    ```
  }];
  let arguments = (ins Arg<Variadic<AnyType>, "the combined scalars, one per block">:$values);
  let assemblyFormat = "$values attr-dict `:` type($values)";
}

def ProgramIdOp : Tile_Op<"program_id", [Pure]> {
  let summary = "This instance's position along a grid axis";
  let description = [{
    ```mlir
    %i = tile.program_id 0    // 0 <= %i < grid[0]
    ```
  }];
  let arguments = (ins Arg<I32Attr, "a grid axis of the kernel">:$axis);
  let results = (outs Res<Index, "position, 0 to the axis' extent - 1">:$result);
  let assemblyFormat = "$axis attr-dict";
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Global memory
//===----------------------------------------------------------------------===//

def LoadOp : Tile_Op<"load", [AttrSizedOperandSegments]> {
  let summary = "Reads a block of a view";
  let description = [{
    Element `(i0, i1, ...)` of the block is the view's element
    `(offset0 + i0 * step0, offset1 + i1 * step1, ...)`, or `fill` where that lies
    outside the view (offsets may be negative). `fill` is a scalar; without it,
    out-of-bounds elements are zero. `mask` (i1 block) further restricts what is
    read: where it is false the element is `fill` too.

    ```mlir
    %t = tile.load %x[%n, %c, %h, %w] fill %inf : f32 {steps = array<i64: 1, 1, 2, 2>}
        : !tile.view<8x16x32x32xf32> -> tensor<1x8x4x16xf32>
    ```
  }];
  let arguments = (ins
    Arg<Tile_ViewType, "what is read", [MemRead]>:$view,
    Arg<Variadic<Index>, "view coordinates of element (0, 0, ...), one per dim">:$offsets,
    Arg<Optional<AnyType>, "scalar of the view's element type">:$fill,
    Arg<Optional<Tile_BlockTensor>, "i1 block of the result's shape">:$mask,
    Arg<OptionalAttr<DenseI64ArrayAttr>, "view elements per block element, >= 1">:$steps);
  let results = (outs
    Res<Tile_BlockTensor, "the block; its shape says how much is read">:$result);
  let assemblyFormat = [{
    $view `[` $offsets `]` (`fill` $fill^ `:` type($fill))? (`mask` $mask^ `:` type($mask))?
    attr-dict `:` type($view) `->` type($result)
  }];
  let hasVerifier = 1;
}

def StoreOp : Tile_Op<"store", [AttrSizedOperandSegments]> {
  let summary = "Writes a block to a view; elements outside it are dropped";
  let description = [{
    Addresses as in `tile.load`. Two instances never store to one element.

    ```mlir
    tile.store %v, %y[%i, %j] mask %m : tensor<4x32xi1>
        : tensor<4x32xf32>, !tile.view<100x100xf32>
    ```
  }];
  let arguments = (ins
    Arg<Tile_BlockTensor, "block of the view's rank to write">:$value,
    Arg<Tile_ViewType, "what is written", [MemWrite]>:$view,
    Arg<Variadic<Index>, "view coordinates of element (0, 0, ...), one per dim">:$offsets,
    Arg<Optional<Tile_BlockTensor>, "i1 block: store where true">:$mask,
    Arg<OptionalAttr<DenseI64ArrayAttr>, "view elements per block element, >= 1">:$steps);
  let assemblyFormat = [{
    $value `,` $view `[` $offsets `]` (`mask` $mask^ `:` type($mask))? attr-dict
    `:` type($value) `,` type($view)
  }];
  let hasVerifier = 1;
}

def AtomicOp : Tile_Op<"atomic", []> {
  let summary = "Integer read-modify-write of scattered elements of a 1-d view";
  let description = [{
    For each element of the block, `view[index] = kind(view[index], value)`.
    Elements with an index outside the view or a false mask do nothing.
    i32 and i64 only, so the result does not depend on the order; max and min are
    signed.

    ```mlir
    tile.atomic add %h[%bin : tensor<256xi32>], %one : tensor<256xi32>
        : !tile.view<10xi32>
    ```
  }];
  let arguments = (ins
    Arg<Tile_AtomicKindAttr, "what is done to the element">:$kind,
    Arg<Tile_ViewType, "1-d view of i32 or i64", [MemRead, MemWrite]>:$view,
    Arg<Tile_BlockTensor, "i32, i64 or index block, signed">:$index,
    Arg<Tile_BlockTensor, "block of the same shape">:$value,
    Arg<Optional<Tile_BlockTensor>, "i1 block of the same shape">:$mask);
  let assemblyFormat = [{
    $kind $view `[` $index `:` type($index) `]` `,` $value `:` type($value)
    (`mask` $mask^ `:` type($mask))? attr-dict `:` type($view)
  }];
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Blocks
//===----------------------------------------------------------------------===//

def IotaOp : Tile_Op<"iota", [Pure]> {
  let summary = "Position along one dim of the block";
  let description = [{
    ```mlir
    %i = tile.iota 1 : tensor<1x32xi32>   // 0, 1, ..., 31
    ```
  }];
  let arguments = (ins Arg<I64Attr, "dim whose position is taken">:$dim);
  let results = (outs Res<Tile_BlockTensor, "block of i32, i64 or index">:$result);
  let assemblyFormat = "$dim attr-dict `:` type($result)";
  let hasVerifier = 1;
}

def SplatOp : Tile_Op<"splat", [Pure]> {
  let summary = "A block filled with one scalar";
  let description = [{
    ```mlir
    %b = tile.splat %s : f32 -> tensor<4x32xf32>
    ```
  }];
  let arguments = (ins Arg<AnyType, "scalar of the block's element type">:$value);
  let results = (outs Res<Tile_BlockTensor, "block of it">:$result);
  let assemblyFormat = "$value attr-dict `:` type($value) `->` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def ExtractOp : Tile_Op<"extract", [Pure]> {
  let summary = "The single element of a one-element block, as a scalar";
  let description = [{
    ```mlir
    %s = tile.extract %b : tensor<1x1xf32> -> f32
    ```
  }];
  let arguments = (ins Arg<Tile_BlockTensor, "block of one element">:$value);
  let results = (outs Res<AnyType, "that element">:$result);
  let assemblyFormat = "$value attr-dict `:` type($value) `->` type($result)";
  let hasVerifier = 1;
}

def BroadcastOp : Tile_Op<"broadcast", [Pure]> {
  let summary = "Expands dims of size 1; the rank stays";
  let description = [{
    ```mlir
    %b = tile.broadcast %a : tensor<64x1x1xf32> -> tensor<64x8x32xf32>
    ```
  }];
  let arguments = (ins Arg<Tile_BlockTensor, "block with dims of size 1">:$value);
  let results = (outs
    Res<Tile_BlockTensor, "block of the same rank, those dims repeated">:$result);
  let assemblyFormat = "$value attr-dict `:` type($value) `->` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def ReshapeOp : Tile_Op<"reshape", [Pure]> {
  let summary = "Same elements in row-major order, another shape";
  let description = [{
    ```mlir
    %b = tile.reshape %a : tensor<1x8x10x34xf32> -> tensor<8x10x34xf32>
    ```
  }];
  let arguments = (ins Arg<Tile_BlockTensor, "block to see in another shape">:$value);
  let results = (outs Res<Tile_BlockTensor, "block of as many elements">:$result);
  let assemblyFormat = "$value attr-dict `:` type($value) `->` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def TransOp : Tile_Op<"trans", [Pure]> {
  let summary = "Permutes dims: result dim i is operand dim permutation[i]";
  let description = [{
    ```mlir
    %b = tile.trans %a [1, 0] : tensor<8x34xf32> -> tensor<34x8xf32>
    ```
  }];
  let arguments = (ins
    Arg<Tile_BlockTensor, "block to permute">:$value,
    Arg<DenseI64ArrayAttr, "operand dim of each result dim">:$permutation);
  let results = (outs Res<Tile_BlockTensor, "block of permuted shape">:$result);
  let assemblyFormat =
      "$value $permutation attr-dict `:` type($value) `->` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def WindowOp : Tile_Op<"window", [Pure]> {
  let summary = "A strided slice of a block, by value";
  let description = [{
    Result element `(i0, ...)` is operand element `(offset0 + i0 * stride0, ...)`,
    all in bounds. Offsets are attributes so that a window is a shift known to
    the layout stage. The result's shape gives the sizes.

    ```mlir
    %t = tile.window %patch [0, 1, 2] strides [1, 1, 1]
        : tensor<8x10x34xf32> -> tensor<8x8x32xf32>
    ```
  }];
  let arguments = (ins
    Arg<Tile_BlockTensor, "block that is sliced">:$value,
    Arg<DenseI64ArrayAttr, "operand coordinates of element (0, 0, ...)">:$offsets,
    Arg<DenseI64ArrayAttr, "operand elements per result element, >= 1">:$strides);
  let results = (outs
    Res<Tile_BlockTensor, "the slice; its shape says how many elements">:$result);
  let assemblyFormat = [{
    $value $offsets `strides` $strides attr-dict
    `:` type($value) `->` type($result)
  }];
  let hasVerifier = 1;
  let hasFolder = 1;
}

def InsertWindowOp : Tile_Op<"insert_window", [
    Pure, AllTypesMatch<["into", "result"]>]> {
  let summary = "A block with a strided slice replaced";
  let description = [{
    Element `(offset0 + i0 * stride0, ...)` becomes the slice's `(i0, ...)`; all of
    them lie inside the block.

    ```mlir
    %b = tile.insert_window %s into %a [0, 1] strides [1, 2]
        : tensor<8x16xf32> into tensor<8x34xf32>
    ```
  }];
  let arguments = (ins
    Arg<Tile_BlockTensor, "block of the new elements">:$slice,
    Arg<Tile_BlockTensor, "block that keeps its other elements">:$into,
    Arg<DenseI64ArrayAttr, "where the slice's element (0, 0, ...) goes">:$offsets,
    Arg<DenseI64ArrayAttr, "block elements per slice element, >= 1">:$strides);
  let results = (outs Res<Tile_BlockTensor, "block of the shape of `into`">:$result);
  let assemblyFormat = [{
    $slice `into` $into $offsets `strides` $strides attr-dict
    `:` type($slice) `into` type($result)
  }];
  let hasVerifier = 1;
}

def DotOp : Tile_Op<"dot", [Pure, AllTypesMatch<["acc", "result"]>]> {
  let summary = "Sum of products over contracting dims, added to acc";
  let description = [{
    Dims of each operand are batch, contracting or free; batch and contracting
    dims pair up in the order given. The result's dims are batch, then lhs free,
    then rhs free, each in operand order (batch dims in the order given); free
    dims stay separate. `mma` is a wish of the schedule, `precision` a contract on
    the multiplicands: f32 operands are rounded to it (to nearest, ties to
    even), others multiply as they are. acc is f32, or
    f64 for f64 operands.

    ```mlir
    %r = tile.dot %w, %p, %acc lhs_contract [1] rhs_contract [0]
        {precision = #tile<precision tf32>, mma = #tile<mma mma_sync>}
        : tensor<64x8xf32>, tensor<8x8x32xf32> -> tensor<64x8x32xf32>
    ```
  }];
  let arguments = (ins
    Arg<Tile_BlockTensor, "left operand, a float block">:$lhs,
    Arg<Tile_BlockTensor, "right operand, of the same element type">:$rhs,
    Arg<Tile_BlockTensor, "summand">:$acc,
    Arg<DenseI64ArrayAttr, "contracting dims of lhs">:$lhs_contract,
    Arg<DenseI64ArrayAttr, "their partners in rhs">:$rhs_contract,
    Arg<DefaultValuedAttr<DenseI64ArrayAttr, "{}">, "batch dims of lhs">:$lhs_batch,
    Arg<DefaultValuedAttr<DenseI64ArrayAttr, "{}">, "their partners in rhs">:$rhs_batch,
    Arg<DefaultValuedAttr<Tile_PrecisionAttr, "::tilefuse::tile::Precision::ieee">,
        "contract on the multiplicands">:$precision,
    Arg<DefaultValuedAttr<Tile_MmaKindAttr, "::tilefuse::tile::MmaKind::fma">,
        "instruction that the schedule wishes for">:$mma);
  let results = (outs
    Res<Tile_BlockTensor, "acc + sum of products: batch, lhs free, rhs free dims">:$result);
  let assemblyFormat = [{
    $lhs `,` $rhs `,` $acc `lhs_contract` $lhs_contract `rhs_contract`
    $rhs_contract (`batch` $lhs_batch^ $rhs_batch)? attr-dict
    `:` type($lhs) `,` type($rhs) `->` type($result)
  }];
  let extraClassDeclaration = [{
    ::llvm::SmallVector<int64_t> getLhsFreeDims();
    ::llvm::SmallVector<int64_t> getRhsFreeDims();
  }];
  let hasVerifier = 1;
}

def ReduceOp : Tile_Op<"reduce", [SingleBlock, RecursiveMemoryEffects]> {
  let summary = "Folds dims of one or more blocks with a combiner";
  let description = [{
    The region takes two states (all lhs elements, then all rhs elements) and
    yields one; it must be associative and commutative up to rounding. Reduced
    dims keep size 1. The order is fixed by shape and schedule, never by timing.

    ```mlir
    %s = tile.reduce (%t) dims [1] : (tensor<4x32xf32>) -> (tensor<4x1xf32>) {
    ^bb0(%a: f32, %b: f32):
      %c = arith.addf %a, %b : f32
      tile.yield %c : f32
    }
    ```
  }];
  let arguments = (ins
    Arg<Variadic<Tile_BlockTensor>, "one or more, of one shape">:$inputs,
    Arg<DenseI64ArrayAttr, "reduced dims, increasing">:$dims);
  let results = (outs
    Res<Variadic<Tile_BlockTensor>, "one per input, reduced dims of size 1">:$outputs);
  let regions = (region SizedRegion<1>:$combiner);
  let assemblyFormat = [{
    `(` $inputs `)` `dims` $dims attr-dict
    `:` functional-type($inputs, $outputs) $combiner
  }];
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
}

def ScanOp : Tile_Op<"scan", [SingleBlock, RecursiveMemoryEffects]> {
  let summary = "Inclusive prefix combination along one dim";
  let description = [{
    Element k of a result combines elements 0..k of the input (k..n-1 with
    `reverse`). The region takes the state so far, then the next element, one of
    each per input, and yields the new state.

    ```mlir
    %s = tile.scan (%t) dim 1 : (tensor<4x32xi32>) -> (tensor<4x32xi32>) {
    ^bb0(%before: i32, %element: i32):
      %c = arith.addi %before, %element : i32
      tile.yield %c : i32
    }
    ```
  }];
  let arguments = (ins
    Arg<Variadic<Tile_BlockTensor>, "one or more, of one shape">:$inputs,
    Arg<I64Attr, "dim along which it runs">:$dim,
    Arg<UnitAttr, "starts at the last element">:$reverse);
  let results = (outs
    Res<Variadic<Tile_BlockTensor>, "one per input, of its shape">:$outputs);
  let regions = (region SizedRegion<1>:$combiner);
  let assemblyFormat = [{
    `(` $inputs `)` `dim` $dim (`reverse` $reverse^)? attr-dict
    `:` functional-type($inputs, $outputs) $combiner
  }];
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
}

def PrintOp : Tile_Op<"debug_print", [MemoryEffects<[MemWrite]>]> {
  let summary = "Prints a block or scalar, with the instance's position";
  let description = [{
    ```mlir
    tile.debug_print "max: ", %m : tensor<4x1xf32>
    ```
  }];
  let arguments = (ins
    Arg<StrAttr, "printed before the value">:$prefix,
    Arg<AnyType, "block or scalar">:$value);
  let assemblyFormat = "$prefix `,` $value attr-dict `:` type($value)";
  let hasVerifier = 1;
}

def AssertOp : Tile_Op<"assert", [MemoryEffects<[MemWrite]>]> {
  let summary = "Stops the run with a message when an element is false";
  let description = [{
    The first message of a launch becomes the run's error.

    ```mlir
    tile.assert %ok, "index in range" : tensor<256xi1>
    ```
  }];
  let arguments = (ins
    Arg<AnyType, "i1 or a block of i1">:$condition,
    Arg<StrAttr, "what went wrong where it is false">:$message);
  let assemblyFormat = "$condition `,` $message attr-dict `:` type($condition)";
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Host program: what the entry function holds after tiling
//===----------------------------------------------------------------------===//

def LaunchOp : Tile_Op<"launch", [
    DeclareOpInterfaceMethods<SymbolUserOpInterface>,
    AttrSizedOperandSegments]> {
  let summary = "Runs a kernel over its grid";
  let description = [{
    Destination style: `outs` are written. The kernel's arguments are the ins
    followed by the outs. `finish` marks the small second launch of a kernel that
    was split in partials and a merge. `bytes` is the modelled DRAM traffic.

    ```mlir
    tile.launch @k ins(%x, %w : !tile.view<..>, !tile.view<..>)
                   outs(%y : !tile.view<..>) {bytes = 4096}
    ```
  }];
  let arguments = (ins
    Arg<FlatSymbolRefAttr, "the tile.func that runs">:$kernel,
    Arg<Variadic<Tile_ViewType>, "inputs", [MemRead]>:$ins,
    Arg<Variadic<Tile_ViewType>, "outputs", [MemRead, MemWrite]>:$outs,
    Arg<UnitAttr, "merges partial results of a launch before">:$finish,
    Arg<OptionalAttr<I64Attr>, "modelled DRAM traffic, in bytes">:$bytes);
  let assemblyFormat = [{
    $kernel (`ins` `(` $ins^ `:` type($ins) `)`)?
    (`outs` `(` $outs^ `:` type($outs) `)`)? (`finish` $finish^)? attr-dict
  }];
}

def AllocOp : Tile_Op<"alloc", [MemoryEffects<[MemAlloc]>]> {
  let summary = "An intermediate buffer of the host program";
  let description = [{
    `tile-plan-buffers` gives it a byte `offset` in the workspace. Dense.

    ```mlir
    %t = tile.alloc at 4096 : !tile.view<64x100xf32>
    ```
  }];
  let arguments = (ins
    Arg<OptionalAttr<I64Attr>, "place in the workspace in bytes, a multiple of 256">:$offset);
  let results = (outs Res<Tile_ViewType, "dense view of the buffer">:$result);
  let assemblyFormat = "(`at` $offset^)? attr-dict `:` type($result)";
  let hasVerifier = 1;
}

def ConstantOp : Tile_Op<"constant", [Pure]> {
  let summary = "Constant data of the program, in device memory";
  let description = [{
    ```mlir
    %c = tile.constant dense<[1.0, 2.0]> : tensor<2xf32> : !tile.view<2xf32>
    ```
  }];
  let arguments = (ins Arg<ElementsAttr, "dense, of the result's shape">:$value);
  let results = (outs Res<Tile_ViewType, "dense view of the data">:$result);
  let assemblyFormat = "$value attr-dict `:` type($result)";
  let hasVerifier = 1;
}

def ViewCastOp : Tile_Op<"view_cast", [Pure]> {
  let summary = "Another shape, strides and start of the same memory";
  let description = [{
    No bytes move. `offset` counts elements from the operand's start; every
    element of the result lies inside the operand's extent.

    ```mlir
    %t = tile.view_cast %x offset 64 : !tile.view<4x64xf32> -> !tile.view<8x8xf32>
    ```
  }];
  let arguments = (ins
    Arg<Tile_ViewType, "memory to see in another way">:$view,
    Arg<DefaultValuedAttr<I64Attr, "0">, "elements to the result's start">:$offset);
  let results = (outs Res<Tile_ViewType, "view of the same memory">:$result);
  let assemblyFormat =
      "$view (`offset` $offset^)? attr-dict `:` type($view) `->` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

include "dialects/Tile/TileSharedOps.td"

// The second level.
include "dialects/Tile/TileSharedOps.td"

#endif // TILEFUSE_DIALECTS_TILE_TILEOPS
