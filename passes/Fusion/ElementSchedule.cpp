//===- ElementSchedule.cpp - schedules without a contraction ----*- C++ -*-===//
//
// The tile only has to keep every thread busy and loads wide: a few elements a
// thread, innermost dims first, after whatever must be held.
//
//===----------------------------------------------------------------------===//

#include "passes/Fusion/ElementSchedule.h"
#include "passes/Fusion/TileExtents.h"

using namespace mlir;
using namespace tilefuse;

int64_t tilefuse::warpsFor(int64_t elements, int64_t perThread) {
  int64_t warps = 1;
  while (warps < 8 && warps * 32 * perThread < elements)
    warps *= 2;
  return warps;
}

/// How many tiles one instance of a reduction across tiles takes, along the
/// longest dim folded: as many as leave every multiprocessor its share. What it
/// sums up over them is stored once.
static int64_t chooseTiles(const fuse::KernelStructure &structure,
                           const TileExtents &tile, int64_t units) {
  constexpr int64_t instancesPerUnit = 8;
  int64_t longest = 1;
  for (unsigned dim = 0; dim < structure.getNumRootDims(); ++dim)
    if (structure.getCrossReduced()[dim])
      longest = std::max<int64_t>(
          longest,
          llvm::divideCeil(structure.getRootExtents()[dim], tile[dim]));
  int64_t wanted = std::clamp<int64_t>(
      tile.getNumTiles() / (instancesPerUnit * units), 1, longest);
  // All take equally many.
  return llvm::divideCeil(longest, llvm::divideCeil(longest, wanted));
}

LogicalResult tilefuse::scheduleElements(const fuse::KernelStructure &structure,
                                         const CostModel &model,
                                         std::string &reason,
                                         SmallVectorImpl<int64_t> &block,
                                         ScheduleChoice &choice) {
  TileExtents tile(structure, /*powersOfTwo=*/true);
  if (!tile.isLegal()) {
    reason = "a window is no power of two";
    return failure();
  }
  unsigned rank = structure.getNumRootDims();
  int64_t capacity = model.getTileCapacity();
  if (failed(tile.checkFits(capacity, reason)))
    return failure();
  bool holds = llvm::is_contained(structure.getMustHold(), true);
  bool crosses = structure.hasFinish();
  // Whole sectors of the innermost dim, whatever is held.
  if (rank && holds) {
    tile.grow(rank - 1, 32, capacity);
    if (tile[rank - 1] < std::min<int64_t>(32, tile.getLimit(rank - 1))) {
      reason = "what one tile must hold leaves rows too short to load well";
      return failure();
    }
  }
  int64_t most = holds || crosses ? 4096 : 2048, total = 1;
  for (int64_t extent : structure.getRootExtents())
    total *= extent;
  // Small problems: every multiprocessor gets a piece.
  while (most > 256 && total / most < 2 * model.getTarget().getUnits())
    most /= 2;
  int64_t budget = std::max(tile.getCount(), most);
  if (crosses) {
    // Few partial states: long along what is folded, as far as the values that
    // the ops in front keep alive leave registers.
    int64_t most = std::max(tile.getCount(), capacity / 4);
    if (rank)
      tile.grow(rank - 1, 64, most);
    bool common = llvm::is_contained(structure.getCrossReduced(), true);
    for (unsigned dim = rank; dim-- > 0;)
      if (structure.getCrossReduced()[dim] || !common)
        tile.grow(dim, common ? 1 << 20 : 64, most);
  }
  for (unsigned dim = rank; dim-- > 0;)
    tile.grow(dim, 1 << 20, budget);
  block.assign(tile.get().begin(), tile.get().end());
  // Reduction dims of an anchor: windows whole, long ones in steps.
  ArrayRef<int64_t> bounds = structure.getBlockExtents();
  int64_t whole = 1;
  for (unsigned dim = bounds.size(); dim-- > rank;) {
    int64_t room = std::max<int64_t>(1, 256 / whole);
    block.insert(block.begin() + rank, std::min(bounds[dim], room));
    whole *= block[rank];
  }
  choice.warps = warpsFor(tile.getCount(), 8);
  if (crosses)
    choice.tiles = chooseTiles(structure, tile, model.getTarget().getUnits());
  return success();
}
