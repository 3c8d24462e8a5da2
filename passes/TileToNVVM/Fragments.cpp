//===- Fragments.cpp - operand fragments of matrix instructions ---*- C++ -*-===//

#include "passes/TileToNVVM/Fragments.h"
#include "passes/TileToNVVM/Words.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;

namespace tilefuse {

// Ties to even is one instruction; ties away would be three.
Value emitTf32(OpBuilder &builder, Location loc, Value value) {
  return NVVM::ConvertFloatToTF32Op::create(builder, loc, builder.getI32Type(),
                                            value, NVVM::FPRoundingMode::RN);
}

Tf32Pair FragmentLoader::getTf32(int64_t reg) {
  Tf32Pair &pair = words[reg];
  if (pair.big)
    return pair;
  Value value = getRaw(reg);
  Type i32 = builder.getI32Type();
  if (kind == Fragment::Tf32Rounded) {
    pair.big = LLVM::BitcastOp::create(builder, loc, i32, value);
    return pair;
  }
  pair.big = emitTf32(builder, loc, value);
  if (kind == Fragment::Tf32Split) {
    Value big =
        LLVM::BitcastOp::create(builder, loc, builder.getF32Type(), pair.big);
    Value rest = arith::SubFOp::create(builder, loc, value, big);
    pair.small = LLVM::BitcastOp::create(builder, loc, i32, rest);
  }
  return pair;
}

Value FragmentLoader::getHalves(int64_t low, int64_t high) {
  Value &word = words[low].big;
  if (!word)
    word = packWords(builder, loc, {getRaw(low), getRaw(high)}).front();
  return word;
}

Value FragmentLoader::getRaw(int64_t reg) {
  if (!raw[reg]) {
    int64_t first = reg & ~(access.getVector() - 1);
    for (auto [i, value] : llvm::enumerate(access.loadGroup(
             reg, /*isVolatile=*/kind == Fragment::Tf32Again)))
      raw[first + i] = value;
  }
  return raw[reg];
}

/// `sum`, or where some sum of the warp is not finite, what `repair` makes of it.
SmallVector<Value, 4> emitRepair(OpBuilder &builder, Location loc, SmallVector<Value, 4> sum,
                     function_ref<void(MutableArrayRef<Value>)> repair) {
  Type f32 = builder.getF32Type();
  Value zero = arith::ConstantOp::create(builder, loc,
                                         builder.getF32FloatAttr(0.0f));
  // 0 * x is NaN for an infinity or NaN; four chains hide the latency.
  SmallVector<Value, 4> checks(4, zero);
  for (auto [i, value] : llvm::enumerate(sum))
    checks[i % 4] =
        LLVM::FMAOp::create(builder, loc, value, zero, checks[i % 4]);
  Value check = checks[0];
  for (Value other : ArrayRef<Value>(checks).drop_front())
    check = arith::AddFOp::create(builder, loc, check, other);
  Value suspect = arith::CmpFOp::create(
      builder, loc, arith::CmpFPredicate::UNO, check, check);
  Value allLanes = arith::ConstantOp::create(builder, loc,
                                             builder.getI32IntegerAttr(-1));
  Value any = NVVM::VoteSyncOp::create(builder, loc, builder.getI1Type(),
                                       allLanes, suspect,
                                       NVVM::VoteSyncKind::any);
  auto branch = scf::IfOp::create(builder, loc,
                                  SmallVector<Type>(sum.size(), f32), any,
                                  /*addThenBlock=*/true, /*addElseBlock=*/true);
  {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToEnd(branch.thenBlock());
    SmallVector<Value, 4> again(sum);
    repair(again);
    scf::YieldOp::create(builder, loc, again);
    builder.setInsertionPointToEnd(branch.elseBlock());
    scf::YieldOp::create(builder, loc, sum);
  }
  return SmallVector<Value, 4>(branch.getResults());
}

} // namespace tilefuse
