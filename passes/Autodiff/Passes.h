//===- Passes.h - passes of the Autodiff stage --------------------*- C++ -*-===//
#ifndef TILEFUSE_PASSES_AUTODIFF_PASSES_H
#define TILEFUSE_PASSES_AUTODIFF_PASSES_H

#include "mlir/Pass/Pass.h"
#include "passes/Statistics.h"

namespace tilefuse {
#define GEN_PASS_DECL
#include "passes/Autodiff/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "passes/Autodiff/Passes.h.inc"
} // namespace tilefuse

#endif // TILEFUSE_PASSES_AUTODIFF_PASSES_H
