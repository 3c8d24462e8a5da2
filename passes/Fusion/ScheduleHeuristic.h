//===- ScheduleHeuristic.h - a schedule for every kernel --------*- C++ -*-===//
#ifndef TILEFUSE_PASSES_FUSION_SCHEDULEHEURISTIC_H
#define TILEFUSE_PASSES_FUSION_SCHEDULEHEURISTIC_H

#include "dialects/Fuse/KernelStructure.h"
#include "lib/CostModel/CostModel.h"

namespace tilefuse {

/// How the dims of a contraction relate to its two operands.
enum class DimRole {
  Batch,    // read by both operands
  Lhs,      // read by the first only
  Rhs,      // read by the second only
  Free,     // read by neither
  Tap,      // reduction dim that shares an index with a longer Lhs or Rhs dim
  Reduction // any other reduction dim
};
llvm::SmallVector<DimRole> getDimRoles(const fuse::IterationSpace &space);
/// The dims of one role, innermost first.
llvm::SmallVector<unsigned> withRole(llvm::ArrayRef<DimRole> roles,
                                     DimRole role);

/// A schedule whose tile holds what the structure demands and fits the target,
/// or a failure with the reason.
mlir::FailureOr<fuse::ScheduleAttr>
chooseSchedule(const fuse::KernelStructure &structure, const CostModel &model,
               std::string &reason);

/// The two halves of chooseSchedule, by target.
mlir::FailureOr<fuse::ScheduleAttr>
chooseGPUSchedule(const fuse::KernelStructure &structure,
                  const CostModel &model, std::string &reason);
mlir::FailureOr<fuse::ScheduleAttr>
chooseCPUSchedule(const fuse::KernelStructure &structure,
                  const CostModel &model, std::string &reason);

/// Whether a schedule given as text is one this kernel can be tiled with.
mlir::LogicalResult checkSchedule(const fuse::KernelStructure &structure,
                                  fuse::ScheduleAttr schedule,
                                  const CostModel &model, std::string &reason);

} // namespace tilefuse

#endif // TILEFUSE_PASSES_FUSION_SCHEDULEHEURISTIC_H
