//===- Access.h - slices through an op's affine maps ------------*- C++ -*-===//
//
// The two directions of tiling one op. Demand: which slice of an operand do the
// iterations of a block read? Propagation: if a block of an operand is at hand,
// which iterations can be computed from it?
//
// `fuse` maps are linear but for divisors (transposed convolutions) and
// reshapes; what is not linear is only tiled one element at a time.
//
//===----------------------------------------------------------------------===//
#ifndef TILEFUSE_PASSES_TILING_ACCESS_H
#define TILEFUSE_PASSES_TILING_ACCESS_H

#include "dialects/Fuse/Fuse.h"
#include "passes/Tiling/Coord.h"

namespace tilefuse {

/// How one tensor (an operand, or a result) is indexed, dim by dim.
struct AccessForm {
  /// Numerator per tensor dim; nothing where the map is not linear.
  llvm::SmallVector<std::optional<LinearForm>> dims;
  llvm::SmallVector<int64_t> divisors;
  llvm::SmallVector<int64_t> shape;
  mlir::TypedAttr fill;

  bool isLinear() const {
    return llvm::all_of(dims, [](const auto &d) { return d.has_value(); });
  }
};

/// The iteration space of an op in linear forms. Dims of extent 1 do not occur
/// in sums: their index is 0.
struct SpaceForm {
  explicit SpaceForm(fuse::IterationSpaceOpInterface op);

  fuse::IterationSpace space;
  llvm::SmallVector<AccessForm> operands;
  llvm::SmallVector<AccessForm> results;
  /// Reduction dims whose steps are over elements of a window (SkewReduction.h):
  /// beyond their bound an operand reads as zero.
  llvm::SmallVector<bool> skewed;

  /// The same space with its dims in another order: new dim i is dim order[i].
  SpaceForm getPermuted(llvm::ArrayRef<unsigned> order) const;

  unsigned getNumDims() const { return space.bounds.size(); }
  bool isReduction(unsigned dim) const { return space.isReduction[dim]; }
  int64_t getBound(unsigned dim) const { return space.bounds[dim]; }
};

/// Per tensor dim, the iteration dims that run along it, outermost first; none
/// where its extent is 1.
using DimLabels = llvm::SmallVector<llvm::SmallVector<unsigned, 2>>;

/// A slice of a tensor and how iteration dims run along it.
struct LabelledSlice {
  Slice slice;
  DimLabels labels;
};

/// What `iterations` touch of a tensor. Several iteration dims may share one
/// tensor dim when together they run through it without gap or overlap
/// (group * size + channel, window * row + column). Nothing when they do not, a
/// divisor leaves a remainder, or the map is not linear.
std::optional<LabelledSlice> getTouched(const AccessForm &form,
                                        llvm::ArrayRef<SliceDim> iterations);

/// Whether a divisor certainly leaves a remainder at `iterations`, whose
/// varying dims take no part in divisions.
bool isNeverRead(const AccessForm &form, llvm::ArrayRef<SliceDim> iterations);

/// Iterations whose results are `slice` of result `index`; dims that the result
/// lacks are whole. Nothing when no box of iterations does it.
std::optional<Slice> getIterations(const SpaceForm &form, unsigned index,
                                   llvm::ArrayRef<SliceDim> slice,
                                   const CoordVars &vars);

/// Divides a part of (outer * size + inner) in parts of outer and inner: whole
/// rows, or a piece of one row. False when it is neither.
bool splitPart(const SliceDim &part, int64_t size, const CoordVars &vars,
               SliceDim &outer, SliceDim &inner);

/// Iterations known from a block of an operand; dims stay empty until known.
using PartialIterations = llvm::SmallVector<std::optional<SliceDim>>;

/// Refines `known` by the block `slice` of the operand read through `form`.
/// False when the block does not hold what whole iterations need.
bool propagateSlice(const AccessForm &form, const SpaceForm &space,
                    llvm::ArrayRef<SliceDim> slice, const CoordVars &vars,
                    PartialIterations &known);

} // namespace tilefuse

#endif // TILEFUSE_PASSES_TILING_ACCESS_H
