//===- TileHostOps.cpp - verifiers of the host program's ops --------------===//

#include "dialects/Tile/Tile.h"

using namespace mlir;
using namespace tilefuse::tile;

LogicalResult LaunchOp::verifySymbolUses(SymbolTableCollection &symbols) {
  Operation *symbol = symbols.lookupNearestSymbolFrom(*this, getKernelAttr());
  // A kernel that is lowered already has other types.
  if (symbol && (symbol->hasAttr(TileDialect::getLoweredAttrName()) ||
                 symbol->getName().getStringRef() == "llvm.func"))
    return success();
  auto kernel = dyn_cast_or_null<tile::FuncOp>(symbol);
  if (!kernel)
    return emitOpError("there is no tile.func @") << getKernel();
  ArrayRef<Type> expected = kernel.getArgumentTypes();
  if (expected.size() != getNumOperands())
    return emitOpError("kernel @")
           << getKernel() << " takes " << expected.size()
           << " arguments, but there are " << getNumOperands();
  for (auto [index, types] :
       llvm::enumerate(llvm::zip_equal(expected, getOperandTypes()))) {
    auto [want, have] = types;
    if (want != have)
      return emitOpError("argument ") << index << " of kernel @" << getKernel()
                                      << " is " << want << ", not " << have;
  }
  return success();
}

LogicalResult AllocOp::verify() {
  if (!getResult().getType().isDense())
    return emitOpError("makes dense views, not ") << getResult().getType();
  if (std::optional<int64_t> offset = getOffset())
    if (*offset < 0 || *offset % 256 != 0)
      return emitOpError("offset must be a multiple of 256, but is ")
             << *offset;
  return success();
}

LogicalResult ConstantOp::verify() {
  ViewType view = getResult().getType();
  auto value = dyn_cast<DenseElementsAttr>(getValue());
  if (!value)
    return emitOpError("value must be a dense<...> attribute");
  if (!view.isDense())
    return emitOpError("makes dense views, not ") << view;
  if (value.getType().getShape() != view.getShape() ||
      value.getElementType() != view.getElementType())
    return emitOpError("value of type ")
           << value.getType() << " does not match " << view;
  return success();
}

LogicalResult ViewCastOp::verify() {
  ViewType from = getView().getType(), to = getResult().getType();
  if (from.getElementType() != to.getElementType())
    return emitOpError("element type must stay, but changes from ")
           << from.getElementType() << " to " << to.getElementType();
  int64_t end;
  if (getOffset() < 0 || llvm::AddOverflow<int64_t>(getOffset(), to.getSpan(), end) ||
      end > from.getSpan())
    return emitOpError("result of ")
           << to.getSpan() << " elements at offset " << getOffset()
           << " leaves the operand, which has " << from.getSpan();
  return success();
}

OpFoldResult ViewCastOp::fold(FoldAdaptor) {
  if (getView().getType() == getType() && getOffset() == 0)
    return getView();
  return {};
}
