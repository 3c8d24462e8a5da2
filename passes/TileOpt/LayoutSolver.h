//===- LayoutSolver.h - the layout each block should have --------*- C++
//-*-===//
//
// Layouts spread from anchors. An anchor is a value whose layout an instruction
// or memory dictates: first accumulators of tensor-core dots, then, by falling
// size, whatever has no layout yet gets the one that memory wants. From each
// anchor the layout spreads along ops that cost nothing when both sides agree:
// pointwise ops, broadcasts (towards the small side), reshapes, transposes,
// reductions (towards the result) and the values that control flow carries. The
// first layout to reach a value stays; where two meet, the rewriter converts.
//
// Constants, splats and iotas spread nothing: each use makes its own.
//
//===----------------------------------------------------------------------===//
#ifndef TILEFUSE_PASSES_TILEOPT_LAYOUTSOLVER_H
#define TILEFUSE_PASSES_TILEOPT_LAYOUTSOLVER_H

#include "passes/TileOpt/StageOperands.h"
#include "llvm/ADT/DenseMap.h"

namespace tilefuse {

using LayoutMap = llvm::DenseMap<mlir::Value, tile::DistributedLayout>;

/// A layout for every block tensor of the kernel.
LayoutMap solveLayouts(tile::FuncOp func, const LayoutAnchors &anchors);

/// A block that can be made anywhere in any layout: a constant, splat or iota.
bool isRematerialisable(mlir::Value value);

/// The layout of the results of `op` on blocks of `layout`, which no warp bit
/// folds: every lane that meets holds them all. Where they only are added up in a
/// loop or stored, lanes that would hold copies divide the registers instead. Nothing where
/// the layout has no slice.
std::optional<tile::DistributedLayout>
getReducedLayout(tile::ReduceOp op, const tile::DistributedLayout &layout);

/// Dims that a broadcast expands.
llvm::SmallVector<int64_t> getExpandedDims(tile::BroadcastOp op);

} // namespace tilefuse

#endif // TILEFUSE_PASSES_TILEOPT_LAYOUTSOLVER_H
