//===- StoreLayouts.cpp - layouts in which blocks go to memory ------------===//

#include "passes/TileOpt/StoreLayouts.h"
#include "passes/TileOpt/SharedViews.h"

#include <set>

using namespace mlir;
using namespace tilefuse;
using namespace tilefuse::tile;

static constexpr int64_t sectorBytes = 32, lineBytes = 128;
/// Blocks of fewer registers a thread are not worth two barriers.
static constexpr int64_t leastRegisters = 16;
/// Bytes of a block that shared memory takes beside what a kernel has there.
static constexpr int64_t mostBytes = 64 * 1024;

/// Lines of memory that a warp's first access of a block meets, were the block to
/// start at one.
static int64_t countLines(const DistributedLayout &layout, ViewType view,
                          int64_t elementBytes) {
  std::set<int64_t> lines;
  for (int64_t lane = 0; lane < 32; ++lane) {
    int64_t position = 0;
    for (auto [coord, stride] :
         llvm::zip_equal(layout.getCoords(0, lane, 0), view.getStrides()))
      position += coord * stride;
    lines.insert(position * elementBytes / lineBytes);
  }
  return int64_t(lines.size());
}

std::optional<DistributedLayout>
tilefuse::getStoreLayout(StoreOp store, const DistributedLayout &layout,
                         unsigned numWarps) {
  constexpr int64_t leastGain = 3;
  ViewType view = store.getView().getType();
  auto type = cast<RankedTensorType>(store.getValue().getType());
  int64_t elementBytes = type.getElementTypeBitWidth() / 8;
  // What is needed on as well would be held twice.
  if (!store.getValue().hasOneUse() || elementBytes < 4 ||
      (store.getSteps() && store.getSteps()->back() != 1) || store.getMask() ||
      !isa<FuncOp>(store->getParentOp()) ||
      layout.getNumRegisters() < leastRegisters ||
      type.getNumElements() * elementBytes > mostBytes)
    return std::nullopt;
  auto isWhole = [&](int64_t stride) {
    return stride * elementBytes % sectorBytes == 0 || stride == 1;
  };
  if (llvm::all_of(view.getStrides(), isWhole))
    return std::nullopt;
  DistributedLayout rows = getMemoryLayout(store.getValue(), numWarps);
  if (countLines(layout, view, elementBytes) <
      leastGain * countLines(rows, view, elementBytes))
    return std::nullopt;
  return rows;
}
