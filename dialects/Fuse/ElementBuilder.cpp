//===- ElementBuilder.cpp - arith and math on elements ----------*- C++ -*-===//

#include "dialects/Fuse/ElementBuilder.h"

using namespace mlir;
using namespace tilefuse;
using namespace tilefuse::fuse;

static bool isFloat(Value value) {
  return isa<FloatType>(getElementTypeOrSelf(value.getType()));
}

Value fuse::createBlockConstant(OpBuilder &b, Location loc, Type type,
                                TypedAttr value) {
  if (auto shaped = dyn_cast<ShapedType>(type))
    return arith::ConstantOp::create(
        b, loc, DenseElementsAttr::get(shaped, Attribute(value)));
  return arith::ConstantOp::create(b, loc, value);
}

TypedAttr fuse::getExtremeNeutral(Type element, int sign) {
  if (auto type = dyn_cast<FloatType>(element))
    return FloatAttr::get(
        type, APFloat::getInf(type.getFloatSemantics(), /*Negative=*/sign > 0));
  unsigned width = element.getIntOrFloatBitWidth();
  if (width == 1)
    return IntegerAttr::get(element, APInt(1, sign > 0 ? 0 : 1));
  return IntegerAttr::get(element, sign > 0 ? APInt::getSignedMinValue(width)
                                            : APInt::getSignedMaxValue(width));
}

Value ElementBuilder::constant(double number, Value like) {
  Type type = like.getType();
  return createBlockConstant(b, loc, type,
                             getNumberAttr(getElementTypeOrSelf(type), number));
}

Value ElementBuilder::add(Value x, Value y) {
  if (isFloat(x))
    return arith::AddFOp::create(b, loc, x, y);
  return arith::AddIOp::create(b, loc, x, y);
}

Value ElementBuilder::sub(Value x, Value y) {
  if (isFloat(x))
    return arith::SubFOp::create(b, loc, x, y);
  return arith::SubIOp::create(b, loc, x, y);
}

Value ElementBuilder::mul(Value x, Value y) {
  if (isFloat(x))
    return arith::MulFOp::create(b, loc, x, y);
  return arith::MulIOp::create(b, loc, x, y);
}

Value ElementBuilder::div(Value x, Value y) {
  return arith::DivFOp::create(b, loc, x, y);
}

Value ElementBuilder::reciprocal(Value x) {
  bool isDouble = getElementTypeOrSelf(x.getType()).isF64();
  return arith::DivFOp::create(b, loc, constant(1, x), x,
                               isDouble ? arith::FastMathFlags::none
                                        : arith::FastMathFlags::afn);
}

Value ElementBuilder::neg(Value x) {
  if (isFloat(x))
    return arith::NegFOp::create(b, loc, x);
  return sub(constant(0, x), x);
}

Value ElementBuilder::abs(Value x) {
  if (isFloat(x))
    return math::AbsFOp::create(b, loc, x);
  return math::AbsIOp::create(b, loc, x);
}

static bool isBool(Value value) {
  return getElementTypeOrSelf(value.getType()).isInteger(1);
}

Value ElementBuilder::max(Value x, Value y) {
  if (isFloat(x))
    return arith::MaximumFOp::create(b, loc, x, y);
  if (isBool(x))
    return bitOr(x, y);
  return arith::MaxSIOp::create(b, loc, x, y);
}

Value ElementBuilder::min(Value x, Value y) {
  if (isFloat(x))
    return arith::MinimumFOp::create(b, loc, x, y);
  if (isBool(x))
    return bitAnd(x, y);
  return arith::MinSIOp::create(b, loc, x, y);
}

Value ElementBuilder::compare(Predicate predicate, Value x, Value y) {
  using F = arith::CmpFPredicate;
  using I = arith::CmpIPredicate;
  static constexpr F floats[] = {F::OEQ, F::UNE, F::OLT,
                                 F::OLE, F::OGT, F::OGE};
  static constexpr I integers[] = {I::eq,  I::ne,  I::slt,
                                   I::sle, I::sgt, I::sge};
  static constexpr I bools[] = {I::eq, I::ne, I::ult, I::ule, I::ugt, I::uge};
  auto kind = static_cast<unsigned>(predicate);
  if (isFloat(x))
    return arith::CmpFOp::create(b, loc, floats[kind], x, y);
  return arith::CmpIOp::create(b, loc, isBool(x) ? bools[kind] : integers[kind],
                               x, y);
}

Value ElementBuilder::isNan(Value x) {
  return arith::CmpFOp::create(b, loc, arith::CmpFPredicate::UNO, x, x);
}

Value ElementBuilder::select(Value condition, Value x, Value y) {
  return arith::SelectOp::create(b, loc, condition, x, y);
}

Value ElementBuilder::bitAnd(Value x, Value y) {
  return arith::AndIOp::create(b, loc, x, y);
}

Value ElementBuilder::bitOr(Value x, Value y) {
  return arith::OrIOp::create(b, loc, x, y);
}

//===----------------------------------------------------------------------===//
// Casts
//===----------------------------------------------------------------------===//

static Value castFloatToFloat(OpBuilder &b, Location loc, Value value,
                              FloatType target) {
  Type type = value.getType();
  unsigned from = getElementTypeOrSelf(type).getIntOrFloatBitWidth();
  unsigned to = target.getWidth();
  Type result = withElementType(type, target);
  if (from < to)
    return arith::ExtFOp::create(b, loc, result, value);
  if (from > to)
    return arith::TruncFOp::create(b, loc, result, value);
  // f16 and bf16: f32 holds both exactly.
  Value wide = arith::ExtFOp::create(
      b, loc, withElementType(type, b.getF32Type()), value);
  return arith::TruncFOp::create(b, loc, result, wide);
}

// Saturates: what lies outside the integers, and NaN, never reaches the
// conversion, where it would be undefined.
static Value castFloatToInteger(OpBuilder &b, Location loc, Value value,
                                IntegerType target) {
  ElementBuilder e(b, loc);
  Type result = withElementType(value.getType(), target);
  if (target.getWidth() == 1)
    return e.compare(Predicate::ne, value, 0.0);
  unsigned width = target.getWidth();
  double limit = std::ldexp(1.0, width - 1);
  Value tooHigh = e.compare(Predicate::ge, value, limit);
  // -limit - 1 is not a float for i64; -limit itself converts exactly.
  Value tooLow = e.compare(Predicate::lt, value, -limit);
  Value bad = e.bitOr(e.bitOr(tooHigh, tooLow), e.isNan(value));
  Value safe = e.select(bad, e.constant(0, value), value);
  Value integer = arith::FPToSIOp::create(b, loc, result, safe);
  Value highest = createBlockConstant(
      b, loc, result,
      IntegerAttr::get(target, APInt::getSignedMaxValue(width)));
  Value lowest = createBlockConstant(
      b, loc, result,
      IntegerAttr::get(target, APInt::getSignedMinValue(width)));
  return e.select(tooHigh, highest, e.select(tooLow, lowest, integer));
}

Value fuse::emitCast(OpBuilder &b, Location loc, Value value, Type element) {
  Type from = getElementTypeOrSelf(value.getType());
  if (from == element)
    return value;
  Type result = withElementType(value.getType(), element);
  if (auto floatTarget = dyn_cast<FloatType>(element)) {
    if (isa<FloatType>(from))
      return castFloatToFloat(b, loc, value, floatTarget);
    if (from.isInteger(1))
      return arith::UIToFPOp::create(b, loc, result, value);
    return arith::SIToFPOp::create(b, loc, result, value);
  }
  auto target = cast<IntegerType>(element);
  if (isa<FloatType>(from)) {
    // f16's range is below 2^31: limits of wider integers need f32.
    if (from.getIntOrFloatBitWidth() < 32)
      value = castFloatToFloat(b, loc, value, b.getF32Type());
    return castFloatToInteger(b, loc, value, target);
  }
  if (target.getWidth() == 1) {
    ElementBuilder e(b, loc);
    return e.compare(Predicate::ne, value, 0.0);
  }
  if (from.getIntOrFloatBitWidth() > target.getWidth())
    return arith::TruncIOp::create(b, loc, result, value);
  if (from.isInteger(1))
    return arith::ExtUIOp::create(b, loc, result, value);
  return arith::ExtSIOp::create(b, loc, result, value);
}

Value fuse::emitWide(OpBuilder &b, Location loc, ValueRange operands,
                     Type element,
                     function_ref<Value(ElementBuilder &, ValueRange)> emit) {
  SmallVector<Value> wide;
  for (Value operand : operands)
    wide.push_back(emitCast(
        b, loc, operand, getWideType(getElementTypeOrSelf(operand.getType()))));
  ElementBuilder e(b, loc);
  return emitCast(b, loc, emit(e, wide), element);
}
