//===- OperandExtents.h - operands that end inside of a step -----*- C++ -*-===//
//
// The last step of a reduction may reach past its end. A patch has elements there,
// of other rows or of taps that still count, which must not be multiplied. Instead
// of a masked copy for each tap, tile.mma (mma_sync of 32-bit elements) may say how
// far its operands go:
//
//   tile.mma %dz, %window, %acc ... {tile.rhs_extents = array<i64: 64, 3, 30>, ...}
//
// Elements of that operand at or past an extent are zero, whatever its tile holds.
// Fragments are masked after they are loaded, and instructions that would multiply
// by nothing but zeros are left out.
//
//===----------------------------------------------------------------------===//
#ifndef TILEFUSE_DIALECTS_TILE_OPERANDEXTENTS_H
#define TILEFUSE_DIALECTS_TILE_OPERANDEXTENTS_H

#include "dialects/Tile/Tile.h"

namespace tilefuse::tile {

/// 0 is lhs, 1 is rhs.
inline llvm::StringRef getOperandExtentsName(unsigned operand) {
  return operand == 0 ? "tile.lhs_extents" : "tile.rhs_extents";
}

/// The extents of an operand of a product that go less far than its shape; none
/// when all of it counts.
inline std::optional<llvm::ArrayRef<int64_t>>
getOperandExtents(MmaOp op, unsigned operand) {
  auto extents = op->getAttrOfType<mlir::DenseI64ArrayAttr>(
      getOperandExtentsName(operand));
  if (!extents)
    return std::nullopt;
  return extents.asArrayRef();
}

} // namespace tilefuse::tile

#endif // TILEFUSE_DIALECTS_TILE_OPERANDEXTENTS_H
