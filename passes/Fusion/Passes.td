//===- Passes.td - passes of the Fusion stage ----------------*- tablegen -*-===//

#ifndef TILEFUSE_PASSES_FUSION_PASSES
#define TILEFUSE_PASSES_FUSION_PASSES

include "mlir/Pass/PassBase.td"

def FuseFormKernels : Pass<"fuse-form-kernels", "::mlir::func::FuncOp"> {
  let summary = "Put every op into a kernel, by a byte and flop model";
  let description = [{
    Every op of the function goes into a `fuse.kernel`: a contraction (the
    anchor) with pointwise work on its operands and results, aligned windows,
    reductions that one tile holds, and reductions across tiles as last ops; or
    the same without an anchor. What does not fuse becomes more kernels. A cheap
    contraction whose output would only be written to be read back is computed
    twice instead. Kernels that read the same large value become one where one
    tile serves both, such as sums of one gradient over different dims. A splat
    constant that is returned is one more result of the last kernel.
    `fuse.target` of the module supplies the machine.

    Before:
    ```mlir
    func.func @f(%x: tensor<2x8x18x18xf32>, %w: tensor<16x8x3x3xf32>) -> tensor<2x16x4x4xf32> {
      %c = fuse.conv2d %x, %w
          : (tensor<2x8x18x18xf32>, tensor<16x8x3x3xf32>) -> tensor<2x16x16x16xf32>
      %t = fuse.tanh %c : tensor<2x16x16x16xf32>
      %p = fuse.window_reduce max %t window [4, 4] stride [4, 4]
          : tensor<2x16x16x16xf32> -> tensor<2x16x4x4xf32>
      return %p : tensor<2x16x4x4xf32>
    }
    ```
    After:
    ```mlir
    func.func @f(%x: tensor<2x8x18x18xf32>, %w: tensor<16x8x3x3xf32>) -> tensor<2x16x4x4xf32> {
      %0 = fuse.kernel @f_k0 (%a = %x, %b = %w)
          : (tensor<2x8x18x18xf32>, tensor<16x8x3x3xf32>) -> tensor<2x16x4x4xf32> {
        %c = fuse.conv2d %a, %b {fuse.anchor}
            : (tensor<2x8x18x18xf32>, tensor<16x8x3x3xf32>) -> tensor<2x16x16x16xf32>
        %t = fuse.tanh %c : tensor<2x16x16x16xf32>
        %p = fuse.window_reduce max %t window [4, 4] stride [4, 4]
            : tensor<2x16x16x16xf32> -> tensor<2x16x4x4xf32>
        fuse.yield %p : tensor<2x16x4x4xf32>
      }
      return %0 : tensor<2x16x4x4xf32>
    }
    ```
    Afterwards the function holds kernels, constants that are data, changes of
    shape between kernels, and the return. Composite ops must be gone
    (`fuse-simplify`). With `remarks`, every refused fusion says why.
  }];
  let dependentDialects = ["::tilefuse::fuse::FuseDialect"];
  let options = [
    Option<"remarks", "remarks", "bool", "false",
           "say at each op why it did not join another kernel">
  ];
  let statistics = [
    Statistic<"numKernels", "kernels", "Kernels formed">,
    Statistic<"numRefused", "refused", "Fusions refused">,
    Statistic<"bytesSaved", "bytes-saved",
              "Modelled DRAM bytes saved against one kernel an op">
  ];
}

def FuseMergeDims : Pass<"fuse-merge-dims", "::mlir::func::FuncOp"> {
  let summary = "Take images of short rows as lines, where rows do not matter";
  let description = [{
    In a kernel for a GPU that reads no neighbours (1 x 1 filters, pointwise ops,
    reductions over whole images), the last two dims of its tensors become one, if
    rows are no multiple of 32 elements. Tiles are powers of two: 784 elements leave
    less of them empty than 28 by 28, are stored in longer pieces, and start at
    aligned addresses.

    Before:
    ```mlir
    %0 = fuse.kernel @f_k0 (%a = %x) : (tensor<4x8x28x28xf32>) -> tensor<4x8x28x28xf32> {
      %t = fuse.tanh %a : tensor<4x8x28x28xf32>
      fuse.yield %t : tensor<4x8x28x28xf32>
    }
    ```
    After:
    ```mlir
    %0 = fuse.reshape %x : tensor<4x8x28x28xf32> -> tensor<4x8x1x784xf32>
    %1 = fuse.kernel @f_k0 (%a = %0) : (tensor<4x8x1x784xf32>) -> tensor<4x8x1x784xf32> {
      %t = fuse.tanh %a : tensor<4x8x1x784xf32>
      fuse.yield %t : tensor<4x8x1x784xf32>
    }
    %2 = fuse.reshape %1 : tensor<4x8x1x784xf32> -> tensor<4x8x28x28xf32>
    ```
  }];
  let dependentDialects = ["::tilefuse::fuse::FuseDialect"];
  let statistics = [
    Statistic<"numMerged", "merged", "Kernels whose images became lines">
  ];
}

def FuseSelectSchedules
    : Pass<"fuse-select-schedules", "::mlir::func::FuncOp"> {
  let summary = "Choose the tile of every kernel";
  let description = [{
    Gives each `fuse.kernel` without a schedule one that its structure allows
    and that fits the target: tiles hold what reductions need and are multiples
    of windows, accumulators fit registers, operand blocks fit shared memory.
    A schedule that is there already is checked and kept.

    Before:
    ```mlir
    %0 = fuse.kernel @f_k0 (%a = %x) : (tensor<1000xf32>) -> tensor<1000xf32> {
      %t = fuse.tanh %a : tensor<1000xf32>
      fuse.yield %t : tensor<1000xf32>
    }
    ```
    After, for sm_90a:
    ```mlir
    %0 = fuse.kernel @f_k0 (%a = %x) : (tensor<1000xf32>) -> tensor<1000xf32>
        schedule(#fuse.schedule<block = [256], warps = 1, stages = 1,
                 cluster = 1, mma = fma, splits = 1>) {
      %t = fuse.tanh %a : tensor<1000xf32>
      fuse.yield %t : tensor<1000xf32>
    }
    ```
    Afterwards every kernel has a schedule. An illegal one is an error.
  }];
  let dependentDialects = ["::tilefuse::fuse::FuseDialect"];
  let statistics = [
    Statistic<"numChosen", "chosen", "Schedules chosen">,
    Statistic<"numGiven", "given", "Schedules kept as given">
  ];
}

#endif // TILEFUSE_PASSES_FUSION_PASSES
