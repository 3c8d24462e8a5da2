//===- JoinClasses.cpp - residue classes as columns of a product -*- C++ -*-===//
//
// The residue classes of a transposed convolution (ResidueSplitting.h) read the
// same elements of x, each with taps of its own. With taps r = u + s*t and
// positions i = s*q + u + k, where k makes the division exact,
//
//   (i + p - r)/s = q - t + (k + p)/s        whatever the class u is.
//
// So the class is a parallel dim like a channel: the weights have it, x does not,
//
//   out[oc, q, u] = sum over ci, t of w[ci, oc, u + s*t] * x[ci, q - t + ...]
//
// and a product of pixels by s times as many columns makes all classes at once. Its
// result, seen as s*q + u, is a row of neighbours, stored in whole sectors, where a
// class by itself would store every s-th element. Each fragment of x is loaded once
// for all classes; weights are s times as many in a step.
//
// The first class starts up to s - 1 positions in front of the first element. Where
// the number of taps leaves room for it, taps start in front of the first instead,
// r = u + s*t + r0 with r0 <= 0: weights outside of the filter are loaded as zeros.
//
//===----------------------------------------------------------------------===//

#include "passes/Tiling/JoinClasses.h"
#include "passes/Tiling/ResidueSplitting.h"

using namespace mlir;
using namespace tilefuse;

bool tilefuse::canJoinClasses(const SpaceForm &form, unsigned dim) {
  std::optional<ResidueTap> tap = getResidueTap(form, dim);
  // Classes must follow each other as their taps do, all with as many, and be
  // columns that fragments can be made of.
  if (!tap || tap->factor != -1 || form.results.size() != 1 ||
      !llvm::isPowerOf2_64(tap->divisor) ||
      form.getBound(dim) < tap->divisor)
    return false;
  for (const auto &dimForm : form.results.front().dims)
    if (!dimForm || (dimForm->coefficients[dim] != 0 &&
                     dimForm->getDims() != SmallVector<unsigned>{dim}))
      return false;
  return true;
}

/// By how much the first tap of the first class lies in front of them: weights out
/// there are zero.
static int64_t getJoinedTap(const SpaceForm &form, const ResidueTap &tap) {
  int64_t early = llvm::mod(-tap.constant, tap.divisor);
  int64_t bound = form.getBound(tap.tap);
  bool hasRoom = llvm::divideCeil(bound + early, tap.divisor) ==
                 llvm::divideCeil(bound, tap.divisor);
  return hasRoom ? -early : 0;
}

int64_t tilefuse::getJoinedStart(const SpaceForm &form, unsigned dim) {
  ResidueTap tap = *getResidueTap(form, dim);
  int64_t constant = tap.constant - getJoinedTap(form, tap);
  int64_t whole = llvm::divideFloorSigned(constant, tap.divisor);
  return whole * tap.divisor - constant;
}

bool tilefuse::isJoined(const SpaceForm &form, unsigned dim,
                        const SliceDim &part) {
  if (part.step != 1 || !canJoinClasses(form, dim))
    return false;
  int64_t divisor = getResidueTap(form, dim)->divisor;
  Coord shifted = part.base + Coord(-getJoinedStart(form, dim));
  return part.extent % divisor == 0 && shifted.divideExactly(divisor);
}

SmallVector<unsigned> tilefuse::getClassesFirst(ArrayRef<unsigned> dims,
                                                unsigned numClassDims) {
  SmallVector<unsigned> order;
  for (bool isClass : {true, false})
    llvm::copy_if(dims, std::back_inserter(order), [&](unsigned dim) {
      return (dim < numClassDims) == isClass;
    });
  return order;
}

/// The same index with dim 0 in front of all others.
static void addFrontDim(LinearForm &index) {
  index.coefficients.insert(index.coefficients.begin(), 0);
}

std::optional<JoinedSpace> tilefuse::joinClasses(const SpaceForm &form,
                                                 ArrayRef<SliceDim> iterations) {
  std::optional<unsigned> joined;
  for (unsigned dim = 0; dim < form.getNumDims(); ++dim)
    if (!form.isReduction(dim) && iterations[dim].extent > 1 &&
        isJoined(form, dim, iterations[dim]))
      joined = dim;
  if (!joined)
    return std::nullopt;
  ResidueTap tap = *getResidueTap(form, *joined);
  int64_t start = getJoinedStart(form, *joined), divisor = tap.divisor;
  int64_t firstTap = getJoinedTap(form, tap);
  JoinedSpace space{form, Slice(iterations)};
  unsigned dim = *joined + 1, tapDim = tap.tap + 1;
  for (auto *accesses : {&space.form.operands, &space.form.results})
    for (AccessForm &access : *accesses)
      for (auto [index, by] : llvm::zip(access.dims, access.divisors)) {
        if (!index)
          continue;
        addFrontDim(*index);
        int64_t position = index->coefficients[dim];
        int64_t taps = index->coefficients[tapDim];
        // dim = divisor * dim + class + start, tap = firstTap + class + divisor * tap
        index->coefficients[0] = position + taps;
        index->coefficients[dim] *= divisor;
        index->coefficients[tapDim] *= divisor;
        index->constant += position * start + taps * firstTap;
        // Everything in the index of the division is a multiple now.
        if (by == 1 || position == 0)
          continue;
        for (int64_t &coefficient : index->coefficients)
          coefficient /= by;
        index->constant /= by;
        by = 1;
      }
  fuse::IterationSpace &domain = space.form.space;
  domain.bounds[*joined] =
      llvm::divideCeil(domain.bounds[*joined] - start, divisor);
  domain.bounds[tap.tap] =
      llvm::divideCeil(domain.bounds[tap.tap] - firstTap, divisor);
  domain.bounds.insert(domain.bounds.begin(), divisor);
  domain.isReduction.insert(domain.isReduction.begin(), false);
  space.form.skewed.insert(space.form.skewed.begin(), false);
  SliceDim &part = space.iterations[*joined];
  part = {*(part.base + Coord(-start)).divideExactly(divisor),
          part.extent / divisor, 1};
  space.iterations.insert(space.iterations.begin(), SliceDim{0, divisor, 1});
  return space;
}
