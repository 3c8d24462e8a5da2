//===- BlockReduction.h - tile.reduce for reduction ops ---------*- C++ -*-===//
#ifndef TILEFUSE_PASSES_TILING_BLOCKREDUCTION_H
#define TILEFUSE_PASSES_TILING_BLOCKREDUCTION_H

#include "dialects/Fuse/BlockReducer.h"
#include "passes/Tiling/BlockEmitter.h"

namespace tilefuse {

/// tile.reduce of `values` over `dims`, which keep extent 1.
llvm::SmallVector<mlir::Value>
emitBlockReduction(mlir::OpBuilder &b, mlir::Location loc,
                   mlir::ValueRange values, llvm::ArrayRef<int64_t> dims,
                   fuse::BlockReducer::CombineFn combine);

/// Reduces blocks over `iterations` along the op's reduction dims.
class TileBlockReducer : public fuse::BlockReducer {
public:
  /// `form` is the op's with its dims in the order `order`; `mask` is an i1
  /// block of the iterations, or null.
  TileBlockReducer(BlockEmitter &emitter, const SpaceForm &form,
                   llvm::ArrayRef<unsigned> order, const Slice &iterations,
                   mlir::Value mask);

  /// Whether any reduction dim varies in the block.
  bool hasDims() const { return !dims.empty(); }

  llvm::SmallVector<mlir::Value> reduce(mlir::OpBuilder &b, mlir::Location loc,
                                        mlir::ValueRange values,
                                        CombineFn combine) override;
  mlir::Value expand(mlir::OpBuilder &b, mlir::Location loc,
                     mlir::Value reduced) override;
  mlir::Value getMask() override { return mask; }
  mlir::Value getIndex(mlir::OpBuilder &b, mlir::Location loc) override;

private:
  BlockEmitter &emitter;
  const SpaceForm &form;
  llvm::ArrayRef<unsigned> order;
  const Slice &iterations;
  mlir::Value mask;
  llvm::SmallVector<int64_t> dims;
};

/// A reduction whose instance takes several tiles one after another, and carries
/// the state from one to the next (ReductionTiling.cpp). Where the state is a
/// single accumulator and registers allow, each element of the tile has its own,
/// and they are combined once, behind the last tile; or each line of the tile.
class RunningReduction {
public:
  /// `iterations` is what one tile covers; the variable of the loop over the
  /// tiles occurs in reduction dims only.
  RunningReduction(BlockEmitter &emitter, fuse::ReductionOpInterface op,
                   const Slice &iterations);

  /// Neutral states to start with.
  llvm::SmallVector<mlir::Value> getInits();
  /// The states after one more tile.
  mlir::FailureOr<llvm::SmallVector<mlir::Value>> add(mlir::ValueRange carried);
  /// The state of all tiles, as tileReductionPart gives it.
  llvm::SmallVector<mlir::Value> finish(mlir::ValueRange carried);

private:
  BlockEmitter &emitter;
  fuse::ReductionOpInterface op;
  Slice iterations;
  bool perElement;
  /// Dims of a block of elements that each tile combines.
  llvm::SmallVector<int64_t> folded;
};

} // namespace tilefuse

#endif // TILEFUSE_PASSES_TILING_BLOCKREDUCTION_H
