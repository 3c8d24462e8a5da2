//===- KernelEmitter.h - tile functions and launches ------------*- C++ -*-===//
#ifndef TILEFUSE_PASSES_TILING_KERNELEMITTER_H
#define TILEFUSE_PASSES_TILING_KERNELEMITTER_H

#include "passes/Tiling/StagePlan.h"
#include "mlir/IR/SymbolTable.h"

namespace tilefuse {

/// What became of a kernel.
struct EmittedKernel {
  unsigned mainLaunches = 0;
  unsigned finishLaunches = 0;
  /// Whether its ops had to run one by one.
  bool isSeparate = false;
};

/// Emits the functions of `kernel` in front of `entry`'s end of module and its
/// launches at `host`'s insertion point. `views` holds the buffers of the
/// kernel's inputs and, for its results, where they go.
mlir::FailureOr<EmittedKernel>
emitKernel(fuse::KernelOp kernel, mlir::OpBuilder &host,
           mlir::SymbolTable &symbols, mlir::ValueRange inputs,
           mlir::ValueRange outputs, bool powersOfTwo);

/// Emits a function and a launch that copy one buffer to another of the same
/// number of elements.
void emitCopy(mlir::Location loc, mlir::OpBuilder &host,
              mlir::SymbolTable &symbols, llvm::StringRef name,
              mlir::Value from, mlir::Value to);

} // namespace tilefuse

#endif // TILEFUSE_PASSES_TILING_KERNELEMITTER_H
