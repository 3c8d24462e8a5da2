//===- PartialTiling.cpp - merging partial states ---------------*- C++ -*-===//
//
// A reduction that crosses program instances leaves one partial state per
// instance in memory, `[slots, parallel dims...]` per accumulator. Whoever
// needs the result merges the slots in their order: same inputs, same bits.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "passes/Tiling/BlockReduction.h"

using namespace mlir;
using namespace tilefuse;

/// Elements of a state that one step of the merge holds.
static constexpr int64_t elementsPerStep = 4096;

static SmallVector<Value> mergeSlots(BlockEmitter &emitter, Location loc,
                                     const PartialStates &states,
                                     ArrayRef<SliceDim> points,
                                     ArrayRef<TypedAttr> neutral,
                                     fuse::BlockReducer::CombineFn combine) {
  OpBuilder &b = emitter.getBuilder();
  int64_t elements = 1;
  for (const SliceDim &part : points)
    elements *= part.extent;
  int64_t chunk =
      std::min(states.slots, std::max<int64_t>(1, elementsPerStep / elements));
  if (emitter.wantsPowersOfTwo())
    chunk = states.slots <= chunk ? llvm::PowerOf2Ceil(chunk)
                                  : llvm::bit_floor(uint64_t(chunk));
  // Every step adds a chunk of slots to a block of as many running states,
  // which are reduced once, after the last.
  SmallVector<int64_t> pointShape = getExtents(points), stateShape{chunk};
  llvm::append_range(stateShape, pointShape);
  SmallVector<Value> inits;
  int64_t count = llvm::divideCeil(states.slots, chunk);
  if (count > 1)
    for (TypedAttr attribute : neutral)
      inits.push_back(emitter.splat(loc, attribute, stateShape));
  auto merged = emitter.emitLoops(
      loc, {count}, inits,
      [&](ArrayRef<Coord> counters,
          ValueRange carried) -> FailureOr<SmallVector<Value>> {
        Slice slice{{counters[0] * chunk, chunk, 1}};
        llvm::append_range(slice, points);
        SmallVector<int64_t> bounds(slice.size(), INT64_MAX);
        bounds[0] = states.slots;
        SmallVector<bool> masked(slice.size(), false);
        masked[0] = true;
        Value mask = emitter.emitBoundsMask(loc, slice, bounds, masked);
        SmallVector<Value> blocks;
        for (auto [view, attribute] : llvm::zip(states.views, neutral))
          blocks.push_back(
              view ? emitter.select(loc, mask, emitter.load(loc, view, slice),
                                    attribute)
                   : emitter.splat(loc, attribute, getExtents(slice)));
        return carried.empty() ? blocks : combine(b, loc, carried, blocks);
      });
  if (chunk > 1)
    merged = emitBlockReduction(b, loc, *merged, {0}, combine);
  for (Value &value : *merged)
    value = emitter.reshape(loc, value, pointShape);
  return *merged;
}

FailureOr<SmallVector<Value>>
tilefuse::mergePartials(BlockEmitter &emitter, Operation *op,
                        const PartialStates &states, unsigned result,
                        const Slice &slice) {
  OpBuilder &b = emitter.getBuilder();
  Location loc = op->getLoc();
  if (auto contraction = dyn_cast<fuse::ContractionOpInterface>(op)) {
    auto zero = cast<TypedAttr>(b.getZeroAttr(contraction.getSumType()));
    auto add = [](OpBuilder &b, Location loc, ValueRange lhs, ValueRange rhs) {
      return SmallVector<Value>{
          arith::AddFOp::create(b, loc, lhs[0], rhs[0]).getResult()};
    };
    SmallVector<Value> sum = mergeSlots(emitter, loc, states, slice, zero, add);
    Type type = getElementTypeOrSelf(op->getResult(0).getType());
    if (type != contraction.getSumType())
      sum[0] = arith::TruncFOp::create(
          b, loc, emitter.getBlockType(getExtents(slice), type), sum[0]);
    return sum;
  }
  auto reduction = cast<fuse::ReductionOpInterface>(op);
  const SpaceForm &form = emitter.getForm(op);
  std::optional<Slice> iterations =
      getIterations(form, result, slice, emitter.getVars());
  if (!iterations)
    return op->emitOpError("tiling: its result map is not a rearrangement of "
                           "its dims");
  unsigned numParallel = form.space.getNumParallel();
  Slice points(iterations->begin(), iterations->begin() + numParallel);
  auto combine = [&](OpBuilder &b, Location loc, ValueRange lhs,
                     ValueRange rhs) {
    return reduction.combine(b, loc, lhs, rhs);
  };
  SmallVector<Value> state =
      mergeSlots(emitter, loc, states, points, reduction.getNeutral(), combine);
  SmallVector<int64_t> shape = getExtents(points);
  shape.resize(form.getNumDims(), 1);
  for (Value &value : state)
    value = emitter.reshape(loc, value, shape);
  return finalizeReduction(emitter, reduction, *iterations, state, slice);
}
