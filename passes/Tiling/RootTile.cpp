//===- RootTile.cpp - how the root of a stage is cut into tiles -*- C++ -*-===//
//
// The root dims are the parallel dims of the op that defines the root, when its
// iterations are more than its result's dims, and else simply the dims of the
// root value.
//
//===----------------------------------------------------------------------===//

#include "passes/Tiling/RootTile.h"
#include "dialects/Fuse/KernelStructure.h"
#include "passes/Tiling/ContractionRoles.h"
#include "passes/Tiling/JoinClasses.h"
#include "passes/Tiling/ResidueSplitting.h"
#include "passes/Tiling/SkewReduction.h"

using namespace mlir;
using namespace tilefuse;

namespace {

/// Whether result dim p is iteration dim p.
static bool isInPlace(const SpaceForm &form) {
  const AccessForm &result = form.results.front();
  for (auto [position, dimForm] : llvm::enumerate(result.dims))
    if (!dimForm || dimForm->constant != 0 ||
        dimForm->getDims() != SmallVector<unsigned>{unsigned(position)})
      return false;
  return result.dims.size() == form.getNumDims();
}

/// Elements of a tile when no schedule says more.
constexpr int64_t defaultTile = 4096;
/// Accumulators of a tile, at most, on a GPU and on the CPU.
constexpr int64_t mostTaps = 256, mostTapsCPU = 64;

class RootTiler {
public:
  RootTiler(fuse::KernelOp kernel, Value root, const SpaceForms &forms,
            bool scheduled, bool withClasses, bool powersOfTwo)
      : kernel(kernel), root(root), withClasses(withClasses),
        powersOfTwo(powersOfTwo) {
    Operation *op = root.getDefiningOp();
    auto it = forms.find(op);
    if (op && it != forms.end() &&
        isa<fuse::ContractionOpInterface, fuse::ReductionOpInterface>(op) &&
        (!scheduled || op == kernel.getAnchor()))
      form = it->second.get();
    // Not whether its tiles are cut, but what they are cut into if they are.
    divided = form;
    if (op && it != forms.end() && isa<fuse::PointwiseOpInterface>(op) &&
        isInPlace(*it->second))
      divided = it->second.get();
    if (form) {
      unsigned numParallel = form->space.getNumParallel();
      bounds.assign(form->space.bounds.begin(),
                    form->space.bounds.begin() + numParallel);
    } else {
      bounds = llvm::to_vector(cast<ShapedType>(root.getType()).getShape());
    }
    chooseBlock(scheduled);
    fitTaps();
    chooseClasses();
  }

  RootTile run();

private:
  void chooseBlock(bool scheduled);
  void chooseClasses();
  void fitGroups();
  SmallVector<bool> getParallelTaps() const;
  void fitTaps();
  bool isSharable(unsigned dim) const;
  bool keepsWeights() const;
  bool isJoined(unsigned dim, int64_t extent) const;
  void findLongestFolded();
  SmallVector<unsigned> getGridOrder() const;
  void addSlices(RootTile &tile, ArrayRef<SliceDim> parallel) const;

  fuse::KernelOp kernel;
  Value root;
  bool withClasses, powersOfTwo;
  /// Tiles that one instance computes.
  int64_t tiles = 1;
  const SpaceForm *form = nullptr, *divided = nullptr;
  SmallVector<int64_t> bounds, block;
  /// Residue classes per dim, and whether the grid runs over them.
  SmallVector<int64_t> residues;
  SmallVector<bool> isRuntime;
  std::optional<unsigned> longestFolded;
};

void RootTiler::chooseBlock(bool scheduled) {
  std::optional<fuse::ScheduleAttr> schedule = kernel.getSchedule();
  if (scheduled && schedule && schedule->getBlock().size() >= bounds.size()) {
    // Taken as it is: a tile may end behind the last element, in whole windows.
    block.assign(schedule->getBlock().begin(),
                 schedule->getBlock().begin() + bounds.size());
    tiles = schedule->getTiles();
    if (!form && tiles > 1)
      findLongestFolded();
  } else {
    block.assign(bounds.size(), 1);
    int64_t room = defaultTile;
    for (unsigned dim = bounds.size(); dim-- > 0;) {
      block[dim] = std::min(bounds[dim], room);
      if (powersOfTwo)
        block[dim] = std::min<int64_t>(llvm::PowerOf2Ceil(bounds[dim]), room);
      room = std::max<int64_t>(1, llvm::bit_floor(uint64_t(room / block[dim])));
    }
  }
  if (form)
    fitGroups();
}

/// Classes are laid out one by one where they are few. Else the grid runs over
/// those of the dims that have most of them, which leaves an instance few
/// elements there, and more of the other dims.
void RootTiler::chooseClasses() {
  residues.assign(bounds.size(), 1);
  isRuntime.assign(bounds.size(), false);
  if (!divided || !withClasses)
    return;
  auto getNumClasses = [&] {
    int64_t classes = 1;
    for (unsigned dim = 0; dim < bounds.size(); ++dim)
      if (!isRuntime[dim])
        classes *= std::min(residues[dim], bounds[dim]);
    return classes;
  };
  for (unsigned dim = 0; dim < bounds.size(); ++dim)
    residues[dim] = getNumResidues(*divided, dim);
  int64_t room = 1;
  while (getNumClasses() > mostClasses) {
    unsigned most = 0;
    for (unsigned dim = 1; dim < bounds.size(); ++dim)
      if (isRuntime[most] || (!isRuntime[dim] && residues[dim] > residues[most]))
        most = dim;
    isRuntime[most] = true;
    room *= std::min(block[most], residues[most]);
  }
  if (!form && room == 1)
    residues.assign(bounds.size(), 1); // put together within the tile
  if (isa_and_nonnull<fuse::ContractionOpInterface>(root.getDefiningOp()))
    return;
  for (unsigned dim = bounds.size(); dim-- > 0;)
    while (residues[dim] == 1 && block[dim] < bounds[dim] && room > 1) {
      block[dim] *= 2;
      room /= 2;
    }
}

/// Result dims made of a group and a channel in it: a tile stays in one group,
/// or takes whole groups.
void RootTiler::fitGroups() {
  for (const AccessForm &access : form->results)
    for (const auto &dimForm : access.dims) {
      if (!dimForm || dimForm->getDims().size() != 2)
        continue;
      SmallVector<unsigned> dims = dimForm->getDims();
      unsigned outer = dims[0], inner = dims[1];
      if (dimForm->coefficients[outer] < dimForm->coefficients[inner])
        std::swap(outer, inner);
      while (bounds[inner] % block[inner] != 0 ||
             (powersOfTwo && !llvm::isPowerOf2_64(block[inner])))
        --block[inner];
      if (block[inner] != bounds[inner])
        block[outer] = 1;
    }
}

SmallVector<bool> RootTiler::getParallelTaps() const {
  Operation *op = root.getDefiningOp();
  if (!form || !isa<fuse::ContractionOpInterface>(op))
    return SmallVector<bool>(bounds.size(), false);
  SpaceForm tiled = getTiledForm(kernel, op, *form);
  return tilefuse::getParallelTaps(
      tiled, block, getReductionSteps(kernel, op, tiled, powersOfTwo));
}

/// Each parallel tap of a tile has an accumulator of its own. A weight gradient
/// has few; a convolution has as many as outputs where its filter is larger. A
/// schedule given as text may ask for more than there are.
void RootTiler::fitTaps() {
  SmallVector<bool> given = getParallelTaps();
  for (unsigned dim = 0; dim < bounds.size(); ++dim)
    if (given[dim] && block[dim] > int64_t(llvm::PowerOf2Ceil(bounds[dim])))
      block[dim] = bounds[dim];
  int64_t most = powersOfTwo ? mostTaps : mostTapsCPU;
  while (true) {
    SmallVector<bool> taps = getParallelTaps();
    int64_t accumulators = 1;
    unsigned longest = 0;
    for (unsigned dim = 0; dim < bounds.size(); ++dim) {
      if (!taps[dim])
        continue;
      accumulators *= block[dim];
      if (!taps[longest] || block[dim] > block[longest])
        longest = dim;
    }
    if (accumulators <= most)
      return;
    block[longest] = llvm::divideCeil(block[longest], 2);
  }
}

/// Slowest first. Dims that the largest operand lacks run fastest: instances
/// that follow each other then read the same part of it.
SmallVector<unsigned> RootTiler::getGridOrder() const {
  auto order = llvm::to_vector(llvm::seq<unsigned>(0, bounds.size()));
  if (!form)
    return order;
  const AccessForm *largest = nullptr;
  int64_t largestSize = -1;
  for (const AccessForm &access : form->operands) {
    int64_t size = 1;
    for (int64_t extent : access.shape)
      size *= extent;
    if (size > largestSize) {
      largest = &access;
      largestSize = size;
    }
  }
  if (!largest)
    return order;
  auto isShared = [&](unsigned dim) {
    return llvm::none_of(largest->dims, [&](const auto &dimForm) {
      return dimForm && dimForm->coefficients[dim] != 0;
    });
  };
  llvm::sort(order, [&](unsigned lhs, unsigned rhs) {
    return isShared(lhs) != isShared(rhs) ? !isShared(lhs) : lhs < rhs;
  });
  return order;
}

/// Whether tiles that follow each other along `dim` read the same part of some
/// operand.
bool RootTiler::isSharable(unsigned dim) const {
  if (!form)
    return dim == longestFolded;
  return llvm::any_of(form->operands, [&](const AccessForm &access) {
    return llvm::none_of(access.dims, [&](const auto &dimForm) {
      return dimForm && dimForm->coefficients[dim] != 0;
    });
  });
}

/// Whether the weights of a tile are kept for others: its steps take the whole
/// reduction.
bool RootTiler::keepsWeights() const {
  if (tiles == 1)
    return false;
  unsigned dim = bounds.size();
  for (int64_t step : getReductionSteps(kernel, root.getDefiningOp(), *form,
                                        powersOfTwo))
    if (step < form->getBound(dim++))
      return false;
  return true;
}

/// Whether a product of a matrix unit has all classes of `dim` in a tile of `extent`:
/// what lies side by side in memory is stored together. Not where that takes one more
/// tile, or where the weights of one class are kept.
bool RootTiler::isJoined(unsigned dim, int64_t extent) const {
  fuse::KernelOp owner = kernel;
  std::optional<fuse::ScheduleAttr> schedule = owner.getSchedule();
  return schedule && schedule->getMma() != fuse::MmaKind::fma &&
         root.getDefiningOp() == owner.getAnchor() &&
         dim + 1 == bounds.size() && !keepsWeights() &&
         canJoinClasses(*form, dim) &&
         llvm::divideCeil(bounds[dim] - getJoinedStart(*form, dim), extent) ==
             llvm::divideCeil(bounds[dim], extent);
}

/// Of the dims that every reduction across tiles folds, the one with most tiles:
/// an instance that goes along it keeps the states.
void RootTiler::findLongestFolded() {
  std::string reason;
  FailureOr<fuse::KernelStructure> structure =
      fuse::KernelStructure::analyze(kernel, reason);
  if (failed(structure) || structure->getRootValue() != root)
    return;
  int64_t most = 1;
  for (unsigned dim = 0; dim < bounds.size(); ++dim) {
    int64_t count = llvm::divideCeil(bounds[dim], block[dim]);
    if (!structure->getCrossReduced()[dim] || count <= most)
      continue;
    most = count;
    longestFolded = dim;
  }
}

void RootTiler::addSlices(RootTile &tile, ArrayRef<SliceDim> parallel) const {
  auto &slices = tile.classes.emplace_back();
  if (!form) {
    slices[root] = Slice(parallel);
    return;
  }
  Slice iterations(parallel);
  iterations.resize(form->getNumDims());
  Operation *op = root.getDefiningOp();
  for (auto [index, result] : llvm::enumerate(op->getResults()))
    if (auto touched = getTouched(form->results[index], iterations))
      slices[result] = touched->slice;
}

RootTile RootTiler::run() {
  RootTile tile;
  // Classes per dim: a slice within the tile, and how many there are.
  SmallVector<SmallVector<SliceDim>> choices(bounds.size());
  SmallVector<bool> taps(bounds.size(), false);
  if (withClasses)
    taps = getParallelTaps();
  Slice whole(bounds.size());
  bool primes = false;
  SmallVector<unsigned> residueVars;
  std::optional<unsigned> repeated;
  for (unsigned dim : getGridOrder()) {
    int64_t residues = this->residues[dim];
    // A dim shorter than its divisor has fewer classes.
    int64_t extent = block[dim], piece = extent;
    if (residues > 1) {
      piece = llvm::divideCeil(extent, residues);
      if (powersOfTwo)
        piece =
            llvm::bit_floor(uint64_t(std::max<int64_t>(1, extent / residues)));
      extent = piece * residues;
    }
    int64_t count = llvm::divideCeil(bounds[dim], extent), stride = extent;
    if (tiles > 1 && !repeated && count > 1 && isSharable(dim)) {
      repeated = dim;
      tiles = std::min(tiles, count);
      count = llvm::divideCeil(count, tiles);
      stride *= tiles;
    }
    unsigned var = tile.vars.add(count);
    tile.grid.push_back(var);
    Coord base = count == 1 ? Coord(0) : Coord::ofVar(var, stride);
    whole[dim] = {base, extent, 1};
    std::optional<ResidueTap> tap;
    if (residues > 1 && powersOfTwo && bounds[dim] >= residues &&
        isa<fuse::ContractionOpInterface>(root.getDefiningOp()))
      tap = getResidueTap(*form, dim);
    if (tap && isJoined(dim, extent)) {
      choices[dim].push_back(
          {base + Coord(getJoinedStart(*form, dim)), extent, 1});
    } else if (tap) {
      // Instances of one region and different classes follow each other: what
      // they store is interleaved.
      unsigned residue = tile.vars.add(residues);
      residueVars.push_back(residue);
      Coord position = getCommonStart(tile.vars, residue, *tap);
      int64_t span = bounds[dim] - position.getMin(tile.vars);
      // Not where that takes one more tile.
      if (llvm::divideCeil(span, extent) > llvm::divideCeil(bounds[dim], extent))
        position = addResidueClass(tile.vars, residue, *tap);
      choices[dim].push_back({base + position, piece, residues});
    } else if (isRuntime[dim]) {
      unsigned residue = tile.vars.add(std::min(residues, bounds[dim]));
      residueVars.push_back(residue);
      choices[dim].push_back({base + Coord::ofVar(residue, 1), piece, residues});
    } else if (residues > 1) {
      for (int64_t residue = 0; residue < std::min(residues, bounds[dim]);
           ++residue)
        choices[dim].push_back({base + Coord(residue), piece, residues});
    } else if (taps[dim]) {
      primes = true;
      for (int64_t tap = 0; tap < extent; ++tap)
        choices[dim].push_back({base + Coord(tap), 1, 1});
    } else {
      choices[dim].push_back(whole[dim]);
    }
  }
  llvm::append_range(tile.grid, residueVars);
  if (repeated) {
    // The last variable: what does not depend on it is computed before its loop.
    tile.repeat = tile.vars.add(tiles);
    Coord step = Coord::ofVar(*tile.repeat, whole[*repeated].extent);
    whole[*repeated].base = whole[*repeated].base + step;
    for (SliceDim &option : choices[*repeated])
      option.base = option.base + step;
  }
  SmallVector<Slice> slices{{}};
  for (const auto &options : choices) {
    SmallVector<Slice> longer;
    for (const Slice &slice : slices)
      for (const SliceDim &option : options) {
        longer.push_back(slice);
        longer.back().push_back(option);
      }
    slices = std::move(longer);
  }
  for (const Slice &slice : slices)
    addSlices(tile, slice);
  if (primes) {
    RootTile all;
    addSlices(all, whole);
    tile.primed = root;
    tile.primedSlice = all.classes.front().lookup(root);
  }
  return tile;
}

} // namespace

RootTile tilefuse::makeRootTile(fuse::KernelOp kernel, Value root,
                                const SpaceForms &forms, bool scheduled,
                                bool withClasses, bool powersOfTwo) {
  return RootTiler(kernel, root, forms, scheduled, withClasses, powersOfTwo)
      .run();
}
