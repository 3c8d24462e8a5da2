//===- SharedSums.cpp - instances that share a sum --------------*- C++ -*-===//

#include "passes/Fusion/SharedSums.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace tilefuse;

int64_t tilefuse::chooseSharedSplits(ArrayRef<ReductionSteps> dims,
                                     int64_t tiles, int64_t units,
                                     int64_t present, bool overlaps) {
  // Steps that beginning and ending take, and what two instances take of the
  // time of one after the other.
  constexpr double border = 8, together = 0.8;
  // A gain below that of the model's own mistakes is none.
  constexpr double leastGain = 0.9;
  SmallVector<ReductionSteps> sorted(dims);
  llvm::sort(sorted, [](const ReductionSteps &a, const ReductionSteps &b) {
    return std::pair(-a.count, a.isExact) < std::pair(-b.count, b.isExact);
  });
  // A ragged last step is emitted by itself, for which its dim must be in one
  // piece.
  if (sorted.size() < 2 || !sorted[0].isExact || !sorted[1].isExact)
    return present;
  double rounds = 1;
  for (const ReductionSteps &dim : dims)
    rounds *= double(dim.count);
  auto getTime = [&](int64_t splits) {
    int64_t waves = llvm::divideCeil(splits * tiles, units);
    return double(waves) * (rounds / double(splits) + border) *
           (overlaps && waves > 1 ? together : 1);
  };
  int64_t best = present;
  double bestTime = leastGain * getTime(present);
  for (int64_t first = sorted[0].count; first > 0; --first) {
    if (sorted[0].count % first != 0)
      continue;
    for (int64_t second = 1; second <= sorted[1].count; ++second) {
      int64_t splits = first * second;
      if (sorted[1].count % second != 0 || splits <= sorted[0].count ||
          getTime(splits) >= bestTime)
        continue;
      best = splits;
      bestTime = getTime(splits);
    }
  }
  return best;
}
