//===- KernelStructure.h - what runs where in a kernel ----------*- C++ -*-===//
//
// One description of a kernel, shared by the pass that forms kernels (which
// asks whether a group of ops is legal), the one that picks schedules (which
// asks what a tile must hold) and the one that tiles (which asks where each
// value lives).
//
// The idea. A kernel has one *root space* whose points are divided among
// program instances, a tile each. With an anchor, the root dims are the
// anchor's parallel dims; without, they are the dims of the root value, one per
// tensor dim. Every op after the anchor (or after a reduction of the kernel)
// is *placed*: an affine map gives its iteration dims at a root point. Ops
// that read kernel inputs only are computed on demand, at whatever index their
// reader asks for, as often as it asks.
//
// Worked example: conv2d -> + bias -> 4x4 max pool -> sum over h and w.
//   root dims (n, c, h, w), the convolution's parallel dims
//   add        dims (n, c, h, w)                 Tile
//              bias operand read at (c, 0, 0)
//   max pool   dims (n, c, h floordiv 4, w floordiv 4, h mod 4, w mod 4)
//              TileReduce; the tile's h and w extents are multiples of 4
//   pooled     at (n, c, h floordiv 4, w floordiv 4)
//   sum        dims (n, c, h floordiv 4, w floordiv 4), the last two reduced;
//              CrossReduce unless one tile holds all of h and w
//
// Reductions across tiles may fold different dims, as long as no op needs two of
// them: each leaves partial states of its own.
//
// A value that lost a root dim to a reduction does not depend on it: its map
// does not use the dim, and readers broadcast it back.
//
// Maps are normalised: an index into a dim of extent 1 is the constant 0.
//
//===----------------------------------------------------------------------===//
#ifndef TILEFUSE_DIALECTS_FUSE_KERNELSTRUCTURE_H
#define TILEFUSE_DIALECTS_FUSE_KERNELSTRUCTURE_H

#include "dialects/Fuse/Fuse.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SetVector.h"
#include <string>

namespace tilefuse::fuse {

/// Where an op of a kernel runs.
enum class Stage {
  /// Pointwise on kernel inputs only: computed wherever it is read (operands
  /// of the anchor, side operands of later stages).
  Demand,
  /// The contraction or window the kernel is built around.
  Anchor,
  /// Pointwise on a value of the tile.
  Tile,
  /// Reduction wholly inside one program instance's tile.
  TileReduce,
  /// Reduction across program instances: partial states, merged by the finish.
  CrossReduce,
  /// Pointwise on merged reductions: runs in the finish.
  Finish,
};

/// Where one op runs and which of its points belong to a root point.
struct OpPlacement {
  mlir::Operation *op = nullptr;
  Stage stage = Stage::Demand;
  /// Root dims -> iteration dims (parallel, then reduction). Null for the
  /// anchor, whose parallel dims are the root dims, and for Demand ops that no
  /// placed op determines.
  mlir::AffineMap dims;
  /// Root dims -> index of each operand. Empty where `dims` is null.
  llvm::SmallVector<mlir::AffineMap> operands;
  /// Root dims -> index of each result. Empty for unplaced Demand ops.
  llvm::SmallVector<mlir::AffineMap> results;
};

/// Ops that may become one kernel. `ops` is in dominance order, without
/// terminator; `results` are the values that leave the kernel.
struct KernelGroup {
  llvm::SmallVector<mlir::Operation *> ops;
  mlir::Operation *anchor = nullptr;
  llvm::SmallVector<mlir::Value> results;

  /// The body of a formed kernel.
  static KernelGroup fromKernel(KernelOp kernel);
};

/// The structure of a legal kernel.
class KernelStructure {
public:
  /// Analyses a group. `block` is the schedule's, or empty when none is chosen
  /// yet: reductions that nothing forces into one tile then count as crossing
  /// tiles. On failure `reason` says why the ops cannot be one kernel.
  static mlir::FailureOr<KernelStructure>
  analyze(const KernelGroup &group, llvm::ArrayRef<int64_t> block,
          std::string &reason);

  /// Analyses a kernel with its schedule, if it has one.
  static mlir::FailureOr<KernelStructure> analyze(KernelOp kernel,
                                                  std::string &reason);

  /// The anchor, or null.
  mlir::Operation *getAnchor() const { return anchor; }
  /// The value whose dims are the root dims, for kernels without an anchor.
  mlir::Value getRootValue() const { return rootValue; }

  /// Extents of the root dims.
  llvm::ArrayRef<int64_t> getRootExtents() const { return rootExtents; }
  /// Extents of what `#fuse.schedule`'s block refers to: the root dims, then
  /// the anchor's reduction dims.
  llvm::ArrayRef<int64_t> getBlockExtents() const { return blockExtents; }
  unsigned getNumRootDims() const { return rootExtents.size(); }

  /// Per root dim: whether a tile must hold the whole extent.
  llvm::ArrayRef<bool> getMustHold() const { return mustHold; }
  /// Per root dim: tile extents are multiples of this (windows, splits).
  llvm::ArrayRef<int64_t> getGranules() const { return granules; }

  /// Per root dim: tiles should start at multiples of this, because indices of
  /// pointwise ops are divided by it (padding between elements).
  llvm::ArrayRef<int64_t> getDivisors() const { return divisors; }

  /// Every op of the kernel, in order.
  llvm::ArrayRef<OpPlacement> getPlacements() const { return placements; }
  /// The placement of `op`, which is in the kernel.
  const OpPlacement &getPlacement(mlir::Operation *op) const;
  Stage getStage(mlir::Operation *op) const { return getPlacement(op).stage; }

  /// Root dims -> index of a placed value; null for values read on demand.
  mlir::AffineMap getValueMap(mlir::Value value) const {
    return valueMaps.lookup(value);
  }
  /// Results of the kernel in order (the yielded values).
  llvm::ArrayRef<mlir::Value> getResults() const { return results; }

  /// Whether a finish function is needed.
  bool hasFinish() const { return finish; }
  /// Per root dim: whether every reduction across tiles folds it. A tile that is
  /// long along such dims leaves few partial states.
  llvm::ArrayRef<bool> getCrossReduced() const { return crossReduced; }
  /// Root dims that the reduction dims of a TileReduce or CrossReduce op fold
  /// away entirely (a window folds none: its dims only become coarser).
  llvm::SmallVector<unsigned> getFoldedRootDims(mlir::Operation *op) const;

private:
  friend class StructureAnalysis;

  mlir::Operation *anchor = nullptr;
  mlir::Value rootValue;
  llvm::SmallVector<int64_t> rootExtents, blockExtents, granules, divisors;
  llvm::SmallVector<bool> mustHold, crossReduced;
  llvm::SmallVector<OpPlacement> placements;
  llvm::DenseMap<mlir::Operation *, unsigned> placementOf;
  llvm::DenseMap<mlir::Value, mlir::AffineMap> valueMaps;
  llvm::SmallVector<mlir::Value> results;
  bool finish = false;
};

/// One dim of a block index: `(dim floordiv divisor) mod modulus`, with modulus
/// 0 when there is none; `dim` is -1 for the constant 0.
struct BlockIndex {
  int dim = -1;
  int64_t divisor = 1;
  int64_t modulus = 0;
};

/// Decodes an index expression of a placed value, or nothing when it is a
/// combination of several dims (grouped contractions: group * size + channel).
std::optional<BlockIndex> decodeBlockIndex(mlir::AffineExpr expr);

/// Simplifies an expression in dims that range over [0, extents[i]).
mlir::AffineExpr simplifyIndex(mlir::AffineExpr expr,
                               llvm::ArrayRef<int64_t> extents);

/// `access` at the points `dims` (root dims -> op dims), simplified and
/// normalised for an operand of `shape`.
mlir::AffineMap composeAccess(mlir::AffineMap access, mlir::AffineMap dims,
                              llvm::ArrayRef<int64_t> rootExtents,
                              llvm::ArrayRef<int64_t> shape);

} // namespace tilefuse::fuse

#endif // TILEFUSE_DIALECTS_FUSE_KERNELSTRUCTURE_H
