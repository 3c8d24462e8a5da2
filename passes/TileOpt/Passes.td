//===- Passes.td - passes of the TileOpt stage ----------------*- tablegen -*-===//

#ifndef TILEFUSE_PASSES_TILEOPT_PASSES
#define TILEFUSE_PASSES_TILEOPT_PASSES

include "mlir/Pass/PassBase.td"

def TileAssignLayouts : Pass<"tile-assign-layouts", "::mlir::ModuleOp"> {
  let summary = "Spread blocks over threads; stage dot operands in shared memory";
  let description = [{
    Takes tile functions of the first level to the second: every block tensor gets
    a `#tile.distributed` encoding, operands of dots become shared tiles (windows,
    reshapes and transposes of an operand become views of its tile), and
    conversions are inserted where layouts meet. What has to cross warps, a
    conversion, a window of registers or a reduction over several warps, goes
    through shared tiles that are in the IR too.

    Before:
    ```mlir
    %p = tile.load %x[%n, %c] : !tile.view<64x512xf32> -> tensor<16x64xf32>
    %a = tile.window %p [0, 2] strides [1, 1] : tensor<16x64xf32> -> tensor<16x32xf32>
    %r = tile.dot %w, %a, %acc lhs_contract [1] rhs_contract [0]
        {mma = #tile<mma mma_sync>, precision = #tile<precision tf32>}
        : tensor<64x16xf32>, tensor<16x32xf32> -> tensor<64x32xf32>
    ```
    After:
    ```mlir
    %p = tile.load %x[%n, %c] : !tile.view<64x512xf32> -> tensor<16x64xf32, #blocked>
    %s = tile.alloc_shared : !tile.shared<16x64xf32, #tile.shared_layout<[72, 1]>>
    tile.copy_to_shared %p, %s rounding tf32 : ...
    %a = tile.shared_window %s [0, 2] strides [1, 1] : ...
    %r = tile.mma %ws, %a, %acc lhs_contract [1] rhs_contract [0] {..., lhs_layout = #a,
        rhs_layout = #b, lhs_rounded, rhs_rounded} : ... -> tensor<64x32xf32, #acc>
    ```
    Invariant: every block tensor of a tile function has an encoding, and every
    value that an op reads is held by the thread that needs it.
  }];
  let dependentDialects = ["::tilefuse::tile::TileDialect"];
  let statistics = [
    Statistic<"numMma", "mma-dots", "dots on tensor cores">,
    Statistic<"numFma", "fma-dots", "dots on FMA units">,
    Statistic<"numStaged", "staged-tiles", "shared tiles for operands and windows">,
    Statistic<"numConversions", "conversions", "conversions within a warp">,
    Statistic<"numSharedConversions", "shared-conversions",
              "conversions through shared memory">];
}

def TilePipeline : Pass<"tile-pipeline", "::mlir::ModuleOp"> {
  let summary = "Copy the operands of later rounds while this one multiplies";
  let description = [{
    In kernels whose attribute `tile.stages` is 2 or more, loops that stage
    operands of products get rings of buffers: asynchronous copies run `stages - 1`
    rounds ahead, copies through registers one round, their loads issued before
    the products and stored after them. One barrier a round. Fewer stages where
    shared memory is short; what the kernel writes itself is not read ahead.

    Before:
    ```mlir
    scf.for %i = %c0 to %n step %c1 ... {
      %s = tile.alloc_shared : !tile.shared<64x32xf32, #s>
      %t = tile.async_copy %x[%c0, %k] to %s layout #l : ...
      tile.async_wait %t
      %r = tile.mma %s, ...
    ```
    After:
    ```mlir
    %ring = tile.alloc_shared : !tile.shared<2x64x32xf32, #r>
    %s0 = tile.shared_slot %ring[%c0]
    tile.async_copy %x[%c0, %k0] to %s0 layout #l deferred : ...
    tile.async_commit
    scf.for %i = %c0 to %n step %c1 ... {
      tile.async_wait
      tile.barrier
      scf.if %more {
        %s1 = tile.shared_slot %ring[%i] ahead 1
        tile.async_copy %x[%c0, %k1] to %s1 layout #l deferred : ...
      }
      tile.async_commit
      %s = tile.shared_slot %ring[%i]
      %r = tile.mma %s, ...
    ```
  }];
  let dependentDialects = ["::tilefuse::tile::TileDialect"];
  let statistics = [
    Statistic<"numLoops", "loops", "loops pipelined">,
    Statistic<"numTiles", "tiles", "tiles that became rings">];
}

def TileAllocateShared : Pass<"tile-allocate-shared", "::mlir::ModuleOp"> {
  let summary = "Give shared tiles offsets, and put barriers where they are needed";
  let description = [{
    Offsets by liveness: tiles that are not live together may share bytes. The
    total is the attribute `tile.shared_bytes`; more than 227 KB is an error. Then
    a barrier goes in front of every access that must wait for other threads: a
    read of bytes written since the last barrier, a write of bytes read or
    written since then, around loops too.

    Before:
    ```mlir
    %s = tile.alloc_shared : !tile.shared<16x64xf32, #s>
    tile.copy_to_shared %p, %s : ...
    %v = tile.load_shared %s : ...
    ```
    After:
    ```mlir
    %s = tile.alloc_shared at 0 : !tile.shared<16x64xf32, #s>
    tile.copy_to_shared %p, %s : ...
    tile.barrier
    %v = tile.load_shared %s : ...
    ```
    Invariant: no two threads touch a byte, one of them writing, without a barrier
    between.
  }];
  let dependentDialects = ["::tilefuse::tile::TileDialect"];
  let statistics = [
    Statistic<"numBytes", "shared-bytes", "shared memory of all kernels, in bytes">,
    Statistic<"numBarriers", "barriers", "barriers inserted">,
    Statistic<"numConflicts", "bank-conflicts",
              "passes over the banks beyond the fewest possible">];
}

def TileExpandMath : Pass<"tile-expand-math", "::mlir::ModuleOp"> {
  let summary = "Spell out functions as IEEE arithmetic";
  let description = [{
    exp, exp2, expm1, log, log2, log10, log1p, tanh, erf, erfc, sin, cos, atan, atan2,
    pow and rsqrt on f32 (and, by way of f32, on 16-bit floats) become polynomials in
    add, multiply, fma, divide and integer ops: the same bits on every target, with
    the error bounds that `MathExpansions.cpp` states; on f64 likewise, in f64
    (`DoubleExpansions.cpp`). With `approximate`, the same expansions of f32 leave
    `math.exp2 fastmath<afn>` where the target has an instruction for it, instead of
    one more polynomial. The ops of arith with two results (the high half of a
    product, the carry of a sum) become ops with one.

    ```mlir
    %r = math.rsqrt %x : tensor<32xf32>
    // becomes
    %s = math.sqrt %x : tensor<32xf32>
    %r = arith.divf %one, %s : tensor<32xf32>
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::math::MathDialect"];
  let options = [Option<"approximate", "approximate", "bool", "false",
                        "leave powers of two to an instruction of the target">];
  let statistics = [Statistic<"numExpanded", "expanded", "functions spelled out">];
}

#endif // TILEFUSE_PASSES_TILEOPT_PASSES
