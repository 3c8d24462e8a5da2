//===- TileExtents.cpp - growing a tile within a budget ---------*- C++ -*-===//

#include "passes/Fusion/TileExtents.h"
#include "passes/Fusion/ProducerGranules.h"
#include "llvm/Support/MathExtras.h"
#include <numeric>

using namespace mlir;
using namespace tilefuse;

TileExtents::TileExtents(const fuse::KernelStructure &structure,
                         bool powersOfTwo)
    : structure(structure), powersOfTwo(powersOfTwo) {
  SmallVector<int64_t> producers = getProducerGranules(structure);
  for (unsigned dim = 0; dim < structure.getNumRootDims(); ++dim) {
    int64_t granule = std::lcm(structure.getGranules()[dim],
                               std::max<int64_t>(1, producers[dim]));
    int64_t divisor = structure.getDivisors()[dim];
    if (powersOfTwo && !llvm::isPowerOf2_64(granule))
      legal = false;
    if (!powersOfTwo || llvm::isPowerOf2_64(divisor))
      granule = std::lcm(granule, divisor);
    granules.push_back(granule);
  }
  for (unsigned dim = 0; dim < structure.getNumRootDims(); ++dim) {
    int64_t granule = granules[dim];
    extents.push_back(structure.getMustHold()[dim] ? getLimit(dim) : granule);
  }
}

int64_t TileExtents::getLimit(unsigned dim) const {
  int64_t granule = granules[dim];
  int64_t limit = llvm::alignTo(structure.getRootExtents()[dim], granule);
  return powersOfTwo ? llvm::PowerOf2Ceil(limit) : limit;
}

int64_t TileExtents::getCount() const {
  int64_t count = 1;
  for (int64_t extent : extents)
    count *= extent;
  return count;
}

int64_t TileExtents::getCount(ArrayRef<unsigned> dims) const {
  int64_t count = 1;
  for (unsigned dim : dims)
    count *= extents[dim];
  return count;
}

LogicalResult TileExtents::checkFits(int64_t capacity,
                                     std::string &reason) const {
  if (getCount() <= capacity)
    return success();
  reason = "what one tile must hold takes " + std::to_string(getCount()) +
           " elements; " + std::to_string(capacity) + " fit";
  return failure();
}

int64_t TileExtents::getNumTiles() const {
  int64_t tiles = 1;
  for (auto [bound, extent] :
       llvm::zip(structure.getRootExtents(), extents))
    tiles *= llvm::divideCeil(bound, extent);
  return tiles;
}

void TileExtents::grow(unsigned dim, int64_t target, int64_t budget) {
  int64_t limit = std::min(getLimit(dim), target);
  int64_t granule = granules[dim];
  while (extents[dim] * 2 <= limit && getCount() * 2 <= budget)
    extents[dim] *= 2;
  if (powersOfTwo || extents[dim] >= limit)
    return;
  // The rest of the way in granules, and no further than evens out the tiles.
  int64_t others = getCount() / extents[dim];
  int64_t largest = std::min(limit, budget / std::max<int64_t>(others, 1));
  largest = std::max(extents[dim], largest / granule * granule);
  int64_t full = getLimit(dim);
  int64_t tiles = llvm::divideCeil(full, largest);
  int64_t even = llvm::alignTo(llvm::divideCeil(full, tiles), granule);
  extents[dim] = std::max(extents[dim], std::min(even, largest));
}

void TileExtents::pad(unsigned dim, int64_t least, int64_t budget) {
  while (extents[dim] < least && getCount() * 2 <= budget)
    extents[dim] *= 2;
}

void TileExtents::rebalance(unsigned inner, unsigned outer, int64_t least,
                            bool byRows, int64_t gain) {
  ArrayRef<int64_t> bounds = structure.getRootExtents();
  ArrayRef<bool> held = structure.getMustHold();
  if (held[inner] || held[outer])
    return;
  int64_t count = extents[inner] * extents[outer];
  int64_t leastWork = -1;
  for (int64_t length = getLimit(inner);
       length >= std::max(least, granules[inner]); length /= 2) {
    int64_t height = count / length;
    if (count % length || length % granules[inner] ||
        height % granules[outer] || height < 1 || height > getLimit(outer))
      continue;
    int64_t tiles = llvm::divideCeil(bounds[inner], length) *
                    llvm::divideCeil(bounds[outer], height);
    int64_t work = tiles * (count + (length + 4) * (height + 4));
    if (byRows)
      work = tiles * (4 * count * std::max<int64_t>(length, 48) / length +
                      (length + 2) * (height + 2));
    if (leastWork >= 0 && work * 100 > leastWork * (100 - gain))
      continue;
    leastWork = work;
    extents[inner] = length;
    extents[outer] = height;
  }
}

void TileExtents::coverWithFewest(ArrayRef<unsigned> dims, int64_t least) {
  constexpr int64_t gain = 10; // percent
  ArrayRef<int64_t> bounds = structure.getRootExtents();
  for (unsigned dim : dims)
    if (structure.getMustHold()[dim])
      return;
  int64_t fewest = getNumTiles();
  SmallVector<int64_t> best(extents), trial(extents);
  // All ways to share `count` elements among the dims from `position` on.
  auto share = [&](auto &self, size_t position, int64_t count) -> void {
    if (position == dims.size()) {
      int64_t tiles = 1;
      for (auto [bound, extent] : llvm::zip(bounds, trial))
        tiles *= llvm::divideCeil(bound, extent);
      if (count != 1 || tiles * 100 >= fewest * (100 - gain))
        return;
      fewest = tiles;
      best = trial;
      return;
    }
    unsigned dim = dims[position];
    int64_t shortest = std::max(granules[dim], position == 0 ? least : 1);
    for (int64_t extent = std::min(count, getLimit(dim)); extent >= shortest;
         extent /= 2) {
      if (count % extent || extent % granules[dim])
        continue;
      trial[dim] = extent;
      self(self, position + 1, count / extent);
    }
  };
  share(share, 0, getCount(dims));
  extents = best;
}

bool TileExtents::takeWhole(unsigned dim, int64_t budget) {
  int64_t whole = structure.getRootExtents()[dim];
  if (whole % granules[dim] || getCount() / extents[dim] * whole > budget)
    return false;
  extents[dim] = whole;
  return true;
}

bool TileExtents::shrink(unsigned dim) {
  int64_t half = extents[dim] / 2;
  if (structure.getMustHold()[dim] || half < 1 || extents[dim] % 2 ||
      half % granules[dim])
    return false;
  extents[dim] = half;
  return true;
}
