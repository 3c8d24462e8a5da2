//===- Passes.td - passes of the Plan stage ----------------*- tablegen -*-===//

#ifndef TILEFUSE_PASSES_PLAN_PASSES
#define TILEFUSE_PASSES_PLAN_PASSES

include "mlir/Pass/PassBase.td"

def TilePlanBuffers : Pass<"tile-plan-buffers", "::mlir::func::FuncOp"> {
  let summary = "Place the intermediate buffers of a host program";
  let description = [{
    Gives each `tile.alloc` of an entry function (`tile.entry`) a byte offset in
    one workspace, and the function the size of that workspace. A buffer lives
    from its first to its last use in a launch, views of it included; buffers
    that live at the same time do not overlap. Offsets are multiples of 256
    bytes. Best fit, largest buffer first: the same input gives the same plan.

    Before:
    ```mlir
    func.func @f(%x: !tile.view<1000xf32>, %y: !tile.view<1000xf32>)
        attributes {tile.entry, tile.num_inputs = 1 : i64} {
      %0 = tile.alloc : !tile.view<1000xf32>
      tile.launch @k0 ins(%x : !tile.view<1000xf32>) outs(%0 : !tile.view<1000xf32>)
      tile.launch @k1 ins(%0 : !tile.view<1000xf32>) outs(%y : !tile.view<1000xf32>)
      return
    }
    ```
    After:
    ```mlir
    func.func @f(%x: !tile.view<1000xf32>, %y: !tile.view<1000xf32>)
        attributes {tile.entry, tile.num_inputs = 1 : i64, tile.workspace = 4096 : i64} {
      %0 = tile.alloc at 0 : !tile.view<1000xf32>
      ...
    ```
    Afterwards every buffer has its place. A function that is no straight line of
    host ops, or reads a buffer before it is written, is an error.
  }];
  let dependentDialects = ["::tilefuse::tile::TileDialect"];
  let statistics = [
    Statistic<"numBuffers", "buffers", "Buffers placed">,
    Statistic<"bytesRequested", "bytes-requested", "Sum of the buffers' sizes">,
    Statistic<"bytesPlanned", "bytes-planned", "Size of the workspaces">
  ];
}

def TileMarkUpdates : Pass<"tile-mark-updates", "::mlir::ModuleOp"> {
  let summary = "Find the arguments that may share memory with their results";
  let description = [{
    An argument with `fuse.alias_result` (running statistics) gets `tile.in_place`
    when the program is right also where the result is written into the very memory
    of the argument: one launch reads and writes it, at the same places, and the old
    values go nowhere else. Who runs a program then needs no copy.

    Before:
    ```mlir
    func.func @f(%m: !tile.view<8xf32> {fuse.alias_result = 0 : i64}, %new: !tile.view<8xf32>)
        attributes {tile.entry, tile.num_inputs = 1 : i64} {
      tile.launch @k ins(%m : !tile.view<8xf32>) outs(%new : !tile.view<8xf32>)
      return
    }
    ```
    After:
    ```mlir
    func.func @f(%m: !tile.view<8xf32> {fuse.alias_result = 0 : i64, tile.in_place}, ...)
    ```
    Afterwards nothing else has changed. Never fails.
  }];
  let statistics = [
    Statistic<"numUpdates", "updates", "Arguments that may be updated in place">
  ];
}

def TileMergeKernels : Pass<"tile-merge-kernels", "::mlir::ModuleOp"> {
  let summary = "Keep one of the kernels that are the same";
  let description = [{
    A kernel with the same signature, grid and body as one before it is erased, and
    its launches run that one: repeated layers are compiled once.

    Before:
    ```mlir
    tile.launch @k0 ins(%x : !tile.view<8xf32>) outs(%y : !tile.view<8xf32>)
    tile.launch @k1 ins(%y : !tile.view<8xf32>) outs(%z : !tile.view<8xf32>)
    ```
    After, where @k0 and @k1 differ in nothing but their names:
    ```mlir
    tile.launch @k0 ins(%x : !tile.view<8xf32>) outs(%y : !tile.view<8xf32>)
    tile.launch @k0 ins(%y : !tile.view<8xf32>) outs(%z : !tile.view<8xf32>)
    ```
    Afterwards no two kernels are the same. Never fails.
  }];
  let statistics = [Statistic<"numMerged", "merged", "Kernels that were erased">];
}

#endif // TILEFUSE_PASSES_PLAN_PASSES
