//===- StageOperands.h - dot operands and windows in shared memory -*- C++
//-*-===//
//
// The first half of tile-assign-layouts: after it, no tile.dot and no
// tile.window is left; their operands are shared tiles.
//
//===----------------------------------------------------------------------===//
#ifndef TILEFUSE_PASSES_TILEOPT_STAGEOPERANDS_H
#define TILEFUSE_PASSES_TILEOPT_STAGEOPERANDS_H

#include "dialects/Tile/Tile.h"
#include <vector>

namespace tilefuse {

struct StagingCounts {
  int64_t mma = 0;
  int64_t fma = 0;
  int64_t tiles = 0;
};

/// Rewrites the dots, windows and window insertions of a kernel. Accumulator
/// layouts of tensor-core dots are returned as anchors: values and their
/// layouts.
using LayoutAnchors =
    std::vector<std::pair<mlir::Value, tile::DistributedLayout>>;
LayoutAnchors stageOperands(tile::FuncOp func, StagingCounts &counts);

} // namespace tilefuse

#endif // TILEFUSE_PASSES_TILEOPT_STAGEOPERANDS_H
