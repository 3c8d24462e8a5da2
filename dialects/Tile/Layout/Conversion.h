//===- Conversion.h - how to move values between two layouts -----*- C++
//-*-===//
//
// The plan of `tile.convert_layout`, derived from the two layouts alone:
//   Registers  every value is already in its thread: renaming;
//   Shuffles   every value is in its warp: one shuffle per (destination
//              register, source register that some lane needs for it), then
//              selects between the results by the lane's own bits;
//   Shared     values cross warps: store, barrier, load. The pass makes those
//              three explicit, so that the lowering sees the first two only.
//
//===----------------------------------------------------------------------===//
#ifndef TILEFUSE_DIALECTS_TILE_LAYOUT_CONVERSION_H
#define TILEFUSE_DIALECTS_TILE_LAYOUT_CONVERSION_H

#include "dialects/Tile/Layout/DistributedLayout.h"

namespace tilefuse::tile {

enum class ConversionKind { Registers, Shuffles, Shared };

/// How one destination register is filled. Lane l reads, from lane
/// `sourceLane[l]`, source register `candidates[pick[l]]`. Padding reads
/// anything (candidate 0).
struct ShuffleMove {
  llvm::SmallVector<int64_t, 4> candidates;
  /// Of each lane, the lane read: 32 entries; as an F2-affine function,
  /// `laneConstant ^ XOR over set bits i of l of laneColumns[i]`.
  int64_t laneConstant = 0;
  llvm::SmallVector<int64_t, 5> laneColumns;
  /// `pick` is F2-affine too: bit j of pick is
  /// `(pickConstant >> j & 1) ^ parity(l & pickMasks[j])`; candidates has
  /// 2^pickMasks.size() entries.
  int64_t pickConstant = 0;
  llvm::SmallVector<uint64_t, 2> pickMasks;

  int64_t getSourceLane(int64_t lane) const;
  int64_t getCandidate(int64_t lane) const;
  /// True when every lane reads itself.
  bool staysInLane() const;
};

struct ConversionPlan {
  ConversionKind kind = ConversionKind::Shared;
  /// Registers: source register of each destination register, -1 for padding.
  llvm::SmallVector<int64_t> registers;
  /// Shuffles: one per destination register.
  llvm::SmallVector<ShuffleMove> moves;
  /// Shuffle instructions of the plan.
  int64_t getNumShuffles() const;
};

/// `shape` is the real extent of the block.
ConversionPlan planConversion(const DistributedLayout &src,
                              const DistributedLayout &dst,
                              llvm::ArrayRef<int64_t> shape);

} // namespace tilefuse::tile

#endif // TILEFUSE_DIALECTS_TILE_LAYOUT_CONVERSION_H
