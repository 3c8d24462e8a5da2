//===- LayoutRewriter.h - types with layouts, conversions between -*- C++
//-*-===//
#ifndef TILEFUSE_PASSES_TILEOPT_LAYOUTREWRITER_H
#define TILEFUSE_PASSES_TILEOPT_LAYOUTREWRITER_H

#include "passes/TileOpt/LayoutSolver.h"

namespace tilefuse {

struct RewriteCounts {
  int64_t conversions = 0;
  int64_t sharedConversions = 0;
};

/// Gives every block tensor of the kernel its encoding and converts where an op
/// needs another than its operand has. Ops whose operand decides (reductions,
/// reshapes) may deviate from `layouts`.
mlir::LogicalResult rewriteLayouts(tile::FuncOp func, const LayoutMap &layouts,
                                   RewriteCounts &counts);

} // namespace tilefuse

#endif // TILEFUSE_PASSES_TILEOPT_LAYOUTREWRITER_H
