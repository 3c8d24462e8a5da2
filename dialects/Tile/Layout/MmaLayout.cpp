//===- MmaLayout.cpp - fragments of mma.sync as layouts ----------*- C++
//-*-===//
//
// How the bits of a block-level product are shared out. M, N, K and batch are
// lists of bits (and odd digits, which stay in registers), fastest first:
//
//              accumulator        lhs fragment          rhs fragment
//   lane 0-1   column bits 1-2    k bits 0-1 (1-2)      k bits 0-1 (1-2)
//   lane 2-4   row bits 0-2       row bits 0-2          column bits 0-2
//   register   column bit 0,      [k bit 0,] row bit 3, [k bit 0,] k bit 2 (3)
//              row bit 3          k bit 2 (3)
//   warp       rows, columns      the same rows         the same columns
//
// (in brackets: 16-bit elements, two of which make one PTX register). A warp
// bit that an operand does not depend on is a copy there: those warps read the
// same fragment.
//
//===----------------------------------------------------------------------===//

#include "dialects/Tile/Layout/MmaLayout.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include <algorithm>

using namespace tilefuse::tile;

//===----------------------------------------------------------------------===//
// DotDims
//===----------------------------------------------------------------------===//

static llvm::SmallVector<int64_t> getOtherDims(size_t rank,
                                               llvm::ArrayRef<int64_t> a,
                                               llvm::ArrayRef<int64_t> b) {
  llvm::SmallVector<int64_t> dims;
  for (int64_t dim = 0; dim < int64_t(rank); ++dim)
    if (!llvm::is_contained(a, dim) && !llvm::is_contained(b, dim))
      dims.push_back(dim);
  return dims;
}

llvm::SmallVector<int64_t> DotDims::getLhsFree() const {
  return getOtherDims(lhsShape.size(), lhsBatch, lhsContract);
}

llvm::SmallVector<int64_t> DotDims::getRhsFree() const {
  return getOtherDims(rhsShape.size(), rhsBatch, rhsContract);
}

llvm::SmallVector<int64_t> DotDims::getResultShape() const {
  llvm::SmallVector<int64_t> shape;
  for (int64_t dim : lhsBatch)
    shape.push_back(lhsShape[dim]);
  for (int64_t dim : getLhsFree())
    shape.push_back(lhsShape[dim]);
  for (int64_t dim : getRhsFree())
    shape.push_back(rhsShape[dim]);
  return shape;
}

static int64_t countElements(llvm::ArrayRef<int64_t> shape,
                             llvm::ArrayRef<int64_t> dims) {
  int64_t count = 1;
  for (int64_t dim : dims)
    count *= shape[dim];
  return count;
}

int64_t DotDims::getBatch() const { return countElements(lhsShape, lhsBatch); }
int64_t DotDims::getM() const { return countElements(lhsShape, getLhsFree()); }
int64_t DotDims::getN() const { return countElements(rhsShape, getRhsFree()); }
int64_t DotDims::getK() const { return countElements(lhsShape, lhsContract); }

Coords DotDims::getLhsCoords(llvm::ArrayRef<int64_t> result,
                             llvm::ArrayRef<int64_t> contract) const {
  Coords coords(lhsShape.size(), 0);
  for (auto [i, dim] : llvm::enumerate(lhsBatch))
    coords[dim] = result[i];
  for (auto [i, dim] : llvm::enumerate(getLhsFree()))
    coords[dim] = result[lhsBatch.size() + i];
  for (auto [i, dim] : llvm::enumerate(lhsContract))
    coords[dim] = contract[i];
  return coords;
}

Coords DotDims::getRhsCoords(llvm::ArrayRef<int64_t> result,
                             llvm::ArrayRef<int64_t> contract) const {
  Coords coords(rhsShape.size(), 0);
  for (auto [i, dim] : llvm::enumerate(rhsBatch))
    coords[dim] = result[i];
  size_t first = lhsBatch.size() + getLhsFree().size();
  for (auto [i, dim] : llvm::enumerate(getRhsFree()))
    coords[dim] = result[first + i];
  for (auto [i, dim] : llvm::enumerate(rhsContract))
    coords[dim] = contract[i];
  return coords;
}

//===----------------------------------------------------------------------===//
// Layouts
//===----------------------------------------------------------------------===//

namespace {
/// A bit of one dim.
struct DimBit {
  int64_t dim;
  int64_t weight;
};
using DimBits = llvm::SmallVector<DimBit, 10>;

/// A layout under construction: bits are placed one by one; odd factors of
/// every dim follow in registers.
struct Builder {
  llvm::ArrayRef<int64_t> shape;
  std::vector<DistributedLayout::Bases> bases;

  explicit Builder(llvm::ArrayRef<int64_t> shape)
      : shape(shape), bases(numHardware) {}

  void place(Hardware part, std::optional<DimBit> bit) {
    DistributedLayout::Basis basis(shape.size(), 0);
    if (bit)
      basis[bit->dim] = bit->weight;
    bases[unsigned(part)].push_back(basis);
  }

  std::optional<DistributedLayout> build() {
    llvm::SmallVector<llvm::SmallVector<int64_t, 4>> factors;
    for (int64_t extent : shape) {
      int64_t even = extent & -extent;
      factors.push_back({even, extent / even});
    }
    std::string error;
    return DistributedLayout::get(factors, bases, error);
  }
};
} // namespace

/// The bits of some dims, fastest (last dim, lowest weight) first; `position`
/// is what DimBit::dim counts.
static DimBits listBits(llvm::ArrayRef<int64_t> shape,
                        llvm::ArrayRef<int64_t> dims, int64_t firstPosition) {
  DimBits bits;
  for (int64_t i = int64_t(dims.size()) - 1; i >= 0; --i)
    for (int64_t weight = 1; shape[dims[i]] % (weight * 2) == 0; weight *= 2)
      bits.push_back({firstPosition + i, weight});
  return bits;
}

/// Product of the dims' odd factors.
static int64_t getOdd(int64_t count) {
  return count >> llvm::countr_zero(uint64_t(count));
}

std::optional<MmaLayouts>
tilefuse::tile::getMmaLayouts(const DotDims &dims, int64_t elementBits,
                              unsigned numWarps,
                              llvm::ArrayRef<int64_t> avoidWarps,
                              bool warpgroups) {
  if (elementBits != 32 && elementBits != 16)
    return std::nullopt;
  bool narrow = elementBits == 16;
  unsigned depthBits = narrow ? 4 : 3;
  llvm::SmallVector<int64_t> result = dims.getResultShape();
  llvm::SmallVector<int64_t> lhsFree = dims.getLhsFree();
  llvm::SmallVector<int64_t> rhsFree = dims.getRhsFree();
  int64_t numBatch = dims.lhsBatch.size();
  DimBits batch = listBits(dims.lhsShape, dims.lhsBatch, 0);
  DimBits rows = listBits(dims.lhsShape, lhsFree, numBatch);
  DimBits columns = listBits(dims.rhsShape, rhsFree, numBatch + lhsFree.size());
  DimBits depth = listBits(dims.lhsShape, dims.lhsContract, 0);
  if (rows.size() < 4 || columns.size() < 3 || depth.size() < depthBits)
    return std::nullopt;

  // Share the warp bits out: whole batches first, then the split of rows and
  // columns with the smallest operand fragments. Bits that an epilogue folds
  // over come last; a split that spares them may load a quarter more.
  auto isAvoided = [&](const DimBit &bit) {
    return bit.dim < int64_t(avoidWarps.size()) &&
           (avoidWarps[bit.dim] & bit.weight);
  };
  llvm::SmallVector<DimBit> warps;
  auto take = [&](DimBits &bits, unsigned keep, unsigned count) {
    for (bool avoid : {false, true})
      for (unsigned i = bits.size(); i-- > keep && count;)
        if (avoid || !isAvoided(bits[i])) {
          warps.push_back(bits[i]);
          bits.erase(bits.begin() + i);
          --count;
        }
  };
  auto countSpared = [&](const DimBits &bits, unsigned keep) {
    return llvm::count_if(llvm::drop_begin(bits, keep),
                          [&](const DimBit &bit) { return !isAvoided(bit); });
  };
  unsigned numWarpBits = llvm::Log2_64_Ceil(numWarps);
  if (warpgroups) {
    // Four warps share 64 rows and all columns of an instruction; warpgroups
    // take other rows first, so that they read each operand once.
    if (numWarpBits < 2 || rows.size() < 6 || !batch.empty() ||
        dims.getBatch() != 1)
      return std::nullopt;
    unsigned ofRows = std::min<unsigned>(numWarpBits, rows.size() - 4);
    if (numWarpBits - ofRows > columns.size() - 3)
      return std::nullopt;
    // From all rows: what an epilogue folds over stays in lanes and registers.
    take(rows, 0, ofRows);
    // Columns at equal distances are one instruction. Where whole multiples of what
    // has bits follow, that is every second eight, not one half.
    bool hasOdd = getOdd(dims.getN()) > 1;
    for (; hasOdd && ofRows < numWarpBits; ++ofRows) {
      warps.push_back(columns[3]);
      columns.erase(columns.begin() + 3);
    }
    take(columns, 3, numWarpBits - ofRows);
  }
  take(batch, 0, std::min<unsigned>(numWarpBits, batch.size()));
  unsigned left = numWarpBits - warps.size();
  unsigned mostRows = rows.size() - 4, mostColumns = columns.size() - 3;
  left = std::min(left, mostRows + mostColumns);
  unsigned bestRows = 0;
  double bestCost = -1;
  for (unsigned i = 0; i <= std::min(left, mostRows); ++i) {
    if (left - i > mostColumns)
      continue;
    double cost = double(dims.getM()) / (1 << i) +
                  double(dims.getN()) / (1 << (left - i));
    if (i > countSpared(rows, 4) || left - i > countSpared(columns, 3))
      cost *= 1.25;
    if (bestCost < 0 || cost < bestCost) {
      bestCost = cost;
      bestRows = i;
    }
  }
  take(rows, 4, bestRows);
  take(columns, 3, left - bestRows);

  // A result bit in an operand's dims; none when the operand does not have it.
  auto toLhs = [&](DimBit bit) -> std::optional<DimBit> {
    if (bit.dim < numBatch)
      return DimBit{dims.lhsBatch[bit.dim], bit.weight};
    if (bit.dim < numBatch + int64_t(lhsFree.size()))
      return DimBit{lhsFree[bit.dim - numBatch], bit.weight};
    return std::nullopt;
  };
  auto toRhs = [&](DimBit bit) -> std::optional<DimBit> {
    if (bit.dim < numBatch)
      return DimBit{dims.rhsBatch[bit.dim], bit.weight};
    int64_t free = bit.dim - numBatch - int64_t(lhsFree.size());
    if (free < 0)
      return std::nullopt;
    return DimBit{rhsFree[free], bit.weight};
  };
  auto lhsDepth = [&](DimBit bit) {
    return DimBit{dims.lhsContract[bit.dim], bit.weight};
  };
  auto rhsDepth = [&](DimBit bit) {
    return DimBit{dims.rhsContract[bit.dim], bit.weight};
  };

  Builder acc(result), lhs(dims.lhsShape), rhs(dims.rhsShape);
  const auto reg = Hardware::Register, lane = Hardware::Lane;
  acc.place(reg, columns[0]);
  acc.place(reg, rows[3]);
  acc.place(lane, columns[1]);
  acc.place(lane, columns[2]);
  unsigned firstLane = narrow ? 1 : 0;
  for (unsigned i = 0; i < 2; ++i) {
    lhs.place(lane, lhsDepth(depth[firstLane + i]));
    rhs.place(lane, rhsDepth(depth[firstLane + i]));
  }
  for (unsigned i = 0; i < 3; ++i) {
    acc.place(lane, rows[i]);
    lhs.place(lane, toLhs(rows[i]));
    rhs.place(lane, toRhs(columns[i]));
  }
  if (narrow) {
    lhs.place(reg, lhsDepth(depth[0]));
    rhs.place(reg, rhsDepth(depth[0]));
  }
  lhs.place(reg, toLhs(rows[3]));
  lhs.place(reg, lhsDepth(depth[depthBits - 1]));
  rhs.place(reg, rhsDepth(depth[depthBits - 1]));
  // The other bits: registers.
  for (const DimBit &bit : llvm::drop_begin(columns, 3)) {
    acc.place(reg, bit);
    rhs.place(reg, toRhs(bit));
  }
  for (const DimBit &bit : llvm::drop_begin(rows, 4)) {
    acc.place(reg, bit);
    lhs.place(reg, toLhs(bit));
  }
  for (const DimBit &bit : batch) {
    acc.place(reg, bit);
    lhs.place(reg, toLhs(bit));
    rhs.place(reg, toRhs(bit));
  }
  for (const DimBit &bit : llvm::drop_begin(depth, depthBits)) {
    lhs.place(reg, lhsDepth(bit));
    rhs.place(reg, rhsDepth(bit));
  }
  for (unsigned i = 0; i < numWarpBits; ++i) {
    bool real = i < warps.size();
    acc.place(Hardware::Warp, real ? std::optional(warps[i]) : std::nullopt);
    lhs.place(Hardware::Warp, real ? toLhs(warps[i]) : std::nullopt);
    rhs.place(Hardware::Warp, real ? toRhs(warps[i]) : std::nullopt);
  }
  auto accLayout = acc.build(), lhsLayout = lhs.build(),
       rhsLayout = rhs.build();
  if (!accLayout || !lhsLayout || !rhsLayout)
    return std::nullopt;
  // Odd factors multiply the registers of every thread.
  if (getOdd(dims.getM()) * getOdd(dims.getN()) * getOdd(dims.getBatch()) > 64)
    return std::nullopt;
  return MmaLayouts{*accLayout, *lhsLayout, *rhsLayout};
}

//===----------------------------------------------------------------------===//
// Instructions
//===----------------------------------------------------------------------===//

static Coords add(const Coords &a, const Coords &b) {
  Coords sum = a;
  for (auto [x, y] : llvm::zip(sum, b))
    x += y;
  return sum;
}

static bool isZero(llvm::ArrayRef<int64_t> coords) {
  return llvm::all_of(coords, [](int64_t c) { return c == 0; });
}

std::optional<llvm::SmallVector<llvm::SmallVector<MmaStep>>>
tilefuse::tile::planMma(const DotDims &dims, const MmaLayouts &layouts,
                        int64_t elementBits) {
  bool narrow = elementBits == 16;
  const DistributedLayout &acc = layouts.acc, &lhs = layouts.lhs,
                          &rhs = layouts.rhs;
  size_t numBatch = dims.lhsBatch.size(), numLhsFree = dims.getLhsFree().size();
  llvm::SmallVector<int64_t> result = dims.getResultShape();
  unsigned pairBits = narrow ? 1 : 0;
  if (acc.getNumBits(Hardware::Lane) != 5 ||
      lhs.getNumBits(Hardware::Lane) != 5 ||
      rhs.getNumBits(Hardware::Lane) != 5 ||
      acc.getNumBits(Hardware::Register) < 2 ||
      lhs.getNumBits(Hardware::Register) < 2 + pairBits ||
      rhs.getNumBits(Hardware::Register) < 1 + pairBits)
    return std::nullopt;

  // Operand coordinates as (result part, contracting part).
  auto fromLhs = [&](llvm::ArrayRef<int64_t> coords) {
    std::pair<Coords, Coords> parts{Coords(result.size(), 0), Coords()};
    for (auto [i, dim] : llvm::enumerate(dims.lhsBatch))
      parts.first[i] = coords[dim];
    for (auto [i, dim] : llvm::enumerate(dims.getLhsFree()))
      parts.first[numBatch + i] = coords[dim];
    for (int64_t dim : dims.lhsContract)
      parts.second.push_back(coords[dim]);
    return parts;
  };
  auto fromRhs = [&](llvm::ArrayRef<int64_t> coords) {
    std::pair<Coords, Coords> parts{Coords(result.size(), 0), Coords()};
    for (auto [i, dim] : llvm::enumerate(dims.rhsBatch))
      parts.first[i] = coords[dim];
    for (auto [i, dim] : llvm::enumerate(dims.getRhsFree()))
      parts.first[numBatch + numLhsFree + i] = coords[dim];
    for (int64_t dim : dims.rhsContract)
      parts.second.push_back(coords[dim]);
    return parts;
  };

  // The instruction's own bits, read off the operands' fragments.
  auto lane = [](unsigned bit) { return Holder{0, int64_t(1) << bit, 0, 0}; };
  auto reg = [](unsigned bit) { return Holder{int64_t(1) << bit, 0, 0, 0}; };
  auto rowHigh = fromLhs(lhs.getCoords(reg(pairBits)));
  auto depthHigh = fromLhs(lhs.getCoords(reg(pairBits + 1)));
  auto depthHighRhs = fromRhs(rhs.getCoords(reg(pairBits)));
  auto columnLow = fromRhs(rhs.getCoords(lane(2)));
  Coords none(dims.lhsContract.size(), 0);
  Coords depthPair = none;
  if (narrow) {
    auto pair = fromLhs(lhs.getCoords(reg(0)));
    auto pairRhs = fromRhs(rhs.getCoords(reg(0)));
    if (!isZero(pair.first) || pair != pairRhs)
      return std::nullopt;
    depthPair = pair.second;
  }
  // Both operands agree on depth, and the accumulator on rows and columns.
  bool matches = isZero(rowHigh.second) && isZero(depthHigh.first) &&
                 depthHigh == depthHighRhs && isZero(columnLow.second);
  for (unsigned i = 0; i < 2; ++i) {
    matches &=
        fromLhs(lhs.getCoords(lane(i))) == fromRhs(rhs.getCoords(lane(i)));
    matches &=
        fromRhs(rhs.getCoords(lane(3 + i))).first == acc.getCoords(lane(i));
  }
  for (unsigned i = 2; i < 5; ++i)
    matches &= fromLhs(lhs.getCoords(lane(i))).first == acc.getCoords(lane(i));
  if (!matches)
    return std::nullopt;

  // An instruction starts at every accumulator register of lane 0 with the row
  // and column bit zero.
  auto covers = [](const Coords &coords, const Coords &bit) {
    for (auto [c, b] : llvm::zip(coords, bit))
      if (b && (c & b) == 0)
        return false;
    return true;
  };
  // A bit of a dim with an odd factor below it is no bit of the number; this
  // holds because layouts of getMmaLayouts keep bits below odd factors.
  llvm::SmallVector<Coords> starts;
  for (int64_t r = 0; r < acc.getNumRegisters(); ++r) {
    Coords coords = acc.getCoords(r, 0, 0);
    if (!covers(coords, rowHigh.first) && !covers(coords, columnLow.first))
      starts.push_back(coords);
  }
  llvm::SmallVector<Coords> depths;
  for (int64_t r = 0; r < lhs.getNumRegisters(); ++r) {
    auto [place, contract] = fromLhs(lhs.getCoords(r, 0, 0));
    if (isZero(place) && !covers(contract, depthHigh.second) &&
        !(narrow && covers(contract, depthPair)))
      depths.push_back(contract);
  }
  llvm::sort(depths);
  constexpr size_t mostSteps = size_t(1) << 16;
  if (starts.size() * depths.size() > mostSteps)
    return std::nullopt;
  if (starts.size() * 4 != size_t(acc.getNumRegisters()))
    return std::nullopt;

  bool valid = true;
  auto find = [&](const DistributedLayout &layout, const Coords &coords) {
    Holder at = layout.getHolder(coords);
    valid &= at.reg >= 0 && at.lane == 0 && at.warp == 0;
    return at.reg;
  };
  llvm::SmallVector<llvm::SmallVector<MmaStep>> plan;
  for (const Coords &depth : depths) {
    plan.emplace_back();
    for (const Coords &start : starts) {
      MmaStep step;
      for (bool row : {false, true})
        for (bool column : {false, true}) {
          Coords at = start;
          if (row)
            at = add(at, rowHigh.first);
          if (column)
            at = add(at, columnLow.first);
          step.acc.push_back(find(acc, at));
        }
      for (bool high : {false, true}) {
        Coords k = high ? add(depth, depthHigh.second) : depth;
        for (bool pair : {false, true}) {
          if (pair && !narrow)
            break;
          Coords kk = pair ? add(k, depthPair) : k;
          step.rhs.push_back(find(rhs, dims.getRhsCoords(start, kk)));
        }
        for (bool row : {false, true})
          for (bool pair : {false, true}) {
            if (pair && !narrow)
              break;
            Coords kk = pair ? add(k, depthPair) : k;
            Coords at = row ? add(start, rowHigh.first) : start;
            step.lhs.push_back(find(lhs, dims.getLhsCoords(at, kk)));
          }
      }
      plan.back().push_back(std::move(step));
    }
  }
  if (!valid)
    return std::nullopt;
  return plan;
}
