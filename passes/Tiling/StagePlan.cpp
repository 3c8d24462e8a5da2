//===- StagePlan.cpp - the functions a kernel becomes -----------*- C++ -*-===//

#include "passes/Tiling/StagePlan.h"
#include "dialects/Fuse/KernelStructure.h"
#include "passes/Tiling/ContractionRoles.h"
#include "passes/Tiling/ReshapeTiling.h"
#include "passes/Tiling/RootTile.h"
#include "passes/Tiling/TilePropagation.h"

using namespace mlir;
using namespace tilefuse;

namespace {

class StagePlanner {
public:
  StagePlanner(fuse::KernelOp kernel, bool powersOfTwo)
      : kernel(kernel), powersOfTwo(powersOfTwo), forms(getSpaceForms(kernel)) {
  }

  FailureOr<std::vector<StagePlan>> run();
  FailureOr<std::vector<StagePlan>> runSeparately();

private:
  void planFromRoot(Value root, bool isMain);
  LogicalResult planPending(Value root, bool isMain);
  void planAlias(Operation *op);
  void planSplit(StagePlan plan,
                 ArrayRef<std::pair<unsigned, int64_t>> dims);
  StagePlan makeMergeTile(ArrayRef<int64_t> kept, int64_t room, Slice &points,
                          const llvm::SmallBitVector &whole);
  llvm::SmallBitVector getFolded(Operation *anchor);
  int64_t getSplitRoom(ArrayRef<int64_t> kept, int64_t splits) const;
  int64_t getFinishRoom(ArrayRef<int64_t> kept) const;
  void planFinish(ArrayRef<CrossReduction> crosses);
  bool isStoredOnce(const StagePlan &plan, Value value) const;
  bool isVisitedOnce(const StagePlan &plan, ArrayRef<Slice> parts) const;
  void takeStores(StagePlan &plan);
  SmallVector<Value> takeConstants();
  LogicalResult planFills(ArrayRef<Value> fills);
  SmallVector<CrossReduction>
  getCrosses(const StagePlan &plan,
             ArrayRef<SmallVector<PartialReduction>> parts) const;
  bool isNeeded(Operation *op) const;
  void add(StagePlan plan);
  const SpaceForm &formOf(Operation *op) const { return *forms.at(op); }

  fuse::KernelOp kernel;
  bool powersOfTwo;
  SpaceForms forms;
  /// Values in memory: arguments, and what earlier stages stored.
  llvm::DenseSet<Value> available;
  /// Results not stored yet, in order.
  SmallVector<Value> pending;
  std::vector<StagePlan> stages;
};

static bool isConstant(Value value) {
  Operation *def = value.getDefiningOp();
  return def && def->hasTrait<OpTrait::ConstantLike>();
}

/// Whether a result that is still missing depends on `op`.
bool StagePlanner::isNeeded(Operation *op) const {
  SmallVector<Operation *> work;
  llvm::DenseSet<Operation *> seen;
  auto visit = [&](Value value) {
    Operation *def = value.getDefiningOp();
    if (def && !available.contains(value) && seen.insert(def).second)
      work.push_back(def);
  };
  for (Value value : pending)
    visit(value);
  while (!work.empty()) {
    Operation *next = work.pop_back_val();
    if (next == op)
      return true;
    for (Value operand : next->getOperands())
      visit(operand);
  }
  return false;
}

/// Whether each element of `value` lies in the tile of one instance only.
bool StagePlanner::isStoredOnce(const StagePlan &plan, Value value) const {
  for (const auto &slices : plan.classes) {
    auto it = slices.find(value);
    if (it == slices.end())
      return false;
    for (unsigned var : plan.getTileVars())
      if (plan.vars.getCount(var) > 1 &&
          llvm::none_of(it->second, [&](const SliceDim &part) {
            return part.base.dependsOn(var);
          }))
        return false;
  }
  return true;
}

/// Whether no two instances hold the same part of a reduction.
bool StagePlanner::isVisitedOnce(const StagePlan &plan,
                                 ArrayRef<Slice> parts) const {
  return llvm::all_of(plan.getTileVars(), [&](unsigned var) {
    return plan.vars.getCount(var) == 1 ||
           llvm::all_of(parts, [&](const Slice &part) {
             return llvm::any_of(part, [&](const SliceDim &dim) {
               return dim.base.dependsOn(var);
             });
           });
  });
}

void StagePlanner::takeStores(StagePlan &plan) {
  for (Value value : pending)
    if (isStoredOnce(plan, value))
      plan.stores.push_back(value);
  llvm::erase_if(pending, [&](Value value) {
    return llvm::is_contained(plan.stores, value);
  });
}

/// Reductions that every class holds a part of, with their place in memory.
SmallVector<CrossReduction>
StagePlanner::getCrosses(const StagePlan &plan,
                         ArrayRef<SmallVector<PartialReduction>> parts) const {
  SmallVector<CrossReduction> crosses;
  for (const PartialReduction &first : parts.front()) {
    if (!isNeeded(first.op))
      continue;
    CrossReduction cross;
    cross.op = first.op;
    for (const auto &ofClass : parts)
      for (const PartialReduction &part : ofClass)
        if (part.op == first.op)
          cross.parts.push_back(part.iterations);
    if (cross.parts.size() != parts.size())
      continue;
    if (!isVisitedOnce(plan, cross.parts))
      continue;
    // The slot counts the grid variables that the kept dims do not use.
    const SpaceForm &form = formOf(first.op);
    auto keeps = [&](unsigned var) {
      return llvm::any_of(llvm::enumerate(cross.parts.front()),
                          [&](const auto &entry) {
                            return !form.isReduction(entry.index()) &&
                                   entry.value().base.dependsOn(var);
                          });
    };
    for (unsigned var : plan.grid) {
      if (keeps(var))
        continue;
      cross.slot = cross.slot * plan.vars.getCount(var) + Coord::ofVar(var, 1);
      cross.slots *= plan.vars.getCount(var);
    }
    cross.isCarried = plan.repeat && !keeps(*plan.repeat);
    crosses.push_back(std::move(cross));
  }
  return crosses;
}

void StagePlanner::add(StagePlan plan) {
  available.insert(plan.stores.begin(), plan.stores.end());
  stages.push_back(std::move(plan));
}

/// One stage whose tiles are tiles of `root`, and what it leaves to finish.
void StagePlanner::planFromRoot(Value root, bool isMain) {
  // First with the tile cut into classes; in one piece if that determines less.
  StagePlan best;
  SmallVector<CrossReduction> bestCrosses;
  unsigned bestStores = 0;
  bool found = false;
  for (bool withClasses : {true, false}) {
    RootTile tile =
        makeRootTile(kernel, root, forms, isMain, withClasses, powersOfTwo);
    if (!withClasses && tile.classes.size() == 1 && found)
      break;
    StagePlan plan;
    plan.vars = tile.vars;
    plan.grid = tile.grid;
    plan.repeat = tile.repeat;
    plan.classes = tile.classes;
    plan.primed = tile.primed;
    plan.primedSlice = tile.primedSlice;
    SmallVector<SmallVector<PartialReduction>> parts;
    for (auto &slices : plan.classes) {
      parts.push_back(
          propagateRoot(kernel, forms, root, plan.vars, available, slices));
    }
    SmallVector<CrossReduction> crosses = getCrosses(plan, parts);
    unsigned stores = llvm::count_if(
        pending, [&](Value value) { return isStoredOnce(plan, value); });
    bool better = !found || stores > bestStores ||
                  (stores == bestStores && crosses.size() < bestCrosses.size());
    if (better) {
      best = std::move(plan);
      bestCrosses = std::move(crosses);
      bestStores = stores;
      found = true;
    }
  }
  Operation *anchor = root.getDefiningOp();
  if (isMain && kernel.getSchedule() && kernel.getSchedule()->getSplits() > 1 &&
      isa_and_nonnull<fuse::ContractionOpInterface>(anchor) &&
      bestCrosses.empty() && bestStores > 0) {
    const SpaceForm &form = formOf(anchor);
    ArrayRef<int64_t> block = kernel.getSchedule()->getBlock();
    auto dims = getSplitDims(
        form, block.take_front(form.space.getNumParallel()),
        getReductionSteps(kernel, anchor, form, powersOfTwo),
        kernel.getSchedule()->getSplits());
    if (!dims.empty())
      return planSplit(std::move(best), dims);
  }
  takeStores(best);
  llvm::erase_if(bestCrosses, [&](const CrossReduction &cross) {
    return !isNeeded(cross.op);
  });
  best.crosses = bestCrosses;
  if (best.stores.empty() && best.crosses.empty())
    return;
  add(std::move(best));
  if (!bestCrosses.empty())
    planFinish(bestCrosses);
}

/// The root's reduction shared by several instances: the tiles as planned
/// become the second stage, which starts from partial sums.
void StagePlanner::planSplit(StagePlan plan,
                             ArrayRef<std::pair<unsigned, int64_t>> dims) {
  Operation *anchor = kernel.getAnchor();
  Value root = anchor->getResult(0);
  int64_t splits = 1;
  StagePlan sums;
  sums.vars = plan.vars;
  sums.grid = plan.grid;
  sums.repeat = plan.repeat;
  sums.classes = plan.classes;
  sums.primed = plan.primed;
  sums.primedSlice = plan.primedSlice;
  CrossReduction cross;
  cross.op = anchor;
  cross.slot = Coord(0);
  sums.split.emplace(anchor, SmallVector<SplitRange, 2>());
  SmallVector<unsigned> vars;
  for (auto [dim, parts] : dims) {
    vars.push_back(sums.vars.add(parts));
    sums.split->second.push_back({vars.back(), parts, dim});
    cross.slot = cross.slot * parts + Coord::ofVar(vars.back(), 1);
    splits *= parts;
  }
  sums.grid.insert(sums.grid.begin(), vars.begin(), vars.end());
  cross.slots = splits;
  for (auto &slices : plan.classes)
    cross.parts.push_back(slices.lookup(root));
  sums.crosses.push_back(std::move(cross));
  add(std::move(sums));
  plan.primed = {};
  // Small tiles keep the finish's grid wide, where they determine as much.
  const SpaceForm &form = formOf(anchor);
  Slice points;
  ArrayRef<int64_t> kept =
      ArrayRef(form.space.bounds).take_front(form.space.getNumParallel());
  StagePlan small = makeMergeTile(kept, getSplitRoom(kept, splits), points,
                                  getFolded(anchor));
  auto &slices = small.classes.emplace_back();
  points.resize(form.getNumDims());
  if (auto touched = getTouched(form.results[0], points)) {
    slices[root] = touched->slice;
    propagateForward(kernel, forms, small.vars, available, slices);
    auto countStores = [&](StagePlan &stage) {
      return llvm::count_if(
          pending, [&](Value value) { return isStoredOnce(stage, value); });
    };
    if (countStores(small) >= countStores(plan))
      plan = std::move(small);
  }
  plan.merges.push_back(anchor);
  plan.isFinish = true;
  takeStores(plan);
  add(std::move(plan));
}

/// Parallel dims of the anchor that a reduction of the kernel folds: a tile
/// that held a part of one would compute the rest again.
llvm::SmallBitVector StagePlanner::getFolded(Operation *anchor) {
  const SpaceForm &kept = formOf(anchor);
  const AccessForm &result = kept.results[0];
  llvm::SmallBitVector folded(kept.space.getNumParallel());
  for (Operation &op : kernel.getBody().front()) {
    if (&op == anchor || !isa<fuse::ReductionOpInterface>(op))
      continue;
    const SpaceForm &form = formOf(&op);
    for (const AccessForm &access : form.operands) {
      if (ArrayRef(access.shape) != ArrayRef(result.shape))
        continue;
      for (auto [dimForm, resultForm] : llvm::zip(access.dims, result.dims)) {
        if (!dimForm || !resultForm ||
            llvm::none_of(dimForm->getDims(),
                          [&](unsigned dim) { return form.isReduction(dim); }))
          continue;
        for (unsigned dim : resultForm->getDims())
          if (dim < folded.size())
            folded.set(dim);
      }
    }
  }
  return folded;
}

/// Elements of a result that one instance sums over `splits` parts: few enough
/// for a wide grid and for a thread's registers.
int64_t StagePlanner::getSplitRoom(ArrayRef<int64_t> kept,
                                   int64_t splits) const {
  constexpr int64_t manyInstances = 1024, least = 32, most = 1024;
  constexpr int64_t mostPartials = 8192;
  if (!powersOfTwo)
    return 256;
  int64_t room = std::min(ShapedType::getNumElements(kept) / manyInstances,
                          mostPartials / splits);
  return llvm::bit_floor(uint64_t(std::clamp(room, least, most)));
}

/// A plan without values whose tiles hold up to `room` of the `kept` points,
/// the innermost first. Dims in `whole` are not cut.
StagePlan StagePlanner::makeMergeTile(ArrayRef<int64_t> kept, int64_t room,
                                      Slice &points,
                                      const llvm::SmallBitVector &whole) {
  StagePlan plan;
  points.resize(kept.size());
  auto getWhole = [&](unsigned dim) {
    return powersOfTwo ? int64_t(llvm::PowerOf2Ceil(kept[dim])) : kept[dim];
  };
  auto take = [&](int64_t extent) {
    room = std::max<int64_t>(1, room / extent);
    if (powersOfTwo)
      room = llvm::bit_floor(uint64_t(room));
  };
  for (unsigned dim : whole.set_bits())
    take(getWhole(dim));
  for (unsigned dim = kept.size(); dim-- > 0;) {
    int64_t extent = getWhole(dim);
    if (!whole.test(dim)) {
      extent = std::min(extent, room);
      take(extent);
    }
    unsigned var = plan.vars.add(llvm::divideCeil(kept[dim], extent));
    plan.grid.insert(plan.grid.begin(), var);
    Coord base =
        plan.vars.getCount(var) == 1 ? Coord(0) : Coord::ofVar(var, extent);
    points[dim] = {base, extent, 1};
  }
  return plan;
}

/// Elements of what is kept that one instance of a finish merges: few enough
/// that the merges of a small result run side by side on a GPU.
int64_t StagePlanner::getFinishRoom(ArrayRef<int64_t> kept) const {
  constexpr int64_t fewInstances = 64, most = 16;
  if (!powersOfTwo)
    return 64;
  return llvm::bit_floor(uint64_t(std::clamp<int64_t>(
      ShapedType::getNumElements(kept) / fewInstances, 1, most)));
}

/// Stages that merge partial states, one per shape of what is kept.
void StagePlanner::planFinish(ArrayRef<CrossReduction> crosses) {
  SmallVector<CrossReduction> rest(crosses);
  std::vector<StagePlan> finishes;
  while (!rest.empty()) {
    auto boundsOf = [&](Operation *op) {
      const SpaceForm &other = formOf(op);
      return ArrayRef(other.space.bounds)
          .take_front(other.space.getNumParallel());
    };
    ArrayRef<int64_t> kept = boundsOf(rest.front().op);
    Slice points;
    StagePlan plan = makeMergeTile(kept, getFinishRoom(kept), points,
                                   llvm::SmallBitVector(kept.size()));
    plan.isFinish = true;
    auto &slices = plan.classes.emplace_back();
    SmallVector<CrossReduction> others;
    for (const CrossReduction &cross : rest) {
      if (boundsOf(cross.op) != kept) {
        others.push_back(cross);
        continue;
      }
      plan.merges.push_back(cross.op);
      const SpaceForm &crossForm = formOf(cross.op);
      Slice iterations = points;
      iterations.resize(crossForm.getNumDims());
      for (auto [index, result] : llvm::enumerate(cross.op->getResults()))
        if (auto touched = getTouched(crossForm.results[index], iterations))
          slices[result] = touched->slice;
    }
    propagateForward(kernel, forms, plan.vars, available, slices);
    takeStores(plan);
    finishes.push_back(std::move(plan));
    rest = std::move(others);
  }
  // Whatever needs merged values elsewhere finds them in memory.
  for (StagePlan &plan : finishes) {
    for (Operation *op : plan.merges)
      for (Value result : op->getResults())
        if (!pending.empty() && isNeeded(op) &&
            !llvm::is_contained(plan.stores, result))
          plan.stores.push_back(result);
    add(std::move(plan));
  }
}

FailureOr<std::vector<StagePlan>> StagePlanner::run() {
  Block &body = kernel.getBody().front();
  available.insert(body.getArguments().begin(), body.getArguments().end());
  for (Value value : kernel.getYield().getValues())
    if (!llvm::is_contained(pending, value))
      pending.push_back(value);
  if (pending.empty())
    return kernel.emitOpError("has no results");
  SmallVector<Value> fills = takeConstants();
  // What is in memory is there in any shape.
  for (Operation &op : body)
    if (isShapeChange(&op) && available.contains(op.getOperand(0)))
      planAlias(&op);

  Value root;
  if (Operation *anchor = kernel.getAnchor()) {
    root = anchor->getResult(0);
  } else {
    std::string reason;
    FailureOr<fuse::KernelStructure> structure =
        fuse::KernelStructure::analyze(kernel, reason);
    root = succeeded(structure) ? structure->getRootValue() : pending.front();
  }
  if (failed(planPending(root, /*isMain=*/true)))
    return failure();
  if (failed(planFills(fills)))
    return failure();
  return std::move(stages);
}

/// Constants among the results ride in the last stage that has code, which has
/// least to do.
LogicalResult StagePlanner::planFills(ArrayRef<Value> fills) {
  for (StagePlan &stage : llvm::reverse(stages))
    if (!stage.alias) {
      stage.fills.assign(fills.begin(), fills.end());
      return success();
    }
  pending.assign(fills.begin(), fills.end());
  return fills.empty() ? success() : planPending(fills.front(), true);
}

/// Takes constants out of the results, as long as others are left.
SmallVector<Value> StagePlanner::takeConstants() {
  if (llvm::all_of(pending, isConstant))
    return {};
  SmallVector<Value> constants;
  llvm::copy_if(pending, std::back_inserter(constants), isConstant);
  llvm::erase_if(pending, isConstant);
  return constants;
}

/// Stages until nothing is pending.
LogicalResult StagePlanner::planPending(Value root, bool isMain) {
  while (!pending.empty()) {
    size_t before = pending.size(), known = available.size();
    planFromRoot(root, isMain);
    if (pending.size() == before && available.size() == known) {
      if (root == pending.front())
        return kernel.emitOpError("tiling: no tile determines result ")
               << root << "; this is a defect of the stage planner";
      // The root's tile does not determine what is left; its own tile does.
      root = pending.front();
      isMain = false;
    }
  }
  return success();
}

void StagePlanner::planAlias(Operation *op) {
  StagePlan plan;
  plan.alias = op;
  available.insert(op->getResult(0));
  stages.push_back(std::move(plan));
}

FailureOr<std::vector<StagePlan>> StagePlanner::runSeparately() {
  Block &body = kernel.getBody().front();
  available.insert(body.getArguments().begin(), body.getArguments().end());
  SmallVector<Value> fills;
  llvm::copy_if(kernel.getYield().getValues(), std::back_inserter(fills),
                isConstant);
  for (Operation &op : body.without_terminator()) {
    if (op.hasTrait<OpTrait::ConstantLike>())
      continue;
    if (isShapeChange(&op)) {
      planAlias(&op);
      continue;
    }
    pending = llvm::to_vector_of<Value>(op.getResults());
    if (failed(planPending(pending.front(), &op == kernel.getAnchor())))
      return failure();
  }
  if (failed(planFills(fills)))
    return failure();
  return std::move(stages);
}

} // namespace

FailureOr<std::vector<StagePlan>>
tilefuse::planSeparateStages(fuse::KernelOp kernel, bool powersOfTwo) {
  return StagePlanner(kernel, powersOfTwo).runSeparately();
}

FailureOr<std::vector<StagePlan>> tilefuse::planStages(fuse::KernelOp kernel,
                                                       bool powersOfTwo) {
  return StagePlanner(kernel, powersOfTwo).run();
}
