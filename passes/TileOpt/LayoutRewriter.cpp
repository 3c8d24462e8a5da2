//===- LayoutRewriter.cpp - types with layouts, conversions between -------===//
//
// One walk in program order. When an op is reached its operands already have
// their final types; the op either takes them as they are or gets converted
// ones. A conversion is made right after the value's definition and shared by
// all uses that want it; constants, splats and iotas are made anew instead.
//
// A reduction over several warps is split: the bits of the folded dims that
// warps hold become dims of their own,
//   64 = [2 warps][32]:  reshape, reduce the 32, exchange through a shared tile
//   so that every warp has all partial results in registers, reduce the 2.
// Each half is an ordinary reduction, so the order is fixed by the layout.
//
//===----------------------------------------------------------------------===//

#include "passes/TileOpt/LayoutRewriter.h"
#include "dialects/Tile/Layout/Conversion.h"
#include "passes/TileOpt/SharedViews.h"
#include "passes/TileOpt/StoreLayouts.h"

using namespace mlir;
using namespace tilefuse;
using namespace tilefuse::tile;

static RankedTensorType getBlock(Value value) {
  return dyn_cast<RankedTensorType>(value.getType());
}

static DistributedAttr getAttr(Value value) {
  RankedTensorType type = getBlock(value);
  return type ? dyn_cast_or_null<DistributedAttr>(type.getEncoding()) : nullptr;
}

static RankedTensorType withLayout(RankedTensorType type,
                                   DistributedAttr layout) {
  return RankedTensorType::get(type.getShape(), type.getElementType(), layout);
}

namespace {
class Rewriter {
public:
  Rewriter(FuncOp func, const LayoutMap &layouts, RewriteCounts &counts)
      : func(func), layouts(layouts), counts(counts), numWarps(func.getWarps()),
        builder(func.getContext()) {}

  LogicalResult run() { return rewriteBlock(func.getBody().front()); }

private:
  DistributedAttr getAttrFor(const DistributedLayout &layout) {
    return DistributedAttr::get(func.getContext(), layout);
  }
  DistributedAttr getWanted(Value value) {
    auto it = layouts.find(value);
    return getAttrFor(it != layouts.end() ? it->second
                                          : getMemoryLayout(value, numWarps));
  }
  void setLayout(Value value, DistributedAttr layout) {
    if (RankedTensorType type = getBlock(value))
      value.setType(withLayout(type, layout));
  }
  void setWanted(Value value) {
    if (getBlock(value))
      setLayout(value, getWanted(value));
  }

  LogicalResult rewriteBlock(Block &block);
  LogicalResult rewriteOp(Operation *op);
  LogicalResult require(Operation *op, unsigned operand,
                        DistributedAttr layout);
  LogicalResult requireAll(Operation *op, DistributedAttr layout);
  FailureOr<Value> convert(Value value, DistributedAttr layout);
  Value copyToScratch(Value value, RankedTensorType to);
  Value loadScratch(Value tile, RankedTensorType to);
  LogicalResult rewriteBroadcast(BroadcastOp op);
  LogicalResult rewriteReshape(ReshapeOp op);
  LogicalResult rewriteTrans(TransOp op);
  LogicalResult rewriteReduce(ReduceOp op);
  LogicalResult splitReduce(ReduceOp op, const DistributedLayout &layout);
  LogicalResult rewriteScan(ScanOp op);
  LogicalResult rewriteFor(scf::ForOp op);
  LogicalResult rewriteIf(scf::IfOp op);
  LogicalResult rewriteWhile(scf::WhileOp op);

  FuncOp func;
  const LayoutMap &layouts;
  RewriteCounts &counts;
  unsigned numWarps;
  OpBuilder builder;
  DenseMap<std::pair<Value, Attribute>, Value> converted;
};
} // namespace

//===----------------------------------------------------------------------===//
// Conversions
//===----------------------------------------------------------------------===//

/// A clone of a constant, splat or iota with another result type.
static Value rematerialise(OpBuilder &builder, Operation *op,
                           RankedTensorType type) {
  Operation *copy = builder.clone(*op);
  if (auto constant = dyn_cast<arith::ConstantOp>(copy)) {
    auto elements = cast<DenseElementsAttr>(constant.getValue());
    constant.setValueAttr(
        elements.isSplat()
            ? DenseElementsAttr::get(type, elements.getSplatValue<Attribute>())
            : elements.reshape(type));
  }
  copy->getResult(0).setType(type);
  return copy->getResult(0);
}

/// A new shared tile that holds a block, laid out for a load into `to`. Shared
/// tiles hold no index values: those travel as i64.
Value Rewriter::copyToScratch(Value value, RankedTensorType to) {
  Location loc = value.getLoc();
  RankedTensorType from = getBlock(value);
  if (from.getElementType().isIndex()) {
    from = RankedTensorType::get(from.getShape(), builder.getI64Type(),
                                 from.getEncoding());
    value = arith::IndexCastOp::create(builder, loc, from, value);
  }
  int64_t elementBytes = std::max(1u, from.getElementTypeBitWidth() / 8);
  auto same = [](const SharedLayout &layout) { return std::optional(layout); };
  SmallVector<int64_t> shape(from.getShape());
  SharedAccess accesses[] = {
      {*DistributedAttr::lookup(from), shape, same, 1, /*wide=*/true},
      {*DistributedAttr::lookup(to), shape, same, 1, /*wide=*/true}};
  Value tile = createSharedTile(
      builder, loc, RankedTensorType::get(shape, from.getElementType()),
      chooseSharedLayout(shape, elementBytes, accesses));
  CopyToSharedOp::create(builder, loc, value, tile, nullptr);
  ++counts.sharedConversions;
  return tile;
}

Value Rewriter::loadScratch(Value tile, RankedTensorType to) {
  auto type = RankedTensorType::get(
      to.getShape(), cast<SharedType>(tile.getType()).getElementType(),
      to.getEncoding());
  Value result = LoadSharedOp::create(builder, tile.getLoc(), type, tile);
  if (to.getElementType().isIndex())
    result = arith::IndexCastOp::create(builder, tile.getLoc(), to, result);
  return result;
}

FailureOr<Value> Rewriter::convert(Value value, DistributedAttr layout) {
  if (getAttr(value) == layout)
    return value;
  Value &known = converted[{value, layout}];
  if (known)
    return known;
  RankedTensorType type = withLayout(getBlock(value), layout);
  builder.setInsertionPointAfterValue(value);
  if (isRematerialisable(value))
    return known = rematerialise(builder, value.getDefiningOp(), type);
  if (!getAttr(value))
    return emitError(value.getLoc())
           << "a block has no layout yet where it is used";
  ConversionPlan plan = planConversion(getAttr(value).getLayout(),
                                       layout.getLayout(), type.getShape());
  if (plan.kind == ConversionKind::Shared)
    return known = loadScratch(copyToScratch(value, type), type);
  ++counts.conversions;
  return known = ConvertLayoutOp::create(builder, value.getLoc(), type, value);
}

LogicalResult Rewriter::require(Operation *op, unsigned operand,
                                DistributedAttr layout) {
  Value value = op->getOperand(operand);
  if (!getBlock(value))
    return success();
  FailureOr<Value> now = convert(value, layout);
  if (failed(now))
    return failure();
  op->setOperand(operand, *now);
  return success();
}

LogicalResult Rewriter::requireAll(Operation *op, DistributedAttr layout) {
  for (unsigned i = 0; i < op->getNumOperands(); ++i)
    if (failed(require(op, i, layout)))
      return failure();
  return success();
}

//===----------------------------------------------------------------------===//
// Views of registers
//===----------------------------------------------------------------------===//

LogicalResult Rewriter::rewriteBroadcast(BroadcastOp op) {
  setWanted(op.getResult());
  DistributedLayout result = getAttr(op.getResult()).getLayout();
  SmallVector<int64_t> dims = getExpandedDims(op);
  if (DistributedAttr have = getAttr(op.getValue())) {
    auto toSource = [&](ArrayRef<int64_t> coords) {
      Coords source(coords);
      for (int64_t dim : dims)
        source[dim] = 0;
      return source;
    };
    if (!isRematerialisable(op.getValue()) &&
        getRegisterMap(have.getLayout(), result,
                       op.getResult().getType().getShape(), toSource))
      return success();
  }
  std::optional<DistributedLayout> slice = result.slice(dims);
  if (!slice)
    return op.emitOpError("result's layout cannot be sliced");
  return require(op, 0, getAttrFor(*slice));
}

/// Coordinates of the same element of a row-major block in another shape.
static Coords reshapeCoords(ArrayRef<int64_t> coords, ArrayRef<int64_t> from,
                            ArrayRef<int64_t> to) {
  int64_t flat = 0;
  for (auto [coord, extent] : llvm::zip(coords, from))
    flat = flat * extent + coord;
  Coords result(to.size(), 0);
  for (int64_t dim = to.size(); dim-- > 0;) {
    result[dim] = flat % to[dim];
    flat /= to[dim];
  }
  return result;
}

LogicalResult Rewriter::rewriteReshape(ReshapeOp op) {
  ArrayRef<int64_t> from = op.getValue().getType().getShape();
  ArrayRef<int64_t> to = op.getResult().getType().getShape();
  DistributedAttr wanted = getWanted(op.getResult());
  // Made by its use: ask for the layout that reshapes to the wanted one.
  if (isRematerialisable(op.getValue()))
    if (auto back = wanted.getLayout().reshape(to, from)) {
      setLayout(op.getResult(), wanted);
      return require(op, 0, getAttrFor(*back));
    }
  DistributedAttr have = getAttr(op.getValue());
  if (have) {
    auto toSource = [&](ArrayRef<int64_t> coords) {
      return reshapeCoords(coords, to, from);
    };
    if (getRegisterMap(have.getLayout(), wanted.getLayout(), to, toSource)) {
      setLayout(op.getResult(), wanted);
      return success();
    }
    if (auto forward = have.getLayout().reshape(from, to)) {
      setLayout(op.getResult(), getAttrFor(*forward));
      return success();
    }
  }
  if (!have && failed(require(op, 0, getWanted(op.getValue()))))
    return failure();
  // No layout has both shapes: through a dense shared tile.
  builder.setInsertionPoint(op);
  Location loc = op.getLoc();
  Type element = op.getResult().getType().getElementType();
  if (element.isIndex())
    return op.emitOpError("cannot be distributed: ")
           << op.getValue().getType() << " to " << op.getResult().getType();
  Value tile =
      createSharedTile(builder, loc, RankedTensorType::get(from, element),
                       SharedLayout::getDense(from));
  CopyToSharedOp::create(builder, loc, op.getValue(), tile, nullptr);
  auto type = SharedType::get(
      func.getContext(), to, element,
      SharedLayoutAttr::get(func.getContext(), SharedLayout::getDense(to)));
  tile = SharedReshapeOp::create(builder, loc, type, tile);
  Value result = LoadSharedOp::create(
      builder, loc, withLayout(op.getResult().getType(), wanted), tile);
  op.getResult().replaceAllUsesWith(result);
  op.erase();
  ++counts.sharedConversions;
  return success();
}

LogicalResult Rewriter::rewriteTrans(TransOp op) {
  DistributedAttr wanted = getWanted(op.getResult());
  SmallVector<int64_t> inverse(op.getPermutation().size());
  for (auto [i, dim] : llvm::enumerate(op.getPermutation()))
    inverse[dim] = i;
  if (isRematerialisable(op.getValue())) {
    setLayout(op.getResult(), wanted);
    return require(op, 0, getAttrFor(wanted.getLayout().transpose(inverse)));
  }
  DistributedLayout have = getAttr(op.getValue()).getLayout();
  auto toSource = [&](ArrayRef<int64_t> coords) {
    Coords source;
    for (int64_t dim : inverse)
      source.push_back(coords[dim]);
    return source;
  };
  if (getRegisterMap(have, wanted.getLayout(),
                     op.getResult().getType().getShape(), toSource))
    setLayout(op.getResult(), wanted);
  else
    setLayout(op.getResult(), getAttrFor(have.transpose(op.getPermutation())));
  return success();
}

//===----------------------------------------------------------------------===//
// Reductions
//===----------------------------------------------------------------------===//

/// A blocked layout without padding: powers of two of each dim over threads,
/// what is odd in registers.
static DistributedLayout getExactLayout(ArrayRef<int64_t> shape,
                                        unsigned numWarps) {
  SmallVector<int64_t> even, odd, order;
  for (int64_t extent : shape) {
    even.push_back(extent & -extent);
    odd.push_back(extent / even.back());
  }
  for (int64_t dim = shape.size(); dim-- > 0;)
    order.push_back(dim);
  DistributedLayout inner = getBlockedLayout(even, numWarps, order, 1);
  std::vector<SmallVector<int64_t, 4>> factors;
  for (int64_t extent : odd)
    factors.push_back({extent});
  std::string error;
  auto outer = DistributedLayout::get(factors, {}, error);
  return *inner.product(*outer);
}

LogicalResult Rewriter::rewriteReduce(ReduceOp op) {
  ArrayRef<int64_t> shape = getBlock(op.getInputs()[0]).getShape();
  DistributedAttr attr;
  for (Value input : op.getInputs())
    if (!attr && !isRematerialisable(input))
      attr = getAttr(input);
  if (!attr)
    attr = getWanted(op.getInputs()[0]);
  // Padding has no neutral value: fold exact layouts only.
  for (int64_t dim : op.getDims())
    if (attr.getLayout().getExtent(dim) != shape[dim])
      attr = getAttrFor(getExactLayout(shape, numWarps));
  if (failed(requireAll(op, attr)))
    return failure();
  DistributedLayout layout = attr.getLayout();
  std::optional<DistributedLayout> slice = layout.slice(op.getDims());
  if (!slice)
    return op.emitOpError("input's layout cannot be sliced");
  for (const auto &basis : layout.getBases(Hardware::Warp))
    for (int64_t dim : op.getDims())
      if (basis[dim])
        return splitReduce(op, layout);
  for (Value result : op.getOutputs())
    setLayout(result, getAttrFor(*getReducedLayout(op, layout)));
  return success();
}

/// A reduction of the same kind over other dims of other values.
static ReduceOp cloneReduce(OpBuilder &builder, ReduceOp op, ValueRange inputs,
                            ArrayRef<int64_t> dims,
                            const DistributedLayout &layout) {
  auto attr = DistributedAttr::get(op.getContext(), *layout.slice(dims));
  SmallVector<Type> types;
  for (Value input : inputs) {
    SmallVector<int64_t> shape(getBlock(input).getShape());
    for (int64_t dim : dims)
      shape[dim] = 1;
    types.push_back(
        RankedTensorType::get(shape, getBlock(input).getElementType(), attr));
  }
  auto result = ReduceOp::create(builder, op.getLoc(), types, inputs, dims);
  IRMapping mapping;
  op.getCombiner().cloneInto(&result.getCombiner(), mapping);
  return result;
}

LogicalResult Rewriter::splitReduce(ReduceOp op,
                                    const DistributedLayout &layout) {
  builder.setInsertionPoint(op);
  Location loc = op.getLoc();
  ArrayRef<int64_t> shape = getBlock(op.getInputs()[0]).getShape();
  // Every folded dim in pieces, slowest first: runs of bits held by warps and
  // runs of other digits.
  SmallVector<int64_t> pieces, inWarpDims, crossWarpDims;
  for (auto [dim, extent] : llvm::enumerate(shape)) {
    if (!llvm::is_contained(op.getDims(), int64_t(dim)) || extent == 1) {
      pieces.push_back(extent);
      continue;
    }
    SmallVector<std::pair<int64_t, bool>> runs; // fastest first: size, warps
    auto add = [&](int64_t size, bool warps) {
      if (!runs.empty() && runs.back().second == warps)
        runs.back().first *= size;
      else
        runs.push_back({size, warps});
    };
    int64_t covered = 1;
    for (const CoordTerm &term : layout.getTerms(dim)) {
      if (term.weight != covered)
        add(term.weight / covered, false);
      add(2, term.warpMask != 0);
      covered = term.weight * 2;
    }
    if (covered != extent)
      add(extent / covered, false);
    for (auto [size, warps] : llvm::reverse(runs)) {
      (warps ? crossWarpDims : inWarpDims).push_back(pieces.size());
      pieces.push_back(size);
    }
  }
  std::optional<DistributedLayout> split = layout.reshape(shape, pieces);
  std::optional<DistributedLayout> partial =
      split ? split->slice(inWarpDims) : std::nullopt;
  std::optional<DistributedLayout> spread =
      partial ? partial->slice(crossWarpDims) : std::nullopt;
  if (!spread)
    return op.emitOpError("cannot be split over warps for layout ")
           << getAttrFor(layout);

  SmallVector<Value> values;
  for (Value input : op.getInputs()) {
    auto type = RankedTensorType::get(pieces, getBlock(input).getElementType(),
                                      getAttrFor(*split));
    values.push_back(ReshapeOp::create(builder, loc, type, input));
  }
  if (!inWarpDims.empty()) {
    ReduceOp first = cloneReduce(builder, op, values, inWarpDims, *split);
    values.assign(first.getOutputs().begin(), first.getOutputs().end());
  }
  SmallVector<int64_t> partialShape(getBlock(values[0]).getShape());
  SmallVector<int64_t> grown(partialShape.size(), 1);
  for (int64_t dim : crossWarpDims)
    grown[dim] = partialShape[dim];
  DistributedLayout gathered = spread->expand(grown);
  // Every thread would hold all partial results of all it keeps. When that is
  // much, each result is finished by one thread, and converted where it is used.
  constexpr int64_t mostGathered = 32;
  bool isSpread = gathered.getNumRegisters() * int64_t(values.size()) >
                  mostGathered;
  if (isSpread) {
    SmallVector<int64_t> kept(partialShape);
    for (int64_t dim : crossWarpDims)
      kept[dim] = 1;
    DistributedLayout lines = getExactLayout(kept, numWarps);
    if (lines.getNumRegisters() < spread->getNumRegisters())
      gathered = lines.expand(grown);
    else
      isSpread = false;
  }
  // All copies, then all loads: one barrier for all states.
  SmallVector<Value> tiles;
  SmallVector<RankedTensorType> types;
  for (Value value : values) {
    types.push_back(withLayout(getBlock(value), getAttrFor(gathered)));
    tiles.push_back(copyToScratch(value, types.back()));
  }
  for (auto [value, tile, type] : llvm::zip(values, tiles, types))
    value = loadScratch(tile, type);
  ReduceOp second = cloneReduce(builder, op, values, crossWarpDims, gathered);

  DistributedAttr result = getAttrFor(*layout.slice(op.getDims()));
  if (isSpread) {
    std::optional<DistributedLayout> lines = gathered.slice(crossWarpDims);
    std::optional<DistributedLayout> seen =
        lines ? lines->reshape(getBlock(second.getOutputs()[0]).getShape(),
                               getBlock(op.getOutputs()[0]).getShape())
              : std::nullopt;
    if (!seen)
      return op.emitOpError("cannot be finished in layout ")
             << getAttrFor(gathered);
    result = getAttrFor(*seen);
  }
  for (auto [old, now] : llvm::zip(op.getOutputs(), second.getOutputs())) {
    auto type = withLayout(getBlock(old), result);
    old.replaceAllUsesWith(ReshapeOp::create(builder, loc, type, now));
  }
  op.erase();
  return success();
}

/// A scan combines along registers: its dim is gathered there, and the other
/// dims are spread over the threads.
LogicalResult Rewriter::rewriteScan(ScanOp op) {
  ArrayRef<int64_t> shape = getBlock(op.getInputs()[0]).getShape();
  int64_t dim = op.getDim();
  SmallVector<int64_t> lines(shape), grown(shape.size(), 1);
  lines[dim] = 1;
  grown[dim] = shape[dim];
  DistributedLayout layout = getExactLayout(lines, numWarps).expand(grown);
  constexpr int64_t mostRegisters = 256;
  if (layout.getNumRegisters() > mostRegisters)
    return op.emitOpError("takes ")
           << layout.getNumRegisters() << " registers a thread for "
           << getBlock(op.getInputs()[0]) << ", of " << mostRegisters
           << " at most: use smaller blocks";
  if (failed(requireAll(op, getAttrFor(layout))))
    return failure();
  for (Value result : op.getOutputs())
    setLayout(result, getAttrFor(layout));
  return success();
}

//===----------------------------------------------------------------------===//
// Control flow
//===----------------------------------------------------------------------===//

LogicalResult Rewriter::rewriteFor(scf::ForOp op) {
  for (auto [i, argument] : llvm::enumerate(op.getRegionIterArgs())) {
    if (!getBlock(argument))
      continue;
    DistributedAttr layout = getWanted(argument);
    setLayout(argument, layout);
    setLayout(op.getResult(i), layout);
    if (failed(require(op, op.getNumControlOperands() + i, layout)))
      return failure();
  }
  if (failed(rewriteBlock(*op.getBody())))
    return failure();
  Operation *yield = op.getBody()->getTerminator();
  for (auto [i, argument] : llvm::enumerate(op.getRegionIterArgs()))
    if (getBlock(argument) && failed(require(yield, i, getAttr(argument))))
      return failure();
  return success();
}

LogicalResult Rewriter::rewriteIf(scf::IfOp op) {
  for (Value result : op.getResults())
    setWanted(result);
  for (Region &region : op->getRegions()) {
    if (region.empty())
      continue;
    if (failed(rewriteBlock(region.front())))
      return failure();
    Operation *yield = region.front().getTerminator();
    for (auto [i, result] : llvm::enumerate(op.getResults()))
      if (getBlock(result) && failed(require(yield, i, getAttr(result))))
        return failure();
  }
  return success();
}

LogicalResult Rewriter::rewriteWhile(scf::WhileOp op) {
  for (auto [i, argument] : llvm::enumerate(op.getBeforeArguments())) {
    setWanted(argument);
    if (getBlock(argument) && failed(require(op, i, getAttr(argument))))
      return failure();
  }
  for (auto [result, argument] :
       llvm::zip(op.getResults(), op.getAfterArguments()))
    if (getBlock(argument)) {
      setWanted(argument);
      setLayout(result, getAttr(argument));
    }
  if (failed(rewriteBlock(*op.getBeforeBody())))
    return failure();
  for (auto [i, argument] : llvm::enumerate(op.getAfterArguments()))
    if (getBlock(argument) &&
        failed(require(op.getConditionOp(), i + 1, getAttr(argument))))
      return failure();
  if (failed(rewriteBlock(*op.getAfterBody())))
    return failure();
  for (auto [i, argument] : llvm::enumerate(op.getBeforeArguments()))
    if (getBlock(argument) &&
        failed(require(op.getYieldOp(), i, getAttr(argument))))
      return failure();
  return success();
}

//===----------------------------------------------------------------------===//
// Ops
//===----------------------------------------------------------------------===//

LogicalResult Rewriter::rewriteBlock(Block &block) {
  for (Operation &op : llvm::make_early_inc_range(block))
    if (failed(rewriteOp(&op)))
      return failure();
  return success();
}

LogicalResult Rewriter::rewriteOp(Operation *op) {
  // An op made by a conversion, or one that deals in scalars.
  auto hasBlock = [](ValueRange values) {
    return llvm::any_of(values, [](Value v) { return getBlock(v) != nullptr; });
  };
  if (auto loop = dyn_cast<scf::ForOp>(op))
    return rewriteFor(loop);
  if (auto branch = dyn_cast<scf::IfOp>(op))
    return rewriteIf(branch);
  if (auto loop = dyn_cast<scf::WhileOp>(op))
    return rewriteWhile(loop);
  if (isa<scf::YieldOp, scf::ConditionOp>(op))
    return success(); // the parent sees to it
  if (!hasBlock(op->getOperands()) && !hasBlock(op->getResults()))
    return success();
  if (isRematerialisable(op->getNumResults() ? op->getResult(0) : Value()))
    return success();
  if (auto broadcast = dyn_cast<BroadcastOp>(op))
    return rewriteBroadcast(broadcast);
  if (auto reshape = dyn_cast<ReshapeOp>(op))
    return rewriteReshape(reshape);
  if (auto trans = dyn_cast<TransOp>(op))
    return rewriteTrans(trans);
  if (auto reduce = dyn_cast<ReduceOp>(op))
    return rewriteReduce(reduce);
  if (auto scan = dyn_cast<ScanOp>(op))
    return rewriteScan(scan);
  if (auto mma = dyn_cast<MmaOp>(op)) {
    setWanted(mma.getResult());
    // The accumulator follows shared operands, lhs and rhs.
    return require(op, 2, getAttr(mma.getResult()));
  }
  if (op->getNumResults()) {
    // Loads and pointwise ops: one layout for all.
    DistributedAttr layout;
    for (Value result : op->getResults())
      if (getBlock(result)) {
        if (!layout)
          layout = getWanted(result);
        setLayout(result, layout);
      }
    if (layout)
      return requireAll(op, layout);
  }
  // Stores and other consumers: as the first operand that has a layout.
  DistributedAttr layout;
  for (Value operand : op->getOperands())
    if (getBlock(operand) && !layout && !isRematerialisable(operand))
      layout = getAttr(operand);
  for (Value operand : op->getOperands())
    if (getBlock(operand) && !layout)
      layout = getWanted(operand);
  if (auto store = dyn_cast<StoreOp>(op))
    if (auto rows = getStoreLayout(store, layout.getLayout(), numWarps))
      layout = getAttrFor(*rows);
  return requireAll(op, layout);
}

LogicalResult tilefuse::rewriteLayouts(FuncOp func, const LayoutMap &layouts,
                                       RewriteCounts &counts) {
  return Rewriter(func, layouts, counts).run();
}
