//===- ResidueClasses.h - how a schedule sees divided dims ------*- C++ -*-===//
//
// A transposed convolution reads where a division is exact: its elements fall into
// residue classes with taps of their own (passes/Tiling/ResidueSplitting.h). What a
// schedule must know is which of them one program instance computes together.
//
//===----------------------------------------------------------------------===//
#ifndef TILEFUSE_PASSES_FUSION_RESIDUECLASSES_H
#define TILEFUSE_PASSES_FUSION_RESIDUECLASSES_H

#include "dialects/Fuse/KernelStructure.h"

namespace tilefuse {

struct ResidueClasses {
  ResidueClasses(const fuse::IterationSpace &space,
                 const fuse::KernelStructure &structure);

  /// Per parallel dim.
  llvm::SmallVector<int64_t> counts;
  int64_t total = 1;
  /// Whether every class is told by the one tap in its index, so that classes can
  /// be instances of one code. No window may need them together.
  bool areInstances = false;
  /// Classes of the innermost dim that one product makes as columns of their own,
  /// so that rows are stored whole (passes/Tiling/JoinClasses.h).
  int64_t joined = 1;

  /// Those that are instances, or unrolled one after another.
  int64_t getSeparate() const { return total / joined; }
};

/// By how much an index grows with a dim.
int64_t getCoefficient(mlir::AffineExpr index, unsigned dim, unsigned numDims);

} // namespace tilefuse

#endif // TILEFUSE_PASSES_FUSION_RESIDUECLASSES_H
