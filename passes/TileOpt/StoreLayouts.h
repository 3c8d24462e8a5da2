//===- StoreLayouts.h - layouts in which blocks go to memory ----*- C++ -*-===//
#ifndef TILEFUSE_PASSES_TILEOPT_STORELAYOUTS_H
#define TILEFUSE_PASSES_TILEOPT_STORELAYOUTS_H

#include "dialects/Tile/Tile.h"

namespace tilefuse {

/// The layout to bring a block into before it is stored, if that is worth the way
/// through shared memory. The sums of matrix instructions lie in rows of eight
/// elements a warp. Where rows of memory start anywhere in a sector, every such row
/// cuts two of them; long rows cut one in many.
std::optional<tile::DistributedLayout>
getStoreLayout(tile::StoreOp store, const tile::DistributedLayout &layout,
               unsigned numWarps);

} // namespace tilefuse

#endif // TILEFUSE_PASSES_TILEOPT_STORELAYOUTS_H
