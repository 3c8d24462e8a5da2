//===- FuseDialect.cpp - the dialect and its discardable attributes *- C++
//-*-===//

#include "dialects/Fuse/Fuse.h"
#include "dialects/Fuse/GradientBuilder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace tilefuse;
using namespace tilefuse::fuse;

#include "dialects/Fuse/FuseDialect.cpp.inc"
#include "dialects/Fuse/FuseEnums.cpp.inc"

// `[` extents `]`; a tensor without dims has a block of none.
static ParseResult parseExtents(AsmParser &parser,
                                SmallVectorImpl<int64_t> &extents) {
  return parser.parseCommaSeparatedList(
      AsmParser::Delimiter::Square,
      [&] { return parser.parseInteger(extents.emplace_back()); });
}
static void printExtents(AsmPrinter &printer, ArrayRef<int64_t> extents) {
  printer << "[";
  llvm::interleaveComma(extents, printer);
  printer << "]";
}

#define GET_ATTRDEF_CLASSES
#include "dialects/Fuse/FuseAttrs.cpp.inc"

void FuseDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/Fuse/FuseAttrs.cpp.inc"
      >();
  registerOps();
}

Operation *FuseDialect::materializeConstant(OpBuilder &builder, Attribute value,
                                            Type type, Location loc) {
  auto elements = dyn_cast<DenseElementsAttr>(value);
  if (!elements || elements.getType() != type ||
      !isTensorOf(type, Elements::Any))
    return nullptr;
  return ConstantOp::create(builder, loc, elements);
}

void fuse::registerFuseDialect(DialectRegistry &registry) {
  registry.insert<FuseDialect, arith::ArithDialect, math::MathDialect,
                  tensor::TensorDialect>();
  registerGradients(registry);
}

//===----------------------------------------------------------------------===//
// Discardable attributes
//===----------------------------------------------------------------------===//

LogicalResult FuseDialect::verifyOperationAttribute(Operation *op,
                                                    NamedAttribute attribute) {
  StringRef name = attribute.getName();
  if (name == "fuse.target") {
    if (!isa<ModuleOp>(op))
      return op->emitError("expected fuse.target on a module, but found it on ")
             << op->getName();
    if (!isa<TargetAttr>(attribute.getValue()))
      return op->emitError(
                 "expected fuse.target = #fuse.target<...>, but found ")
             << attribute.getValue();
    return success();
  }
  if (name == "fuse.stop_gradient" || name == "fuse.first_extreme" ||
      name == "fuse.save" || name == "fuse.recompute") {
    if (!isa<UnitAttr>(attribute.getValue()))
      return op->emitError("expected ")
             << name << " to be a unit attribute, but found "
             << attribute.getValue();
    return success();
  }
  if (name == "fuse.anchor") {
    if (!isa<UnitAttr>(attribute.getValue()))
      return op->emitError("expected fuse.anchor to be a unit attribute, but "
                           "found ")
             << attribute.getValue();
    if (!isa<IterationSpaceOpInterface>(op) ||
        !isa_and_present<KernelOp>(op->getParentOp()))
      return op->emitError(
                 "expected fuse.anchor on an op with an iteration space "
                 "in a fuse.kernel, but found it on ")
             << op->getName();
    return success();
  }
  return success();
}

static LogicalResult verifyAlias(Operation *op, Type type, Attribute value) {
  auto index = dyn_cast<IntegerAttr>(value);
  auto function = dyn_cast<FunctionOpInterface>(op);
  if (!index || !index.getType().isSignlessInteger(64))
    return op->emitError(
               "expected fuse.alias_result = <i64 index of a result>, "
               "but found ")
           << value;
  if (!function)
    return op->emitError("expected fuse.alias_result on a function's argument");
  int64_t result = index.getInt();
  // After tiling, results are arguments themselves.
  if (function.getNumResults() == 0)
    return success();
  if (result < 0 || result >= static_cast<int64_t>(function.getNumResults()))
    return op->emitError(
               "expected fuse.alias_result below the number of results ")
           << function.getNumResults() << ", but found " << result;
  Type resultType = function.getResultTypes()[result];
  if (resultType != type)
    return op->emitError("expected fuse.alias_result = ")
           << result << " on an argument of the result's type " << resultType
           << ", but found " << type;
  return success();
}

LogicalResult FuseDialect::verifyRegionArgAttribute(Operation *op,
                                                    unsigned regionIndex,
                                                    unsigned argIndex,
                                                    NamedAttribute attribute) {
  StringRef name = attribute.getName();
  auto function = dyn_cast<FunctionOpInterface>(op);
  if (!function || argIndex >= function.getNumArguments())
    return success();
  Type type = function.getArgumentTypes()[argIndex];

  if (name == "fuse.init") {
    if (!isa<InitAttr>(attribute.getValue()))
      return op->emitError("expected fuse.init = #fuse.init<...>, but found ")
             << attribute.getValue();
    auto shaped = dyn_cast<RankedTensorType>(type);
    if (shaped && !isa<FloatType, IntegerType>(shaped.getElementType()))
      return op->emitError("expected fuse.init on an argument of numbers, but "
                           "found ")
             << type;
    return success();
  }
  if (name == "fuse.alias_result") {
    if (failed(verifyAlias(op, type, attribute.getValue())))
      return failure();
    // Two arguments in one result would lose one of them.
    for (unsigned i = 0; i < argIndex; ++i)
      if (function.getArgAttr(i, "fuse.alias_result") == attribute.getValue())
        return op->emitError(
                   "expected one argument per aliased result, but found "
                   "arguments #")
               << i << " and #" << argIndex
               << " with fuse.alias_result = " << attribute.getValue();
  }
  return success();
}
