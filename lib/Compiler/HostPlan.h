//===- HostPlan.h - the entry function as a launch plan ---------*- C++ -*-===//
#ifndef TILEFUSE_LIB_COMPILER_HOSTPLAN_H
#define TILEFUSE_LIB_COMPILER_HOSTPLAN_H

#include "lib/Runtime/ProgramData.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace tilefuse {

/// Every buffer that a program is given is aligned to this many bytes.
constexpr uint64_t ArgumentAlignment = 16;

/// The runtime's name of an element type, for those it knows.
std::optional<DType> getDType(mlir::Type type);

/// Reads the planned host functions (after `tile-plan-buffers`) of a module as
/// the entries of a program: signatures, kernels with their grids, launches with
/// the place of every argument, workspaces and constants. What only code
/// generation knows (shared memory, the code itself) is filled in later.
/// Errors: InvalidSource when a function is not such a plan.
Expected<std::shared_ptr<ProgramData>>
readHostPlan(llvm::ArrayRef<mlir::func::FuncOp> entries);

} // namespace tilefuse

#endif // TILEFUSE_LIB_COMPILER_HOSTPLAN_H
