//===- Passes.td - passes of the Fusion stage ----------------*- tablegen -*-===//

#ifndef TILEFUSE_PASSES_FUSION_PASSES
#define TILEFUSE_PASSES_FUSION_PASSES

include "mlir/Pass/PassBase.td"

#endif // TILEFUSE_PASSES_FUSION_PASSES
