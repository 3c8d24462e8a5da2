//===- KernelEmitter.h - tile functions and launches ------------*- C++ -*-===//
#ifndef TILEFUSE_PASSES_TILING_KERNELEMITTER_H
#define TILEFUSE_PASSES_TILING_KERNELEMITTER_H

#include "mlir/IR/SymbolTable.h"
#include "passes/Tiling/StagePlan.h"

namespace tilefuse {

/// What became of a kernel.
struct EmittedKernel {
  unsigned mainLaunches = 0;
  unsigned finishLaunches = 0;
  /// Whether its ops had to run one by one.
  bool isSeparate = false;
};

/// Adds the functions of `kernel` to the module behind `symbols`, and its launches
/// at the insertion point of `host`. `inputs` are the buffers of the kernel's
/// inputs, `outputs` those of its results.
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
