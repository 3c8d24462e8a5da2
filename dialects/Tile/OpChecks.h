//===- OpChecks.h - checks that verifiers of tile ops share -----*- C++ -*-===//
#ifndef TILEFUSE_DIALECTS_TILE_OPCHECKS_H
#define TILEFUSE_DIALECTS_TILE_OPCHECKS_H

#include "dialects/Tile/Tile.h"

namespace tilefuse::tile {

/// A mask, when there is one, is an i1 block of `block`'s shape.
inline llvm::LogicalResult checkMask(mlir::Operation *op, mlir::Value mask,
                                     mlir::RankedTensorType block) {
  if (!mask)
    return llvm::success();
  auto type = llvm::cast<mlir::RankedTensorType>(mask.getType());
  if (!type.getElementType().isInteger(1) ||
      type.getShape() != block.getShape())
    return op->emitOpError("mask must be an i1 block of the shape of ")
           << block << ", but is " << type;
  return llvm::success();
}

/// Offsets and strides select elements inside `outer`, as many as `inner` has.
llvm::LogicalResult checkWindow(mlir::Operation *op,
                                mlir::RankedTensorType outer,
                                mlir::RankedTensorType inner,
                                llvm::ArrayRef<int64_t> offsets,
                                llvm::ArrayRef<int64_t> strides);

} // namespace tilefuse::tile

#endif // TILEFUSE_DIALECTS_TILE_OPCHECKS_H
