//===- WgmmaPlan.h - wgmma instructions of a block's product -----*- C++ -*-===//
//
// A wgmma multiplies 64 rows, 16 in each of four warps, by up to 256 columns.
// Its accumulator and its left operand, when that lies in registers, are the
// fragments of mma.sync m16n8k8 side by side: so the instructions of planMma that
// differ in their columns only become one. The right operand is read from shared
// memory through a descriptor, in core matrices of 8 columns by 16 bytes of depth:
//
//   element (column, depth) = start + depth % 4              (32-bit elements)
//                           + (column % 8) * 4
//                           + (column / 8) * columnStride
//                           + (depth / 4) * depthStride
//
// The order of columns is free, so any set of groups of 8 columns at equal
// distances will do. A window of the tile is another start.
//
//===----------------------------------------------------------------------===//
#ifndef TILEFUSE_DIALECTS_TILE_LAYOUT_WGMMAPLAN_H
#define TILEFUSE_DIALECTS_TILE_LAYOUT_WGMMAPLAN_H

#include "dialects/Tile/Layout/MmaLayout.h"
#include "dialects/Tile/Layout/SharedLayout.h"

namespace tilefuse::tile {

/// One instruction of a warpgroup.
struct WgmmaStep {
  /// Accumulator registers in the order that PTX names them: four a group of 8
  /// columns.
  llvm::SmallVector<int64_t> acc;
  /// The left fragment's four registers.
  llvm::SmallVector<int64_t, 4> lhs;
  /// Position of the right operand's first element for warp 0, in elements.
  int64_t start = 0;
  /// Elements from one group of 8 columns, and of 4 depths, to the next.
  int64_t columnStride = 0, depthStride = 0;

  int64_t getColumns() const { return int64_t(acc.size()) * 2; }
};

/// The instructions of a product of 32-bit elements, grouped by depth as in
/// planMma. `layouts` come from getMmaLayouts with warpgroups; `rhs` is the right
/// operand's shared layout. Nothing when that is not made of core matrices.
std::optional<llvm::SmallVector<llvm::SmallVector<WgmmaStep>>>
planWgmma(const DotDims &dims, const MmaLayouts &layouts,
          const SharedLayout &rhs);

} // namespace tilefuse::tile

#endif // TILEFUSE_DIALECTS_TILE_LAYOUT_WGMMAPLAN_H
