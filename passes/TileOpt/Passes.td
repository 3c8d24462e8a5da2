//===- Passes.td - passes of the TileOpt stage ----------------*- tablegen -*-===//

#ifndef TILEFUSE_PASSES_TILEOPT_PASSES
#define TILEFUSE_PASSES_TILEOPT_PASSES

include "mlir/Pass/PassBase.td"

#endif // TILEFUSE_PASSES_TILEOPT_PASSES
