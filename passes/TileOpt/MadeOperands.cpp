//===- MadeOperands.cpp - layouts of operands that are made -----*- C++ -*-===//

#include "passes/TileOpt/MadeOperands.h"
#include "passes/TileOpt/SharedViews.h"

using namespace mlir;
using namespace tilefuse;
using namespace tilefuse::tile;

/// Neighbours that an element is spread over at most; more are a scale per
/// channel or the like, which every thread may load.
static constexpr int64_t mostNeighbours = 64;
static constexpr unsigned mostOps = 64;

static ArrayRef<int64_t> shapeOf(Value value) {
  return cast<RankedTensorType>(value.getType()).getShape();
}

static int64_t sizeOf(Value value) {
  return cast<RankedTensorType>(value.getType()).getNumElements();
}

/// A broadcast from threads that share out what it reads. With fewer elements
/// than threads, a scale per channel, say, threads would hold copies, and each make
/// the whole block again.
static std::optional<MadeLayout> spreadFrom(BroadcastOp op, unsigned numWarps) {
  Value source = op.getValue();
  int64_t neighbours = sizeOf(op.getResult()) / sizeOf(source);
  if (neighbours < 4 || neighbours > mostNeighbours ||
      sizeOf(source) < int64_t(numWarps) * 32)
    return std::nullopt;
  while (auto reshape = source.getDefiningOp<ReshapeOp>())
    source = reshape.getValue();
  if (!source.getDefiningOp<LoadOp>())
    return std::nullopt;
  std::optional<DistributedLayout> layout =
      getMemoryLayout(source, numWarps)
          .reshape(shapeOf(source), shapeOf(op.getValue()));
  if (!layout)
    return std::nullopt;
  return MadeLayout{layout->expand(shapeOf(op.getResult())), true};
}

static std::optional<MadeLayout> find(Value block, unsigned numWarps,
                                      const AccumulatorLayouts &accumulators,
                                      unsigned &budget) {
  Operation *op = block.getDefiningOp();
  if (!op || budget == 0)
    return std::nullopt;
  --budget;
  auto known = accumulators.find(block);
  if (known != accumulators.end())
    return MadeLayout{known->second, false};
  if (auto broadcast = dyn_cast<BroadcastOp>(op))
    return spreadFrom(broadcast, numWarps);
  if (auto reshape = dyn_cast<ReshapeOp>(op)) {
    std::optional<MadeLayout> inner =
        find(reshape.getValue(), numWarps, accumulators, budget);
    if (!inner)
      return std::nullopt;
    std::optional<DistributedLayout> layout =
        inner->layout.reshape(shapeOf(reshape.getValue()), shapeOf(block));
    if (!layout)
      return std::nullopt;
    return MadeLayout{*layout, inner->isNew};
  }
  if (OpTrait::hasElementwiseMappableTraits(op))
    for (Value operand : op->getOperands())
      if (isa<RankedTensorType>(operand.getType()))
        if (auto made = find(operand, numWarps, accumulators, budget))
          return made;
  return std::nullopt;
}

std::optional<MadeLayout>
tilefuse::findMadeLayout(Value block, unsigned numWarps,
                         const AccumulatorLayouts &accumulators) {
  unsigned budget = mostOps;
  return find(block, numWarps, accumulators, budget);
}
