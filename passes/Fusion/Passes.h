//===- Passes.h - passes of the Fusion stage --------------------*- C++ -*-===//
#ifndef TILEFUSE_PASSES_FUSION_PASSES_H
#define TILEFUSE_PASSES_FUSION_PASSES_H

#include "dialects/Fuse/Fuse.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"
#include "passes/Statistics.h"

namespace tilefuse {
#define GEN_PASS_DECL
#include "passes/Fusion/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "passes/Fusion/Passes.h.inc"
} // namespace tilefuse

#endif // TILEFUSE_PASSES_FUSION_PASSES_H
