//===- Passes.td - passes of the Tiling stage ----------------*- tablegen -*-===//

#ifndef TILEFUSE_PASSES_TILING_PASSES
#define TILEFUSE_PASSES_TILING_PASSES

include "mlir/Pass/PassBase.td"

def FuseTileKernels : Pass<"fuse-tile-kernels", "::mlir::ModuleOp"> {
  let summary = "Turns kernels into tile programs and their host program";
  let description = [{
    Each `fuse.kernel` becomes a `tile.func`, run once per tile of its anchor's
    (or root value's) parallel dims, and the function that held it a host program
    of buffers and launches. A reduction that crosses tiles leaves partial states
    in memory, which a second, small `tile.func` (a finish) merges in fixed order.

    Works from iteration spaces and interfaces alone. The schedule's block is the
    tile (parallel dims) and the step of each loop (reduction dims); without a
    schedule, modest defaults. On targets with `sm_` architectures register blocks
    have extents that are powers of two.

    Where warpgroups multiply, the sum of a weight gradient runs over the elements
    of a row that a window reads, not over its positions: sum over p of
    dz[p] * x[p + k] becomes sum over q of dz[q - k] * x[q] (SkewReduction.cpp).
    Every k then multiplies the same, aligned block of x.

    Before:

    ```mlir
    func.func @f(%x: tensor<1000xf32>) -> tensor<1000xf32> {
      %y = fuse.kernel @f_k0 (%a = %x) : (tensor<1000xf32>) -> (tensor<1000xf32>)
          schedule(#fuse.schedule<block = [256], warps = 4, stages = 1,
                                  cluster = 1, mma = fma, splits = 1>) {
        %t = fuse.tanh %a : tensor<1000xf32>
        fuse.yield %t : tensor<1000xf32>
      }
      return %y : tensor<1000xf32>
    }
    ```

    After:

    ```mlir
    func.func @f(%x: !tile.view<1000xf32>, %y: !tile.view<1000xf32>)
        attributes {tile.entry, tile.num_inputs = 1 : i64} {
      tile.launch @f_k0 ins(%x : !tile.view<1000xf32>)
                        outs(%y : !tile.view<1000xf32>) {bytes = 8000 : i64}
      return
    }
    tile.func @f_k0(%x: !tile.view<1000xf32>, %y: !tile.view<1000xf32>)
        grid [4] warps 4 {
      %pid = tile.program_id 0
      %c256 = arith.constant 256 : index
      %i = arith.muli %pid, %c256 : index
      %0 = tile.load %x[%i] : !tile.view<1000xf32> -> tensor<256xf32>
      %1 = math.tanh %0 : tensor<256xf32>
      tile.store %1, %y[%i] : tensor<256xf32>, !tile.view<1000xf32>
      tile.return
    }
    ```

    Invariant: afterwards the module holds no `fuse` op; instances never store
    to one element, loads outside a view give the fill value, and every reduction
    masks what lies outside its bounds.
  }];
  let statistics = [
    Statistic<"numKernels", "kernels", "main launches made">,
    Statistic<"numFinishes", "finishes", "finish launches made">,
    Statistic<"numCopies", "copies", "copies of arguments or repeated results">,
    Statistic<"numSeparate", "separate", "kernels whose ops run one by one">,
    Statistic<"numBuffers", "buffers", "intermediates between kernels">,
  ];
  let dependentDialects = ["::tilefuse::fuse::FuseDialect",
                           "::tilefuse::tile::TileDialect",
                           "::mlir::arith::ArithDialect",
                           "::mlir::math::MathDialect",
                           "::mlir::scf::SCFDialect"];
}

#endif // TILEFUSE_PASSES_TILING_PASSES
