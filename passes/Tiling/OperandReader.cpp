//===- OperandReader.cpp - blocks of operands over iterations ---*- C++ -*-===//

#include "passes/Tiling/OperandReader.h"
#include "passes/Tiling/ResidueSplitting.h"
#include "passes/Tiling/SpreadTiling.h"
#include <numeric>

using namespace mlir;
using namespace tilefuse;

static int64_t getVolume(ArrayRef<SliceDim> slice) {
  int64_t volume = 1;
  for (const SliceDim &part : slice)
    volume *= part.extent;
  return volume;
}

/// Whether `form` is dim `dim` itself, as long as the tensor.
static bool isExactly(const LinearForm &form, int64_t size,
                      const SpaceForm &space) {
  SmallVector<unsigned> dims = form.getDims();
  return dims.size() == 1 && form.constant == 0 &&
         form.coefficients[dims[0]] == 1 && space.getBound(dims[0]) == size;
}

SmallVector<bool> OperandReader::getFilledDims(unsigned index) const {
  const AccessForm &access = form.operands[index];
  SmallVector<bool> filled;
  for (auto [dimForm, size] : llvm::zip(access.dims, access.shape)) {
    bool reduced = false;
    for (unsigned dim : dimForm ? dimForm->getDims() : SmallVector<unsigned>())
      reduced |= form.isReduction(dim);
    bool exact = dimForm && isExactly(*dimForm, size, form);
    filled.push_back(exact ? reduced && zeroBeyondReduction
                           : access.fill || (reduced && zeroBeyondReduction));
  }
  return filled;
}

/// The smallest strided box around constant shifts of one slice, or nothing
/// when the slices differ in more than constants.
static std::optional<Slice> getUnion(ArrayRef<Slice> slices) {
  Slice box = slices.front();
  for (auto [dim, part] : llvm::enumerate(box)) {
    int64_t step = part.extent > 1 ? part.step : 0, low = 0, high = 0;
    for (const Slice &slice : slices) {
      const SliceDim &other = slice[dim];
      Coord shift = other.base + part.base * -1;
      if (other.extent != part.extent || other.step != part.step ||
          !shift.isConstant())
        return std::nullopt;
      step = std::gcd(step, shift.getConstant());
      low = std::min(low, shift.getConstant());
      high = std::max(high, shift.getConstant());
    }
    if (step == 0)
      continue;
    int64_t span =
        (part.extent > 1 ? (part.extent - 1) * part.step : 0) + high - low;
    part = {part.base + Coord(low), span / step + 1, step};
  }
  return box;
}

/// Lets a patch of memory start and end at whole 16 bytes, at the price of some
/// elements nobody reads: it then comes in pieces of 16 bytes instead of 4.
void OperandReader::widenPatch(unsigned index, Slice &patch) const {
  Value operand = op->getOperand(index), view = emitter.getView(operand);
  if (!emitter.wantsPowersOfTwo() || patch.empty())
    return;
  SliceDim &part = patch.back();
  int64_t wide = 2;
  if (view) {
    auto type = cast<tile::ViewType>(view.getType());
    wide = 128 / type.getElementType().getIntOrFloatBitWidth();
    if (type.getStrides().back() != 1)
      return;
  } else if (!llvm::is_contained(form.skewed, true)) {
    return; // what is made takes time; pairs cost one element
  }
  int64_t length = cast<ShapedType>(operand.getType()).getShape().back();
  if (wide < 2 || part.step != 1 || part.extent <= wide || length % wide != 0)
    return;
  auto [pieces, rest] = part.base.splitByDivisor(wide);
  if (!rest.isConstant())
    return;
  int64_t before = rest.getConstant();
  int64_t extent = llvm::alignTo(part.extent + before, wide);
  if (extent * 4 > part.extent * 5)
    return;
  part = {pieces * wide, extent, 1};
}

void OperandReader::planPatches(ArrayRef<Slice> taps) {
  for (unsigned index = 0; index < patches.size(); ++index) {
    patches[index].reset();
    SmallVector<Slice> slices;
    int64_t separate = 0;
    bool possible = true;
    for (const Slice &tap : taps) {
      std::optional<LabelledSlice> touched =
          getTouched(form.operands[index], tap);
      if (!touched && isNeverRead(index, tap))
        continue;
      possible &= touched.has_value();
      if (!possible)
        break;
      if (llvm::is_contained(slices, touched->slice))
        continue;
      separate += getVolume(touched->slice);
      slices.push_back(std::move(touched->slice));
    }
    if (!possible || slices.empty())
      continue;
    std::optional<Slice> box = getUnion(slices);
    // A patch with many holes costs more than reading each tap.
    if (!box || getVolume(*box) > separate)
      continue;
    // Classes of a skewed dim are blocks of their own: no view of a patch has their
    // elements side by side.
    if (llvm::is_contained(form.skewed, true) &&
        box->back().step != slices.front().back().step)
      continue;
    Slice patch = alignToProducers(emitter, op->getOperand(index), *box);
    if (slices.size() > 1)
      widenPatch(index, patch);
    if (slices.size() > 1 || patch != *box)
      patches[index] = std::move(patch);
  }
}

FailureOr<Value> OperandReader::readSlice(unsigned index, const Slice &slice) {
  TypedAttr fill = form.operands[index].fill;
  SmallVector<bool> filled = getFilledDims(index);
  if (!llvm::is_contained(filled, true))
    return emitter.evaluate(op->getOperand(index), slice);
  return emitter.evaluateFilled(op->getOperand(index), slice, fill, filled);
}

bool OperandReader::isExactDim(unsigned index, unsigned dim) const {
  const AccessForm &access = form.operands[index];
  for (auto [dimForm, size] : llvm::zip(access.dims, access.shape))
    if (dimForm && isExactly(*dimForm, size, form) &&
        dimForm->getDims().front() == dim)
      return true;
  return false;
}

FailureOr<LabelledBlock> OperandReader::read(unsigned index,
                                             ArrayRef<SliceDim> iterations) {
  Location loc = op->getLoc();
  OpBuilder &b = emitter.getBuilder();
  std::optional<LabelledSlice> touched =
      getTouched(form.operands[index], iterations);
  if (!touched)
    return op->emitOpError("tiling: operand ")
           << index << " is read along a map that no block follows";
  Value block;
  if (const std::optional<Slice> &patch = patches[index]) {
    FailureOr<Value> whole = readSlice(index, *patch);
    if (failed(whole))
      return failure();
    SmallVector<int64_t> offsets, strides;
    for (auto [part, around] : llvm::zip(touched->slice, *patch)) {
      Coord shift = part.base + around.base * -1;
      offsets.push_back(shift.getConstant() / around.step);
      strides.push_back(part.extent > 1 ? part.step / around.step : 1);
    }
    auto type = emitter.getBlockType(getExtents(touched->slice),
                                     getElementTypeOrSelf((*whole).getType()));
    block = *whole;
    if (block.getType() != type)
      block = tile::WindowOp::create(b, loc, type, block,
                                     b.getDenseI64ArrayAttr(offsets),
                                     b.getDenseI64ArrayAttr(strides));
  } else {
    FailureOr<Value> direct = readSlice(index, touched->slice);
    if (failed(direct))
      return failure();
    block = *direct;
  }
  LabelledBlock result;
  SmallVector<int64_t> shape;
  for (const auto &shared : touched->labels)
    for (unsigned dim : shared) {
      result.dims.push_back(dim);
      shape.push_back(iterations[dim].extent);
    }
  result.block = emitter.reshape(loc, block, shape);
  return result;
}

FailureOr<Value> OperandReader::readAligned(unsigned index,
                                            ArrayRef<SliceDim> iterations,
                                            bool expand) {
  const AccessForm &access = form.operands[index];
  SmallVector<int64_t> shape = getExtents(iterations);
  if (access.fill && isNeverRead(index, iterations))
    return emitter.splat(op->getLoc(), access.fill,
                         expand ? shape
                                : SmallVector<int64_t>(shape.size(), 1));
  Slice exact(iterations);
  SmallVector<Coord> outside;
  for (unsigned dim = 0; access.fill && dim < form.getNumDims(); ++dim) {
    if (form.isReduction(dim) || canRead(index, exact))
      continue;
    std::optional<DividedDim> divided =
        divideDim(form, dim, exact[dim], emitter.getVars(),
                  emitter.getBuilder(), op->getLoc());
    if (!divided || divided->tap)
      continue;
    exact[dim].base = divided->position;
    outside.push_back(divided->isOutside);
  }
  FailureOr<LabelledBlock> block = read(index, exact);
  if (failed(block))
    return failure();
  Value aligned =
      emitter.align(op->getLoc(), block->block, block->dims, shape, expand);
  Value mask;
  for (const Coord &isOutside : outside)
    mask = emitter.conjoin(op->getLoc(), mask, isOutside,
                           cast<ShapedType>(aligned.getType()).getShape());
  return emitter.select(op->getLoc(), mask, aligned, access.fill);
}
