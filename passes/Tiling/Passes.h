//===- Passes.h - passes of the Tiling stage --------------------*- C++ -*-===//
#ifndef TILEFUSE_PASSES_TILING_PASSES_H
#define TILEFUSE_PASSES_TILING_PASSES_H

#include "mlir/Pass/Pass.h"
#include "passes/Statistics.h"

namespace tilefuse {
#define GEN_PASS_DECL
#include "passes/Tiling/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "passes/Tiling/Passes.h.inc"
} // namespace tilefuse

#endif // TILEFUSE_PASSES_TILING_PASSES_H
