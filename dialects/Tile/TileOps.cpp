//===- TileOps.cpp - kernels and global memory ----------------------------===//

#include "dialects/Tile/Tile.h"
#include "dialects/Tile/OpChecks.h"

#include "mlir/Interfaces/FunctionImplementation.h"

using namespace mlir;
using namespace tilefuse::tile;

#define GET_OP_CLASSES
#include "dialects/Tile/TileOps.cpp.inc"

//===----------------------------------------------------------------------===//
// func
//===----------------------------------------------------------------------===//

void FuncOp::build(OpBuilder &builder, OperationState &state, StringRef name,
                   FunctionType type, ArrayRef<int64_t> grid, int64_t warps) {
  Properties &properties = state.getOrAddProperties<Properties>();
  properties.sym_name = builder.getStringAttr(name);
  properties.function_type = TypeAttr::get(type);
  properties.grid = builder.getDenseI64ArrayAttr(grid);
  properties.warps = builder.getI64IntegerAttr(warps);
  state.addRegion();
}

// @name(%arg: type {attrs}, ...) grid [n, ...] warps n attributes {...} { ... }
ParseResult FuncOp::parse(OpAsmParser &parser, OperationState &result) {
  Builder &builder = parser.getBuilder();
  Properties &properties = result.getOrAddProperties<Properties>();
  SmallVector<OpAsmParser::Argument> arguments;
  SmallVector<Type> resultTypes;
  SmallVector<DictionaryAttr> resultAttrs;
  bool isVariadic = false;
  if (parser.parseSymbolName(properties.sym_name) ||
      function_interface_impl::parseFunctionSignatureWithArguments(
          parser, /*allowVariadic=*/false, arguments, isVariadic, resultTypes,
          resultAttrs))
    return failure();

  SmallVector<Type> types;
  for (const OpAsmParser::Argument &argument : arguments)
    types.push_back(argument.type);
  properties.function_type =
      TypeAttr::get(builder.getFunctionType(types, resultTypes));
  call_interface_impl::addArgAndResultAttrs(
      builder, result, arguments, resultAttrs, getArgAttrsAttrName(result.name),
      getResAttrsAttrName(result.name));

  SmallVector<int64_t> grid;
  int64_t warps = 0;
  auto parseExtent = [&] { return parser.parseInteger(grid.emplace_back()); };
  if (parser.parseKeyword("grid") ||
      parser.parseCommaSeparatedList(AsmParser::Delimiter::Square,
                                     parseExtent) ||
      parser.parseKeyword("warps") || parser.parseInteger(warps) ||
      parser.parseOptionalAttrDictWithKeyword(result.attributes))
    return failure();
  properties.grid = builder.getDenseI64ArrayAttr(grid);
  properties.warps = builder.getI64IntegerAttr(warps);
  return parser.parseRegion(*result.addRegion(), arguments,
                            /*enableNameShadowing=*/false);
}

void FuncOp::print(OpAsmPrinter &printer) {
  printer << ' ';
  printer.printSymbolName(getSymName());
  call_interface_impl::printFunctionSignature(
      printer, getArgumentTypes(), getArgAttrsAttr(), /*isVariadic=*/false,
      getResultTypes(), getResAttrsAttr(), &getBody(),
      /*printEmptyResult=*/false);
  printer << " grid [";
  llvm::interleaveComma(getGrid(), printer);
  printer << "] warps " << getWarps();
  printer.printOptionalAttrDictWithKeyword(
      (*this)->getAttrs(),
      {getSymNameAttrName(), getFunctionTypeAttrName(), getGridAttrName(),
       getWarpsAttrName(), getArgAttrsAttrName(), getResAttrsAttrName()});
  printer << ' ';
  printer.printRegion(getBody(), /*printEntryBlockArgs=*/false);
}

LogicalResult FuncOp::verify() {
  for (Type type : getArgumentTypes())
    if (!isa<ViewType>(type))
      return emitOpError("arguments must be views, but there is a ") << type;
  if (!getResultTypes().empty())
    return emitOpError("has no results; it writes to views");
  if (getGrid().empty() || getGrid().size() > 3)
    return emitOpError("grid must have 1 to 3 axes, but has ")
           << getGrid().size();
  int64_t instances = 1;
  for (int64_t extent : getGrid())
    if (extent < 1 || extent > INT32_MAX ||
        llvm::MulOverflow(instances, extent, instances))
      return emitOpError("grid extents must be 1 to 2^31 - 1 and their product "
                         "below 2^63, but there is ")
             << extent;
  if (getWarps() < 1 || getWarps() > 32)
    return emitOpError("warps must be 1 to 32, but is ") << getWarps();
  if (!getBody().hasOneBlock())
    return emitOpError("body must have one block; control flow is scf");
  return success();
}

LogicalResult ProgramIdOp::verify() {
  auto function = (*this)->getParentOfType<FuncOp>();
  if (!function)
    return emitOpError("must be inside a tile.func");
  if (static_cast<uint32_t>(getAxis()) >= function.getGrid().size())
    return emitOpError("axis ")
           << getAxis() << " is outside the grid of rank "
           << function.getGrid().size();
  return success();
}

//===----------------------------------------------------------------------===//
// Global memory
//===----------------------------------------------------------------------===//

// What load and store share: offsets, block, mask and steps against the view.
static LogicalResult checkAccess(Operation *op, ViewType view,
                                 RankedTensorType block, size_t numOffsets,
                                 Value mask,
                                 std::optional<ArrayRef<int64_t>> steps) {
  int64_t rank = view.getRank();
  if (static_cast<int64_t>(numOffsets) != rank)
    return op->emitOpError("a view of rank ")
           << rank << " needs as many offsets, but there are " << numOffsets;
  if (block.getRank() != rank)
    return op->emitOpError("block has rank ")
           << block.getRank() << ", the view has rank " << rank;
  if (block.getElementType() != view.getElementType())
    return op->emitOpError("block has element type ")
           << block.getElementType() << ", the view has "
           << view.getElementType();
  if (failed(checkMask(op, mask, block)))
    return failure();
  if (!steps)
    return success();
  if (static_cast<int64_t>(steps->size()) != rank)
    return op->emitOpError("a view of rank ")
           << rank << " needs as many steps, but there are " << steps->size();
  for (auto [step, extent] : llvm::zip_equal(*steps, block.getShape())) {
    int64_t reach;
    if (step < 1)
      return op->emitOpError("steps must be positive, but there is ") << step;
    if (llvm::MulOverflow(step, extent - 1, reach) || reach > INT32_MAX)
      return op->emitOpError("step ") << step << " over a block extent of "
                                      << extent << " exceeds 32 bits";
  }
  return success();
}

LogicalResult LoadOp::verify() {
  ViewType view = getView().getType();
  if (getFill() && getFill().getType() != view.getElementType())
    return emitOpError("fill has type ") << getFill().getType()
                                         << ", the view has "
                                         << view.getElementType();
  return checkAccess(*this, view, getResult().getType(), getOffsets().size(),
                     getMask(), getSteps());
}

LogicalResult StoreOp::verify() {
  for (auto [extent, stride] : llvm::zip_equal(
           getView().getType().getShape(), getView().getType().getStrides()))
    if (stride == 0 && extent > 1)
      return emitOpError("cannot write to a view that repeats elements "
                         "(stride 0)");
  return checkAccess(*this, getView().getType(), getValue().getType(),
                     getOffsets().size(), getMask(), getSteps());
}

LogicalResult AtomicOp::verify() {
  ViewType view = getView().getType();
  RankedTensorType index = getIndex().getType();
  RankedTensorType value = getValue().getType();
  auto isAtomicInteger = [](Type type) {
    return type.isInteger(32) || type.isInteger(64);
  };
  if (view.getRank() != 1)
    return emitOpError("view must have rank 1, but has rank ")
           << view.getRank();
  if (!isAtomicInteger(view.getElementType()))
    return emitOpError("view must hold i32 or i64, but holds ")
           << view.getElementType();
  if (!isAtomicInteger(index.getElementType()) &&
      !index.getElementType().isIndex())
    return emitOpError("index must be a block of i32, i64 or index, but is ")
           << index;
  if (value.getElementType() != view.getElementType())
    return emitOpError("value has element type ")
           << value.getElementType() << ", the view has "
           << view.getElementType();
  if (index.getShape() != value.getShape())
    return emitOpError("index and value must have one shape, but are ")
           << index << " and " << value;
  return checkMask(*this, getMask(), value);
}

//===----------------------------------------------------------------------===//
// Diagnostics of a running kernel
//===----------------------------------------------------------------------===//

LogicalResult PrintOp::verify() {
  Type type = getValue().getType();
  if (!isBlockType(type) && !isElementType(type) && !type.isIndex())
    return emitOpError("prints blocks and scalars, not ") << type;
  return success();
}

LogicalResult AssertOp::verify() {
  Type type = getCondition().getType();
  if (!type.isInteger(1) &&
      !(isBlockType(type) && getElementTypeOrSelf(type).isInteger(1)))
    return emitOpError("condition must be i1 or a block of i1, but is ")
           << type;
  return success();
}
