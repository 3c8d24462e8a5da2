//===- Passes.h - passes of the TileToCPU stage --------------------*- C++ -*-===//
#ifndef TILEFUSE_PASSES_TILETOCPU_PASSES_H
#define TILEFUSE_PASSES_TILETOCPU_PASSES_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"
#include "passes/Statistics.h"

namespace tilefuse {
#define GEN_PASS_DECL
#include "passes/TileToCPU/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "passes/TileToCPU/Passes.h.inc"

/// Adds the passes from tile programs to LLVM functions for the host.
void buildTileToCPU(mlir::OpPassManager &manager);

/// Registers `tile-to-cpu` and the upstream passes it is built of.
void registerTileToCPUPipeline();
} // namespace tilefuse

#endif // TILEFUSE_PASSES_TILETOCPU_PASSES_H
