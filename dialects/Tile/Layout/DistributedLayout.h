//===- DistributedLayout.h - which thread holds which element ----*- C++
//-*-===//
//
// A distributed layout says, for a block of values held in registers, which
// coordinates (register, lane, warp, block) holds.
//
// The idea. Write each coordinate as a mixed-radix number whose digits are bits
// and, now and then, one odd digit: 34 columns are a bit and a digit of radix
// 17. The bits of all coordinates together are a vector space over F2, and so
// are the bits of the register number, lane (5 bits), warp and cluster block;
// the layout is a linear map from the second space onto the first (XOR of basis
// vectors, as in "Linear Layouts", arXiv 2505.23819). Odd digits are repeat
// counts and always lie in registers. So 10x34 or 3x3 footprints need no
// padding to a power of two; a builder pads where it pays (34 as 5*8), and
// coordinates past the real extent are padding: never stored, never reduced.
//
// Digits are kept in row-major order of the block, fastest first. A reshape
// only regroups digits into dims, a transpose permutes them, a slice drops
// them: bases stay what they are. That is why these operations cost nothing
// at run time, and why they fail when a digit would have to be cut (34 split
// as 17 x 2 with 17 fastest).
//
// Worked example: the accumulator of mma.sync m16n8, 16 x 8 values in 32 lanes
// with 4 registers each. Row = 8 * reg[1] + lane[4..2], column = 2 * lane[1..0]
// + reg[0]. Digits, fastest first: c0 c1 c2 (column), r0 r1 r2 r3 (row). Bases:
//   register  c0 (0,1), r3 (8,0)     lane  c1 (0,2), c2 (0,4), r0, r1, r2
// Printed: #tile.distributed<[[16], [8]], register = [[0, 1], [8, 0]],
//   lane = [[0, 2], [0, 4], [1, 0], [2, 0], [4, 0]]>
//
// A hardware bit with a zero basis holds a copy: its threads (or registers)
// hold what the thread with that bit 0 holds. Non-zero bases are independent
// and span all bits, so copies arise in this way only.
//
// Register number: register bits are its low bits; the odd digits, fastest
// first, follow in mixed radix.
//
//===----------------------------------------------------------------------===//
#ifndef TILEFUSE_DIALECTS_TILE_LAYOUT_DISTRIBUTEDLAYOUT_H
#define TILEFUSE_DIALECTS_TILE_LAYOUT_DISTRIBUTEDLAYOUT_H

#include "dialects/Tile/Layout/LinearMap.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include <string>
#include <utility>
#include <vector>

namespace tilefuse::tile {

/// Where a value lives. Also the order of hardware bits in a layout's map.
enum class Hardware { Register = 0, Lane = 1, Warp = 2, Block = 3 };
constexpr unsigned numHardware = 4;

using Coords = llvm::SmallVector<int64_t, 6>;

/// A place that holds a value.
struct Holder {
  int64_t reg = 0;
  int64_t lane = 0;
  int64_t warp = 0;
  int64_t block = 0;
  bool operator==(const Holder &) const = default;
};

/// One bit of a coordinate as a function of the thread:
/// `weight * (parity(lane & laneMask) ^ parity(warp & warpMask) ^
///            parity(block & blockMask) ^ parity(register & registerMask))`.
/// A coordinate is the sum of its terms and of the register's odd digits.
struct CoordTerm {
  int64_t weight = 0;
  uint64_t registerMask = 0;
  uint64_t laneMask = 0;
  uint64_t warpMask = 0;
  uint64_t blockMask = 0;
};

class DistributedLayout {
public:
  using Basis = llvm::SmallVector<int64_t, 6>; // one coordinate vector
  using Bases = llvm::SmallVector<Basis, 6>;

  /// The empty layout of a rank-0 block held by one register of one lane.
  DistributedLayout() = default;

  /// `factors[d]`: factors of dim d's padded extent, fastest first, each a
  /// power of two or odd; `bases[h][i]`: coordinates of bit i of hardware part
  /// h. On bad input: nothing, and a sentence in `error`.
  static std::optional<DistributedLayout>
  get(llvm::ArrayRef<llvm::SmallVector<int64_t, 4>> factors,
      llvm::ArrayRef<Bases> bases, std::string &error);

  //===--- shape ----------------------------------------------------------===//
  unsigned getRank() const { return dimDigits.size(); }
  /// The padded extent of a dim (at least the real one).
  int64_t getExtent(unsigned dim) const;
  Coords getExtents() const;
  /// Factors of a dim's extent, fastest first; neighbouring bits are joined.
  llvm::SmallVector<int64_t, 4> getFactors(unsigned dim) const;
  Bases getBases(Hardware part) const;

  //===--- hardware -------------------------------------------------------===//
  unsigned getNumBits(Hardware part) const {
    return bases[unsigned(part)].size();
  }
  /// Registers a thread holds, padding included.
  int64_t getNumRegisters() const;
  int64_t getNumLanes() const {
    return int64_t(1) << getNumBits(Hardware::Lane);
  }
  int64_t getNumWarps() const {
    return int64_t(1) << getNumBits(Hardware::Warp);
  }
  int64_t getNumThreads() const { return getNumLanes() * getNumWarps(); }

  //===--- the map and its inverse ----------------------------------------===//
  Coords getCoords(const Holder &at) const;
  Coords getCoords(int64_t reg, int64_t lane, int64_t warp) const {
    return getCoords(Holder{reg, lane, warp, 0});
  }
  /// The canonical holder (copies' bits zero) of coordinates inside the padded
  /// extents.
  Holder getHolder(llvm::ArrayRef<int64_t> coords) const;
  /// Every bit of a coordinate as a function of the thread, fastest first; the
  /// odd digits are in getCoords(register, lane 0, warp 0).
  llvm::SmallVector<CoordTerm, 8> getTerms(unsigned dim) const;
  /// True when no coordinate bit mixes a register bit with a thread bit; then
  /// coords(reg, thread) = coords(0, thread) + coords(reg, thread 0).
  bool isAdditive() const;
  /// Bits of a part whose basis is zero: threads (registers) that differ only
  /// there hold copies. Only the one with all these bits 0 stores.
  uint64_t getReplicationMask(Hardware part) const;
  bool isReplicated() const;
  /// The largest power of two v such that registers r, r+1, ..., r+v-1 of any
  /// thread, for r a multiple of v, hold consecutive coordinates of `dim`,
  /// the first a multiple of v.
  int64_t getContiguity(unsigned dim) const;
  /// Whole map over all bits (hardware part order: register lane warp block).
  LinearMap getMap() const;

  //===--- free view changes: registers stay where they are ---------------===//
  /// Row-major reshape between real shapes; fails when a digit would be cut or
  /// padding would land inside.
  std::optional<DistributedLayout>
  reshape(llvm::ArrayRef<int64_t> fromShape,
          llvm::ArrayRef<int64_t> toShape) const;
  /// Result dim i is this layout's dim permutation[i]. Register numbers of odd
  /// digits follow the new order (see getRegisterMap).
  DistributedLayout transpose(llvm::ArrayRef<int64_t> permutation) const;
  /// Dims become size 1: their register digits vanish, their thread bits become
  /// copies. Nothing where a thread bit mixes kept and dropped dims so that the
  /// kept part would depend on another's.
  std::optional<DistributedLayout> slice(llvm::ArrayRef<int64_t> dims) const;
  /// Dims of size 1 grow to `extents[d]`, all new digits in registers.
  DistributedLayout expand(llvm::ArrayRef<int64_t> extents) const;

  //===--- algebra --------------------------------------------------------===//
  /// Tiles of `this` laid out by `outer`: each dim's coordinate is
  /// inner + innerExtent * outer; hardware bits of `outer` follow this one's.
  std::optional<DistributedLayout>
  product(const DistributedLayout &outer) const;
  /// The layout q with `tile.product(q) == *this`, if there is one.
  std::optional<DistributedLayout>
  quotient(const DistributedLayout &tile) const;
  /// Same elements in the same threads, registers in any order.
  bool equalUpToRegisters(const DistributedLayout &other) const;
  bool operator==(const DistributedLayout &other) const;

  std::string str() const;

private:
  /// First digit of a dim; digits of the last dim come first.
  unsigned getFirstDigit(unsigned dim) const;
  /// Set of digit positions with radix 2.
  uint64_t getBinaryDigits() const;
  /// Digits as bits at their positions, and the odd digits' mixed-radix number;
  /// nothing for coordinates past the extents.
  std::optional<std::pair<uint64_t, int64_t>>
  encode(llvm::ArrayRef<int64_t> coords) const;
  Coords decode(uint64_t bits, int64_t odd) const;
  /// Checks the bases and fills `inverse`; false when they are not independent
  /// or do not span.
  bool finish();
  /// Result digit i is this layout's digit order[i]; digits left out vanish
  /// from the bases. dimDigits is the caller's to set.
  DistributedLayout withDigits(llvm::ArrayRef<unsigned> order) const;
  /// Cuts the odd digit at `position` into a faster one of radix `radix` and
  /// the rest; the dim's digit count is the caller's to set.
  void splitDigit(unsigned position, int64_t radix);

  /// Radix of each digit, row-major fastest first: 2, or odd.
  llvm::SmallVector<int64_t, 16> radices;
  /// Digits in each dim.
  llvm::SmallVector<unsigned, 6> dimDigits;
  /// Images of hardware bits, as sets of digit positions (odd ones never set).
  llvm::SmallVector<uint64_t, 8> bases[numHardware];
  /// For each digit position, the hardware word (register bits lowest, then
  /// lane, warp, block) whose image is that digit alone.
  llvm::SmallVector<uint64_t, 16> inverse;
};

//===----------------------------------------------------------------------===//
// Builders
//===----------------------------------------------------------------------===//

/// Lanes and warps spread over dims in `order` (fastest first), after `vector`
/// registers along order[0]; what is left is registers. Extents whose odd part
/// is large are padded so that lanes stay coalesced. Threads left over hold
/// copies.
DistributedLayout getBlockedLayout(llvm::ArrayRef<int64_t> shape,
                                   unsigned numWarps,
                                   llvm::ArrayRef<int64_t> order,
                                   int64_t vector);

/// All elements in every thread.
DistributedLayout getReplicatedLayout(llvm::ArrayRef<int64_t> shape,
                                      unsigned numWarps);

/// For each register of `dst` (in a fixed thread) the register of `src` in the
/// same thread that holds element `toSource(coords)`; none when some value is
/// in another thread. Registers that hold only padding map to -1. `shape` is
/// the real extent of dst.
std::optional<llvm::SmallVector<int64_t>>
getRegisterMap(const DistributedLayout &src, const DistributedLayout &dst,
               llvm::ArrayRef<int64_t> shape,
               llvm::function_ref<Coords(llvm::ArrayRef<int64_t>)> toSource);

} // namespace tilefuse::tile

#endif // TILEFUSE_DIALECTS_TILE_LAYOUT_DISTRIBUTEDLAYOUT_H
