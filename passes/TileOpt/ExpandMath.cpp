//===- ExpandMath.cpp - tile-expand-math ----------------------------------===//

#include "passes/TileOpt/ArithWriter.h"
#include "passes/TileOpt/MathExpansions.h"
#include "passes/TileOpt/Passes.h"

#include "dialects/Tile/Tile.h"

namespace tilefuse {
#define GEN_PASS_DEF_TILEEXPANDMATH
#include "passes/TileOpt/Passes.h.inc"
} // namespace tilefuse

using namespace mlir;
using namespace tilefuse;

// The expansion of `op` on f32 operands, or null when it is to stay.
static Value expand(ImplicitLocOpBuilder &b, Operation *op, ArrayRef<Value> x,
                    bool approximate) {
  return llvm::TypeSwitch<Operation *, Value>(op)
      .Case([&](math::ExpOp) { return expandExp(b, x[0], approximate); })
      .Case([&](math::Exp2Op) { return expandExp2(b, x[0], approximate); })
      .Case([&](math::ExpM1Op) { return expandExpM1(b, x[0]); })
      .Case([&](math::LogOp) { return expandLog(b, x[0]); })
      .Case([&](math::Log2Op) { return expandLog2(b, x[0]); })
      .Case([&](math::Log10Op) { return expandLog10(b, x[0]); })
      .Case([&](math::Log1pOp) { return expandLog1p(b, x[0]); })
      .Case([&](math::TanhOp) { return expandTanh(b, x[0], approximate); })
      .Case([&](math::ErfOp) { return expandErf(b, x[0], approximate); })
      .Case([&](math::ErfcOp) { return expandErfc(b, x[0], approximate); })
      .Case([&](math::SinOp) { return expandSin(b, x[0]); })
      .Case([&](math::CosOp) { return expandCos(b, x[0]); })
      .Case([&](math::AtanOp) { return expandAtan(b, x[0]); })
      .Case([&](math::Atan2Op) { return expandAtan2(b, x[0], x[1]); })
      .Case([&](math::PowFOp) { return expandPow(b, x[0], x[1]); })
      .Case([&](math::RsqrtOp) { return expandRsqrt(b, x[0]); })
      .Default([](Operation *) { return Value(); });
}

static bool isExpanded(Operation *op) {
  return isa<math::ExpOp, math::Exp2Op, math::ExpM1Op, math::LogOp,
             math::Log2Op, math::Log10Op, math::Log1pOp, math::TanhOp,
             math::ErfOp, math::ErfcOp, math::SinOp, math::CosOp, math::AtanOp,
             math::Atan2Op, math::PowFOp, math::RsqrtOp>(op);
}

// Scalars and blocks of floats that have an expansion.
static bool isKnownFloat(Type type) {
  return isa<Float16Type, BFloat16Type, Float32Type, Float64Type>(
      getElementTypeOrSelf(type));
}

// The high half of a product: by a product twice as wide, or of 64 bits by halves.
static Value expandHighProduct(ImplicitLocOpBuilder &b, Value x, Value y,
                               bool isSigned) {
  Type type = x.getType();
  unsigned width = getElementTypeOrSelf(type).getIntOrFloatBitWidth();
  auto constant = [&](Type of, int64_t value) -> Value {
    auto attribute = b.getIntegerAttr(getElementTypeOrSelf(of), value);
    auto shaped = dyn_cast<ShapedType>(of);
    return arith::ConstantOp::create(
        b, shaped ? TypedAttr(DenseElementsAttr::get(shaped, attribute))
                  : TypedAttr(attribute));
  };
  if (width <= 32) {
    Type element = b.getIntegerType(2 * width);
    auto shaped = dyn_cast<ShapedType>(type);
    Type wide = shaped ? Type(shaped.clone(element)) : element;
    auto extend = [&](Value value) -> Value {
      if (isSigned)
        return arith::ExtSIOp::create(b, wide, value);
      return arith::ExtUIOp::create(b, wide, value);
    };
    Value product = arith::MulIOp::create(b, extend(x), extend(y));
    Value high = arith::ShRUIOp::create(b, product, constant(wide, width));
    return arith::TruncIOp::create(b, type, high);
  }
  Value half = constant(type, 32), mask = constant(type, 0xffffffff);
  auto low = [&](Value v) -> Value { return arith::AndIOp::create(b, v, mask); };
  auto up = [&](Value v) -> Value {
    return arith::ShRUIOp::create(b, v, half);
  };
  auto mul = [&](Value l, Value r) -> Value {
    return arith::MulIOp::create(b, l, r);
  };
  auto add = [&](Value l, Value r) -> Value {
    return arith::AddIOp::create(b, l, r);
  };
  // No sum overflows: (2^32 - 1)^2 + 2 (2^32 - 1) is 2^64 - 1.
  Value first = add(mul(up(x), low(y)), up(mul(low(x), low(y))));
  Value second = add(mul(low(x), up(y)), low(first));
  Value high = add(add(mul(up(x), up(y)), up(first)), up(second));
  if (!isSigned)
    return high;
  // -2^64 times the other factor for the sign of each.
  Value top = constant(type, 63);
  auto whereNegative = [&](Value sign, Value value) -> Value {
    return arith::AndIOp::create(b, arith::ShRSIOp::create(b, sign, top), value);
  };
  high = arith::SubIOp::create(b, high, whereNegative(x, y));
  return arith::SubIOp::create(b, high, whereNegative(y, x));
}

// mul{u,s}i_extended -> muli and the high half, addui_extended -> addi and a
// comparison: one result an op, as blocks are lowered.
static void expandTwoResults(Operation *op) {
  ImplicitLocOpBuilder b(op->getLoc(), op);
  Value x = op->getOperand(0), y = op->getOperand(1);
  if (isa<arith::AddUIExtendedOp>(op)) {
    Value sum = arith::AddIOp::create(b, x, y);
    Value carry = arith::CmpIOp::create(b, arith::CmpIPredicate::ult, sum, x);
    op->replaceAllUsesWith(ValueRange{sum, carry});
  } else {
    Value product = arith::MulIOp::create(b, x, y);
    op->replaceAllUsesWith(ValueRange{
        product,
        expandHighProduct(b, x, y, isa<arith::MulSIExtendedOp>(op))});
  }
  op->erase();
}

static bool hasTwoResults(Operation *op) {
  if (!isa<arith::MulUIExtendedOp, arith::MulSIExtendedOp,
           arith::AddUIExtendedOp>(op))
    return false;
  auto type = dyn_cast<IntegerType>(getElementTypeOrSelf(op->getOperand(0)));
  return type && (type.getWidth() <= 32 || type.getWidth() == 64);
}

namespace {

struct ExpandMath : tilefuse::impl::TileExpandMathBase<ExpandMath> {
  using Base::Base;
  void runOnOperation() override {
    SmallVector<Operation *> ops, pairs;
    getOperation().walk([&](tile::FuncOp kernel) {
      kernel.walk([&](Operation *op) {
        if (isExpanded(op) && isKnownFloat(op->getResult(0).getType()))
          ops.push_back(op);
        if (hasTwoResults(op))
          pairs.push_back(op);
      });
    });
    for (Operation *op : ops)
      expandOp(op);
    for (Operation *op : pairs)
      expandTwoResults(op);
    numExpanded += pairs.size();
  }

  // 16-bit floats are computed in f32 and rounded.
  void expandOp(Operation *op) {
    ImplicitLocOpBuilder b(op->getLoc(), op);
    Type type = op->getResult(0).getType();
    bool isDouble = getElementTypeOrSelf(type).isF64();
    bool isNarrow = !isDouble && !getElementTypeOrSelf(type).isF32();
    ArithWriter writer(b, op->getResult(0));
    SmallVector<Value> operands(op->getOperands());
    if (isNarrow)
      for (Value &operand : operands)
        operand = arith::ExtFOp::create(b, writer.f32(), operand);
    Value result = isDouble ? expandDouble(b, op, operands)
                            : expand(b, op, operands, approximate);
    if (isNarrow)
      result = arith::TruncFOp::create(b, type, result);
    op->getResult(0).replaceAllUsesWith(result);
    op->erase();
    ++numExpanded;
  }
};

} // namespace
