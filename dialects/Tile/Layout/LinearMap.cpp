//===- LinearMap.cpp - linear maps over F2 -----------------------*- C++
//-*-===//

#include "dialects/Tile/Layout/LinearMap.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/bit.h"

using namespace tilefuse::tile;

namespace {
/// A vector of the image with its lowest set bit as pivot, and the input that
/// produces it.
struct Pivot {
  uint64_t image;
  uint64_t input;
};
} // namespace

/// Gauss: independent images, in the order of the columns that brought them.
static llvm::SmallVector<Pivot> eliminate(llvm::ArrayRef<uint64_t> columns) {
  llvm::SmallVector<Pivot> pivots;
  for (auto [i, column] : llvm::enumerate(columns)) {
    Pivot next{column, uint64_t(1) << i};
    for (const Pivot &p : pivots)
      if (next.image & (p.image & -p.image)) {
        next.image ^= p.image;
        next.input ^= p.input;
      }
    if (next.image)
      pivots.push_back(next);
  }
  return pivots;
}

LinearMap LinearMap::identity(unsigned bits) {
  LinearMap map;
  map.outputBits = bits;
  for (unsigned i = 0; i < bits; ++i)
    map.columns.push_back(uint64_t(1) << i);
  return map;
}

uint64_t LinearMap::apply(uint64_t input) const {
  uint64_t output = 0;
  for (auto [i, column] : llvm::enumerate(columns))
    if ((input >> i) & 1)
      output ^= column;
  return output;
}

LinearMap LinearMap::then(const LinearMap &outer) const {
  LinearMap map;
  map.outputBits = outer.outputBits;
  for (uint64_t column : columns)
    map.columns.push_back(outer.apply(column));
  return map;
}

unsigned LinearMap::rank() const { return eliminate(columns).size(); }

std::optional<LinearMap> LinearMap::inverse() const {
  llvm::SmallVector<Pivot> pivots = eliminate(columns);
  if (pivots.size() != outputBits)
    return std::nullopt;
  LinearMap map;
  map.outputBits = getInputBits();
  for (unsigned bit = 0; bit < outputBits; ++bit) {
    uint64_t rest = uint64_t(1) << bit, input = 0;
    // Each pivot's lowest bit is zero in the later pivots, not in the earlier
    // ones: clearing in order leaves cleared bits clear.
    for (const Pivot &p : pivots)
      if (rest & (p.image & -p.image)) {
        rest ^= p.image;
        input ^= p.input;
      }
    if (rest)
      return std::nullopt;
    map.columns.push_back(input);
  }
  return map;
}

LinearMap LinearMap::product(const LinearMap &high) const {
  LinearMap map(columns, outputBits + high.outputBits);
  for (uint64_t column : high.columns)
    map.columns.push_back(column << outputBits);
  return map;
}

std::optional<LinearMap> LinearMap::quotient(const LinearMap &low) const {
  unsigned inputs = low.getInputBits();
  if (inputs > getInputBits() || low.outputBits > outputBits ||
      llvm::ArrayRef(columns).take_front(inputs) != llvm::ArrayRef(low.columns))
    return std::nullopt;
  LinearMap map;
  map.outputBits = outputBits - low.outputBits;
  uint64_t lowMask = (uint64_t(1) << low.outputBits) - 1;
  for (uint64_t column : llvm::ArrayRef(columns).drop_front(inputs)) {
    if (column & lowMask)
      return std::nullopt;
    map.columns.push_back(column >> low.outputBits);
  }
  return map;
}
