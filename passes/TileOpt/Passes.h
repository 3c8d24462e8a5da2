//===- Passes.h - passes of the TileOpt stage --------------------*- C++ -*-===//
#ifndef TILEFUSE_PASSES_TILEOPT_PASSES_H
#define TILEFUSE_PASSES_TILEOPT_PASSES_H

#include "mlir/Pass/Pass.h"
#include "passes/Statistics.h"

namespace tilefuse {
#define GEN_PASS_DECL
#include "passes/TileOpt/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "passes/TileOpt/Passes.h.inc"
} // namespace tilefuse

#endif // TILEFUSE_PASSES_TILEOPT_PASSES_H
