//===- SpreadTiling.cpp - operands made in whole windows --------*- C++ -*-===//
//
// The gradient of a pool puts each element of a small tensor at one place of a
// window of a large one. As a sum over the terms of a window that is a loop with
// one hit; where windows do not overlap it is a change of shape instead:
//
//   dy, argmax  [c, 3, 9]                     the windows that a patch meets
//   reshape     [c, 3, 1, 9, 1]
//   broadcast   [c, 3, 4, 9, 4]               each to its window
//   select      argmax == row * 4 + column ? dy : 0
//   reshape     [c, 12, 36]                   rows and columns of the patch
//
// A convolution's patch starts anywhere, so it is enlarged to whole windows
// first, and its taps become windows of the enlarged patch.
//
//===----------------------------------------------------------------------===//

#include "passes/Tiling/SpreadTiling.h"
#include "dialects/Fuse/OneTerm.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "passes/Tiling/ReshapeTiling.h"

using namespace mlir;
using namespace tilefuse;

/// Whether an operand has the shape of the result and is read at its index.
static bool isReadInPlace(const SpaceForm &form, const AccessForm &access) {
  if (!form.results.front().isLinear() ||
      access.shape != form.results.front().shape)
    return false;
  for (auto [own, result] : llvm::zip(access.dims, form.results.front().dims))
    if (!own || own->constant != 0 || own->coefficients != result->coefficients)
      return false;
  return llvm::all_of(access.divisors, [](int64_t d) { return d == 1; });
}

Slice tilefuse::alignToProducers(BlockEmitter &emitter, Value value,
                                 Slice slice) {
  Operation *op = value.getDefiningOp();
  if (!op || emitter.getView(value) ||
      !isa<fuse::IterationSpaceOpInterface>(op))
    return slice;
  const SpaceForm &form = emitter.getForm(op);
  if (fuse::readsOneTerm(op)) {
    const AccessForm &access = form.operands.front();
    for (auto [part, dimForm, divisor] :
         llvm::zip(slice, access.dims, access.divisors)) {
      if (divisor == 1 || !dimForm || (part.extent > 1 && part.step != 1))
        continue;
      std::optional<int64_t> inside =
          (part.base + Coord(dimForm->constant)).getResidue(divisor);
      if (inside)
        part = {part.base + Coord(-*inside),
                int64_t(llvm::alignTo(part.extent + *inside, divisor)), 1};
    }
    return slice;
  }
  if (isa<fuse::ContractionOpInterface>(op)) {
    // Matrix units step by 8 columns, and warps share out powers of two.
    if (!emitter.wantsPowersOfTwo())
      return slice;
    int64_t step = 8;
    for (SliceDim &part : llvm::reverse(slice)) {
      if (part.extent > step)
        part.extent = llvm::alignTo(part.extent, step);
      step = std::max<int64_t>(1, step / 2);
    }
    return slice;
  }
  if (isa<fuse::PointwiseOpInterface>(op) && !isShapeChange(op))
    for (auto [access, operand] : llvm::zip(form.operands, op->getOperands()))
      if (isReadInPlace(form, access))
        slice = alignToProducers(emitter, operand, std::move(slice));
  return slice;
}

bool tilefuse::isZeroOutside(BlockEmitter &emitter, Value value,
                             const Slice &slice) {
  Operation *op = value.getDefiningOp();
  if (!op || emitter.getView(value) || !fuse::readsOneTerm(op))
    return false;
  auto reduction = cast<fuse::ReductionOpInterface>(op);
  auto isZero = [](TypedAttr attr) {
    return attr && (matchPattern(attr, m_AnyZeroFloat()) ||
                    matchPattern(attr, m_Zero()));
  };
  if (!llvm::all_of(reduction.getNeutral(), isZero))
    return false;
  // A place outside lies in a window outside, where tileSpread reads the fill.
  const SpaceForm &form = emitter.getForm(op);
  const AccessForm &access = form.operands.front();
  auto shape = cast<RankedTensorType>(value.getType()).getShape();
  for (auto [part, dimForm, divisor, windows, size] : llvm::zip(
           slice, access.dims, access.divisors, access.shape, shape))
    if (!dimForm || dimForm->constant != 0 || windows * divisor > size ||
        (divisor != 1 && (part.step != 1 || part.extent % divisor != 0 ||
                          !part.base.divideExactly(divisor))))
      return false;
  return true;
}

namespace {

/// The places of a window along one dim, as a dim of the block.
struct Places {
  unsigned position;
  int64_t window, stride;
  /// What one place adds to the flat position in the reduction dims.
  int64_t weight;
};

} // namespace

/// The position along `places`, as a line.
static Value emitLine(BlockEmitter &emitter, Location loc, const Places &places,
                      size_t rank) {
  OpBuilder &b = emitter.getBuilder();
  SmallVector<int64_t> shape(rank, 1);
  shape[places.position] = places.stride;
  auto type = emitter.getBlockType(shape, b.getI64Type());
  return tile::IotaOp::create(b, loc, type,
                              b.getI64IntegerAttr(places.position));
}

FailureOr<Value> tilefuse::tileSpread(BlockEmitter &emitter,
                                      fuse::ReductionOpInterface op,
                                      const Slice &slice) {
  OpBuilder &b = emitter.getBuilder();
  Location loc = op.getLoc();
  const SpaceForm &form = emitter.getForm(op);
  const AccessForm &access = form.operands.front();
  Slice source;
  SmallVector<int64_t> factored, expanded;
  SmallVector<Places> places;
  for (auto [part, dimForm, divisor] :
       llvm::zip(slice, access.dims, access.divisors)) {
    if (!dimForm)
      return Value();
    Coord numerator = part.base + Coord(dimForm->constant);
    if (divisor == 1) {
      source.push_back({numerator, part.extent, part.step});
      factored.push_back(part.extent);
      expanded.push_back(part.extent);
      continue;
    }
    std::optional<Coord> base = numerator.divideExactly(divisor);
    if (!base || part.step != 1 || part.extent % divisor != 0)
      return Value();
    int64_t windows = part.extent / divisor;
    source.push_back({*base, windows, 1});
    factored.append({windows, 1});
    expanded.append({windows, divisor});
    Places here{unsigned(expanded.size() - 1), 1, divisor, 0};
    int64_t weight = 1;
    for (unsigned dim = form.getNumDims(); dim-- > 0;) {
      if (!form.isReduction(dim))
        break;
      if (dimForm->coefficients[dim] != 0) {
        here.window = form.getBound(dim);
        here.weight = weight;
      }
      weight *= form.getBound(dim);
    }
    places.push_back(here);
  }

  SmallVector<Value> elements;
  SmallVector<bool> all(source.size(), true);
  for (auto [own, operand] : llvm::zip(form.operands, op->getOperands())) {
    FailureOr<Value> block =
        emitter.evaluateFilled(operand, source, own.fill, all);
    if (failed(block))
      return failure();
    Value whole = emitter.reshape(loc, *block, factored);
    elements.push_back(emitter.broadcast(loc, whole, expanded));
  }
  Value index, mask;
  for (const Places &here : places) {
    Value line = emitLine(emitter, loc, here, expanded.size());
    auto shape = cast<RankedTensorType>(line.getType()).getShape();
    auto constant = [&](int64_t value) {
      return emitter.splat(loc, b.getI64IntegerAttr(value), shape);
    };
    if (here.window < here.stride) {
      Value inside =
          arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, line,
                                constant(here.window));
      inside = emitter.broadcast(loc, inside, expanded);
      mask = mask ? arith::AndIOp::create(b, loc, mask, inside).getResult()
                  : inside;
    }
    Value flat = arith::MulIOp::create(b, loc, line, constant(here.weight));
    flat = emitter.broadcast(loc, flat, expanded);
    index = index ? arith::AddIOp::create(b, loc, index, flat).getResult()
                  : flat;
  }
  if (!index)
    return Value();
  SmallVector<Value> state = op.lift(b, loc, elements, index);
  for (auto [value, neutral] : llvm::zip(state, op.getNeutral()))
    value = emitter.select(loc, mask, value, neutral);
  SmallVector<Value> results = op.finalize(b, loc, state);
  return emitter.reshape(loc, results.front(), getExtents(slice));
}
