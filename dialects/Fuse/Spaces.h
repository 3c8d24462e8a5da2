//===- Spaces.h - building iteration spaces ---------------------*- C++ -*-===//
//
// Ops describe their iteration space in a few lines with this.
//
//===----------------------------------------------------------------------===//
#ifndef TILEFUSE_DIALECTS_FUSE_SPACES_H
#define TILEFUSE_DIALECTS_FUSE_SPACES_H

#include "dialects/Fuse/Fuse.h"

namespace tilefuse::fuse {

/// Dims first, parallel in front of reduction; then operands and results.
class SpaceBuilder {
public:
  explicit SpaceBuilder(mlir::MLIRContext *context) : context(context) {}

  mlir::AffineExpr parallel(int64_t extent) { return dim(extent, false); }
  mlir::AffineExpr reduction(int64_t extent) { return dim(extent, true); }
  mlir::AffineExpr zero() { return mlir::getAffineConstantExpr(0, context); }

  /// An operand read at `indices[i] / divisors[i]` (1 when empty), `fill`
  /// outside its bounds.
  void operand(llvm::ArrayRef<mlir::AffineExpr> indices,
               mlir::TypedAttr fill = {},
               llvm::ArrayRef<int64_t> divisors = {});
  /// A result at `indices`, which name parallel dims only.
  void result(llvm::ArrayRef<mlir::AffineExpr> indices);

  IterationSpace take() { return std::move(space); }

private:
  mlir::AffineExpr dim(int64_t extent, bool isReduction);

  mlir::MLIRContext *context;
  IterationSpace space;
};

/// A scalar zero of `element`.
mlir::TypedAttr getZero(mlir::Type element);

} // namespace tilefuse::fuse

#endif // TILEFUSE_DIALECTS_FUSE_SPACES_H
