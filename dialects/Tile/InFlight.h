//===- InFlight.h - barriers that products may cross --------------*- C++ -*-===//
//
// A warpgroup's product reads shared memory until it is waited for. Most barriers
// let other threads overwrite what it reads, so it must be complete there. Where
// the ring of its operands has a buffer more than rounds that threads can be apart,
// the barrier carries this unit attribute, and the product stays in flight.
//
// Loads for the next round stay in flight, too. A branch of which they are the
// results carries an attribute where arithmetic reads them: none of it may move
// to where they are loaded, or it would wait there.
//
//===----------------------------------------------------------------------===//
#ifndef TILEFUSE_DIALECTS_TILE_INFLIGHT_H
#define TILEFUSE_DIALECTS_TILE_INFLIGHT_H

#include "llvm/ADT/StringRef.h"

namespace tilefuse::tile {

inline constexpr llvm::StringLiteral keepsProductsName =
    "tile.keeps_products_in_flight";
inline constexpr llvm::StringLiteral loadsAheadName = "tile.loads_ahead";

} // namespace tilefuse::tile

#endif // TILEFUSE_DIALECTS_TILE_INFLIGHT_H
