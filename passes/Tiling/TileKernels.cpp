//===- TileKernels.cpp - fuse-tile-kernels ----------------------*- C++ -*-===//
//
// The way through this folder, top down:
//
//   HostProgram        func.func on tensors -> buffers and launches
//   StagePlan          kernel -> stages: main, finish, ...
//     RootTile         the grid over the anchor, classes of a tile
//     TilePropagation  which other values a tile determines
//   KernelEmitter      stage -> tile.func
//     BlockEmitter     blocks by demand (Pointwise-, Reduction-, Contraction-,
//                      PartialTiling: one family each)
//     Coord, Access    symbolic positions through affine maps
//
//===----------------------------------------------------------------------===//

#include "dialects/Fuse/Fuse.h"
#include "dialects/Tile/Tile.h"
#include "passes/Tiling/HostProgram.h"
#include "passes/Tiling/Passes.h"

using namespace mlir;

namespace tilefuse {
#define GEN_PASS_DEF_FUSETILEKERNELS
#include "passes/Tiling/Passes.h.inc"

namespace {

/// Functions that compute on tensors; what is a host program already stays.
bool isGraph(func::FuncOp func) {
  return !func.isDeclaration() && !func->hasAttr("tile.entry");
}

struct TileKernels : impl::FuseTileKernelsBase<TileKernels> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    SymbolTable symbols(module);
    bool powersOfTwo = fuse::TargetAttr::lookup(module).isGPU();
    HostProgramStatistics statistics;
    SmallVector<func::FuncOp> graphs;
    for (auto func : module.getOps<func::FuncOp>())
      if (isGraph(func))
        graphs.push_back(func);
    for (func::FuncOp func : graphs)
      if (failed(lowerToHostProgram(func, symbols, powersOfTwo, statistics)))
        return signalPassFailure();
    numKernels += statistics.kernels;
    numFinishes += statistics.finishes;
    numCopies += statistics.copies;
    numBuffers += statistics.buffers;
    numSeparate += statistics.separate;
  }
};

} // namespace
} // namespace tilefuse
