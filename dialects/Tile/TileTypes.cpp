//===- TileTypes.cpp - types of the tile dialect --------------------------===//

#include "dialects/Tile/Tile.h"

#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace tilefuse::tile;

#define GET_TYPEDEF_CLASSES
#include "dialects/Tile/TileTypes.cpp.inc"

void TileDialect::registerTypes() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialects/Tile/TileTypes.cpp.inc"
      >();
}

// Elements of a view: byte addresses stay far from 2^63.
static constexpr int64_t maxSpan = int64_t(1) << 56;

bool tilefuse::tile::isElementType(Type type) {
  if (auto integer = dyn_cast<IntegerType>(type))
    return integer.isSignless() &&
           llvm::is_contained({1u, 8u, 16u, 32u, 64u}, integer.getWidth());
  return isa<Float16Type, BFloat16Type, Float32Type, Float64Type>(type);
}

bool tilefuse::tile::isBlockType(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor || !tensor.hasStaticShape())
    return false;
  if (!isElementType(tensor.getElementType()) &&
      !tensor.getElementType().isIndex())
    return false;
  int64_t count = 1;
  for (int64_t extent : tensor.getShape()) {
    if (extent < 1 || extent > INT32_MAX)
      return false;
    count *= extent;
    if (count > INT32_MAX)
      return false;
  }
  return true;
}

RankedTensorType tilefuse::tile::withShape(RankedTensorType type,
                                           ArrayRef<int64_t> shape) {
  return RankedTensorType::get(shape, type.getElementType());
}

//===----------------------------------------------------------------------===//
// view
//===----------------------------------------------------------------------===//

SmallVector<int64_t> ViewType::getDenseStrides(ArrayRef<int64_t> shape) {
  SmallVector<int64_t> strides(shape.size());
  // Unsigned: a shape that overflows is refused by `verify`, not here.
  uint64_t stride = 1;
  for (size_t i = shape.size(); i-- > 0;) {
    strides[i] = stride;
    stride *= shape[i];
  }
  return strides;
}

bool ViewType::isDense() const {
  return getStrides() == ArrayRef<int64_t>(getDenseStrides(getShape()));
}

ShapedType ViewType::cloneWith(std::optional<ArrayRef<int64_t>> shape,
                               Type elementType) const {
  if (shape)
    return ViewType::get(*shape, elementType);
  return ViewType::get(getContext(), getShape(), elementType, getStrides());
}

int64_t ViewType::getSpan() const {
  int64_t last = 0;
  for (auto [extent, stride] : llvm::zip_equal(getShape(), getStrides()))
    last += (extent - 1) * stride;
  return last + 1;
}

LogicalResult ViewType::verify(function_ref<InFlightDiagnostic()> emitError,
                               ArrayRef<int64_t> shape, Type elementType,
                               ArrayRef<int64_t> strides) {
  if (!elementType || !isElementType(elementType))
    return emitError() << "element type of a view must be f16, bf16, f32, f64, "
                          "i1, i8, i16, i32 or i64, but is "
                       << elementType;
  if (shape.size() != strides.size())
    return emitError() << "a view of rank " << shape.size() << " has "
                       << strides.size() << " strides";
  int64_t count = 1, last = 0;
  for (auto [extent, stride] : llvm::zip_equal(shape, strides)) {
    if (extent < 1)
      return emitError() << "extent of a view must be positive, but is "
                         << extent;
    if (stride < 0)
      return emitError() << "stride of a view must not be negative, but is "
                         << stride;
    int64_t reach;
    if (llvm::MulOverflow(count, extent, count) ||
        llvm::MulOverflow(extent - 1, stride, reach) ||
        llvm::AddOverflow(last, reach, last) || count > maxSpan ||
        last >= maxSpan)
      return emitError() << "a view must have at most 2^56 elements";
  }
  return success();
}

// <4x8xf32> or <4x8xf32, strides = [1, 4]>
Type ViewType::parse(AsmParser &parser) {
  SmallVector<int64_t> shape, strides;
  Type elementType;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseLess() ||
      parser.parseDimensionList(shape, /*allowDynamic=*/false) ||
      parser.parseType(elementType))
    return {};
  if (succeeded(parser.parseOptionalComma())) {
    auto parseStride = [&] { return parser.parseInteger(strides.emplace_back()); };
    if (parser.parseKeyword("strides") || parser.parseEqual() ||
        parser.parseCommaSeparatedList(AsmParser::Delimiter::Square,
                                       parseStride))
      return {};
  } else {
    strides = getDenseStrides(shape);
  }
  if (parser.parseGreater())
    return {};
  return getChecked([&] { return parser.emitError(loc); }, parser.getContext(),
                    shape, elementType, strides);
}

void ViewType::print(AsmPrinter &printer) const {
  printer << '<';
  for (int64_t extent : getShape())
    printer << extent << 'x';
  printer << getElementType();
  if (!isDense()) {
    printer << ", strides = [";
    llvm::interleaveComma(getStrides(), printer.getStream());
    printer << ']';
  }
  printer << '>';
}

//===----------------------------------------------------------------------===//
// shared
//===----------------------------------------------------------------------===//

LogicalResult SharedType::verify(function_ref<InFlightDiagnostic()> emitError,
                                 ArrayRef<int64_t> shape, Type elementType,
                                 Attribute layout) {
  if (!elementType || !isElementType(elementType))
    return emitError() << "element type of a shared tile must be f16, bf16, "
                          "f32, f64, i1, i8, i16, i32 or i64, but is "
                       << elementType;
  // A tile of more than 2^24 elements fits no shared memory.
  int64_t count = 1;
  for (int64_t extent : shape) {
    if (extent < 1 || extent > (1 << 24) || (count *= extent) > (1 << 24))
      return emitError() << "a shared tile must have 1 to 2^24 elements";
  }
  auto shared = dyn_cast_or_null<SharedLayoutAttr>(layout);
  if (!shared)
    return emitError() << "layout of a shared tile must be a "
                          "#tile.shared_layout, but is "
                       << layout;
  if (shared.getStrides().size() != shape.size())
    return emitError() << "a shared tile of rank " << shape.size()
                       << " has a layout of rank "
                       << shared.getStrides().size();
  return success();
}

// <8x10x34xf32, #tile.shared_layout<[360, 34, 1]>>
Type SharedType::parse(AsmParser &parser) {
  SmallVector<int64_t> shape;
  Type elementType;
  Attribute layout;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseLess() ||
      parser.parseDimensionList(shape, /*allowDynamic=*/false) ||
      parser.parseType(elementType) || parser.parseComma() ||
      parser.parseAttribute(layout) || parser.parseGreater())
    return {};
  return getChecked([&] { return parser.emitError(loc); }, parser.getContext(),
                    shape, elementType, layout);
}

void SharedType::print(AsmPrinter &printer) const {
  printer << '<';
  for (int64_t extent : getShape())
    printer << extent << 'x';
  printer << getElementType() << ", " << getLayout() << '>';
}
