//===- BlockEmitter.cpp - code for blocks of graph values -------*- C++ -*-===//

#include "passes/Tiling/BlockEmitter.h"
#include "dialects/Fuse/OneTerm.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "passes/Tiling/ContractionRoles.h"
#include "passes/Tiling/ReshapeTiling.h"
#include "passes/Tiling/ResidueSplitting.h"
#include "passes/Tiling/SpreadTiling.h"

using namespace mlir;
using namespace tilefuse;

BlockEmitter::BlockEmitter(OpBuilder &b, CoordVars &vars, fuse::KernelOp kernel,
                           bool powersOfTwo)
    : b(b), vars(vars), kernel(kernel), powersOfTwo(powersOfTwo) {
  scopes.emplace_back();
}

const SpaceForm &BlockEmitter::getForm(Operation *op) {
  std::unique_ptr<SpaceForm> &form = forms[op];
  if (!form)
    form =
        std::make_unique<SpaceForm>(cast<fuse::IterationSpaceOpInterface>(op));
  return *form;
}

ArrayRef<SplitRange> BlockEmitter::getSplit(Operation *op) const {
  auto it = splits.find(op);
  if (it == splits.end())
    return {};
  return it->second;
}

SmallVector<int64_t> BlockEmitter::getReductionSteps(Operation *op) {
  return tilefuse::getReductionSteps(kernel, op, getForm(op), powersOfTwo);
}

const Slice *BlockEmitter::getTileSlice(Value value) const {
  if (!tileSlices)
    return nullptr;
  auto it = tileSlices->find(value);
  return it == tileSlices->end() ? nullptr : &it->second;
}

//===----------------------------------------------------------------------===//
// Known blocks and loops
//===----------------------------------------------------------------------===//

const BlockEmitter::Entry *BlockEmitter::find(Value value, const Slice &slice,
                                              TypedAttr fill,
                                              ArrayRef<bool> filledDims) const {
  for (const Scope &scope : llvm::reverse(scopes))
    for (const Entry &entry : scope.entries)
      if (entry.value == value && entry.slice == slice && entry.fill == fill &&
          ArrayRef<bool>(entry.filledDims) == filledDims)
        return &entry;
  return nullptr;
}

Value BlockEmitter::lookup(Value value, const Slice &slice) const {
  const Entry *entry = find(value, slice, {}, {});
  return entry ? entry->block : Value();
}

void BlockEmitter::remember(Value value, const Slice &slice, Value block) {
  scopes.back().entries.push_back({value, slice, {}, {}, block});
}

/// Operands of a product that all tiles share are kept in shared memory. The
/// parameters of an epilogue would take registers through every product.
bool BlockEmitter::keepsOverTiles() {
  Operation *anchor = kernel.getAnchor();
  return inProduct || !isa_and_nonnull<fuse::ContractionOpInterface>(anchor);
}

template <typename Fn> auto BlockEmitter::hoisted(const Slice &slice, Fn make) {
  unsigned depth = getDepth(slice);
  unsigned home = 0;
  for (auto [i, scope] : llvm::enumerate(scopes))
    if (i > 0 && (depth > scope.var || (scope.isRepeat && !keepsOverTiles())))
      home = i;
  if (home + 1 == scopes.size())
    return make();
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(scopes[home + 1].loop);
  std::vector<Scope> inner(std::make_move_iterator(scopes.begin() + home + 1),
                           std::make_move_iterator(scopes.end()));
  scopes.resize(home + 1);
  auto result = make();
  scopes.insert(scopes.end(), std::make_move_iterator(inner.begin()),
                std::make_move_iterator(inner.end()));
  return result;
}

FailureOr<Value> BlockEmitter::evaluate(Value value, const Slice &slice) {
  if (Value block = lookup(value, slice))
    return block;
  return hoisted(slice, [&]() -> FailureOr<Value> {
    FailureOr<Value> block = compute(value, slice);
    if (succeeded(block) && !lookup(value, slice))
      remember(value, slice, *block);
    return block;
  });
}

FailureOr<Value> BlockEmitter::evaluateFilled(Value value, const Slice &slice,
                                              TypedAttr fill,
                                              ArrayRef<bool> filledDims) {
  auto type = cast<RankedTensorType>(value.getType());
  if (!fill)
    fill = cast<TypedAttr>(b.getZeroAttr(type.getElementType()));
  bool inside = true;
  for (auto [dim, part] : llvm::enumerate(slice))
    inside &= !filledDims[dim] || part.isInside(type.getDimSize(dim), vars);
  if (inside)
    return evaluate(value, slice);
  // A load fills with zero by itself.
  Value view = getView(value);
  bool isZero =
      matchPattern(fill, m_AnyZeroFloat()) || matchPattern(fill, m_Zero());
  if (isZero && (view || isZeroOutside(*this, value, slice)))
    return evaluate(value, slice);
  if (const Entry *entry = find(value, slice, fill, filledDims))
    return entry->block;
  return hoisted(slice, [&]() -> FailureOr<Value> {
    Value block;
    Location loc = value.getLoc();
    if (view) {
      block = load(loc, view, slice, fill);
    } else {
      FailureOr<Value> raw = evaluate(value, slice);
      if (failed(raw))
        return failure();
      Value mask = emitBoundsMask(loc, slice, type.getShape(), filledDims);
      block = select(loc, mask, *raw, fill);
    }
    scopes.back().entries.push_back(
        {value, slice, fill, llvm::to_vector(filledDims), block});
    return block;
  });
}

FailureOr<Value> BlockEmitter::compute(Value value, const Slice &slice) {
  Location loc = value.getLoc();
  if (Value view = getView(value))
    return load(loc, view, slice);
  DenseElementsAttr constant;
  if (matchPattern(value, m_Constant(&constant)) && constant.isSplat())
    return splat(loc, constant.getSplatValue<TypedAttr>(), getExtents(slice));
  Operation *op = value.getDefiningOp();
  if (!op) {
    emitError(loc) << "tiling: a kernel argument without a buffer";
    return failure();
  }
  if (!isa<fuse::IterationSpaceOpInterface>(op))
    return op->emitOpError("has no iteration space to tile");
  unsigned result = cast<OpResult>(value).getResultNumber();
  auto rememberAll =
      [&](FailureOr<SmallVector<Value>> blocks) -> FailureOr<Value> {
    if (failed(blocks))
      return failure();
    for (auto [other, block] : llvm::zip(op->getResults(), *blocks))
      if (other != value && block)
        remember(other, slice, block);
    return (*blocks)[result];
  };
  auto states = partials.find(op);
  if (states != partials.end())
    return rememberAll(mergePartials(*this, op, states->second, result, slice));
  if (isShapeChange(op)) {
    Value operand = op->getOperand(0);
    auto shapeOf = [](Value v) {
      return cast<ShapedType>(v.getType()).getShape();
    };
    // All of a dim of extent 1 but its one element is outside, where any value
    // will do.
    Slice inside(slice.begin(), slice.end());
    for (auto [dim, extent] : llvm::zip_equal(inside, shapeOf(value)))
      if (extent == 1)
        dim = SliceDim();
    if (std::optional<Slice> from = mapThroughReshape(
            shapeOf(value), shapeOf(operand), inside, vars)) {
      FailureOr<Value> block = evaluate(operand, *from);
      if (failed(block))
        return failure();
      Value shaped = reshape(loc, *block, getExtents(inside));
      return broadcast(loc, shaped, getExtents(slice));
    }
  }
  if (fuse::readsOneTerm(op)) {
    FailureOr<Value> spread =
        tileSpread(*this, cast<fuse::ReductionOpInterface>(op), slice);
    if (failed(spread) || *spread)
      return spread;
  }
  FailureOr<Value> assembled =
      assembleResidues(*this, cast<OpResult>(value), slice);
  if (failed(assembled) || *assembled)
    return assembled;
  if (auto contraction = dyn_cast<fuse::ContractionOpInterface>(op))
    return tileContraction(*this, contraction, slice);
  if (auto reduction = dyn_cast<fuse::ReductionOpInterface>(op))
    return rememberAll(tileReduction(*this, reduction, result, slice));
  if (auto pointwise = dyn_cast<fuse::PointwiseOpInterface>(op))
    return tilePointwise(*this, pointwise, slice);
  return op->emitOpError("has no interface that tiling knows (contraction, "
                         "reduction or pointwise)");
}

FailureOr<SmallVector<Value>> BlockEmitter::emitLoops(Location loc,
                                                      ArrayRef<int64_t> counts,
                                                      ValueRange inits,
                                                      LoopBody body) {
  SmallVector<Coord> counters;
  SmallVector<scf::ForOp> loops;
  SmallVector<Value> carried(inits);
  OpBuilder::InsertionGuard guard(b);
  for (int64_t count : counts) {
    if (count == 1) {
      counters.push_back(Coord(0));
      continue;
    }
    Value zero = arith::ConstantIndexOp::create(b, loc, 0);
    Value one = arith::ConstantIndexOp::create(b, loc, 1);
    Value end = arith::ConstantIndexOp::create(b, loc, count);
    auto loop = scf::ForOp::create(b, loc, zero, end, one, carried);
    b.setInsertionPointToStart(loop.getBody());
    carried.assign(loop.getRegionIterArgs().begin(),
                   loop.getRegionIterArgs().end());
    unsigned var = vars.add(count, loop.getInductionVar());
    counters.push_back(Coord::ofVar(var, 1));
    scopes.emplace_back();
    scopes.back().loop = loop;
    scopes.back().var = var;
    loops.push_back(loop);
  }
  FailureOr<SmallVector<Value>> result = body(counters, carried);
  for (scf::ForOp loop : llvm::reverse(loops)) {
    scopes.pop_back();
    if (failed(result))
      continue;
    // A loop that carries nothing has its terminator already.
    if (!result->empty()) {
      b.setInsertionPointToEnd(loop.getBody());
      scf::YieldOp::create(b, loc, *result);
    }
    *result = SmallVector<Value>(loop.getResults());
  }
  return result;
}

FailureOr<SmallVector<Value>> BlockEmitter::emitRepeat(
    Location loc, unsigned var, ValueRange inits,
    llvm::function_ref<FailureOr<SmallVector<Value>>(ValueRange)> body) {
  OpBuilder::InsertionGuard guard(b);
  Value zero = arith::ConstantIndexOp::create(b, loc, 0);
  Value one = arith::ConstantIndexOp::create(b, loc, 1);
  Value end = arith::ConstantIndexOp::create(b, loc, vars.getCount(var));
  auto loop = scf::ForOp::create(b, loc, zero, end, one, inits);
  b.setInsertionPointToStart(loop.getBody());
  vars.setValue(var, loop.getInductionVar());
  scopes.emplace_back();
  scopes.back().loop = loop;
  scopes.back().var = var;
  scopes.back().isRepeat = true;
  FailureOr<SmallVector<Value>> result = body(loop.getRegionIterArgs());
  scopes.pop_back();
  if (failed(result))
    return failure();
  // A loop that carries nothing has its terminator already.
  if (!result->empty()) {
    b.setInsertionPointToEnd(loop.getBody());
    scf::YieldOp::create(b, loc, *result);
  }
  return SmallVector<Value>(loop.getResults());
}
