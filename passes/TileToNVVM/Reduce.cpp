//===- Reduce.cpp - reductions within a thread and its warp -------*- C++ -*-===//
//
// Elements that fold together are found by layout: registers whose coordinates
// agree outside the reduced dims, then lanes. Each thread folds its registers as
// a balanced tree in register order; then every lane bit that stands for a
// reduced coordinate is one butterfly exchange, after which both lanes hold the
// same state. The lane with the bit clear is the left operand in both, so that a
// combiner that rounds asymmetrically still leaves equal bits. The order depends
// on shape and layout only.
//
// Where the result's layout gives such a lane bit a coordinate that was a
// register bit, lanes divide what they hold: each sends the half that it does not
// keep, so that 2^n registers over n lane bits take 2^n - 1 exchanges in all.
//
// Warps do not meet here: `tile-assign-layouts` writes a fold across warps as a
// shared tile of partials and a second reduction.
//
//===----------------------------------------------------------------------===//

#include "passes/TileToNVVM/KernelEmitter.h"

#include <functional>

using namespace mlir;

namespace tilefuse {

FailureOr<Partial> KernelEmitter::emitCombine(Region &combiner,
                                              const Partial &lhs,
                                              const Partial &rhs) {
  Registers arguments(lhs.state);
  llvm::append_range(arguments, rhs.state);
  FailureOr<Registers> both = inlineRegion(combiner, arguments);
  if (failed(both))
    return failure();
  Partial result{*both, Value()};
  Location loc = combiner.getLoc();
  if (!lhs.valid && !rhs.valid)
    return result;
  // Where one side is void the other is the result.
  for (auto [i, value] : llvm::enumerate(result.state)) {
    if (rhs.valid)
      value = arith::SelectOp::create(builder, loc, rhs.valid, value,
                                      lhs.state[i]);
    if (lhs.valid)
      value = arith::SelectOp::create(builder, loc, lhs.valid, value,
                                      rhs.state[i]);
  }
  if (lhs.valid && rhs.valid)
    result.valid = arith::OrIOp::create(builder, loc, lhs.valid, rhs.valid);
  return result;
}

/// A single commutative arith op: operands need no order.
static bool isPlainCombiner(Region &combiner) {
  Block &block = combiner.front();
  if (llvm::range_size(block) != 2)
    return false;
  Operation &op = block.front();
  return op.getNumOperands() == 2 &&
         (op.hasTrait<OpTrait::IsCommutative>() ||
          isa<arith::AddFOp, arith::MulFOp, arith::MaximumFOp,
              arith::MinimumFOp, arith::MaxNumFOp, arith::MinNumFOp>(op));
}

/// Folds each of `groups` to one state, then over lane bits, each of which takes
/// the place of a register bit: groups with that bit set end up empty.
LogicalResult KernelEmitter::divideLanes(
    tile::ReduceOp op, ArrayRef<std::pair<unsigned, int64_t>> divided,
    MutableArrayRef<SmallVector<Partial>> groups,
    llvm::function_ref<FailureOr<Partial>(ArrayRef<Partial>)> fold) {
  if (divided.empty())
    return success();
  Location loc = op.getLoc();
  for (SmallVector<Partial> &parts : groups) {
    if (parts.empty())
      continue;
    FailureOr<Partial> folded = fold(parts);
    if (failed(folded))
      return failure();
    if (folded->valid)
      return op.emitOpError("divides lanes over a padded block");
    parts.assign({*folded});
  }
  for (auto [bit, half] : divided) {
    Value isUpper = sums->getParity(int64_t(1) << bit);
    for (auto [index, parts] : llvm::enumerate(groups)) {
      if ((index & half) || parts.empty())
        continue;
      SmallVector<Partial> &upper = groups[index | half];
      if (upper.empty())
        return op.emitOpError("divides lanes over a padded block");
      Partial kept, other;
      for (auto [low, high] :
           llvm::zip_equal(parts.front().state, upper.front().state)) {
        kept.state.push_back(
            arith::SelectOp::create(builder, loc, isUpper, high, low));
        Value sent = arith::SelectOp::create(builder, loc, isUpper, low, high);
        other.state.push_back(emitShuffleXor(loc, sent, int64_t(1) << bit));
      }
      FailureOr<Partial> both = emitCombine(op.getCombiner(), kept, other);
      if (failed(both))
        return failure();
      parts.assign({*both});
      upper.clear();
    }
  }
  return success();
}

LogicalResult KernelEmitter::emitReduce(tile::ReduceOp op) {
  auto inType = cast<RankedTensorType>(op.getInputs().front().getType());
  auto outType = cast<RankedTensorType>(op.getOutputs().front().getType());
  FailureOr<tile::DistributedLayout> in = getLayout(op, inType);
  FailureOr<tile::DistributedLayout> out = getLayout(op, outType);
  if (failed(in) || failed(out))
    return failure();
  for (Value input : op.getInputs())
    if (get(input).size() != size_t(in->getNumRegisters()))
      return op.emitOpError("has inputs of different layouts");

  // Lane bits to fold over, and the checks that nothing else needs to move.
  ArrayRef<int64_t> dims = op.getDims();
  SmallVector<unsigned> laneBits;
  auto isReduced = [&](const tile::DistributedLayout::Basis &basis,
                       bool &mixed) {
    bool inside = false, outside = false;
    for (auto [dim, step] : llvm::enumerate(basis))
      if (step != 0)
        (llvm::is_contained(dims, int64_t(dim)) ? inside : outside) = true;
    mixed = inside && outside;
    return inside;
  };
  for (auto [bit, basis] :
       llvm::enumerate(in->getBases(tile::Hardware::Lane))) {
    bool mixed;
    if (isReduced(basis, mixed))
      laneBits.push_back(bit);
    if (mixed)
      return op.emitOpError("reduces over a lane bit that also stands for a "
                            "coordinate that stays");
  }
  for (const auto &basis : in->getBases(tile::Hardware::Warp)) {
    bool mixed;
    if (isReduced(basis, mixed))
      return op.emitOpError("reduces over coordinates spread over warps; "
                            "expected a shared tile of partials");
  }
  std::optional<tile::DistributedLayout> sliced = in->slice(dims);
  if (!sliced)
    return op.emitOpError("has an input whose layout has no slice: ") << inType;
  // Register bits whose place a lane bit takes.
  SmallVector<std::pair<unsigned, int64_t>> divided;
  tile::DistributedLayout::Bases slicedRegisters =
      sliced->getBases(tile::Hardware::Register);
  for (auto [bit, basis] :
       llvm::enumerate(out->getBases(tile::Hardware::Lane))) {
    auto given = llvm::find(slicedRegisters, basis);
    if (!llvm::is_contained(laneBits, bit) || given == slicedRegisters.end() ||
        llvm::all_of(basis, [](int64_t step) { return step == 0; }))
      continue;
    divided.push_back({bit, int64_t(1) << (given - slicedRegisters.begin())});
    llvm::erase(laneBits, bit);
  }
  auto sources = tile::getRegisterMap(
      *sliced, *out, outType.getShape(),
      [](ArrayRef<int64_t> coords) { return tile::Coords(coords); });
  if (!divided.empty()) {
    sources.emplace();
    for (int64_t reg = 0; reg < out->getNumRegisters(); ++reg)
      sources->push_back(sliced->getHolder(out->getCoords(reg, 0, 0)).reg);
  }
  if (!sources)
    return op.emitOpError("has a result whose layout is not the slice of its "
                          "input's: ")
           << inType << " to " << outType;

  // Registers of each result register, in order.
  BlockCoords coords(*in, *sums);
  Location loc = op.getLoc();
  uint64_t copies = in->getReplicationMask(tile::Hardware::Register);
  SmallVector<SmallVector<Partial>> groups(sliced->getNumRegisters());
  for (int64_t reg = 0; reg < in->getNumRegisters(); ++reg) {
    if ((reg & copies) || coords.isPadding(inType.getShape(), reg))
      continue;
    tile::Coords kept = in->getCoords(reg, 0, 0);
    for (int64_t dim : dims)
      kept[dim] = 0;
    Partial partial;
    for (Value input : op.getInputs())
      partial.state.push_back(get(input)[reg]);
    // Padding of the dims that stay makes void results, which nobody reads.
    SmallVector<int64_t> reducedShape(inType.getShape());
    for (auto [dim, size] : llvm::enumerate(reducedShape))
      if (!llvm::is_contained(dims, int64_t(dim)))
        size = in->getExtent(dim);
    partial.valid = emitIsReal(loc, coords, reducedShape, reg);
    groups[sliced->getHolder(kept).reg].push_back(std::move(partial));
  }

  Region &combiner = op.getCombiner();
  bool plain = isPlainCombiner(combiner);
  // Depth first: few states are live at a time.
  std::function<FailureOr<Partial>(ArrayRef<Partial>)> foldTree =
      [&](ArrayRef<Partial> parts) -> FailureOr<Partial> {
    if (parts.size() == 1)
      return parts.front();
    size_t half = llvm::PowerOf2Ceil(parts.size()) / 2;
    FailureOr<Partial> left = foldTree(parts.take_front(half));
    FailureOr<Partial> right = foldTree(parts.drop_front(half));
    if (failed(left) || failed(right))
      return failure();
    return emitCombine(combiner, *left, *right);
  };
  if (failed(divideLanes(op, divided, groups, foldTree)))
    return failure();
  SmallVector<Registers> results(op.getNumResults());
  for (int64_t reg = 0; reg < sliced->getNumRegisters(); ++reg) {
    SmallVector<Partial> &parts = groups[reg];
    if (parts.empty()) { // padding, or a copy of another register
      for (auto [i, result] : llvm::enumerate(results))
        result.push_back(zero(
            loc, getScalarType(op.getOutputs()[i].getType())));
      continue;
    }
    FailureOr<Partial> folded = foldTree(parts);
    if (failed(folded))
      return failure();
    Partial partial = *folded;
    for (unsigned bit : laneBits) {
      int64_t mask = int64_t(1) << bit;
      Partial other;
      for (Value value : partial.state)
        other.state.push_back(emitShuffleXor(loc, value, mask));
      if (partial.valid)
        other.valid = emitShuffleXor(loc, partial.valid, mask);
      Partial left = partial, right = other;
      if (!plain) {
        Value isRight = sums->getParity(mask);
        auto choose = [&](Value own, Value theirs) -> Value {
          return arith::SelectOp::create(builder, loc, isRight, theirs, own);
        };
        for (auto [i, value] : llvm::enumerate(partial.state)) {
          left.state[i] = choose(value, other.state[i]);
          right.state[i] = choose(other.state[i], value);
        }
        if (partial.valid) {
          left.valid = choose(partial.valid, other.valid);
          right.valid = choose(other.valid, partial.valid);
        }
      }
      FailureOr<Partial> both = emitCombine(combiner, left, right);
      if (failed(both))
        return failure();
      partial = *both;
    }
    for (auto [result, value] : llvm::zip_equal(results, partial.state))
      result.push_back(value);
  }
  for (auto [i, output] : llvm::enumerate(op.getOutputs())) {
    Registers registers;
    for (int64_t source : *sources)
      registers.push_back(results[i][std::max<int64_t>(source, 0)]);
    set(output, registers);
  }
  return success();
}

} // namespace tilefuse
