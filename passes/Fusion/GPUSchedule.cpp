//===- GPUSchedule.cpp - schedules for GPUs ---------------------*- C++ -*-===//
//
// The tile of a contraction is a matrix: the dims that only the second operand
// has (output channels, columns) against those that only the first has (pixels,
// rows). It is made as square as the extents allow within 64 accumulator
// registers of each of 256 threads, pixels innermost first so that rows stay
// contiguous. A tile whose index is divided (a transposed convolution) is computed
// one residue class an instance, so it may be as many times larger; where all
// classes of a row are columns of one product (passes/Tiling/JoinClasses.h), it is
// larger by those of the other dims. Then the reduction step grows while the operand
// blocks of one step leave room for two instances on a multiprocessor; if even the
// smallest step does not fit, the tile shrinks.
//
// The weights of a residue class lie scattered, a few of each sector, and every
// instance would fetch them all again. Where one multiprocessor's shared memory
// holds them for the whole reduction beside a patch, an instance computes many
// tiles with them.
//
//===----------------------------------------------------------------------===//

#include "passes/Fusion/ElementSchedule.h"
#include "passes/Fusion/ProducerGranules.h"
#include "passes/Fusion/ResidueClasses.h"
#include "passes/Fusion/ScheduleHeuristic.h"
#include "passes/Fusion/SharedSums.h"
#include "passes/Fusion/SkewedSchedule.h"
#include "passes/Fusion/TileExtents.h"
#include <numeric>
#include <utility>

using namespace mlir;
using namespace tilefuse;

namespace {

/// Products per operand element that a held tile of a contraction must have.
constexpr int64_t kLeastReuse = 24;
/// Terms of a sum from which splitting it beats smaller tiles.
constexpr int64_t kLongReduction = 32768;
/// Rows of a tile whose operand is made of windows, and elements of it in a step:
/// 32 registers of each of 256 threads. More rows would have less of a border, but
/// fewer instances to hide each other's loads.
constexpr int64_t kMadeRows = 512, kMostMade = 8192;
/// Elements a thread that pointwise ops compute in a step.
constexpr int64_t kMostComputed = 21;
/// Shared memory for what the blocks of a made operand, and of what it is made of,
/// take above their elements: padding, and blocks on their way between layouts.
constexpr int64_t kRearrangedBytes = 48 << 10;
/// Rows of a tile whose operand another contraction makes.
constexpr int64_t kProducerRows = 256;
/// Depth of one step of the reduction loop, over all dims but taps.
constexpr int64_t kLargestStep = 32;
/// Rows of a tile of fewer columns than that.
constexpr int64_t kFewColumns = 64, kMostThinRows = 256;
/// Products of one step without a matrix unit, in the code of a thread.
constexpr int64_t kMostProducts = 1024;
/// Matrix instructions of one step, in the code of a warp.
constexpr int64_t kLongestStep = 640;
/// Instances a multiprocessor computes one after another, at least: fewer leave
/// some idle at the end.
constexpr int64_t kLeastInstances = 8;
/// Accumulators of a thread of such an instance.
constexpr int64_t kSumsAlone = 32;
/// Tiles of one instance, at most.
constexpr int64_t kMostTiles = 32;

/// Accumulators of a weight gradient's tile: 144 registers of 256 threads. More
/// than elsewhere, because every further tile reads both operands again.
constexpr int64_t kShiftedSums = 36864;
/// Sums of a thread of a weight gradient that leave registers for several instances
/// a multiprocessor.
constexpr int64_t kSumsBesideOthers = 24;
/// Sums of a thread of a weight gradient from which its copies run two steps ahead.
constexpr int64_t kManySums = 128;
/// Rows times columns that each of its shifts has at least.
constexpr int64_t kLeastSquare = 128;

class ContractionSchedule {
public:
  ContractionSchedule(const fuse::KernelStructure &structure,
                      const CostModel &model, std::string &reason,
                      bool joins)
      : structure(structure), model(model), reason(reason),
        op(cast<fuse::ContractionOpInterface>(structure.getAnchor())),
        space(cast<fuse::IterationSpaceOpInterface>(op.getOperation())
                  .getIterationSpace()),
        roles(getDimRoles(space)), granules(getProducerGranules(structure)),
        tile(structure, /*powersOfTwo=*/true), classes(space, structure),
        residues(classes.total) {
    if (!joins)
      classes.joined = 1;
  }

  bool joinsClasses() const { return classes.joined > 1; }

  LogicalResult run(SmallVectorImpl<int64_t> &block, ScheduleChoice &choice) {
    if (!tile.isLegal()) {
      reason = "a window is no power of two";
      return failure();
    }
    // 8-byte elements take two registers.
    int64_t budget = model.getTileCapacity();
    if (op.getSumType().getIntOrFloatBitWidth() > 32)
      budget /= 4;
    int64_t reduction = 1;
    for (unsigned dim = 0; dim < roles.size(); ++dim)
      if (roles[dim] == DimRole::Reduction)
        reduction *= space.bounds[dim];
    SmallVector<unsigned> rows = withRole(roles, DimRole::Lhs);
    SmallVector<unsigned> columns = withRole(roles, DimRole::Rhs);
    int64_t rowExtent = 1, columnExtent = 1;
    for (unsigned dim : rows)
      rowExtent *= space.bounds[dim];
    for (unsigned dim : columns)
      columnExtent *= space.bounds[dim];
    // The unit multiplies `instructionDepth` deep, however little there is.
    Type element = getElementTypeOrSelf(op->getOperand(0).getType());
    instructionDepth = element.getIntOrFloatBitWidth() == 16 ? 16 : 8;
    double depth = double(reduction) /
                   double(llvm::alignTo(reduction, instructionDepth));
    // So are its eight columns: with taps, which read each row often, that still
    // pays where fewer are filled.
    double filled = std::min(1.0, columnExtent / 8.0);
    bool fillsColumns = columnExtent >= 8 || (hasTaps() && columnExtent > 1 &&
                                              columns.size() == 1);
    useMatrixUnit = model.hasMatrixUnit(op) && reduction > 1 &&
                    model.getMatrixSpeedup(op) * depth * filled > 1 &&
                    rowExtent >= 8 && fillsColumns;
    if (!useMatrixUnit) {
      budget /= 4;
      classes.joined = 1;
    }
    // One residue class is computed at a time, or all of a row.
    // Unrolled classes take half the registers each: that keeps the code short.
    if (residues > 1)
      budget = (classes.areInstances ? budget : budget / 2) *
               classes.getSeparate();
    if (failed(tile.checkFits(budget, reason)))
      return failure();
    bool wide = isWideProduct(rows);
    growParallel(rows, columns, wide ? 2 * budget : budget);
    // Classes as columns: a step fetches mostly weights, which more rows share.
    if (isComputedJoined() && isPixelLike(rows))
      tile.grow(rows[1], 2 * tile[rows[1]], 2 * budget);
    // Half as many tiles must still be shared out evenly.
    while (wide && tile.getCount() > budget &&
           2 * tile.getNumTiles() < 3 * model.getTarget().getUnits() &&
           tile.shrink(columns.front())) {
    }
    wide &= tile.getCount() > budget;
    // A long reduction is shared by several instances instead.
    if (structure.hasFinish() || !isShared(reduction))
      spread(rows, columns, reduction);
    // A thin tile reads much for little: two products an element at 64 x 1.
    int64_t height = tile.getCount(rows), width = tile.getCount(columns);
    if (useMatrixUnit && llvm::is_contained(structure.getMustHold(), true) &&
        height * width < kLeastReuse * (height + width)) {
      reason = "what one tile must hold makes it " + std::to_string(height) +
               " by " + std::to_string(width) +
               ", too thin for the contraction";
      return failure();
    }
    if (failed(chooseSteps(rows)))
      return failure();
    bool isDouble = doubleColumns(rows, columns);
    if (isDouble && failed(chooseSteps(rows)))
      return failure();
    if (residues > 1 && classes.areInstances && !joinsClasses())
      choice.tiles = keepReduction(rows);
    block.assign(tile.get().begin(), tile.get().end());
    block.append(steps.begin(), steps.end());
    if (!fitsProducers(structure, block, reason))
      return failure();
    ProducerStep producer =
        getProducerStep(structure, block, useMatrixUnit, model);
    if (producer.bytes > 0 &&
        getShared() + producer.bytes >
            model.getTarget().getSharedMemory() - kRearrangedBytes) {
      reason = "what one step makes an operand of does not fit shared memory";
      return failure();
    }
    choice.warps =
        isDouble ? 16
                 : std::max(getUsualWarps(), countPartialWarps(rows, columns));
    if (producer.products > kMostProducts * 32 * choice.warps) {
      reason = "what makes an operand is too long a code without a matrix unit";
      return failure();
    }
    // Weights that fill shared memory leave one instance a multiprocessor: its
    // warps must be as many as those of two.
    if (choice.tiles > 1)
      choice.warps = std::clamp<int64_t>(
          llvm::bit_floor(
              uint64_t(tile.getCount() / classes.getSeparate() /
                       (32 * kSumsAlone))),
          std::min<int64_t>(16, choice.warps), 16);
    else if (isPooledAtOnce())
      takePooledTiles(rows, choice);
    else if (structure.hasFinish() && isOneStep())
      takeMergedTiles(rows, choice);
    choice.mma = !useMatrixUnit ? fuse::MmaKind::fma
                 : !makesLine(rows) &&
                         suitsWarpgroups(element, height / residues,
                                   width * classes.joined, choice.warps)
                     ? fuse::MmaKind::wgmma
                     : fuse::MmaKind::mma_sync;
    // Steps without taps are short: copies run one further ahead.
    if ((choice.mma == fuse::MmaKind::wgmma || makesLine(rows)) && !hasTaps() &&
        3 * getShared() <= (wide && !isPixelLike(rows)
                                ? model.getTarget().getSharedMemory()
                                : model.getSharedCapacity()))
      choice.stages = 3;
    // Sums that leave one instance a multiprocessor leave no registers for loads
    // ahead either.
    if (choice.mma == fuse::MmaKind::mma_sync && isShifted() &&
        tile.getCount() >= kManySums * 32 * choice.warps)
      choice.stages = 3;
    if (!structure.hasFinish())
      choice.splits = chooseSplits(block, choice.warps);
    return success();
  }

private:
  /// Arithmetic on an operand takes registers beside the sums: half the sums a
  /// thread leave room for as many warps without a spill. Such an instance has a
  /// multiprocessor for itself.
  bool isComputedAlone() {
    constexpr int64_t warps = 8, sums = 64;
    if (isComputedJoined())
      return tile.getCount() / classes.getSeparate() >= sums * 32 * 2 * warps;
    return isComputed() && hasTaps() && residues == 1 &&
           warpsFor(tile.getCount(), getSumsPerThread()) == warps &&
           tile.getCount() >= sums * 32 * warps;
  }

  /// Whether pointwise ops, perhaps of another contraction, compute an operand.
  bool isComputed() {
    return useMatrixUnit && !isShifted() && !hasMadeOperand(structure) &&
           !isa<BlockArgument>(op->getOperand(0));
  }

  /// Whether only pointwise ops do, and several classes' columns multiply it.
  bool isComputedJoined() {
    return isComputed() && joinsClasses() && classes.areInstances &&
           tile.getCount(withRole(roles, DimRole::Rhs)) >= kFewColumns &&
           !hasProducerContraction(structure);
  }

  /// Whether instances divide the reduction among them rather than take smaller
  /// tiles. Pixels of images, as weight gradients sum over, are many although no
  /// one dim of them is long.
  bool isShared(int64_t reduction) const {
    constexpr int64_t shortest = 128; // terms of an instance
    return reduction >= kLongReduction ||
           (llvm::count(roles, DimRole::Reduction) > 1 &&
            reduction / shortest * tile.getNumTiles() >=
                2 * model.getTarget().getUnits());
  }

  /// Warps among which a weight gradient of few sums shares out pieces of 16 x 8
  /// of them and rows of pixels; 0 for anything else.
  int64_t countPartialWarps(ArrayRef<unsigned> rows,
                            ArrayRef<unsigned> columns) {
    constexpr int64_t most = 16;
    if (!useMatrixUnit || !isShifted() || tile.getCount() * 8 > kShiftedSums)
      return 0;
    auto channels = llvm::to_vector(llvm::make_filter_range(
        rows, [&](unsigned dim) { return !isShift(dim); }));
    int64_t warps = std::max<int64_t>(1, tile.getCount(columns) / 16) *
                    std::max<int64_t>(1, tile.getCount(channels) / 8);
    for (int64_t step : ArrayRef(steps).drop_back())
      warps *= step;
    return std::min<int64_t>(most, llvm::bit_floor(uint64_t(warps)));
  }

  /// A product of matrices of which each step is so short that operands are fetched
  /// more slowly than multiplied: larger tiles read them less often. Of pixels, where
  /// the sums' own reduction leaves one instance a multiprocessor anyway.
  bool isWideProduct(ArrayRef<unsigned> rows) {
    Type element = getElementTypeOrSelf(op->getOperand(0).getType());
    return useMatrixUnit && model.getTarget().getArch() == "sm_90a" &&
           element.isF32() && !hasTaps() && !isShifted() &&
           (!isPixelLike(rows) || (structure.hasFinish() &&
                                   isa<BlockArgument>(op->getOperand(0)))) &&
           residues == 1 && !hasMadeOperand(structure) &&
           !llvm::is_contained(structure.getMustHold(), true) &&
           op.getContractionPrecision() == fuse::Precision::tf32;
  }

  /// A line of pixels that arithmetic makes passes through registers, from which
  /// mma.sync takes it at once.
  bool makesLine(ArrayRef<unsigned> rows) const {
    return useMatrixUnit && isLine(rows) && !hasTaps() && !isShifted() &&
           !isa<BlockArgument>(op->getOperand(0));
  }

  bool isLine(ArrayRef<unsigned> rows) const {
    return isPixelLike(rows) && space.bounds[rows[1]] == 1;
  }

  /// Windows at a stride read more pixels than filters in a step: of twice the columns,
  /// each reads them half as often, which needs all warps of a multiprocessor.
  bool doubleColumns(ArrayRef<unsigned> rows, ArrayRef<unsigned> columns) {
    SmallVector<int64_t> block(tile.get());
    block.append(steps.begin(), steps.end());
    auto bytes = model.getTileCost(op, block).operandBytes;
    if (!useMatrixUnit || !hasTaps() || isShifted() || residues > 1 ||
        columns.size() != 1 || !isPixelLike(rows) ||
        !isa<BlockArgument>(op->getOperand(0)) ||
        tile.getCount() != model.getTileCapacity() || bytes[0] <= bytes[1] ||
        space.bounds[columns.front()] < 2 * tile[columns.front()] ||
        tile.getNumTiles() < 4 * model.getTarget().getUnits())
      return false;
    tile.grow(columns.front(), 2 * tile[columns.front()], 2 * tile.getCount());
    return true;
  }

  /// Hopper's instructions for four warps: 64 rows by columns, of which the
  /// operand in shared memory needs 64 for its rate.
  bool suitsWarpgroups(Type element, int64_t height, int64_t width,
                       int64_t warps) {
    constexpr int64_t leastColumns = 64, leastRows = 64;
    return model.getTarget().getArch() == "sm_90a" && element.isF32() &&
           !isShifted() && warps >= 4 &&
           std::min(height, width) >= leastColumns &&
           height * width >= leastRows * leastColumns * warps / 4;
  }

  /// The shifts of a weight gradient move words apart that the instruction wants
  /// side by side; an operand that lies across the reduction is merely transposed on
  /// its way to shared memory.
  bool isShifted() const {
    if (llvm::is_contained(roles, DimRole::Tap))
      return false;
    for (unsigned dim = 0; dim < structure.getNumRootDims(); ++dim)
      if (isShift(dim))
        return true;
    return false;
  }

  /// How many instances share one tile's reduction, and what the kernel then takes.
  struct Sharing {
    int64_t splits = 1;
    double time = 0;
  };

  /// Each instance still does several of the `rounds`; all partial sums are written,
  /// and read by another launch, which must be less than the multiprocessors that
  /// would have stood idle gain. Weight gradients, few tiles with millions of terms,
  /// hide little by themselves and get two instances a multiprocessor.
  Sharing getSharing(const TileExtents &tile, int64_t rounds, int64_t depth,
                     int64_t longest) const {
    constexpr int64_t leastSteps = 4, mostResident = 4;
    // Microseconds that a round takes, however little it does.
    constexpr double leastRound = 0.5;
    // What a product by itself takes of the time of one among other work, and a
    // second-level cache of the time of memory.
    constexpr double byItself = 0.6, fromCache = 0.7;
    int64_t units = model.getTarget().getUnits(), tiles = tile.getNumTiles();
    int64_t most = std::max<int64_t>(
        1, std::min({int64_t(llvm::divideCeil(2 * units, tiles)),
                     rounds / leastSteps, longest}));
    if (isShifted())
      return {most, 0};
    int64_t sides = tile.getCount(withRole(roles, DimRole::Lhs)) +
                    tile.getCount(withRole(roles, DimRole::Rhs));
    double alone = std::max(byItself * model.getContractionTime(op) *
                                double(units) / double(tiles * rounds),
                            fromCache *
                                model.getMemoryTime(sides * depth * units * 4));
    int64_t resident = std::clamp<int64_t>(
        model.getTileCapacity() / tile.getCount(), 1, mostResident);
    int64_t bytes = getByteSize(op->getResult(0).getType());
    Sharing best;
    for (int64_t splits = 1; splits <= most; ++splits) {
      int64_t instances = tiles * splits;
      double time = double(llvm::divideCeil(rounds, splits)) *
                    std::max(double(llvm::divideCeil(instances, units)) * alone,
                             double(llvm::divideCeil(instances,
                                                     units * resident)) *
                                 leastRound);
      if (splits > 1)
        time += model.getLaunchTime() + model.getMemoryTime(2 * splits * bytes);
      if (splits == 1 || time < best.time)
        best = {splits, time};
    }
    return best;
  }

  int64_t chooseSplits(ArrayRef<int64_t> block, int64_t warps) const {
    int64_t rounds = 1, depth = 1, longest = 1;
    SmallVector<ReductionSteps> dims;
    for (unsigned dim = structure.getNumRootDims(); dim < block.size(); ++dim) {
      int64_t bound = structure.getBlockExtents()[dim];
      int64_t pieces = llvm::divideCeil(bound, block[dim]);
      dims.push_back({pieces, bound % block[dim] == 0});
      rounds *= pieces;
      depth *= block[dim];
      longest = std::max(longest, pieces);
    }
    int64_t splits = getSharing(tile, rounds, depth, longest).splits;
    if (!isShifted())
      return splits;
    bool overlaps = tile.getCount() <= kSumsBesideOthers * 32 * warps;
    return chooseSharedSplits(dims, tile.getNumTiles(),
                              model.getTarget().getUnits(), splits, overlaps);
  }

  void growParallel(ArrayRef<unsigned> rows, ArrayRef<unsigned> columns,
                    int64_t budget) {
    if (!useMatrixUnit) {
      // Plain arithmetic: every parallel dim is as good as any other.
      for (unsigned dim = structure.getNumRootDims(); dim-- > 0;)
        tile.grow(dim, dim + 1 == structure.getNumRootDims() ? 64 : 16,
                  budget);
      return;
    }
    // A weight gradient: all shifts in one tile, which then reads each operand
    // once; as many rows and columns as the accumulators leave room for.
    bool shifted = false;
    for (unsigned dim : rows)
      if (isShift(dim))
        shifted |= tile.takeWhole(dim, kShiftedSums / kLeastSquare);
    if (shifted) {
      SmallVector<unsigned> channels;
      llvm::copy_if(rows, std::back_inserter(channels),
                    [&](unsigned dim) { return !isShift(dim); });
      for (int64_t target : {16, 32, 64, 128})
        for (ArrayRef<unsigned> side : {columns, ArrayRef(channels)})
          for (unsigned dim : side)
            tile.grow(dim,
                      std::max<int64_t>(
                          1, target / (tile.getCount(side) / tile[dim])),
                      kShiftedSums);
      // The unit multiplies eight channels, however few there are.
      if (!channels.empty() && tile.getCount(channels) < 8)
        tile.pad(channels.front(),
                 8 / (tile.getCount(channels) / tile[channels.front()]),
                 kShiftedSums);
      return;
    }
    // Columns up to 64, or 128 where the rows alone can fill that square;
    // then rows; then columns again.
    // Taps read a patch of many rows again and again; without them a square reads
    // the least.
    int64_t columnTarget = isPixelLike(rows) && hasTaps() ? 64 : 128;
    while (columnTarget > 32 && columnTarget * 128 > budget)
      columnTarget /= 2;
    for (unsigned dim : columns) {
      int64_t others = tile.getCount(columns) / tile[dim];
      tile.grow(dim, std::max<int64_t>(1, columnTarget / others), budget);
    }
    // Classes side by side fill the unit's columns together.
    if (columns.size() == 1)
      tile.pad(columns.front(), std::max<int64_t>(1, 8 / classes.joined),
               budget);
    int64_t most = budget;
    // Few columns give little to multiply for what a row takes to address.
    if (tile.getCount(columns) < kFewColumns)
      budget = std::min(budget,
                        tile.getCount(columns) * kMostThinRows * residues);
    // The block that another contraction makes of an operand lies in registers,
    // too.
    if (hasProducerContraction(structure))
      budget = std::min(budget, tile.getCount(columns) * kProducerRows);
    else if (hasMadeOperand(structure))
      budget = std::min(most, tile.getCount(columns) * kMadeRows);
    // Rows of pixels: 32 wide, then several; then the width again.
    // A line of pixels is as good as several.
    int64_t first = isLine(rows) ? 128 : 32;
    int64_t rowBudget = isPixelLike(rows) && isWideProduct(rows)
                            ? tile.getCount(columns) * 128
                            : budget;
    for (int64_t target : {first, int64_t(512)})
      for (unsigned dim : rows)
        tile.grow(dim, isPixelLike(rows) ? target * getSeparate(dim) : 128,
                  rowBudget);
    for (unsigned dim : columns)
      tile.grow(dim, 256, budget);
    if (isPixelLike(rows))
      tile.rebalance(rows[0], rows[1], 8 * classes.counts[rows[0]],
                     readsByRows(rows[0]), hasMadeOperand(structure) ? 5 : 10);
    // What each tile fetches of the weights of all classes is most of its time.
    if (joinsClasses())
      tile.coverWithFewest(rows, 8 * classes.joined);
  }

  /// Halves the tile while multiprocessors would stay idle and each instruction
  /// keeps a few neighbours to share its operands with, unless sharing the reduction
  /// of larger tiles takes less time.
  void spread(ArrayRef<unsigned> rows, ArrayRef<unsigned> columns,
              int64_t reduction) {
    int64_t least = useMatrixUnit ? 32 : 8;
    int64_t rounds = llvm::divideCeil(reduction, kLargestStep);
    bool shares = useMatrixUnit && !structure.hasFinish() &&
                  !llvm::is_contained(roles, DimRole::Tap);
    auto getTime = [&](const TileExtents &tile) {
      return getSharing(tile, rounds, kLargestStep, rounds).time;
    };
    double bestTime = getTime(tile);
    SmallVector<unsigned> halved; // dims, in order
    size_t bestCount = 0;
    TileExtents trial = tile;
    while (trial.getNumTiles() * 4 < model.getTarget().getUnits() * 3) {
      bool shrunk = false;
      auto shrink = [&](ArrayRef<unsigned> dims) {
        for (unsigned dim : llvm::reverse(dims))
          if (!shrunk && trial.getCount(dims) > least &&
              (shrunk = trial.shrink(dim)))
            halved.push_back(dim);
      };
      bool rowsFirst = trial.getCount(rows) >= trial.getCount(columns);
      shrink(rowsFirst ? rows : columns);
      shrink(rowsFirst ? columns : rows);
      if (!shrunk)
        break;
      double time = shares ? getTime(trial) : 0;
      if (shares && time >= bestTime)
        continue;
      bestTime = time;
      bestCount = halved.size();
    }
    for (unsigned dim : ArrayRef(halved).take_front(bestCount))
      tile.shrink(dim);
  }

  /// Whether sums go over the pixels of images that are lines.
  bool sumsLines() const {
    unsigned dims = 0;
    for (auto [role, bound] : llvm::zip(roles, space.bounds))
      dims += role == DimRole::Reduction && bound > 1;
    return dims < 3;
  }

  /// Whether a parallel dim shifts the first operand along a longer reduction
  /// dim, as the taps of a weight gradient do.
  bool isShift(unsigned dim) const {
    // Of one point, over lines of pixels, it is a plain product.
    if (space.bounds[dim] == 1 && sumsLines())
      return false;
    for (AffineExpr expr : space.operands[0].map.getResults())
      if (expr.isFunctionOfDim(dim))
        for (unsigned other = 0; other < roles.size(); ++other)
          if (roles[other] == DimRole::Reduction &&
              expr.isFunctionOfDim(other) &&
              space.bounds[other] > space.bounds[dim])
            return true;
    return false;
  }

  /// Classes of a dim that an instance does not compute together.
  int64_t getSeparate(unsigned dim) const {
    bool isInnermost = dim + 1 == structure.getNumRootDims();
    return classes.counts[dim] / (isInnermost ? classes.joined : 1);
  }

  /// Takes the whole reduction as one step if its operands, the patch of the
  /// next tile among them, fit; returns how many tiles an instance then
  /// computes.
  int64_t keepReduction(ArrayRef<unsigned> rows) {
    if (!useMatrixUnit)
      return 1;
    SmallVector<int64_t> before = steps;
    int64_t room = model.getTarget().getSharedMemory() - 4 * 1024;
    unsigned numRoot = structure.getNumRootDims();
    int64_t depth = 1;
    for (unsigned dim = numRoot; dim < roles.size(); ++dim) {
      bool isTap = roles[dim] == DimRole::Tap;
      steps[dim - numRoot] =
          isTap ? space.bounds[dim]
                : std::max<int64_t>(before[dim - numRoot],
                                    llvm::PowerOf2Ceil(space.bounds[dim]));
      depth *= steps[dim - numRoot];
    }
    int64_t sums = tile.getCount() / classes.getSeparate();
    int64_t instructions = sums / 128 * (depth / residues / 8) /
                           warpsFor(sums, getSumsPerThread());
    bool wastes = false;
    for (unsigned dim = numRoot; dim < roles.size(); ++dim)
      wastes |= steps[dim - numRoot] * 7 > space.bounds[dim] * 8 &&
                steps[dim - numRoot] > before[dim - numRoot];
    int64_t instances = tile.getNumTiles() * classes.getSeparate();
    int64_t tiles = std::min(
        kMostTiles,
        instances / (kLeastInstances * model.getTarget().getUnits()));
    if (wastes || instructions > kLongestStep ||
        getShared() + getPatch() / 2 > room ||
        tiles < 2) {
      steps = before;
      return 1;
    }
    return getEvenTiles(rows, tiles);
  }

  /// At most `tiles` along the slowest dim of the grid, so that all instances
  /// take equally many.
  int64_t getEvenTiles(ArrayRef<unsigned> rows, int64_t tiles) const {
    for (unsigned dim : llvm::reverse(rows)) {
      int64_t count = llvm::divideCeil(space.bounds[dim], tile[dim]);
      if (count == 1)
        continue;
      tiles = std::min(tiles, count);
      return llvm::divideCeil(count, llvm::divideCeil(count, tiles));
    }
    return 1;
  }

  /// Whether the sums of a tile come from one step.
  bool isOneStep() const {
    if (!useMatrixUnit || residues > 1 || hasProducerContraction(structure))
      return false;
    for (unsigned dim = structure.getNumRootDims(); dim < roles.size(); ++dim)
      if (steps[dim - structure.getNumRootDims()] < space.bounds[dim])
        return false;
    return true;
  }

  /// An instance merges the states of its tiles, so that the finish reads fewer.
  void takeMergedTiles(ArrayRef<unsigned> rows, ScheduleChoice &choice) {
    constexpr int64_t mostTiles = 8, leastInstances = 4;
    int64_t tiles = std::min(
        mostTiles, tile.getNumTiles() /
                       (leastInstances * model.getTarget().getUnits()));
    if (tiles > 1)
      choice.tiles = getEvenTiles(rows, tiles);
  }

  /// Whether the sums of a tile come from one step and go into windows at once.
  bool isPooledAtOnce() const {
    if (structure.hasFinish() || !isOneStep())
      return false;
    return llvm::any_of(structure.getGranules(),
                        [](int64_t granule) { return granule > 1; });
  }

  /// Little is alive beside the sums then: four warps hold them all, and the
  /// weights of several tiles are fetched once. Fetching a tile ahead costs more
  /// than it hides (docs/performance-log.md).
  void takePooledTiles(ArrayRef<unsigned> rows, ScheduleChoice &choice) {
    constexpr int64_t mostSums = 128, mostTiles = 8, leastInstances = 16;
    int64_t tiles = std::min(
        mostTiles, tile.getNumTiles() /
                       (leastInstances * model.getTarget().getUnits()));
    if (tile.getCount() > mostSums * 4 * 32 || tiles < 2)
      return;
    choice.tiles = getEvenTiles(rows, tiles);
    choice.warps = 4;
    choice.stages = 1;
  }

  /// Whether neighbours of a row of the result come from neighbours of a row in
  /// memory, as they are: then wgmma reads the row itself (WarpgroupOperands.h).
  bool readsByRows(unsigned row) const {
    const fuse::OperandAccess &access = space.operands[0];
    AffineExpr index = access.map.getResults().back();
    return model.getTarget().getArch() == "sm_90a" && residues == 1 &&
           isa<BlockArgument>(op->getOperand(0)) &&
           getElementTypeOrSelf(op->getOperand(0).getType()).isF32() &&
           access.divisors.back() == 1 && index.isFunctionOfDim(row) &&
           getCoefficient(index, row, roles.size()) == 1;
  }

  /// Whether the contraction reads neighbours: a filter larger than one point.
  bool hasTaps() const {
    for (unsigned dim = 0; dim < roles.size(); ++dim)
      if (roles[dim] == DimRole::Tap && space.bounds[dim] > 1)
        return true;
    return false;
  }

  /// Several row dims: an image, whose columns are worth keeping contiguous.
  static bool isPixelLike(ArrayRef<unsigned> rows) { return rows.size() > 1; }

  LogicalResult chooseSteps(ArrayRef<unsigned> rows) {
    unsigned numRoot = structure.getNumRootDims();
    int64_t capacity = model.getSharedCapacity();
    while (true) {
      // Taps whole, everything else at the smallest step; then grow.
      steps.clear();
      for (unsigned dim = numRoot; dim < space.bounds.size(); ++dim)
        steps.push_back(roles[dim] == DimRole::Tap ? space.bounds[dim] : 1);
      for (unsigned dim = space.bounds.size(); dim-- > numRoot;)
        if (roles[dim] == DimRole::Reduction && space.bounds[dim] > 1 &&
            useMatrixUnit) {
          // What lies past the end multiplies as zero.
          steps[dim - numRoot] = instructionDepth;
          break;
        }
      for (unsigned dim = numRoot; dim < space.bounds.size(); ++dim)
        if (roles[dim] == DimRole::Reduction)
          steps[dim - numRoot] =
              std::lcm(steps[dim - numRoot],
                       std::max<int64_t>(1, granules[dim]));
      // Taps become a loop from the outermost on.
      for (unsigned dim = numRoot; dim <= space.bounds.size(); ++dim) {
        if (getShared() <= capacity) {
          // Two buffers of each, beside another instance.
          growSteps(useMatrixUnit && !isComputedAlone() ? capacity / 2
                                                        : capacity);
          return success();
        }
        if (dim < space.bounds.size() && roles[dim] == DimRole::Tap)
          steps[dim - numRoot] = 1;
      }
      bool shrunk = false;
      for (unsigned dim : llvm::reverse(rows))
        if ((shrunk = tile.shrink(dim)))
          break;
      for (unsigned dim = 0; !shrunk && dim < numRoot; ++dim)
        shrunk = tile.shrink(dim);
      if (!shrunk) {
        reason = "the operands of the smallest tile do not fit shared memory";
        return failure();
      }
    }
  }

  /// Plain arithmetic unrolls sums, taps and depth.
  int64_t getLongestElementStep() const {
    int64_t products = llvm::divideCeil(tile.getCount(), 8 * 32);
    for (auto [dim, step] : llvm::enumerate(steps))
      if (roles[structure.getNumRootDims() + dim] == DimRole::Tap)
        products *= step;
    return std::clamp<int64_t>(kMostProducts / products, 1, kLargestStep);
  }

  void growSteps(int64_t capacity) {
    unsigned numRoot = structure.getNumRootDims();
    // Rows that an operand is made of together come on top.
    int64_t largest = kLargestStep;
    for (unsigned dim = numRoot; dim + 1 < space.bounds.size(); ++dim)
      if (roles[dim] == DimRole::Reduction)
        largest *= std::max<int64_t>(1, granules[dim]);
    if (!useMatrixUnit)
      largest = getLongestElementStep();
    // Few sums leave little to do between two barriers: pairs of rows.
    int64_t rows = largest;
    if (useMatrixUnit && isShifted() && rows == kLargestStep &&
        tile.getCount() * 8 <= kShiftedSums)
      rows *= 2;
    bool isInnermost = true;
    for (unsigned dim = space.bounds.size(); dim-- > numRoot;) {
      if (roles[dim] != DimRole::Reduction)
        continue;
      int64_t &step = steps[dim - numRoot];
      if (!std::exchange(isInnermost, false) && rows > largest &&
          space.bounds[dim] % 2 == 0)
        largest = rows;
      while (getDepth() * 2 <= largest && step < space.bounds[dim]) {
        int64_t before = step;
        step = useMatrixUnit ? step * 2
                             : std::min(step * 2, space.bounds[dim]);
        if (getShared() > capacity || getMade() > kMostMade ||
            getComputed() > kMostComputed * 32 * getUsualWarps()) {
          step = before;
          break;
        }
      }
    }
  }

  /// Elements that one step makes of operands, where more than pointwise ops
  /// make them.
  int64_t getMade() {
    if (!hasMadeOperand(structure) && !hasProducerContraction(structure))
      return 0;
    return std::max(getElements(0), getElements(1));
  }

  /// Elements that pointwise ops compute for taps in one step.
  int64_t getComputed() {
    bool isAny =
        isComputed() && hasTaps() && !hasProducerContraction(structure);
    return isAny ? getElements(0) : 0;
  }

  /// Elements of an operand that one step reads.
  int64_t getElements(unsigned operand) {
    SmallVector<int64_t> block(tile.get());
    block.append(steps.begin(), steps.end());
    auto type = cast<RankedTensorType>(op->getOperand(operand).getType());
    int64_t elements = 1;
    for (int64_t extent :
         getFootprint(space.operands[operand], block, type.getShape()))
      elements *= extent;
    return elements;
  }

  /// Warps before what is alone or shares weights changes them.
  int64_t getUsualWarps() {
    if (isComputedAlone())
      return 16;
    return std::max<int64_t>(
        warpsFor(tile.getCount() / classes.getSeparate(), getSumsPerThread()),
        useMatrixUnit ? 4 : 1);
  }

  /// Accumulators of a thread; fewer where residue classes, unrolled, keep
  /// addresses of their own, and in thin tiles.
  int64_t getSumsPerThread() const {
    if (!useMatrixUnit)
      return 8;
    // A block that is made of others passes through registers, too.
    if (hasMadeOperand(structure))
      return 32;
    bool isThin = tile.getCount(withRole(roles, DimRole::Rhs)) < kFewColumns;
    return isThin || (residues > 1 && !classes.areInstances) ? 32 : 64;
  }

  /// Terms that one step adds to each sum, taps aside.
  int64_t getDepth() const {
    int64_t depth = 1;
    for (auto [dim, step] : llvm::enumerate(steps))
      if (roles[structure.getNumRootDims() + dim] == DimRole::Reduction)
        depth *= step;
    return depth;
  }

  /// Bytes of the first operand in one step.
  int64_t getPatch() {
    SmallVector<int64_t> block(tile.get());
    block.append(steps.begin(), steps.end());
    return model.getTileCost(op, block).operandBytes.front();
  }

  int64_t getShared() {
    SmallVector<int64_t> block(tile.get());
    block.append(steps.begin(), steps.end());
    TileCost cost = model.getTileCost(op, block);
    // What each of the classes that one product makes has of its own.
    int64_t bytes = cost.sharedBytes;
    for (auto [access, own] : llvm::zip(space.operands, cost.operandBytes))
      if (!access.map.isFunctionOfDim(structure.getNumRootDims() - 1))
        bytes += (classes.joined - 1) * own;
    return bytes;
  }

  const fuse::KernelStructure &structure;
  const CostModel &model;
  std::string &reason;
  fuse::ContractionOpInterface op;
  fuse::IterationSpace space;
  SmallVector<DimRole> roles;
  SmallVector<int64_t> granules;
  TileExtents tile;
  SmallVector<int64_t> steps;
  bool useMatrixUnit = false;
  int64_t instructionDepth = 8;
  ResidueClasses classes;
  int64_t residues;
};

/// Kernels with one. Where sums cross tiles, an instance of many tiles, which keeps
/// the weights of one class, stores few partial states: that is worth as much as
/// whole rows.
LogicalResult scheduleContraction(const fuse::KernelStructure &structure,
                                  const CostModel &model, std::string &reason,
                                  SmallVectorImpl<int64_t> &block,
                                  ScheduleChoice &choice) {
  ContractionSchedule schedule(structure, model, reason, /*joins=*/true);
  if (schedule.joinsClasses() && structure.hasFinish()) {
    SmallVector<int64_t> apart;
    ScheduleChoice kept;
    ContractionSchedule separate(structure, model, reason, /*joins=*/false);
    if (succeeded(separate.run(apart, kept)) && kept.tiles > 1) {
      block = apart;
      choice = kept;
      return success();
    }
  }
  return schedule.run(block, choice);
}

} // namespace

FailureOr<fuse::ScheduleAttr>
tilefuse::chooseGPUSchedule(const fuse::KernelStructure &structure,
                            const CostModel &model, std::string &reason) {
  SmallVector<int64_t> block;
  ScheduleChoice choice;
  Operation *anchor = structure.getAnchor();
  bool contracts = anchor && isa<fuse::ContractionOpInterface>(anchor);
  if (failed(contracts
                 ? scheduleContraction(structure, model, reason, block, choice)
                 : scheduleElements(structure, model, reason, block, choice)))
    return failure();
  if (contracts && choice.mma == fuse::MmaKind::mma_sync)
    if (auto skewed = chooseSkewedSchedule(structure, model, block)) {
      block = skewed->block;
      choice = {skewed->warps, 2, 1, skewed->splits, fuse::MmaKind::wgmma};
    }
  return fuse::ScheduleAttr::get(model.getTarget().getContext(), block,
                                 choice.warps, contracts ? choice.stages : 1,
                                 /*cluster=*/1, choice.mma,
                                 choice.splits, choice.tiles);
}
