//===- Passes.td - passes of the TileToCPU stage ----------------*- tablegen -*-===//

#ifndef TILEFUSE_PASSES_TILETOCPU_PASSES
#define TILEFUSE_PASSES_TILETOCPU_PASSES

include "mlir/Pass/PassBase.td"

#endif // TILEFUSE_PASSES_TILETOCPU_PASSES
