//===- FlatSlice.h - computed operands as lines of elements -----*- C++ -*-===//
//
// A patch of 10 x 34 elements shares out badly among 32 lanes: as rows and columns
// it takes 12 x 48 places, 1.7 for each element, and as one line of 340 elements 384.
// Pointwise code does not mind. What it is computed from waits in shared memory
// (Pipeline.cpp), where a line is read as easily as rows and columns, so the code
// between there and the shared tile of the operand is made for lines:
//
//   %a = load_shared %t : tensor<8x10x34>         %a = load_shared %line : tensor<8x340>
//   %m = broadcast (iota 1 < %h)           ->     %m = iota 1 / 34 < %h
//   %r = select %m, f(%a), 0                      %r = select %m, f(%a), 0
//
// Dims before those that become one keep their place in the layout, so that
// parameters along them are found in the threads that held them.
//
//===----------------------------------------------------------------------===//
#ifndef TILEFUSE_PASSES_TILEOPT_FLATSLICE_H
#define TILEFUSE_PASSES_TILEOPT_FLATSLICE_H

#include "dialects/Tile/Tile.h"
#include "mlir/IR/IRMapping.h"

namespace tilefuse {

class FlatSlice {
public:
  /// `root` is what the slice computes. Nothing when the slice is more than
  /// pointwise code on `loads`, whose tiles are dense, or gains nothing; `dest` is
  /// the layout of the tile that takes the result.
  static std::optional<FlatSlice> plan(mlir::Value root,
                                       llvm::ArrayRef<tile::LoadOp> loads,
                                       const tile::SharedLayout &dest);

  /// The slice for a line. `mapping` knows the round; `tiles` hold what the loads
  /// would have loaded, in the same order.
  mlir::Value emit(mlir::OpBuilder &builder, mlir::IRMapping &mapping,
                   llvm::ArrayRef<mlir::Value> tiles) const;

  /// A shared tile of the root's shape, seen as lines.
  mlir::Value createView(mlir::OpBuilder &builder, mlir::Location loc,
                         mlir::Value sharedTile) const;

private:
  bool isFlat(mlir::Value value) const;
  bool isSmall(mlir::Value value) const;
  bool canMake(mlir::Value value, llvm::SmallPtrSetImpl<mlir::Operation *> &seen)
      const;
  llvm::SmallVector<int64_t> getShape(mlir::Value value) const;
  std::optional<mlir::RankedTensorType> getType(mlir::Value value) const;

  mlir::Value root;
  llvm::SmallVector<tile::LoadOp> loads;
  llvm::SmallVector<int64_t> rootShape;
  /// Dims from here on become one of `length` elements.
  unsigned first = 0;
  int64_t length = 1;
  tile::DistributedLayout layout;

  friend class FlatEmitter;
};

} // namespace tilefuse

#endif // TILEFUSE_PASSES_TILEOPT_FLATSLICE_H
