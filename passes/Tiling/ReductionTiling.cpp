//===- ReductionTiling.cpp - blocks of reductions ---------------*- C++ -*-===//
//
// Any op that lifts elements to a state, combines states and finalizes one. Its
// reduction dims are covered in up to three nested ways:
//
//   in a block  the dim is a dim of the block: tile.reduce (softmax over the
//               channels of a tile; a pooling window, seen as row * 4 + tap)
//   as taps     the dim shares an index sum with a parallel dim and windows
//               overlap, leave gaps or are padded: unrolled, one strided read
//               or window of a patch per tap, states combined one by one
//   in a loop   what the schedule's step does not cover: scf.for that carries
//               the state
//
// The order of combination is fixed by shape and schedule.
//
// Blocks keep the dims in the order in which the first operand has them, so
// that reducing the channels of an n, c, h, w tile moves nothing: the space of
// the op is permuted to that order at the start, and the state back at the end.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "passes/Tiling/BlockReduction.h"
#include "passes/Tiling/OperandReader.h"
#include "passes/Tiling/ResidueSplitting.h"

using namespace mlir;
using namespace tilefuse;

namespace {

constexpr int64_t maxUnrolledTaps = 64;
/// The same for each of the classes that a division makes.
constexpr int64_t maxTapsOfClass = 16;

/// The iteration dims as they run along the first operand, outermost first.
SmallVector<unsigned> getOperandOrder(const SpaceForm &form) {
  SmallVector<unsigned> order;
  auto append = [&](unsigned dim) {
    if (!llvm::is_contained(order, dim))
      order.push_back(dim);
  };
  for (const auto &dimForm : form.operands.front().dims) {
    if (!dimForm)
      continue;
    SmallVector<unsigned> dims = dimForm->getDims();
    llvm::sort(dims, [&](unsigned lhs, unsigned rhs) {
      int64_t left = dimForm->coefficients[lhs];
      int64_t right = dimForm->coefficients[rhs];
      return left != right ? left > right : lhs < rhs;
    });
    llvm::for_each(dims, append);
  }
  for (unsigned dim = 0; dim < form.getNumDims(); ++dim)
    append(dim);
  return order;
}

class ReductionTiling {
public:
  ReductionTiling(BlockEmitter &emitter, fuse::ReductionOpInterface op,
                  Slice iterations)
      : emitter(emitter), b(emitter.getBuilder()), op(op), loc(op.getLoc()),
        order(getOperandOrder(emitter.getForm(op))),
        form(emitter.getForm(op).getPermuted(order)), reader(emitter, op, form),
        neutral(op.getNeutral()) {
    for (unsigned dim : order)
      this->iterations.push_back(iterations[dim]);
  }

  void chooseSteps();
  /// Takes the reduction dims as `iterations` has them, in one block.
  void takeWhole();
  FailureOr<SmallVector<Value>> emitState();
  /// The states of single elements, as blocks of getElementShape().
  FailureOr<SmallVector<Value>> emitElements();
  SmallVector<int64_t> getElementShape() const {
    return getExtents(iterations);
  }
  /// The innermost reduction dims, as dims of getElementShape(): as few as leave
  /// `most` elements. None where all would be needed.
  SmallVector<int64_t> getInnerDims(int64_t most) const;
  /// Combines blocks of states along the reduction dims.
  SmallVector<Value> combineElements(ValueRange states);

private:
  SmallVector<Value> restoreOrder(SmallVector<Value> state);
  bool sharesSum(unsigned dim) const;
  bool isDivided(unsigned dim) const;
  void divideDims();
  bool isBeyond(const Slice &tap) const;
  std::optional<SliceDim> getHeld(unsigned dim) const;
  bool isReadable(const Slice &box) const;
  Slice getBox(ArrayRef<Coord> counters) const;
  FailureOr<SmallVector<Value>> emitSteps(ArrayRef<int64_t> counts,
                                          ArrayRef<int64_t> shape,
                                          ArrayRef<Coord> counters);
  FailureOr<SmallVector<Value>> emitStep(const Slice &box);
  FailureOr<SmallVector<Value>> emitTap(const Slice &tap);
  Value emitMask(const Slice &tap);

  BlockEmitter &emitter;
  OpBuilder &b;
  fuse::ReductionOpInterface op;
  Location loc;
  SmallVector<unsigned> order;
  SpaceForm form;
  Slice iterations;
  OperandReader reader;
  SmallVector<TypedAttr> neutral;
  SmallVector<bool> isTap;
  /// First tap of divided dims, whose taps are iterations[dim].step apart.
  SmallVector<std::optional<Coord>> firstTap;
  /// 1 where a division without taps is not exact.
  SmallVector<Coord> outside;
  SmallVector<int64_t> step, count;
};

bool ReductionTiling::sharesSum(unsigned dim) const {
  for (const AccessForm &access : form.operands)
    for (const auto &dimForm : access.dims)
      if (dimForm && dimForm->coefficients[dim] != 0 &&
          dimForm->getDims().size() > 1)
        return true;
  return false;
}

bool ReductionTiling::isDivided(unsigned dim) const {
  for (const AccessForm &access : form.operands)
    for (auto [dimForm, divisor] : llvm::zip(access.dims, access.divisors))
      if (divisor != 1 && dimForm && dimForm->coefficients[dim] != 0)
        return true;
  return false;
}

/// Taps of which only every so many read an element start at the first that
/// does, which may be known at run time only.
void ReductionTiling::divideDims() {
  firstTap.assign(form.getNumDims(), std::nullopt);
  for (unsigned dim = 0; dim < form.getNumDims(); ++dim) {
    if (form.isReduction(dim))
      continue;
    std::optional<DividedDim> divided =
        divideDim(form, dim, iterations[dim], emitter.getVars(), b, loc);
    if (!divided || (divided->tap ? firstTap[*divided->tap].has_value()
                                  : divided->isOutside.isConstant()))
      continue;
    iterations[dim].base = divided->position;
    if (!divided->tap) {
      outside.push_back(divided->isOutside);
      continue;
    }
    iterations[*divided->tap].step = divided->tapStride;
    firstTap[*divided->tap] = divided->firstTap;
  }
}

/// Whether no element of `tap` takes part, whatever the variables are.
bool ReductionTiling::isBeyond(const Slice &tap) const {
  for (unsigned dim = 0; dim < form.getNumDims(); ++dim)
    if (form.isReduction(dim) &&
        tap[dim].base.getMin(emitter.getVars()) >= form.getBound(dim))
      return true;
  return false;
}

/// What the tile holds of a reduction dim, when that is all of it.
std::optional<SliceDim> ReductionTiling::getHeld(unsigned dim) const {
  for (auto [index, access] : llvm::enumerate(form.operands)) {
    const Slice *slice = emitter.getTileSlice(op->getOperand(index));
    if (!slice)
      continue;
    PartialIterations known(form.getNumDims());
    if (!propagateSlice(access, form, *slice, emitter.getVars(), known) ||
        !known[dim])
      continue;
    const SliceDim &part = *known[dim];
    if (part.base == Coord(0) && part.step == 1 &&
        part.extent >= form.getBound(dim))
      return part;
  }
  return std::nullopt;
}

bool ReductionTiling::isReadable(const Slice &box) const {
  for (unsigned index = 0; index < op->getNumOperands(); ++index)
    if (!reader.canRead(index, box) && !reader.isNeverRead(index, box))
      return false;
  return true;
}

Slice ReductionTiling::getBox(ArrayRef<Coord> counters) const {
  Slice box = iterations;
  for (unsigned dim = 0; dim < form.getNumDims(); ++dim)
    if (form.isReduction(dim)) {
      // A residue class goes in strides.
      int64_t stride = iterations[dim].step;
      box[dim] = {iterations[dim].base +
                      counters.front() * (step[dim] * stride),
                  step[dim], stride};
      counters = counters.drop_front();
    }
  return box;
}

void ReductionTiling::takeWhole() {
  isTap.assign(form.getNumDims(), false);
  step = getExtents(iterations);
  count.assign(form.getNumDims(), 1);
}

void ReductionTiling::chooseSteps() {
  takeWhole();
  divideDims();
  SmallVector<int64_t> given = emitter.getReductionSteps(op);
  unsigned numParallel = form.space.getNumParallel();
  bool divides = false;
  for (unsigned dim = 0; dim < form.getNumDims(); ++dim)
    divides |= form.isReduction(dim) && isDivided(dim);
  for (unsigned dim = 0; dim < form.getNumDims(); ++dim) {
    if (!form.isReduction(dim))
      continue;
    int64_t bound = form.getBound(dim);
    int64_t wanted = given[order[dim] - numParallel];
    step[dim] = std::clamp<int64_t>(wanted, 1, bound);
    if (std::optional<SliceDim> held = getHeld(dim)) {
      step[dim] = held->extent;
    } else if (sharesSum(dim)) {
      // A window. In registers of a GPU only powers of two are dims. Where one
      // dim is divided, whether its taps are read at all differs from tap to
      // tap: the probe below, which looks at the first, does not see what the
      // others need.
      isTap[dim] = divides || emitter.wantsPowersOfTwo();
    } else if (emitter.wantsPowersOfTwo()) {
      step[dim] = llvm::PowerOf2Ceil(step[dim]);
    }
  }
  // Windows that do not lie side by side become taps, the last dim first.
  auto probe = [&] {
    Slice box = iterations;
    for (unsigned dim = 0; dim < form.getNumDims(); ++dim)
      if (form.isReduction(dim))
        box[dim] = {firstTap[dim].value_or(Coord(0)),
                    isTap[dim] ? 1 : step[dim], 1};
    return isReadable(box);
  };
  for (unsigned dim = form.getNumDims(); dim-- > 0 && !probe();)
    if (form.isReduction(dim) && sharesSum(dim))
      isTap[dim] = true;
  int64_t unrolled = 1;
  for (unsigned dim = form.getNumDims(); dim-- > 0;) {
    if (!form.isReduction(dim))
      continue;
    int64_t bound = form.getBound(dim);
    if (isTap[dim]) {
      step[dim] = std::min(step[dim], bound);
      if (firstTap[dim]) {
        int64_t first = firstTap[dim]->getMin(emitter.getVars());
        bound = std::max<int64_t>(
            1, llvm::divideCeil(std::max<int64_t>(bound - first, 0),
                                iterations[dim].step));
        step[dim] = bound;
      }
      // Which taps take part must be known.
      if (isDivided(dim) && !firstTap[dim])
        step[dim] = bound;
      else if (unrolled * step[dim] >
               (isDivided(dim) ? maxTapsOfClass : maxUnrolledTaps))
        step[dim] = 1;
      while (bound % step[dim] != 0)
        --step[dim];
      unrolled *= step[dim];
    }
    count[dim] = llvm::divideCeil(bound, step[dim]);
    iterations[dim].base = firstTap[dim].value_or(Coord(0));
  }
}

/// Which elements take part: those inside the reduction's bounds; for a
/// reduction that knows positions, padding too is as if it were not there.
Value ReductionTiling::emitMask(const Slice &tap) {
  SmallVector<bool> reduced(form.space.isReduction);
  Value mask = emitter.emitBoundsMask(loc, tap, form.space.bounds, reduced);
  for (const Coord &isOutside : outside)
    mask = emitter.conjoin(loc, mask, isOutside, getExtents(tap));
  if (!op.needsReductionIndex())
    return mask;
  for (const AccessForm &access : form.operands) {
    if (!access.fill || access.fill != neutral.front())
      continue;
    std::optional<LabelledSlice> touched = getTouched(access, tap);
    if (!touched)
      continue;
    SmallVector<bool> all(access.shape.size(), true);
    Value inside =
        emitter.emitBoundsMask(loc, touched->slice, access.shape, all);
    if (!inside)
      continue;
    SmallVector<unsigned> dims;
    SmallVector<int64_t> shape;
    for (const auto &shared : touched->labels)
      for (unsigned dim : shared) {
        dims.push_back(dim);
        shape.push_back(tap[dim].extent);
      }
    inside = emitter.reshape(loc, inside, shape);
    inside = emitter.align(loc, inside, dims, getExtents(tap));
    mask =
        mask ? arith::AndIOp::create(b, loc, mask, inside).getResult() : inside;
  }
  return mask;
}

FailureOr<SmallVector<Value>> ReductionTiling::emitTap(const Slice &tap) {
  SmallVector<Value> elements;
  for (unsigned index = 0; index < op->getNumOperands(); ++index) {
    FailureOr<Value> block = reader.readAligned(index, tap, /*expand=*/true);
    if (failed(block))
      return failure();
    elements.push_back(*block);
  }
  Value mask = emitMask(tap);
  TileBlockReducer reducer(emitter, form, order, tap, mask);
  if (reducer.hasDims())
    return op.reduceBlock(b, loc, elements, reducer);
  Value index = op.needsReductionIndex() ? reducer.getIndex(b, loc) : Value();
  SmallVector<Value> state = op.lift(b, loc, elements, index);
  for (auto [value, attribute] : llvm::zip(state, neutral))
    value = emitter.select(loc, mask, value, attribute);
  return state;
}

FailureOr<SmallVector<Value>> ReductionTiling::emitStep(const Slice &box) {
  SmallVector<Slice> taps{box};
  for (unsigned dim = 0; dim < form.getNumDims(); ++dim) {
    if (!isTap[dim])
      continue;
    SmallVector<Slice> fixed;
    for (const Slice &tap : taps)
      for (int64_t value = 0; value < step[dim]; ++value) {
        fixed.push_back(tap);
        fixed.back()[dim] = {box[dim].base + Coord(value * box[dim].step), 1,
                             1};
      }
    taps = std::move(fixed);
  }
  // Direct loads of each tap keep blocks of a GPU powers of two.
  bool computed = false;
  for (Value operand : op->getOperands())
    computed |= !emitter.getView(operand);
  if (computed || !emitter.wantsPowersOfTwo())
    reader.planPatches(taps);
  SmallVector<Value> state;
  for (const Slice &tap : taps) {
    if (isBeyond(tap))
      continue;
    if (reader.isNeverRead(0, tap) && neutral.size() == 1 &&
        form.operands[0].fill == neutral.front())
      continue;
    FailureOr<SmallVector<Value>> part = emitTap(tap);
    if (failed(part))
      return failure();
    state = state.empty() ? *part : op.combine(b, loc, state, *part);
  }
  if (!state.empty())
    return state;
  SmallVector<int64_t> shape = getExtents(box);
  for (unsigned dim = 0; dim < form.getNumDims(); ++dim)
    if (form.isReduction(dim))
      shape[dim] = 1;
  for (TypedAttr attribute : neutral)
    state.push_back(emitter.splat(loc, attribute, shape));
  return state;
}

FailureOr<SmallVector<Value>> ReductionTiling::emitElements() {
  SmallVector<Value> elements;
  for (unsigned index = 0; index < op->getNumOperands(); ++index) {
    FailureOr<Value> block =
        reader.readAligned(index, iterations, /*expand=*/true);
    if (failed(block))
      return failure();
    elements.push_back(*block);
  }
  Value mask = emitMask(iterations);
  SmallVector<Value> state = op.lift(b, loc, elements, /*index=*/Value());
  for (auto [value, attribute] : llvm::zip(state, neutral))
    value = emitter.select(loc, mask, value, attribute);
  return state;
}

SmallVector<int64_t> ReductionTiling::getInnerDims(int64_t most) const {
  SmallVector<int64_t> dims;
  int64_t elements = ShapedType::getNumElements(getElementShape());
  bool leavesSome = false;
  for (unsigned dim = form.getNumDims(); dim-- > 0;) {
    int64_t extent = iterations[dim].extent;
    if (!form.isReduction(dim) || extent == 1)
      continue;
    leavesSome |= elements <= most;
    if (elements > most)
      dims.insert(dims.begin(), dim);
    elements /= extent;
  }
  return leavesSome ? dims : SmallVector<int64_t>();
}

SmallVector<Value> ReductionTiling::combineElements(ValueRange states) {
  TileBlockReducer reducer(emitter, form, order, iterations, /*mask=*/Value());
  SmallVector<Value> state(states);
  if (reducer.hasDims())
    state = reducer.reduce(b, loc, states,
                           [&](OpBuilder &b, Location loc, ValueRange lhs,
                               ValueRange rhs) {
                             return op.combine(b, loc, lhs, rhs);
                           });
  return restoreOrder(std::move(state));
}

FailureOr<SmallVector<Value>> ReductionTiling::emitState() {
  SmallVector<int64_t> counts, shape;
  for (unsigned dim = 0; dim < form.getNumDims(); ++dim) {
    shape.push_back(form.isReduction(dim) ? 1 : iterations[dim].extent);
    if (form.isReduction(dim))
      counts.push_back(count[dim]);
  }
  FailureOr<SmallVector<Value>> state = emitSteps(counts, shape, {});
  if (failed(state))
    return failure();
  return restoreOrder(std::move(*state));
}

/// The loops inside of `counters`. Each starts a state of its own, which is then
/// added to the outer one: what a sum loses grows with its length.
FailureOr<SmallVector<Value>>
ReductionTiling::emitSteps(ArrayRef<int64_t> counts, ArrayRef<int64_t> shape,
                           ArrayRef<Coord> counters) {
  if (counters.size() == counts.size())
    return emitStep(getBox(counters));
  SmallVector<Coord> inner(counters);
  int64_t steps = counts[counters.size()];
  if (steps == 1) {
    inner.push_back(Coord(0));
    return emitSteps(counts, shape, inner);
  }
  SmallVector<Value> inits;
  for (TypedAttr attribute : neutral)
    inits.push_back(emitter.splat(loc, attribute, shape));
  return emitter.emitLoops(
      loc, {steps}, inits,
      [&](ArrayRef<Coord> own,
          ValueRange carried) -> FailureOr<SmallVector<Value>> {
        inner.push_back(own.front());
        FailureOr<SmallVector<Value>> part = emitSteps(counts, shape, inner);
        inner.pop_back();
        if (failed(part))
          return failure();
        return op.combine(b, loc, carried, *part);
      });
}

/// Blocks of states, back in the op's own order of dims.
SmallVector<Value> ReductionTiling::restoreOrder(SmallVector<Value> state) {
  SmallVector<unsigned> kept;
  SmallVector<int64_t> keptShape, ownShape(form.getNumDims(), 1);
  for (auto [dim, own] : llvm::enumerate(order)) {
    int64_t extent = form.isReduction(dim) ? 1 : iterations[dim].extent;
    ownShape[own] = extent;
    if (extent == 1)
      continue;
    kept.push_back(own);
    keptShape.push_back(extent);
  }
  for (Value &value : state) {
    value = emitter.reshape(loc, value, keptShape);
    value = emitter.align(loc, value, kept, ownShape);
  }
  return state;
}

} // namespace

FailureOr<SmallVector<Value>> tilefuse::finalizeReduction(
    BlockEmitter &emitter, fuse::ReductionOpInterface op,
    const Slice &iterations, ValueRange state, const Slice &slice) {
  const SpaceForm &form = emitter.getForm(op);
  SmallVector<Value> blocks =
      op.finalize(emitter.getBuilder(), op.getLoc(), state);
  Slice points = iterations;
  for (unsigned dim = 0; dim < form.getNumDims(); ++dim)
    if (form.isReduction(dim))
      points[dim] = SliceDim();
  for (auto [index, block] : llvm::enumerate(blocks)) {
    std::optional<LabelledSlice> touched =
        getTouched(form.results[index], points);
    if (!touched)
      return op.emitOpError("tiling: result ")
             << index << " is not a rearrangement of its dims";
    block =
        emitter.unalign(op.getLoc(), block, touched->labels, getExtents(slice));
  }
  return blocks;
}

FailureOr<SmallVector<Value>>
tilefuse::tileReduction(BlockEmitter &emitter, fuse::ReductionOpInterface op,
                        unsigned result, const Slice &slice) {
  std::optional<Slice> iterations =
      getIterations(emitter.getForm(op), result, slice, emitter.getVars());
  if (!iterations)
    return op.emitOpError(
        "tiling: its result map is not a rearrangement of its "
        "dims that this tile follows");
  ReductionTiling tiling(emitter, op, *iterations);
  tiling.chooseSteps();
  FailureOr<SmallVector<Value>> state = tiling.emitState();
  if (failed(state))
    return failure();
  return finalizeReduction(emitter, op, *iterations, *state, slice);
}

FailureOr<SmallVector<Value>>
tilefuse::tileReductionPart(BlockEmitter &emitter,
                            fuse::ReductionOpInterface op,
                            const Slice &iterations) {
  ReductionTiling tiling(emitter, op, iterations);
  tiling.takeWhole();
  return tiling.emitState();
}

/// Registers that one thread gives to the states of one reduction.
static constexpr int64_t statesPerThread = 16;
/// The same where tiles are folded in part before they are added.
static constexpr int64_t foldedStatesPerThread = 4;

RunningReduction::RunningReduction(BlockEmitter &emitter,
                                   fuse::ReductionOpInterface op,
                                   const Slice &iterations)
    : emitter(emitter), op(op), iterations(iterations) {
  auto schedule = emitter.getKernel().getSchedule();
  int64_t threads = (schedule ? schedule->getWarps() : 4) * 32, elements = 1;
  for (const SliceDim &part : iterations)
    elements *= part.extent;
  bool isSingle =
      op.getAccumulatorTypes().size() == 1 && !op.needsReductionIndex();
  perElement = isSingle && elements <= statesPerThread * threads;
  if (isSingle && !perElement && emitter.wantsPowersOfTwo()) {
    // Neighbouring elements are in one warp: they meet in each tile, all others
    // behind the last.
    folded = ReductionTiling(emitter, op, iterations)
                 .getInnerDims(foldedStatesPerThread * threads);
    perElement = !folded.empty();
  }
}

SmallVector<Value> RunningReduction::getInits() {
  SmallVector<int64_t> shape;
  if (perElement) {
    shape = ReductionTiling(emitter, op, iterations).getElementShape();
    for (int64_t dim : folded)
      shape[dim] = 1;
  } else {
    const SpaceForm &form = emitter.getForm(op);
    for (auto [dim, part] : llvm::enumerate(iterations))
      shape.push_back(form.isReduction(dim) ? 1 : part.extent);
  }
  SmallVector<Value> inits;
  for (TypedAttr attribute : op.getNeutral())
    inits.push_back(emitter.splat(op.getLoc(), attribute, shape));
  return inits;
}

FailureOr<SmallVector<Value>> RunningReduction::add(ValueRange carried) {
  ReductionTiling tiling(emitter, op, iterations);
  tiling.takeWhole();
  FailureOr<SmallVector<Value>> part =
      perElement ? tiling.emitElements() : tiling.emitState();
  if (failed(part))
    return failure();
  if (!folded.empty())
    *part = emitBlockReduction(emitter.getBuilder(), op.getLoc(), *part, folded,
                               [&](OpBuilder &b, Location loc, ValueRange lhs,
                                   ValueRange rhs) {
                                 return op.combine(b, loc, lhs, rhs);
                               });
  return op.combine(emitter.getBuilder(), op.getLoc(), carried, *part);
}

SmallVector<Value> RunningReduction::finish(ValueRange carried) {
  if (!perElement)
    return SmallVector<Value>(carried);
  ReductionTiling tiling(emitter, op, iterations);
  tiling.takeWhole();
  return tiling.combineElements(carried);
}
