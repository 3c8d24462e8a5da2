//===- SkewedSchedule.cpp - schedules of skewed sums -------------*- C++ -*-===//
//
// A weight gradient whose sum is skewed multiplies 64 output channels, shifted by a
// filter column, by input channels and filter rows, which are the columns of one
// instruction. Each fragment of the first operand is loaded for as many
// instructions as there are filter columns, each element of the second for all of
// them. So what a tile should have is many columns, and all filter columns.
//
// Both operands pass through registers: a row of the window's elements is rounded on
// its way to shared memory. What waits there leaves registers for sums of which a
// thread may have 144, and steps are 32 elements of a row, or 24 where fewer of
// those end past the row. Rows that do not start where 16 bytes do come and go word
// by word, which takes longer than all the products. And a row is loaded for each
// filter row anew: one that is computed would be computed as often.
//
//===----------------------------------------------------------------------===//

#include "passes/Fusion/SkewedSchedule.h"
#include "passes/Fusion/ProducerGranules.h"
#include "passes/Fusion/ResidueClasses.h"
#include "passes/Fusion/ScheduleHeuristic.h"

using namespace mlir;
using namespace tilefuse;

namespace {
/// Rows of an instruction, and columns from which it pays.
constexpr int64_t kRows = 64, kLeastColumns = 48;
/// Sums of a thread, and registers of it in which elements of rows wait.
constexpr int64_t kMostSums = 144, kMostWaiting = 32;
/// Steps that beginning and ending take.
constexpr int64_t kBorder = 8;

class Skewed {
public:
  Skewed(const fuse::KernelStructure &structure, const CostModel &model)
      : structure(structure), model(model),
        op(cast<fuse::ContractionOpInterface>(structure.getAnchor())),
        space(cast<fuse::IterationSpaceOpInterface>(op.getOperation())
                  .getIterationSpace()),
        roles(getDimRoles(space)) {}

  std::optional<SkewedSchedule> run(ArrayRef<int64_t> given);

private:
  bool findSum();
  int64_t chooseSplits(ArrayRef<int64_t> block, int64_t tiles) const;

  const fuse::KernelStructure &structure;
  const CostModel &model;
  fuse::ContractionOpInterface op;
  fuse::IterationSpace space;
  SmallVector<DimRole> roles;
  /// The dim along rows of the first operand, its steps there, and the dims that
  /// shift it.
  unsigned summed = 0;
  int64_t stride = 1;
  SmallVector<unsigned> shifts;
};

} // namespace

/// Whether SkewReduction can move the shifts of this sum.
bool Skewed::findSum() {
  const fuse::OperandAccess &windowed = space.operands[0],
                            &plain = space.operands[1];
  for (const fuse::OperandAccess *access : {&windowed, &plain})
    if (llvm::any_of(access->divisors, [](int64_t d) { return d != 1; }))
      return false;
  AffineExpr row = windowed.map.getResults().back();
  AffineExpr other = plain.map.getResults().back();
  auto sum = dyn_cast<AffineDimExpr>(other);
  if (!sum || roles[sum.getPosition()] != DimRole::Reduction ||
      !row.isFunctionOfDim(sum.getPosition()))
    return false;
  summed = sum.getPosition();
  for (unsigned dim = 0; dim < roles.size(); ++dim)
    if (dim != summed && row.isFunctionOfDim(dim)) {
      if (roles[dim] != DimRole::Lhs ||
          space.bounds[dim] >= space.bounds[summed])
        return false;
      if (space.bounds[dim] > 1)
        shifts.push_back(dim);
    }
  stride = getCoefficient(row, summed, roles.size());
  return !shifts.empty() && (stride == 1 || stride == 2);
}

/// Instances that share the sums of each tile, so that all multiprocessors end
/// together; parts as getSplitDims makes them.
int64_t Skewed::chooseSplits(ArrayRef<int64_t> block, int64_t tiles) const {
  SmallVector<int64_t> counts;
  int64_t rounds = 1;
  for (unsigned dim = structure.getNumRootDims(); dim < block.size(); ++dim) {
    counts.push_back(llvm::divideCeil(space.bounds[dim], block[dim]));
    rounds *= counts.back();
  }
  llvm::sort(counts, std::greater<>());
  counts.resize(2, 1);
  int64_t units = model.getTarget().getUnits(), best = 1, bestTime = 0;
  for (int64_t splits = 1; splits <= 2 * units; ++splits) {
    int64_t first = std::min(splits, counts[0]);
    int64_t second = std::min(splits / first, counts[1]);
    int64_t steps = rounds / (counts[0] * counts[1]) *
                    llvm::divideCeil(counts[0], first) *
                    llvm::divideCeil(counts[1], second);
    int64_t time = llvm::divideCeil(first * second * tiles, units) *
                   (steps + kBorder);
    if (splits == 1 || time < bestTime) {
      best = first * second;
      bestTime = time;
    }
  }
  return best;
}

std::optional<SkewedSchedule> Skewed::run(ArrayRef<int64_t> given) {
  if (model.getTarget().getArch() != "sm_90a" || structure.hasFinish() ||
      op.getContractionPrecision() != fuse::Precision::tf32 ||
      !getElementTypeOrSelf(op->getOperand(0).getType()).isF32() ||
      !getElementTypeOrSelf(op->getOperand(1).getType()).isF32() ||
      !isa<BlockArgument>(op->getOperand(0)) ||
      hasProducerContraction(structure) || !findSum())
    return std::nullopt;
  SkewedSchedule result;
  result.block.assign(given.begin(), given.end());
  SmallVector<int64_t> granules = getProducerGranules(structure);
  int64_t rows = 1, columns = 1, shiftCount = 1;
  std::optional<unsigned> channels;
  for (unsigned dim = 0; dim < structure.getNumRootDims(); ++dim) {
    if (roles[dim] == DimRole::Rhs) {
      rows *= given[dim];
    } else if (llvm::is_contained(shifts, dim)) {
      if (given[dim] != space.bounds[dim])
        return std::nullopt;
      shiftCount *= given[dim];
    } else if (roles[dim] == DimRole::Lhs) {
      columns *= given[dim];
      if (given[dim] % 8 == 0)
        channels = dim;
    } else if (given[dim] != 1) {
      return std::nullopt;
    }
  }
  if (rows % kRows || !channels)
    return std::nullopt;
  // One row a step, or as many as its producers make together.
  for (unsigned dim = structure.getNumRootDims(); dim < roles.size(); ++dim) {
    int64_t granule = std::max<int64_t>(1, granules[dim]);
    if (granule > 2)
      return std::nullopt;
    result.block[dim] = granule;
  }
  int64_t length = llvm::divideCeil(
      cast<ShapedType>(op->getOperand(0).getType()).getShape().back(), stride);
  constexpr int64_t vector = 4;
  if (cast<ShapedType>(op->getOperand(0).getType()).getShape().back() % vector)
    return std::nullopt;
  int64_t &step = result.block[summed];
  auto getPadded = [&](int64_t step) {
    return int64_t(llvm::alignTo(length, step));
  };
  step = !hasMadeOperand(structure) &&
                 getPadded(24) * 8 < getPadded(32) * 7
             ? 24
             : 32;
  if (getPadded(step) > 2 * length)
    return std::nullopt;
  int64_t depth = 1;
  for (unsigned dim = structure.getNumRootDims(); dim < roles.size(); ++dim)
    depth *= result.block[dim];
  // Fewer channels where sums or what waits would not fit.
  int64_t &extent = result.block[*channels];
  result.warps = 8;
  auto fits = [&] {
    return rows * columns * shiftCount <= kMostSums * 32 * result.warps &&
           columns * depth * stride <= kMostWaiting * 32 * result.warps;
  };
  while (!fits() && extent % 2 == 0 && extent > 8) {
    extent /= 2;
    columns /= 2;
  }
  int64_t groups = result.warps * 16 / rows;
  if (!fits() || groups == 0 || extent % (8 * groups) ||
      columns / groups < kLeastColumns)
    return std::nullopt;
  std::string reason;
  if (!fitsProducers(structure, result.block, reason))
    return std::nullopt;
  int64_t tiles = 1;
  for (unsigned dim = 0; dim < structure.getNumRootDims(); ++dim)
    tiles *= llvm::divideCeil(space.bounds[dim], result.block[dim]);
  result.splits = chooseSplits(result.block, tiles);
  return result;
}

std::optional<SkewedSchedule>
tilefuse::chooseSkewedSchedule(const fuse::KernelStructure &structure,
                               const CostModel &model,
                               ArrayRef<int64_t> block) {
  return Skewed(structure, model).run(block);
}
