//===- DistributedLayout.cpp - which thread holds which element --*- C++
//-*-===//

#include "dialects/Tile/Layout/DistributedLayout.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/raw_ostream.h"
#include <algorithm>
#include <set>

using namespace tilefuse::tile;

static const Hardware allParts[] = {Hardware::Register, Hardware::Lane,
                                    Hardware::Warp, Hardware::Block};

std::optional<DistributedLayout>
DistributedLayout::get(llvm::ArrayRef<llvm::SmallVector<int64_t, 4>> factors,
                       llvm::ArrayRef<Bases> bases, std::string &error) {
  DistributedLayout layout;
  unsigned rank = factors.size();
  layout.dimDigits.resize(rank);
  for (unsigned dim = rank; dim-- > 0;) {
    unsigned before = layout.radices.size();
    for (int64_t factor : factors[dim]) {
      if (factor < 1 || factor > (int64_t(1) << 31) ||
          !(llvm::isPowerOf2_64(factor) || factor % 2)) {
        error = "factors are powers of two or odd";
        return std::nullopt;
      }
      if (factor % 2 && factor > 1)
        layout.radices.push_back(factor);
      else
        layout.radices.append(llvm::Log2_64(factor), 2);
    }
    layout.dimDigits[dim] = layout.radices.size() - before;
  }
  int64_t elements = 1;
  for (int64_t radix : layout.radices)
    if (llvm::MulOverflow(elements, radix, elements))
      elements = INT64_MAX, layout.radices.resize(65);
  if (layout.radices.size() > 62 || elements > (int64_t(1) << 40)) {
    error = "too many elements";
    return std::nullopt;
  }
  for (Hardware part : allParts) {
    if (unsigned(part) >= bases.size())
      break;
    if (bases[unsigned(part)].size() > 16) {
      error = "too many bits";
      return std::nullopt;
    }
    for (const Basis &basis : bases[unsigned(part)]) {
      auto digits = basis.size() == rank ? layout.encode(basis) : std::nullopt;
      if (!digits || digits->second) {
        error = "a basis is not a coordinate of the block made of its bits";
        return std::nullopt;
      }
      layout.bases[unsigned(part)].push_back(digits->first);
    }
  }
  // Bounds what later loops over registers cost; hardware has 255.
  constexpr int64_t mostRegisters = int64_t(1) << 16;
  int64_t registers = 1;
  for (int64_t radix : layout.radices)
    registers *= radix == 2 ? 1 : std::min(radix, mostRegisters + 1);
  if (registers > mostRegisters ||
      registers << layout.getNumBits(Hardware::Register) > mostRegisters) {
    error = "more than 65536 registers a thread";
    return std::nullopt;
  }
  if (!layout.finish()) {
    error = "non-zero bases must be independent and span all bits of the block";
    return std::nullopt;
  }
  return layout;
}

bool DistributedLayout::finish() {
  llvm::SmallVector<uint64_t> columns;
  unsigned nonZero = 0;
  for (auto &part : bases)
    for (uint64_t basis : part) {
      columns.push_back(basis);
      nonZero += basis != 0;
    }
  uint64_t binary = getBinaryDigits();
  if (columns.size() > 62 || nonZero != unsigned(llvm::popcount(binary)))
    return false;
  // Odd positions get columns of their own, so that the map is onto.
  for (unsigned i = 0; i < radices.size(); ++i)
    if (!((binary >> i) & 1))
      columns.push_back(uint64_t(1) << i);
  std::optional<LinearMap> result =
      LinearMap(columns, radices.size()).inverse();
  if (!result)
    return false;
  inverse.assign(result->getColumns().begin(), result->getColumns().end());
  return true;
}

//===----------------------------------------------------------------------===//
// Shape
//===----------------------------------------------------------------------===//

unsigned DistributedLayout::getFirstDigit(unsigned dim) const {
  unsigned first = 0;
  for (unsigned d = dim + 1; d < getRank(); ++d)
    first += dimDigits[d];
  return first;
}

uint64_t DistributedLayout::getBinaryDigits() const {
  uint64_t digits = 0;
  for (auto [i, radix] : llvm::enumerate(radices))
    if (radix == 2)
      digits |= uint64_t(1) << i;
  return digits;
}

int64_t DistributedLayout::getExtent(unsigned dim) const {
  int64_t extent = 1;
  unsigned first = getFirstDigit(dim);
  for (unsigned i = first; i < first + dimDigits[dim]; ++i)
    extent *= radices[i];
  return extent;
}

Coords DistributedLayout::getExtents() const {
  Coords extents;
  for (unsigned dim = 0; dim < getRank(); ++dim)
    extents.push_back(getExtent(dim));
  return extents;
}

llvm::SmallVector<int64_t, 4>
DistributedLayout::getFactors(unsigned dim) const {
  llvm::SmallVector<int64_t, 4> factors;
  unsigned first = getFirstDigit(dim);
  for (unsigned i = first; i < first + dimDigits[dim]; ++i) {
    if (radices[i] == 2 && i > first && radices[i - 1] == 2)
      factors.back() *= 2;
    else
      factors.push_back(radices[i]);
  }
  return factors;
}

DistributedLayout::Bases DistributedLayout::getBases(Hardware part) const {
  Bases result;
  for (uint64_t basis : bases[unsigned(part)])
    result.push_back(decode(basis, 0));
  return result;
}

int64_t DistributedLayout::getNumRegisters() const {
  int64_t count = int64_t(1) << getNumBits(Hardware::Register);
  for (int64_t radix : radices)
    if (radix != 2)
      count *= radix;
  return count;
}

//===----------------------------------------------------------------------===//
// The map and its inverse
//===----------------------------------------------------------------------===//

std::optional<std::pair<uint64_t, int64_t>>
DistributedLayout::encode(llvm::ArrayRef<int64_t> coords) const {
  uint64_t bits = 0;
  int64_t odd = 0, oddWeight = 1;
  unsigned position = 0;
  for (unsigned dim = getRank(); dim-- > 0;) {
    int64_t rest = coords[dim];
    if (rest < 0)
      return std::nullopt;
    for (unsigned i = 0; i < dimDigits[dim]; ++i, ++position) {
      int64_t radix = radices[position];
      if (radix == 2) {
        bits |= uint64_t(rest & 1) << position;
        rest >>= 1;
        continue;
      }
      odd += oddWeight * (rest % radix);
      oddWeight *= radix;
      rest /= radix;
    }
    if (rest)
      return std::nullopt;
  }
  return std::pair(bits, odd);
}

Coords DistributedLayout::decode(uint64_t bits, int64_t odd) const {
  Coords coords(getRank(), 0);
  unsigned position = 0;
  for (unsigned dim = getRank(); dim-- > 0;) {
    int64_t weight = 1;
    for (unsigned i = 0; i < dimDigits[dim]; ++i, ++position) {
      int64_t radix = radices[position];
      if (radix == 2) {
        coords[dim] += weight * ((bits >> position) & 1);
      } else {
        coords[dim] += weight * (odd % radix);
        odd /= radix;
      }
      weight *= radix;
    }
  }
  return coords;
}

Coords DistributedLayout::getCoords(const Holder &at) const {
  int64_t numbers[] = {at.reg, at.lane, at.warp, at.block};
  uint64_t bits = 0;
  for (Hardware part : allParts)
    for (auto [i, basis] : llvm::enumerate(bases[unsigned(part)]))
      if ((numbers[unsigned(part)] >> i) & 1)
        bits ^= basis;
  return decode(bits, at.reg >> getNumBits(Hardware::Register));
}

Holder DistributedLayout::getHolder(llvm::ArrayRef<int64_t> coords) const {
  std::optional<std::pair<uint64_t, int64_t>> digits = encode(coords);
  if (!digits)
    return Holder{-1, -1, -1, -1};
  uint64_t word = 0;
  for (uint64_t rest = digits->first; rest; rest &= rest - 1)
    word ^= inverse[llvm::countr_zero(rest)];
  int64_t numbers[numHardware];
  for (Hardware part : allParts) {
    unsigned bits = getNumBits(part);
    numbers[unsigned(part)] = word & ((uint64_t(1) << bits) - 1);
    word >>= bits;
  }
  numbers[0] += digits->second << getNumBits(Hardware::Register);
  return Holder{numbers[0], numbers[1], numbers[2], numbers[3]};
}

llvm::SmallVector<CoordTerm, 8>
DistributedLayout::getTerms(unsigned dim) const {
  llvm::SmallVector<CoordTerm, 8> terms;
  int64_t weight = 1;
  unsigned first = getFirstDigit(dim);
  for (unsigned i = first; i < first + dimDigits[dim]; ++i) {
    if (radices[i] == 2) {
      uint64_t masks[numHardware] = {};
      for (Hardware part : allParts)
        for (auto [bit, basis] : llvm::enumerate(bases[unsigned(part)]))
          masks[unsigned(part)] |= ((basis >> i) & 1) << bit;
      terms.push_back({weight, masks[0], masks[1], masks[2], masks[3]});
    }
    weight *= radices[i];
  }
  return terms;
}

bool DistributedLayout::isAdditive() const {
  uint64_t inRegisters = 0, inThreads = 0;
  for (Hardware part : allParts)
    for (uint64_t basis : bases[unsigned(part)])
      (part == Hardware::Register ? inRegisters : inThreads) |= basis;
  return !(inRegisters & inThreads);
}

uint64_t DistributedLayout::getReplicationMask(Hardware part) const {
  uint64_t mask = 0;
  for (auto [i, basis] : llvm::enumerate(bases[unsigned(part)]))
    if (!basis)
      mask |= uint64_t(1) << i;
  return mask;
}

bool DistributedLayout::isReplicated() const {
  return llvm::any_of(allParts,
                      [&](Hardware part) { return getReplicationMask(part); });
}

int64_t DistributedLayout::getContiguity(unsigned dim) const {
  unsigned first = getFirstDigit(dim);
  unsigned count = 0;
  for (auto [i, basis] : llvm::enumerate(bases[unsigned(Hardware::Register)])) {
    uint64_t digit = uint64_t(1) << (first + i);
    if (i >= dimDigits[dim] || radices[first + i] != 2 || basis != digit)
      break;
    unsigned uses = 0;
    for (Hardware part : allParts)
      for (uint64_t other : bases[unsigned(part)])
        uses += (other & digit) != 0;
    if (uses != 1)
      break;
    ++count;
  }
  return int64_t(1) << count;
}

LinearMap DistributedLayout::getMap() const {
  llvm::SmallVector<uint64_t> columns;
  for (Hardware part : allParts)
    columns.append(bases[unsigned(part)].begin(), bases[unsigned(part)].end());
  return LinearMap(columns, radices.size());
}

//===----------------------------------------------------------------------===//
// Comparison and text
//===----------------------------------------------------------------------===//

bool DistributedLayout::operator==(const DistributedLayout &other) const {
  return radices == other.radices && dimDigits == other.dimDigits &&
         llvm::all_of(allParts, [&](Hardware part) {
           return bases[unsigned(part)] == other.bases[unsigned(part)];
         });
}

bool DistributedLayout::equalUpToRegisters(
    const DistributedLayout &other) const {
  if (*this == other)
    return true;
  if (getExtents() != other.getExtents() ||
      getNumRegisters() != other.getNumRegisters())
    return false;
  for (Hardware part : {Hardware::Lane, Hardware::Warp, Hardware::Block})
    if (getNumBits(part) != other.getNumBits(part))
      return false;
  // A thread's set of coordinates moves linearly with the thread's number, so
  // the sets agree everywhere once they agree for 0 and for single bits; the
  // digit structures may differ, so compare coordinates.
  auto held = [](const DistributedLayout &layout, Holder at) {
    std::set<llvm::SmallVector<int64_t>> set;
    for (at.reg = 0; at.reg < layout.getNumRegisters(); ++at.reg)
      set.insert(llvm::SmallVector<int64_t>(layout.getCoords(at)));
    return set;
  };
  for (int64_t block = 0; block < (1 << getNumBits(Hardware::Block)); ++block)
    for (int64_t warp = 0; warp < getNumWarps(); ++warp)
      for (int64_t lane = 0; lane < getNumLanes(); ++lane) {
        if (llvm::popcount(uint64_t(lane)) + llvm::popcount(uint64_t(warp)) +
                llvm::popcount(uint64_t(block)) >
            2)
          continue;
        Holder at{0, lane, warp, block};
        if (held(*this, at) != held(other, at))
          return false;
      }
  return true;
}

std::string DistributedLayout::str() const {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << "[";
  for (unsigned dim = 0; dim < getRank(); ++dim) {
    os << (dim ? ", [" : "[");
    llvm::interleaveComma(getFactors(dim), os);
    os << "]";
  }
  os << "]";
  const char *names[] = {"register", "lane", "warp", "block"};
  for (Hardware part : allParts) {
    if (!getNumBits(part))
      continue;
    os << ", " << names[unsigned(part)] << " = [";
    llvm::interleaveComma(getBases(part), os, [&](const Basis &basis) {
      os << "[";
      llvm::interleaveComma(basis, os);
      os << "]";
    });
    os << "]";
  }
  return text;
}
