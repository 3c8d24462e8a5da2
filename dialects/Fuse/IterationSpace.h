//===- IterationSpace.h - how an op reads its operands ----------*- C++ -*-===//
//
// The affine picture of a `fuse` op that fusion, cost and tiling work on.
//
// An op's iteration space has one dim per parallel result dim and one per
// reduction dim. Each operand is read at an affine function of the dims; where
// the index leaves the operand's bounds, or is not divisible by the divisor,
// the operand contributes its fill value.
//
// Worked example, conv2d of x[N,Ci,H,W] with w[Co,Ci,R,S], stride s, padding p,
// dilation d, one group:
//   dims (n, co, oh, ow | ci, r, s)   kinds (par, par, par, par | red, red, red)
//   x: (n, ci, oh*s + r*d - p, ow*s + s*d - p)   fill 0
//   w: (co, ci, r, s)
//   result: (n, co, oh, ow)
// Its transpose reads x at ((oh + p - r*d) / s): map oh + p - r*d, divisor s.
//
//===----------------------------------------------------------------------===//
#ifndef TILEFUSE_DIALECTS_FUSE_ITERATIONSPACE_H
#define TILEFUSE_DIALECTS_FUSE_ITERATIONSPACE_H

#include "mlir/IR/AffineMap.h"
#include "mlir/IR/Attributes.h"
#include "llvm/ADT/SmallVector.h"

namespace tilefuse::fuse {

/// How one operand is read.
struct OperandAccess {
  /// Iteration dims -> one numerator per operand dim.
  mlir::AffineMap map;
  /// One divisor per operand dim; the index is numerator / divisor and the
  /// element counts only when the division is exact. All 1 for most ops.
  llvm::SmallVector<int64_t> divisors;
  /// Value outside the operand's bounds; null when every index is in bounds.
  mlir::TypedAttr fill;

  /// True when the read is a pure renaming of dims: in bounds, no division.
  bool isProjectedPermutation() const {
    return !fill && map.isProjectedPermutation(/*allowZeroInResults=*/true) &&
           llvm::all_of(divisors, [](int64_t d) { return d == 1; });
  }
};

/// The iteration space of one op.
struct IterationSpace {
  /// Extent of each dim.
  llvm::SmallVector<int64_t> bounds;
  /// Per dim: true when it is a reduction dim. Parallel dims come first.
  llvm::SmallVector<bool> isReduction;
  /// Per operand.
  llvm::SmallVector<OperandAccess> operands;
  /// Per result: parallel dims -> result index.
  llvm::SmallVector<mlir::AffineMap> results;

  unsigned getNumParallel() const {
    return llvm::count(isReduction, false);
  }
  unsigned getNumReduction() const { return llvm::count(isReduction, true); }
};

} // namespace tilefuse::fuse

#endif // TILEFUSE_DIALECTS_FUSE_ITERATIONSPACE_H
