//===- SharedLayout.cpp - where an element lies in shared memory -*- C++
//-*-===//

#include "dialects/Tile/Layout/SharedLayout.h"
#include "llvm/ADT/STLExtras.h"
#include <algorithm>
#include <set>

using namespace tilefuse::tile;

SharedLayout SharedLayout::getDense(llvm::ArrayRef<int64_t> shape) {
  llvm::SmallVector<int64_t> order;
  for (unsigned dim = shape.size(); dim-- > 0;)
    order.push_back(dim);
  return getPadded(shape, order, {});
}

SharedLayout SharedLayout::getPadded(llvm::ArrayRef<int64_t> shape,
                                     llvm::ArrayRef<int64_t> order,
                                     llvm::ArrayRef<int64_t> padding) {
  llvm::SmallVector<int64_t> strides(shape.size(), 0);
  int64_t stride = 1;
  for (auto [i, dim] : llvm::enumerate(order)) {
    strides[dim] = stride;
    stride *= shape[dim];
    if (i < padding.size())
      stride += padding[i];
  }
  return SharedLayout(strides);
}

int64_t SharedLayout::getLinearPosition(llvm::ArrayRef<int64_t> coords) const {
  int64_t position = offset;
  for (auto [coord, stride] : llvm::zip(coords, strides))
    position += coord * stride;
  return position;
}

int64_t SharedLayout::getPosition(llvm::ArrayRef<int64_t> coords) const {
  return swizzle.apply(getLinearPosition(coords));
}

int64_t SharedLayout::getSpan(llvm::ArrayRef<int64_t> shape) const {
  int64_t last = offset;
  for (auto [extent, stride] : llvm::zip(shape, strides))
    last += (extent - 1) * stride;
  // The swizzle permutes aligned groups of 2^(base + bits).
  int64_t group =
      swizzle.bits ? int64_t(1) << (swizzle.base + swizzle.bits) : 1;
  return (last / group + 1) * group;
}

bool SharedLayout::isInjective(llvm::ArrayRef<int64_t> shape) const {
  // Sorted by stride, each dim must step over everything below it.
  llvm::SmallVector<std::pair<int64_t, int64_t>> dims;
  for (auto [extent, stride] : llvm::zip(shape, strides))
    if (extent > 1)
      dims.push_back({stride, extent});
  llvm::sort(dims);
  int64_t reach = 0;
  bool nested = true;
  for (auto [stride, extent] : dims) {
    nested &= stride > reach;
    reach += stride * (extent - 1);
  }
  if (nested)
    return true;
  std::set<int64_t> seen;
  llvm::SmallVector<int64_t> coords(shape.size(), 0);
  while (true) {
    if (!seen.insert(getLinearPosition(coords)).second)
      return false;
    int dim = shape.size() - 1;
    for (; dim >= 0 && ++coords[dim] == shape[dim]; --dim)
      coords[dim] = 0;
    if (dim < 0)
      return true;
  }
}

SharedLayout SharedLayout::window(llvm::ArrayRef<int64_t> offsets,
                                  llvm::ArrayRef<int64_t> steps) const {
  SharedLayout result = *this;
  result.offset = getLinearPosition(offsets);
  for (auto [stride, step] : llvm::zip(result.strides, steps))
    stride *= step;
  return result;
}

SharedLayout
SharedLayout::transpose(llvm::ArrayRef<int64_t> permutation) const {
  SharedLayout result = *this;
  for (auto [i, dim] : llvm::enumerate(permutation))
    result.strides[i] = strides[dim];
  return result;
}

SharedLayout SharedLayout::getSlot() const {
  SharedLayout result = *this;
  result.strides.erase(result.strides.begin());
  return result;
}

std::optional<SharedLayout>
SharedLayout::reshape(llvm::ArrayRef<int64_t> fromShape,
                      llvm::ArrayRef<int64_t> toShape) const {
  // Runs of row-major positions with one stride, slowest first: neighbours join
  // when the slower stride is the faster one times its extent.
  llvm::SmallVector<std::pair<int64_t, int64_t>> runs; // extent, stride
  for (auto [extent, stride] : llvm::zip(fromShape, strides)) {
    if (extent == 1)
      continue;
    if (!runs.empty() && runs.back().second == stride * extent)
      runs.back() = {runs.back().first * extent, stride};
    else
      runs.push_back({extent, stride});
  }
  SharedLayout result = *this;
  result.strides.assign(toShape.size(), 0);
  // Fastest first: take each result dim out of the current run.
  int64_t taken = 1;
  for (unsigned dim = toShape.size(); dim-- > 0;) {
    int64_t extent = toShape[dim];
    if (extent == 1)
      continue;
    if (!runs.empty() && taken == runs.back().first) {
      runs.pop_back();
      taken = 1;
    }
    if (runs.empty() || runs.back().first % (taken * extent))
      return std::nullopt;
    result.strides[dim] = runs.back().second * taken;
    taken *= extent;
  }
  if (runs.size() > 1 || (runs.size() == 1 && taken != runs.back().first))
    return std::nullopt;
  // Unit dims take the stride that a dense tile would give them.
  int64_t stride = 1;
  for (unsigned dim = toShape.size(); dim-- > 0;) {
    if (toShape[dim] == 1)
      result.strides[dim] = stride;
    else
      stride = result.strides[dim] * toShape[dim];
  }
  return result;
}
