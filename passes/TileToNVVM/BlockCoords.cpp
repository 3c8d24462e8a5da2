//===- BlockCoords.cpp - a layout's coordinates as instructions ---*- C++ -*-===//

#include "passes/TileToNVVM/BlockCoords.h"

#include "llvm/ADT/bit.h"

using namespace mlir;

namespace tilefuse {
namespace {

/// Bits of the thread's number: 5 of the lane, then the warp.
uint64_t getThreadMask(const tile::CoordTerm &term) {
  return term.laneMask | term.warpMask << 5;
}

bool parity(uint64_t bits) { return llvm::popcount(bits) & 1; }

} // namespace

ThreadAffine BlockCoords::getCombination(ArrayRef<int64_t> weights,
                                         int64_t reg) {
  SmallVector<ThreadTerm> terms;
  // Odd digits, and bits that no thread bit enters.
  tile::Coords constants = layout.getCoords(reg, 0, 0);
  int64_t constant = 0;
  for (unsigned dim = 0; dim < layout.getRank(); ++dim) {
    int64_t weight = weights[dim];
    constant += weight * constants[dim];
    if (weight == 0)
      continue;
    for (const tile::CoordTerm &term : layout.getTerms(dim)) {
      uint64_t mask = getThreadMask(term);
      if (!mask)
        continue;
      // With the register's bit set, thread 0 holds 1 and a thread whose parity
      // is 1 holds 0: the constant has the 1 already, the term takes it away.
      bool complemented = !additive && parity(reg & term.registerMask);
      terms.push_back(
          {mask, complemented ? -weight * term.weight : weight * term.weight});
    }
  }
  return {sums.getSum(terms), constant};
}

ThreadAffine BlockCoords::getCoord(unsigned dim, int64_t reg) {
  SmallVector<int64_t> weights(layout.getRank(), 0);
  weights[dim] = 1;
  return getCombination(weights, reg);
}

int64_t BlockCoords::getMaxCoord(unsigned dim, int64_t reg) {
  int64_t result = layout.getCoords(reg, 0, 0)[dim];
  for (const tile::CoordTerm &term : layout.getTerms(dim))
    if (getThreadMask(term) && !parity(reg & term.registerMask))
      result += term.weight;
  return result;
}

bool BlockCoords::isPadding(ArrayRef<int64_t> shape, int64_t reg) {
  for (unsigned dim = 0; dim < layout.getRank(); ++dim) {
    int64_t least = layout.getCoords(reg, 0, 0)[dim];
    for (const tile::CoordTerm &term : layout.getTerms(dim))
      if (getThreadMask(term) && parity(reg & term.registerMask))
        least -= term.weight;
    if (least >= shape[dim])
      return true;
  }
  return false;
}

uint64_t BlockCoords::getCopyMask() const {
  return layout.getReplicationMask(tile::Hardware::Lane) |
         layout.getReplicationMask(tile::Hardware::Warp) << 5;
}

} // namespace tilefuse
