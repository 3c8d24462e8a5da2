//===- SkewReduction.h - windows moved from one operand to the other -----===//
#ifndef TILEFUSE_PASSES_TILING_SKEWREDUCTION_H
#define TILEFUSE_PASSES_TILING_SKEWREDUCTION_H

#include "passes/Tiling/Access.h"

namespace tilefuse {

/// The iteration space that blocks of `op` are made in: `form`, or, for the anchor
/// of a kernel that runs on warpgroups, that with its innermost reduction dim
/// substituted (SkewReduction.cpp).
SpaceForm getTiledForm(fuse::KernelOp kernel, mlir::Operation *op,
                       const SpaceForm &form);

/// Moves `iterations`, which hold the elements of skewed dims, to where the dims
/// themselves are for its shifts.
void shiftSkewed(const SpaceForm &form, Slice &iterations);

} // namespace tilefuse

#endif // TILEFUSE_PASSES_TILING_SKEWREDUCTION_H
