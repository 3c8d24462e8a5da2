//===- Combiners.cpp - states of reductions ---------------------*- C++ -*-===//

#include "dialects/Fuse/Combiners.h"

using namespace mlir;
using namespace tilefuse;
using namespace tilefuse::fuse;

SmallVector<Value> fuse::combineExtreme(ElementBuilder &e, int sign,
                                        ValueRange lhs, ValueRange rhs) {
  Value a = lhs[0], b = rhs[0];
  Predicate better = sign > 0 ? Predicate::gt : Predicate::lt;
  Value takeRight = e.compare(better, b, a);
  Value equal = e.compare(Predicate::eq, a, b);
  if (isa<FloatType>(getElementTypeOrSelf(a.getType()))) {
    Value nanA = e.isNan(a), nanB = e.isNan(b);
    Value onlyB =
        e.bitAnd(nanB, e.compare(Predicate::eq, nanA, e.constant(0, nanA)));
    takeRight = e.bitOr(takeRight, onlyB);
    equal = e.bitOr(equal, e.bitAnd(nanA, nanB));
  }
  Value earlier = e.compare(Predicate::lt, rhs[1], lhs[1]);
  takeRight = e.bitOr(takeRight, e.bitAnd(equal, earlier));
  return {e.select(takeRight, b, a), e.select(takeRight, rhs[1], lhs[1])};
}

SmallVector<TypedAttr> fuse::getExtremeState(Type element, int sign) {
  Type index = IntegerType::get(element.getContext(), 64);
  return {getExtremeNeutral(element, sign),
          IntegerAttr::get(index, std::numeric_limits<int64_t>::max())};
}
