//===- ReduceOp.cpp - folding whole dims ------------------------*- C++ -*-===//

#include "dialects/Fuse/Combiners.h"
#include "dialects/Fuse/Inference.h"
#include "dialects/Fuse/Spaces.h"

using namespace mlir;
using namespace tilefuse;
using namespace tilefuse::fuse;

LogicalResult ReduceOp::inferReturnTypes(MLIRContext *context,
                                         std::optional<Location> loc,
                                         Adaptor adaptor,
                                         SmallVectorImpl<Type> &types) {
  Inference inference(getOperationName(), loc, types);
  if (failed(inference.checkTensors(adaptor.getOperands())))
    return failure();
  RankedTensorType input = tensorOf(adaptor.getInput());
  Type element = input.getElementType();
  if (failed(inference.checkDims(adaptor.getDims(), input.getRank())))
    return failure();
  Extents shape =
      reduceShape(input.getShape(), adaptor.getDims(), adaptor.getKeepdims());
  ReduceKind kind = adaptor.getKind();
  switch (kind) {
  case ReduceKind::sum:
  case ReduceKind::prod:
    if (element.isInteger(1))
      return inference.error("expected numbers for ", stringifyReduceKind(kind),
                             ", but found ", input, " (fuse.cast converts)");
    [[fallthrough]];
  case ReduceKind::max:
  case ReduceKind::min:
    return inference.add(shape, element);
  case ReduceKind::argmax:
    return inference.add(shape, IntegerType::get(context, 64));
  case ReduceKind::moments:
  case ReduceKind::split_moments:
    if (!isa<FloatType>(element))
      return inference.error("expected floats for ", stringifyReduceKind(kind),
                             ", but found ", input);
    for (int i = 0; i < (kind == ReduceKind::moments ? 2 : 3); ++i)
      if (failed(inference.add(shape, getWideType(element))))
        return failure();
    return success();
  }
  return failure();
}

int64_t ReduceOp::getCount() {
  int64_t count = 1;
  for (int64_t dim : getDims())
    count *= getInput().getType().getDimSize(dim);
  return count;
}

IterationSpace ReduceOp::getIterationSpace() {
  RankedTensorType input = getInput().getType();
  SpaceBuilder s(getContext());
  SmallVector<AffineExpr> indices(input.getRank()), outputs;
  auto isReduced = [&](int64_t dim) {
    return llvm::is_contained(getDims(), dim);
  };
  for (int64_t dim = 0; dim < input.getRank(); ++dim) {
    if (!isReduced(dim))
      outputs.push_back(indices[dim] = s.parallel(input.getDimSize(dim)));
    else if (getKeepdims())
      outputs.push_back(s.zero());
  }
  for (int64_t dim : getDims())
    indices[dim] = s.reduction(input.getDimSize(dim));
  s.operand(indices);
  for (unsigned i = 0; i < getNumResults(); ++i)
    s.result(outputs);
  return s.take();
}

//===----------------------------------------------------------------------===//
// States
//===----------------------------------------------------------------------===//

static bool isMoments(ReduceKind kind) {
  return kind == ReduceKind::moments || kind == ReduceKind::split_moments;
}

static Type getStateType(ReduceOp op) {
  return getWideType(op.getInput().getType().getElementType());
}

SmallVector<Type> ReduceOp::getAccumulatorTypes() {
  Type wide = getStateType(*this);
  switch (getKind()) {
  case ReduceKind::argmax:
    return {wide, IntegerType::get(getContext(), 64)};
  case ReduceKind::moments:
    return {wide, wide, wide};
  case ReduceKind::split_moments:
    return {wide, wide, wide, wide};
  default:
    return {wide};
  }
}

SmallVector<TypedAttr> ReduceOp::getNeutral() {
  Type wide = getStateType(*this);
  switch (getKind()) {
  case ReduceKind::sum:
    return {getZero(wide)};
  case ReduceKind::prod:
    return {getNumberAttr(wide, 1.0)};
  case ReduceKind::max:
    return {getExtremeNeutral(wide, 1)};
  case ReduceKind::min:
    return {getExtremeNeutral(wide, -1)};
  case ReduceKind::argmax:
    return getExtremeState(wide, 1);
  case ReduceKind::moments:
  case ReduceKind::split_moments:
    return SmallVector<TypedAttr>(getAccumulatorTypes().size(), getZero(wide));
  }
  return {};
}

// The rests of many means have either sign: their mean vanishes.
unsigned ReduceOp::getNumEssential() {
  return getKind() == ReduceKind::split_moments ? 3
                                                : getAccumulatorTypes().size();
}

bool ReduceOp::needsReductionIndex() { return getKind() == ReduceKind::argmax; }

SmallVector<Value> ReduceOp::lift(OpBuilder &b, Location loc,
                                  ValueRange elements, Value index) {
  Value value = emitCast(b, loc, elements[0], getStateType(*this));
  if (getKind() == ReduceKind::argmax)
    return {value, index};
  if (!isMoments(getKind()))
    return {value};
  ElementBuilder e(b, loc);
  Value zero = e.constant(0, value);
  SmallVector<Value> state{e.constant(1, value), value, zero};
  if (getKind() == ReduceKind::split_moments)
    state.push_back(zero);
  return state;
}

// Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for
// computing sample variances" (1979). With n = na + nb and d = mean_b - mean_a:
//   mean = mean_a + d * nb/n      m2 = m2_a + m2_b + d^2 * na * nb/n
// An empty side (n = 0 included) changes nothing. A split mean has a fourth
// part, the rest: what the sum `mean_a + step` rounds away (Dekker's fast
// two-sum) is added to the rests, which are merged as the means are.
static SmallVector<Value> combineMoments(ElementBuilder &e, ValueRange lhs,
                                         ValueRange rhs) {
  Value count = e.add(lhs[0], rhs[0]);
  Value delta = e.sub(rhs[1], lhs[1]);
  Value share = e.div(rhs[0], e.max(count, 1.0));
  Value step = e.mul(delta, share);
  Value mean = e.add(lhs[1], step);
  Value between = e.mul(e.mul(delta, delta), e.mul(lhs[0], share));
  Value m2 = e.add(e.add(lhs[2], rhs[2]), between);
  if (lhs.size() == 3)
    return {count, mean, m2};
  Value rest = e.add(lhs[3], e.mul(e.sub(rhs[3], lhs[3]), share));
  Value lost = e.sub(step, e.sub(mean, lhs[1]));
  return {count, mean, m2, e.add(rest, lost)};
}

SmallVector<Value> ReduceOp::combine(OpBuilder &b, Location loc, ValueRange lhs,
                                     ValueRange rhs) {
  ElementBuilder e(b, loc);
  switch (getKind()) {
  case ReduceKind::sum:
    return {e.add(lhs[0], rhs[0])};
  case ReduceKind::prod:
    return {e.mul(lhs[0], rhs[0])};
  case ReduceKind::max:
    return {e.max(lhs[0], rhs[0])};
  case ReduceKind::min:
    return {e.min(lhs[0], rhs[0])};
  case ReduceKind::argmax:
    return combineExtreme(e, 1, lhs, rhs);
  case ReduceKind::moments:
  case ReduceKind::split_moments:
    return combineMoments(e, lhs, rhs);
  }
  return {};
}

SmallVector<Value> ReduceOp::finalize(OpBuilder &b, Location loc,
                                      ValueRange state) {
  switch (getKind()) {
  case ReduceKind::argmax:
  case ReduceKind::moments:
    return SmallVector<Value>(state.drop_front());
  case ReduceKind::split_moments: {
    ElementBuilder e(b, loc);
    Value mean = e.add(state[1], state[3]);
    Value rest = e.sub(state[3], e.sub(mean, state[1]));
    return {mean, state[2], rest};
  }
  default:
    return {emitCast(b, loc, state[0], getInput().getType().getElementType())};
  }
}

// Two passes over the block, as a numerically careful variance has it: the mean
// first, then the deviations from it. A mean is rounded, by up to half an ulp
// of values that may be far larger than their spread, and every deviation
// inherits that error. So the second pass sums the deviations d too: their mean
// is what the first mean lacks (the "corrected two-pass algorithm" of Chan,
// Golub and LeVeque, 1983):
//   mean = mean0 + sum(d)/n      m2 = sum(d^2) - sum(d)^2/n
// A split mean keeps what that sum rounds away.
static SmallVector<Value> reduceMoments(OpBuilder &b, Location loc, Value x,
                                        bool isSplit, BlockReducer &reducer) {
  ElementBuilder e(b, loc);
  auto add = [](OpBuilder &b, Location loc, ValueRange lhs, ValueRange rhs) {
    ElementBuilder e(b, loc);
    SmallVector<Value> sums;
    for (auto [l, r] : llvm::zip(lhs, rhs))
      sums.push_back(e.add(l, r));
    return sums;
  };
  Value mask = reducer.getMask();
  auto masked = [&](Value value) {
    return mask ? e.select(mask, value, e.constant(0, value)) : value;
  };

  Value sum, count;
  if (mask) {
    SmallVector<Value> sums =
        reducer.reduce(b, loc, {masked(x), masked(e.constant(1, x))}, add);
    sum = sums[0];
    count = sums[1];
  } else {
    sum = reducer.reduce(b, loc, x, add)[0];
    auto all = cast<ShapedType>(x.getType());
    auto kept = dyn_cast<ShapedType>(sum.getType());
    int64_t elements =
        all.getNumElements() / (kept ? kept.getNumElements() : 1);
    count = e.constant(elements, sum);
  }
  Value divisor = e.max(count, 1.0);
  Value mean = e.div(sum, divisor);
  Value deviation = masked(e.sub(x, reducer.expand(b, loc, mean)));
  SmallVector<Value> sums =
      reducer.reduce(b, loc, {deviation, e.mul(deviation, deviation)}, add);
  Value missing = e.div(sums[0], divisor);
  Value better = e.add(mean, missing);
  SmallVector<Value> state{count, better,
                           e.sub(sums[1], e.mul(sums[0], missing))};
  if (isSplit)
    state.push_back(e.sub(missing, e.sub(better, mean)));
  return state;
}

SmallVector<Value> ReduceOp::reduceBlock(OpBuilder &b, Location loc,
                                         ValueRange elements,
                                         BlockReducer &reducer) {
  if (!isMoments(getKind()))
    return defaultReduceBlock(*this, b, loc, elements, reducer);
  Value x = emitCast(b, loc, elements[0], getStateType(*this));
  return reduceMoments(b, loc, x, getKind() == ReduceKind::split_moments,
                       reducer);
}
