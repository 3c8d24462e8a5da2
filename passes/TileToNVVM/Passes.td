//===- Passes.td - passes of the TileToNVVM stage ----------------*- tablegen -*-===//

#ifndef TILEFUSE_PASSES_TILETONVVM_PASSES
#define TILEFUSE_PASSES_TILETONVVM_PASSES

include "mlir/Pass/PassBase.td"

#endif // TILEFUSE_PASSES_TILETONVVM_PASSES
