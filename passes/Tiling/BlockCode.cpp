//===- BlockCode.cpp - small blocks of code ---------------------*- C++ -*-===//
//
// The block operations every family of tiling is written with.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "passes/Tiling/BlockEmitter.h"

using namespace mlir;
using namespace tilefuse;

RankedTensorType BlockEmitter::getBlockType(ArrayRef<int64_t> shape,
                                            Type elementType) const {
  return RankedTensorType::get(shape, elementType);
}

static ArrayRef<int64_t> getShape(Value block) {
  return cast<RankedTensorType>(block.getType()).getShape();
}

Value BlockEmitter::splat(Location loc, TypedAttr scalar,
                          ArrayRef<int64_t> shape) {
  auto type = getBlockType(shape, scalar.getType());
  return arith::ConstantOp::create(b, loc,
                                   DenseElementsAttr::get(type, scalar));
}

Value BlockEmitter::reshape(Location loc, Value block,
                            ArrayRef<int64_t> shape) {
  // reshape(reshape(x)) -> reshape(x)
  while (auto inner = block.getDefiningOp<tile::ReshapeOp>())
    block = inner.getValue();
  if (getShape(block) == shape)
    return block;
  auto type = getBlockType(shape, getElementTypeOrSelf(block.getType()));
  DenseElementsAttr constant;
  if (matchPattern(block, m_Constant(&constant)) && constant.isSplat())
    return splat(loc, constant.getSplatValue<TypedAttr>(), shape);
  return tile::ReshapeOp::create(b, loc, type, block);
}

Value BlockEmitter::broadcast(Location loc, Value block,
                              ArrayRef<int64_t> shape) {
  if (getShape(block) == shape)
    return block;
  auto type = getBlockType(shape, getElementTypeOrSelf(block.getType()));
  DenseElementsAttr constant;
  if (matchPattern(block, m_Constant(&constant)) && constant.isSplat())
    return splat(loc, constant.getSplatValue<TypedAttr>(), shape);
  return tile::BroadcastOp::create(b, loc, type, block);
}

Value BlockEmitter::transpose(Location loc, Value block,
                              ArrayRef<int64_t> permutation) {
  if (llvm::equal(permutation, llvm::seq<int64_t>(0, permutation.size())))
    return block;
  SmallVector<int64_t> shape;
  for (int64_t dim : permutation)
    shape.push_back(getShape(block)[dim]);
  auto type = getBlockType(shape, getElementTypeOrSelf(block.getType()));
  return tile::TransOp::create(b, loc, type, block,
                               b.getDenseI64ArrayAttr(permutation));
}

Value BlockEmitter::align(Location loc, Value block, ArrayRef<unsigned> dims,
                          ArrayRef<int64_t> shape, bool expand) {
  auto permutation =
      llvm::to_vector(llvm::seq<int64_t>(0, int64_t(dims.size())));
  llvm::sort(permutation,
             [&](int64_t lhs, int64_t rhs) { return dims[lhs] < dims[rhs]; });
  block = transpose(loc, block, permutation);
  SmallVector<int64_t> unitShape(shape.size(), 1);
  for (unsigned dim : dims)
    unitShape[dim] = shape[dim];
  block = reshape(loc, block, unitShape);
  return expand ? broadcast(loc, block, shape) : block;
}

Value BlockEmitter::unalign(Location loc, Value block, const DimLabels &labels,
                            ArrayRef<int64_t> shape) {
  auto blockShape = llvm::to_vector(getShape(block));
  SmallVector<int64_t> permutation, dense, merged;
  for (const auto &shared : labels) {
    merged.push_back(1);
    for (unsigned dim : shared) {
      permutation.push_back(dim);
      dense.push_back(blockShape[dim]);
      merged.back() *= blockShape[dim];
    }
  }
  // Dims that the tensor lacks have extent 1 here: drop them first.
  SmallVector<int64_t> kept = permutation, keptShape;
  llvm::sort(kept);
  for (int64_t dim : kept)
    keptShape.push_back(blockShape[dim]);
  for (int64_t &dim : permutation)
    dim = llvm::find(kept, dim) - kept.begin();
  block = reshape(loc, block, keptShape);
  block = transpose(loc, block, permutation);
  block = reshape(loc, block, merged);
  return broadcast(loc, block, shape);
}

/// A block that varies along `dim` only, expanded to the slice's shape.
static SmallVector<int64_t> getLineShape(ArrayRef<SliceDim> slice,
                                         unsigned dim) {
  SmallVector<int64_t> shape(slice.size(), 1);
  shape[dim] = slice[dim].extent;
  return shape;
}

/// base + iota * step along `dim`, as a line.
static Value emitLine(BlockEmitter &emitter, Location loc,
                      ArrayRef<SliceDim> slice, unsigned dim, Type type) {
  OpBuilder &b = emitter.getBuilder();
  SmallVector<int64_t> shape = getLineShape(slice, dim);
  auto lineType = RankedTensorType::get(shape, type);
  auto constant = [&](int64_t value) {
    return emitter.splat(loc, b.getIntegerAttr(type, value), shape);
  };
  const SliceDim &part = slice[dim];
  Value line;
  if (part.extent > 1) {
    line = tile::IotaOp::create(b, loc, lineType, b.getI64IntegerAttr(dim));
    if (part.step != 1)
      line = arith::MulIOp::create(b, loc, line, constant(part.step));
  }
  if (part.base == Coord(0) && line)
    return line;
  Value base;
  if (part.base.isConstant()) {
    base = constant(part.base.getConstant());
  } else {
    Value index = part.base.emit(b, loc, emitter.getVars());
    Value cast = arith::IndexCastOp::create(b, loc, type, index);
    base = tile::SplatOp::create(b, loc, lineType, cast);
  }
  return line ? arith::AddIOp::create(b, loc, base, line).getResult() : base;
}

Value BlockEmitter::emitPositions(Location loc, ArrayRef<SliceDim> slice,
                                  unsigned dim) {
  Value line = emitLine(*this, loc, slice, dim, b.getI64Type());
  return broadcast(loc, line, getExtents(slice));
}

Value BlockEmitter::emitBoundsMask(Location loc, ArrayRef<SliceDim> slice,
                                   ArrayRef<int64_t> bounds,
                                   ArrayRef<bool> dims) {
  Value mask;
  auto conjoin = [&](Value line) {
    line = broadcast(loc, line, getExtents(slice));
    mask = mask ? arith::AndIOp::create(b, loc, mask, line).getResult() : line;
  };
  for (auto [i, part] : llvm::enumerate(slice)) {
    if (!dims[i] || part.isInside(bounds[i], vars))
      continue;
    int64_t low = part.base.getMin(vars);
    int64_t high = std::max(part.getLast().getMax(vars), bounds[i]);
    Type type =
        low >= INT32_MIN && high <= INT32_MAX ? b.getI32Type() : b.getI64Type();
    Value line = emitLine(*this, loc, slice, i, type);
    auto compare = [&](arith::CmpIPredicate predicate, int64_t bound) {
      Value limit =
          splat(loc, b.getIntegerAttr(type, bound), getLineShape(slice, i));
      return arith::CmpIOp::create(b, loc, predicate, line, limit).getResult();
    };
    if (low < 0)
      conjoin(compare(arith::CmpIPredicate::sge, 0));
    if (part.getLast().getMax(vars) >= bounds[i])
      conjoin(compare(arith::CmpIPredicate::slt, bounds[i]));
  }
  return mask;
}

Value BlockEmitter::conjoin(Location loc, Value mask, const Coord &isOutside,
                            ArrayRef<int64_t> shape) {
  Value zero = arith::ConstantIndexOp::create(b, loc, 0);
  Value inside =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq,
                            isOutside.emit(b, loc, vars), zero);
  Value block = tile::SplatOp::create(
      b, loc, getBlockType(shape, b.getI1Type()), inside);
  return mask ? arith::AndIOp::create(b, loc, mask, block).getResult() : block;
}

Value BlockEmitter::select(Location loc, Value mask, Value block,
                           TypedAttr otherwise) {
  if (!mask)
    return block;
  Value other = splat(loc, otherwise, getShape(block));
  return arith::SelectOp::create(b, loc, mask, block, other);
}

/// Offsets and steps of a slice as tile.load and tile.store want them.
static void emitAddress(BlockEmitter &emitter, Location loc,
                        ArrayRef<SliceDim> slice, SmallVector<Value> &offsets,
                        DenseI64ArrayAttr &steps) {
  OpBuilder &b = emitter.getBuilder();
  SmallVector<int64_t> stepValues;
  for (const SliceDim &part : slice) {
    offsets.push_back(part.base.emit(b, loc, emitter.getVars()));
    stepValues.push_back(part.extent == 1 ? 1 : part.step);
  }
  if (llvm::any_of(stepValues, [](int64_t step) { return step != 1; }))
    steps = b.getDenseI64ArrayAttr(stepValues);
}

Value BlockEmitter::load(Location loc, Value view, ArrayRef<SliceDim> slice,
                         TypedAttr fill) {
  SmallVector<Value> offsets;
  DenseI64ArrayAttr steps;
  emitAddress(*this, loc, slice, offsets, steps);
  Value fillValue;
  if (fill)
    fillValue = arith::ConstantOp::create(b, loc, fill);
  auto type = getBlockType(
      getExtents(slice), cast<tile::ViewType>(view.getType()).getElementType());
  return tile::LoadOp::create(b, loc, type, view, offsets, fillValue, Value(),
                              steps);
}

void BlockEmitter::store(Location loc, Value block, Value view,
                         ArrayRef<SliceDim> slice) {
  SmallVector<Value> offsets;
  DenseI64ArrayAttr steps;
  emitAddress(*this, loc, slice, offsets, steps);
  tile::StoreOp::create(b, loc, block, view, offsets, Value(), steps);
}
