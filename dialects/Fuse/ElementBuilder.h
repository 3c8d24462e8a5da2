//===- ElementBuilder.h - arith and math on elements or blocks --*- C++ -*-===//
//
// Short names for the arith and math ops that pointwise ops emit. Values are
// scalars or blocks of one shape; float ops apply to floats, integer ops to
// integers, chosen by the operand.
//
//===----------------------------------------------------------------------===//
#ifndef TILEFUSE_DIALECTS_FUSE_ELEMENTBUILDER_H
#define TILEFUSE_DIALECTS_FUSE_ELEMENTBUILDER_H

#include "dialects/Fuse/Fuse.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

namespace tilefuse::fuse {

/// A scalar constant, or a splat of `type`'s shape, of the scalar `value`.
mlir::Value createBlockConstant(mlir::OpBuilder &b, mlir::Location loc,
                                mlir::Type type, mlir::TypedAttr value);

/// Converts elements between types by the rules of `fuse.cast`.
mlir::Value emitCast(mlir::OpBuilder &b, mlir::Location loc, mlir::Value value,
                     mlir::Type element);

/// The scalar attribute with which max (`sign` +1) or min (-1) starts: the
/// lowest or highest value of `element`.
mlir::TypedAttr getExtremeNeutral(mlir::Type element, int sign);

class ElementBuilder {
public:
  ElementBuilder(mlir::OpBuilder &b, mlir::Location loc) : b(b), loc(loc) {}

  /// `number` in the type of `like`.
  mlir::Value constant(double number, mlir::Value like);

  mlir::Value add(mlir::Value x, mlir::Value y);
  mlir::Value sub(mlir::Value x, mlir::Value y);
  mlir::Value mul(mlir::Value x, mlir::Value y);
  /// Floats only.
  mlir::Value div(mlir::Value x, mlir::Value y);
  /// 1 / x, within 1 ulp where x is f32 or narrower; denormals may be flushed.
  mlir::Value reciprocal(mlir::Value x);
  mlir::Value neg(mlir::Value x);
  mlir::Value abs(mlir::Value x);
  /// NaN wins.
  mlir::Value max(mlir::Value x, mlir::Value y);
  mlir::Value min(mlir::Value x, mlir::Value y);
  /// Ordered (only `ne` holds with NaN); signed, unsigned for i1.
  mlir::Value compare(Predicate predicate, mlir::Value x, mlir::Value y);
  mlir::Value isNan(mlir::Value x);
  mlir::Value select(mlir::Value condition, mlir::Value x, mlir::Value y);
  mlir::Value bitAnd(mlir::Value x, mlir::Value y);
  mlir::Value bitOr(mlir::Value x, mlir::Value y);

  // With a number on one side.
  mlir::Value add(mlir::Value x, double y) { return add(x, constant(y, x)); }
  mlir::Value mul(mlir::Value x, double y) { return mul(x, constant(y, x)); }
  mlir::Value max(mlir::Value x, double y) { return max(x, constant(y, x)); }
  mlir::Value min(mlir::Value x, double y) { return min(x, constant(y, x)); }
  mlir::Value compare(Predicate predicate, mlir::Value x, double y) {
    return compare(predicate, x, constant(y, x));
  }

  /// A unary op of the math dialect.
  template <typename OpTy> mlir::Value math(mlir::Value x) {
    return OpTy::create(b, loc, x);
  }

  mlir::OpBuilder &b;
  mlir::Location loc;
};

} // namespace tilefuse::fuse

#endif // TILEFUSE_DIALECTS_FUSE_ELEMENTBUILDER_H
