//===- LayoutViews.cpp - reshape, transpose, slice, product ------*- C++
//-*-===//
//
// Changes of a distributed layout that move no value: digits are regrouped,
// permuted, dropped or put together.
//
//===----------------------------------------------------------------------===//

#include "dialects/Tile/Layout/DistributedLayout.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallBitVector.h"
#include "llvm/Support/MathExtras.h"

using namespace tilefuse::tile;

DistributedLayout
DistributedLayout::withDigits(llvm::ArrayRef<unsigned> order) const {
  DistributedLayout result;
  for (unsigned digit : order)
    result.radices.push_back(radices[digit]);
  for (unsigned part = 0; part < numHardware; ++part)
    for (uint64_t basis : bases[part]) {
      uint64_t moved = 0;
      for (auto [to, from] : llvm::enumerate(order))
        moved |= ((basis >> from) & 1) << to;
      result.bases[part].push_back(moved);
    }
  return result;
}

void DistributedLayout::splitDigit(unsigned position, int64_t radix) {
  int64_t rest = radices[position] / radix;
  radices[position] = radix;
  radices.insert(radices.begin() + position + 1, rest);
  uint64_t below = (uint64_t(1) << (position + 1)) - 1;
  for (auto &part : bases)
    for (uint64_t &basis : part)
      basis = (basis & below) | ((basis & ~below) << 1);
}

/// Takes `count` worth of digits from `next` on, cutting an odd digit where
/// that makes it fit; false when a digit would have to be cut otherwise.
static bool takeDigits(llvm::ArrayRef<int64_t> radices, unsigned next,
                       int64_t count, unsigned &taken, int64_t &cut) {
  taken = 0;
  cut = 0;
  while (count > 1) {
    if (next + taken >= radices.size())
      return false;
    int64_t radix = radices[next + taken];
    if (count % radix == 0) {
      count /= radix;
      ++taken;
      continue;
    }
    if (radix % count != 0)
      return false;
    cut = count;
    ++taken;
    return true;
  }
  return true;
}

std::optional<DistributedLayout>
DistributedLayout::reshape(llvm::ArrayRef<int64_t> fromShape,
                           llvm::ArrayRef<int64_t> toShape) const {
  if (fromShape.size() != getRank())
    return std::nullopt;
  DistributedLayout result = *this;
  result.dimDigits.assign(toShape.size(), 0);
  unsigned next = 0;      // first digit not yet given out
  unsigned sourceEnd = 0; // first digit after the source dims seen so far
  int from = fromShape.size() - 1, to = toShape.size() - 1;
  // Walk groups of dims with equal element counts, fastest first.
  while (from >= 0 || to >= 0) {
    int64_t fromCount = 1, toCount = 1;
    int firstTo = to, slowestFrom = -1, slowestTo = -1;
    auto takeFrom = [&] {
      if (fromShape[from] > 1) {
        // Padding may only be in the group's slowest dim.
        if (slowestFrom >= 0 &&
            getExtent(slowestFrom) != fromShape[slowestFrom])
          return false;
        slowestFrom = from;
        fromCount *= fromShape[from];
      } else if (getExtent(from) != 1) {
        return false;
      }
      sourceEnd += dimDigits[from--];
      return true;
    };
    auto takeTo = [&] {
      if (toShape[to] > 1)
        slowestTo = to;
      toCount *= toShape[to--];
    };
    do {
      if (fromCount <= toCount && from >= 0) {
        if (!takeFrom())
          return std::nullopt;
      } else if (to >= 0) {
        takeTo();
      } else if (from >= 0) {
        if (!takeFrom())
          return std::nullopt;
      }
    } while (fromCount != toCount && (from >= 0 || to >= 0));
    if (fromCount != toCount)
      return std::nullopt;
    // Give the group's digits to its result dims.
    for (int dim = firstTo; dim > to; --dim) {
      if (dim == slowestTo || toShape[dim] == 1)
        continue;
      unsigned taken;
      int64_t cut;
      if (!takeDigits(result.radices, next, toShape[dim], taken, cut))
        return std::nullopt;
      if (cut) {
        result.splitDigit(next + taken - 1, cut);
        ++sourceEnd;
      }
      result.dimDigits[dim] = taken;
      next += taken;
    }
    if (next > sourceEnd)
      return std::nullopt;
    if (slowestTo >= 0)
      result.dimDigits[slowestTo] = sourceEnd - next;
    else if (sourceEnd != next)
      return std::nullopt;
    next = sourceEnd;
  }
  if (result.radices.size() > 62 || !result.finish())
    return std::nullopt;
  for (auto [dim, size] : llvm::enumerate(toShape))
    if (result.getExtent(dim) < size)
      return std::nullopt;
  return result;
}

DistributedLayout
DistributedLayout::transpose(llvm::ArrayRef<int64_t> permutation) const {
  llvm::SmallVector<unsigned> order;
  for (int64_t dim : llvm::reverse(permutation)) {
    unsigned first = getFirstDigit(dim);
    for (unsigned i = 0; i < dimDigits[dim]; ++i)
      order.push_back(first + i);
  }
  DistributedLayout result = withDigits(order);
  for (int64_t dim : permutation)
    result.dimDigits.push_back(dimDigits[dim]);
  result.finish();
  return result;
}

std::optional<DistributedLayout>
DistributedLayout::slice(llvm::ArrayRef<int64_t> dims) const {
  llvm::SmallVector<unsigned> order;
  for (unsigned dim = getRank(); dim-- > 0;)
    if (!llvm::is_contained(dims, int64_t(dim)))
      for (unsigned i = 0; i < dimDigits[dim]; ++i)
        order.push_back(getFirstDigit(dim) + i);
  DistributedLayout result = withDigits(order);
  for (unsigned dim = 0; dim < getRank(); ++dim)
    result.dimDigits.push_back(
        llvm::is_contained(dims, int64_t(dim)) ? 0 : dimDigits[dim]);
  // Register bits of dropped digits go; copies in registers stay copies only
  // if they were.
  auto &registers = result.bases[unsigned(Hardware::Register)];
  auto &old = bases[unsigned(Hardware::Register)];
  llvm::SmallVector<uint64_t, 8> kept;
  for (auto [now, before] : llvm::zip(registers, old))
    if (now || !before)
      kept.push_back(now);
  registers.assign(kept.begin(), kept.end());
  if (!result.finish())
    return std::nullopt;
  return result;
}

DistributedLayout
DistributedLayout::expand(llvm::ArrayRef<int64_t> extents) const {
  DistributedLayout result;
  result.dimDigits = dimDigits;
  llvm::SmallVector<std::pair<unsigned, unsigned>> moved; // old -> new position
  llvm::SmallVector<uint64_t, 8> fresh;
  for (unsigned dim = getRank(); dim-- > 0;) {
    unsigned first = getFirstDigit(dim);
    for (unsigned i = 0; i < dimDigits[dim]; ++i) {
      moved.push_back({first + i, unsigned(result.radices.size())});
      result.radices.push_back(radices[first + i]);
    }
    int64_t extent = extents[dim];
    if (dimDigits[dim] || extent <= 1)
      continue;
    unsigned before = result.radices.size();
    for (; extent % 2 == 0; extent /= 2) {
      fresh.push_back(uint64_t(1) << result.radices.size());
      result.radices.push_back(2);
    }
    if (extent > 1)
      result.radices.push_back(extent);
    result.dimDigits[dim] = result.radices.size() - before;
  }
  for (unsigned part = 0; part < numHardware; ++part)
    for (uint64_t basis : bases[part]) {
      uint64_t image = 0;
      for (auto [from, to] : moved)
        image |= ((basis >> from) & 1) << to;
      result.bases[part].push_back(image);
    }
  result.bases[unsigned(Hardware::Register)].append(fresh.begin(), fresh.end());
  result.finish();
  return result;
}

std::optional<DistributedLayout>
DistributedLayout::product(const DistributedLayout &outer) const {
  if (outer.getRank() != getRank() ||
      radices.size() + outer.radices.size() > 62)
    return std::nullopt;
  DistributedLayout result;
  llvm::SmallVector<unsigned> innerTo(radices.size()),
      outerTo(outer.radices.size());
  for (unsigned dim = getRank(); dim-- > 0;) {
    for (unsigned i = 0; i < dimDigits[dim]; ++i) {
      innerTo[getFirstDigit(dim) + i] = result.radices.size();
      result.radices.push_back(radices[getFirstDigit(dim) + i]);
    }
    for (unsigned i = 0; i < outer.dimDigits[dim]; ++i) {
      outerTo[outer.getFirstDigit(dim) + i] = result.radices.size();
      result.radices.push_back(outer.radices[outer.getFirstDigit(dim) + i]);
    }
  }
  for (unsigned dim = 0; dim < getRank(); ++dim)
    result.dimDigits.push_back(dimDigits[dim] + outer.dimDigits[dim]);
  auto append = [&](const DistributedLayout &layout,
                    llvm::ArrayRef<unsigned> to) {
    for (unsigned part = 0; part < numHardware; ++part)
      for (uint64_t basis : layout.bases[part]) {
        uint64_t image = 0;
        for (uint64_t rest = basis; rest; rest &= rest - 1)
          image |= uint64_t(1) << to[llvm::countr_zero(rest)];
        result.bases[part].push_back(image);
      }
  };
  append(*this, innerTo);
  append(outer, outerTo);
  if (!result.finish())
    return std::nullopt;
  return result;
}

std::optional<DistributedLayout>
DistributedLayout::quotient(const DistributedLayout &tile) const {
  if (tile.getRank() != getRank())
    return std::nullopt;
  llvm::SmallVector<unsigned> tileDigits(tile.radices.size()), restDigits;
  for (unsigned dim = getRank(); dim-- > 0;) {
    unsigned first = getFirstDigit(dim), count = tile.dimDigits[dim];
    if (count > dimDigits[dim])
      return std::nullopt;
    for (unsigned i = 0; i < dimDigits[dim]; ++i) {
      if (i >= count) {
        restDigits.push_back(first + i);
        continue;
      }
      if (radices[first + i] != tile.radices[tile.getFirstDigit(dim) + i])
        return std::nullopt;
      tileDigits[tile.getFirstDigit(dim) + i] = first + i;
    }
  }
  DistributedLayout result = withDigits(restDigits);
  DistributedLayout inner = withDigits(tileDigits);
  for (unsigned part = 0; part < numHardware; ++part) {
    unsigned count = tile.bases[part].size();
    if (count > bases[part].size())
      return std::nullopt;
    for (unsigned i = 0; i < bases[part].size(); ++i)
      if (i < count ? inner.bases[part][i] != tile.bases[part][i] ||
                          result.bases[part][i] != 0
                    : inner.bases[part][i] != 0)
        return std::nullopt;
    result.bases[part].erase(result.bases[part].begin(),
                             result.bases[part].begin() + count);
  }
  for (unsigned dim = 0; dim < getRank(); ++dim)
    result.dimDigits.push_back(dimDigits[dim] - tile.dimDigits[dim]);
  if (!result.finish())
    return std::nullopt;
  return result;
}
