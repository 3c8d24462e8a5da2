//===- EmitUnary.cpp - code of one element, one operand ---------*- C++ -*-===//
//
// The formulas are PyTorch's own where they decide NaN, infinity or accuracy.
//
//===----------------------------------------------------------------------===//

#include "dialects/Fuse/ElementBuilder.h"

using namespace mlir;
using namespace tilefuse;
using namespace tilefuse::fuse;

//===----------------------------------------------------------------------===//
// One op of arith or math
//===----------------------------------------------------------------------===//

Value NegOp::emit(ElementBuilder &e, ValueRange x) { return e.neg(x[0]); }
Value AbsOp::emit(ElementBuilder &e, ValueRange x) { return e.abs(x[0]); }
Value SquareOp::emit(ElementBuilder &e, ValueRange x) {
  return e.mul(x[0], x[0]);
}
Value ExpOp::emit(ElementBuilder &e, ValueRange x) {
  return e.math<math::ExpOp>(x[0]);
}
Value Exp2Op::emit(ElementBuilder &e, ValueRange x) {
  return e.math<math::Exp2Op>(x[0]);
}
Value Expm1Op::emit(ElementBuilder &e, ValueRange x) {
  return e.math<math::ExpM1Op>(x[0]);
}
Value LogOp::emit(ElementBuilder &e, ValueRange x) {
  return e.math<math::LogOp>(x[0]);
}
Value Log2Op::emit(ElementBuilder &e, ValueRange x) {
  return e.math<math::Log2Op>(x[0]);
}
Value Log1pOp::emit(ElementBuilder &e, ValueRange x) {
  return e.math<math::Log1pOp>(x[0]);
}
Value SqrtOp::emit(ElementBuilder &e, ValueRange x) {
  return e.math<math::SqrtOp>(x[0]);
}
Value RsqrtOp::emit(ElementBuilder &e, ValueRange x) {
  return e.math<math::RsqrtOp>(x[0]);
}
Value SinOp::emit(ElementBuilder &e, ValueRange x) {
  return e.math<math::SinOp>(x[0]);
}
Value CosOp::emit(ElementBuilder &e, ValueRange x) {
  return e.math<math::CosOp>(x[0]);
}
Value TanhOp::emit(ElementBuilder &e, ValueRange x) {
  return e.math<math::TanhOp>(x[0]);
}
Value ErfOp::emit(ElementBuilder &e, ValueRange x) {
  return e.math<math::ErfOp>(x[0]);
}
Value FloorOp::emit(ElementBuilder &e, ValueRange x) {
  return e.math<math::FloorOp>(x[0]);
}
Value CeilOp::emit(ElementBuilder &e, ValueRange x) {
  return e.math<math::CeilOp>(x[0]);
}
Value RoundOp::emit(ElementBuilder &e, ValueRange x) {
  return e.math<math::RoundEvenOp>(x[0]);
}
Value TruncOp::emit(ElementBuilder &e, ValueRange x) {
  return e.math<math::TruncOp>(x[0]);
}
Value IsNanOp::emit(ElementBuilder &e, ValueRange x) { return e.isNan(x[0]); }

Value ReciprocalOp::emit(ElementBuilder &e, ValueRange x) {
  return e.div(e.constant(1, x[0]), x[0]);
}

Value NotOp::emit(ElementBuilder &e, ValueRange x) {
  Type type = x[0].getType();
  Type element = getElementTypeOrSelf(type);
  Value ones = createBlockConstant(
      e.b, e.loc, type,
      IntegerAttr::get(element,
                       APInt::getAllOnes(element.getIntOrFloatBitWidth())));
  return arith::XOrIOp::create(e.b, e.loc, x[0], ones);
}

Value SignOp::emit(ElementBuilder &e, ValueRange x) {
  Value zero = e.constant(0, x[0]);
  Value negative = e.select(e.compare(Predicate::lt, x[0], zero),
                            e.constant(-1, x[0]), zero);
  return e.select(e.compare(Predicate::gt, x[0], zero), e.constant(1, x[0]),
                  negative);
}

//===----------------------------------------------------------------------===//
// Activations
//===----------------------------------------------------------------------===//

/// 1 / (1 + exp(-x)): exp overflows to infinity, of which the quotient is 0.
static Value emitSigmoid(ElementBuilder &e, Value x) {
  Value exponential = e.math<math::ExpOp>(e.neg(x));
  return e.reciprocal(e.add(exponential, 1));
}

/// min(max(x + 3, 0), 6)
static Value emitShiftedRelu6(ElementBuilder &e, Value x) {
  return e.min(e.max(e.add(x, 3), 0.0), 6);
}

/// x > 0 ? x : negative
static Value emitIfPositive(ElementBuilder &e, Value x, Value negative) {
  return e.select(e.compare(Predicate::gt, x, 0.0), x, negative);
}

Value SigmoidOp::emit(ElementBuilder &e, ValueRange x) {
  return emitSigmoid(e, x[0]);
}

// min(x, 0) - log1p(exp(-|x|)): the exponential never overflows.
Value LogSigmoidOp::emit(ElementBuilder &e, ValueRange x) {
  Value exponential = e.math<math::ExpOp>(e.neg(e.abs(x[0])));
  return e.sub(e.min(x[0], 0.0), e.math<math::Log1pOp>(exponential));
}

Value ReluOp::emit(ElementBuilder &e, ValueRange x) { return e.max(x[0], 0.0); }

Value Relu6Op::emit(ElementBuilder &e, ValueRange x) {
  return e.min(e.max(x[0], 0.0), 6);
}

Value LeakyReluOp::emit(ElementBuilder &e, ValueRange x) {
  double slope = getSlope().convertToDouble();
  Value scaled = e.mul(x[0], slope);
  // The larger of the two, unless 0 * infinity is one.
  if (slope > 0 && slope <= 1)
    return e.max(x[0], scaled);
  return emitIfPositive(e, x[0], scaled);
}

Value EluOp::emit(ElementBuilder &e, ValueRange x) {
  Value exponential = e.math<math::ExpM1Op>(x[0]);
  return emitIfPositive(e, x[0],
                        e.mul(exponential, getAlpha().convertToDouble()));
}

Value CeluOp::emit(ElementBuilder &e, ValueRange x) {
  double alpha = getAlpha().convertToDouble();
  Value scaled = e.div(x[0], e.constant(alpha, x[0]));
  return emitIfPositive(e, x[0], e.mul(e.math<math::ExpM1Op>(scaled), alpha));
}

Value SeluOp::emit(ElementBuilder &e, ValueRange x) {
  constexpr double alpha = 1.6732632423543772848170429916717;
  constexpr double scale = 1.0507009873554804934193349852946;
  Value negative = e.mul(e.math<math::ExpM1Op>(x[0]), alpha);
  return e.mul(emitIfPositive(e, x[0], negative), scale);
}

Value SiluOp::emit(ElementBuilder &e, ValueRange x) {
  return e.mul(x[0], emitSigmoid(e, x[0]));
}

// 1 + erf(y) is erfc(|y|), or 2 less that for y > 0: no digits of small values are
// lost, and one form of erfc serves all y.
Value GeluOp::emit(ElementBuilder &e, ValueRange x) {
  constexpr double sqrtHalf = 0.70710678118654752440;
  constexpr double sqrtTwoOverPi = 0.79788456080286535588;
  Value half = e.mul(x[0], 0.5);
  if (getApproximate() == GeluKind::none) {
    Value tail =
        e.math<math::ErfcOp>(e.abs(e.mul(x[0], sqrtHalf)));
    Value twice = e.select(e.compare(Predicate::gt, x[0], 0.0),
                           e.sub(e.constant(2, x[0]), tail), tail);
    return e.mul(half, twice);
  }
  Value cube = e.mul(e.mul(x[0], x[0]), x[0]);
  Value sum = e.add(x[0], e.mul(cube, 0.044715));
  Value inner = e.math<math::TanhOp>(e.mul(sum, sqrtTwoOverPi));
  return e.mul(half, e.add(inner, 1));
}

// The unselected side may overflow; the selected one does not.
Value SoftplusOp::emit(ElementBuilder &e, ValueRange x) {
  double beta = getBeta().convertToDouble();
  Value scaled = e.mul(x[0], beta);
  Value soft = e.math<math::Log1pOp>(e.math<math::ExpOp>(scaled));
  Value linear =
      e.compare(Predicate::gt, scaled, getThreshold().convertToDouble());
  return e.select(linear, x[0], e.div(soft, e.constant(beta, soft)));
}

Value MishOp::emit(ElementBuilder &e, ValueRange x) {
  Value soft = e.math<math::Log1pOp>(e.math<math::ExpOp>(x[0]));
  return e.mul(x[0], e.math<math::TanhOp>(soft));
}

// The factor first: it is exactly 1 from 3 on, and 6 x may overflow.
Value HardswishOp::emit(ElementBuilder &e, ValueRange x) {
  return e.mul(x[0], e.mul(emitShiftedRelu6(e, x[0]), 1.0 / 6));
}

Value HardsigmoidOp::emit(ElementBuilder &e, ValueRange x) {
  return e.mul(emitShiftedRelu6(e, x[0]), 1.0 / 6);
}

Value ClampOp::emit(ElementBuilder &e, ValueRange x) {
  Value result = x[0];
  if (std::optional<APFloat> low = getMin())
    result = e.max(result, low->convertToDouble());
  if (std::optional<APFloat> high = getMax())
    result = e.min(result, high->convertToDouble());
  return result;
}

//===----------------------------------------------------------------------===//
// Cast
//===----------------------------------------------------------------------===//

Value CastOp::emitElement(OpBuilder &b, Location loc, ValueRange operands,
                          ValueRange) {
  return emitCast(b, loc, operands[0], getResult().getType().getElementType());
}

// Rounding never exchanges two numbers; NaN stays NaN between floats only.
int CastOp::getMonotonicity(unsigned) {
  return isa<FloatType>(getInput().getType().getElementType()) &&
         isa<FloatType>(getResult().getType().getElementType());
}

//===----------------------------------------------------------------------===//
// Parameters
//===----------------------------------------------------------------------===//

LogicalResult CeluOp::verify() {
  double alpha = getAlpha().convertToDouble();
  if (alpha == 0 || std::isnan(alpha))
    return emitOpError("expected an alpha other than 0, but found ") << alpha;
  return success();
}

LogicalResult SoftplusOp::verify() {
  double beta = getBeta().convertToDouble();
  if (beta == 0 || std::isnan(beta))
    return emitOpError("expected a beta other than 0, but found ") << beta;
  return success();
}

LogicalResult ClampOp::verify() {
  if (!getMinAttr() && !getMaxAttr())
    return emitOpError("expected a min, a max or both, but found neither");
  for (std::optional<APFloat> bound : {getMin(), getMax()})
    if (bound && bound->isNaN())
      return emitOpError("expected bounds that are numbers, but found NaN");
  return success();
}
