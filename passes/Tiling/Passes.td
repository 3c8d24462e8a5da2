//===- Passes.td - passes of the Tiling stage ----------------*- tablegen -*-===//

#ifndef TILEFUSE_PASSES_TILING_PASSES
#define TILEFUSE_PASSES_TILING_PASSES

include "mlir/Pass/PassBase.td"

#endif // TILEFUSE_PASSES_TILING_PASSES
