//===- GradientBuilder.cpp - building derivatives out of fuse ops ---------===//

#include "dialects/Fuse/GradientBuilder.h"
#include "dialects/Fuse/Fuse.h"

using namespace mlir;

namespace tilefuse::fuse {

static RankedTensorType getType(Value value) {
  return cast<RankedTensorType>(value.getType());
}

Value GradientBuilder::scalar(Value like, double value) {
  Type element = getType(like).getElementType();
  auto type = RankedTensorType::get({}, element);
  return create<ConstantOp>(
      type, DenseElementsAttr::get(type, builder.getFloatAttr(element, value)));
}

Value GradientBuilder::add(Value lhs, Value rhs) {
  return create<AddOp>(lhs, rhs);
}
Value GradientBuilder::sub(Value lhs, Value rhs) {
  return create<SubOp>(lhs, rhs);
}
Value GradientBuilder::mul(Value lhs, Value rhs) {
  return create<MulOp>(lhs, rhs);
}
Value GradientBuilder::mul(Value lhs, double rhs) {
  return mul(lhs, scalar(lhs, rhs));
}
Value GradientBuilder::div(Value lhs, Value rhs) {
  return create<DivOp>(lhs, rhs);
}
Value GradientBuilder::neg(Value value) { return create<NegOp>(value); }
Value GradientBuilder::less(Value lhs, Value rhs) {
  return create<CompareOp>(Predicate::lt, lhs, rhs);
}
Value GradientBuilder::less(Value lhs, double rhs) {
  return less(lhs, scalar(lhs, rhs));
}
Value GradientBuilder::greater(Value lhs, double rhs) {
  return create<CompareOp>(Predicate::gt, lhs, scalar(lhs, rhs));
}
Value GradientBuilder::equal(Value lhs, Value rhs) {
  return create<CompareOp>(Predicate::eq, lhs, rhs);
}
Value GradientBuilder::where(Value condition, Value gradient) {
  return select(condition, gradient, scalar(gradient, 0.0));
}
Value GradientBuilder::select(Value condition, Value onTrue, Value onFalse) {
  return create<SelectOp>(condition, onTrue, onFalse);
}

Value GradientBuilder::reshape(Value value, ArrayRef<int64_t> shape) {
  RankedTensorType type = getType(value);
  if (type.getShape() == shape)
    return value;
  return create<ReshapeOp>(type.clone(shape), value);
}

Value GradientBuilder::broadcast(Value value, ArrayRef<int64_t> shape) {
  RankedTensorType type = getType(value);
  if (type.getShape() == shape)
    return value;
  return create<BroadcastOp>(type.clone(shape), value);
}

Value GradientBuilder::sum(Value value, ArrayRef<int64_t> dims,
                           bool keepDims) {
  if (dims.empty())
    return value;
  return create<ReduceOp>(ReduceKind::sum, value, dims, keepDims).getResult(0);
}

Value GradientBuilder::restoreDims(Value value, ArrayRef<int64_t> dims,
                                   bool keepDims) {
  if (keepDims)
    return value;
  SmallVector<int64_t> shape(getType(value).getShape());
  for (int64_t dim : dims)
    shape.insert(shape.begin() + dim, 1);
  return reshape(value, shape);
}

Value GradientBuilder::sumTo(Value value, ArrayRef<int64_t> shape) {
  ArrayRef<int64_t> from = getType(value).getShape();
  if (from == shape)
    return value;
  int64_t added = from.size() - shape.size();
  SmallVector<int64_t> dims;
  for (auto [dim, extent] : llvm::enumerate(from))
    if (int64_t(dim) < added || (shape[dim - added] == 1 && extent != 1))
      dims.push_back(dim);
  return reshape(sum(value, dims, /*keepDims=*/false), shape);
}

void registerGradients(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, FuseDialect *) {
    attachUnaryGradients(context);
    attachBinaryGradients(context);
    attachShapeGradients(context);
    attachStructuredGradients(context);
  });
}

} // namespace tilefuse::fuse
