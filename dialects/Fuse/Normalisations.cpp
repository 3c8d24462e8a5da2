//===- Normalisations.cpp - batch, layer and group norm ---------*- C++ -*-===//
//
// All rest on `reduce moments`: the mean and the sum of squared deviations,
// which no cancellation spoils. The normalised value is
// `(x - mean) * (rsqrt(var + eps) * gamma) + beta`; subtracting first keeps the
// digits that the form x * scale + shift would lose where |mean| is large
// against the deviation.
//
//===----------------------------------------------------------------------===//

#include "dialects/Fuse/GraphBuilder.h"

using namespace mlir;
using namespace tilefuse;
using namespace tilefuse::fuse;

//===----------------------------------------------------------------------===//
// Checks
//===----------------------------------------------------------------------===//

static LogicalResult checkEps(Inference &inference, APFloat eps) {
  double value = eps.convertToDouble();
  if (!(value >= 0) || !std::isfinite(value))
    return inference.error("expected a finite eps of 0 or more, but found ",
                           value);
  return success();
}

/// A parameter of this shape, of x's element type or of the type it computes
/// in.
static LogicalResult checkParameter(Inference &inference, StringRef name,
                                    Value parameter, RankedTensorType x,
                                    ArrayRef<int64_t> shape) {
  RankedTensorType type = tensorOf(parameter);
  Type element = type.getElementType();
  if (type.getShape() != shape || (element != x.getElementType() &&
                                   element != getWideType(x.getElementType())))
    return inference.error("expected ", name, " of shape ", formatShape(shape),
                           " and x's element type or f32, but found ", type);
  return success();
}

/// x of rank 2 or more, and parameters per channel, all of one type.
static LogicalResult checkBatchNorm(Inference &inference, ValueRange operands,
                                    ArrayRef<StringRef> names, APFloat eps) {
  if (failed(inference.checkTensors(operands)) ||
      failed(checkEps(inference, eps)))
    return failure();
  RankedTensorType x = tensorOf(operands[0]);
  if (x.getRank() < 2)
    return inference.error("expected x of rank 2 or more, but found ", x);
  for (auto [name, operand] : llvm::zip(names, operands.drop_front()))
    if (failed(checkParameter(inference, name, operand, x, {x.getDimSize(1)})))
      return failure();
  return inference.checkSameElements(operands.drop_front());
}

LogicalResult BatchNormOp::inferReturnTypes(MLIRContext *,
                                            std::optional<Location> loc,
                                            Adaptor adaptor,
                                            SmallVectorImpl<Type> &types) {
  Inference inference(getOperationName(), loc, types);
  if (failed(checkBatchNorm(inference, adaptor.getOperands(),
                            {"gamma", "beta", "running_mean", "running_var"},
                            adaptor.getEps())))
    return failure();
  double momentum = adaptor.getMomentum().convertToDouble();
  if (!(momentum >= 0 && momentum <= 1))
    return inference.error("expected a momentum from 0 to 1, but found ",
                           momentum);
  RankedTensorType x = tensorOf(adaptor.getX());
  if (x.getNumElements() == x.getDimSize(1))
    return inference.error("expected more than one value per channel when "
                           "training, but found ",
                           x);
  types.append({x, adaptor.getRunningMean().getType(),
                adaptor.getRunningVar().getType()});
  return success();
}

LogicalResult BatchNormInferenceOp::inferReturnTypes(
    MLIRContext *, std::optional<Location> loc, Adaptor adaptor,
    SmallVectorImpl<Type> &types) {
  Inference inference(getOperationName(), loc, types);
  if (failed(checkBatchNorm(inference, adaptor.getOperands(),
                            {"gamma", "beta", "mean", "var"},
                            adaptor.getEps())))
    return failure();
  types.push_back(adaptor.getX().getType());
  return success();
}

LogicalResult LayerNormOp::inferReturnTypes(MLIRContext *,
                                            std::optional<Location> loc,
                                            Adaptor adaptor,
                                            SmallVectorImpl<Type> &types) {
  Inference inference(getOperationName(), loc, types);
  if (failed(inference.checkTensors(adaptor.getOperands())) ||
      failed(checkEps(inference, adaptor.getEps())))
    return failure();
  RankedTensorType x = tensorOf(adaptor.getX());
  int64_t count = adaptor.getNumDims();
  if (count < 1 || count > x.getRank())
    return inference.error("expected num_dims from 1 to ", x.getRank(),
                           ", but found ", count);
  ArrayRef<int64_t> shape = x.getShape().take_back(count);
  if (Value gamma = adaptor.getGamma())
    if (failed(checkParameter(inference, "gamma", gamma, x, shape)))
      return failure();
  if (Value beta = adaptor.getBeta())
    if (failed(checkParameter(inference, "beta", beta, x, shape)))
      return failure();
  types.push_back(x);
  return success();
}

LogicalResult GroupNormOp::inferReturnTypes(MLIRContext *,
                                            std::optional<Location> loc,
                                            Adaptor adaptor,
                                            SmallVectorImpl<Type> &types) {
  Inference inference(getOperationName(), loc, types);
  if (failed(inference.checkTensors(adaptor.getOperands())) ||
      failed(checkEps(inference, adaptor.getEps())))
    return failure();
  RankedTensorType x = tensorOf(adaptor.getX());
  int64_t groups = adaptor.getGroups();
  if (x.getRank() < 2)
    return inference.error("expected x of rank 2 or more, but found ", x);
  if (groups < 1 || x.getDimSize(1) % groups != 0)
    return inference.error("expected groups that divide ", x.getDimSize(1),
                           " channels, but found ", groups);
  if (Value gamma = adaptor.getGamma())
    if (failed(checkParameter(inference, "gamma", gamma, x, {x.getDimSize(1)})))
      return failure();
  if (Value beta = adaptor.getBeta())
    if (failed(checkParameter(inference, "beta", beta, x, {x.getDimSize(1)})))
      return failure();
  types.push_back(x);
  return success();
}

//===----------------------------------------------------------------------===//
// Decomposition
//===----------------------------------------------------------------------===//

/// All dims but the channels', dim 1.
static Extents dimsButChannel(int64_t rank) {
  Extents dims;
  for (int64_t dim = 0; dim < rank; ++dim)
    if (dim != 1)
      dims.push_back(dim);
  return dims;
}

namespace {
/// Mean and sum of squared deviations of `x` over `dims`. An f32 mean is rounded
/// by up to half an ulp of values that may be far larger than their spread, which
/// would be added to every deviation from it: `rest` is what it lacks. Null for
/// f64, whose digits do.
struct Moments {
  Value mean, m2, rest;
};
} // namespace

static Moments getMoments(GraphBuilder &g, Value x, ArrayRef<int64_t> dims,
                          bool keepdims) {
  bool isSplit = !tensorOf(x).getElementType().isF64();
  auto results =
      g.reduce(isSplit ? ReduceKind::split_moments : ReduceKind::moments, x,
               dims, keepdims);
  return {results[0], results[1], isSplit ? results[2] : Value()};
}

/// (x - mean) * scale + beta
static Value normalise(GraphBuilder &g, Value x, Value mean, Value scale,
                       Value beta) {
  Value y = g.mul(g.sub(x, mean), scale);
  return beta ? g.add(y, beta) : y;
}

/// (1 - momentum) * running + momentum * batch, in running's type.
static Value moveTowards(GraphBuilder &g, Value running, Value batch,
                         double momentum) {
  Type wide = tensorOf(batch).getElementType();
  Value moved =
      g.add(g.mul(g.cast(running, wide), 1 - momentum), g.mul(batch, momentum));
  return g.cast(moved, tensorOf(running).getElementType());
}

SmallVector<Value> BatchNormOp::decompose(OpBuilder &b) {
  GraphBuilder g(b, getLoc());
  RankedTensorType type = getX().getType();
  int64_t rank = type.getRank();
  int64_t elements = type.getNumElements() / type.getDimSize(1);
  auto count = static_cast<double>(elements);
  double momentum = getMomentum().convertToDouble();

  Value x = g.widen(getX());
  Type wide = tensorOf(x).getElementType();
  auto [mean, m2, rest] = getMoments(g, x, dimsButChannel(rank), false);
  Value scale = g.mul(
      g.unary<RsqrtOp>(g.add(g.div(m2, count), getEps().convertToDouble())),
      g.cast(getGamma(), wide));
  // Per channel, the rest of the mean goes into beta and costs no element
  // anything. It is a rounding, so it has no derivative.
  Value shift = g.cast(getBeta(), wide);
  if (rest) {
    Value correction = g.mul(rest, scale);
    correction.getDefiningOp()->setAttr("fuse.stop_gradient",
                                        b.getUnitAttr());
    shift = g.sub(shift, correction);
  }
  Value y = normalise(g, x, g.perChannel(mean, rank), g.perChannel(scale, rank),
                      g.perChannel(shift, rank));
  // The running variance is unbiased.
  return {g.cast(y, type.getElementType()),
          moveTowards(g, getRunningMean(), mean, momentum),
          moveTowards(g, getRunningVar(), g.div(m2, count - 1), momentum)};
}

SmallVector<Value> BatchNormInferenceOp::decompose(OpBuilder &b) {
  GraphBuilder g(b, getLoc());
  RankedTensorType type = getX().getType();
  int64_t rank = type.getRank();
  Value x = g.widen(getX());
  Type wide = tensorOf(x).getElementType();
  Value scale = g.mul(g.unary<RsqrtOp>(g.add(g.cast(getVar(), wide),
                                             getEps().convertToDouble())),
                      g.cast(getGamma(), wide));
  Value y = normalise(g, x, g.perChannel(g.cast(getMean(), wide), rank),
                      g.perChannel(scale, rank),
                      g.perChannel(g.cast(getBeta(), wide), rank));
  return {g.cast(y, type.getElementType())};
}

/// Normalises `x` over `dims`, with parameters that broadcast against it.
static Value normaliseOver(GraphBuilder &g, Value x, ArrayRef<int64_t> dims,
                           double eps, Value gamma, Value beta) {
  Type element = tensorOf(x).getElementType();
  x = g.widen(x);
  Type wide = tensorOf(x).getElementType();
  double count = 1;
  for (int64_t dim : dims)
    count *= tensorOf(x).getDimSize(dim);
  auto [mean, m2, rest] = getMoments(g, x, dims, true);
  Value scale = g.unary<RsqrtOp>(g.add(g.div(m2, count), eps));
  Value centred = g.sub(x, mean);
  if (rest)
    centred = g.sub(centred, rest);
  Value y = g.mul(centred, scale);
  if (gamma)
    y = g.mul(y, g.cast(gamma, wide));
  if (beta)
    y = g.add(y, g.cast(beta, wide));
  return g.cast(y, element);
}

SmallVector<Value> LayerNormOp::decompose(OpBuilder &b) {
  GraphBuilder g(b, getLoc());
  int64_t rank = getX().getType().getRank();
  Extents dims;
  for (int64_t dim = rank - static_cast<int64_t>(getNumDims()); dim < rank;
       ++dim)
    dims.push_back(dim);
  return {normaliseOver(g, getX(), dims, getEps().convertToDouble(), getGamma(),
                        getBeta())};
}

// x as N x groups x C/groups x ..., parameters as groups x C/groups x 1...; one
// channel a group, or one group, needs no new dim.
SmallVector<Value> GroupNormOp::decompose(OpBuilder &b) {
  GraphBuilder g(b, getLoc());
  RankedTensorType type = getX().getType();
  int64_t rank = type.getRank(), channels = type.getDimSize(1);
  int64_t groups = getGroups();
  Extents shape(type.getShape());
  if (groups != 1 && groups != channels) {
    shape[1] = channels / groups;
    shape.insert(shape.begin() + 1, groups);
  }
  Extents dims;
  for (int64_t dim = groups == 1 ? 1 : 2;
       dim < static_cast<int64_t>(shape.size()); ++dim)
    dims.push_back(dim);
  Extents parameterShape(shape.begin() + 1, shape.end());
  for (int64_t i = parameterShape.size() - (rank - 2);
       i < static_cast<int64_t>(parameterShape.size()); ++i)
    parameterShape[i] = 1;
  auto parameter = [&](Value value) {
    return value ? g.reshape(value, parameterShape) : Value();
  };
  Value y = normaliseOver(g, g.reshape(getX(), shape), dims,
                          getEps().convertToDouble(), parameter(getGamma()),
                          parameter(getBeta()));
  return {g.reshape(y, type.getShape())};
}
