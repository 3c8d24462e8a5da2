//===- OneTerm.cpp - reductions of at most one term -------------*- C++ -*-===//

#include "dialects/Fuse/OneTerm.h"
#include "dialects/Fuse/Fuse.h"

using namespace mlir;
using namespace tilefuse;

/// The coefficient of a dim in a linear expression.
static int64_t getCoefficient(AffineExpr expr, unsigned dim) {
  if (auto own = dyn_cast<AffineDimExpr>(expr))
    return own.getPosition() == dim ? 1 : 0;
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary)
    return 0;
  if (expr.getKind() == AffineExprKind::Add)
    return getCoefficient(binary.getLHS(), dim) +
           getCoefficient(binary.getRHS(), dim);
  auto factor = dyn_cast<AffineConstantExpr>(binary.getRHS());
  return expr.getKind() == AffineExprKind::Mul && factor
             ? getCoefficient(binary.getLHS(), dim) * factor.getValue()
             : 0;
}

bool fuse::readsOneTerm(Operation *op) {
  auto spaced = dyn_cast_or_null<IterationSpaceOpInterface>(op);
  if (!spaced || !isa<ReductionOpInterface>(op) || op->getNumResults() != 1)
    return false;
  IterationSpace space = spaced.getIterationSpace();
  if (space.operands.empty() || !space.results[0].isIdentity() ||
      space.getNumReduction() == 0)
    return false;
  unsigned numParallel = space.getNumParallel();
  const OperandAccess &first = space.operands.front();
  for (const OperandAccess &access : space.operands)
    if (access.map != first.map || access.divisors != first.divisors ||
        !access.fill || access.map.getNumResults() != numParallel)
      return false;
  for (unsigned dim = numParallel; dim < space.bounds.size(); ++dim) {
    bool divided = false;
    for (auto [position, expr] : llvm::enumerate(first.map.getResults())) {
      if (!expr.isFunctionOfDim(dim))
        continue;
      if (divided || first.divisors.empty() ||
          space.bounds[dim] > first.divisors[position] ||
          getCoefficient(expr, dim) != -1)
        return false;
      divided = true;
    }
    if (!divided && space.bounds[dim] != 1)
      return false;
  }
  // Result dim p by itself along operand dim p.
  for (auto [position, expr] : llvm::enumerate(first.map.getResults()))
    for (unsigned dim = 0; dim < numParallel; ++dim)
      if (getCoefficient(expr, dim) != (dim == position ? 1 : 0))
        return false;
  return true;
}
