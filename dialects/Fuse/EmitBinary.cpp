//===- EmitBinary.cpp - code of one element, several operands ---*- C++ -*-===//

#include "dialects/Fuse/ElementBuilder.h"

using namespace mlir;
using namespace tilefuse;
using namespace tilefuse::fuse;

static bool isFloat(Value value) {
  return isa<FloatType>(getElementTypeOrSelf(value.getType()));
}

Value AddOp::emit(ElementBuilder &e, ValueRange x) { return e.add(x[0], x[1]); }
Value SubOp::emit(ElementBuilder &e, ValueRange x) { return e.sub(x[0], x[1]); }
Value MulOp::emit(ElementBuilder &e, ValueRange x) { return e.mul(x[0], x[1]); }
Value MaximumOp::emit(ElementBuilder &e, ValueRange x) {
  return e.max(x[0], x[1]);
}
Value MinimumOp::emit(ElementBuilder &e, ValueRange x) {
  return e.min(x[0], x[1]);
}
Value PowOp::emit(ElementBuilder &e, ValueRange x) {
  return math::PowFOp::create(e.b, e.loc, x[0], x[1]);
}
Value Atan2Op::emit(ElementBuilder &e, ValueRange x) {
  return math::Atan2Op::create(e.b, e.loc, x[0], x[1]);
}
Value AndOp::emit(ElementBuilder &e, ValueRange x) {
  return e.bitAnd(x[0], x[1]);
}
Value OrOp::emit(ElementBuilder &e, ValueRange x) {
  return e.bitOr(x[0], x[1]);
}
Value XorOp::emit(ElementBuilder &e, ValueRange x) {
  return arith::XOrIOp::create(e.b, e.loc, x[0], x[1]);
}
Value CompareOp::emit(ElementBuilder &e, ValueRange x) {
  return e.compare(getPredicate(), x[0], x[1]);
}
Value SelectOp::emit(ElementBuilder &e, ValueRange x) {
  return e.select(x[0], x[1], x[2]);
}

// Division by 0, and of the lowest integer by -1, is undefined in arith: the
// divisor becomes 1 there and the results are put in by hand.
static Value emitIntegerDivision(ElementBuilder &e, Value x, Value y,
                                 llvm::function_ref<Value(Value)> divide,
                                 Value ifMinusOne) {
  Value isZero = e.compare(Predicate::eq, y, 0.0);
  Value isMinusOne = e.compare(Predicate::eq, y, -1.0);
  Value safe = e.select(e.bitOr(isZero, isMinusOne), e.constant(1, y), y);
  Value result = e.select(isMinusOne, ifMinusOne, divide(safe));
  return e.select(isZero, e.constant(0, x), result);
}

Value DivOp::emit(ElementBuilder &e, ValueRange x) {
  if (isFloat(x[0]))
    return e.div(x[0], x[1]);
  return emitIntegerDivision(
      e, x[0], x[1],
      [&](Value safe) -> Value {
        return arith::DivSIOp::create(e.b, e.loc, x[0], safe);
      },
      e.neg(x[0]));
}

/// Adds the divisor to a truncated remainder of the other sign.
static Value emitFloored(ElementBuilder &e, Value remainder, Value divisor) {
  Value differ =
      e.compare(Predicate::ne, e.compare(Predicate::lt, remainder, 0.0),
                e.compare(Predicate::lt, divisor, 0.0));
  Value shift = e.bitAnd(differ, e.compare(Predicate::ne, remainder, 0.0));
  return e.select(shift, e.add(remainder, divisor), remainder);
}

Value RemainderOp::emit(ElementBuilder &e, ValueRange x) {
  if (isFloat(x[0])) {
    Value remainder = arith::RemFOp::create(e.b, e.loc, x[0], x[1]);
    return emitFloored(e, remainder, x[1]);
  }
  return emitIntegerDivision(
      e, x[0], x[1],
      [&](Value safe) -> Value {
        Value remainder = arith::RemSIOp::create(e.b, e.loc, x[0], safe);
        return emitFloored(e, remainder, safe);
      },
      e.constant(0, x[0]));
}

int fuse::getFactorMonotonicity(Operation *op, unsigned operand) {
  // c / x is not monotone over all x.
  if (operand == 1 && isa<DivOp>(op))
    return 0;
  std::optional<double> factor = getSplatNumber(op->getOperand(1 - operand));
  if (!factor || *factor == 0 || !std::isfinite(*factor) ||
      !isa<FloatType>(getElementTypeOrSelf(op->getOperand(0).getType())))
    return 0;
  return *factor > 0 ? 1 : -1;
}
