//===- HostPlan.h - the entry function as a launch plan ---------*- C++ -*-===//
#ifndef TILEFUSE_LIB_COMPILER_HOSTPLAN_H
#define TILEFUSE_LIB_COMPILER_HOSTPLAN_H

#include "lib/Runtime/ProgramData.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace tilefuse {

/// Reads a planned host function (after `tile-plan-buffers`): signature,
/// kernels with their grids, launches with the place of every argument,
/// workspace and constants. What only code generation knows (threads, shared
/// memory, the code itself) is filled in later.
/// Errors: InvalidSource when the function is not such a plan.
Expected<std::shared_ptr<ProgramData>> readHostPlan(mlir::func::FuncOp entry);

} // namespace tilefuse

#endif // TILEFUSE_LIB_COMPILER_HOSTPLAN_H
