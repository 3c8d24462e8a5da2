//===- StagePlan.h - the functions a kernel becomes -------------*- C++ -*-===//
//
// Before any code is made, a kernel is divided into stages, one tile.func each:
//
//   main    a grid of tiles over the anchor's parallel dims (or over the dims
//   of
//           a root value); stores every result that the tile determines, and
//           the partial states of reductions that cross tiles
//   finish  a small grid over what those reductions keep; merges the states and
//           computes what follows from them
//   more    whatever is left, one stage each, with everything stored so far at
//           hand. Kernel formation does not normally leave any, but a kernel
//           that it made differently still compiles.
//
// A stage's tile fixes the slice of every value that it determines (`slices`):
// from the root forward through the maps of pointwise ops, of reductions whose
// dims the tile holds wholly, and of windows that lie side by side. Values it
// does not determine (operands of the anchor, parameters) have no slice here:
// they are evaluated where they are asked for.
//
// A tile may be cut into classes: residues of a divided dim
// (ResidueSplitting.h), or the taps of a weight gradient. Each class has its
// own slices.
//
//===----------------------------------------------------------------------===//
#ifndef TILEFUSE_PASSES_TILING_STAGEPLAN_H
#define TILEFUSE_PASSES_TILING_STAGEPLAN_H

#include "passes/Tiling/BlockEmitter.h"
#include <string>

namespace tilefuse {

/// A reduction whose partial states a stage stores.
struct CrossReduction {
  mlir::Operation *op = nullptr;
  /// Per class: what it reduces (for a contraction: the block of the result).
  llvm::SmallVector<Slice> parts;
  /// Position among the partial states of one element, and their number.
  Coord slot;
  int64_t slots = 1;
  /// The tiles that an instance takes one after another share one state.
  bool isCarried = false;
};

struct StagePlan {
  CoordVars vars;
  /// Grid variables, slowest first.
  llvm::SmallVector<unsigned> grid;
  /// The variable that counts the tiles of one instance, if there are several.
  std::optional<unsigned> repeat;
  llvm::SmallVector<llvm::DenseMap<mlir::Value, Slice>> classes;
  /// Evaluated first, whole, so that all classes share its loop; may be null.
  mlir::Value primed;
  Slice primedSlice;
  /// Values stored, at their slice of each class.
  llvm::SmallVector<mlir::Value> stores;
  llvm::SmallVector<CrossReduction> crosses;
  /// Results that are constants: every instance stores an equal share of their
  /// elements, wherever its tile lies.
  llvm::SmallVector<mlir::Value> fills;
  /// Ops whose partial states an earlier stage left.
  llvm::SmallVector<mlir::Operation *> merges;
  /// The op whose reduction several instances share, and how.
  std::optional<
      std::pair<mlir::Operation *, llvm::SmallVector<SplitRange, 2>>>
      split;
  /// No code: the result of this change of shape is another view of its
  /// operand's buffer.
  mlir::Operation *alias = nullptr;
  bool isFinish = false;

  /// All variables that tell tiles apart, slowest first.
  llvm::SmallVector<unsigned> getTileVars() const {
    llvm::SmallVector<unsigned> all(grid);
    if (repeat)
      all.push_back(*repeat);
    return all;
  }
};

/// All stages of a kernel, in launch order.
mlir::FailureOr<std::vector<StagePlan>> planStages(fuse::KernelOp kernel,
                                                   bool powersOfTwo);
/// The fallback for a kernel whose fused stages cannot be emitted: each op by
/// itself, its operands in memory.
mlir::FailureOr<std::vector<StagePlan>>
planSeparateStages(fuse::KernelOp kernel, bool powersOfTwo);

} // namespace tilefuse

#endif // TILEFUSE_PASSES_TILING_STAGEPLAN_H
