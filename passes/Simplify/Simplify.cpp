//===- Simplify.cpp - the whole stage in its order --------------*- C++ -*-===//

#include "dialects/Fuse/Fuse.h"
#include "passes/Simplify/Passes.h"

#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

namespace tilefuse {
#define GEN_PASS_DEF_FUSESIMPLIFY
#include "passes/Simplify/Passes.h.inc"
} // namespace tilefuse

using namespace mlir;
using namespace tilefuse;

namespace {
class Simplify final : public tilefuse::impl::FuseSimplifyBase<Simplify> {
  void runOnOperation() override {
    OpPassManager pipeline(getOperation()->getName());
    // The bias is visible only while batch-norm is one op.
    pipeline.addPass(createFuseAbsorbBias());
    pipeline.addPass(createFuseDecomposeComposites());
    pipeline.addPass(createCanonicalizerPass());
    pipeline.addPass(createFuseFoldMoves());
    pipeline.addPass(createFuseFoldSums());
    pipeline.addPass(createFuseFoldScalars());
    pipeline.addPass(createFuseSinkMonotone());
    pipeline.addPass(createCanonicalizerPass());
    pipeline.addPass(createCSEPass());
    if (failed(runPipeline(pipeline, getOperation())))
      return signalPassFailure();
    getOperation()->walk([&](Operation *op) {
      if (isa_and_nonnull<fuse::FuseDialect>(op->getDialect()))
        ++numOps;
    });
  }
};
} // namespace
