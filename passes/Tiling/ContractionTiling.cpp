//===- ContractionTiling.cpp - blocks of contractions -----------*- C++ -*-===//
//
// How a contraction becomes dots, from its iteration space alone.
//
// Every iteration dim gets one role:
//
//   tap         a dim that shares an index sum with another varying dim, like r
//               in oh*stride + r*dilation - padding. Fixing it leaves maps that
//               follow one dim each, so taps are unrolled: a sum over shifts.
//   batch       parallel, in both operands
//   lhs free    parallel, in one operand only
//   rhs free    parallel, in the other only
//   contracted  reduction, in both operands: the dot's K (any number of dims)
//
// Worked example, conv2d with a tile of 1 x 64 x 8 x 32 and 8 channels a step:
//   x at (n, ci, oh + r, ow + s), w at (co, ci, r, s)
//   taps r, s; lhs = w: free co; rhs = x: free oh, ow; contracted ci.
//   x is read once per step as a 1x8x10x34 patch, the union over the taps; tap
//   (r, s) takes the window at [.., r, s] of it and the slice [.., r, s] of w:
//   acc[co, oh, ow] += dot(w[co, ci], x[ci, oh, ow])
//
// The same rule, other ops:
//   matmul           no taps
//   weight gradient  in oh + r the reduction dim oh is the long one, so the
//                    parallel dim r is the tap: one accumulator per tap, all
//                    fed from one patch
//   depthwise        nothing is contracted: multiply and add, no dot
//   transposed conv  after residue splitting (ResidueSplitting.h) divisions are
//                    exact; a tap that leaves a remainder is dropped, or, where
//                    the class is known at run time only, taps start at its
//                    first and step by the divisor
//
// Few sums leave warps without rows or columns of their own, which would compute
// copies. Then a reduction dim, rows of pixels, say, is a batch of the dot: each warp
// sums over its part, and the parts are added behind the loop.
//
// Reduction dims advance in steps of the schedule by nested scf.for with the
// accumulators carried; what a last step reads past the end is zero.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "passes/Tiling/BlockReduction.h"
#include "passes/Tiling/ContractionRoles.h"
#include "passes/Tiling/JoinClasses.h"
#include "passes/Tiling/OperandReader.h"
#include "passes/Tiling/ResidueSplitting.h"
#include "passes/Tiling/SkewReduction.h"
#include <utility>

using namespace mlir;
using namespace tilefuse;

namespace {

/// Beyond this many unrolled taps the outer tap dims become loops: on a GPU,
/// and on the CPU, where what follows takes the third power of them.
constexpr int64_t maxUnrolledTaps = 256, maxUnrolledTapsCPU = 64;
/// Loops whose last step is code of its own, at most: each doubles the code.
constexpr unsigned mostPeeled = 2;

class ContractionTiling {
public:
  /// `form` is the op's own space, or what that was substituted by.
  ContractionTiling(BlockEmitter &emitter, fuse::ContractionOpInterface op,
                    SpaceForm form, Slice iterations, unsigned numClassDims)
      : emitter(emitter), b(emitter.getBuilder()), op(op), loc(op.getLoc()),
        form(std::move(form)), iterations(std::move(iterations)),
        readAt(this->iterations), reader(emitter, op, this->form),
        numClassDims(numClassDims) {}

  FailureOr<Value> run(const Slice &slice);

private:
  void chooseSteps();
  bool chooseResidue(unsigned dim);
  void divideDims();
  std::optional<Value> emitIsTap(const Slice &tap);
  bool varies(unsigned dim) const;
  /// All combinations of the unrolled dims selected by `reduction`.
  SmallVector<SmallVector<int64_t>> enumerate(bool reduction) const;
  Slice fix(const Slice &box, bool reduction, ArrayRef<int64_t> values) const;
  SmallVector<bool> getPeeledLoops(ArrayRef<int64_t> counts) const;
  bool isOneLoop(ArrayRef<int64_t> counts);
  FailureOr<SmallVector<Value>> emitNest(ArrayRef<int64_t> counts,
                                         ValueRange accumulators,
                                         BlockEmitter::LoopBody body);
  FailureOr<SmallVector<Value>> emitNested(ArrayRef<int64_t> counts,
                                           ArrayRef<bool> peeled,
                                           ArrayRef<Coord> outer,
                                           ValueRange accumulators);
  FailureOr<SmallVector<Value>> emitSteps(ArrayRef<int64_t> counts,
                                          ValueRange accumulators);
  FailureOr<SmallVector<Value>> emitStep(ArrayRef<Coord> counters,
                                         ValueRange accumulators);
  FailureOr<LabelledBlock> readOperand(unsigned index, const Slice &box);
  LogicalResult chooseShape(ArrayRef<unsigned> lhs, ArrayRef<unsigned> rhs);
  void choosePartialSums();
  /// The accumulator's dims: partial sums, batch, lhs free, rhs free.
  SmallVector<unsigned> getAccumulatorDims() const;
  int64_t getExtent(unsigned dim) const {
    return form.isReduction(dim) ? step[dim] : iterations[dim].extent;
  }
  Value emitProduct(LabelledBlock lhs, LabelledBlock rhs, Value accumulator);
  Value finish(Value accumulator);

  BlockEmitter &emitter;
  OpBuilder &b;
  fuse::ContractionOpInterface op;
  Location loc;
  const SpaceForm form;
  Slice iterations;
  /// `iterations` as operands are read at them: divisions are exact.
  Slice readAt;
  OperandReader reader;
  /// The first dims, which are residue classes.
  unsigned numClassDims;

  SmallVector<bool> isTap;
  /// First tap of dims of which a class takes every divisor-th, and that
  /// divisor; 0 and 1 for others.
  SmallVector<Coord> firstTap;
  SmallVector<int64_t> tapStride;
  SmallVector<bool> isStrided;
  /// 1 where a division without taps is not exact.
  SmallVector<Coord> outside;
  /// Per reduction dim (others 0): elements per step and number of steps.
  SmallVector<int64_t> step, count;
  /// Dims whose steps several instances share, and this one's first of them.
  SmallVector<bool> isSplit;
  SmallVector<Coord> splitBase;

  /// The shape of the dot: parallel dims in the accumulator's order, and the
  /// contracted dims. `swapped`: operand 1 is the dot's lhs.
  SmallVector<unsigned> batch, lhsFree, rhsFree, contracted;
  /// Reduction dims that the accumulator has until the end.
  SmallVector<unsigned> partial;
  bool swapped = false, chosen = false;
};

bool ContractionTiling::varies(unsigned dim) const {
  return !isTap[dim] &&
         (form.isReduction(dim) ? step[dim] : iterations[dim].extent) > 1;
}

/// Where the tile's residue class is known at run time only, taps are the first
/// that reads an element, and every divisor-th from there.
bool ContractionTiling::chooseResidue(unsigned dim) {
  for (const AccessForm &access : form.operands)
    for (auto [dimForm, divisor] : llvm::zip(access.dims, access.divisors)) {
      if (!dimForm || divisor == 1 || dimForm->coefficients[dim] == 0)
        continue;
      Coord numerator(dimForm->constant);
      for (unsigned other : dimForm->getDims())
        if (other != dim)
          numerator = numerator +
                      iterations[other].base * dimForm->coefficients[other];
      if (numerator.getResidue(divisor))
        continue;
      std::optional<Coord> first =
          numerator.splitByDivisor(divisor).second.divideExactly(
              -dimForm->coefficients[dim]);
      if (!first || first->getMin(emitter.getVars()) < 0 ||
          first->getMax(emitter.getVars()) >= divisor)
        continue;
      firstTap[dim] = *first;
      tapStride[dim] = divisor;
      isStrided[dim] = true;
      return true;
    }
  return false;
}

/// The same for any other division: positions are moved to where it is exact,
/// and taps past the bound stand for those where none is.
void ContractionTiling::divideDims() {
  for (unsigned dim = 0; dim < form.getNumDims(); ++dim) {
    if (form.isReduction(dim))
      continue;
    std::optional<DividedDim> divided =
        divideDim(form, dim, iterations[dim], emitter.getVars(), b, loc);
    if (!divided || (divided->tap ? isStrided[*divided->tap]
                                  : divided->isOutside.isConstant()))
      continue;
    readAt[dim].base = divided->position;
    if (!divided->tap) {
      outside.push_back(divided->isOutside);
      continue;
    }
    isStrided[*divided->tap] = true;
    firstTap[*divided->tap] = divided->firstTap;
    tapStride[*divided->tap] = divided->tapStride;
  }
}

/// Whether `tap` exists, where that depends on the residue class.
std::optional<Value> ContractionTiling::emitIsTap(const Slice &tap) {
  std::optional<Value> exists;
  auto conjoin = [&](const Coord &value, int64_t end) {
    Value position = value.emit(b, loc, emitter.getVars());
    Value limit = arith::ConstantIndexOp::create(b, loc, end);
    Value inside = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult,
                                         position, limit);
    exists = exists ? arith::AndIOp::create(b, loc, *exists, inside).getResult()
                    : inside;
  };
  for (unsigned dim = 0; dim < form.getNumDims(); ++dim)
    if (isStrided[dim] &&
        !tap[dim].isInside(form.getBound(dim), emitter.getVars()))
      conjoin(tap[dim].base, form.getBound(dim));
  for (const Coord &isOutside : outside)
    conjoin(isOutside, 1);
  return exists;
}

void ContractionTiling::chooseSteps() {
  firstTap.assign(form.getNumDims(), Coord(0));
  tapStride.assign(form.getNumDims(), 1);
  isStrided.assign(form.getNumDims(), false);
  step.assign(form.getNumDims(), 0);
  count.assign(form.getNumDims(), 1);
  SmallVector<int64_t> given = emitter.getReductionSteps(op);
  unsigned next = 0;
  for (unsigned dim = 0; dim < form.getNumDims(); ++dim)
    if (form.isReduction(dim))
      step[dim] = next < given.size() ? std::max<int64_t>(1, given[next++])
                                      : form.getBound(dim);
  SmallVector<int64_t> extents(step);
  for (unsigned dim = 0; dim < form.getNumDims(); ++dim)
    if (!form.isReduction(dim))
      extents[dim] = iterations[dim].extent;
  isTap = getTaps(form, extents);
  auto isDivided = [&](unsigned dim) {
    for (const AccessForm &access : form.operands)
      for (auto [dimForm, divisor] : llvm::zip(access.dims, access.divisors))
        if (divisor != 1 && dimForm && dimForm->coefficients[dim] != 0)
          return true;
    return false;
  };
  for (unsigned dim = 0; dim < form.getNumDims(); ++dim)
    if (form.isReduction(dim) && isTap[dim] && isDivided(dim))
      chooseResidue(dim);
  divideDims();
  int64_t unrolled = 1, most = emitter.wantsPowersOfTwo() ? maxUnrolledTaps
                                                          : maxUnrolledTapsCPU;
  for (unsigned dim = form.getNumDims(); dim-- > 0;) {
    if (!form.isReduction(dim))
      continue;
    int64_t bound = form.getBound(dim);
    // Matrix instructions are up to 16 deep; zeros fill what is missing.
    step[dim] = std::min<int64_t>(
        step[dim], emitter.wantsPowersOfTwo() && !isTap[dim]
                       ? std::max<int64_t>(llvm::PowerOf2Ceil(bound), 16)
                       : bound);
    if (isTap[dim]) {
      if (isDivided(dim)) {
        int64_t first = firstTap[dim].getMin(emitter.getVars());
        bound = std::max<int64_t>(
            1, llvm::divideCeil(std::max<int64_t>(bound - first, 0),
                                tapStride[dim]));
        step[dim] = bound;
      }
      // Which taps take part must be known.
      bool isKnown = !isDivided(dim) || isStrided[dim];
      if (isKnown && unrolled * step[dim] > most)
        step[dim] = std::max<int64_t>(1, most / unrolled);
      while (bound % step[dim] != 0)
        --step[dim];
      unrolled *= step[dim];
    }
    count[dim] = llvm::divideCeil(bound, step[dim]);
  }
  isSplit.assign(form.getNumDims(), false);
  splitBase.assign(form.getNumDims(), Coord(0));
  for (const SplitRange &split : emitter.getSplit(op)) {
    unsigned dim = split.dim;
    isSplit[dim] = true;
    count[dim] = llvm::divideCeil(count[dim], split.count);
    splitBase[dim] = Coord::ofVar(split.var, count[dim] * step[dim]);
  }
}

SmallVector<SmallVector<int64_t>>
ContractionTiling::enumerate(bool reduction) const {
  SmallVector<SmallVector<int64_t>> combinations{{}};
  for (unsigned dim = 0; dim < form.getNumDims(); ++dim) {
    if (!isTap[dim] || form.isReduction(dim) != reduction)
      continue;
    int64_t extent = reduction ? step[dim] : iterations[dim].extent;
    SmallVector<SmallVector<int64_t>> longer;
    for (const auto &combination : combinations)
      for (int64_t value = 0; value < extent; ++value) {
        longer.push_back(combination);
        longer.back().push_back(value);
      }
    combinations = std::move(longer);
  }
  return combinations;
}

Slice ContractionTiling::fix(const Slice &box, bool reduction,
                             ArrayRef<int64_t> values) const {
  Slice fixed = box;
  for (unsigned dim = 0; dim < form.getNumDims(); ++dim)
    if (isTap[dim] && form.isReduction(dim) == reduction) {
      fixed[dim] = {box[dim].base + Coord(values.front() * box[dim].step), 1,
                    1};
      values = values.drop_front();
    }
  return fixed;
}

FailureOr<LabelledBlock> ContractionTiling::readOperand(unsigned index,
                                                        const Slice &box) {
  FailureOr<LabelledBlock> read = reader.read(index, box);
  if (failed(read))
    return failure();
  // A last step past the end may still lie inside the operand.
  Slice along;
  SmallVector<int64_t> bounds;
  SmallVector<bool> masked;
  for (unsigned dim : read->dims) {
    along.push_back(box[dim]);
    bounds.push_back(form.getBound(dim));
    masked.push_back(form.isReduction(dim) && !form.skewed[dim] &&
                     !reader.isExactDim(index, dim));
  }
  SmallVector<unsigned> order = getClassesFirst(read->dims, numClassDims);
  SmallVector<int64_t> permutation;
  for (unsigned dim : order)
    permutation.push_back(llvm::find(read->dims, dim) - read->dims.begin());
  Type type = getElementTypeOrSelf(read->block.getType());
  read->block =
      emitter.select(loc, emitter.emitBoundsMask(loc, along, bounds, masked),
                     read->block, cast<TypedAttr>(b.getZeroAttr(type)));
  read->block = emitter.transpose(loc, read->block, permutation);
  read->dims = order;
  return read;
}

LogicalResult ContractionTiling::chooseShape(ArrayRef<unsigned> lhs,
                                             ArrayRef<unsigned> rhs) {
  chosen = true;
  for (unsigned dim : lhs) {
    bool shared = llvm::is_contained(rhs, dim);
    if (form.isReduction(dim) && !shared)
      return op.emitOpError("tiling: a reduction dim is in one operand only");
    (form.isReduction(dim) ? contracted
     : shared              ? batch
                           : lhsFree)
        .push_back(dim);
  }
  for (unsigned dim : rhs) {
    bool shared = llvm::is_contained(lhs, dim);
    if (form.isReduction(dim) && !shared)
      return op.emitOpError("tiling: a reduction dim is in one operand only");
    if (!shared)
      rhsFree.push_back(dim);
  }
  // The accumulator's order is the result's where one of the two roles of the
  // operands gives it.
  auto ascends = [&](ArrayRef<unsigned> first, ArrayRef<unsigned> second) {
    SmallVector<unsigned> order(batch);
    llvm::append_range(order, first);
    llvm::append_range(order, second);
    return llvm::is_sorted(order);
  };
  // A matrix unit wants 16 rows at least, whatever that costs in order.
  auto areRows = [&](ArrayRef<unsigned> dims) {
    int64_t rows = 1;
    for (unsigned dim : dims)
      rows *= iterations[dim].extent;
    return !emitter.wantsPowersOfTwo() || rows >= 16;
  };
  bool swaps = !ascends(lhsFree, rhsFree) && ascends(rhsFree, lhsFree);
  if (areRows(lhsFree) != areRows(rhsFree))
    swaps = areRows(rhsFree);
  if (swaps) {
    swapped = true;
    std::swap(lhsFree, rhsFree);
  }
  choosePartialSums();
  return success();
}

SmallVector<unsigned> ContractionTiling::getAccumulatorDims() const {
  SmallVector<unsigned> dims(partial);
  llvm::append_range(dims, batch);
  llvm::append_range(dims, lhsFree);
  llvm::append_range(dims, rhsFree);
  return dims;
}

/// Gives warps that would hold copies sums of their own.
void ContractionTiling::choosePartialSums() {
  constexpr int64_t rowsOfStep = 16, columnsOfStep = 8, leastDepth = 16,
                    mostSums = 128; // of a thread
  std::optional<fuse::ScheduleAttr> schedule =
      emitter.getKernel().getSchedule();
  if (!emitter.wantsPowersOfTwo() || !schedule ||
      op.getOperation() != emitter.getKernel().getAnchor() ||
      schedule->getMma() != fuse::MmaKind::mma_sync || !batch.empty() ||
      contracted.empty())
    return;
  auto countPieces = [&](ArrayRef<unsigned> dims, int64_t size) {
    int64_t extent = 1;
    for (unsigned dim : dims)
      extent *= iterations[dim].extent;
    return (extent & -extent) / size;
  };
  int64_t pieces = countPieces(lhsFree, rowsOfStep) *
                   countPieces(rhsFree, columnsOfStep);
  if (pieces == 0 || pieces >= schedule->getWarps())
    return;
  int64_t sums = 1, depth = 1;
  for (unsigned dim = 0; dim < form.getNumDims(); ++dim)
    if (!form.isReduction(dim))
      sums *= iterations[dim].extent;
  for (unsigned dim : contracted)
    depth *= step[dim];
  // Whole rows, so that what is left of the depth lies side by side.
  for (unsigned dim : ArrayRef(contracted).drop_back())
    if (step[dim] > 1 && llvm::isPowerOf2_64(step[dim]) &&
        depth / step[dim] >= leastDepth &&
        sums * step[dim] <= mostSums * 32 * schedule->getWarps()) {
      partial.push_back(dim);
      llvm::erase(contracted, dim);
      return;
    }
}

static tile::Precision toTile(fuse::Precision precision) {
  switch (precision) {
  case fuse::Precision::tf32:
    return tile::Precision::tf32;
  case fuse::Precision::bf16:
    return tile::Precision::bf16;
  case fuse::Precision::f16:
    return tile::Precision::f16;
  case fuse::Precision::f32:
  case fuse::Precision::f64:
    break;
  }
  return tile::Precision::ieee;
}

/// Whether every term of the sum is a neighbour, as in a depthwise convolution. No
/// matrix unit computes one, whose format TF32 is: tiles where a tap is one multiply
/// round nothing, and where a tap becomes a dim of a product, because the values are
/// made again as an operand, they must come out the same.
static bool sumsOnlyTaps(const SpaceForm &form) {
  auto isTapOf = [&](unsigned dim, const LinearForm &index) {
    if (index.coefficients[dim] == 0)
      return false;
    for (unsigned other = 0; other < form.space.getNumParallel(); ++other)
      if (index.coefficients[other] != 0 &&
          form.getBound(other) >= form.getBound(dim))
        return true;
    return false;
  };
  for (unsigned dim = 0; dim < form.getNumDims(); ++dim) {
    if (!form.isReduction(dim) || form.getBound(dim) == 1)
      continue;
    bool isTap = false;
    for (const AccessForm &access : form.operands)
      for (const auto &index : access.dims)
        isTap |= index && isTapOf(dim, *index);
    if (!isTap)
      return false;
  }
  return true;
}

static tile::MmaKind toTile(fuse::MmaKind kind) {
  switch (kind) {
  case fuse::MmaKind::mma_sync:
    return tile::MmaKind::mma_sync;
  case fuse::MmaKind::wgmma:
    return tile::MmaKind::wgmma;
  case fuse::MmaKind::fma:
    break;
  }
  return tile::MmaKind::fma;
}

Value ContractionTiling::emitProduct(LabelledBlock lhs, LabelledBlock rhs,
                                     Value accumulator) {
  SmallVector<unsigned> accumulatorDims = getAccumulatorDims();
  if (swapped)
    std::swap(lhs, rhs);

  if (contracted.empty()) {
    // One product per element: multiply and add in the type of the sum.
    SmallVector<int64_t> position(form.getNumDims(), 0), shape;
    for (auto [i, dim] : llvm::enumerate(accumulatorDims)) {
      position[dim] = i;
      shape.push_back(iterations[dim].extent);
    }
    auto widen = [&](LabelledBlock &operand) {
      SmallVector<unsigned> dims;
      for (unsigned dim : operand.dims)
        dims.push_back(position[dim]);
      Value block = emitter.align(loc, operand.block, dims, shape);
      Type type = accumulator.getType();
      return block.getType() == type
                 ? block
                 : arith::ExtFOp::create(b, loc, type, block).getResult();
    };
    auto contract = arith::FastMathFlagsAttr::get(
        b.getContext(), arith::FastMathFlags::contract);
    Value left = widen(lhs), right = widen(rhs);
    Value product = arith::MulFOp::create(b, loc, left, right, contract);
    return arith::AddFOp::create(b, loc, accumulator, product, contract);
  }

  // A dot has at least one free dim on each side.
  SmallVector<unsigned> shared(partial);
  llvm::append_range(shared, batch);
  SmallVector<int64_t> accumulatorShape;
  for (unsigned dim : shared)
    accumulatorShape.push_back(getExtent(dim));
  auto complete = [&](LabelledBlock &operand, ArrayRef<unsigned> free) {
    if (free.empty()) {
      auto shape = llvm::to_vector(
          cast<RankedTensorType>(operand.block.getType()).getShape());
      shape.push_back(1);
      operand.block = emitter.reshape(loc, operand.block, shape);
      accumulatorShape.push_back(1);
    }
    for (unsigned dim : free)
      accumulatorShape.push_back(iterations[dim].extent);
  };
  complete(lhs, lhsFree);
  complete(rhs, rhsFree);
  auto positions = [](ArrayRef<unsigned> all, ArrayRef<unsigned> wanted) {
    SmallVector<int64_t> result;
    for (unsigned dim : wanted)
      result.push_back(llvm::find(all, dim) - all.begin());
    return result;
  };
  // A contraction that makes an operand runs on the unit of the anchor.
  fuse::MmaKind mma = fuse::MmaKind::fma;
  if (isa_and_nonnull<fuse::ContractionOpInterface>(
          emitter.getKernel().getAnchor()) &&
      emitter.getKernel().getSchedule())
    mma = emitter.getKernel().getSchedule()->getMma();
  tile::Precision precision = toTile(op.getContractionPrecision());
  if (precision == tile::Precision::tf32 && sumsOnlyTaps(form))
    precision = tile::Precision::ieee;
  SmallVector<int64_t> originalShape;
  for (unsigned dim : accumulatorDims)
    originalShape.push_back(getExtent(dim));
  accumulator = emitter.reshape(loc, accumulator, accumulatorShape);
  Value dot = tile::DotOp::create(
      b, loc, accumulator.getType(), lhs.block, rhs.block, accumulator,
      positions(lhs.dims, contracted), positions(rhs.dims, contracted),
      positions(lhs.dims, shared), positions(rhs.dims, shared),
      precision, toTile(mma));
  return emitter.reshape(loc, dot, originalShape);
}

/// The loops whose last step is emitted by itself: that step ends past the dim's
/// end, and elements past it must be masked in each window of a patch. All other
/// steps need no mask, and the last one has its mask at a fixed place.
SmallVector<bool>
ContractionTiling::getPeeledLoops(ArrayRef<int64_t> counts) const {
  SmallVector<bool> peeled(counts.size(), false);
  unsigned position = counts.size();
  unsigned room = mostPeeled;
  for (unsigned dim = form.getNumDims(); dim-- > 0 && room;) {
    if (!form.isReduction(dim))
      continue;
    --position;
    if (isTap[dim] || isSplit[dim] || counts[position] < 2 ||
        form.skewed[dim] ||
        form.getBound(dim) % step[dim] == 0)
      continue;
    for (auto [index, access] : llvm::enumerate(form.operands))
      for (const auto &dimForm : access.dims)
        if (dimForm && dimForm->coefficients[dim] != 0 &&
            dimForm->getDims().size() > 1 && !reader.isExactDim(index, dim))
          peeled[position] = true;
    room -= peeled[position];
  }
  return peeled;
}

/// Whether the loops over all steps should be one. Copies then run ahead of products
/// from the first step to the last, not anew in each row of pixels: that pays where
/// an operand is made, which a new row waits for longest. It can be one where no
/// operand stays the same over an inner loop.
bool ContractionTiling::isOneLoop(ArrayRef<int64_t> counts) {
  std::optional<fuse::ScheduleAttr> schedule =
      emitter.getKernel().getSchedule();
  if (!emitter.wantsPowersOfTwo() || !schedule ||
      op.getOperation() != emitter.getKernel().getAnchor() ||
      schedule->getMma() == fuse::MmaKind::fma)
    return false;
  // Blocks of a skewed sum go through registers, which fill anew as slowly.
  bool isSkewed = llvm::is_contained(form.skewed, true);
  if (!isSkewed && llvm::all_of(op->getOperands(),
                   [&](Value operand) { return emitter.getView(operand); }))
    return false;
  unsigned position = 0;
  for (unsigned dim = 0; dim < form.getNumDims(); ++dim) {
    if (!form.isReduction(dim) || counts[position++] == 1)
      continue;
    for (const AccessForm &access : form.operands)
      if ((isTap[dim] && !isSkewed) ||
          llvm::none_of(access.dims, [&](const auto &dimForm) {
            return dimForm && dimForm->coefficients[dim] != 0;
          }))
        return false;
  }
  return true;
}

/// A nest of loops over steps, the first outermost; as one loop where that is as
/// good.
FailureOr<SmallVector<Value>>
ContractionTiling::emitNest(ArrayRef<int64_t> counts, ValueRange accumulators,
                            BlockEmitter::LoopBody body) {
  int64_t total = 1;
  for (int64_t count : counts)
    total *= count;
  if (llvm::count_if(counts, [](int64_t count) { return count > 1; }) < 2 ||
      total > INT32_MAX || !isOneLoop(counts))
    return emitter.emitLoops(loc, counts, accumulators, body);
  CoordVars &vars = emitter.getVars();
  unsigned var = vars.add(total);
  return emitter.emitRepeat(loc, var, accumulators, [&](ValueRange sums) {
    SmallVector<Coord> counters(counts.size(), Coord(0));
    Coord rest = Coord::ofVar(var, 1);
    for (size_t i = counts.size(); i-- > 0;) {
      if (counts[i] == 1)
        continue;
      total /= counts[i];
      if (total == 1) {
        counters[i] = rest;
        break;
      }
      counters[i] = vars.addRemainder(rest, counts[i]);
      rest = vars.addQuotient(rest, counts[i]);
    }
    vars.emitQuotients(b, loc);
    return body(counters, sums);
  });
}

/// The steps of all dims behind those that have a counter, the last step of a peeled
/// dim behind the others of its loop.
FailureOr<SmallVector<Value>>
ContractionTiling::emitNested(ArrayRef<int64_t> counts, ArrayRef<bool> peeled,
                              ArrayRef<Coord> outer, ValueRange accumulators) {
  size_t first = outer.size();
  if (first == counts.size())
    return emitStep(outer, accumulators);
  auto go = [&](const Coord &counter, ValueRange sums) {
    SmallVector<Coord> counters(outer);
    counters.push_back(counter);
    return emitNested(counts, peeled, counters, sums);
  };
  FailureOr<SmallVector<Value>> most = emitter.emitLoops(
      loc, {counts[first] - peeled[first]}, accumulators,
      [&](ArrayRef<Coord> own, ValueRange sums) {
        return go(own.front(), sums);
      });
  if (failed(most) || !peeled[first])
    return most;
  return go(Coord(counts[first] - 1), *most);
}

/// All steps: those without masks, then the last steps of a peeled dim. What is left
/// of two peeled dims lies too scattered to be read apart from the rest.
FailureOr<SmallVector<Value>>
ContractionTiling::emitSteps(ArrayRef<int64_t> counts,
                             ValueRange accumulators) {
  SmallVector<bool> isPeeled = getPeeledLoops(counts);
  if (llvm::count(isPeeled, true) > 1 || !isOneLoop(counts))
    return emitNested(counts, isPeeled, {}, accumulators);
  SmallVector<unsigned> peeled;
  for (auto [position, peels] : llvm::enumerate(isPeeled))
    if (peels)
      peeled.push_back(position);
  SmallVector<Value> sums(accumulators);
  for (unsigned last = 0; last < 1u << peeled.size(); ++last) {
    SmallVector<int64_t> here(counts);
    for (auto [bit, position] : llvm::enumerate(peeled))
      here[position] = last >> bit & 1 ? 1 : counts[position] - 1;
    FailureOr<SmallVector<Value>> more = emitNest(
        here, sums,
        [&](ArrayRef<Coord> own,
            ValueRange carried) -> FailureOr<SmallVector<Value>> {
          SmallVector<Coord> counters(own);
          for (auto [bit, position] : llvm::enumerate(peeled))
            if (last >> bit & 1)
              counters[position] = Coord(counts[position] - 1);
          return emitStep(counters, carried);
        });
    if (failed(more))
      return failure();
    sums = *more;
  }
  return sums;
}

FailureOr<SmallVector<Value>>
ContractionTiling::emitStep(ArrayRef<Coord> counters, ValueRange accumulators) {
  Slice box = readAt;
  unsigned next = 0;
  for (unsigned dim = 0; dim < form.getNumDims(); ++dim) {
    if (!form.isReduction(dim))
      continue;
    Coord base = counters[next++] * (step[dim] * tapStride[dim]);
    box[dim] = {base + splitBase[dim] + firstTap[dim], step[dim],
                tapStride[dim]};
  }
  SmallVector<SmallVector<int64_t>> outer = enumerate(/*reduction=*/false);
  SmallVector<SmallVector<int64_t>> inner = enumerate(/*reduction=*/true);
  SmallVector<Slice> taps;
  for (const auto &parallel : outer)
    for (const auto &reduction : inner)
      taps.push_back(fix(fix(box, false, parallel), true, reduction));
  for (Slice &tap : taps)
    shiftSkewed(form, tap);
  auto counts = [&](const Slice &tap) {
    for (unsigned dim = 0; dim < form.getNumDims(); ++dim)
      if (isStrided[dim] &&
          tap[dim].base.getMin(emitter.getVars()) >= form.getBound(dim))
        return false;
    return !reader.isNeverRead(0, tap) && !reader.isNeverRead(1, tap);
  };
  SmallVector<Slice> read;
  llvm::copy_if(taps, std::back_inserter(read), counts);
  reader.planPatches(read);
  SmallVector<Value> result(accumulators);
  for (auto [i, tap] : llvm::enumerate(taps)) {
    if (!counts(tap))
      continue;
    FailureOr<LabelledBlock> lhs = readOperand(0, tap);
    FailureOr<LabelledBlock> rhs = readOperand(1, tap);
    if (failed(lhs) || failed(rhs))
      return failure();
    Value &accumulator = result[i / inner.size()];
    std::optional<Value> exists = emitIsTap(tap);
    if (!exists) {
      accumulator = emitProduct(*lhs, *rhs, accumulator);
      continue;
    }
    auto branch = scf::IfOp::create(b, loc, accumulator.getType(), *exists,
                                    /*withElseRegion=*/true);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(&branch.getElseRegion().front());
    scf::YieldOp::create(b, loc, accumulator);
    b.setInsertionPointToStart(&branch.getThenRegion().front());
    Value more = emitProduct(*lhs, *rhs, accumulator);
    scf::YieldOp::create(b, loc, more);
    accumulator = branch.getResult(0);
  }
  return result;
}

/// The accumulator as a block over all iteration dims, in the result's type.
Value ContractionTiling::finish(Value accumulator) {
  if (!partial.empty()) {
    auto folded = llvm::to_vector(llvm::seq<int64_t>(0, partial.size()));
    accumulator =
        emitBlockReduction(b, loc, accumulator, folded,
                           [](OpBuilder &b, Location loc, ValueRange left,
                              ValueRange right) -> SmallVector<Value> {
                             return {arith::AddFOp::create(
                                 b, loc, left.front(), right.front())};
                           })
            .front();
    auto type = cast<RankedTensorType>(accumulator.getType());
    accumulator = emitter.reshape(
        loc, accumulator, type.getShape().drop_front(partial.size()));
  }
  SmallVector<unsigned> dims(batch);
  llvm::append_range(dims, lhsFree);
  llvm::append_range(dims, rhsFree);
  SmallVector<int64_t> shape;
  for (unsigned dim = 0; dim < form.getNumDims(); ++dim)
    shape.push_back(
        form.isReduction(dim) || isTap[dim] ? 1 : iterations[dim].extent);
  Value block = emitter.align(loc, accumulator, dims, shape);
  Type type = getElementTypeOrSelf(op->getResult(0).getType());
  Type sumType = op.getSumType();
  if (!emitter.getSplit(op).empty() || type == sumType)
    return block;
  return arith::TruncFOp::create(b, loc, emitter.getBlockType(shape, type),
                                 block);
}

FailureOr<Value> ContractionTiling::run(const Slice &slice) {
  if (op->getNumOperands() != 2)
    return op.emitOpError("tiling: a contraction has two operands");
  for (const AccessForm &access : form.operands)
    if (!access.isLinear())
      return op.emitOpError("tiling: a contraction's maps must be linear");
  chooseSteps();
  reader.setZeroBeyondReduction(true);

  // What a tap of each operand looks like decides the shape of the dot. The
  // first tap that counts stands for all.
  SmallVector<unsigned> operandDims[2];
  for (unsigned index = 0; index < 2; ++index)
    for (const auto &dimForm : form.operands[index].dims)
      for (unsigned dim : dimForm->getDims())
        if (varies(dim))
          operandDims[index].push_back(dim);
  if (failed(chooseShape(getClassesFirst(operandDims[0], numClassDims),
                         getClassesFirst(operandDims[1], numClassDims))))
    return failure();

  SmallVector<int64_t> accumulatorShape;
  for (unsigned dim : getAccumulatorDims())
    accumulatorShape.push_back(getExtent(dim));
  SmallVector<SmallVector<int64_t>> outer = enumerate(/*reduction=*/false);
  Value zero = emitter.splat(
      loc, cast<TypedAttr>(b.getZeroAttr(op.getSumType())), accumulatorShape);
  SmallVector<Value> zeros(outer.size(), zero);
  SmallVector<int64_t> counts;
  for (unsigned dim = 0; dim < form.getNumDims(); ++dim)
    if (form.isReduction(dim))
      counts.push_back(count[dim]);
  bool wasInProduct = emitter.setInProduct(true);
  FailureOr<SmallVector<Value>> sums =
      emitSteps(counts, zeros);
  emitter.setInProduct(wasInProduct);
  if (failed(sums))
    return failure();

  // One block per parallel tap; together they fill the slice.
  Value whole;
  for (auto [sum, parallel] : llvm::zip(*sums, outer)) {
    Slice part = fix(iterations, false, parallel);
    std::optional<LabelledSlice> touched = getTouched(form.results[0], part);
    if (!touched)
      return op.emitOpError("tiling: its result map is not a rearrangement of "
                            "its dims that this tile follows");
    Value block = finish(sum);
    if (outer.size() == 1)
      return emitter.unalign(loc, block, touched->labels, getExtents(slice));
    block = emitter.unalign(loc, block, touched->labels,
                            getExtents(touched->slice));
    emitter.remember(op->getResult(0), touched->slice, block);
    if (!whole)
      whole = emitter.splat(
          loc,
          cast<TypedAttr>(b.getZeroAttr(getElementTypeOrSelf(block.getType()))),
          getExtents(slice));
    SmallVector<int64_t> offsets, strides;
    for (auto [piece, all] : llvm::zip(touched->slice, slice)) {
      Coord shift = piece.base + all.base * -1;
      offsets.push_back(shift.getConstant() / all.step);
      strides.push_back(piece.extent > 1 ? piece.step / all.step : 1);
    }
    whole =
        tile::InsertWindowOp::create(b, loc, block, whole, offsets, strides);
  }
  return whole;
}

} // namespace

FailureOr<Value> tilefuse::tileContraction(BlockEmitter &emitter,
                                           fuse::ContractionOpInterface op,
                                           const Slice &slice) {
  std::optional<Slice> iterations =
      getIterations(emitter.getForm(op), 0, slice, emitter.getVars());
  if (!iterations)
    return op.emitOpError(
        "tiling: its result map is not a rearrangement of its "
        "dims that this tile follows");
  const SpaceForm &form = emitter.getForm(op);
  if (emitter.wantsPowersOfTwo() && emitter.getSplit(op).empty())
    if (std::optional<JoinedSpace> joined = joinClasses(form, *iterations))
      return ContractionTiling(emitter, op, joined->form, joined->iterations,
                               JoinedSpace::numClassDims)
          .run(slice);
  SpaceForm tiled = getTiledForm(emitter.getKernel(), op, form);
  return ContractionTiling(emitter, op, tiled, *iterations, 0).run(slice);
}
