//===- EmitPTX.h - NVVM modules to PTX, in process ----------------*- C++ -*-===//
//
// The last step of the GPU pipeline: the LLVM functions that
// `convert-tile-to-nvvm` left in a module become PTX text by LLVM's NVPTX
// backend. No CUDA Toolkit, no libdevice and no other process takes part, so the
// text is the same on every machine.
//
//===----------------------------------------------------------------------===//
#ifndef TILEFUSE_LIB_COMPILER_EMITPTX_H
#define TILEFUSE_LIB_COMPILER_EMITPTX_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/Error.h"
#include <string>

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace tilefuse {

/// What the backend generates code for.
struct PtxOptions {
  /// Processor name as LLVM spells it.
  std::string arch = "sm_90a";
  /// Subtarget features; the PTX version bounds the oldest usable driver.
  std::string features = "+ptx83";
  /// Level of the LLVM pipeline, 0 to 3.
  unsigned optLevel = 3;
};

/// Adds the translations to LLVM IR that `emitPTX` needs. A context whose
/// registry lacks them gets them on the first call of `emitPTX`; adding them
/// when the context is made keeps that call free of changes to the context.
void registerPtxTranslations(mlir::DialectRegistry &registry);

/// PTX of every `llvm.func` of `module`. Other functions (the host program) are
/// left out and the module is not changed. Fails when the module does not
/// translate, when the target is unknown, and when the code would call a
/// function that neither the module nor the CUDA driver defines.
llvm::Expected<std::string> emitPTX(mlir::ModuleOp module,
                                    const PtxOptions &options = {});

} // namespace tilefuse

#endif // TILEFUSE_LIB_COMPILER_EMITPTX_H
