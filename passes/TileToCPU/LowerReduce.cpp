//===- LowerReduce.cpp - reductions and scans on the CPU ------------------===//
//
// A reduction goes dim by dim, outer dims first, so that most of the work runs
// along contiguous rows. The last dim of a block is folded in lanes: 16 (or so)
// neighbours are 16 independent chains, which is what makes any combiner, sums
// of floats included, vector code with a fixed order. The lanes are folded one
// after another at the end, those of long dims by halves. Positions that fill no
// lanes (701 = 43 * 16 + 13) are a chain of their own, and so is each chunk of a
// long outer dim: what one sum of floats loses grows with its length.
//
//===----------------------------------------------------------------------===//

#include "passes/TileToCPU/KernelLowering.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"

using namespace mlir;
using namespace tilefuse;

static ArrayRef<int64_t> getShape(Value value) {
  return cast<RankedTensorType>(value.getType()).getShape();
}

// Copies the combiner's code; states are `left` and `right`.
static SmallVector<Value> inlineCombiner(OpBuilder &b, Block &combiner,
                                         ValueRange left, ValueRange right) {
  IRMapping mapping;
  unsigned count = left.size();
  for (unsigned i = 0; i < count; ++i) {
    mapping.map(combiner.getArgument(i), left[i]);
    mapping.map(combiner.getArgument(i + count), right[i]);
  }
  for (Operation &op : combiner.without_terminator())
    b.clone(op, mapping);
  SmallVector<Value> results;
  for (Value value : combiner.getTerminator()->getOperands())
    results.push_back(mapping.lookupOrDefault(value));
  return results;
}

// The state that changes nothing, for combiners made of one known op each.
static std::optional<SmallVector<TypedAttr>> getNeutral(Block &combiner) {
  SmallVector<TypedAttr> neutral;
  unsigned count = combiner.getNumArguments() / 2;
  for (auto [i, value] :
       llvm::enumerate(combiner.getTerminator()->getOperands())) {
    Operation *op = value.getDefiningOp();
    Value left = combiner.getArgument(i), right = combiner.getArgument(i + count);
    if (!op || op->getNumOperands() != 2 ||
        !((op->getOperand(0) == left && op->getOperand(1) == right) ||
          (op->getOperand(0) == right && op->getOperand(1) == left)))
      return std::nullopt;
    std::optional<TypedAttr> value0 = arith::getNeutralElement(op);
    if (!value0)
      return std::nullopt;
    neutral.push_back(*value0);
  }
  return neutral;
}

static Value sliceDim(ImplicitLocOpBuilder &b, Value value, int64_t dim,
                      OpFoldResult offset, int64_t extent) {
  SmallVector<int64_t> shape(getShape(value));
  shape[dim] = extent;
  SmallVector<OpFoldResult> offsets(shape.size(), b.getIndexAttr(0));
  SmallVector<OpFoldResult> strides(shape.size(), b.getIndexAttr(1));
  offsets[dim] = offset;
  return tensor::ExtractSliceOp::create(
      b, tile::withShape(cast<RankedTensorType>(value.getType()), shape), value,
      offsets, getAsIndexOpFoldResult(b.getContext(), shape), strides);
}

// states = combine(states, blocks), along `dim`, which has size 1 in `states`.
static SmallVector<Value> emitFold(ImplicitLocOpBuilder &b, ValueRange blocks,
                                   ValueRange states, int64_t dim,
                                   Block &combiner) {
  int64_t rank = getShape(blocks[0]).size();
  MLIRContext *context = b.getContext();
  AffineMap identity = AffineMap::getMultiDimIdentityMap(rank, context);
  SmallVector<AffineExpr> reduced(identity.getResults());
  reduced[dim] = b.getAffineConstantExpr(0);
  SmallVector<AffineMap> maps(blocks.size(), identity);
  maps.append(blocks.size(), AffineMap::get(rank, 0, reduced, context));
  SmallVector<utils::IteratorType> loops(rank, utils::IteratorType::parallel);
  loops[dim] = utils::IteratorType::reduction;
  unsigned count = blocks.size();
  auto generic = linalg::GenericOp::create(
      b, TypeRange(states), blocks, states, maps, loops,
      [&](OpBuilder &inner, Location loc, ValueRange args) {
        linalg::YieldOp::create(inner, loc,
                                inlineCombiner(inner, combiner,
                                               args.drop_front(count),
                                               args.take_front(count)));
      });
  return generic.getResults();
}

// A divisor of `extent` to fold in that many lanes; 1 when there is none.
static int64_t chooseLanes(int64_t extent) {
  for (int64_t lanes : {32, 16, 24, 8})
    if (extent % lanes == 0 && extent / lanes >= 2)
      return lanes;
  for (int64_t lanes = 32; lanes >= 4; --lanes)
    if (extent % lanes == 0 && extent / lanes >= 2)
      return lanes;
  return 1;
}

// Chains of at most this many terms need no second level.
static constexpr int64_t maxChain = 128;

static SmallVector<Value> reduceDim(ImplicitLocOpBuilder &b,
                                    ArrayRef<Value> blocks, int64_t dim,
                                    Block &combiner, bool mayUseLanes = true);

// The first `size` positions of `dim` and those behind them, each by itself.
static SmallVector<Value> reduceInTwo(ImplicitLocOpBuilder &b,
                                      ArrayRef<Value> blocks, int64_t dim,
                                      int64_t size, Block &combiner) {
  int64_t extent = getShape(blocks[0])[dim];
  SmallVector<Value> head, tail;
  for (Value block : blocks) {
    head.push_back(sliceDim(b, block, dim, b.getIndexAttr(0), size));
    tail.push_back(
        sliceDim(b, block, dim, b.getIndexAttr(size), extent - size));
  }
  head = reduceDim(b, head, dim, combiner);
  tail = reduceDim(b, tail, dim, combiner, /*mayUseLanes=*/false);
  return emitFold(b, tail, head, dim, combiner);
}

// Chunks of neighbours along an outer dim, then their results.
static SmallVector<Value> reduceInChunks(ImplicitLocOpBuilder &b,
                                         ArrayRef<Value> blocks, int64_t dim,
                                         int64_t chunk, Block &combiner) {
  SmallVector<int64_t> split(getShape(blocks[0])), folded(split);
  folded[dim] = split[dim] / chunk;
  split[dim] = folded[dim];
  split.insert(split.begin() + dim + 1, chunk);
  SmallVector<Value> parts;
  for (Value block : blocks)
    parts.push_back(lowerReshape(b, block, split));
  parts = reduceDim(b, parts, dim + 1, combiner, /*mayUseLanes=*/false);
  for (Value &part : parts)
    part = lowerReshape(b, part, folded);
  return reduceDim(b, parts, dim, combiner);
}

// Every `lanes`-th position of `dim`, for each of the first `lanes`.
static SmallVector<Value> reduceToLanes(ImplicitLocOpBuilder &b,
                                        ArrayRef<Value> blocks, int64_t dim,
                                        int64_t lanes, Block &combiner) {
  SmallVector<int64_t> split(getShape(blocks[0])), folded(split);
  split[dim] = split[dim] / lanes;
  split.insert(split.begin() + dim + 1, lanes);
  folded[dim] = lanes;
  SmallVector<Value> parts;
  for (Value block : blocks)
    parts.push_back(lowerReshape(b, block, split));
  parts = reduceDim(b, parts, dim, combiner);
  for (Value &part : parts)
    part = lowerReshape(b, part, folded);
  return parts;
}

static SmallVector<Value> reduceDim(ImplicitLocOpBuilder &b,
                                    ArrayRef<Value> blocks, int64_t dim,
                                    Block &combiner, bool mayUseLanes) {
  SmallVector<int64_t> shape(getShape(blocks[0]));
  int64_t extent = shape[dim];
  if (extent == 1)
    return SmallVector<Value>(blocks);

  bool isInnermost = llvm::all_of(ArrayRef<int64_t>(shape).drop_front(dim + 1),
                                  [](int64_t size) { return size == 1; });
  int64_t lanes = isInnermost && mayUseLanes ? chooseLanes(extent) : 1;
  if (mayUseLanes && extent > maxChain && lanes == 1) {
    int64_t part = isInnermost ? 16 : maxChain / 2;
    if (extent % part != 0)
      return reduceInTwo(b, blocks, dim, extent - extent % part, combiner);
    if (!isInnermost)
      return reduceInChunks(b, blocks, dim, part, combiner);
  }
  if (lanes > 1) {
    SmallVector<Value> parts = reduceToLanes(b, blocks, dim, lanes, combiner);
    while (extent > maxChain && lanes % 8 == 0) {
      lanes /= 2;
      parts = reduceToLanes(b, parts, dim, lanes, combiner);
    }
    return reduceDim(b, parts, dim, combiner, /*mayUseLanes=*/false);
  }

  SmallVector<int64_t> stateShape(shape);
  stateShape[dim] = 1;
  SmallVector<Value> states, rest;
  if (std::optional<SmallVector<TypedAttr>> neutral = getNeutral(combiner)) {
    for (auto [block, value] : llvm::zip_equal(blocks, *neutral)) {
      Value scalar = arith::ConstantOp::create(b, value);
      Value empty =
          tensor::EmptyOp::create(b, stateShape, scalar.getType());
      states.push_back(
          linalg::FillOp::create(b, scalar, empty)->getResult(0));
    }
    rest = llvm::to_vector(blocks);
  } else {
    for (Value block : blocks) {
      states.push_back(sliceDim(b, block, dim, b.getIndexAttr(0), 1));
      rest.push_back(sliceDim(b, block, dim, b.getIndexAttr(1), extent - 1));
    }
  }
  return emitFold(b, rest, states, dim, combiner);
}

SmallVector<Value> tilefuse::lowerReduce(ImplicitLocOpBuilder &b,
                                         tile::ReduceOp op) {
  SmallVector<Value> blocks(op.getInputs());
  for (int64_t dim : op.getDims())
    blocks = reduceDim(b, blocks, dim, op.getCombiner().front());
  return blocks;
}

// A loop along the dim carries the states; each step combines a slice.
SmallVector<Value> tilefuse::lowerScan(ImplicitLocOpBuilder &b,
                                       tile::ScanOp op) {
  SmallVector<Value> blocks(op.getInputs());
  int64_t dim = op.getDim();
  int64_t extent = getShape(blocks[0])[dim];
  unsigned count = blocks.size();
  auto constant = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(b, value);
  };
  Value first = constant(op.getReverse() ? extent - 1 : 0);
  SmallVector<Value> carried;
  for (Value block : blocks)
    carried.push_back(sliceDim(b, block, dim, first, 1));
  auto insert = [&](ImplicitLocOpBuilder &b, Value slice, Value into,
                    Value position) -> Value {
    ArrayRef<int64_t> shape = getShape(slice);
    SmallVector<OpFoldResult> offsets(shape.size(), b.getIndexAttr(0));
    SmallVector<OpFoldResult> strides(shape.size(), b.getIndexAttr(1));
    offsets[dim] = position;
    return tensor::InsertSliceOp::create(
        b, slice, into, offsets,
        getAsIndexOpFoldResult(b.getContext(), shape), strides);
  };
  for (unsigned i = 0; i < count; ++i) {
    Value empty = tensor::EmptyOp::create(
        b, getShape(blocks[i]), getElementTypeOrSelf(blocks[i].getType()));
    carried.push_back(insert(b, carried[i], empty, first));
  }

  auto loop = scf::ForOp::create(b, constant(1), constant(extent), constant(1),
                                 carried);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Value position = loop.getInductionVar();
  if (op.getReverse())
    position = arith::SubIOp::create(b, first, position);
  SmallVector<Value> next;
  for (Value block : blocks)
    next.push_back(sliceDim(b, block, dim, position, 1));
  ValueRange args = loop.getRegionIterArgs();
  int64_t rank = getShape(blocks[0]).size();
  SmallVector<AffineMap> maps(2 * count, AffineMap::getMultiDimIdentityMap(
                                             rank, b.getContext()));
  auto step = linalg::GenericOp::create(
      b, TypeRange(args.take_front(count)), next, args.take_front(count), maps,
      SmallVector<utils::IteratorType>(rank, utils::IteratorType::parallel),
      [&](OpBuilder &inner, Location loc, ValueRange values) {
        linalg::YieldOp::create(
            inner, loc,
            inlineCombiner(inner, op.getCombiner().front(),
                           values.drop_front(count),
                           values.take_front(count)));
      });
  SmallVector<Value> yielded(step.getResults());
  for (unsigned i = 0; i < count; ++i)
    yielded.push_back(insert(b, step.getResult(i), args[count + i], position));
  scf::YieldOp::create(b, yielded);
  return SmallVector<Value>(loop.getResults().drop_front(count));
}
