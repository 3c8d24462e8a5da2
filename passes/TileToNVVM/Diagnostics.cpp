//===- Diagnostics.cpp - printing and assertions on the device ----*- C++ -*-===//
//
// Both call functions that the CUDA driver links into every module: vprintf with
// a packed argument buffer, and __assertfail, which stops the launch with
// CUDA_ERROR_ASSERT.
//
//===----------------------------------------------------------------------===//

#include "passes/TileToNVVM/KernelEmitter.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;

namespace tilefuse {

LLVM::LLVMFuncOp
KernelEmitter::getDriverFunction(StringRef name, LLVM::LLVMFunctionType type) {
  for (auto known : module.getOps<LLVM::LLVMFuncOp>())
    if (known.getSymName() == name)
      return known;
  OpBuilder atStart = OpBuilder::atBlockBegin(module.getBody());
  return LLVM::LLVMFuncOp::create(atStart, kernel.getLoc(), name, type);
}

/// A generic pointer to zero-terminated text.
Value KernelEmitter::getStringPointer(Location loc, StringRef text) {
  OpBuilder atStart = OpBuilder::atBlockBegin(module.getBody());
  std::string name =
      (kernel.getSymName() + "_text" + Twine(numTables++)).str();
  std::string terminated = text.str() + '\0';
  auto global = LLVM::GlobalOp::create(
      atStart, loc,
      LLVM::LLVMArrayType::get(builder.getI8Type(), terminated.size()),
      /*isConstant=*/true, LLVM::Linkage::Internal, name,
      builder.getStringAttr(terminated), /*alignment=*/1, /*addrSpace=*/1);
  Value address = LLVM::AddressOfOp::create(builder, loc, global);
  return LLVM::AddrSpaceCastOp::create(
      builder, loc, LLVM::LLVMPointerType::get(builder.getContext()), address);
}

/// The value as vprintf wants it (f64, i32 or i64) and its conversion.
static std::pair<Value, StringRef> promote(OpBuilder &builder, Location loc,
                                           Value value) {
  Type type = value.getType();
  if (isa<FloatType>(type)) {
    if (!type.isF64())
      value = arith::ExtFOp::create(builder, loc, builder.getF64Type(), value);
    return {value, "%g"};
  }
  unsigned width = type.getIntOrFloatBitWidth();
  if (width == 64)
    return {value, "%lld"};
  if (width == 1)
    value = arith::ExtUIOp::create(builder, loc, builder.getI32Type(), value);
  else if (width < 32)
    value = arith::ExtSIOp::create(builder, loc, builder.getI32Type(), value);
  return {value, "%d"};
}

LogicalResult KernelEmitter::emitPrint(tile::PrintOp op) {
  Location loc = op.getLoc();
  MLIRContext *context = op.getContext();
  auto pointerType = LLVM::LLVMPointerType::get(context);
  Type i32Type = builder.getI32Type();
  LLVM::LLVMFuncOp vprintf = getDriverFunction(
      "vprintf",
      LLVM::LLVMFunctionType::get(i32Type, {pointerType, pointerType}));

  auto blockType = dyn_cast<RankedTensorType>(op.getValue().getType());
  std::optional<tile::DistributedLayout> layout;
  if (blockType) {
    FailureOr<tile::DistributedLayout> found = getLayout(op, blockType);
    if (failed(found))
      return failure();
    layout = *found;
  }
  std::string prefix; // a % in the text is not a conversion
  for (char c : op.getPrefix())
    prefix += c == '%' ? "%%" : std::string(1, c);

  SmallVector<Value> instance = {
      NVVM::BlockIdXOp::create(builder, loc, i32Type),
      NVVM::BlockIdYOp::create(builder, loc, i32Type),
      NVVM::BlockIdZOp::create(builder, loc, i32Type)};
  std::optional<BlockCoords> coords;
  if (layout)
    coords.emplace(*layout, *sums);
  uint64_t copies =
      layout ? layout->getReplicationMask(tile::Hardware::Register) : 0;
  for (auto [reg, value] : llvm::enumerate(get(op.getValue()))) {
    // A scalar is printed by thread 0, an element by the thread that owns it.
    Value predicate = sums->getIsZero(
        layout ? coords->getCopyMask() : uint64_t(32 * kernel.getWarps() - 1));
    SmallVector<Value> arguments(instance);
    std::string text = "(%d, %d, %d) " + prefix;
    if (layout) {
      if ((reg & copies) || coords->isPadding(blockType.getShape(), reg))
        continue;
      predicate = conjoin(loc, predicate,
                          emitIsReal(loc, *coords, blockType.getShape(), reg));
      for (unsigned dim = 0; dim < layout->getRank(); ++dim) {
        ThreadAffine coord = coords->getCoord(dim, reg);
        arguments.push_back(addImmediate(loc, coord.thread, coord.constant));
        text += dim == 0 ? "[%d" : ", %d";
      }
      if (layout->getRank())
        text += "]";
    }
    auto [promoted, conversion] = promote(builder, loc, value);
    arguments.push_back(promoted);
    text += " " + conversion.str() + "\n";

    SmallVector<Type> types;
    for (Value argument : arguments)
      types.push_back(argument.getType());
    auto buffer = LLVM::LLVMStructType::getLiteral(context, types);
    OpBuilder atStart = OpBuilder::atBlockBegin(&function.getBody().front());
    Value one = arith::ConstantOp::create(atStart, loc,
                                          builder.getI32IntegerAttr(1));
    Value storage =
        LLVM::AllocaOp::create(atStart, loc, pointerType, buffer, one, 8);

    OpBuilder::InsertionGuard guard(builder);
    if (predicate) {
      auto branch = scf::IfOp::create(builder, loc, predicate);
      builder.setInsertionPointToStart(branch.thenBlock());
    }
    for (auto [i, argument] : llvm::enumerate(arguments)) {
      Value field = LLVM::GEPOp::create(
          builder, loc, pointerType, buffer, storage,
          ArrayRef<LLVM::GEPArg>{0, int32_t(i)});
      LLVM::StoreOp::create(builder, loc, argument, field);
    }
    LLVM::CallOp::create(builder, loc, vprintf,
                         ValueRange{getStringPointer(loc, text), storage});
  }
  return success();
}

LogicalResult KernelEmitter::emitAssert(tile::AssertOp op) {
  Location loc = op.getLoc();
  MLIRContext *context = op.getContext();
  auto pointerType = LLVM::LLVMPointerType::get(context);
  Type i32Type = builder.getI32Type(), i64Type = builder.getI64Type();
  LLVM::LLVMFuncOp assertFail = getDriverFunction(
      "__assertfail", LLVM::LLVMFunctionType::get(
                          LLVM::LLVMVoidType::get(context),
                          {pointerType, pointerType, i32Type, pointerType,
                           i64Type}));

  Value holds;
  auto blockType = dyn_cast<RankedTensorType>(op.getCondition().getType());
  ArrayRef<Value> conditions = get(op.getCondition());
  std::optional<tile::DistributedLayout> layout;
  if (blockType) {
    FailureOr<tile::DistributedLayout> found = getLayout(op, blockType);
    if (failed(found))
      return failure();
    layout = *found;
  }
  Value always = arith::ConstantOp::create(builder, loc,
                                           builder.getBoolAttr(true));
  for (auto [reg, condition] : llvm::enumerate(conditions)) {
    Value value = condition;
    if (layout) {
      BlockCoords coords(*layout, *sums);
      if (coords.isPadding(blockType.getShape(), reg))
        continue;
      if (Value real = emitIsReal(loc, coords, blockType.getShape(), reg))
        value = arith::SelectOp::create(builder, loc, real, value, always);
    }
    holds = conjoin(loc, holds, value);
  }
  if (!holds)
    return success();
  Value fails = arith::XOrIOp::create(builder, loc, holds, always);
  auto branch = scf::IfOp::create(builder, loc, fails);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(branch.thenBlock());
  int64_t line = 0;
  std::string file = "tile kernel";
  if (auto position = loc->findInstanceOf<FileLineColLoc>()) {
    line = position.getLine();
    file = position.getFilename().str();
  }
  Value size = arith::ConstantOp::create(builder, loc,
                                         builder.getI64IntegerAttr(1));
  LLVM::CallOp::create(builder, loc, assertFail,
                       ValueRange{getStringPointer(loc, op.getMessage()),
                                  getStringPointer(loc, file), i32(loc, line),
                                  getStringPointer(loc, kernel.getSymName()),
                                  size});
  return success();
}

} // namespace tilefuse
