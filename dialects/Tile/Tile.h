//===- Tile.h - the tile dialect --------------------------------*- C++ -*-===//
//
// The umbrella header: dialect, enums, attributes, types and ops. What each op
// does is said in TileOps.td and TileSharedOps.td.
//
//===----------------------------------------------------------------------===//
#ifndef TILEFUSE_DIALECTS_TILE_TILE_H
#define TILEFUSE_DIALECTS_TILE_TILE_H

#include "dialects/Tile/Layout/DistributedLayout.h"
#include "dialects/Tile/Layout/MmaLayout.h"
#include "dialects/Tile/Layout/SharedLayout.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/IR/TensorEncoding.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include <optional>

namespace tilefuse::tile {

/// Element types of blocks and views; blocks may hold `index` too.
bool isElementType(mlir::Type type);

/// A ranked static tensor, with any encoding, of 1 to 2^31 - 1 elements.
bool isBlockType(mlir::Type type);

/// `type` with another shape and without an encoding.
mlir::RankedTensorType withShape(mlir::RankedTensorType type,
                                 llvm::ArrayRef<int64_t> shape);

} // namespace tilefuse::tile

#include "dialects/Tile/TileDialect.h.inc"
#include "dialects/Tile/TileEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/Tile/TileAttrs.h.inc"

#define GET_TYPEDEF_CLASSES
#include "dialects/Tile/TileTypes.h.inc"

#define GET_OP_CLASSES
#include "dialects/Tile/TileOps.h.inc"

namespace tilefuse {

/// Makes the tile dialect available to contexts made from `registry`.
void registerTileDialect(mlir::DialectRegistry &registry);

} // namespace tilefuse

#endif // TILEFUSE_DIALECTS_TILE_TILE_H
