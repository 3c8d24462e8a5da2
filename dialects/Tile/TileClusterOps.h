//===- TileClusterOps.h - ops of neighbouring blocks ------------*- C++ -*-===//
#ifndef TILEFUSE_DIALECTS_TILE_TILECLUSTEROPS_H
#define TILEFUSE_DIALECTS_TILE_TILECLUSTEROPS_H

#include "dialects/Tile/Tile.h"

#define GET_OP_CLASSES
#include "dialects/Tile/TileClusterOps.h.inc"

namespace tilefuse::tile {

/// Attribute of a tile.func: thread blocks of a cluster. Instances 2k and 2k + 1
/// of a kernel with clusters of two are the first and the second of one.
constexpr llvm::StringLiteral clusterName = "tile.cluster";

} // namespace tilefuse::tile

#endif // TILEFUSE_DIALECTS_TILE_TILECLUSTEROPS_H
