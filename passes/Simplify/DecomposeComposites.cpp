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

/// What a composite says of its derivative holds for the ops it becomes: those
/// in front of it now that were not there before. What it keeps for the backward
/// pass is its results.
static void copyMarks(Operation *composite, Operation *before,
                      ArrayRef<Value> values) {
  Operation *first = before ? before->getNextNode()
                            : &composite->getBlock()->front();
  for (StringRef mark : {"fuse.stop_gradient", "fuse.recompute"})
    if (Attribute attribute = composite->getAttr(mark))
      for (Operation *op = first; op != composite; op = op->getNextNode())
        op->setAttr(mark, attribute);
  if (Attribute attribute = composite->getAttr("fuse.save"))
    for (Value value : values)
      if (Operation *op = value.getDefiningOp())
        op->setAttr("fuse.save", attribute);
}

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
        Operation *before = op->getPrevNode();
        SmallVector<Value> values = op.decompose(builder);
        if (values.size() != op->getNumResults() ||
            TypeRange(ValueRange(values)) != op->getResultTypes()) {
          op->emitOpError("decomposes into values of other types");
          return signalPassFailure();
        }
        copyMarks(op, before, values);
        op->replaceAllUsesWith(values);
        op->erase();
        ++numDecomposed;
      }
    }
  }
};
} // namespace
