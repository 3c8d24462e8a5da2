//===- Passes.h - passes of the Plan stage --------------------*- C++ -*-===//
#ifndef TILEFUSE_PASSES_PLAN_PASSES_H
#define TILEFUSE_PASSES_PLAN_PASSES_H

#include "dialects/Tile/Tile.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"
#include "passes/Statistics.h"

namespace tilefuse {
#define GEN_PASS_DECL
#include "passes/Plan/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "passes/Plan/Passes.h.inc"
} // namespace tilefuse

#endif // TILEFUSE_PASSES_PLAN_PASSES_H
