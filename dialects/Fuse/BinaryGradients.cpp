//===- BinaryGradients.cpp - derivatives of functions of two elements -----===//
//
// A rule works on the broadcast shape; what broadcasting repeated is summed
// back in one place.
//
//===----------------------------------------------------------------------===//

#include "dialects/Fuse/Fuse.h"
#include "dialects/Fuse/GradientBuilder.h"

using namespace mlir;

namespace tilefuse::fuse {
namespace {

using B = GradientBuilder;
/// Gradient of the left (0) or right (1) operand, before summing back.
Value differentiate(AddOp, B &, Value dy, unsigned) { return dy; }
Value differentiate(SubOp, B &b, Value dy, unsigned operand) {
  return operand == 0 ? dy : b.neg(dy);
}
Value differentiate(MulOp op, B &b, Value dy, unsigned operand) {
  return b.mul(dy, operand == 0 ? op.getRhs() : op.getLhs());
}
Value differentiate(DivOp op, B &b, Value dy, unsigned operand) {
  if (operand == 0)
    return b.div(dy, op.getRhs());
  // -x / y^2, as PyTorch: -(dy * (x / y) / y).
  return b.neg(b.mul(dy, b.div(op.getResult(), op.getRhs())));
}

// Equal operands share the gradient. The conditions are PyTorch's: NaN in either
// operand is neither equal nor less, and both get all of it.
Value shareExtreme(B &b, Value dy, Value mine, Value other, bool isMax) {
  Value loses = isMax ? b.less(mine, other) : b.less(other, mine);
  Value share = b.select(b.equal(mine, other), b.mul(dy, 0.5), dy);
  return b.select(loses, b.scalar(dy, 0.0), share);
}
Value differentiate(MaximumOp op, B &b, Value dy, unsigned operand) {
  Value mine = operand == 0 ? op.getLhs() : op.getRhs();
  Value other = operand == 0 ? op.getRhs() : op.getLhs();
  return shareExtreme(b, dy, mine, other, /*isMax=*/true);
}
Value differentiate(MinimumOp op, B &b, Value dy, unsigned operand) {
  Value mine = operand == 0 ? op.getLhs() : op.getRhs();
  Value other = operand == 0 ? op.getRhs() : op.getLhs();
  return shareExtreme(b, dy, mine, other, /*isMax=*/false);
}

// d/da a^c = c a^(c-1), 0 for c = 0; d/dc a^c = a^c log a, 0 for a = 0, c >= 0.
Value differentiate(PowOp op, B &b, Value dy, unsigned operand) {
  Value base = op.getLhs(), exponent = op.getRhs();
  if (operand == 0) {
    Value lower = b.sub(exponent, b.scalar(exponent, 1.0));
    Value slope = b.mul(exponent, b.create<PowOp>(base, lower));
    Value isZero = b.equal(exponent, b.scalar(exponent, 0.0));
    return b.select(isZero, b.scalar(dy, 0.0), b.mul(dy, slope));
  }
  Value slope = b.mul(op.getResult(), b.create<LogOp>(base));
  Value flat = b.create<AndOp>(
      b.equal(base, b.scalar(base, 0.0)),
      b.create<CompareOp>(Predicate::ge, exponent, b.scalar(exponent, 0.0)));
  return b.select(flat, b.scalar(dy, 0.0), b.mul(dy, slope));
}

// r = x - y q with q = floor(x / y), which must be the q of this very r: x / y
// rounds, and may reach the next integer. An r that rounded to y itself, or an
// infinite y, leaves q = -1.
Value differentiate(RemainderOp op, B &b, Value dy, unsigned operand) {
  if (operand == 0)
    return dy;
  Value x = op.getLhs(), y = op.getRhs(), r = op.getResult();
  Value quotient = b.create<RoundOp>(b.div(b.sub(x, r), y));
  quotient = b.select(b.equal(r, y), b.scalar(y, -1.0), quotient);
  quotient = b.select(b.equal(y, b.scalar(y, 0.0)), b.div(x, y), quotient);
  return b.neg(b.mul(dy, quotient));
}

// atan2(y, x): d/dy = x / (x^2 + y^2), d/dx = -y / (x^2 + y^2); 0 where both are
// 0, as in PyTorch.
Value differentiate(Atan2Op op, B &b, Value dy, unsigned operand) {
  Value y = op.getLhs(), x = op.getRhs();
  Value square = b.add(b.mul(x, x), b.mul(y, y));
  Value isOrigin = b.equal(square, b.scalar(square, 0.0));
  Value scaled = b.select(isOrigin, b.scalar(dy, 0.0), b.div(dy, square));
  return operand == 0 ? b.mul(scaled, x) : b.neg(b.mul(scaled, y));
}

Value differentiate(SelectOp op, B &b, Value dy, unsigned operand) {
  Value zero = b.scalar(dy, 0.0);
  return operand == 1 ? b.select(op->getOperand(0), dy, zero)
                      : b.select(op->getOperand(0), zero, dy);
}

template <typename Op>
struct BinaryGradient
    : DifferentiableOpInterface::ExternalModel<BinaryGradient<Op>, Op> {
  LogicalResult buildGradients(Operation *op, GradientBuilder &b,
                               ValueRange cotangents, ArrayRef<bool> wanted,
                               SmallVectorImpl<Value> &gradients) const {
    auto result = cast<RankedTensorType>(op->getResult(0).getType());
    for (unsigned i = 0; i < op->getNumOperands(); ++i) {
      gradients.push_back({});
      if (!wanted[i])
        continue;
      Value gradient = differentiate(cast<Op>(op), b, cotangents[0], i);
      // A rule of constants may give less than the broadcast shape.
      gradient = b.broadcast(gradient, result.getShape());
      auto type = cast<RankedTensorType>(op->getOperand(i).getType());
      gradients.back() = b.sumTo(gradient, type.getShape());
    }
    return success();
  }
};

template <typename... Ops> void attach(MLIRContext *context) {
  (Ops::template attachInterface<BinaryGradient<Ops>>(*context), ...);
}

} // namespace

void attachBinaryGradients(MLIRContext *context) {
  attach<AddOp, SubOp, MulOp, DivOp, MaximumOp, MinimumOp, PowOp, RemainderOp,
         Atan2Op, SelectOp>(context);
}

} // namespace tilefuse::fuse
