//===- Passes.td - passes of the Plan stage ----------------*- tablegen -*-===//

#ifndef TILEFUSE_PASSES_PLAN_PASSES
#define TILEFUSE_PASSES_PLAN_PASSES

include "mlir/Pass/PassBase.td"

#endif // TILEFUSE_PASSES_PLAN_PASSES
