//===- ScheduleHeuristic.cpp - a schedule for every kernel ------*- C++ -*-===//

#include "passes/Fusion/ScheduleHeuristic.h"

using namespace mlir;
using namespace tilefuse;

SmallVector<DimRole> tilefuse::getDimRoles(const fuse::IterationSpace &space) {
  SmallVector<DimRole> roles;
  for (unsigned dim = 0; dim < space.bounds.size(); ++dim) {
    bool inLhs = space.operands[0].map.isFunctionOfDim(dim);
    bool inRhs = space.operands.size() > 1 &&
                 space.operands[1].map.isFunctionOfDim(dim);
    if (!space.isReduction[dim]) {
      roles.push_back(inLhs && inRhs ? DimRole::Batch
                      : inLhs        ? DimRole::Lhs
                      : inRhs        ? DimRole::Rhs
                                     : DimRole::Free);
      continue;
    }
    bool shares = false;
    for (const fuse::OperandAccess &access : space.operands)
      for (AffineExpr expr : access.map.getResults())
        if (expr.isFunctionOfDim(dim))
          for (unsigned other = 0; other < space.bounds.size(); ++other)
            // Of two dims that share an index the shorter is the tap: in a
            // weight gradient that is the parallel one.
            shares |= !space.isReduction[other] &&
                      roles[other] != DimRole::Batch &&
                      space.bounds[other] >= space.bounds[dim] &&
                      expr.isFunctionOfDim(other);
    roles.push_back(shares ? DimRole::Tap : DimRole::Reduction);
  }
  return roles;
}

SmallVector<unsigned> tilefuse::withRole(ArrayRef<DimRole> roles,
                                         DimRole role) {
  SmallVector<unsigned> dims;
  for (unsigned dim = roles.size(); dim-- > 0;)
    if (roles[dim] == role)
      dims.push_back(dim);
  return dims;
}

FailureOr<fuse::ScheduleAttr>
tilefuse::chooseSchedule(const fuse::KernelStructure &structure,
                         const CostModel &model, std::string &reason) {
  return model.isGPU() ? chooseGPUSchedule(structure, model, reason)
                       : chooseCPUSchedule(structure, model, reason);
}

LogicalResult tilefuse::checkSchedule(const fuse::KernelStructure &structure,
                                      fuse::ScheduleAttr schedule,
                                      const CostModel &model,
                                      std::string &reason) {
  auto fail = [&](const Twine &why) {
    reason = why.str();
    return failure();
  };
  ArrayRef<int64_t> block = schedule.getBlock();
  ArrayRef<int64_t> bounds = structure.getBlockExtents();
  if (block.size() != bounds.size())
    return fail("block has " + Twine(block.size()) + " extents, but the kernel"
                " has " + Twine(bounds.size()) + " dims");
  unsigned numRoot = structure.getNumRootDims();
  for (unsigned dim = 0; dim < block.size(); ++dim) {
    if (block[dim] < 1)
      return fail("block extent " + Twine(dim) + " is " + Twine(block[dim]) +
                  ", which is not positive");
    if (dim >= numRoot)
      continue;
    // Odd extents are repeats in registers: those of a dim taken whole.
    if (model.isGPU() && !llvm::isPowerOf2_64(block[dim]) &&
        block[dim] != bounds[dim])
      return fail("block extent " + Twine(dim) + " is " + Twine(block[dim]) +
                  ", but tiles of " + model.getTarget().getArch() +
                  " have powers of two");
    if (block[dim] % structure.getGranules()[dim])
      return fail("block extent " + Twine(dim) + " is " + Twine(block[dim]) +
                  ", not a multiple of the window " +
                  Twine(structure.getGranules()[dim]));
    if (structure.getMustHold()[dim] && block[dim] < bounds[dim])
      return fail("block extent " + Twine(dim) + " is " + Twine(block[dim]) +
                  ", but a reduction needs all " + Twine(bounds[dim]) +
                  " in one tile");
  }
  if (!llvm::isPowerOf2_64(schedule.getWarps()) || schedule.getWarps() > 32)
    return fail("warps must be a power of two up to 32");
  if (Operation *anchor = structure.getAnchor();
      anchor && model.isGPU() &&
      isa<fuse::ContractionOpInterface>(anchor)) {
    int64_t bytes = model.getTileCost(anchor, block).sharedBytes;
    if (bytes > model.getTarget().getSharedMemory())
      return fail("the operands of one step take " + Twine(bytes) +
                  " bytes of shared memory; there are " +
                  Twine(model.getTarget().getSharedMemory()));
  }
  return success();
}
