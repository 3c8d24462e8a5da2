//===- Passes.h - passes of the TileToCPU stage --------------------*- C++ -*-===//
#ifndef TILEFUSE_PASSES_TILETOCPU_PASSES_H
#define TILEFUSE_PASSES_TILETOCPU_PASSES_H

#include "mlir/Pass/Pass.h"

namespace tilefuse {
#define GEN_PASS_DECL
#include "passes/TileToCPU/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "passes/TileToCPU/Passes.h.inc"
} // namespace tilefuse

#endif // TILEFUSE_PASSES_TILETOCPU_PASSES_H
