//===- ShapeFolds.cpp - folds and patterns of shape ops ---------*- C++ -*-===//

#include "dialects/Fuse/Inference.h"

#include "mlir/Dialect/Utils/IndexingUtils.h"

using namespace mlir;
using namespace tilefuse;
using namespace tilefuse::fuse;

/// Moved splats are splats of the new shape.
static OpFoldResult foldSplat(Operation *op, Attribute input) {
  auto elements = dyn_cast_or_null<DenseElementsAttr>(input);
  if (!elements || !elements.isSplat())
    return {};
  return DenseElementsAttr::get(cast<ShapedType>(op->getResult(0).getType()),
                                elements.getSplatValue<Attribute>());
}

// reshape(x) to x's type -> x; reshape(reshape(x)) -> reshape(x)
OpFoldResult ReshapeOp::fold(FoldAdaptor adaptor) {
  if (stopsGradient(*this))
    return {};
  if (getInput().getType() == getType())
    return getInput();
  auto inner = getInput().getDefiningOp<ReshapeOp>();
  if (inner && !stopsGradient(inner)) {
    getInputMutable().assign(inner.getInput());
    return getResult();
  }
  if (auto elements = dyn_cast_or_null<DenseElementsAttr>(adaptor.getInput()))
    return elements.reshape(getType());
  return {};
}

// broadcast(x) to x's type -> x; broadcast(broadcast(x)) -> broadcast(x)
OpFoldResult BroadcastOp::fold(FoldAdaptor adaptor) {
  if (stopsGradient(*this))
    return {};
  if (getInput().getType() == getType())
    return getInput();
  auto inner = getInput().getDefiningOp<BroadcastOp>();
  if (inner && !stopsGradient(inner)) {
    getInputMutable().assign(inner.getInput());
    return getResult();
  }
  return foldSplat(*this, adaptor.getInput());
}

// transpose by the identity -> x; transpose(transpose(x)) -> transpose(x)
OpFoldResult TransposeOp::fold(FoldAdaptor adaptor) {
  if (stopsGradient(*this))
    return {};
  if (isIdentityPermutation(getPermutation()))
    return getInput();
  auto inner = getInput().getDefiningOp<TransposeOp>();
  if (inner && !stopsGradient(inner)) {
    setPermutation(applyPermutation(inner.getPermutation(), getPermutation()));
    getInputMutable().assign(inner.getInput());
    return getResult();
  }
  return foldSplat(*this, adaptor.getInput());
}

// slice of everything -> x; slice(slice(x)) -> slice(x)
OpFoldResult SliceOp::fold(FoldAdaptor adaptor) {
  if (stopsGradient(*this))
    return {};
  if (getInput().getType() == getType())
    return getInput();
  auto inner = getInput().getDefiningOp<SliceOp>();
  if (inner && !stopsGradient(inner)) {
    // Products of strides stay below the extent, or a size of 1 hides them.
    Extents offsets, strides;
    for (auto [offset, size, stride, innerOffset, innerStride] :
         llvm::zip(getOffsets(), getSizes(), getStrides(), inner.getOffsets(),
                   inner.getStrides())) {
      offsets.push_back(innerOffset + offset * innerStride);
      strides.push_back(size == 1 ? 1 : stride * innerStride);
    }
    setOffsets(offsets);
    setStrides(strides);
    getInputMutable().assign(inner.getInput());
    return getResult();
  }
  return foldSplat(*this, adaptor.getInput());
}

// pad by nothing -> x; a splat padded by its own value stays one
OpFoldResult PadOp::fold(FoldAdaptor adaptor) {
  if (stopsGradient(*this))
    return {};
  if (getInput().getType() == getType())
    return getInput();
  auto elements = dyn_cast_or_null<DenseElementsAttr>(adaptor.getInput());
  if (elements && elements.isSplat() &&
      elements.getSplatValue<Attribute>() == getValue())
    return foldSplat(*this, elements);
  return {};
}

// concat(x) -> x
OpFoldResult ConcatOp::fold(FoldAdaptor) {
  if (getInputs().size() == 1 && !stopsGradient(*this))
    return getInputs()[0];
  return {};
}

//===----------------------------------------------------------------------===//
// Broadcasts that the reader does itself
//===----------------------------------------------------------------------===//

namespace {
// f(broadcast(x), y) -> f(x, y) where f broadcasts to the same shape
struct DropBroadcast : OpRewritePattern<BroadcastOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(BroadcastOp op,
                                PatternRewriter &rewriter) const override {
    if (stopsGradient(op))
      return rewriter.notifyMatchFailure(op, "it passes no gradient on");
    bool changed = false;
    for (OpOperand &use : llvm::make_early_inc_range(op->getUses())) {
      Operation *user = use.getOwner();
      if (!isBroadcasting(user) || !keepsType(user, use.getOperandNumber(), op))
        continue;
      rewriter.modifyOpInPlace(user, [&] { use.set(op.getInput()); });
      changed = true;
    }
    if (!changed)
      return rewriter.notifyMatchFailure(op, "no reader broadcasts itself");
    return success();
  }

private:
  static bool isBroadcasting(Operation *op) {
    return isa<AddOp, SubOp, MulOp, DivOp, MaximumOp, MinimumOp, PowOp,
               RemainderOp, Atan2Op, AndOp, OrOp, XorOp, CompareOp, SelectOp>(
        op);
  }

  /// Whether the other operands alone give the user's shape.
  static bool keepsType(Operation *user, unsigned operand, BroadcastOp op) {
    SmallVector<Value> operands(user->getOperands());
    operands[operand] = op.getInput();
    SmallVector<Type> types;
    auto inferable = cast<InferTypeOpInterface>(user);
    return succeeded(inferable.inferReturnTypes(
               user->getContext(), std::nullopt, operands,
               user->getAttrDictionary(), user->getPropertiesStorage(),
               user->getRegions(), types)) &&
           types[0] == user->getResult(0).getType();
  }
};
} // namespace

void BroadcastOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                              MLIRContext *context) {
  patterns.add<DropBroadcast>(context);
}
