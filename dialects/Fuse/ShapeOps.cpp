//===- ShapeOps.cpp - constants and moved elements --------------*- C++ -*-===//

#include "dialects/Fuse/ElementBuilder.h"
#include "dialects/Fuse/Inference.h"
#include "dialects/Fuse/Spaces.h"

#include "mlir/Dialect/Utils/IndexingUtils.h"

using namespace mlir;
using namespace tilefuse;
using namespace tilefuse::fuse;

//===----------------------------------------------------------------------===//
// Constant and iota
//===----------------------------------------------------------------------===//

IterationSpace ConstantOp::getIterationSpace() {
  return getPointwiseSpace(*this);
}

Value ConstantOp::emitElement(OpBuilder &b, Location loc, ValueRange,
                              ValueRange index) {
  if (!getValue().isSplat())
    return {};
  Type element = getResult().getType().getElementType();
  Type type =
      index.empty() ? element : withElementType(index[0].getType(), element);
  return createBlockConstant(
      b, loc, type, cast<TypedAttr>(getValue().getSplatValue<Attribute>()));
}

int64_t ConstantOp::getElementCost() { return 0; }

IterationSpace IotaOp::getIterationSpace() { return getPointwiseSpace(*this); }

Value IotaOp::emitElement(OpBuilder &b, Location loc, ValueRange,
                          ValueRange index) {
  return emitCast(b, loc, index[getDim()],
                  getResult().getType().getElementType());
}

bool IotaOp::needsIndex() { return true; }
int64_t IotaOp::getElementCost() { return 1; }

LogicalResult IotaOp::verify() {
  int64_t rank = getResult().getType().getRank();
  int64_t dim = getDim();
  if (dim < 0 || dim >= rank)
    return emitOpError("expected a dim below the result's rank ")
           << rank << ", but found " << dim;
  return success();
}

//===----------------------------------------------------------------------===//
// Reshape
//===----------------------------------------------------------------------===//

LogicalResult ReshapeOp::verify() {
  RankedTensorType from = getInput().getType(), to = getResult().getType();
  if (from.getElementType() != to.getElementType() ||
      from.getNumElements() != to.getNumElements())
    return emitOpError(
               "expected a result of as many elements of the same type, "
               "but found ")
           << from << " and " << to;
  return success();
}

// Both shapes are cut into the smallest groups of neighbours with equal element
// counts. In a group, the result's dims give one position, which the operand's
// dims divide up:
//   2x12x5 -> 2x3x4x5: groups 2|2, 12|3x4, 5|5, indices (d0, d1*4 + d2, d3).
IterationSpace ReshapeOp::getIterationSpace() {
  ArrayRef<int64_t> from = getInput().getType().getShape();
  ArrayRef<int64_t> to = getResult().getType().getShape();
  SpaceBuilder s(getContext());
  SmallVector<AffineExpr> dims, indices(from.size());
  for (int64_t extent : to)
    dims.push_back(s.parallel(extent));

  size_t i = 0, j = 0;
  while (i < from.size() || j < to.size()) {
    size_t i0 = i, j0 = j;
    int64_t sizeFrom = i < from.size() ? from[i++] : 1;
    int64_t sizeTo = j < to.size() ? to[j++] : 1;
    while (sizeFrom != sizeTo) {
      if (sizeFrom < sizeTo)
        sizeFrom *= from[i++];
      else
        sizeTo *= to[j++];
    }
    AffineExpr position = s.zero();
    for (size_t k = j0; k < j; ++k)
      if (to[k] != 1)
        position = position * to[k] + dims[k];
    int64_t stride = sizeFrom;
    for (size_t k = i0; k < i; ++k) {
      stride /= from[k];
      if (from[k] == 1) {
        indices[k] = s.zero();
        continue;
      }
      indices[k] = position.floorDiv(stride);
      if (stride * from[k] != sizeFrom)
        indices[k] = indices[k] % from[k];
    }
  }
  s.operand(indices);
  s.result(dims);
  return s.take();
}

//===----------------------------------------------------------------------===//
// Broadcast and transpose
//===----------------------------------------------------------------------===//

LogicalResult BroadcastOp::verify() {
  RankedTensorType from = getInput().getType(), to = getResult().getType();
  int64_t offset = to.getRank() - from.getRank();
  bool fits = offset >= 0 && from.getElementType() == to.getElementType();
  for (int64_t i = 0; fits && i < from.getRank(); ++i)
    fits = from.getDimSize(i) == 1 ||
           from.getDimSize(i) == to.getDimSize(offset + i);
  if (!fits)
    return emitOpError("expected a result that the operand broadcasts to, but "
                       "found ")
           << from << " and " << to;
  return success();
}

IterationSpace BroadcastOp::getIterationSpace() {
  return getPointwiseSpace(*this);
}

LogicalResult TransposeOp::inferReturnTypes(MLIRContext *,
                                            std::optional<Location> loc,
                                            Adaptor adaptor,
                                            SmallVectorImpl<Type> &types) {
  Inference inference(getOperationName(), loc, types);
  if (failed(inference.checkTensors(adaptor.getOperands())))
    return failure();
  RankedTensorType from = tensorOf(adaptor.getInput());
  ArrayRef<int64_t> permutation = adaptor.getPermutation();
  if (static_cast<int64_t>(permutation.size()) != from.getRank() ||
      !isPermutationVector(permutation))
    return inference.error("expected a permutation of ", from.getRank(),
                           " dims, but found ", formatShape(permutation));
  return inference.add(applyPermutation(from.getShape(), permutation),
                       from.getElementType());
}

IterationSpace TransposeOp::getIterationSpace() {
  SpaceBuilder s(getContext());
  SmallVector<AffineExpr> dims, indices(getPermutation().size());
  for (int64_t extent : getResult().getType().getShape())
    dims.push_back(s.parallel(extent));
  for (auto [dim, source] : llvm::enumerate(getPermutation()))
    indices[source] = dims[dim];
  s.operand(indices);
  s.result(dims);
  return s.take();
}

//===----------------------------------------------------------------------===//
// Slice and pad
//===----------------------------------------------------------------------===//

LogicalResult SliceOp::inferReturnTypes(MLIRContext *,
                                        std::optional<Location> loc,
                                        Adaptor adaptor,
                                        SmallVectorImpl<Type> &types) {
  Inference inference(getOperationName(), loc, types);
  if (failed(inference.checkTensors(adaptor.getOperands())))
    return failure();
  RankedTensorType from = tensorOf(adaptor.getInput());
  size_t rank = from.getRank();
  if (failed(inference.checkList("offsets", adaptor.getOffsets(), rank, 0)) ||
      failed(inference.checkList("sizes", adaptor.getSizes(), rank, 1)) ||
      failed(inference.checkList("strides", adaptor.getStrides(), rank, 1)))
    return failure();
  for (size_t i = 0; i < rank; ++i) {
    int64_t last = adaptor.getOffsets()[i] +
                   (adaptor.getSizes()[i] - 1) * adaptor.getStrides()[i];
    if (last >= from.getDimSize(i))
      return inference.error("expected a box inside ", from,
                             ", but found position ", last, " in dim ", i);
  }
  return inference.add(adaptor.getSizes(), from.getElementType());
}

IterationSpace SliceOp::getIterationSpace() {
  SpaceBuilder s(getContext());
  SmallVector<AffineExpr> dims, indices;
  for (auto [extent, offset, stride] :
       llvm::zip(getSizes(), getOffsets(), getStrides())) {
    dims.push_back(s.parallel(extent));
    indices.push_back(dims.back() * stride + offset);
  }
  s.operand(indices);
  s.result(dims);
  return s.take();
}

LogicalResult PadOp::inferReturnTypes(MLIRContext *,
                                      std::optional<Location> loc,
                                      Adaptor adaptor,
                                      SmallVectorImpl<Type> &types) {
  Inference inference(getOperationName(), loc, types);
  if (failed(inference.checkTensors(adaptor.getOperands())))
    return failure();
  RankedTensorType from = tensorOf(adaptor.getInput());
  size_t rank = from.getRank();
  Extents interior = valuesOr(adaptor.getInterior(), rank, 0);
  if (failed(inference.checkList("low", adaptor.getLow(), rank, 0)) ||
      failed(inference.checkList("high", adaptor.getHigh(), rank, 0)) ||
      failed(inference.checkList("interior", interior, rank, 0)))
    return failure();
  TypedAttr value = adaptor.getValue();
  if (value.getType() != from.getElementType() ||
      !isa<FloatAttr, IntegerAttr>(value))
    return inference.error("expected a value of type ", from.getElementType(),
                           ", but found ", value);
  Extents shape;
  for (size_t i = 0; i < rank; ++i)
    shape.push_back(adaptor.getLow()[i] + from.getDimSize(i) +
                    (from.getDimSize(i) - 1) * interior[i] +
                    adaptor.getHigh()[i]);
  return inference.add(shape, from.getElementType());
}

IterationSpace PadOp::getIterationSpace() {
  ArrayRef<int64_t> shape = getResult().getType().getShape();
  Extents interior = valuesOr(getInterior(), shape.size(), 0);
  SpaceBuilder s(getContext());
  SmallVector<AffineExpr> dims, indices;
  Extents divisors;
  for (auto [extent, low, between] : llvm::zip(shape, getLow(), interior)) {
    dims.push_back(s.parallel(extent));
    indices.push_back(dims.back() - low);
    divisors.push_back(between + 1);
  }
  bool moves = getInput().getType() != getResult().getType();
  s.operand(indices, moves ? getValue() : TypedAttr(), divisors);
  s.result(dims);
  return s.take();
}

//===----------------------------------------------------------------------===//
// Concat
//===----------------------------------------------------------------------===//

LogicalResult ConcatOp::inferReturnTypes(MLIRContext *,
                                         std::optional<Location> loc,
                                         Adaptor adaptor,
                                         SmallVectorImpl<Type> &types) {
  Inference inference(getOperationName(), loc, types);
  ValueRange inputs = adaptor.getInputs();
  if (inputs.empty())
    return inference.error("expected at least one operand, but found none");
  if (failed(inference.checkTensors(inputs)) ||
      failed(inference.checkSameElements(inputs)))
    return failure();
  RankedTensorType first = tensorOf(inputs[0]);
  int64_t dim = adaptor.getDim();
  if (failed(inference.checkDim(dim, first.getRank())))
    return failure();
  Extents shape(first.getShape());
  for (Value input : inputs.drop_front()) {
    RankedTensorType type = tensorOf(input);
    bool fits = type.getRank() == first.getRank();
    for (int64_t i = 0; fits && i < type.getRank(); ++i)
      fits = i == dim || type.getDimSize(i) == first.getDimSize(i);
    if (!fits)
      return inference.error("expected operands that differ in dim ", dim,
                             " only, but found ", first, " and ", type);
    shape[dim] += type.getDimSize(dim);
  }
  return inference.add(shape, first.getElementType());
}

// concat(a, b) -> select(iota < size(a), pad(a), pad(b)), the last one
// innermost
SmallVector<Value> ConcatOp::decompose(OpBuilder &b) {
  Location loc = getLoc();
  RankedTensorType type = getResult().getType();
  int64_t dim = getDim();
  Extents counting(type.getRank(), 1);
  counting[dim] = type.getDimSize(dim);
  TypedAttr zero = getZero(type.getElementType());

  Value result, position;
  int64_t end = type.getDimSize(dim);
  for (Value input : llvm::reverse(getInputs())) {
    int64_t begin = end - tensorOf(input).getDimSize(dim);
    Extents low(type.getRank(), 0), high(type.getRank(), 0);
    low[dim] = begin;
    high[dim] = type.getDimSize(dim) - end;
    Value padded = input;
    if (getInputs().size() > 1)
      padded = PadOp::create(b, loc, input, low, high, nullptr, zero);
    if (!result) {
      result = padded;
    } else {
      if (!position)
        position = IotaOp::create(
            b, loc, RankedTensorType::get(counting, b.getI64Type()), dim);
      Value limit = createScalar(b, loc, b.getI64Type(), end);
      Value inside = CompareOp::create(b, loc, Predicate::lt, position, limit);
      result = SelectOp::create(b, loc, inside, padded, result);
    }
    end = begin;
  }
  return {result};
}
