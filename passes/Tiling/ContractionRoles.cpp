//===- ContractionRoles.cpp - how reduction dims are walked *- C++ -*-===//

#include "passes/Tiling/ContractionRoles.h"
#include "lib/CostModel/CostModel.h"

using namespace mlir;
using namespace tilefuse;

/// The dim among `dims` that is cheapest to unroll: the shortest, a reduction
/// dim among equals.
static unsigned pickTap(const SpaceForm &form, ArrayRef<unsigned> dims) {
  // Beside a skewed dim, rows of a filter are columns of a product: rather the
  // rows of a step are unrolled.
  bool prefersSteps = llvm::is_contained(form.skewed, true);
  auto isWorse = [&](unsigned dim) {
    bool isStep = form.isReduction(dim) && !form.skewed[dim];
    return std::tuple(prefersSteps && !isStep,
                      form.getBound(dim), !form.isReduction(dim));
  };
  unsigned best = dims.front();
  for (unsigned dim : dims.drop_front())
    if (isWorse(dim) < isWorse(best))
      best = dim;
  return best;
}

/// Whether parallel dims run through a tensor dim together (group and channel).
static bool isOneRun(const SpaceForm &form, const LinearForm &dimForm,
                     ArrayRef<unsigned> dims, ArrayRef<int64_t> extents) {
  SmallVector<unsigned> sorted(dims);
  llvm::sort(sorted, [&](unsigned lhs, unsigned rhs) {
    return dimForm.coefficients[lhs] < dimForm.coefficients[rhs];
  });
  int64_t step = dimForm.coefficients[sorted.front()];
  for (unsigned dim : sorted) {
    if (form.isReduction(dim) || dimForm.coefficients[dim] != step)
      return false;
    step *= extents[dim];
  }
  return true;
}

SmallVector<bool> tilefuse::getTaps(const SpaceForm &form,
                                    ArrayRef<int64_t> extents) {
  SmallVector<bool> isTap(form.getNumDims(), false);
  for (const AccessForm &access : form.operands)
    for (auto [dimForm, divisor] : llvm::zip(access.dims, access.divisors))
      if (dimForm)
        for (unsigned dim : dimForm->getDims())
          isTap[dim] = isTap[dim] || dimForm->coefficients[dim] < 0 ||
                       (divisor != 1 && form.isReduction(dim));
  bool changed = true;
  while (changed) {
    changed = false;
    for (const AccessForm &access : form.operands)
      for (const auto &dimForm : access.dims) {
        SmallVector<unsigned> varying;
        if (dimForm)
          for (unsigned dim : dimForm->getDims())
            if (!isTap[dim] && extents[dim] > 1)
              varying.push_back(dim);
        if (varying.size() < 2 || isOneRun(form, *dimForm, varying, extents))
          continue;
        // No block runs backwards: such a dim is a tap, however long.
        auto *backwards = llvm::find_if(varying, [&](unsigned dim) {
          return dimForm->coefficients[dim] < 0;
        });
        isTap[backwards != varying.end() ? *backwards
                                         : pickTap(form, varying)] = true;
        changed = true;
      }
  }
  return isTap;
}

SmallVector<bool> tilefuse::getParallelTaps(const SpaceForm &form,
                                            ArrayRef<int64_t> block,
                                            ArrayRef<int64_t> steps) {
  SmallVector<int64_t> extents(block);
  llvm::append_range(extents, steps);
  SmallVector<bool> taps = getTaps(form, extents);
  taps.resize(block.size());
  return taps;
}

SmallVector<int64_t> tilefuse::getReductionSteps(fuse::KernelOp kernel,
                                                 Operation *op,
                                                 const SpaceForm &form,
                                                 bool powersOfTwo) {
  unsigned numParallel = form.space.getNumParallel();
  std::optional<fuse::ScheduleAttr> schedule = kernel.getSchedule();
  if (op == kernel.getAnchor() && schedule &&
      schedule->getBlock().size() == form.getNumDims())
    return SmallVector<int64_t>(schedule->getBlock().drop_front(numParallel));
  SmallVector<int64_t> bounds;
  for (unsigned dim = numParallel; dim < form.getNumDims(); ++dim)
    bounds.push_back(form.getBound(dim));
  return getUnscheduledSteps(bounds, powersOfTwo);
}

SmallVector<std::pair<unsigned, int64_t>>
tilefuse::getSplitDims(const SpaceForm &form, ArrayRef<int64_t> block,
                       ArrayRef<int64_t> steps, int64_t splits) {
  SmallVector<int64_t> extents(block);
  llvm::append_range(extents, steps);
  SmallVector<bool> taps = getTaps(form, extents);
  SmallVector<std::pair<unsigned, int64_t>> dims;
  for (unsigned dim = block.size(); dim < form.getNumDims(); ++dim) {
    int64_t count = llvm::divideCeil(form.getBound(dim), extents[dim]);
    if (!taps[dim] && count > 1)
      dims.push_back({dim, count});
  }
  llvm::sort(dims, [](auto left, auto right) {
    return std::pair(-left.second, left.first) <
           std::pair(-right.second, right.first);
  });
  if (dims.size() > 1 && splits > dims.front().second)
    for (int64_t first = dims[0].second; first > 0; --first)
      if (dims[0].second % first == 0 && splits % first == 0 &&
          dims[1].second % (splits / first) == 0)
        return {{dims[0].first, first}, {dims[1].first, splits / first}};
  unsigned used = 0;
  for (auto &[dim, parts] : dims) {
    if (splits == 1)
      break;
    parts = std::min(parts, splits);
    splits /= parts;
    ++used;
  }
  dims.truncate(used);
  return dims;
}
