//===- BlockEmitter.h - code for blocks of graph values ---------*- C++ -*-===//
//
// Tiling by demand. A kernel's function is made by asking for the blocks it
// stores; a block asks for the blocks of operands it needs, down to loads of
// the kernel's arguments:
//
//   evaluate(pool, [n, oc, oh/4.., ow/4..])
//     -> evaluate(tanh, [n, oc, oh.., ow..])        the union of the windows
//        -> evaluate(conv, [n, oc, oh.., ow..])     loop over input channels
//           -> evaluate(x, [n, c.., oh-1.., ow-1..])  tile.load of the patch
//
// A block asked for twice is computed once (slices are symbolic, so equality is
// decidable), and one that does not depend on a loop's counter is computed
// before the loop. Nothing distinguishes prologue from epilogue here: the
// anchor is the op whose block the schedule chose, everything else follows.
//
// Contract on elements: positions of a block outside the value's true extents
// hold garbage. A consumer that lets them reach a true element (a padded read,
// a reduction) masks them itself, see evaluateFilled.
//
//===----------------------------------------------------------------------===//
#ifndef TILEFUSE_PASSES_TILING_BLOCKEMITTER_H
#define TILEFUSE_PASSES_TILING_BLOCKEMITTER_H

#include "dialects/Tile/Tile.h"
#include "passes/Tiling/Access.h"
#include "llvm/ADT/DenseMap.h"
#include <utility>

namespace tilefuse {

/// Instances that share one tile's reduction divide the steps of reduction dim
/// `dim`; `var` is the position of this one among the `count`. Where several dims are
/// divided, there is an instance for each combination.
struct SplitRange {
  unsigned var;
  int64_t count;
  unsigned dim;
};

/// Partial states of an op in memory: per accumulator a view of
/// [slots, parallel dims...], to be merged in the order of the slots. A null
/// view was not kept: it counts as neutral.
struct PartialStates {
  llvm::SmallVector<mlir::Value> views;
  int64_t slots = 0;
};

class BlockEmitter {
public:
  using LoopBody =
      llvm::function_ref<mlir::FailureOr<llvm::SmallVector<mlir::Value>>(
          llvm::ArrayRef<Coord> counters, mlir::ValueRange carried)>;

  BlockEmitter(mlir::OpBuilder &b, CoordVars &vars, fuse::KernelOp kernel,
               bool powersOfTwo);

  mlir::OpBuilder &getBuilder() { return b; }
  CoordVars &getVars() { return vars; }
  fuse::KernelOp getKernel() { return kernel; }
  /// Whether blocks must have extents that are powers of two (GPU registers).
  bool wantsPowersOfTwo() const { return powersOfTwo; }
  const SpaceForm &getForm(mlir::Operation *op);

  //===--- where values come from -----------------------------------------===//

  /// `value` is in memory.
  void bind(mlir::Value value, mlir::Value view) { views[value] = view; }
  mlir::Value getView(mlir::Value value) const { return views.lookup(value); }
  void bindPartials(mlir::Operation *op, PartialStates states) {
    partials[op] = std::move(states);
  }
  /// `op` reduces only this instance's share and yields a partial state.
  void setSplit(mlir::Operation *op, llvm::ArrayRef<SplitRange> ranges) {
    splits[op].assign(ranges.begin(), ranges.end());
  }
  /// Empty where no other instance shares the reduction of `op`.
  llvm::ArrayRef<SplitRange> getSplit(mlir::Operation *op) const;
  /// Elements per step of each reduction dim's loop, in the order of the dims.
  llvm::SmallVector<int64_t> getReductionSteps(mlir::Operation *op);
  /// Whether blocks asked for from now on are operands of a product; returns
  /// what it was.
  bool setInProduct(bool value) { return std::exchange(inProduct, value); }
  /// The slice of `value` that the tile holds: reductions over a dim that lies
  /// wholly in it take it in one piece.
  void setTileSlices(const llvm::DenseMap<mlir::Value, Slice> *slices) {
    tileSlices = slices;
  }
  const Slice *getTileSlice(mlir::Value value) const;

  //===--- blocks ---------------------------------------------------------===//

  /// The block of `value` at `slice`.
  mlir::FailureOr<mlir::Value> evaluate(mlir::Value value, const Slice &slice);
  /// The same, with `fill` (zero when null) outside the value's bounds in the
  /// dims of `filledDims`.
  mlir::FailureOr<mlir::Value> evaluateFilled(mlir::Value value,
                                              const Slice &slice,
                                              mlir::TypedAttr fill,
                                              llvm::ArrayRef<bool> filledDims);
  /// Makes a block known, for the rest of the innermost loop being built.
  void remember(mlir::Value value, const Slice &slice, mlir::Value block);
  mlir::Value lookup(mlir::Value value, const Slice &slice) const;

  /// Nested loops, the first outermost; `counts` of 1 make no loop. The body
  /// gets one counter per count and returns what is carried on.
  mlir::FailureOr<llvm::SmallVector<mlir::Value>>
  emitLoops(mlir::Location loc, llvm::ArrayRef<int64_t> counts,
            mlir::ValueRange inits, LoopBody body);

  /// A loop over variable `var`. The body gets what is carried and returns what
  /// is carried on.
  mlir::FailureOr<llvm::SmallVector<mlir::Value>> emitRepeat(
      mlir::Location loc, unsigned var, mlir::ValueRange inits,
      llvm::function_ref<
          mlir::FailureOr<llvm::SmallVector<mlir::Value>>(mlir::ValueRange)>
          body);

  //===--- small blocks of code -------------------------------------------===//

  mlir::RankedTensorType getBlockType(llvm::ArrayRef<int64_t> shape,
                                      mlir::Type elementType) const;
  mlir::Value splat(mlir::Location loc, mlir::TypedAttr scalar,
                    llvm::ArrayRef<int64_t> shape);
  mlir::Value reshape(mlir::Location loc, mlir::Value block,
                      llvm::ArrayRef<int64_t> shape);
  mlir::Value broadcast(mlir::Location loc, mlir::Value block,
                        llvm::ArrayRef<int64_t> shape);
  mlir::Value transpose(mlir::Location loc, mlir::Value block,
                        llvm::ArrayRef<int64_t> permutation);
  /// Rearranges a block whose dim k runs along iteration dim dims[k] to all the
  /// iteration dims of `shape`; those it lacks are broadcast, or 1 unless
  /// `expand`.
  mlir::Value align(mlir::Location loc, mlir::Value block,
                    llvm::ArrayRef<unsigned> dims,
                    llvm::ArrayRef<int64_t> shape, bool expand = true);
  /// The inverse: a block over iteration dims becomes one of a tensor, of
  /// `shape`; iteration dims that the tensor lacks have extent 1.
  mlir::Value unalign(mlir::Location loc, mlir::Value block,
                      const DimLabels &labels, llvm::ArrayRef<int64_t> shape);
  /// i64 positions along dim `dim` of `slice`, as a block of its shape.
  mlir::Value emitPositions(mlir::Location loc, llvm::ArrayRef<SliceDim> slice,
                            unsigned dim);
  /// i1 block: which elements of `slice` are in bounds, looking at `dims` only;
  /// null when all are.
  mlir::Value emitBoundsMask(mlir::Location loc, llvm::ArrayRef<SliceDim> slice,
                             llvm::ArrayRef<int64_t> bounds,
                             llvm::ArrayRef<bool> dims);
  /// `mask`, which may be null, of `shape` and where `isOutside` is 0.
  mlir::Value conjoin(mlir::Location loc, mlir::Value mask,
                      const Coord &isOutside, llvm::ArrayRef<int64_t> shape);
  mlir::Value select(mlir::Location loc, mlir::Value mask, mlir::Value block,
                     mlir::TypedAttr otherwise);
  mlir::Value load(mlir::Location loc, mlir::Value view,
                   llvm::ArrayRef<SliceDim> slice, mlir::TypedAttr fill = {});
  void store(mlir::Location loc, mlir::Value block, mlir::Value view,
             llvm::ArrayRef<SliceDim> slice);

private:
  struct Entry {
    mlir::Value value;
    Slice slice;
    mlir::TypedAttr fill;
    llvm::SmallVector<bool> filledDims;
    mlir::Value block;
  };
  /// A loop being built and the blocks known in it.
  struct Scope {
    mlir::Operation *loop = nullptr;
    unsigned var = 0;
    bool isRepeat = false;
    std::vector<Entry> entries;
  };

  const Entry *find(mlir::Value value, const Slice &slice, mlir::TypedAttr fill,
                    llvm::ArrayRef<bool> filledDims) const;
  /// Runs `make` where a block of `slice` can be computed as early as possible.
  bool keepsOverTiles();
  template <typename Fn> auto hoisted(const Slice &slice, Fn make);
  mlir::FailureOr<mlir::Value> compute(mlir::Value value, const Slice &slice);

  mlir::OpBuilder &b;
  CoordVars &vars;
  fuse::KernelOp kernel;
  bool powersOfTwo;
  llvm::DenseMap<mlir::Value, mlir::Value> views;
  llvm::DenseMap<mlir::Operation *, PartialStates> partials;
  llvm::DenseMap<mlir::Operation *, llvm::SmallVector<SplitRange, 2>> splits;
  llvm::DenseMap<mlir::Operation *, std::unique_ptr<SpaceForm>> forms;
  const llvm::DenseMap<mlir::Value, Slice> *tileSlices = nullptr;
  std::vector<Scope> scopes;
  bool inProduct = false;
};

//===--- one file per family ----------------------------------------------===//

/// The block of a pointwise op (PointwiseTiling.cpp).
mlir::FailureOr<mlir::Value> tilePointwise(BlockEmitter &emitter,
                                           fuse::PointwiseOpInterface op,
                                           const Slice &slice);
/// The block of a contraction (ContractionTiling.cpp). For a split one: the
/// share of this instance, in the type of the sum.
mlir::FailureOr<mlir::Value> tileContraction(BlockEmitter &emitter,
                                             fuse::ContractionOpInterface op,
                                             const Slice &slice);
/// The blocks of all results of a reduction (ReductionTiling.cpp).
mlir::FailureOr<llvm::SmallVector<mlir::Value>>
tileReduction(BlockEmitter &emitter, fuse::ReductionOpInterface op,
              unsigned result, const Slice &slice);
/// The state of the part of a reduction that `iterations` cover; reduction dims
/// keep extent 1.
mlir::FailureOr<llvm::SmallVector<mlir::Value>>
tileReductionPart(BlockEmitter &emitter, fuse::ReductionOpInterface op,
                  const Slice &iterations);
/// Result blocks at `slice` from the state of `iterations`' parallel dims.
mlir::FailureOr<llvm::SmallVector<mlir::Value>>
finalizeReduction(BlockEmitter &emitter, fuse::ReductionOpInterface op,
                  const Slice &iterations, mlir::ValueRange state,
                  const Slice &slice);
/// Results of `op` from its partial states in memory (PartialTiling.cpp).
mlir::FailureOr<llvm::SmallVector<mlir::Value>>
mergePartials(BlockEmitter &emitter, mlir::Operation *op,
              const PartialStates &states, unsigned result, const Slice &slice);

} // namespace tilefuse

#endif // TILEFUSE_PASSES_TILING_BLOCKEMITTER_H
