//===- SharedViews.cpp - chains of views on shared tiles ---------*- C++
//-*-===//

#include "passes/TileOpt/SharedViews.h"

using namespace mlir;
using namespace tilefuse;
using namespace tilefuse::tile;

ViewChain tilefuse::traceViews(Value value) {
  ViewChain chain;
  while (Operation *op = value.getDefiningOp()) {
    if (!isa<WindowOp, ReshapeOp, TransOp>(op))
      break;
    chain.views.push_back(op);
    value = op->getOperand(0);
  }
  chain.root = value;
  std::reverse(chain.views.begin(), chain.views.end());
  return chain;
}

static RankedTensorType getBlock(Value value) {
  return cast<RankedTensorType>(value.getType());
}

/// The layout after one view.
static std::optional<SharedLayout> compose(const SharedLayout &layout,
                                           Operation *view) {
  if (auto window = dyn_cast<WindowOp>(view))
    return layout.window(window.getOffsets(), window.getStrides());
  if (auto trans = dyn_cast<TransOp>(view))
    return layout.transpose(trans.getPermutation());
  return layout.reshape(getBlock(view->getOperand(0)).getShape(),
                        getBlock(view->getResult(0)).getShape());
}

std::optional<SharedLayout> tilefuse::composeViews(const SharedLayout &layout,
                                                   const ViewChain &chain) {
  std::optional<SharedLayout> result = layout;
  for (Operation *view : chain.views)
    if (!(result = compose(*result, view)))
      return std::nullopt;
  return result;
}

Value tilefuse::createSharedTile(OpBuilder &builder, Location loc,
                                 RankedTensorType block,
                                 const SharedLayout &layout) {
  auto type = SharedType::get(
      builder.getContext(), block.getShape(), block.getElementType(),
      SharedLayoutAttr::get(builder.getContext(), layout));
  return AllocSharedOp::create(builder, loc, type, IntegerAttr());
}

Value tilefuse::createSharedViews(OpBuilder &builder, Value sharedTile,
                                  const ViewChain &chain) {
  Value tile = sharedTile;
  for (Operation *view : chain.views) {
    auto from = cast<SharedType>(tile.getType());
    SharedLayout layout =
        *compose(cast<SharedLayoutAttr>(from.getLayout()).getLayout(), view);
    auto type = SharedType::get(
        builder.getContext(), getBlock(view->getResult(0)).getShape(),
        from.getElementType(),
        SharedLayoutAttr::get(builder.getContext(), layout));
    Location loc = view->getLoc();
    if (auto window = dyn_cast<WindowOp>(view))
      tile = SharedWindowOp::create(builder, loc, type, tile,
                                    window.getOffsetsAttr(),
                                    window.getStridesAttr());
    else if (auto trans = dyn_cast<TransOp>(view))
      tile = SharedTransOp::create(builder, loc, type, tile,
                                   trans.getPermutationAttr());
    else
      tile = SharedReshapeOp::create(builder, loc, type, tile);
  }
  return tile;
}

/// The view that a block is loaded from or stored to, seen through pointwise
/// code on the way to a store.
static ViewType findView(Value block) {
  if (auto load = block.getDefiningOp<LoadOp>())
    return load.getView().getType();
  for (Operation *user : block.getUsers())
    if (auto store = dyn_cast<StoreOp>(user))
      if (store.getValue() == block)
        return store.getView().getType();
  return nullptr;
}

MemoryOrder tilefuse::getMemoryOrder(Value block, unsigned numWarps) {
  RankedTensorType type = getBlock(block);
  MemoryOrder order;
  for (int64_t dim = type.getRank(); dim-- > 0;)
    order.dims.push_back(dim);
  ViewType view = findView(block);
  if (!view)
    return order;
  // Unit dims take no threads; they go last.
  auto getKey = [&](int64_t dim) {
    return std::tuple(type.getDimSize(dim) == 1, view.getStrides()[dim], -dim);
  };
  llvm::sort(order.dims,
             [&](int64_t a, int64_t b) { return getKey(a) < getKey(b); });
  if (order.dims.empty())
    return order;
  int64_t fastest = order.dims[0];
  unsigned bits = type.getElementTypeBitWidth();
  if (view.getStrides()[fastest] != 1 || bits < 8)
    return order;
  auto fits = [&](int64_t vector) {
    if (vector * bits > 128 || type.getDimSize(fastest) % vector ||
        type.getNumElements() < vector * 32 * numWarps)
      return false;
    for (auto [dim, stride] : llvm::enumerate(view.getStrides()))
      if (int64_t(dim) != fastest && type.getDimSize(dim) > 1 &&
          stride % vector)
        return false;
    return view.getShape()[fastest] % vector == 0;
  };
  while (fits(order.vector * 2))
    order.vector *= 2;
  return order;
}

DistributedLayout tilefuse::getMemoryLayout(Value block, unsigned numWarps) {
  MemoryOrder order = getMemoryOrder(block, numWarps);
  return getBlockedLayout(getBlock(block).getShape(), numWarps, order.dims,
                          order.vector);
}
