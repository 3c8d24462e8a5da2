//===- BlockCoords.h - a layout's coordinates as instructions -----*- C++ -*-===//
//
// The bridge from the layout algebra to code: for a distributed layout, the
// coordinates of a thread's registers, and integer combinations of them such as
// byte offsets, as `thread part + constant of the register`. When a layout mixes
// register bits with thread bits by XOR there is no such split; then each
// register gets a sum of its own, in which a set register bit complements the
// thread bit (1 - b, that is weight - weight * b).
//
//===----------------------------------------------------------------------===//
#ifndef TILEFUSE_PASSES_TILETONVVM_BLOCKCOORDS_H
#define TILEFUSE_PASSES_TILETONVVM_BLOCKCOORDS_H

#include "dialects/Tile/Layout/DistributedLayout.h"
#include "passes/TileToNVVM/ThreadSums.h"

namespace tilefuse {

/// A quantity of one register: an i32 that depends on the thread (shared by all
/// registers of an additive layout) plus a constant.
struct ThreadAffine {
  mlir::Value thread;
  int64_t constant = 0;
};

class BlockCoords {
public:
  BlockCoords(const tile::DistributedLayout &layout, ThreadSums &sums)
      : layout(layout), sums(sums), additive(layout.isAdditive()) {}

  const tile::DistributedLayout &getLayout() const { return layout; }

  /// sum over dims of weights[d] * coordinate d of register `reg`.
  ThreadAffine getCombination(llvm::ArrayRef<int64_t> weights, int64_t reg);

  /// Coordinate `dim` of register `reg`.
  ThreadAffine getCoord(unsigned dim, int64_t reg);

  /// The largest coordinate that any thread's register `reg` may have.
  int64_t getMaxCoord(unsigned dim, int64_t reg);

  /// True when register `reg` is padding in every thread.
  bool isPadding(llvm::ArrayRef<int64_t> shape, int64_t reg);

  /// Mask over thread bits that tell copies apart.
  uint64_t getCopyMask() const;

private:
  tile::DistributedLayout layout;
  ThreadSums &sums;
  bool additive;
};

} // namespace tilefuse

#endif // TILEFUSE_PASSES_TILETONVVM_BLOCKCOORDS_H
