//===- MergeKernels.cpp - one kernel where several are the same -----------===//
//
// Layers of a network repeat, and so do their kernels: each that says the same
// as one before it goes, and its launches run that one. What is compiled is what
// differs.
//
//===----------------------------------------------------------------------===//

#include "passes/Plan/Passes.h"

#include "mlir/IR/OperationSupport.h"
#include "llvm/ADT/StringMap.h"

namespace tilefuse {
#define GEN_PASS_DEF_TILEMERGEKERNELS
#include "passes/Plan/Passes.h.inc"

using namespace mlir;

namespace {

constexpr auto kIgnoreLocations = OperationEquivalence::IgnoreLocations;

/// All that a kernel's attributes say but its name.
DictionaryAttr getAttributesButName(tile::FuncOp kernel) {
  NamedAttrList attributes(kernel->getAttrDictionary());
  attributes.erase(kernel.getSymNameAttrName());
  return attributes.getDictionary(kernel.getContext());
}

/// The same for equal kernels.
llvm::hash_code hashKernel(tile::FuncOp kernel) {
  llvm::hash_code hash = mlir::hash_value(Attribute(getAttributesButName(kernel)));
  kernel.getBody().walk([&](Operation *op) {
    hash = llvm::hash_combine(
        hash, OperationEquivalence::computeHash(
                  op, OperationEquivalence::ignoreHashValue,
                  OperationEquivalence::ignoreHashValue, kIgnoreLocations));
  });
  return hash;
}

bool areEqual(tile::FuncOp one, tile::FuncOp other) {
  return getAttributesButName(one) == getAttributesButName(other) &&
         OperationEquivalence::isRegionEquivalentTo(
             &one.getBody(), &other.getBody(), kIgnoreLocations);
}

class MergeKernels : public impl::TileMergeKernelsBase<MergeKernels> {
public:
  void runOnOperation() override {
    ModuleOp module = getOperation();
    // Looked up only, never walked: hashes of pointers differ from run to run.
    llvm::DenseMap<size_t, SmallVector<tile::FuncOp, 1>> kept;
    llvm::StringMap<StringAttr> replaced;
    for (auto kernel :
         llvm::make_early_inc_range(module.getOps<tile::FuncOp>())) {
      auto &alike = kept[hashKernel(kernel)];
      auto *same = llvm::find_if(
          alike, [&](tile::FuncOp other) { return areEqual(other, kernel); });
      if (same == alike.end()) {
        alike.push_back(kernel);
        continue;
      }
      replaced[kernel.getSymName()] = same->getSymNameAttr();
      kernel.erase();
      ++numMerged;
    }
    if (replaced.empty())
      return;
    module.walk([&](tile::LaunchOp launch) {
      if (auto found = replaced.find(launch.getKernel());
          found != replaced.end())
        launch.setKernelAttr(FlatSymbolRefAttr::get(found->second));
    });
  }
};

} // namespace
} // namespace tilefuse
