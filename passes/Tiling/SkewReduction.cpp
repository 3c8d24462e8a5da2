//===- SkewReduction.cpp - windows moved from one operand to the other ---===//
//
// A window over one operand is a shift of it. A gradient with respect to a filter
// sums over pixels p, and each column k of the filter reads x shifted by k:
//
//   dw[o, c, k] = sum over p of dz[o, p] * x[c, p + k - 1]
//
// Instructions of warpgroups read one operand from shared memory in pieces of 16
// bytes, in which a shift by one element cannot start. The other one comes from
// registers, which are loaded from anywhere. So the sum runs over q = p + k - 1
// instead, the element of x itself:
//
//   dw[o, c, k] = sum over q of dz[o, q - k + 1] * x[c, q]
//
// Every k multiplies the same block of x, whose rows start where memory's do, and
// dz is read at shifts from one patch of it. Where q is outside of x, the product
// is zero, and so it is where q - k + 1 is outside of dz: both operands read as
// zero there, and no other mask is needed.
//
//===----------------------------------------------------------------------===//

#include "passes/Tiling/SkewReduction.h"

using namespace mlir;
using namespace tilefuse;

namespace {
/// Where a dim runs along an operand: its index, and the tensor dim.
struct Place {
  unsigned operand, dim;
};
} // namespace

/// The only index in which `dim` takes part, per operand; nothing when there are
/// more, or an operand lacks it.
static std::optional<SmallVector<Place>> findPlaces(const SpaceForm &form,
                                                    unsigned dim) {
  SmallVector<Place> places;
  for (auto [operand, access] : llvm::enumerate(form.operands)) {
    unsigned count = 0;
    for (auto [position, index] : llvm::enumerate(access.dims)) {
      if (!index)
        return std::nullopt;
      if (index->coefficients[dim] == 0)
        continue;
      places.push_back({unsigned(operand), unsigned(position)});
      ++count;
    }
    if (count != 1)
      return std::nullopt;
  }
  return places;
}

/// Whether the window is along memory's rows, and the other operand is read at the
/// dim itself: then sums over the window's elements instead. Changes `form`.
static bool skew(SpaceForm &form, unsigned dim) {
  std::optional<SmallVector<Place>> places = findPlaces(form, dim);
  if (!places || places->size() != 2)
    return false;
  for (unsigned which : {0, 1}) {
    AccessForm &windowed = form.operands[(*places)[which].operand];
    AccessForm &plain = form.operands[(*places)[!which].operand];
    unsigned windowDim = (*places)[which].dim, plainDim = (*places)[!which].dim;
    if (windowDim + 1 != windowed.dims.size() ||
        windowed.divisors[windowDim] != 1 || plain.divisors[plainDim] != 1)
      continue;
    LinearForm window = *windowed.dims[windowDim];
    LinearForm &index = *plain.dims[plainDim];
    bool hasShift = false, isParallel = true;
    for (unsigned other : window.getDims()) {
      if (other == dim)
        continue;
      hasShift |= form.getBound(other) > 1;
      // In a convolution the sum is over the shifts.
      isParallel &= !form.isReduction(other) &&
                    window.coefficients[other] > 0 &&
                    form.getBound(other) < form.getBound(dim);
    }
    if (!hasShift || !isParallel || window.coefficients[dim] != 1 ||
        index.getDims().size() != 1 || index.coefficients[dim] != 1 ||
        index.constant != 0 || form.getBound(dim) != plain.shape[plainDim])
      continue;
    // q = dim + shifts + constant
    LinearForm own;
    own.coefficients.assign(window.coefficients.size(), 0);
    own.coefficients[dim] = 1;
    for (auto [to, from] : llvm::zip(index.coefficients, window.coefficients))
      to = -from;
    index.coefficients[dim] = 1;
    index.constant = -window.constant;
    windowed.dims[windowDim] = own;
    form.space.bounds[dim] = windowed.shape[windowDim];
    form.skewed[dim] = true;
    return true;
  }
  return false;
}

SpaceForm tilefuse::getTiledForm(fuse::KernelOp kernel, Operation *op,
                                 const SpaceForm &form) {
  SpaceForm tiled = form;
  std::optional<fuse::ScheduleAttr> schedule = kernel.getSchedule();
  if (op != kernel.getAnchor() || !schedule ||
      schedule->getMma() != fuse::MmaKind::wgmma ||
      form.operands.size() != 2 || !isa<fuse::ContractionOpInterface>(op))
    return tiled;
  for (unsigned dim = form.getNumDims(); dim-- > 0;)
    if (form.isReduction(dim) && skew(tiled, dim))
      break;
  return tiled;
}
