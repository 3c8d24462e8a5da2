//===- BlockReduction.cpp - tile.reduce for reduction ops -------*- C++ -*-===//

#include "passes/Tiling/BlockReduction.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace tilefuse;

SmallVector<Value>
tilefuse::emitBlockReduction(OpBuilder &b, Location loc, ValueRange values,
                             ArrayRef<int64_t> dims,
                             fuse::BlockReducer::CombineFn combine) {
  SmallVector<Type> types, elementTypes;
  for (Value value : values) {
    auto type = cast<RankedTensorType>(value.getType());
    auto shape = llvm::to_vector(type.getShape());
    for (int64_t dim : dims)
      shape[dim] = 1;
    types.push_back(RankedTensorType::get(shape, type.getElementType()));
    elementTypes.push_back(type.getElementType());
  }
  auto reduce = tile::ReduceOp::create(b, loc, types, values,
                                       b.getDenseI64ArrayAttr(dims));
  OpBuilder::InsertionGuard guard(b);
  SmallVector<Type> argumentTypes(elementTypes);
  llvm::append_range(argumentTypes, elementTypes);
  SmallVector<Location> locs(argumentTypes.size(), loc);
  Block *block = b.createBlock(&reduce.getCombiner(), {}, argumentTypes, locs);
  ValueRange arguments = block->getArguments();
  SmallVector<Value> combined =
      combine(b, loc, arguments.take_front(values.size()),
              arguments.drop_front(values.size()));
  tile::YieldOp::create(b, loc, combined);
  return SmallVector<Value>(reduce.getResults());
}

TileBlockReducer::TileBlockReducer(BlockEmitter &emitter, const SpaceForm &form,
                                   ArrayRef<unsigned> order,
                                   const Slice &iterations, Value mask)
    : emitter(emitter), form(form), order(order), iterations(iterations),
      mask(mask) {
  for (unsigned dim = 0; dim < form.getNumDims(); ++dim)
    if (form.isReduction(dim) && iterations[dim].extent > 1)
      dims.push_back(dim);
}

SmallVector<Value> TileBlockReducer::reduce(OpBuilder &b, Location loc,
                                            ValueRange values,
                                            CombineFn combine) {
  return emitBlockReduction(b, loc, values, dims, combine);
}

Value TileBlockReducer::expand(OpBuilder &b, Location loc, Value reduced) {
  return emitter.broadcast(loc, reduced, getExtents(iterations));
}

Value TileBlockReducer::getIndex(OpBuilder &b, Location loc) {
  // Row-major over the reduction extents; a single position is a constant.
  SmallVector<int64_t> shape = getExtents(iterations);
  auto constant = [&](int64_t value) {
    return emitter.splat(loc, b.getI64IntegerAttr(value), shape);
  };
  Value index;
  int64_t fixed = 0;
  int64_t stride = 1;
  for (unsigned own = form.getNumDims(); own-- > 0;) {
    unsigned dim = llvm::find(order, own) - order.begin();
    if (!form.isReduction(dim))
      continue;
    const SliceDim &part = iterations[dim];
    if (part.extent == 1 && part.base.isConstant()) {
      fixed += part.base.getConstant() * stride;
    } else {
      Value position = emitter.emitPositions(loc, iterations, dim);
      if (stride != 1)
        position = arith::MulIOp::create(b, loc, position, constant(stride));
      index = index ? arith::AddIOp::create(b, loc, index, position).getResult()
                    : position;
    }
    stride *= form.getBound(dim);
  }
  if (!index)
    return constant(fixed);
  return fixed == 0 ? index
                    : arith::AddIOp::create(b, loc, index, constant(fixed))
                          .getResult();
}
