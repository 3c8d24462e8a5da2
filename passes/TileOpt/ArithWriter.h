//===- ArithWriter.h - short names for arith on scalars or blocks -*- C++ -*-===//
#ifndef TILEFUSE_PASSES_TILEOPT_ARITHWRITER_H
#define TILEFUSE_PASSES_TILEOPT_ARITHWRITER_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace tilefuse {

/// Writes arithmetic whose values all have the shape (and layout) of one value.
class ArithWriter {
public:
  ArithWriter(mlir::ImplicitLocOpBuilder &b, mlir::Value like)
      : b(b), shape(llvm::dyn_cast<mlir::RankedTensorType>(like.getType())) {}

  mlir::Type f32() { return get(b.getF32Type()); }
  mlir::Type f64() { return get(b.getF64Type()); }
  mlir::Type i32() { return get(b.getI32Type()); }
  mlir::Type i64() { return get(b.getI64Type()); }

  mlir::Value f(float value) { return constant(b.getF32FloatAttr(value)); }
  mlir::Value d(double value) { return constant(b.getF64FloatAttr(value)); }
  mlir::Value i(int32_t value) { return constant(b.getI32IntegerAttr(value)); }
  mlir::Value l(int64_t value) { return constant(b.getI64IntegerAttr(value)); }

  using V = mlir::Value;
  V add(V x, V y) { return mlir::arith::AddFOp::create(b, x, y); }
  V sub(V x, V y) { return mlir::arith::SubFOp::create(b, x, y); }
  V mul(V x, V y) { return mlir::arith::MulFOp::create(b, x, y); }
  V div(V x, V y) { return mlir::arith::DivFOp::create(b, x, y); }
  /// 1 / x within 1 ulp, denormals flushed: one instruction on a GPU.
  V reciprocal(V x) {
    return mlir::arith::DivFOp::create(b, f(1.0f), x,
                                       mlir::arith::FastMathFlags::afn);
  }
  V neg(V x) { return mlir::arith::NegFOp::create(b, x); }
  V fma(V x, V y, V z) { return mlir::math::FmaOp::create(b, x, y, z); }
  V addi(V x, V y) { return mlir::arith::AddIOp::create(b, x, y); }
  V subi(V x, V y) { return mlir::arith::SubIOp::create(b, x, y); }
  V andi(V x, V y) { return mlir::arith::AndIOp::create(b, x, y); }
  V ori(V x, V y) { return mlir::arith::OrIOp::create(b, x, y); }
  /// 2^x within 2 ulp, denormals flushed: one instruction on a GPU.
  V exp2(V x) {
    return mlir::math::Exp2Op::create(b, x, mlir::arith::FastMathFlags::afn);
  }
  V shl(V x, V y) { return mlir::arith::ShLIOp::create(b, x, y); }
  V shr(V x, V y) { return mlir::arith::ShRSIOp::create(b, x, y); }
  V select(V c, V x, V y) { return mlir::arith::SelectOp::create(b, c, x, y); }
  V bitcast(mlir::Type type, V x) {
    return mlir::arith::BitcastOp::create(b, type, x);
  }
  V toFloat(mlir::Type type, V x) {
    return mlir::arith::SIToFPOp::create(b, type, x);
  }
  V toInt(mlir::Type type, V x) {
    return mlir::arith::FPToSIOp::create(b, type, x);
  }
  V extend(V x) { return mlir::arith::ExtFOp::create(b, f64(), x); }
  V truncate(V x) { return mlir::arith::TruncFOp::create(b, f32(), x); }
  V roundEven(V x) { return mlir::math::RoundEvenOp::create(b, x); }
  V sqrt(V x) { return mlir::math::SqrtOp::create(b, x); }

  // Comparisons are false for NaN, `ne` true.
  V lt(V x, V y) { return compare(mlir::arith::CmpFPredicate::OLT, x, y); }
  V gt(V x, V y) { return compare(mlir::arith::CmpFPredicate::OGT, x, y); }
  V eq(V x, V y) { return compare(mlir::arith::CmpFPredicate::OEQ, x, y); }
  V ne(V x, V y) { return compare(mlir::arith::CmpFPredicate::UNE, x, y); }
  V isNaN(V x) { return compare(mlir::arith::CmpFPredicate::UNO, x, x); }
  V nei(V x, V y) {
    return mlir::arith::CmpIOp::create(b, mlir::arith::CmpIPredicate::ne, x, y);
  }
  V lti(V x, V y) {
    return mlir::arith::CmpIOp::create(b, mlir::arith::CmpIPredicate::slt, x,
                                       y);
  }

  /// f32 without its sign.
  V abs(V x) {
    return bitcast(f32(), andi(bitcast(i32(), x), i(0x7fffffff)));
  }
  /// The sign bit of an f32 as i32.
  V signBit(V x) { return andi(bitcast(i32(), x), i(INT32_MIN)); }
  /// `magnitude` (not negative) with the given sign bit.
  V withSign(V magnitude, V sign) {
    return bitcast(f32(), ori(bitcast(i32(), magnitude), sign));
  }
  // The same for f64, with the bits as i64.
  V wideAbs(V x) {
    return bitcast(f64(), andi(bitcast(i64(), x), l(INT64_MAX)));
  }
  V wideSignBit(V x) { return andi(bitcast(i64(), x), l(INT64_MIN)); }
  V withWideSign(V magnitude, V sign) {
    return bitcast(f64(), ori(bitcast(i64(), magnitude), sign));
  }
  /// NaN where either is.
  V min(V x, V y) { return mlir::arith::MinimumFOp::create(b, x, y); }
  /// Into [low, high]; NaN stays.
  V clamp(V x, V low, V high) {
    return mlir::arith::MaximumFOp::create(b, min(x, high), low);
  }

  /// coefficients[0] + x * (coefficients[1] + x * ...).
  V horner(V x, llvm::ArrayRef<float> coefficients) {
    V result = f(coefficients.back());
    for (float coefficient : llvm::reverse(coefficients.drop_back()))
      result = fma(result, x, f(coefficient));
    return result;
  }
  V horner(V x, llvm::ArrayRef<double> coefficients) {
    V result = d(coefficients.back());
    for (double coefficient : llvm::reverse(coefficients.drop_back()))
      result = fma(result, x, d(coefficient));
    return result;
  }

private:
  mlir::Type get(mlir::Type element) {
    return shape ? mlir::Type(shape.clone(element)) : element;
  }
  mlir::Value constant(mlir::TypedAttr value) {
    if (shape)
      value = mlir::DenseElementsAttr::get(
          llvm::cast<mlir::ShapedType>(get(value.getType())),
          llvm::ArrayRef<mlir::Attribute>(value));
    return mlir::arith::ConstantOp::create(b, value);
  }
  V compare(mlir::arith::CmpFPredicate predicate, V x, V y) {
    return mlir::arith::CmpFOp::create(b, predicate, x, y);
  }

  mlir::ImplicitLocOpBuilder &b;
  mlir::RankedTensorType shape;
};

} // namespace tilefuse

#endif // TILEFUSE_PASSES_TILEOPT_ARITHWRITER_H
