//===- ContractionRoles.h - how reduction dims are walked *- C++ -*-===//
#ifndef TILEFUSE_PASSES_TILING_CONTRACTIONROLES_H
#define TILEFUSE_PASSES_TILING_CONTRACTIONROLES_H

#include "passes/Tiling/Access.h"

namespace tilefuse {

/// Dims to unroll so that every operand dim follows one varying dim, given the
/// extent per dim that one step covers. Reduction dims that take part in a
/// division are always among them (which taps count must be known), and so are
/// dims that run backwards. Else the shorter dim of a sum is the tap.
llvm::SmallVector<bool> getTaps(const SpaceForm &form,
                                llvm::ArrayRef<int64_t> extents);

/// The parallel ones for a tile of `block` and the given reduction steps.
llvm::SmallVector<bool> getParallelTaps(const SpaceForm &form,
                                        llvm::ArrayRef<int64_t> block,
                                        llvm::ArrayRef<int64_t> steps);

/// Elements per step of each reduction dim of `op`: the schedule's for the
/// anchor, else a few hundred in all, innermost dims first.
llvm::SmallVector<int64_t> getReductionSteps(fuse::KernelOp kernel,
                                             mlir::Operation *op,
                                             const SpaceForm &form,
                                             bool powersOfTwo);

/// The reduction dims whose steps `splits` instances divide among them, and into how
/// many parts each: the dim with the most steps that is no tap, and where it has
/// fewer steps than there are instances, the next one as well, both into equal parts
/// if such give `splits`. The product of the parts is at most that.
llvm::SmallVector<std::pair<unsigned, int64_t>>
getSplitDims(const SpaceForm &form, llvm::ArrayRef<int64_t> block,
             llvm::ArrayRef<int64_t> steps, int64_t splits);

} // namespace tilefuse

#endif // TILEFUSE_PASSES_TILING_CONTRACTIONROLES_H
