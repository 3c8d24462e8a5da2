//===- HostProgram.h - the entry function as a host program -----*- C++ -*-===//
//
// func.func @f(tensors) -> tensors becomes func.func @f(views of the inputs,
// views of the results): buffers and launches in destination style.
//
//===----------------------------------------------------------------------===//
#ifndef TILEFUSE_PASSES_TILING_HOSTPROGRAM_H
#define TILEFUSE_PASSES_TILING_HOSTPROGRAM_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/SymbolTable.h"

namespace tilefuse {

struct HostProgramStatistics {
  unsigned kernels = 0, finishes = 0, copies = 0, buffers = 0, separate = 0;
};

/// Rewrites one entry function, and adds its kernels to the module.
mlir::LogicalResult lowerToHostProgram(mlir::func::FuncOp func,
                                       mlir::SymbolTable &symbols,
                                       bool powersOfTwo,
                                       HostProgramStatistics &statistics);

} // namespace tilefuse

#endif // TILEFUSE_PASSES_TILING_HOSTPROGRAM_H
