//===- TileFolds.cpp - folds of ops on blocks -----------------------------===//
//
// A fold never changes a type: blocks may carry a layout, and moving between
// layouts is the layout stage's decision.
//
//===----------------------------------------------------------------------===//

#include "dialects/Tile/Tile.h"

using namespace mlir;
using namespace tilefuse::tile;

// A constant block of `type` when `operand` is a constant with one value.
static OpFoldResult foldSplat(Attribute operand, RankedTensorType type) {
  auto splat = dyn_cast_or_null<SplatElementsAttr>(operand);
  return splat ? splat.resizeSplat(type) : OpFoldResult();
}

// splat(constant) -> constant
OpFoldResult SplatOp::fold(FoldAdaptor adaptor) {
  if (isa_and_nonnull<FloatAttr, IntegerAttr>(adaptor.getValue()))
    return SplatElementsAttr::get(getType(), adaptor.getValue());
  return {};
}

// broadcast(x) -> x, of one shape
OpFoldResult BroadcastOp::fold(FoldAdaptor adaptor) {
  if (getValue().getType() == getType())
    return getValue();
  return foldSplat(adaptor.getValue(), getType());
}

// reshape(x) -> x, of one shape; reshape(reshape(x)) -> reshape(x)
OpFoldResult ReshapeOp::fold(FoldAdaptor adaptor) {
  if (getValue().getType() == getType())
    return getValue();
  auto inner = getValue().getDefiningOp<ReshapeOp>();
  if (inner && !getType().getEncoding() &&
      !inner.getType().getEncoding()) {
    getValueMutable().assign(inner.getValue());
    return getResult();
  }
  if (auto constant = dyn_cast_or_null<DenseElementsAttr>(adaptor.getValue()))
    return constant.reshape(getType());
  return {};
}

// trans(x) [0, 1, ...] -> x; trans(trans(x)) -> trans(x)
OpFoldResult TransOp::fold(FoldAdaptor adaptor) {
  bool isIdentity = llvm::equal(getPermutation(),
                                llvm::seq<int64_t>(0, getType().getRank()));
  if (isIdentity && getValue().getType() == getType())
    return getValue();
  auto inner = getValue().getDefiningOp<TransOp>();
  if (inner && !getType().getEncoding() &&
      !inner.getType().getEncoding()) {
    SmallVector<int64_t> permutation;
    for (int64_t dim : getPermutation())
      permutation.push_back(inner.getPermutation()[dim]);
    setPermutation(permutation);
    getValueMutable().assign(inner.getValue());
    return getResult();
  }
  return foldSplat(adaptor.getValue(), getType());
}

// window(x) -> x, of the whole block
OpFoldResult WindowOp::fold(FoldAdaptor adaptor) {
  if (getValue().getType() == getType())
    return getValue();
  return foldSplat(adaptor.getValue(), getType());
}
