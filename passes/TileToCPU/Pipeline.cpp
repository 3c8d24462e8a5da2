//===- Pipeline.cpp - tile-to-cpu, pass by pass ---------------------------===//

#include "passes/TileToCPU/Passes.h"

#include "mlir/Conversion/AffineToStandard/AffineToStandard.h"
#include "mlir/Conversion/ReconcileUnrealizedCasts/ReconcileUnrealizedCasts.h"
#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace tilefuse;

void tilefuse::buildTileToCPU(OpPassManager &manager) {
  // Blocks as tensors, loops as linalg.
  manager.addPass(createTileRoundDotOperands());
  manager.addPass(createTileGroupPointwise());
  manager.addPass(createConvertTileToLinalg());
  manager.addPass(createCanonicalizerPass());
  manager.addPass(createCSEPass());
  // Blocks as memory.
  bufferization::OneShotBufferizePassOptions bufferize;
  bufferize.unknownTypeConversion = bufferization::LayoutMapOption::IdentityLayoutMap;
  manager.addPass(bufferization::createOneShotBufferizePass(bufferize));
  OpPassManager &functions = manager.nest<func::FuncOp>();
  functions.addPass(createTilePlaceBuffers());
  // Loops as code.
  functions.addPass(createTileVectorizeDots());
  functions.addPass(createConvertLinalgToLoopsPass());
  functions.addPass(memref::createExpandStridedMetadataPass());
  functions.addPass(createLowerAffinePass());
  functions.addPass(createCanonicalizerPass());
  functions.addPass(createCSEPass());
  functions.addPass(createSCFToControlFlowPass());
  manager.addPass(createConvertKernelsToLLVM());
  manager.addPass(createReconcileUnrealizedCastsPass());
}

void tilefuse::registerTileToCPUPipeline() {
  PassPipelineRegistration<> pipeline(
      "tile-to-cpu", "From tile programs to LLVM functions for the host's CPU",
      [](OpPassManager &manager) { buildTileToCPU(manager); });
  // The upstream ones, for running it by hand.
  bufferization::registerOneShotBufferizePass();
  mlir::registerConvertLinalgToLoopsPass();
  memref::registerExpandStridedMetadataPass();
  registerPass([] { return createLowerAffinePass(); });
  registerPass([] { return createSCFToControlFlowPass(); });
  registerPass([] { return createReconcileUnrealizedCastsPass(); });
}
