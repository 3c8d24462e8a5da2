//===- ElementSchedule.h - schedules without a contraction ------*- C++ -*-===//
#ifndef TILEFUSE_PASSES_FUSION_ELEMENTSCHEDULE_H
#define TILEFUSE_PASSES_FUSION_ELEMENTSCHEDULE_H

#include "dialects/Fuse/KernelStructure.h"
#include "lib/CostModel/CostModel.h"

namespace tilefuse {

/// What a schedule says beside its block.
struct ScheduleChoice {
  int64_t warps = 4;
  int64_t stages = 2;
  int64_t tiles = 1;
  int64_t splits = 1;
  fuse::MmaKind mma = fuse::MmaKind::fma;
};

/// As many warps, eight at most, as leave each thread `perThread` of the
/// elements.
int64_t warpsFor(int64_t elements, int64_t perThread);

/// The schedule of a kernel without a contraction on a GPU.
llvm::LogicalResult scheduleElements(const fuse::KernelStructure &structure,
                                     const CostModel &model,
                                     std::string &reason,
                                     llvm::SmallVectorImpl<int64_t> &block,
                                     ScheduleChoice &choice);

} // namespace tilefuse

#endif // TILEFUSE_PASSES_FUSION_ELEMENTSCHEDULE_H
