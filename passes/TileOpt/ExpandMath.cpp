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

namespace {

struct ExpandMath : tilefuse::impl::TileExpandMathBase<ExpandMath> {
  using Base::Base;
  void runOnOperation() override {
    SmallVector<Operation *> ops;
    getOperation().walk([&](tile::FuncOp kernel) {
      kernel.walk([&](Operation *op) {
        if (isExpanded(op) && isKnownFloat(op->getResult(0).getType()))
          ops.push_back(op);
      });
    });
    for (Operation *op : ops)
      expandOp(op);
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
