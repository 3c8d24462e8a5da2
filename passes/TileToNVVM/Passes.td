//===- Passes.td - passes of the TileToNVVM stage ----------------*- tablegen -*-===//

#ifndef TILEFUSE_PASSES_TILETONVVM_PASSES
#define TILEFUSE_PASSES_TILETONVVM_PASSES

include "mlir/Pass/PassBase.td"

def ConvertTileToNVVM : Pass<"convert-tile-to-nvvm", "::mlir::ModuleOp"> {
  let summary = "Lowers second-level tile kernels to LLVM functions for the GPU";
  let description = [{
    Every `tile.func` becomes an `llvm.func` with the code of one thread: one
    pointer to global memory an argument, one scalar for each register of a
    block's layout. Kernels must be at the second level (`tile-assign-layouts`,
    `tile-allocate-shared`): every block has a layout, shared tiles have offsets.
    The host program is left as it is.

    ```mlir
    tile.func @double(%x: !tile.view<128xf32>, %y: !tile.view<128xf32>)
        grid [1] warps 4 {
      %c0 = arith.constant 0 : index
      %a = tile.load %x[%c0] : !tile.view<128xf32> -> tensor<128xf32, #l>
      %b = arith.addf %a, %a : tensor<128xf32, #l>
      tile.store %b, %y[%c0] : tensor<128xf32, #l>, !tile.view<128xf32>
      tile.return
    }
    ```
    becomes
    ```mlir
    llvm.func @double(%x: !llvm.ptr<1>, %y: !llvm.ptr<1>) attributes {
        nvvm.kernel, nvvm.reqntid = array<i32: 128>,
        tile.grid = array<i64: 1>, tile.warps = 4 : i64,
        tile.shared_bytes = 0 : i64} {
      %tid = nvvm.read.ptx.sreg.tid.x range <i32, 0, 128> : i32
      ...
      %a = llvm.load %px {alignment = 4 : i64} : !llvm.ptr<1> -> f32
      %b = llvm.fadd %a, %a : f32
      llvm.store %b, %py {alignment = 4 : i64} : f32, !llvm.ptr<1>
      llvm.return
    }
    ```
    Invariant: nothing of the tile dialect is left inside device functions, and
    no function is called that the CUDA driver does not define.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect",
                           "::mlir::NVVM::NVVMDialect",
                           "::mlir::arith::ArithDialect",
                           "::mlir::math::MathDialect",
                           "::mlir::scf::SCFDialect",
                           "::mlir::cf::ControlFlowDialect"];
  let statistics = [
    Statistic<"numKernels", "kernels", "Kernels lowered">
  ];
}

#endif // TILEFUSE_PASSES_TILETONVVM_PASSES
