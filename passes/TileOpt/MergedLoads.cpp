//===- MergedLoads.cpp - loads of whole dims as lines of memory -----------===//

#include "passes/TileOpt/MergedLoads.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace tilefuse;
using namespace tilefuse::tile;

/// Elements of 16 bytes of f32; a line must be made of them.
static constexpr int64_t vector = 4;

LoadOp tilefuse::createMergedLoad(LoadOp load) {
  ViewType view = load.getView().getType();
  RankedTensorType block = load.getResult().getType();
  ArrayRef<int64_t> extents = view.getShape(), strides = view.getStrides();
  ArrayRef<int64_t> shape = block.getShape();
  auto steps = load.getSteps();
  bool isPlain = !load.getFill() && !load.getMask() &&
                 (!steps || llvm::all_of(*steps, [](int64_t s) { return s == 1; }));
  if (!isPlain || shape.size() < 2 || strides.back() != 1 ||
      shape.back() % vector == 0)
    return nullptr;
  size_t first = shape.size() - 1;
  int64_t inner = 1; // elements of the dims behind `first`
  while (first > 0 && shape[first] == extents[first] &&
         matchPattern(load.getOffsets()[first], m_Zero()) &&
         strides[first - 1] == strides[first] * extents[first]) {
    inner *= extents[first];
    --first;
  }
  int64_t length = shape[first] * inner;
  if (inner == 1 || length % vector)
    return nullptr;

  SmallVector<int64_t> newExtents(extents.take_front(first)),
      newStrides(strides.take_front(first)), newShape(shape.take_front(first));
  newExtents.push_back(extents[first] * inner);
  newStrides.push_back(1);
  newShape.push_back(length);
  OpBuilder builder(load);
  Location loc = load.getLoc();
  SmallVector<Value> offsets(load.getOffsets().take_front(first));
  offsets.push_back(builder.createOrFold<arith::MulIOp>(
      loc, load.getOffsets()[first],
      arith::ConstantIndexOp::create(builder, loc, inner)));
  builder.setInsertionPointAfterValue(load.getView());
  Value cast = ViewCastOp::create(
      builder, loc,
      ViewType::get(builder.getContext(), newExtents, view.getElementType(),
                    newStrides),
      load.getView(), builder.getI64IntegerAttr(0));
  builder.setInsertionPoint(load);
  return LoadOp::create(
      builder, loc, RankedTensorType::get(newShape, block.getElementType()),
      cast, offsets, Value(), Value(), nullptr);
}
