//===- Describe.cpp - what a source takes and gives -----------------------===//

#include "Compilation.h"
#include "HostPlan.h"

using namespace mlir;

namespace tilefuse {

// Tensors of a program lie densely, the last dimension fastest.
static ArgumentInfo describe(RankedTensorType type, Attribute name,
                             const std::string &otherwise) {
  ArgumentInfo info;
  auto text = dyn_cast_or_null<StringAttr>(name);
  info.name = text ? text.str() : otherwise;
  info.dtype = *getDType(type.getElementType());
  info.shape.assign(type.getShape().begin(), type.getShape().end());
  info.strides.assign(type.getRank(), 1);
  for (int64_t i = type.getRank() - 2; i >= 0; --i)
    info.strides[i] = info.strides[i + 1] * info.shape[i + 1];
  info.alignment = ArgumentAlignment;
  return info;
}

static std::optional<Signature> describe(func::FuncOp entry) {
  Signature signature;
  signature.entry = entry.getName();
  for (auto [i, type] : llvm::enumerate(entry.getArgumentTypes())) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    if (!tensor)
      return std::nullopt;
    signature.inputs.push_back(describe(
        tensor, entry.getArgAttr(i, "fuse.name"), "arg" + std::to_string(i)));
    if (auto alias =
            entry.getArgAttrOfType<IntegerAttr>(i, "fuse.alias_result"))
      signature.inputs.back().aliasResult = alias.getInt();
  }
  for (auto [i, type] : llvm::enumerate(entry.getResultTypes())) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    if (!tensor)
      return std::nullopt;
    signature.outputs.push_back(describe(tensor,
                                         entry.getResultAttr(i, "fuse.name"),
                                         "out" + std::to_string(i)));
  }
  return signature;
}

Expected<std::vector<Signature>> describe(std::string_view source,
                                          const CompileOptions &options) {
  Expected<std::unique_ptr<Compilation>> compilation =
      Compilation::parse(source, options);
  if (!compilation)
    return compilation.error();
  std::vector<Signature> signatures;
  for (func::FuncOp entry : (*compilation)->getEntries()) {
    std::optional<Signature> signature = describe(entry);
    if (!signature)
      return Error{ErrorCode::InvalidSource,
                   "function '" + entry.getName().str() +
                       "' is tiled already; its program has the signature",
                   options.sourceName};
    signatures.push_back(std::move(*signature));
  }
  return signatures;
}

} // namespace tilefuse
