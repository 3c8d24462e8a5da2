//===- ResidueClasses.cpp - how a schedule sees divided dims ----*- C++ -*-===//

#include "passes/Fusion/ResidueClasses.h"
#include <numeric>

using namespace mlir;
using namespace tilefuse;

int64_t tilefuse::getCoefficient(AffineExpr index, unsigned dim,
                                 unsigned numDims) {
  MLIRContext *context = index.getContext();
  SmallVector<AffineExpr> at(numDims, getAffineConstantExpr(0, context));
  auto evaluate = [&] {
    auto value = dyn_cast<AffineConstantExpr>(index.replaceDims(at));
    return value ? value.getValue() : 0;
  };
  int64_t origin = evaluate();
  at[dim] = getAffineConstantExpr(1, context);
  return evaluate() - origin;
}

static int64_t getConstant(AffineExpr index, unsigned numDims) {
  MLIRContext *context = index.getContext();
  SmallVector<AffineExpr> origin(numDims, getAffineConstantExpr(0, context));
  auto value = dyn_cast<AffineConstantExpr>(index.replaceDims(origin));
  return value ? value.getValue() : 0;
}

/// Elements of a tile's row, at least.
static constexpr int64_t shortestRow = 16;

ResidueClasses::ResidueClasses(const fuse::IterationSpace &space,
                               const fuse::KernelStructure &structure) {
  unsigned numDims = space.bounds.size();
  unsigned numParallel = structure.getNumRootDims();
  counts.assign(numParallel, 1);
  areInstances = true;
  for (const fuse::OperandAccess &access : space.operands)
    for (auto [expr, divisor] :
         llvm::zip(access.map.getResults(), access.divisors)) {
      if (divisor == 1)
        continue;
      SmallVector<unsigned> taps;
      std::optional<unsigned> position;
      for (unsigned dim = 0; dim < numDims; ++dim) {
        if (!expr.isFunctionOfDim(dim))
          continue;
        if (dim < numParallel) {
          counts[dim] = std::max(counts[dim], divisor);
          areInstances &= structure.getGranules()[dim] <= 1;
        }
        if (space.bounds[dim] <= 1)
          continue;
        if (space.isReduction[dim]) {
          taps.push_back(dim);
        } else {
          areInstances &= getCoefficient(expr, dim, numDims) == 1;
          position = dim;
        }
      }
      if (taps.size() != 1 ||
          std::gcd(getCoefficient(expr, taps.front(), numDims), divisor) != 1) {
        areInstances = false;
        continue;
      }
      // Classes that follow each other as taps do. Where the taps leave no room for
      // it, the first starts up to divisor - 1 positions early, which must not take
      // one more tile.
      int64_t early = llvm::mod(getConstant(expr, numDims), divisor);
      int64_t bound = position ? space.bounds[*position] : 0;
      int64_t tapBound = space.bounds[taps.front()];
      bool isInTaps = llvm::divideCeil(tapBound + (divisor - early) % divisor,
                                       divisor) ==
                      llvm::divideCeil(tapBound, divisor);
      if (position && *position + 1 == numParallel &&
          llvm::isPowerOf2_64(divisor) &&
          getCoefficient(expr, taps.front(), numDims) == -1 &&
          bound >= divisor &&
          (isInTaps || llvm::divideCeil(bound + early, shortestRow) ==
                           llvm::divideCeil(bound, shortestRow)))
        joined = divisor;
    }
  for (int64_t count : counts)
    total *= count;
  areInstances &= total > 1;
  if (!areInstances)
    joined = 1;
}
