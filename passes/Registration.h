//===- Registration.h - everything the tools register -----------*- C++ -*-===//
//
// One list of dialects and passes for fuse-opt and the compiler. It names what
// is used and nothing more: registering all of upstream's would triple the size
// of the static tools.
//
//===----------------------------------------------------------------------===//
#ifndef TILEFUSE_PASSES_REGISTRATION_H
#define TILEFUSE_PASSES_REGISTRATION_H

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace tilefuse {

/// Adds every dialect that a module holds at some phase, with the interface
/// implementations that the passes ask for (bufferization, tiling, conversion
/// and translation to LLVM).
void registerDialects(mlir::DialectRegistry &registry);

/// Registers the passes of all stages, the upstream ones that the pipelines
/// name, and the named pipelines. Thread-safe; later calls do nothing.
void registerPasses();

} // namespace tilefuse

#endif // TILEFUSE_PASSES_REGISTRATION_H
