//===- CPUSchedule.cpp - schedules for CPUs ---------------------*- C++ -*-===//
//
// One program instance is one task of one thread. Tiles stay in the second-level
// cache, are long in the innermost dim (vectors, whole cache lines), need be no
// power of two, and even out: 254 columns are two tiles of 127, not 192 and 62.
//
//===----------------------------------------------------------------------===//

#include "passes/Fusion/ProducerGranules.h"
#include "passes/Fusion/ScheduleHeuristic.h"
#include "passes/Fusion/TileExtents.h"

using namespace mlir;
using namespace tilefuse;

static LogicalResult chooseParallel(const fuse::KernelStructure &structure,
                                    const CostModel &model,
                                    std::string &reason, TileExtents &tile) {
  int64_t capacity = model.getTileCapacity();
  if (failed(tile.checkFits(capacity, reason)))
    return failure();
  unsigned rank = structure.getNumRootDims();
  Operation *anchor = structure.getAnchor();
  auto contraction = dyn_cast_or_null<fuse::ContractionOpInterface>(anchor);
  if (!contraction) {
    int64_t budget = std::max<int64_t>(tile.getCount(), 16384);
    if (structure.hasFinish()) {
      if (rank)
        tile.grow(rank - 1, 64, capacity);
      for (unsigned dim = rank; dim-- > 0;)
        if (structure.getCrossReduced()[dim])
          tile.grow(dim, 1 << 20, capacity);
    }
    for (unsigned dim = rank; dim-- > 0;)
      tile.grow(dim, 1 << 20, budget);
    return success();
  }
  fuse::IterationSpace space =
      cast<fuse::IterationSpaceOpInterface>(anchor).getIterationSpace();
  SmallVector<DimRole> roles = getDimRoles(space);
  int64_t budget = std::max<int64_t>(tile.getCount(), 16384);
  // A panel of the second operand's dims, then rows of pixels.
  int64_t panel = 64;
  for (unsigned dim = rank; dim-- > 0;)
    if (roles[dim] == DimRole::Rhs) {
      tile.grow(dim, std::max<int64_t>(1, panel), budget);
      panel /= tile[dim];
    }
  for (int64_t target : {64, 1 << 20})
    for (unsigned dim = rank; dim-- > 0;)
      if (roles[dim] == DimRole::Lhs)
        tile.grow(dim, std::min<int64_t>(target, 256), budget);
  for (unsigned dim = rank; dim-- > 0;)
    if (roles[dim] == DimRole::Batch || roles[dim] == DimRole::Free)
      tile.grow(dim, 16, std::min<int64_t>(budget, 4096));
  // Every thread gets a few tiles.
  while (tile.getNumTiles() < 4 * model.getTarget().getUnits() &&
         tile.getCount() > 4096) {
    bool shrunk = false;
    for (unsigned dim = 0; dim < rank && !shrunk; ++dim)
      if (tile[dim] > 8)
        shrunk = tile.shrink(dim);
    if (!shrunk)
      break;
  }
  return success();
}

FailureOr<fuse::ScheduleAttr>
tilefuse::chooseCPUSchedule(const fuse::KernelStructure &structure,
                            const CostModel &model, std::string &reason) {
  TileExtents tile(structure, /*powersOfTwo=*/false);
  if (failed(chooseParallel(structure, model, reason, tile)))
    return failure();
  SmallVector<int64_t> block(tile.get());
  unsigned rank = structure.getNumRootDims();
  ArrayRef<int64_t> bounds = structure.getBlockExtents();
  if (Operation *anchor = structure.getAnchor()) {
    fuse::IterationSpace space =
        cast<fuse::IterationSpaceOpInterface>(anchor).getIterationSpace();
    SmallVector<DimRole> roles = getDimRoles(space);
    for (unsigned dim = rank; dim < bounds.size(); ++dim)
      block.push_back(roles[dim] == DimRole::Tap ? bounds[dim]
                                                 : std::min<int64_t>(
                                                       bounds[dim], 16));
    // The first reduction dim takes what the cache has left.
    for (unsigned dim = bounds.size(); dim-- > rank;)
      if (roles[dim] != DimRole::Tap)
        while (block[dim] < bounds[dim] && block[dim] < 256) {
          int64_t before = block[dim];
          block[dim] = std::min(block[dim] * 2, bounds[dim]);
          if (model.getTileCost(anchor, block).sharedBytes <=
              model.getSharedCapacity())
            continue;
          block[dim] = before;
          break;
        }
  }
  if (!fitsProducers(structure, block, reason))
    return failure();
  return fuse::ScheduleAttr::get(model.getTarget().getContext(), block,
                                 /*warps=*/1, /*stages=*/1, /*cluster=*/1,
                                 fuse::MmaKind::fma, /*splits=*/1,
                                 /*tiles=*/1);
}
