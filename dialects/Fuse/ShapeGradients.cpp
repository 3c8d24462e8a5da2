//===- ShapeGradients.cpp - derivatives of ops that move elements ---------===//

#include "dialects/Fuse/Fuse.h"
#include "dialects/Fuse/GradientBuilder.h"

using namespace mlir;

namespace tilefuse::fuse {
namespace {

using B = GradientBuilder;

ArrayRef<int64_t> getShape(Value value) {
  return cast<RankedTensorType>(value.getType()).getShape();
}

Value differentiate(ReshapeOp op, B &b, Value dy) {
  return b.reshape(dy, getShape(op.getInput()));
}

Value differentiate(BroadcastOp op, B &b, Value dy) {
  return b.sumTo(dy, getShape(op.getInput()));
}

Value differentiate(TransposeOp op, B &b, Value dy) {
  SmallVector<int64_t> inverse(op.getPermutation().size());
  for (auto [to, from] : llvm::enumerate(op.getPermutation()))
    inverse[from] = to;
  return b.create<TransposeOp>(dy, inverse);
}

// Zeros wherever the slice did not look: in front, between (stride - 1) and
// behind.
Value differentiate(SliceOp op, B &b, Value dy) {
  SmallVector<int64_t> low, high, interior;
  for (auto [extent, offset, size, stride] :
       llvm::zip_equal(getShape(op.getInput()), op.getOffsets(), op.getSizes(),
                       op.getStrides())) {
    low.push_back(offset);
    interior.push_back(stride - 1);
    high.push_back(extent - offset - ((size - 1) * stride + 1));
  }
  Type element = getElementTypeOrSelf(dy.getType());
  return b.create<PadOp>(dy, low, high,
                         b.getBuilder().getDenseI64ArrayAttr(interior),
                         b.getBuilder().getFloatAttr(element, 0.0));
}

// The elements that were there; zero for those that a negative pad cut off.
Value differentiate(PadOp op, B &b, Value dy) {
  ArrayRef<int64_t> shape = getShape(op.getInput());
  SmallVector<int64_t> strides(shape.size(), 1), offsets, low, high;
  if (auto interior = op.getInterior())
    for (auto [dim, between] : llvm::enumerate(*interior))
      strides[dim] = between + 1;
  for (auto [before, behind] : llvm::zip_equal(op.getLow(), op.getHigh())) {
    low.push_back(std::max<int64_t>(0, -before));
    high.push_back(std::max<int64_t>(0, -behind));
    offsets.push_back(std::max<int64_t>(0, before));
  }
  auto isPositive = [](int64_t extent) { return extent > 0; };
  if (llvm::any_of(low, isPositive) || llvm::any_of(high, isPositive))
    dy = b.create<PadOp>(dy, low, high, DenseI64ArrayAttr(),
                         b.getBuilder().getFloatAttr(
                             getElementTypeOrSelf(dy.getType()), 0.0));
  return b.create<SliceOp>(dy, offsets, shape, strides);
}

template <typename Op>
struct ShapeGradient
    : DifferentiableOpInterface::ExternalModel<ShapeGradient<Op>, Op> {
  LogicalResult buildGradients(Operation *op, GradientBuilder &b,
                               ValueRange cotangents, ArrayRef<bool>,
                               SmallVectorImpl<Value> &gradients) const {
    Value gradient = differentiate(cast<Op>(op), b, cotangents[0]);
    gradients.push_back(gradient);
    return success(static_cast<bool>(gradient));
  }
};

template <typename... Ops> void attach(MLIRContext *context) {
  (Ops::template attachInterface<ShapeGradient<Ops>>(*context), ...);
}

} // namespace

void attachShapeGradients(MLIRContext *context) {
  attach<ReshapeOp, BroadcastOp, TransposeOp, SliceOp, PadOp>(context);
}

} // namespace tilefuse::fuse
