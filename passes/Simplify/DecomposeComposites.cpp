//===- DecomposeComposites.cpp - composites into simpler ops ----*- C++ -*-===//

#include "dialects/Fuse/Fuse.h"
#include "passes/Simplify/Passes.h"

namespace tilefuse {
#define GEN_PASS_DEF_FUSEDECOMPOSECOMPOSITES
#include "passes/Simplify/Passes.h.inc"
} // namespace tilefuse

using namespace mlir;
using namespace tilefuse;
using namespace tilefuse::fuse;

namespace {
class DecomposeComposites final
    : public tilefuse::impl::FuseDecomposeCompositesBase<DecomposeComposites> {
  void runOnOperation() override {
    // A composite may decompose into composites: repeat until none is left.
    while (true) {
      SmallVector<CompositeOpInterface> composites;
      getOperation()->walk(
          [&](CompositeOpInterface op) { composites.push_back(op); });
      if (composites.empty())
        return;
      for (CompositeOpInterface op : composites) {
        OpBuilder builder(op);
        SmallVector<Value> values = op.decompose(builder);
        if (values.size() != op->getNumResults() ||
            TypeRange(ValueRange(values)) != op->getResultTypes()) {
          op->emitOpError("decomposes into values of other types");
          return signalPassFailure();
        }
        op->replaceAllUsesWith(values);
        op->erase();
        ++numDecomposed;
      }
    }
  }
};
} // namespace
