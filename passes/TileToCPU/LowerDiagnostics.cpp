//===- LowerDiagnostics.cpp - debug_print and assert on the CPU -----------===//
//
// Both call into the process that runs the kernel; RuntimeHooks.h has the
// signatures.
//
//===----------------------------------------------------------------------===//

#include "passes/TileToCPU/KernelLowering.h"
#include "passes/TileToCPU/RuntimeHooks.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace tilefuse;

static LLVM::LLVMFuncOp declare(KernelLowering &kernel, OpBuilder &b,
                                StringRef name, ArrayRef<Type> inputs) {
  if (auto known = kernel.symbols.lookup<LLVM::LLVMFuncOp>(name))
    return known;
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(kernel.module.getBody());
  auto type =
      LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(b.getContext()),
                                  inputs);
  auto function = LLVM::LLVMFuncOp::create(b, kernel.module.getLoc(), name, type);
  kernel.symbols.insert(function);
  return function;
}

// The address of read-only data in the module.
static Value emitGlobal(KernelLowering &kernel, ImplicitLocOpBuilder &b,
                        StringRef name, Type type, Attribute value) {
  LLVM::GlobalOp global;
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(kernel.module.getBody());
    global = LLVM::GlobalOp::create(b, type, /*isConstant=*/true,
                                    LLVM::Linkage::Internal, name, value);
    kernel.symbols.insert(global); // makes the name unique
  }
  return LLVM::AddressOfOp::create(
      b, LLVM::LLVMPointerType::get(b.getContext()), global.getSymName());
}

static Value emitText(KernelLowering &kernel, ImplicitLocOpBuilder &b,
                      StringRef text) {
  std::string bytes = text.str();
  bytes.push_back('\0');
  auto type = LLVM::LLVMArrayType::get(b.getI8Type(), bytes.size());
  return emitGlobal(kernel, b, "tilefuse_text", type, b.getStringAttr(bytes));
}

static int64_t getElementCode(Type type) {
  if (type.isF16())
    return TilefuseElementF16;
  if (type.isBF16())
    return TilefuseElementBF16;
  if (type.isF32())
    return TilefuseElementF32;
  if (type.isF64())
    return TilefuseElementF64;
  if (type.isIndex())
    return TilefuseElementI64;
  switch (type.getIntOrFloatBitWidth()) {
  case 1:
    return TilefuseElementI1;
  case 8:
    return TilefuseElementI8;
  case 16:
    return TilefuseElementI16;
  case 32:
    return TilefuseElementI32;
  default:
    return TilefuseElementI64;
  }
}

void tilefuse::lowerPrint(KernelLowering &kernel, ImplicitLocOpBuilder &b,
                          tile::PrintOp op) {
  Type pointer = LLVM::LLVMPointerType::get(b.getContext());
  Type i64 = b.getI64Type();
  Value block = op.getValue();
  if (!isa<RankedTensorType>(block.getType()))
    block = tensor::FromElementsOp::create(
        b, RankedTensorType::get({}, block.getType()), block);
  auto type = cast<RankedTensorType>(block.getType());
  auto constant = [&](int64_t value) -> Value {
    return arith::ConstantOp::create(b, b.getI64IntegerAttr(value));
  };

  Value shape = LLVM::ZeroOp::create(b, pointer);
  if (type.getRank() > 0)
    shape = emitGlobal(
        kernel, b, "tilefuse_shape",
        LLVM::LLVMArrayType::get(i64, type.getRank()),
        DenseElementsAttr::get(RankedTensorType::get({type.getRank()}, i64),
                               type.getShape()));
  Value buffer = bufferization::ToBufferOp::create(
      b, MemRefType::get(type.getShape(), type.getElementType()), block,
      /*read_only=*/true);
  Value address = memref::ExtractAlignedPointerAsIndexOp::create(b, buffer);
  Value bits = arith::IndexCastOp::create(b, i64, address);
  Value data = LLVM::IntToPtrOp::create(b, pointer, bits);

  SmallVector<Value> arguments = {emitText(kernel, b, op.getPrefix())};
  for (Value id : kernel.ids)
    arguments.push_back(arith::IndexCastOp::create(b, i64, id));
  arguments.append({constant(getElementCode(type.getElementType())),
                    constant(type.getRank()), shape, data});
  LLVM::LLVMFuncOp hook =
      declare(kernel, b, "tilefuse_debug_print",
              {pointer, i64, i64, i64, i64, i64, pointer, pointer});
  LLVM::CallOp::create(b, hook, arguments);
}

void tilefuse::lowerAssert(KernelLowering &kernel, ImplicitLocOpBuilder &b,
                           tile::AssertOp op) {
  Type pointer = LLVM::LLVMPointerType::get(b.getContext());
  LLVM::LLVMFuncOp hook =
      declare(kernel, b, "tilefuse_assert_failed", {pointer});
  Value text = emitText(kernel, b, op.getMessage());
  auto check = [&](ImplicitLocOpBuilder &b, Value condition) {
    Value isWrong = arith::XOrIOp::create(
        b, condition, arith::ConstantIntOp::create(b, 1, 1));
    auto report = scf::IfOp::create(b, isWrong, /*withElseRegion=*/false);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(report.thenBlock());
    LLVM::CallOp::create(b, hook, text);
  };
  Value condition = op.getCondition();
  auto type = dyn_cast<RankedTensorType>(condition.getType());
  if (!type)
    return check(b, condition);
  emitLoops(b, getExtents(b, type),
            [&](ImplicitLocOpBuilder &b, ValueRange indices) {
              check(b, tensor::ExtractOp::create(b, condition, indices));
            });
}
