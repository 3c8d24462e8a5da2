//===- SharedSums.h - instances that share a sum ----------------*- C++ -*-===//
#ifndef TILEFUSE_PASSES_FUSION_SHAREDSUMS_H
#define TILEFUSE_PASSES_FUSION_SHAREDSUMS_H

#include "llvm/ADT/ArrayRef.h"
#include <cstdint>

namespace tilefuse {

/// A reduction dim in steps; `isExact` says that no step ends past the dim's
/// end.
struct ReductionSteps {
  int64_t count;
  bool isExact;
};

/// How many instances share the reduction of each of `tiles` tiles of a weight
/// gradient: `present`, which divides the longest dim only, or a number that
/// divides two dims into equal parts (getSplitDims does), if that lets the
/// multiprocessors end together much earlier. With `overlaps`, several
/// instances that one multiprocessor holds hide each other's waits.
int64_t chooseSharedSplits(llvm::ArrayRef<ReductionSteps> dims, int64_t tiles,
                           int64_t units, int64_t present, bool overlaps);

} // namespace tilefuse

#endif // TILEFUSE_PASSES_FUSION_SHAREDSUMS_H
