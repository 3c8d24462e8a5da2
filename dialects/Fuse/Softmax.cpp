//===- Softmax.cpp - softmax, its logarithm, means --------------*- C++ -*-===//

#include "dialects/Fuse/GraphBuilder.h"

using namespace mlir;
using namespace tilefuse;
using namespace tilefuse::fuse;

//===----------------------------------------------------------------------===//
// Checks
//===----------------------------------------------------------------------===//

template <typename Adaptor>
static LogicalResult inferSoftmax(Inference inference, Adaptor adaptor) {
  if (failed(inference.checkTensors(adaptor.getOperands())))
    return failure();
  RankedTensorType x = tensorOf(adaptor.getX());
  if (failed(inference.checkDim(adaptor.getDim(), x.getRank())))
    return failure();
  inference.types.push_back(x);
  return success();
}

LogicalResult SoftmaxOp::inferReturnTypes(MLIRContext *,
                                          std::optional<Location> loc,
                                          Adaptor adaptor,
                                          SmallVectorImpl<Type> &types) {
  return inferSoftmax(Inference(getOperationName(), loc, types), adaptor);
}

LogicalResult LogSoftmaxOp::inferReturnTypes(MLIRContext *,
                                             std::optional<Location> loc,
                                             Adaptor adaptor,
                                             SmallVectorImpl<Type> &types) {
  return inferSoftmax(Inference(getOperationName(), loc, types), adaptor);
}

template <typename Adaptor>
static LogicalResult inferFloatReduction(Inference inference, Adaptor adaptor) {
  if (failed(inference.checkTensors(adaptor.getOperands())))
    return failure();
  RankedTensorType x = tensorOf(adaptor.getX());
  if (failed(inference.checkDims(adaptor.getDims(), x.getRank())))
    return failure();
  return inference.add(
      reduceShape(x.getShape(), adaptor.getDims(), adaptor.getKeepdims()),
      x.getElementType());
}

LogicalResult LogSumExpOp::inferReturnTypes(MLIRContext *,
                                            std::optional<Location> loc,
                                            Adaptor adaptor,
                                            SmallVectorImpl<Type> &types) {
  return inferFloatReduction(Inference(getOperationName(), loc, types),
                             adaptor);
}

LogicalResult MeanOp::inferReturnTypes(MLIRContext *,
                                       std::optional<Location> loc,
                                       Adaptor adaptor,
                                       SmallVectorImpl<Type> &types) {
  return inferFloatReduction(Inference(getOperationName(), loc, types),
                             adaptor);
}

//===----------------------------------------------------------------------===//
// Decomposition
//===----------------------------------------------------------------------===//

// The shift cancels out of the result, and so out of its derivative.
static Value getShift(GraphBuilder &g, Value x, ArrayRef<int64_t> dims) {
  Value maximum = g.reduce(ReduceKind::max, x, dims, true)[0];
  Operation *op = maximum.getDefiningOp();
  op->setAttr("fuse.stop_gradient", UnitAttr::get(op->getContext()));
  return maximum;
}

// The sum lies between 1 and the extent of the dim, so its reciprocal is safe:
// one division per sum instead of one per element.
SmallVector<Value> SoftmaxOp::decompose(OpBuilder &b) {
  GraphBuilder g(b, getLoc());
  int64_t dim = getDim();
  Value x = g.widen(getX());
  Value shifted = g.sub(x, getShift(g, x, dim));
  Value exponential = g.unary<ExpOp>(shifted);
  Value sum = g.reduce(ReduceKind::sum, exponential, dim, true)[0];
  return {g.cast(g.mul(exponential, g.unary<ReciprocalOp>(sum)),
                 getX().getType().getElementType())};
}

SmallVector<Value> LogSoftmaxOp::decompose(OpBuilder &b) {
  GraphBuilder g(b, getLoc());
  int64_t dim = getDim();
  Value x = g.widen(getX());
  Value shifted = g.sub(x, getShift(g, x, dim));
  Value sum = g.reduce(ReduceKind::sum, g.unary<ExpOp>(shifted), dim, true)[0];
  return {g.cast(g.sub(shifted, g.unary<LogOp>(sum)),
                 getX().getType().getElementType())};
}

// Where the maximum is infinite, shifting by it would give NaN: shift by 0.
SmallVector<Value> LogSumExpOp::decompose(OpBuilder &b) {
  GraphBuilder g(b, getLoc());
  Value x = g.widen(getX());
  Value maximum = getShift(g, x, getDims());
  Value infinity = g.scalar(x, std::numeric_limits<double>::infinity());
  Value isInfinite = CompareOp::create(b, getLoc(), Predicate::eq,
                                       g.unary<AbsOp>(maximum), infinity);
  Value shift =
      SelectOp::create(b, getLoc(), isInfinite, g.scalar(x, 0), maximum);
  Value sum = g.reduce(ReduceKind::sum, g.unary<ExpOp>(g.sub(x, shift)),
                       getDims(), true)[0];
  Value y = g.add(g.unary<LogOp>(sum), shift);
  y = g.cast(y, getX().getType().getElementType());
  return {g.reshape(y, getY().getType().getShape())};
}

SmallVector<Value> MeanOp::decompose(OpBuilder &b) {
  GraphBuilder g(b, getLoc());
  RankedTensorType from = getX().getType(), to = getY().getType();
  Value x = g.widen(getX());
  Value sum = g.reduce(ReduceKind::sum, x, getDims(), getKeepdims())[0];
  int64_t elements = from.getNumElements() / to.getNumElements();
  auto count = static_cast<double>(elements);
  return {g.cast(g.div(sum, count), from.getElementType())};
}
