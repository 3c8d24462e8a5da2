//===- TilePropagation.h - what a tile determines ---------------*- C++ -*-===//
#ifndef TILEFUSE_PASSES_TILING_TILEPROPAGATION_H
#define TILEFUSE_PASSES_TILING_TILEPROPAGATION_H

#include "passes/Tiling/Access.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"

namespace tilefuse {

using SpaceForms =
    llvm::DenseMap<mlir::Operation *, std::shared_ptr<SpaceForm>>;

/// The linear forms of every op of a kernel that has an iteration space.
SpaceForms getSpaceForms(fuse::KernelOp kernel);

/// A reduction that a tile holds a part of.
struct PartialReduction {
  mlir::Operation *op;
  Slice iterations;
};

/// Gives slices to the operands, and their operands, that the slice of `value`
/// determines dim by dim.
void propagateBackward(const SpaceForms &forms, mlir::Value value,
                       const CoordVars &vars,
                       const llvm::DenseSet<mlir::Value> &available,
                       llvm::DenseMap<mlir::Value, Slice> &slices);

/// Gives slices to all values of the kernel's body that those in `slices`
/// determine; collects the reductions that the tile holds only a part of.
/// Values in `available` are in memory and need no slice.
llvm::SmallVector<PartialReduction>
propagateForward(fuse::KernelOp kernel, const SpaceForms &forms,
                 const CoordVars &vars,
                 const llvm::DenseSet<mlir::Value> &available,
                 llvm::DenseMap<mlir::Value, Slice> &slices);

/// Both ways from the root of a stage until nothing new is determined: what
/// follows from it, what that is computed from, and what follows from that. A
/// reduction of a value that only has the root's shape takes the root's tiles.
llvm::SmallVector<PartialReduction>
propagateRoot(fuse::KernelOp kernel, const SpaceForms &forms, mlir::Value root,
              const CoordVars &vars,
              const llvm::DenseSet<mlir::Value> &available,
              llvm::DenseMap<mlir::Value, Slice> &slices);

} // namespace tilefuse

#endif // TILEFUSE_PASSES_TILING_TILEPROPAGATION_H
