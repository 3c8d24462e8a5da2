//===- AssignLayouts.cpp - spread blocks over threads ---------------------===//

#include "passes/TileOpt/LayoutRewriter.h"
#include "passes/TileOpt/Passes.h"

namespace tilefuse {
#define GEN_PASS_DEF_TILEASSIGNLAYOUTS
#include "passes/TileOpt/Passes.h.inc"
} // namespace tilefuse

using namespace mlir;
using namespace tilefuse;
using namespace tilefuse::tile;

/// Ops without effects and without uses, constants that were made anew
/// everywhere among them.
static void eraseDeadOps(FuncOp func) {
  bool changed = true;
  while (changed) {
    changed = false;
    SmallVector<Operation *> dead;
    func.walk<WalkOrder::PreOrder>([&](Operation *op) {
      if (op == func || !isOpTriviallyDead(op))
        return WalkResult::advance();
      dead.push_back(op);
      return WalkResult::skip();
    });
    for (Operation *op : dead)
      op->erase();
    changed = !dead.empty();
  }
}

namespace {
struct AssignLayouts : tilefuse::impl::TileAssignLayoutsBase<AssignLayouts> {
  void runOnOperation() override {
    for (FuncOp func : getOperation().getOps<FuncOp>())
      if (failed(runOnKernel(func)))
        return signalPassFailure();
  }

  LogicalResult runOnKernel(FuncOp func) {
    if (!llvm::isPowerOf2_64(func.getWarps()) || func.getWarps() > 32)
      return func.emitOpError("needs 1, 2, 4, 8, 16 or 32 warps, but has ")
             << func.getWarps();
    WalkResult already = func.walk([&](Operation *op) {
      for (Type type : op->getResultTypes())
        if (DistributedAttr::lookup(type) || isa<SharedType>(type))
          return WalkResult::interrupt();
      return WalkResult::advance();
    });
    if (already.wasInterrupted())
      return func.emitOpError("has layouts already");
    // What the registers of 1024 threads hold.
    constexpr int64_t mostElements = int64_t(1) << 18;
    WalkResult sizes = func.walk([&](Operation *op) {
      for (Value result : op->getResults()) {
        auto type = dyn_cast<RankedTensorType>(result.getType());
        if (type && type.getNumElements() > mostElements) {
          op->emitOpError("makes a block of ")
              << type.getNumElements() << " elements, of " << mostElements
              << " that a program instance holds at most";
          return WalkResult::interrupt();
        }
      }
      return WalkResult::advance();
    });
    if (sizes.wasInterrupted())
      return failure();
    // Before values are remembered as anchors.
    eraseDeadOps(func);
    StagingCounts staging;
    LayoutAnchors anchors = stageOperands(func, staging);
    eraseDeadOps(func);
    LayoutMap layouts = solveLayouts(func, anchors);
    RewriteCounts rewrite;
    if (failed(rewriteLayouts(func, layouts, rewrite)))
      return failure();
    eraseDeadOps(func);
    numMma += staging.mma;
    numFma += staging.fma;
    numStaged += staging.tiles;
    numConversions += rewrite.conversions;
    numSharedConversions += rewrite.sharedConversions;
    return success();
  }
};
} // namespace
