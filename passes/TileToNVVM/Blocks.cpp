//===- Blocks.cpp - block values that need no other thread --------*- C++ -*-===//
//
// Positions, splats and free view changes. `tile-assign-layouts` picks layouts
// in which a reshape, transpose, broadcast or window finds each element in the
// thread that wants it, so that all of them are renamings of registers.
//
//===----------------------------------------------------------------------===//

#include "passes/TileToNVVM/KernelEmitter.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;

namespace tilefuse {

LogicalResult KernelEmitter::emitProgramId(tile::ProgramIdOp op) {
  ArrayRef<int64_t> grid = kernel.getGrid();
  uint32_t axis = op.getAxis();
  int64_t size = axis < grid.size() ? grid[axis] : 1;
  // The range lets LLVM divide in 32 bits.
  auto range = LLVM::ConstantRangeAttr::get(
      builder.getContext(), APInt(32, 0),
      APInt(32, std::min<int64_t>(std::max<int64_t>(size, 1), INT32_MAX)));
  Type type = builder.getI32Type();
  Location loc = op.getLoc();
  Value id;
  if (axis == 0)
    id = NVVM::BlockIdXOp::create(builder, loc, type, range);
  else if (axis == 1)
    id = NVVM::BlockIdYOp::create(builder, loc, type, range);
  else
    id = NVVM::BlockIdZOp::create(builder, loc, type, range);
  set(op, Value(arith::ExtUIOp::create(builder, loc, builder.getI64Type(), id)));
  return success();
}

LogicalResult KernelEmitter::emitIota(tile::IotaOp op) {
  RankedTensorType type = cast<RankedTensorType>(op.getType());
  FailureOr<tile::DistributedLayout> layout = getLayout(op, type);
  if (failed(layout))
    return failure();
  Type scalar = getScalarType(type);
  if (!isa<IntegerType>(scalar))
    return op.emitOpError("has no lowering to the GPU for ") << type;
  unsigned width = scalar.getIntOrFloatBitWidth();
  Location loc = op.getLoc();
  BlockCoords coords(*layout, *sums);
  Registers registers;
  for (int64_t reg = 0; reg < layout->getNumRegisters(); ++reg) {
    ThreadAffine coord = coords.getCoord(op.getDim(), reg);
    Value value = addImmediate(loc, coord.thread, coord.constant);
    if (width > 32)
      value = arith::ExtUIOp::create(builder, loc, scalar, value);
    else if (width < 32)
      value = arith::TruncIOp::create(builder, loc, scalar, value);
    registers.push_back(value);
  }
  set(op, registers);
  return success();
}

LogicalResult KernelEmitter::emitSplat(tile::SplatOp op) {
  FailureOr<int64_t> count = getNumScalars(op, op.getType());
  if (failed(count))
    return failure();
  set(op, Registers(*count, getScalar(op.getValue())));
  return success();
}

// One element: every thread holds it, or a copy.
LogicalResult KernelEmitter::emitExtract(tile::ExtractOp op) {
  FailureOr<tile::DistributedLayout> layout =
      getLayout(op, op.getValue().getType());
  if (failed(layout))
    return failure();
  tile::Coords first(layout->getRank(), 0);
  int64_t reg = layout->getHolder(first).reg;
  BlockCoords coords(*layout, *sums);
  for (unsigned dim = 0; dim < layout->getRank(); ++dim)
    if (coords.getMaxCoord(dim, reg) != 0)
      return op.emitOpError("reads an element that not every thread holds");
  set(op, get(op.getValue())[reg]);
  return success();
}

LogicalResult KernelEmitter::emitRename(
    Operation *op,
    llvm::function_ref<tile::Coords(ArrayRef<int64_t>)> toSource) {
  auto fromType = cast<RankedTensorType>(op->getOperand(0).getType());
  auto toType = cast<RankedTensorType>(op->getResult(0).getType());
  FailureOr<tile::DistributedLayout> from = getLayout(op, fromType);
  FailureOr<tile::DistributedLayout> to = getLayout(op, toType);
  if (failed(from) || failed(to))
    return failure();
  auto sources = tile::getRegisterMap(*from, *to, toType.getShape(), toSource);
  if (!sources)
    return op->emitOpError("moves elements between threads; "
                           "expected layouts in which it renames registers, ")
           << fromType << " to " << toType;
  ArrayRef<Value> operand = get(op->getOperand(0));
  Registers registers;
  for (int64_t source : *sources)
    registers.push_back(operand[std::max<int64_t>(source, 0)]);
  set(op->getResult(0), registers);
  return success();
}

Value KernelEmitter::emitIsReal(Location loc, BlockCoords &coords,
                                ArrayRef<int64_t> shape, int64_t reg) {
  Value real;
  for (auto [dim, extent] : llvm::enumerate(shape)) {
    if (coords.getMaxCoord(dim, reg) < extent)
      continue;
    ThreadAffine coord = coords.getCoord(dim, reg);
    Value value = addImmediate(loc, coord.thread, coord.constant);
    real = conjoin(loc, real,
                   arith::CmpIOp::create(builder, loc,
                                         arith::CmpIPredicate::ult, value,
                                         i32(loc, extent)));
  }
  return real;
}

/// Registers of the slice replace those of the operand at the window's
/// elements; where a register is in the window in some threads only, they choose.
LogicalResult KernelEmitter::emitInsertWindow(tile::InsertWindowOp op) {
  auto sliceType = cast<RankedTensorType>(op.getSlice().getType());
  auto intoType = cast<RankedTensorType>(op.getResult().getType());
  FailureOr<tile::DistributedLayout> slice = getLayout(op, sliceType);
  FailureOr<tile::DistributedLayout> into = getLayout(op, intoType);
  if (failed(slice) || failed(into))
    return failure();
  auto sources = tile::getRegisterMap(
      *into, *slice, sliceType.getShape(), [&](ArrayRef<int64_t> coords) {
        tile::Coords source;
        for (auto [c, offset, stride] :
             llvm::zip_equal(coords, op.getOffsets(), op.getStrides()))
          source.push_back(offset + c * stride);
        return source;
      });
  if (!sources)
    return op.emitOpError("moves elements between threads; expected layouts in "
                          "which it renames registers, ")
           << sliceType << " into " << intoType;
  Registers registers(get(op.getInto()));
  ArrayRef<Value> values = get(op.getSlice());
  BlockCoords coords(*slice, *sums);
  Location loc = op.getLoc();
  for (auto [reg, target] : llvm::enumerate(*sources)) {
    if (target < 0)
      continue;
    Value inside = emitIsReal(loc, coords, sliceType.getShape(), reg);
    registers[target] =
        inside ? Value(arith::SelectOp::create(builder, loc, inside, values[reg],
                                               registers[target]))
               : values[reg];
  }
  set(op, registers);
  return success();
}

} // namespace tilefuse
