//===- WindowOps.cpp - sliding windows and their gradients ------*- C++ -*-===//

#include "dialects/Fuse/Combiners.h"
#include "dialects/Fuse/Inference.h"
#include "dialects/Fuse/Spaces.h"

using namespace mlir;
using namespace tilefuse;
using namespace tilefuse::fuse;

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

#define WINDOW_ATTRIBUTES(OP)                                                  \
  SmallVector<int64_t> OP::getStrides() {                                      \
    return valuesOr(getStride(), getWindow().size(), 1);                       \
  }                                                                            \
  SmallVector<int64_t> OP::getLows() {                                         \
    return valuesOr(getPaddingLow(), getWindow().size(), 0);                   \
  }                                                                            \
  SmallVector<int64_t> OP::getHighs() {                                        \
    return valuesOr(getPaddingHigh(), getWindow().size(), 0);                  \
  }                                                                            \
  SmallVector<int64_t> OP::getDilations() {                                    \
    return valuesOr(getDilation(), getWindow().size(), 1);                     \
  }
WINDOW_ATTRIBUTES(WindowReduceOp)
WINDOW_ATTRIBUTES(WindowSumGradOp)
WINDOW_ATTRIBUTES(WindowMaxGradOp)
#undef WINDOW_ATTRIBUTES

/// Positions in a window of these sizes; 2^31 stands for more than an i32.
static int64_t getWindowCount(ArrayRef<int64_t> window) {
  int64_t count = 1;
  for (int64_t size : window)
    count = std::min(count * size, int64_t(1) << 31);
  return count;
}

//===----------------------------------------------------------------------===//
// Checks
//===----------------------------------------------------------------------===//

/// Checks the attributes against `size`, the extents of the trailing dims, and
/// gives the number of windows per dim.
template <typename Adaptor>
static LogicalResult checkWindows(Inference &inference, Adaptor adaptor,
                                  ArrayRef<int64_t> size, Extents &out) {
  size_t rank = size.size();
  Extents stride = valuesOr(adaptor.getStride(), rank, 1);
  Extents low = valuesOr(adaptor.getPaddingLow(), rank, 0);
  Extents high = valuesOr(adaptor.getPaddingHigh(), rank, 0);
  Extents dilation = valuesOr(adaptor.getDilation(), rank, 1);
  if (failed(inference.checkList("window", adaptor.getWindow(), rank, 1)) ||
      failed(inference.checkList("stride", stride, rank, 1)) ||
      failed(inference.checkList("padding_low", low, rank, 0)) ||
      failed(inference.checkList("padding_high", high, rank, 0)) ||
      failed(inference.checkList("dilation", dilation, rank, 1)))
    return failure();
  out.assign(rank, 0);
  for (size_t i = 0; i < rank; ++i)
    if (failed(inference.windows(size[i], adaptor.getWindow()[i], stride[i],
                                 low[i], high[i], dilation[i], out[i])))
      return failure();
  return success();
}

LogicalResult WindowReduceOp::inferReturnTypes(MLIRContext *,
                                               std::optional<Location> loc,
                                               Adaptor adaptor,
                                               SmallVectorImpl<Type> &types) {
  Inference inference(getOperationName(), loc, types);
  if (failed(inference.checkTensors(adaptor.getOperands())))
    return failure();
  RankedTensorType input = tensorOf(adaptor.getInput());
  size_t spatial = adaptor.getWindow().size();
  if (spatial < 1 || static_cast<int64_t>(spatial) > input.getRank())
    return inference.error("expected a window of 1 to ", input.getRank(),
                           " dims, but found ", spatial);
  Extents windows;
  if (failed(checkWindows(inference, adaptor,
                          input.getShape().take_back(spatial), windows)))
    return failure();
  Extents shape(input.getShape().drop_back(spatial));
  shape.append(windows);
  if (failed(inference.add(shape, input.getElementType())))
    return failure();

  std::optional<Type> position = adaptor.getArgmax();
  if (!position)
    return success();
  if (adaptor.getKind() == WindowKind::sum)
    return inference.error("expected argmax with max or min, but found sum");
  if (!position->isSignlessInteger(8) && !position->isSignlessInteger(32))
    return inference.error("expected an argmax of type i8 or i32, but found ",
                           *position);
  int64_t limit = position->isInteger(8) ? 256 : (int64_t(1) << 31) - 1;
  if (getWindowCount(adaptor.getWindow()) > limit)
    return inference.error("expected a window of at most ", limit,
                           " positions for an argmax of type ", *position,
                           ", but found ", formatShape(adaptor.getWindow()));
  return inference.add(shape, *position);
}

/// The gradient of the windows' input, from that of the windows.
template <typename Adaptor>
static LogicalResult inferWindowGrad(Inference inference, Adaptor adaptor) {
  if (failed(inference.checkTensors(adaptor.getOperands())))
    return failure();
  RankedTensorType dy = tensorOf(adaptor.getDy());
  ArrayRef<int64_t> size = adaptor.getInputSize();
  if (size.size() < 1 || static_cast<int64_t>(size.size()) > dy.getRank())
    return inference.error("expected an input_size of 1 to ", dy.getRank(),
                           " dims, but found ", size.size());
  Extents windows;
  if (failed(inference.checkList("input_size", size, size.size(), 1)) ||
      failed(checkWindows(inference, adaptor, size, windows)))
    return failure();
  if (dy.getShape().take_back(size.size()) != ArrayRef<int64_t>(windows))
    return inference.error("expected gradients of ", formatShape(windows),
                           " windows, but found ", dy);
  Extents shape(dy.getShape().drop_back(size.size()));
  shape.append(size.begin(), size.end());
  return inference.add(shape, dy.getElementType());
}

LogicalResult WindowSumGradOp::inferReturnTypes(MLIRContext *,
                                                std::optional<Location> loc,
                                                Adaptor adaptor,
                                                SmallVectorImpl<Type> &types) {
  return inferWindowGrad(Inference(getOperationName(), loc, types), adaptor);
}

LogicalResult WindowMaxGradOp::inferReturnTypes(MLIRContext *,
                                                std::optional<Location> loc,
                                                Adaptor adaptor,
                                                SmallVectorImpl<Type> &types) {
  Inference inference(getOperationName(), loc, types);
  if (failed(inferWindowGrad(inference, adaptor)))
    return failure();
  RankedTensorType dy = tensorOf(adaptor.getDy());
  RankedTensorType argmax = tensorOf(adaptor.getArgmax());
  if (argmax.getShape() != dy.getShape())
    return inference.error("expected one position per gradient, but found ", dy,
                           " and ", argmax);
  Type element = argmax.getElementType();
  if (element.isInteger(64))
    return inference.error("expected positions of type i8 or i32, but found ",
                           argmax);
  int64_t limit = element.isInteger(8) ? 256 : (int64_t(1) << 31) - 1;
  if (getWindowCount(adaptor.getWindow()) > limit)
    return inference.error("expected a window of at most ", limit,
                           " positions for ", argmax, ", but found ",
                           formatShape(adaptor.getWindow()));
  return success();
}

//===----------------------------------------------------------------------===//
// Iteration spaces
//===----------------------------------------------------------------------===//

IterationSpace WindowReduceOp::getIterationSpace() {
  RankedTensorType input = getInput().getType();
  auto output = cast<RankedTensorType>(getResult(0).getType()).getShape();
  size_t lead = output.size() - getWindow().size();
  SpaceBuilder s(getContext());
  SmallVector<AffineExpr> dims, indices;
  for (int64_t extent : output)
    dims.push_back(s.parallel(extent));
  indices.assign(dims.begin(), dims.begin() + lead);

  Extents stride = getStrides(), low = getLows(), high = getHighs(),
          dilation = getDilations();
  bool padded = false;
  for (auto [i, size] : llvm::enumerate(getWindow())) {
    indices.push_back(dims[lead + i] * stride[i] +
                      s.reduction(size) * dilation[i] - low[i]);
    padded |= low[i] != 0 || high[i] != 0;
  }
  Type element = input.getElementType();
  TypedAttr fill;
  if (padded)
    fill =
        getKind() == WindowKind::sum
            ? getZero(element)
            : getExtremeNeutral(element, getKind() == WindowKind::max ? 1 : -1);
  s.operand(indices, fill);
  for (unsigned i = 0; i < getNumResults(); ++i)
    s.result(dims);
  return s.take();
}

template <typename GradOp> static IterationSpace getWindowGradSpace(GradOp op) {
  ArrayRef<int64_t> output = op.getResult().getType().getShape();
  size_t lead = output.size() - op.getWindow().size();
  SpaceBuilder s(op.getContext());
  SmallVector<AffineExpr> dims, indices;
  for (int64_t extent : output)
    dims.push_back(s.parallel(extent));
  indices.assign(dims.begin(), dims.begin() + lead);

  Extents stride = op.getStrides(), low = op.getLows(),
          dilation = op.getDilations(), divisors(lead, 1);
  for (auto [i, size] : llvm::enumerate(op.getWindow())) {
    indices.push_back(dims[lead + i] + low[i] -
                      s.reduction(size) * dilation[i]);
    divisors.push_back(stride[i]);
  }
  for (Value operand : op->getOperands())
    s.operand(indices, getZero(tensorOf(operand).getElementType()), divisors);
  s.result(dims);
  return s.take();
}

IterationSpace WindowSumGradOp::getIterationSpace() {
  return getWindowGradSpace(*this);
}
IterationSpace WindowMaxGradOp::getIterationSpace() {
  return getWindowGradSpace(*this);
}

//===----------------------------------------------------------------------===//
// States
//===----------------------------------------------------------------------===//

static int getSign(WindowKind kind) { return kind == WindowKind::max ? 1 : -1; }

SmallVector<Type> WindowReduceOp::getAccumulatorTypes() {
  Type wide = getWideType(getInput().getType().getElementType());
  if (getArgmax())
    return {wide, IntegerType::get(getContext(), 64)};
  return {wide};
}

SmallVector<TypedAttr> WindowReduceOp::getNeutral() {
  Type wide = getWideType(getInput().getType().getElementType());
  if (getArgmax())
    return getExtremeState(wide, getSign(getKind()));
  if (getKind() == WindowKind::sum)
    return {getZero(wide)};
  return {getExtremeNeutral(wide, getSign(getKind()))};
}

bool WindowReduceOp::needsReductionIndex() { return getArgmax().has_value(); }

SmallVector<Value> WindowReduceOp::lift(OpBuilder &b, Location loc,
                                        ValueRange elements, Value index) {
  Type wide = getWideType(getInput().getType().getElementType());
  Value value = emitCast(b, loc, elements[0], wide);
  if (getArgmax())
    return {value, index};
  return {value};
}

SmallVector<Value> WindowReduceOp::combine(OpBuilder &b, Location loc,
                                           ValueRange lhs, ValueRange rhs) {
  ElementBuilder e(b, loc);
  if (getArgmax())
    return combineExtreme(e, getSign(getKind()), lhs, rhs);
  switch (getKind()) {
  case WindowKind::max:
    return {e.max(lhs[0], rhs[0])};
  case WindowKind::min:
    return {e.min(lhs[0], rhs[0])};
  case WindowKind::sum:
    return {e.add(lhs[0], rhs[0])};
  }
  return {};
}

SmallVector<Value> WindowReduceOp::finalize(OpBuilder &b, Location loc,
                                            ValueRange state) {
  SmallVector<Value> results;
  for (auto [value, result] : llvm::zip(state, getResults()))
    results.push_back(
        emitCast(b, loc, value, getElementTypeOrSelf(result.getType())));
  return results;
}

#define GRADIENT_STATE(OP)                                                     \
  SmallVector<Type> OP::getAccumulatorTypes() {                                \
    return {getWideType(getDy().getType().getElementType())};                  \
  }                                                                            \
  SmallVector<TypedAttr> OP::getNeutral() {                                    \
    return {getZero(getWideType(getDy().getType().getElementType()))};         \
  }                                                                            \
  SmallVector<Value> OP::combine(OpBuilder &b, Location loc, ValueRange lhs,   \
                                 ValueRange rhs) {                             \
    return {ElementBuilder(b, loc).add(lhs[0], rhs[0])};                       \
  }                                                                            \
  SmallVector<Value> OP::finalize(OpBuilder &b, Location loc,                  \
                                  ValueRange state) {                          \
    return {emitCast(b, loc, state[0], getDy().getType().getElementType())};   \
  }
GRADIENT_STATE(WindowSumGradOp)
GRADIENT_STATE(WindowMaxGradOp)
#undef GRADIENT_STATE

SmallVector<Value> WindowSumGradOp::lift(OpBuilder &b, Location loc,
                                         ValueRange elements, Value) {
  return {emitCast(b, loc, elements[0],
                   getWideType(getDy().getType().getElementType()))};
}

bool WindowMaxGradOp::needsReductionIndex() { return true; }

// An i8 position above 127 compares equal as bits.
SmallVector<Value> WindowMaxGradOp::lift(OpBuilder &b, Location loc,
                                         ValueRange elements, Value index) {
  ElementBuilder e(b, loc);
  Value dy = emitCast(b, loc, elements[0],
                      getWideType(getDy().getType().getElementType()));
  Value position =
      emitCast(b, loc, index, getElementTypeOrSelf(elements[1].getType()));
  Value chosen = e.compare(Predicate::eq, elements[1], position);
  return {e.select(chosen, dy, e.constant(0, dy))};
}
