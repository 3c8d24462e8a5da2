//===- KernelStructure.cpp - what runs where in a kernel --------*- C++ -*-===//
//
// The analysis runs in three steps:
//  1. Root: the anchor's parallel dims, or the dims of the largest value that a
//     reduction reads or that leaves the kernel.
//  2. Placement: from the root outwards, to a fixpoint. An op is placed forward
//     when the maps of its operands in the tile determine all its iteration
//     dims (by inverting its accesses), or backward from a placed reader.
//  3. Stages: a reduction whose folded root dims some later op needs again must
//     find them in one tile; one that nothing follows but ops on its own result
//     may cross tiles.
//
//===----------------------------------------------------------------------===//

#include "dialects/Fuse/KernelStructure.h"
#include "dialects/Fuse/OneTerm.h"
#include "llvm/ADT/DenseSet.h"
#include <numeric>

using namespace mlir;

namespace tilefuse::fuse {

static ArrayRef<int64_t> shapeOf(Value value) {
  return cast<RankedTensorType>(value.getType()).getShape();
}

static int64_t sizeOf(Value value) {
  return cast<RankedTensorType>(value.getType()).getNumElements();
}

static AffineMap identityFor(ArrayRef<int64_t> shape, MLIRContext *context) {
  SmallVector<AffineExpr> exprs;
  for (auto [dim, extent] : llvm::enumerate(shape))
    exprs.push_back(extent == 1 ? getAffineConstantExpr(0, context)
                                : getAffineDimExpr(dim, context));
  return AffineMap::get(shape.size(), 0, exprs, context);
}

static bool isConstant(Operation *op) {
  return op->hasTrait<OpTrait::ConstantLike>();
}

KernelGroup KernelGroup::fromKernel(KernelOp kernel) {
  KernelGroup group;
  Block &body = kernel.getBody().front();
  for (Operation &op : body.without_terminator())
    group.ops.push_back(&op);
  group.anchor = kernel.getAnchor();
  group.results = llvm::to_vector(body.getTerminator()->getOperands());
  return group;
}

class StructureAnalysis {
public:
  StructureAnalysis(const KernelGroup &group, ArrayRef<int64_t> block,
                    KernelStructure &structure, std::string &reason)
      : group(group), block(block), s(structure), reason(reason) {}

  LogicalResult run() {
    if (failed(collect()) || failed(findRoot()) || failed(placeAll()) ||
        failed(assignStages()) || failed(checkResults()))
      return failure();
    return success();
  }

private:
  LogicalResult fail(const Twine &why) {
    reason = why.str();
    return failure();
  }

  static std::string nameOf(Operation *op) {
    return ("'" + op->getName().getStringRef() + "'").str();
  }

  //===--- step 0: the ops ------------------------------------------------===//

  LogicalResult collect() {
    if (group.ops.empty())
      return fail("the kernel has no ops");
    context = group.ops.front()->getContext();
    s.anchor = group.anchor;
    s.results.assign(group.results.begin(), group.results.end());
    collectProducers();
    for (Operation *op : group.ops) {
      s.placementOf[op] = s.placements.size();
      OpPlacement placement;
      placement.op = op;
      s.placements.push_back(placement);
      if (isConstant(op))
        continue;
      auto space = dyn_cast<IterationSpaceOpInterface>(op);
      if (!space)
        return fail(nameOf(op) + " has no iteration space");
      spaces[op] = space.getIterationSpace();
      bool isAnchor = op == group.anchor;
      if (isa<ContractionOpInterface>(op) && !isAnchor && !onDemand.contains(op))
        return fail("a kernel has one anchor, and " + nameOf(op) +
                    " is another contraction");
      if (!isa<ContractionOpInterface, ReductionOpInterface,
               PointwiseOpInterface>(op))
        return fail(nameOf(op) + " is neither pointwise nor a reduction nor a "
                                 "contraction");
      // Values of the tile: the anchor, reductions and what depends on them.
      bool inTile = isAnchor || isFreeReduction(op);
      for (Value operand : op->getOperands())
        inTile |= tileValues.contains(operand);
      if (isAnchor)
        for (Value operand : op->getOperands())
          if (tileValues.contains(operand))
            return fail("an operand of the anchor depends on a reduction of "
                        "the kernel");
      if (inTile)
        for (Value result : op->getResults())
          tileValues.insert(result);
    }
    if (group.anchor && !spaces.contains(group.anchor))
      return fail("the anchor has no iteration space");
    for (Value result : group.results)
      if (!result.getDefiningOp() ||
          !s.placementOf.contains(result.getDefiningOp()))
        return fail("a result is not computed in the kernel");
    return success();
  }

  bool isInTile(Operation *op) {
    return op->getNumResults() && tileValues.contains(op->getResult(0));
  }
  bool isFreeReduction(Operation *op) {
    return op != group.anchor && isa<ReductionOpInterface>(op) &&
           !onDemand.contains(op);
  }

  /// What a contraction's operands are computed from, where a block of it is
  /// computed from blocks: contractions, and reductions of one term.
  void collectProducers() {
    if (!isa_and_nonnull<ContractionOpInterface>(group.anchor))
      return;
    llvm::DenseSet<Operation *> members(group.ops.begin(), group.ops.end());
    SmallVector<Operation *> worklist{group.anchor};
    llvm::DenseSet<Operation *> seen;
    while (!worklist.empty())
      for (Value operand : worklist.pop_back_val()->getOperands()) {
        Operation *def = operand.getDefiningOp();
        if (!def || !members.contains(def) || !seen.insert(def).second)
          continue;
        if (isa<ContractionOpInterface>(def) || readsOneTerm(def))
          onDemand.insert(def);
        worklist.push_back(def);
      }
  }

  //===--- step 1: the root -----------------------------------------------===//

  LogicalResult findRoot() {
    if (Operation *anchor = group.anchor) {
      const IterationSpace &space = spaces[anchor];
      unsigned numParallel = space.getNumParallel();
      for (unsigned dim = 0; dim < numParallel; ++dim)
        if (space.isReduction[dim])
          return fail("the anchor's reduction dims do not come last");
      s.rootExtents.assign(space.bounds.begin(),
                           space.bounds.begin() + numParallel);
      s.blockExtents.assign(space.bounds.begin(), space.bounds.end());
    } else {
      Value root;
      auto consider = [&](Value value) {
        if (!root || sizeOf(value) > sizeOf(root))
          root = value;
      };
      for (Operation *op : group.ops)
        if (isFreeReduction(op))
          consider(op->getOperand(0));
      for (bool constants : {false, true})
        for (Value result : group.results)
          if (isConstant(result.getDefiningOp()) == constants &&
              (!constants || !root))
            consider(result);
      if (!root)
        return fail("the kernel has no results");
      s.rootValue = root;
      s.rootExtents = llvm::to_vector(shapeOf(root));
      s.blockExtents = s.rootExtents;
    }
    unsigned rank = s.rootExtents.size();
    s.mustHold.assign(rank, false);
    s.crossReduced.assign(rank, false);
    s.granules.assign(rank, 1);
    s.divisors.assign(rank, 1);
    if (!block.empty() && block.size() != s.blockExtents.size())
      return fail("the schedule's block has " + Twine(block.size()) +
                  " extents for " + Twine(s.blockExtents.size()) + " dims");
    return success();
  }

  //===--- step 2: placement ----------------------------------------------===//

  OpPlacement &placementOf(Operation *op) {
    return s.placements[s.placementOf.lookup(op)];
  }

  bool isPlaced(Operation *op) {
    return static_cast<bool>(placementOf(op).dims);
  }

  AffineExpr simplify(AffineExpr expr) {
    return simplifyIndex(expr, s.rootExtents);
  }

  /// What is known of where `value` lies, for placing its readers.
  AffineMap knownMap(Value value, bool useHints) {
    if (AffineMap map = s.valueMaps.lookup(value))
      if (tileValues.contains(value) || value == s.rootValue || useHints)
        return map;
    return useHints ? hints.lookup(value) : AffineMap();
  }

  LogicalResult placeAll() {
    if (group.anchor) {
      OpPlacement &placement = placementOf(group.anchor);
      AffineMap dims = identityFor(s.rootExtents, context);
      for (auto [result, map] :
           llvm::zip(group.anchor->getResults(), spaces[group.anchor].results))
        if (!recordResult(placement, result, map, dims))
          return failure();
    } else if (Operation *def = s.rootValue.getDefiningOp();
               !def || !s.placementOf.contains(def) || isInTile(def) ||
               isConstant(def)) {
      s.valueMaps[s.rootValue] = identityFor(s.rootExtents, context);
    } else if (failed(placeAtIdentity(def, s.rootValue))) {
      return failure();
    }

    while (true) {
      bool progress = false;
      for (bool useHints : {false, true}) {
        for (Operation *op : group.ops)
          if (wantsPlace(op)) {
            if (failed(tryForward(op, useHints)))
              return failure();
            progress |= isPlaced(op);
          }
        for (Operation *op : llvm::reverse(group.ops))
          if (wantsPlace(op)) {
            if (failed(tryBackward(op)))
              return failure();
            progress |= isPlaced(op);
          }
        if (progress)
          break;
      }
      if (progress)
        continue;
      // The first that is stuck; what it reads is placed, or only read.
      auto stuck = llvm::find_if(group.ops, [&](Operation *op) {
        return wantsPlace(op) && needsPlace(op);
      });
      if (stuck == group.ops.end())
        return success();
      if (failed(seed(*stuck)))
        return failure();
    }
  }

  bool wantsPlace(Operation *op) {
    return op != group.anchor && !isConstant(op) && !isPlaced(op);
  }
  bool needsPlace(Operation *op) {
    return isInTile(op) ||
           llvm::any_of(op->getResults(), [&](Value result) {
             return llvm::is_contained(group.results, result);
           });
  }

  /// An op that nothing ties to the root may be put on it, dim by dim, when the
  /// shapes agree.
  LogicalResult seed(Operation *op) {
    if (isFreeReduction(op) && !tileValues.contains(op->getOperand(0)) &&
        shapeOf(op->getOperand(0)) == ArrayRef<int64_t>(s.rootExtents)) {
      hints[op->getOperand(0)] = identityFor(s.rootExtents, context);
      if (failed(tryForward(op, /*useHints=*/true)))
        return failure();
      if (isPlaced(op))
        return success();
    }
    // A value of the tile that it reads at another place shows in the end.
    if (isa<PointwiseOpInterface>(op))
      for (Value result : op->getResults())
        if (shapeOf(result) == ArrayRef<int64_t>(s.rootExtents))
          return placeAtIdentity(op, result);
    return fail("the tile does not determine which part of " + nameOf(op) +
                " to compute");
  }

  LogicalResult placeAtIdentity(Operation *op, Value value) {
    unsigned index = cast<OpResult>(value).getResultNumber();
    std::optional<SmallVector<AffineExpr>> dims =
        invertResult(op, index, identityFor(s.rootExtents, context));
    if (!dims)
      return fail("the results of " + nameOf(op) +
                  " are no permutation of its dims");
    return place(op, *dims);
  }

  /// Iteration dims at a given index of a result.
  std::optional<SmallVector<AffineExpr>> invertResult(Operation *op,
                                                      unsigned index,
                                                      AffineMap at) {
    const IterationSpace &space = spaces[op];
    SmallVector<AffineExpr> dims(space.bounds.size());
    for (auto [dim, bound] : llvm::enumerate(space.bounds))
      if (bound == 1)
        dims[dim] = getAffineConstantExpr(0, context);
    for (auto [position, expr] :
         llvm::enumerate(space.results[index].getResults()))
      if (auto dim = dyn_cast<AffineDimExpr>(expr))
        if (!dims[dim.getPosition()])
          dims[dim.getPosition()] = at.getResult(position);
    if (llvm::is_contained(dims, AffineExpr()))
      return std::nullopt;
    return dims;
  }

  /// Refines `dims` by operand `index` lying at `at`.
  void matchAccess(Operation *op, unsigned index, AffineMap at,
                   SmallVectorImpl<AffineExpr> &dims) {
    const IterationSpace &space = spaces[op];
    const OperandAccess &access = space.operands[index];
    ArrayRef<int64_t> shape = shapeOf(op->getOperand(index));
    for (auto [position, expr] : llvm::enumerate(access.map.getResults())) {
      if (!access.divisors.empty() && access.divisors[position] != 1)
        continue;
      AffineExpr known = at.getResult(position);
      // x[.., d, ..]: every index of the op must exist in the operand.
      if (auto dim = dyn_cast<AffineDimExpr>(expr)) {
        unsigned d = dim.getPosition();
        if (!dims[d] && space.bounds[d] <= shape[position])
          dims[d] = known;
        continue;
      }
      // x[.., outer * window + inner, ..]: windows side by side.
      auto sum = dyn_cast<AffineBinaryOpExpr>(expr);
      if (!sum || sum.getKind() != AffineExprKind::Add)
        continue;
      auto scaled = dyn_cast<AffineBinaryOpExpr>(sum.getLHS());
      auto inner = dyn_cast<AffineDimExpr>(sum.getRHS());
      if (!inner) {
        scaled = dyn_cast<AffineBinaryOpExpr>(sum.getRHS());
        inner = dyn_cast<AffineDimExpr>(sum.getLHS());
      }
      if (!inner || !scaled || scaled.getKind() != AffineExprKind::Mul)
        continue;
      auto outer = dyn_cast<AffineDimExpr>(scaled.getLHS());
      auto window = dyn_cast<AffineConstantExpr>(scaled.getRHS());
      if (!outer || !window)
        continue;
      int64_t size = window.getValue();
      unsigned o = outer.getPosition(), i = inner.getPosition();
      if (size < 2 || space.bounds[i] != size ||
          space.bounds[o] * size > shape[position])
        continue;
      if (!dims[o])
        dims[o] = simplify(known.floorDiv(size));
      if (!dims[i])
        dims[i] = simplify(known % size);
    }
  }

  /// A change of shape: the operand's row-major position equals the op's.
  bool matchReshape(Operation *op, AffineMap at,
                    SmallVectorImpl<AffineExpr> &dims) {
    const IterationSpace &space = spaces[op];
    if (!isa<PointwiseOpInterface>(op) || op->getNumOperands() != 1 ||
        space.operands[0].fill)
      return false;
    auto linearise = [&](ArrayRef<AffineExpr> index, ArrayRef<int64_t> shape) {
      AffineExpr position = getAffineConstantExpr(0, context);
      for (auto [expr, extent] : llvm::zip(index, shape))
        position = position * extent + expr;
      return position;
    };
    SmallVector<AffineExpr> own;
    for (unsigned dim = 0; dim < space.bounds.size(); ++dim)
      own.push_back(getAffineDimExpr(dim, context));
    ArrayRef<int64_t> shape = shapeOf(op->getOperand(0));
    if (shape.size() != space.operands[0].map.getNumResults() ||
        simplifyIndex(linearise(own, space.bounds), space.bounds) !=
            simplifyIndex(
                linearise(space.operands[0].map.getResults(), shape),
                space.bounds))
      return false;
    AffineExpr position = linearise(at.getResults(), shape);
    int64_t stride = 1;
    for (unsigned dim = space.bounds.size(); dim-- > 0;) {
      dims[dim] =
          simplify(position.floorDiv(stride) % space.bounds[dim]);
      stride *= space.bounds[dim];
    }
    return true;
  }

  LogicalResult tryForward(Operation *op, bool useHints) {
    const IterationSpace &space = spaces[op];
    SmallVector<AffineExpr> dims(space.bounds.size());
    for (auto [dim, bound] : llvm::enumerate(space.bounds))
      if (bound == 1)
        dims[dim] = getAffineConstantExpr(0, context);
    bool anyKnown = false;
    // Values of the tile first: they are where they are.
    for (bool tileOnly : {true, false})
      for (auto [index, operand] : llvm::enumerate(op->getOperands())) {
        if (tileOnly != tileValues.contains(operand))
          continue;
        AffineMap at = knownMap(operand, useHints);
        if (!at)
          continue;
        anyKnown = true;
        matchAccess(op, index, at, dims);
      }
    if (!anyKnown)
      return success();
    if (llvm::is_contained(dims, AffineExpr())) {
      AffineMap at = op->getNumOperands() == 1
                         ? knownMap(op->getOperand(0), useHints)
                         : AffineMap();
      if (!at || !matchReshape(op, at, dims))
        return success();
    }
    return place(op, dims);
  }

  LogicalResult tryBackward(Operation *op) {
    if (!isa<PointwiseOpInterface>(op))
      return success();
    for (auto [index, result] : llvm::enumerate(op->getResults()))
      if (AffineMap at = hints.lookup(result))
        if (auto dims = invertResult(op, index, at))
          return place(op, *dims);
    return success();
  }

  bool recordResult(OpPlacement &placement, Value result, AffineMap map,
                    AffineMap dims) {
    AffineMap at = composeAccess(map, dims, s.rootExtents, shapeOf(result));
    placement.results.push_back(at);
    s.valueMaps[result] = at;
    for (AffineExpr expr : at.getResults())
      if (!decodeBlockIndex(expr) && !isAnchorIndex(expr)) {
        (void)fail("an index of the result of " + nameOf(placement.op) +
                   " combines several dims of the tile");
        return false;
      }
    return true;
  }

  /// Whether the anchor's result has this index: group * size + channel.
  bool isAnchorIndex(AffineExpr expr) {
    if (!group.anchor)
      return false;
    for (AffineMap map : spaces[group.anchor].results)
      for (AffineExpr own : map.getResults())
        if (simplifyIndex(own, s.rootExtents) == expr)
          return true;
    return false;
  }

  LogicalResult place(Operation *op, ArrayRef<AffineExpr> dims) {
    const IterationSpace &space = spaces[op];
    OpPlacement &placement = placementOf(op);
    AffineMap map = AffineMap::get(s.rootExtents.size(), 0, dims, context);
    placement.dims = map;
    for (auto [index, operand] : llvm::enumerate(op->getOperands())) {
      const OperandAccess &access = space.operands[index];
      AffineMap at = composeAccess(access.map, map, s.rootExtents,
                                   shapeOf(operand));
      placement.operands.push_back(at);
      if (tileValues.contains(operand)) {
        if (!isInBounds(space, access, shapeOf(operand)))
          return fail(nameOf(op) + " reads outside a value of the tile");
        // Its definition may be placed later; both orders end here.
        reads.push_back({op, operand, at});
      }
      if (!hints.contains(operand))
        hints[operand] = at;
    }
    for (auto [result, resultMap] : llvm::zip(op->getResults(), space.results))
      if (!recordResult(placement, result, resultMap, map))
        return failure();
    return success();
  }

  static bool isInBounds(const IterationSpace &space,
                         const OperandAccess &access,
                         ArrayRef<int64_t> shape) {
    if (llvm::any_of(access.divisors, [](int64_t d) { return d != 1; }))
      return false;
    if (!access.fill)
      return true;
    for (auto [expr, extent] : llvm::zip(access.map.getResults(), shape)) {
      int64_t low = 0, high = 0;
      if (!rangeOfLinear(expr, space.bounds, low, high) || low < 0 ||
          high >= extent)
        return false;
    }
    return true;
  }

  /// Range of a linear expression over [0, bounds).
  static bool rangeOfLinear(AffineExpr expr, ArrayRef<int64_t> bounds,
                            int64_t &low, int64_t &high) {
    if (auto constant = dyn_cast<AffineConstantExpr>(expr)) {
      low = high = constant.getValue();
      return true;
    }
    if (auto dim = dyn_cast<AffineDimExpr>(expr)) {
      low = 0;
      high = bounds[dim.getPosition()] - 1;
      return true;
    }
    auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
    int64_t a, b, c, d;
    if (!binary || !rangeOfLinear(binary.getLHS(), bounds, a, b) ||
        !rangeOfLinear(binary.getRHS(), bounds, c, d))
      return false;
    if (expr.getKind() == AffineExprKind::Add) {
      low = a + c;
      high = b + d;
      return true;
    }
    if (expr.getKind() != AffineExprKind::Mul || c != d)
      return false;
    low = std::min(a * c, b * c);
    high = std::max(a * c, b * c);
    return true;
  }

  //===--- step 3: stages -------------------------------------------------===//

  static llvm::SmallDenseSet<unsigned> dimsUsed(AffineMap map) {
    llvm::SmallDenseSet<unsigned> used;
    for (AffineExpr expr : map.getResults())
      expr.walk([&](AffineExpr e) {
        if (auto dim = dyn_cast<AffineDimExpr>(e))
          used.insert(dim.getPosition());
      });
    return used;
  }

  LogicalResult assignStages() {
    for (const auto &[op, value, at] : reads)
      if (s.valueMaps.lookup(value) != at)
        return fail(nameOf(op) +
                    " reads a value of the tile at another place than the "
                    "tile has it");
    for (const OpPlacement &placement : s.placements)
      if (placement.dims && (isInTile(placement.op) || !group.anchor))
        for (AffineExpr expr : placement.dims.getResults()) {
          std::optional<BlockIndex> index = decodeBlockIndex(expr);
          if (index && index->dim >= 0) {
            int64_t unit = index->divisor *
                           std::max<int64_t>(index->modulus, 1);
            s.granules[index->dim] =
                std::lcm(s.granules[index->dim], unit);
          }
        }

    for (const OpPlacement &placement : s.placements)
      if (placement.dims && placement.op != group.anchor)
        noteDivisors(placement);

    // A folded root dim that a later op needs must lie in one tile.
    llvm::DenseMap<Operation *, SmallVector<unsigned>> folded;
    for (Operation *op : group.ops)
      if (isFreeReduction(op))
        folded[op] = s.getFoldedRootDims(op);
    llvm::DenseMap<Operation *, SmallVector<Operation *>> sources;
    for (Operation *op : group.ops) {
      if (!isInTile(op) || op == group.anchor)
        continue;
      SmallVector<Operation *> &own = sources[op];
      for (Value operand : op->getOperands())
        if (Operation *def = operand.getDefiningOp();
            def && s.placementOf.contains(def)) {
          if (isFreeReduction(def))
            own.push_back(def);
          for (Operation *source : sources.lookup(def))
            if (!llvm::is_contained(own, source))
              own.push_back(source);
        }
      llvm::SmallDenseSet<unsigned> used = dimsUsed(placementOf(op).dims);
      for (Operation *source : own)
        if (llvm::any_of(folded[source],
                         [&](unsigned dim) { return used.contains(dim); }))
          for (unsigned dim : folded[source])
            s.mustHold[dim] = true;
    }

    for (Operation *op : group.ops)
      if (isFreeReduction(op) && combinesDims(op) &&
          llvm::any_of(folded[op],
                       [&](unsigned dim) { return s.mustHold[dim]; }))
        return fail("a tile does not hold several groups of the anchor whole");

    // What is left may cross tiles.
    auto isHeld = [&](Operation *op, bool bySchedule) {
      if (bySchedule && combinesDims(op))
        return false;
      return llvm::all_of(folded[op], [&](unsigned dim) {
        return s.mustHold[dim] ||
               (bySchedule && block[dim] >= s.rootExtents[dim]);
      });
    };
    SmallVector<Operation *> open;
    for (Operation *op : group.ops) {
      if (!isFreeReduction(op) || isHeld(op, false))
        continue;
      if (block.empty() || !isHeld(op, true)) {
        open.push_back(op);
        continue;
      }
      for (unsigned dim : folded[op])
        s.mustHold[dim] = true;
    }
    for (unsigned dim = 0; dim < s.rootExtents.size(); ++dim)
      s.crossReduced[dim] =
          !open.empty() && llvm::all_of(open, [&](Operation *op) {
            return llvm::is_contained(folded[op], dim);
          });
    s.finish = !open.empty();

    for (Operation *op : group.ops) {
      Stage &stage = placementOf(op).stage;
      if (op == group.anchor) {
        stage = Stage::Anchor;
        continue;
      }
      if (!isInTile(op)) {
        stage = Stage::Demand;
        continue;
      }
      for (Operation *source : sources[op]) {
        if (!llvm::is_contained(open, source))
          continue;
        if (isFreeReduction(op))
          return fail("a reduction of merged reductions");
        auto [it, isFirst] = crossFolded.try_emplace(op, folded[source]);
        if (!isFirst && it->second != folded[source])
          return fail(nameOf(op) + " needs reductions across tiles that fold "
                                   "different dims");
      }
      if (crossFolded.contains(op)) {
        stage = Stage::Finish;
        for (Value operand : op->getOperands())
          if (tileValues.contains(operand)) {
            Stage from = s.getStage(operand.getDefiningOp());
            if (from != Stage::CrossReduce && from != Stage::Finish)
              return fail(nameOf(op) +
                          " needs both a merged reduction and a value of the "
                          "tile");
          }
        continue;
      }
      if (!isFreeReduction(op)) {
        stage = Stage::Tile;
      } else if (llvm::is_contained(open, op)) {
        stage = Stage::CrossReduce;
        crossFolded[op] = folded[op];
      } else {
        stage = Stage::TileReduce;
      }
    }
    return success();
  }

  void noteDivisors(const OpPlacement &placement) {
    const IterationSpace &space = spaces[placement.op];
    for (const OperandAccess &access : space.operands)
      for (auto [expr, divisor] :
           llvm::zip(access.map.getResults(), access.divisors))
        for (unsigned dim = 0; divisor > 1 && dim < space.bounds.size();
             ++dim) {
          if (!expr.isFunctionOfDim(dim))
            continue;
          std::optional<BlockIndex> index =
              decodeBlockIndex(placement.dims.getResult(dim));
          if (index && index->dim >= 0)
            s.divisors[index->dim] =
                std::lcm(s.divisors[index->dim], divisor * index->divisor);
        }
  }

  /// Whether one dim that the reduction folds is made of several root dims.
  bool combinesDims(Operation *op) {
    return llvm::any_of(placementOf(op).dims.getResults(),
                        [](AffineExpr e) { return !decodeBlockIndex(e); });
  }

  //===--- what leaves the kernel -----------------------------------------===//

  /// Every element of a result is written by exactly one instance.
  LogicalResult checkResults() {
    for (Value result : group.results) {
      Operation *def = result.getDefiningOp();
      // Constants need no tile: the instances divide them among themselves.
      if (isConstant(def) && result != s.rootValue)
        continue;
      AffineMap at = s.valueMaps.lookup(result);
      if (!at)
        return fail("the tile does not determine which part of a result of " +
                    nameOf(def) + " to store");
      llvm::SmallDenseSet<unsigned> used = dimsUsed(at);
      SmallVector<unsigned> merged = crossFolded.lookup(def);
      for (unsigned dim = 0; dim < s.rootExtents.size(); ++dim) {
        if (used.contains(dim) || s.rootExtents[dim] == 1 || s.mustHold[dim])
          continue;
        if (!llvm::is_contained(merged, dim))
          return fail("several program instances would store the result of " +
                      nameOf(def));
      }
      if (def == group.anchor)
        continue;
      for (auto [position, expr] : llvm::enumerate(at.getResults())) {
        int64_t extent = shapeOf(result)[position];
        std::optional<BlockIndex> index = decodeBlockIndex(expr);
        if (!index && isAnchorIndex(expr))
          continue;
        if (!index || (index->dim < 0 && extent != 1))
          return fail("a tile does not cover the result of " + nameOf(def));
        if (index->dim < 0)
          continue;
        int64_t reach = llvm::divideCeil(s.rootExtents[index->dim],
                                         index->divisor);
        if (index->modulus)
          reach = std::min(reach, index->modulus);
        if (reach < extent)
          return fail("tiles do not cover the result of " + nameOf(def));
      }
    }
    return success();
  }

  struct Read {
    Operation *op;
    Value value;
    AffineMap at;
  };

  const KernelGroup &group;
  ArrayRef<int64_t> block;
  KernelStructure &s;
  std::string &reason;
  MLIRContext *context = nullptr;
  llvm::DenseMap<Operation *, IterationSpace> spaces;
  llvm::DenseSet<Value> tileValues;
  /// Contractions and reductions that run where the anchor reads them.
  llvm::DenseSet<Operation *> onDemand;
  llvm::DenseMap<Value, AffineMap> hints;
  /// Of reductions across tiles, and what follows from them: the root dims they
  /// fold.
  llvm::DenseMap<Operation *, SmallVector<unsigned>> crossFolded;
  SmallVector<Read> reads;
};

FailureOr<KernelStructure>
KernelStructure::analyze(const KernelGroup &group, ArrayRef<int64_t> block,
                         std::string &reason) {
  KernelStructure structure;
  if (failed(StructureAnalysis(group, block, structure, reason).run()))
    return failure();
  return structure;
}

FailureOr<KernelStructure> KernelStructure::analyze(KernelOp kernel,
                                                    std::string &reason) {
  ArrayRef<int64_t> block;
  if (ScheduleAttr schedule = kernel.getScheduleAttr())
    block = schedule.getBlock();
  return analyze(KernelGroup::fromKernel(kernel), block, reason);
}

const OpPlacement &KernelStructure::getPlacement(Operation *op) const {
  return placements[placementOf.lookup(op)];
}

SmallVector<unsigned> KernelStructure::getFoldedRootDims(Operation *op) const {
  const OpPlacement &placement = getPlacement(op);
  if (!placement.dims)
    return {};
  IterationSpace space = cast<IterationSpaceOpInterface>(op).getIterationSpace();
  SmallVector<bool> kept(rootExtents.size(), false);
  SmallVector<bool> reduced(rootExtents.size(), false);
  for (auto [dim, expr] : llvm::enumerate(placement.dims.getResults()))
    expr.walk([&](AffineExpr e) {
      if (auto d = dyn_cast<AffineDimExpr>(e))
        (space.isReduction[dim] ? reduced : kept)[d.getPosition()] = true;
    });
  SmallVector<unsigned> folded;
  for (unsigned dim = 0; dim < rootExtents.size(); ++dim)
    if (reduced[dim] && !kept[dim])
      folded.push_back(dim);
  return folded;
}

} // namespace tilefuse::fuse
