//===- ProducerGranules.h - steps that operands can be made in --*- C++ -*-===//
#ifndef TILEFUSE_PASSES_FUSION_PRODUCERGRANULES_H
#define TILEFUSE_PASSES_FUSION_PRODUCERGRANULES_H

#include "lib/CostModel/CostModel.h"

namespace tilefuse {

/// Per dim of a schedule's block: what its extent must be a multiple of, unless
/// it is the whole dim, so that the blocks of the anchor's operands start at
/// multiples of the windows that their producers spread elements over
/// (fuse::readsOneTerm). 0 where no extent will do.
llvm::SmallVector<int64_t>
getProducerGranules(const fuse::KernelStructure &structure);

/// Whether `block` respects them; `reason` says why not.
bool fitsProducers(const fuse::KernelStructure &structure,
                   llvm::ArrayRef<int64_t> block, std::string &reason);

/// Whether an operand of the anchor is made by more than pointwise ops.
bool hasMadeOperand(const fuse::KernelStructure &structure);

/// Whether another contraction makes an operand of the anchor.
bool hasProducerContraction(const fuse::KernelStructure &structure);

/// One step of a contraction that makes an operand of the anchor; the most where
/// there are several.
struct ProducerStep {
  /// Bytes of its operand blocks.
  int64_t bytes = 0;
  /// Products of numbers, where no matrix unit multiplies them.
  int64_t products = 0;
};
/// `onMatrixUnit`: the kernel uses it where a contraction can.
ProducerStep getProducerStep(const fuse::KernelStructure &structure,
                             llvm::ArrayRef<int64_t> block, bool onMatrixUnit,
                             const CostModel &model);

} // namespace tilefuse

#endif // TILEFUSE_PASSES_FUSION_PRODUCERGRANULES_H
