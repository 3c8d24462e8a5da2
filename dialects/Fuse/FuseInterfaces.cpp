//===- FuseInterfaces.cpp - default methods of interfaces -------*- C++ -*-===//

#include "dialects/Fuse/ElementBuilder.h"
#include "dialects/Fuse/Fuse.h"

using namespace mlir;
using namespace tilefuse;
using namespace tilefuse::fuse;

#include "dialects/Fuse/FuseInterfaces.cpp.inc"

SmallVector<Value> fuse::defaultReduceBlock(Operation *op, OpBuilder &b,
                                            Location loc, ValueRange elements,
                                            BlockReducer &reducer) {
  auto reduction = cast<ReductionOpInterface>(op);
  Value index;
  if (reduction.needsReductionIndex())
    index = reducer.getIndex(b, loc);
  SmallVector<Value> state = reduction.lift(b, loc, elements, index);

  // Elements outside the iteration space count as no elements.
  if (Value mask = reducer.getMask()) {
    for (auto [value, neutral] : llvm::zip(state, reduction.getNeutral())) {
      Value none = createBlockConstant(b, loc, value.getType(), neutral);
      value = arith::SelectOp::create(b, loc, mask, value, none);
    }
  }
  return reducer.reduce(
      b, loc, state,
      [&](OpBuilder &b, Location loc, ValueRange lhs, ValueRange rhs) {
        return reduction.combine(b, loc, lhs, rhs);
      });
}
