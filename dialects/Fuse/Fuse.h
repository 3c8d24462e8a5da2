//===- Fuse.h - the graph dialect -------------------------------*- C++ -*-===//
//
// The dialect, its attributes, interfaces and ops, and the few functions that
// builders of fuse ops share.
//
//===----------------------------------------------------------------------===//
#ifndef TILEFUSE_DIALECTS_FUSE_FUSE_H
#define TILEFUSE_DIALECTS_FUSE_FUSE_H

#include "dialects/Fuse/BlockReducer.h"
#include "dialects/Fuse/IterationSpace.h"

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace tilefuse::fuse {

class ElementBuilder;
class GradientBuilder;

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

/// Families of element types.
enum class Elements { Any, Float, Number, Integer, Index, Bool };

/// Whether `type` is a tensor that fuse ops work on: ranked, static, not empty,
/// no encoding, extents below 2^31 and at most 2^40 elements of the family.
bool isTensorOf(mlir::Type type, Elements family);

/// The type that arithmetic on `element` is done in: f32 for f16 and bf16, else
/// the type itself.
mlir::Type getWideType(mlir::Type element);

/// `like` (a scalar or shaped type) with another element type.
mlir::Type withElementType(mlir::Type like, mlir::Type element);

//===----------------------------------------------------------------------===//
// What the generated op classes call
//===----------------------------------------------------------------------===//

/// Iteration space of an op with one result and operands that broadcast to it.
IterationSpace getPointwiseSpace(mlir::Operation *op);

/// Calls `emit` on operands widened to getWideType, and narrows its result to
/// `element`.
mlir::Value emitWide(
    mlir::OpBuilder &b, mlir::Location loc, mlir::ValueRange operands,
    mlir::Type element,
    llvm::function_ref<mlir::Value(ElementBuilder &, mlir::ValueRange)> emit);

/// Monotonicity of a product (quotient) in one operand when the other is a
/// finite non-zero splat constant; else 0.
int getFactorMonotonicity(mlir::Operation *op, unsigned operand);

/// Compares the result types of `op` with those it infers.
llvm::LogicalResult verifyInferredTypes(mlir::Operation *op);

/// The state of a whole block: lift, mask with the neutral state, reduce.
llvm::SmallVector<mlir::Value>
defaultReduceBlock(mlir::Operation *op, mlir::OpBuilder &b, mlir::Location loc,
                   mlir::ValueRange elements, BlockReducer &reducer);

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

/// The number that all elements of `value` are known to equal, if any; integers
/// and i1 (0 or 1) as doubles when exact.
std::optional<double> getSplatNumber(mlir::Value value);

/// A scalar attribute of type `element` (float or integer) nearest to `number`.
mlir::TypedAttr getNumberAttr(mlir::Type element, double number);

/// A rank-0 constant.
mlir::Value createScalar(mlir::OpBuilder &b, mlir::Location loc,
                         mlir::Type element, double number);

/// Adds the dialect, and those its ops emit, to `registry`.
void registerFuseDialect(mlir::DialectRegistry &registry);

} // namespace tilefuse::fuse

#include "dialects/Fuse/FuseDialect.h.inc"
#include "dialects/Fuse/FuseEnums.h.inc"
#define GET_ATTRDEF_CLASSES
#include "dialects/Fuse/FuseAttrs.h.inc"
#include "dialects/Fuse/FuseInterfaces.h.inc"
#define GET_OP_CLASSES
#include "dialects/Fuse/FuseOps.h.inc"

#endif // TILEFUSE_DIALECTS_FUSE_FUSE_H
