//===- SharedAccess.cpp - addresses of a distributed block in a tile *- C++ -*-===//

#include "passes/TileToNVVM/SharedAccess.h"
#include "passes/TileToNVVM/Words.h"

using namespace mlir;

namespace tilefuse {

SharedAccess::SharedAccess(KernelEmitter &emitter, Location loc, Value tile,
                           const tile::DistributedLayout &layout)
    : emitter(emitter), loc(loc), type(cast<tile::SharedType>(tile.getType())),
      shared(cast<tile::SharedLayoutAttr>(type.getLayout()).getLayout()),
      layout(layout), coords(layout, *emitter.sums),
      base(emitter.getScalar(tile)),
      memoryType(getMemoryType(emitter.getScalarType(type.getElementType()))),
      elementBytes(getMemoryBytes(memoryType)),
      vector(tile::getSharedVector(shared, this->layout, type.getShape(),
                                   elementBytes)) {}

std::pair<Value, int64_t> SharedAccess::getAddress(int64_t reg) {
  OpBuilder &builder = emitter.builder;
  auto atBytes = [&](Value bytes) -> Value {
    return LLVM::GEPOp::create(builder, loc, base.getType(),
                               builder.getI8Type(), base, LLVM::GEPArg(bytes));
  };
  if (shared.getSwizzle().bits == 0) {
    SmallVector<int64_t> weights;
    for (int64_t stride : shared.getStrides())
      weights.push_back(stride * elementBytes);
    ThreadAffine bytes = coords.getCombination(weights, reg);
    Value &pointer = pointers[bytes.thread];
    if (!pointer)
      pointer = atBytes(bytes.thread);
    return {pointer, bytes.constant + shared.getOffset() * elementBytes};
  }
  // position ^ (((position >> (base + shift)) & mask) << base), in elements
  const tile::Swizzle &swizzle = shared.getSwizzle();
  ThreadAffine linear = coords.getCombination(shared.getStrides(), reg);
  Value position = emitter.addImmediate(loc, linear.thread,
                                        linear.constant + shared.getOffset());
  Value high = arith::ShRUIOp::create(
      builder, loc, position, emitter.i32(loc, swizzle.base + swizzle.shift));
  high = arith::AndIOp::create(
      builder, loc, high,
      emitter.i32(loc, (int64_t(1) << swizzle.bits) - 1));
  high = arith::ShLIOp::create(builder, loc, high,
                               emitter.i32(loc, swizzle.base));
  position = arith::XOrIOp::create(builder, loc, position, high);
  if (elementBytes != 1)
    position = arith::MulIOp::create(builder, loc, position,
                                     emitter.i32(loc, elementBytes));
  return {atBytes(position), 0};
}

SmallVector<Value, 8> SharedAccess::loadGroup(int64_t reg, bool isVolatile) {
  auto [pointer, offset] = getAddress(reg & ~(vector - 1));
  return loadElements(emitter.builder, loc, pointer, offset, Value(), Value(),
                      memoryType, vector, isVolatile);
}

} // namespace tilefuse
