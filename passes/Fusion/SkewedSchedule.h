//===- SkewedSchedule.h - schedules of skewed sums ---------------*- C++ -*-===//
#ifndef TILEFUSE_PASSES_FUSION_SKEWEDSCHEDULE_H
#define TILEFUSE_PASSES_FUSION_SKEWEDSCHEDULE_H

#include "dialects/Fuse/KernelStructure.h"
#include "lib/CostModel/CostModel.h"

namespace tilefuse {

struct SkewedSchedule {
  llvm::SmallVector<int64_t> block;
  int64_t warps, splits;
};

/// The schedule by which warpgroups sum a weight gradient over elements of rows
/// (SkewReduction.h), made from the block of another schedule; nothing where that
/// does not suit.
std::optional<SkewedSchedule>
chooseSkewedSchedule(const fuse::KernelStructure &structure,
                     const CostModel &model, llvm::ArrayRef<int64_t> block);

} // namespace tilefuse

#endif // TILEFUSE_PASSES_FUSION_SKEWEDSCHEDULE_H
