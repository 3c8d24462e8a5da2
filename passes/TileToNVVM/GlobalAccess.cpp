//===- GlobalAccess.cpp - addresses and bounds of a block ---------*- C++ -*-===//

#include "passes/TileToNVVM/GlobalAccess.h"
#include "passes/TileToNVVM/Words.h"

using namespace mlir;

namespace tilefuse {

/// Byte offsets that LLVM's address op and the instruction take as they are.
constexpr unsigned MaxImmediateBits = 24;

GlobalAccess::GlobalAccess(KernelEmitter &emitter, Operation *op, Kind kind,
                           Value view, ValueRange offsets,
                           std::optional<ArrayRef<int64_t>> givenSteps,
                           ArrayRef<int64_t> shape,
                           const tile::DistributedLayout &layout)
    : emitter(emitter), loc(op->getLoc()), kind(kind), view(view),
      viewType(cast<tile::ViewType>(view.getType())), offsets(offsets),
      shape(shape), layout(layout), coords(layout, *emitter.sums),
      elementBytes(getMemoryBytes(emitter.getScalarType(viewType.getElementType()))) {
  if (givenSteps && !givenSteps->empty())
    steps.assign(givenSteps->begin(), givenSteps->end());
  else
    steps.assign(shape.size(), 1);
  for (auto [stride, step] : llvm::zip_equal(viewType.getStrides(), steps))
    byteWeights.push_back(stride * step * elementBytes);
  for (Value offset : this->offsets)
    facts.push_back(emitter.offsets.get(offset));
}

void GlobalAccess::prepare() {
  int64_t span = 0;
  for (unsigned dim = 0; dim < layout.getRank(); ++dim)
    span += (layout.getExtent(dim) - 1) * std::abs(byteWeights[dim]);
  isWide = span >= INT32_MAX;

  OpBuilder &builder = emitter.builder;
  Type i64 = builder.getI64Type();
  Value position;
  for (auto [offset, stride] :
       llvm::zip_equal(offsets, viewType.getStrides())) {
    Value term = emitter.getScalar(offset);
    if (stride != 1) {
      Value factor = arith::ConstantOp::create(
          builder, loc, builder.getI64IntegerAttr(stride));
      term = arith::MulIOp::create(builder, loc, term, factor);
    }
    position = position
                   ? Value(arith::AddIOp::create(builder, loc, position, term))
                   : term;
  }
  base = emitter.getScalar(view);
  if (position) {
    Value scale = arith::ConstantOp::create(
        builder, loc, builder.getIntegerAttr(i64, elementBytes));
    position = arith::MulIOp::create(builder, loc, position, scale);
    base = LLVM::GEPOp::create(builder, loc, base.getType(),
                               builder.getI8Type(), base,
                               LLVM::GEPArg(position));
  }
  for (Value offset : offsets)
    offsets32.push_back(arith::TruncIOp::create(
        builder, loc, builder.getI32Type(), emitter.getScalar(offset)));
  vector = chooseVector();
}

//===----------------------------------------------------------------------===//
// Bounds
//===----------------------------------------------------------------------===//

/// Padding counts too: it may be read when it lies inside the view.
bool GlobalAccess::needsBoundsCheck(unsigned dim) {
  if (!facts[dim].isBounded())
    return true;
  int64_t extent = kind == Kind::Read ? layout.getExtent(dim) : shape[dim];
  int64_t reach = (extent - 1) * steps[dim];
  int64_t low = facts[dim].low + std::min<int64_t>(reach, 0);
  int64_t high = facts[dim].high + std::max<int64_t>(reach, 0);
  return low < 0 || high >= viewType.getShape()[dim];
}

bool GlobalAccess::needsPaddingCheck(unsigned dim) {
  return kind == Kind::Write && layout.getExtent(dim) > shape[dim];
}

/// In-bounds test of one coordinate, as one unsigned comparison.
Value GlobalAccess::compare(unsigned dim, int64_t reg) {
  ThreadAffine coord = coords.getCoord(dim, reg);
  Value &known = comparisons[{dim, coord.constant}][coord.thread];
  if (known)
    return known;
  OpBuilder &builder = emitter.builder;
  auto below = [&](Value value, int64_t bound) -> Value {
    return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ult, value,
                                 emitter.i32(loc, bound));
  };
  Value result;
  if (needsBoundsCheck(dim)) {
    Value position = coord.thread;
    if (steps[dim] != 1)
      position = arith::MulIOp::create(builder, loc, position,
                                       emitter.i32(loc, steps[dim]));
    position = arith::AddIOp::create(builder, loc, offsets32[dim], position);
    position =
        emitter.addImmediate(loc, position, coord.constant * steps[dim]);
    result = below(position, viewType.getShape()[dim]);
  }
  if (needsPaddingCheck(dim) && coords.getMaxCoord(dim, reg) >= shape[dim])
    result = emitter.conjoin(
        loc, result,
        below(emitter.addImmediate(loc, coord.thread, coord.constant),
              shape[dim]));
  return known = result;
}

Value GlobalAccess::getPredicate(int64_t reg) {
  Value predicate;
  for (unsigned dim = 0; dim < layout.getRank(); ++dim)
    if (needsBoundsCheck(dim) || needsPaddingCheck(dim))
      if (Value inside = compare(dim, reg)) {
        Value &both = conjunctions[{predicate, inside}];
        if (!both)
          both = emitter.conjoin(loc, predicate, inside);
        predicate = both;
      }
  return predicate;
}

Value GlobalAccess::getSafePointer(Value pointer, Value predicate, int64_t low,
                                   int64_t high) {
  int64_t bytes = elementBytes;
  for (auto [extent, stride] :
       llvm::zip_equal(viewType.getShape(), viewType.getStrides())) {
    if (stride < 0)
      return Value();
    bytes += (extent - 1) * stride * elementBytes;
  }
  if (high - low > bytes || isWide)
    return Value();
  OpBuilder &builder = emitter.builder;
  Value safe = emitter.getScalar(view);
  if (low)
    safe = LLVM::GEPOp::create(builder, loc, safe.getType(),
                               builder.getI8Type(), safe,
                               LLVM::GEPArg(int32_t(-low)));
  return arith::SelectOp::create(builder, loc, predicate, pointer, safe);
}

//===----------------------------------------------------------------------===//
// Addresses
//===----------------------------------------------------------------------===//

// A block that spans 2^31 bytes: each dim's part in 64 bits.
Value GlobalAccess::getWideAddress(int64_t reg) {
  OpBuilder &builder = emitter.builder;
  Type i64 = builder.getI64Type();
  auto constant = [&](int64_t value) -> Value {
    return arith::ConstantOp::create(builder, loc,
                                     builder.getI64IntegerAttr(value));
  };
  Value sum;
  for (auto [dim, weight] : llvm::enumerate(byteWeights)) {
    ThreadAffine coord = coords.getCoord(dim, reg);
    Value part = arith::ExtSIOp::create(builder, loc, i64, coord.thread);
    part = arith::AddIOp::create(builder, loc, part, constant(coord.constant));
    part = arith::MulIOp::create(builder, loc, part, constant(weight));
    sum = sum ? Value(arith::AddIOp::create(builder, loc, sum, part)) : part;
  }
  if (!sum)
    return base;
  return LLVM::GEPOp::create(builder, loc, base.getType(), builder.getI8Type(),
                             base, LLVM::GEPArg(sum));
}

std::pair<Value, int64_t> GlobalAccess::getAddress(int64_t reg) {
  if (isWide)
    return {getWideAddress(reg), 0};
  ThreadAffine bytes = coords.getCombination(byteWeights, reg);
  Value &pointer = pointers[bytes.thread];
  if (!pointer) {
    OpBuilder &builder = emitter.builder;
    Value offset = arith::ExtSIOp::create(builder, loc, builder.getI64Type(),
                                          bytes.thread);
    pointer = LLVM::GEPOp::create(builder, loc, base.getType(),
                                  builder.getI8Type(), base,
                                  LLVM::GEPArg(offset));
  }
  if (llvm::isInt<MaxImmediateBits>(bytes.constant))
    return {pointer, bytes.constant};
  Value far = arith::ConstantOp::create(
      emitter.builder, loc, emitter.builder.getI64IntegerAttr(bytes.constant));
  return {LLVM::GEPOp::create(emitter.builder, loc, base.getType(),
                              emitter.builder.getI8Type(), pointer,
                              LLVM::GEPArg(far)),
          0};
}

bool GlobalAccess::isVectorLegal(int64_t width) {
  int64_t bytes = width * elementBytes;
  if (bytes > 16 || emitter.getBaseAlignment(view) % bytes != 0)
    return false;
  // The dim along which neighbouring registers are neighbours in memory.
  int64_t along = -1;
  for (unsigned dim = 0; dim < layout.getRank(); ++dim)
    if (layout.getContiguity(dim) >= width && viewType.getStrides()[dim] == 1 &&
        steps[dim] == 1 && shape[dim] > 1)
      along = dim;
  if (along < 0)
    return false;
  for (unsigned dim = 0; dim < layout.getRank(); ++dim) {
    int64_t stride = viewType.getStrides()[dim];
    bool offsetAligned =
        stride % width == 0 || facts[dim].divisor % width == 0 ||
        (facts[dim].divisor * stride) % width == 0;
    bool coordAligned = int64_t(dim) == along || layout.getExtent(dim) == 1 ||
                        (stride * steps[dim]) % width == 0;
    if (!offsetAligned || !coordAligned)
      return false;
  }
  // All in or all out, also of the real block.
  if (needsBoundsCheck(along) && (viewType.getShape()[along] % width != 0 ||
                                  facts[along].divisor % width != 0))
    return false;
  return !needsPaddingCheck(along) || shape[along] % width == 0;
}

int64_t GlobalAccess::chooseVector() {
  for (int64_t width : {16, 8, 4, 2})
    if (isVectorLegal(width))
      return width;
  return 1;
}

} // namespace tilefuse
