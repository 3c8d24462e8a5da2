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

/// Pieces of memory of `bytes` that a warp's first access of a block meets, were the
/// block to start `shift` bytes behind the start of one.
static int64_t countPieces(const DistributedLayout &layout, StoreOp store,
                           int64_t elementBytes, int64_t bytes,
                           int64_t shift = 0) {
  ArrayRef<int64_t> strides = store.getView().getType().getStrides();
  std::set<int64_t> pieces;
  for (int64_t lane = 0; lane < 32; ++lane) {
    int64_t position = 0;
    for (auto [dim, coord] : llvm::enumerate(layout.getCoords(0, lane, 0)))
      position += coord * strides[dim] *
                  (store.getSteps() ? (*store.getSteps())[dim] : 1);
    pieces.insert((position * elementBytes + shift) / bytes);
  }
  return int64_t(pieces.size());
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
  auto count = [&](const DistributedLayout &which, int64_t bytes,
                   int64_t shift) {
    return countPieces(which, store, elementBytes, bytes, shift);
  };
  // Lanes that leave gaps fill no sector: half as many again count as much.
  bool fewerLines = count(layout, lineBytes, 0) >=
                    leastGain * count(rows, lineBytes, 0);
  bool fewerSectors = 2 * count(layout, sectorBytes, sectorBytes / 2) >=
                      leastGain * count(rows, sectorBytes, sectorBytes / 2);
  if (!fewerLines && !fewerSectors)
    return std::nullopt;
  return rows;
}
