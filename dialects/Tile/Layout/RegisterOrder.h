//===- RegisterOrder.h - the order in which registers are stored -*- C++ -*-===//
//
// A block that is read from memory along rows may have to be written to shared
// memory along columns. A thread that holds a patch of both, 4 x 4 elements, say,
// moves whole vectors each way: only the order in which its registers are named
// differs, and that costs nothing.
//
//===----------------------------------------------------------------------===//
#ifndef TILEFUSE_DIALECTS_TILE_LAYOUT_REGISTERORDER_H
#define TILEFUSE_DIALECTS_TILE_LAYOUT_REGISTERORDER_H

#include "dialects/Tile/Layout/SharedLayout.h"

namespace tilefuse::tile {

/// A layout whose register bits were renamed.
struct RegisterOrder {
  DistributedLayout layout;
  /// Bit i of a register's new number is bit `bits[i]` of its old one; bits past
  /// the end stay.
  llvm::SmallVector<unsigned> bits;

  /// The old number of a register.
  int64_t getOld(int64_t reg) const {
    int64_t old = reg & ~((int64_t(1) << bits.size()) - 1);
    for (unsigned i = 0; i < bits.size(); ++i)
      old |= ((reg >> i) & 1) << bits[i];
    return old;
  }
};

/// The order in which neighbours in the shared tile come first, if the widest
/// access gains by it; else the layout's own. Only the lowest `mostBits` register
/// bits are renamed.
RegisterOrder getSharedOrder(const SharedLayout &shared,
                             const DistributedLayout &layout,
                             llvm::ArrayRef<int64_t> shape,
                             int64_t elementBytes, unsigned mostBits = 16);

} // namespace tilefuse::tile

#endif // TILEFUSE_DIALECTS_TILE_LAYOUT_REGISTERORDER_H
