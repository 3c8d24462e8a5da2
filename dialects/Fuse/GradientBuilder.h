//===- GradientBuilder.h - building derivatives out of fuse ops -*- C++ -*-===//
#ifndef TILEFUSE_DIALECTS_FUSE_GRADIENTBUILDER_H
#define TILEFUSE_DIALECTS_FUSE_GRADIENTBUILDER_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/DialectRegistry.h"

namespace tilefuse::fuse {

/// The vocabulary of gradient rules: short names for the ops they are made of.
/// Scalars are rank-0 constants, so they broadcast.
class GradientBuilder {
public:
  GradientBuilder(mlir::OpBuilder &builder, mlir::Location loc)
      : builder(builder), loc(loc) {}

  mlir::OpBuilder &getBuilder() { return builder; }
  mlir::Location getLoc() const { return loc; }

  template <typename Op, typename... Args> auto create(Args &&...args) {
    return Op::create(builder, loc, std::forward<Args>(args)...);
  }

  /// A rank-0 constant of the element type of `like`.
  mlir::Value scalar(mlir::Value like, double value);

  mlir::Value add(mlir::Value lhs, mlir::Value rhs);
  mlir::Value sub(mlir::Value lhs, mlir::Value rhs);
  mlir::Value mul(mlir::Value lhs, mlir::Value rhs);
  mlir::Value mul(mlir::Value lhs, double rhs);
  mlir::Value div(mlir::Value lhs, mlir::Value rhs);
  mlir::Value neg(mlir::Value value);
  mlir::Value less(mlir::Value lhs, mlir::Value rhs);
  mlir::Value less(mlir::Value lhs, double rhs);
  mlir::Value greater(mlir::Value lhs, double rhs);
  mlir::Value equal(mlir::Value lhs, mlir::Value rhs);
  /// `condition ? gradient : 0`.
  mlir::Value where(mlir::Value condition, mlir::Value gradient);
  mlir::Value select(mlir::Value condition, mlir::Value onTrue,
                     mlir::Value onFalse);

  mlir::Value reshape(mlir::Value value, llvm::ArrayRef<int64_t> shape);
  mlir::Value broadcast(mlir::Value value, llvm::ArrayRef<int64_t> shape);
  mlir::Value sum(mlir::Value value, llvm::ArrayRef<int64_t> dims,
                  bool keepDims);
  /// `value` with the folded `dims` of a reduction put back with extent 1 (it
  /// has them already when `keepDims`).
  mlir::Value restoreDims(mlir::Value value, llvm::ArrayRef<int64_t> dims,
                          bool keepDims);
  /// Sums over the dims that broadcasting `shape` to the value's shape added.
  mlir::Value sumTo(mlir::Value value, llvm::ArrayRef<int64_t> shape);

private:
  mlir::OpBuilder &builder;
  mlir::Location loc;
};

// Attach the rules of each family to the loaded dialect's ops.
void attachUnaryGradients(mlir::MLIRContext *context);
void attachBinaryGradients(mlir::MLIRContext *context);
void attachShapeGradients(mlir::MLIRContext *context);
void attachStructuredGradients(mlir::MLIRContext *context);
/// All of them, when the dialect is loaded.
void registerGradients(mlir::DialectRegistry &registry);

} // namespace tilefuse::fuse

#endif // TILEFUSE_DIALECTS_FUSE_GRADIENTBUILDER_H
