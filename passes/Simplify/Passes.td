//===- Passes.td - passes of the Simplify stage ----------------*- tablegen -*-===//

#ifndef TILEFUSE_PASSES_SIMPLIFY_PASSES
#define TILEFUSE_PASSES_SIMPLIFY_PASSES

include "mlir/Pass/PassBase.td"

#endif // TILEFUSE_PASSES_SIMPLIFY_PASSES
