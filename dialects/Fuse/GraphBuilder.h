//===- GraphBuilder.h - short names for building fuse ops -------*- C++ -*-===//
//
// Composite ops decompose through this: pointwise ops with their types
// inferred, scalars of the operand's element type.
//
//===----------------------------------------------------------------------===//
#ifndef TILEFUSE_DIALECTS_FUSE_GRAPHBUILDER_H
#define TILEFUSE_DIALECTS_FUSE_GRAPHBUILDER_H

#include "dialects/Fuse/Inference.h"

namespace tilefuse::fuse {

class GraphBuilder {
public:
  GraphBuilder(mlir::OpBuilder &b, mlir::Location loc) : b(b), loc(loc) {}

  template <typename OpTy> mlir::Value unary(mlir::Value x) {
    return OpTy::create(b, loc, x);
  }
  template <typename OpTy> mlir::Value binary(mlir::Value x, mlir::Value y) {
    return OpTy::create(b, loc, x, y);
  }
  mlir::Value add(mlir::Value x, mlir::Value y) { return binary<AddOp>(x, y); }
  mlir::Value sub(mlir::Value x, mlir::Value y) { return binary<SubOp>(x, y); }
  mlir::Value mul(mlir::Value x, mlir::Value y) { return binary<MulOp>(x, y); }
  mlir::Value div(mlir::Value x, mlir::Value y) { return binary<DivOp>(x, y); }
  mlir::Value add(mlir::Value x, double y) { return add(x, scalar(x, y)); }
  mlir::Value sub(mlir::Value x, double y) { return sub(x, scalar(x, y)); }
  mlir::Value mul(mlir::Value x, double y) { return mul(x, scalar(x, y)); }
  mlir::Value div(mlir::Value x, double y) { return div(x, scalar(x, y)); }

  /// A rank-0 constant of `like`'s element type.
  mlir::Value scalar(mlir::Value like, double number) {
    return createScalar(b, loc, tensorOf(like).getElementType(), number);
  }
  /// `x` in another element type; `x` itself when it has it.
  mlir::Value cast(mlir::Value x, mlir::Type element) {
    mlir::RankedTensorType type = tensorOf(x);
    if (type.getElementType() == element)
      return x;
    return CastOp::create(b, loc, type.clone(element), x);
  }
  /// `x` in the type that arithmetic on it is done in.
  mlir::Value widen(mlir::Value x) {
    return cast(x, getWideType(tensorOf(x).getElementType()));
  }
  mlir::Value reshape(mlir::Value x, llvm::ArrayRef<int64_t> shape) {
    mlir::RankedTensorType type = tensorOf(x);
    if (type.getShape() == shape)
      return x;
    return ReshapeOp::create(b, loc, type.clone(shape), x);
  }
  /// A vector over channels as C x 1 x ... so that it broadcasts against a
  /// tensor of rank `rank` at dim 1.
  mlir::Value perChannel(mlir::Value x, int64_t rank) {
    Extents shape(rank - 1, 1);
    shape[0] = tensorOf(x).getDimSize(0);
    return reshape(x, shape);
  }
  mlir::ResultRange reduce(ReduceKind kind, mlir::Value x,
                           llvm::ArrayRef<int64_t> dims, bool keepdims) {
    return ReduceOp::create(b, loc, kind, x, dims, keepdims).getResults();
  }

  mlir::OpBuilder &b;
  mlir::Location loc;
};

} // namespace tilefuse::fuse

#endif // TILEFUSE_DIALECTS_FUSE_GRAPHBUILDER_H
