//===- Spaces.cpp - building iteration spaces -------------------*- C++ -*-===//

#include "dialects/Fuse/Spaces.h"

using namespace mlir;
using namespace tilefuse;
using namespace tilefuse::fuse;

AffineExpr SpaceBuilder::dim(int64_t extent, bool isReduction) {
  space.bounds.push_back(extent);
  space.isReduction.push_back(isReduction);
  return getAffineDimExpr(space.bounds.size() - 1, context);
}

void SpaceBuilder::operand(ArrayRef<AffineExpr> indices, TypedAttr fill,
                           ArrayRef<int64_t> divisors) {
  OperandAccess access;
  access.map = AffineMap::get(space.bounds.size(), 0, indices, context);
  access.divisors.assign(divisors.begin(), divisors.end());
  access.divisors.resize(indices.size(), 1);
  access.fill = fill;
  space.operands.push_back(std::move(access));
}

void SpaceBuilder::result(ArrayRef<AffineExpr> indices) {
  space.results.push_back(
      AffineMap::get(space.getNumParallel(), 0, indices, context));
}

TypedAttr fuse::getZero(Type element) { return getNumberAttr(element, 0.0); }

// Dims of the result; an operand's size-1 dim is read at 0.
IterationSpace fuse::getPointwiseSpace(Operation *op) {
  auto shape = cast<RankedTensorType>(op->getResult(0).getType()).getShape();
  SpaceBuilder s(op->getContext());
  SmallVector<AffineExpr> dims;
  for (int64_t extent : shape)
    dims.push_back(s.parallel(extent));
  for (Value operand : op->getOperands()) {
    auto own = cast<RankedTensorType>(operand.getType()).getShape();
    SmallVector<AffineExpr> indices;
    size_t offset = shape.size() - own.size();
    for (size_t i = 0; i < own.size(); ++i)
      indices.push_back(own[i] == shape[offset + i] ? dims[offset + i]
                                                    : s.zero());
    s.operand(indices);
  }
  s.result(dims);
  return s.take();
}
