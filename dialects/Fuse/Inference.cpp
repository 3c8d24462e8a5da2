//===- Inference.cpp - checking ops and inferring their types ---*- C++ -*-===//

#include "dialects/Fuse/Inference.h"

using namespace mlir;
using namespace tilefuse;
using namespace tilefuse::fuse;

static constexpr int64_t maxExtent = (int64_t(1) << 31) - 1;
static constexpr int64_t maxElements = int64_t(1) << 40;

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

static bool isElementOf(Type type, Elements family) {
  bool isFloat = type.isF32() || type.isF16() || type.isBF16() || type.isF64();
  bool isBool = type.isSignlessInteger(1);
  bool isIndex = type.isSignlessInteger(8) || type.isSignlessInteger(32) ||
                 type.isSignlessInteger(64);
  switch (family) {
  case Elements::Any:
    return isFloat || isBool || isIndex;
  case Elements::Float:
    return isFloat;
  case Elements::Number:
    return isFloat || isIndex;
  case Elements::Integer:
    return isBool || isIndex;
  case Elements::Index:
    return isIndex;
  case Elements::Bool:
    return isBool;
  }
  return false;
}

bool fuse::isTensorOf(Type type, Elements family) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor || !tensor.hasStaticShape() || tensor.getEncoding() ||
      !isElementOf(tensor.getElementType(), family))
    return false;
  int64_t elements = 1;
  for (int64_t extent : tensor.getShape()) {
    if (extent < 1 || extent > maxExtent || elements > maxElements / extent)
      return false;
    elements *= extent;
  }
  return true;
}

Type fuse::getWideType(Type element) {
  if (element.isF16() || element.isBF16())
    return Float32Type::get(element.getContext());
  return element;
}

Type fuse::withElementType(Type like, Type element) {
  if (auto shaped = dyn_cast<ShapedType>(like))
    return shaped.clone(element);
  return element;
}

//===----------------------------------------------------------------------===//
// Checks
//===----------------------------------------------------------------------===//

LogicalResult Inference::add(ArrayRef<int64_t> shape, Type element) {
  for (int64_t extent : shape)
    if (extent < 1 || extent > maxExtent)
      return error(
          "expected extents of the result from 1 to 2^31 - 1, but found ",
          extent);
  auto type = RankedTensorType::get(shape, element);
  if (!isTensorOf(type, Elements::Any))
    return error("expected a result of at most 2^40 elements, but found ",
                 type);
  types.push_back(type);
  return success();
}

LogicalResult Inference::checkTensors(ValueRange values) {
  for (auto [index, value] : llvm::enumerate(values))
    if (!value || !isTensorOf(value.getType(), Elements::Any))
      return error("expected operand #", index,
                   " to be a static, non-empty tensor of supported elements");
  return success();
}

LogicalResult Inference::checkRank(StringRef name, Value value, int64_t rank) {
  RankedTensorType type = tensorOf(value);
  if (type.getRank() != rank)
    return error("expected ", name, " of rank ", rank, ", but found ", type);
  return success();
}

LogicalResult Inference::checkSameElements(ValueRange values) {
  for (Value value : values.drop_front())
    if (tensorOf(value).getElementType() !=
        tensorOf(values[0]).getElementType())
      return error("expected operands of one element type, but found ",
                   values[0].getType(), " and ", value.getType(),
                   " (fuse.cast converts)");
  return success();
}

LogicalResult Inference::checkList(StringRef name, ArrayRef<int64_t> values,
                                   size_t count, int64_t least) {
  if (values.size() != count)
    return error("expected ", count, count == 1 ? " value" : " values", " in ",
                 name, ", but found ", values.size());
  for (int64_t value : values)
    if (value < least || value > maxExtent)
      return error("expected ", name, " from ", least,
                   " to 2^31 - 1, but found ", value);
  return success();
}

LogicalResult Inference::checkDim(int64_t dim, int64_t rank) {
  if (dim < 0 || dim >= rank)
    return error("expected a dim from 0 to ", rank - 1, ", but found ", dim);
  return success();
}

LogicalResult Inference::checkDims(ArrayRef<int64_t> dims, int64_t rank) {
  for (auto [index, dim] : llvm::enumerate(dims)) {
    if (dim < 0 || dim >= rank)
      return error("expected dims from 0 to ", rank - 1, ", but found ", dim);
    if (index > 0 && dims[index - 1] >= dim)
      return error("expected ascending dims without duplicates, but found ",
                   dims[index - 1], " in front of ", dim);
  }
  return success();
}

LogicalResult Inference::checkPrecision(Type element,
                                        std::optional<Precision> precision) {
  if (!precision)
    return success();
  Precision own = defaultPrecision(element, /*convolution=*/false);
  bool fits =
      element.isF32() ? *precision != Precision::f64 : *precision == own;
  if (!fits)
    return error("expected precision ",
                 element.isF32() ? "f32, tf32, bf16 or f16"
                                 : stringifyPrecision(own),
                 " for ", element, " operands, but found ",
                 stringifyPrecision(*precision));
  return success();
}

LogicalResult Inference::broadcast(ValueRange values, Extents &shape) {
  shape.clear();
  for (Value value : values) {
    ArrayRef<int64_t> other = tensorOf(value).getShape();
    if (other.size() > shape.size())
      shape.insert(shape.begin(), other.size() - shape.size(), 1);
    size_t offset = shape.size() - other.size();
    for (size_t i = 0; i < other.size(); ++i) {
      int64_t &extent = shape[offset + i];
      if (other[i] != extent && other[i] != 1 && extent != 1)
        return error("expected operands that broadcast, but found ",
                     values[0].getType(), " and ", value.getType());
      if (other[i] != 1)
        extent = other[i];
    }
  }
  return success();
}

LogicalResult Inference::windows(int64_t in, int64_t window, int64_t stride,
                                 int64_t low, int64_t high, int64_t dilation,
                                 int64_t &out) {
  int64_t padded = in + low + high;
  int64_t reach = (window - 1) * dilation + 1;
  if (reach > padded)
    return error(
        "expected a window inside the padded input, but found a window "
        "that reaches over ",
        reach, " of ", padded, " elements");
  out = (padded - reach) / stride + 1;
  return success();
}

//===----------------------------------------------------------------------===//
// Shapes and attributes
//===----------------------------------------------------------------------===//

std::string fuse::formatShape(ArrayRef<int64_t> shape) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  llvm::interleave(shape, stream, "x");
  return text.empty() ? "a scalar" : text;
}

Extents fuse::valuesOr(std::optional<ArrayRef<int64_t>> values, size_t count,
                       int64_t otherwise) {
  if (values)
    return Extents(*values);
  return Extents(count, otherwise);
}

Extents fuse::reduceShape(ArrayRef<int64_t> shape, ArrayRef<int64_t> dims,
                          bool keepdims) {
  Extents result;
  for (auto [dim, extent] : llvm::enumerate(shape)) {
    if (!llvm::is_contained(dims, static_cast<int64_t>(dim)))
      result.push_back(extent);
    else if (keepdims)
      result.push_back(1);
  }
  return result;
}

Precision fuse::defaultPrecision(Type element, bool convolution) {
  if (element.isF16())
    return Precision::f16;
  if (element.isBF16())
    return Precision::bf16;
  if (element.isF64())
    return Precision::f64;
  return convolution ? Precision::tf32 : Precision::f32;
}

//===----------------------------------------------------------------------===//
// Comparing with the op's own types
//===----------------------------------------------------------------------===//

LogicalResult fuse::verifyInferredTypes(Operation *op) {
  auto interface = dyn_cast<InferTypeOpInterface>(op);
  if (!interface)
    return success();
  SmallVector<Type> types;
  if (failed(interface.inferReturnTypes(
          op->getContext(), op->getLoc(), op->getOperands(),
          op->getAttrDictionary(), op->getPropertiesStorage(), op->getRegions(),
          types)))
    return failure();
  if (types.size() != op->getNumResults())
    return op->emitOpError("expected ")
           << types.size() << (types.size() == 1 ? " result" : " results")
           << ", but found " << op->getNumResults();
  for (auto [index, type] : llvm::enumerate(types))
    if (type != op->getResult(index).getType())
      return op->emitOpError("expected result #")
             << index << " of type " << type << ", but found "
             << op->getResult(index).getType();
  return success();
}
