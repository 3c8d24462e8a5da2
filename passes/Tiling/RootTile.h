//===- RootTile.h - how the root of a stage is cut into tiles ---*- C++ -*-===//
#ifndef TILEFUSE_PASSES_TILING_ROOTTILE_H
#define TILEFUSE_PASSES_TILING_ROOTTILE_H

#include "passes/Tiling/TilePropagation.h"

namespace tilefuse {

/// The grid over a root value and the slices of its tile, per class.
struct RootTile {
  CoordVars vars;
  llvm::SmallVector<unsigned> grid;
  std::optional<unsigned> repeat;
  llvm::SmallVector<llvm::DenseMap<mlir::Value, Slice>> classes;
  mlir::Value primed;
  Slice primedSlice;
};

/// Cuts `root`. The extents are the schedule's when it speaks of this root
/// (`scheduled`: its dims, or the parallel dims of the anchor that defines it).
/// `withClasses` cuts tiles further into residue classes and taps.
RootTile makeRootTile(fuse::KernelOp kernel, mlir::Value root,
                      const SpaceForms &forms, bool scheduled, bool withClasses,
                      bool powersOfTwo);

} // namespace tilefuse

#endif // TILEFUSE_PASSES_TILING_ROOTTILE_H
