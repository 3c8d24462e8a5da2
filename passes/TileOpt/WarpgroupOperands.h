//===- WarpgroupOperands.h - which operand wgmma reads itself ----*- C++ -*-===//
//
// A wgmma takes its left operand from registers, in fragments loaded from any
// shared tile, and reads its right operand from shared memory in core matrices:
// four elements of depth side by side, then eight columns. Either operand of a dot
// may be the right one, since the transposed product has the same sums.
//
// Four elements of depth are a dim of their own: the contracting dim of both
// operands is split, [16] -> [4, 4], where the right operand is staged, in front
// of all windows and reshapes. Then core matrices are integer strides like any
// other layout, and a tap of a convolution is an offset. A window that shifts the
// depth, a tap of a weight gradient, say, cannot be split so; it can be a left
// operand.
//
//===----------------------------------------------------------------------===//
#ifndef TILEFUSE_PASSES_TILEOPT_WARPGROUPOPERANDS_H
#define TILEFUSE_PASSES_TILEOPT_WARPGROUPOPERANDS_H

#include "passes/TileOpt/SharedViews.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/MapVector.h"

namespace tilefuse {

struct WarpgroupProduct {
  /// Of left times right, contracting dims split.
  tile::DotDims dims;
  tile::MmaLayouts layouts;
  /// The dot's right operand is the left one here.
  bool swapped = false;
  /// The left operand, its contracting dim split.
  mlir::Value left;
  /// The right operand as views of what is staged for it, and the layout of that.
  ViewChain right;
  tile::SharedLayout rightLayout;
  /// Columns of an instruction.
  int64_t columns = 0;
};

class WarpgroupPlanner {
public:
  explicit WarpgroupPlanner(unsigned numWarps) : numWarps(numWarps) {}

  /// A product for warpgroups, or nothing. `folded` is a mask for each dim of the
  /// dot's result: bits that better stay inside a warp. The views it needs are in
  /// the IR then.
  std::optional<WarpgroupProduct> plan(tile::DotOp dot,
                                       llvm::ArrayRef<int64_t> folded);

private:
  std::optional<WarpgroupProduct> tryPlan(tile::DotOp dot, bool swapped,
                                          llvm::ArrayRef<int64_t> folded);
  std::optional<ViewChain> splitRight(mlir::Value operand, int64_t dim);
  tile::SharedLayout getLayout(const ViewChain &chain,
                               llvm::ArrayRef<int64_t> columns,
                               int64_t depthDim);

  unsigned numWarps;
  /// Roots with a split dim.
  llvm::DenseMap<std::pair<mlir::Value, int64_t>, mlir::Value> roots;
  llvm::DenseMap<mlir::Value, tile::SharedLayout> rootLayouts;
};

/// The layout of a right operand that memory has across its depth: patches that
/// are read along rows and stored along the depth, both in whole vectors.
std::optional<tile::DistributedLayout> getPatchLayout(mlir::Value root,
                                                      unsigned numWarps);

/// The layout in which a staged value is copied: patches, or as memory wants it,
/// seen through a reshape of what was loaded.
tile::DistributedLayout getCopyLayout(mlir::Value root, unsigned numWarps);

} // namespace tilefuse

#endif // TILEFUSE_PASSES_TILEOPT_WARPGROUPOPERANDS_H
