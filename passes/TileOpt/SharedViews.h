//===- SharedViews.h - chains of views on shared tiles -----------*- C++
//-*-===//
#ifndef TILEFUSE_PASSES_TILEOPT_SHAREDVIEWS_H
#define TILEFUSE_PASSES_TILEOPT_SHAREDVIEWS_H

#include "dialects/Tile/Tile.h"

namespace tilefuse {

/// The windows, reshapes and transposes between a block and a value, outermost
/// first: each reads the one before it.
struct ViewChain {
  mlir::Value root;
  llvm::SmallVector<mlir::Operation *> views;
};

/// The chain that ends in `value`; no views when it is none.
ViewChain traceViews(mlir::Value value);

/// The layout of the chain's end when its root has `layout`; none when a view
/// is not representable.
std::optional<tile::SharedLayout> composeViews(const tile::SharedLayout &layout,
                                               const ViewChain &chain);

/// The chain repeated on a shared tile that holds its root.
mlir::Value createSharedViews(mlir::OpBuilder &builder, mlir::Value sharedTile,
                              const ViewChain &chain);

/// An allocation of a tile of this block's shape and element type.
mlir::Value createSharedTile(mlir::OpBuilder &builder, mlir::Location loc,
                             mlir::RankedTensorType block,
                             const tile::SharedLayout &layout);

/// Dims of a block, fastest first, as memory wants them: by stride of the view
/// that the block is loaded from or stored to, else row-major; and how many
/// elements along the first make one wide access.
struct MemoryOrder {
  llvm::SmallVector<int64_t> dims;
  int64_t vector = 1;
};
MemoryOrder getMemoryOrder(mlir::Value block, unsigned numWarps);

/// The layout that memory wants for a block.
tile::DistributedLayout getMemoryLayout(mlir::Value block, unsigned numWarps);

} // namespace tilefuse

#endif // TILEFUSE_PASSES_TILEOPT_SHAREDVIEWS_H
