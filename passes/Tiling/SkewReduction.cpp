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
// zero there, and no other mask is needed. (An x that is infinite at the end of a
// row meets those zeros: all columns of its filter are NaN then, not one.)
//
// With a stride the elements of x fall into classes, one block each: for stride 2,
// 2 p + k - 1 = 2 q + r, where p = q - floor((k - 1) / 2) and r is what is left.
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

/// The index of an operand with a window that `dim` runs along as a skewed one can.
static const LinearForm *findWindow(const SpaceForm &form, unsigned dim,
                                    ArrayRef<Place> places) {
  for (unsigned which : {0, 1}) {
    const AccessForm &windowed = form.operands[places[which].operand];
    const AccessForm &plain = form.operands[places[!which].operand];
    unsigned windowDim = places[which].dim, plainDim = places[!which].dim;
    const LinearForm &window = *windowed.dims[windowDim];
    const LinearForm &index = *plain.dims[plainDim];
    // Along rows of memory; the other operand is read at the dim itself.
    if (windowDim + 1 == windowed.dims.size() && window.getDims().size() > 1 &&
        windowed.divisors[windowDim] == 1 && plain.divisors[plainDim] == 1 &&
        index.getDims().size() == 1 && index.coefficients[dim] == 1 &&
        index.constant == 0)
      return &window;
  }
  return nullptr;
}

/// Sums over the elements that `dim` meets instead, where that can be done.
static bool skew(SpaceForm &form, unsigned dim, ArrayRef<int64_t> block) {
  std::optional<SmallVector<Place>> places = findPlaces(form, dim);
  if (!places || places->size() != 2)
    return false;
  const LinearForm *window = findWindow(form, dim, *places);
  if (!window)
    return false;
  int64_t stride = window->coefficients[dim];
  for (unsigned shift : window->getDims())
    // In a convolution the sum is over the shifts. Classes must be known.
    if (shift != dim &&
        (form.isReduction(shift) || window->coefficients[shift] < 0 ||
         form.getBound(shift) >= form.getBound(dim) ||
         (stride > 1 && block[shift] < form.getBound(shift))))
      return false;
  for (const Place &place : *places) {
    const AccessForm &access = form.operands[place.operand];
    bool isWindow = &*access.dims[place.dim] == window;
    // Positions that are not summed over lie outside of the other operand.
    if (stride < 1 ||
        (!isWindow && access.shape[place.dim] != form.getBound(dim)))
      return false;
  }
  for (const Place &place : *places) {
    const AccessForm &access = form.operands[place.operand];
    if (&*access.dims[place.dim] == window)
      form.space.bounds[dim] =
          llvm::divideCeil(access.shape[place.dim], stride);
  }
  form.skewed[dim] = true;
  return true;
}

void tilefuse::shiftSkewed(const SpaceForm &form, Slice &iterations) {
  for (unsigned dim = 0; dim < form.getNumDims(); ++dim) {
    if (!form.skewed[dim])
      continue;
    const LinearForm &window =
        *findWindow(form, dim, *findPlaces(form, dim));
    Coord shift(window.constant);
    for (unsigned other : window.getDims())
      if (other != dim)
        shift = shift + iterations[other].base * window.coefficients[other];
    int64_t stride = window.coefficients[dim];
    if (stride > 1)
      shift = Coord(llvm::divideFloorSigned(shift.getConstant(), stride));
    iterations[dim].base = iterations[dim].base + shift * -1;
  }
}

SpaceForm tilefuse::getTiledForm(fuse::KernelOp kernel, Operation *op,
                                 const SpaceForm &form) {
  SpaceForm tiled = form;
  std::optional<fuse::ScheduleAttr> schedule = kernel.getSchedule();
  if (op != kernel.getAnchor() || !schedule ||
      schedule->getMma() != fuse::MmaKind::wgmma ||
      schedule->getBlock().size() != form.getNumDims() ||
      form.operands.size() != 2 || !isa<fuse::ContractionOpInterface>(op))
    return tiled;
  for (unsigned dim = form.getNumDims(); dim-- > 0;)
    if (form.isReduction(dim) && skew(tiled, dim, schedule->getBlock()))
      break;
  return tiled;
}
