//===- Conversion.cpp - how to move values between two layouts ---*- C++
//-*-===//

#include "dialects/Tile/Layout/Conversion.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/bit.h"

using namespace tilefuse::tile;

/// A lane may have to choose among this many source registers, at one shuffle
/// each; past it shared memory is cheaper.
static constexpr unsigned maxPickBits = 2;

int64_t ShuffleMove::getSourceLane(int64_t lane) const {
  int64_t source = laneConstant;
  for (auto [i, column] : llvm::enumerate(laneColumns))
    if ((lane >> i) & 1)
      source ^= column;
  return source;
}

int64_t ShuffleMove::getCandidate(int64_t lane) const {
  int64_t pick = pickConstant;
  for (auto [i, mask] : llvm::enumerate(pickMasks))
    pick ^= int64_t(llvm::popcount(uint64_t(lane) & mask) & 1) << i;
  return candidates[pick];
}

bool ShuffleMove::staysInLane() const {
  if (laneConstant)
    return false;
  for (auto [i, column] : llvm::enumerate(laneColumns))
    if (column != (int64_t(1) << i))
      return false;
  return true;
}

int64_t ConversionPlan::getNumShuffles() const {
  int64_t count = 0;
  for (const ShuffleMove &move : moves)
    if (!move.staysInLane())
      count += move.candidates.size();
  return count;
}

static bool sameThreads(const DistributedLayout &a,
                        const DistributedLayout &b) {
  return llvm::all_of(
      llvm::ArrayRef{Hardware::Lane, Hardware::Warp, Hardware::Block},
      [&](Hardware part) { return a.getNumBits(part) == b.getNumBits(part); });
}

static bool isInside(llvm::ArrayRef<int64_t> coords,
                     llvm::ArrayRef<int64_t> shape) {
  return llvm::all_of(llvm::zip(coords, shape), [](auto pair) {
    return std::get<0>(pair) < std::get<1>(pair);
  });
}

std::optional<llvm::SmallVector<int64_t>> tilefuse::tile::getRegisterMap(
    const DistributedLayout &src, const DistributedLayout &dst,
    llvm::ArrayRef<int64_t> shape,
    llvm::function_ref<Coords(llvm::ArrayRef<int64_t>)> toSource) {
  if (!sameThreads(src, dst))
    return std::nullopt;
  int64_t laneMask = ~src.getReplicationMask(Hardware::Lane);
  int64_t warpMask = ~src.getReplicationMask(Hardware::Warp);
  int64_t blockMask = ~src.getReplicationMask(Hardware::Block);
  int64_t blocks = int64_t(1) << dst.getNumBits(Hardware::Block);
  llvm::SmallVector<int64_t> map(dst.getNumRegisters(), -1);
  Holder at;
  for (at.reg = 0; at.reg < int64_t(map.size()); ++at.reg)
    for (at.block = 0; at.block < blocks; ++at.block)
      for (at.warp = 0; at.warp < dst.getNumWarps(); ++at.warp)
        for (at.lane = 0; at.lane < dst.getNumLanes(); ++at.lane) {
          Coords coords = dst.getCoords(at);
          if (!isInside(coords, shape))
            continue;
          Holder from = src.getHolder(toSource(coords));
          if (from.reg < 0 || ((from.lane ^ at.lane) & laneMask) ||
              ((from.warp ^ at.warp) & warpMask) ||
              ((from.block ^ at.block) & blockMask))
            return std::nullopt;
          if (map[at.reg] >= 0 && map[at.reg] != from.reg)
            return std::nullopt;
          map[at.reg] = from.reg;
        }
  return map;
}

/// The moves of a plan by shuffles; none when values cross warps or a lane
/// would choose among too many registers. The composition dst, then src's
/// inverse, is linear, so evaluating it on registers and on single lane and
/// warp bits determines it; layouts whose digits differ are refused here.
static std::optional<llvm::SmallVector<ShuffleMove>>
planShuffles(const DistributedLayout &src, const DistributedLayout &dst) {
  if (!sameThreads(src, dst))
    return std::nullopt;
  for (unsigned dim = 0; dim < dst.getRank(); ++dim)
    if (src.getFactors(dim) != dst.getFactors(dim))
      return std::nullopt;
  auto trace = [&](Holder at) { return src.getHolder(dst.getCoords(at)); };
  int64_t laneCopies = src.getReplicationMask(Hardware::Lane);
  int64_t warpCopies = src.getReplicationMask(Hardware::Warp);
  for (unsigned bit = 0; bit < dst.getNumBits(Hardware::Block); ++bit) {
    Holder at{0, 0, 0, int64_t(1) << bit};
    Holder from = trace(at);
    if (from.reg || from.lane || from.warp ||
        (from.block != at.block &&
         !(src.getReplicationMask(Hardware::Block) & at.block)))
      return std::nullopt;
  }
  for (unsigned bit = 0; bit < dst.getNumBits(Hardware::Warp); ++bit) {
    int64_t warp = int64_t(1) << bit;
    Holder from = trace({0, 0, warp, 0});
    if (from.reg || from.lane || from.block ||
        from.warp != (warp & ~warpCopies))
      return std::nullopt;
  }
  // Columns of lane bits: a source register and a source lane.
  llvm::SmallVector<int64_t, 5> lanes, registers;
  for (unsigned bit = 0; bit < dst.getNumBits(Hardware::Lane); ++bit) {
    int64_t lane = int64_t(1) << bit;
    Holder from = trace({0, lane, 0, 0});
    if (from.warp || from.block)
      return std::nullopt;
    // Copies: read the one nearest, which is in the lane's own copy group.
    lanes.push_back(from.lane | (lane & laneCopies));
    registers.push_back(from.reg);
  }
  // A basis of the register columns; each lane bit flips some of its members.
  llvm::SmallVector<int64_t, 5> basis;
  llvm::SmallVector<uint64_t, 5> masks;
  for (auto [bit, column] : llvm::enumerate(registers)) {
    int64_t rest = column;
    uint64_t members = 0;
    for (auto [i, b] : llvm::enumerate(basis))
      if (rest & (b & -b)) {
        rest ^= b;
        members |= uint64_t(1) << i;
      }
    if (rest) {
      members |= uint64_t(1) << basis.size();
      basis.push_back(rest);
      masks.push_back(0);
    }
    for (unsigned i = 0; i < basis.size(); ++i)
      if ((members >> i) & 1)
        masks[i] |= uint64_t(1) << bit;
  }
  if (basis.size() > maxPickBits)
    return std::nullopt;

  llvm::SmallVector<ShuffleMove> moves;
  for (int64_t reg = 0; reg < dst.getNumRegisters(); ++reg) {
    Holder from = trace({reg, 0, 0, 0});
    if (from.warp || from.block)
      return std::nullopt;
    ShuffleMove move;
    move.laneConstant = from.lane;
    move.laneColumns = lanes;
    move.pickMasks.assign(masks.begin(), masks.end());
    for (unsigned pick = 0; pick < (1u << basis.size()); ++pick) {
      int64_t source = from.reg;
      for (auto [i, b] : llvm::enumerate(basis))
        if ((pick >> i) & 1)
          source ^= b;
      move.candidates.push_back(source);
    }
    moves.push_back(std::move(move));
  }
  return moves;
}

ConversionPlan tilefuse::tile::planConversion(const DistributedLayout &src,
                                              const DistributedLayout &dst,
                                              llvm::ArrayRef<int64_t> shape) {
  ConversionPlan plan;
  auto same = [](llvm::ArrayRef<int64_t> coords) { return Coords(coords); };
  if (auto map = getRegisterMap(src, dst, shape, same)) {
    plan.kind = ConversionKind::Registers;
    plan.registers = std::move(*map);
  } else if (auto moves = planShuffles(src, dst)) {
    plan.kind = ConversionKind::Shuffles;
    plan.moves = std::move(*moves);
  }
  return plan;
}
