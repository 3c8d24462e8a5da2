//===- FuseOps.cpp - the generated op classes -------------------*- C++ -*-===//

#include "dialects/Fuse/ElementBuilder.h"
#include "dialects/Fuse/Fuse.h"

#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace tilefuse;
using namespace tilefuse::fuse;

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

TypedAttr fuse::getNumberAttr(Type element, double number) {
  if (auto type = dyn_cast<FloatType>(element)) {
    APFloat value(number);
    bool losesInfo;
    value.convert(type.getFloatSemantics(), APFloat::rmNearestTiesToEven,
                  &losesInfo);
    return FloatAttr::get(type, value);
  }
  unsigned width = element.getIntOrFloatBitWidth();
  APSInt integer(width, /*isUnsigned=*/width == 1);
  bool isExact;
  APFloat(number).convertToInteger(integer, APFloat::rmTowardZero, &isExact);
  return IntegerAttr::get(element, integer);
}

Value fuse::createScalar(OpBuilder &b, Location loc, Type element,
                         double number) {
  auto type = RankedTensorType::get({}, element);
  return ConstantOp::create(
      b, loc,
      DenseElementsAttr::get(type, Attribute(getNumberAttr(element, number))));
}

std::optional<double> fuse::getSplatNumber(Value value) {
  DenseElementsAttr elements;
  if (!matchPattern(value, m_Constant(&elements)) || !elements.isSplat())
    return std::nullopt;
  Type element = elements.getElementType();
  if (isa<FloatType>(element)) {
    APFloat number = elements.getSplatValue<APFloat>();
    bool losesInfo;
    number.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven,
                   &losesInfo);
    return number.convertToDouble();
  }
  if (!isa<IntegerType>(element))
    return std::nullopt;
  APInt integer = elements.getSplatValue<APInt>();
  if (integer.getBitWidth() == 1)
    return integer.getBoolValue();
  if (!integer.isSignedIntN(53))
    return std::nullopt;
  return static_cast<double>(integer.getSExtValue());
}

//===----------------------------------------------------------------------===//
// Types of pointwise ops in text: one type when all are equal, else a function
// type.
//===----------------------------------------------------------------------===//

static ParseResult parsePointwiseTypes(OpAsmParser &parser, Type &lhs, Type &rhs,
                                       Type &result) {
  SMLoc loc = parser.getCurrentLocation();
  Type type;
  if (parser.parseType(type))
    return failure();
  auto function = dyn_cast<FunctionType>(type);
  if (!function) {
    lhs = rhs = result = type;
    return success();
  }
  if (function.getNumInputs() != 2 || function.getNumResults() != 1)
    return parser.emitError(loc)
           << "expected 2 operand types and 1 result type, but found " << type;
  lhs = function.getInput(0);
  rhs = function.getInput(1);
  result = function.getResult(0);
  return success();
}

static void printPointwiseTypes(OpAsmPrinter &printer, Operation *op, Type lhs,
                                Type rhs, Type result) {
  if (lhs == rhs && lhs == result)
    printer << lhs;
  else
    printer << FunctionType::get(op->getContext(), {lhs, rhs}, {result});
}

#define GET_OP_CLASSES
#include "dialects/Fuse/FuseOps.cpp.inc"

void FuseDialect::registerOps() {
  addOperations<
#define GET_OP_LIST
#include "dialects/Fuse/FuseOps.cpp.inc"
      >();
}

//===----------------------------------------------------------------------===//
// Constant
//===----------------------------------------------------------------------===//

OpFoldResult ConstantOp::fold(FoldAdaptor) { return getValue(); }
