//===- ReshapeTiling.h - blocks through changes of shape --------*- C++ -*-===//
//
// A change of shape keeps the row-major order of elements. A box of one shape
// is a box of the other when, in each group of dims with equal products, it is
// a contiguous run that consists of whole rows or lies in one row:
//
//   [N, C, H*W] -> [N, C, H, W]: rows 4 .. 7 of W = 32 are 128 .. 255 of H*W
//
// The blocks then hold the same elements in the same order: one tile.reshape.
//
//===----------------------------------------------------------------------===//
#ifndef TILEFUSE_PASSES_TILING_RESHAPETILING_H
#define TILEFUSE_PASSES_TILING_RESHAPETILING_H

#include "passes/Tiling/Access.h"

namespace tilefuse {

/// Whether `op` maps its one operand's elements to its result in row-major
/// order.
bool isShapeChange(mlir::Operation *op);

/// The box of shape `to` with the elements of box `slice` of shape `from`.
std::optional<Slice> mapThroughReshape(llvm::ArrayRef<int64_t> from,
                                       llvm::ArrayRef<int64_t> to,
                                       llvm::ArrayRef<SliceDim> slice,
                                       const CoordVars &vars);

} // namespace tilefuse

#endif // TILEFUSE_PASSES_TILING_RESHAPETILING_H
