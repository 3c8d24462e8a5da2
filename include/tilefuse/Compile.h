//===- Compile.h - from source text to a Program ----------------*- C++ -*-===//
//
// Thread-safety: every call works in a context of its own; calls may run in
// parallel.
//
//===----------------------------------------------------------------------===//
#ifndef TILEFUSE_COMPILE_H
#define TILEFUSE_COMPILE_H

#include "tilefuse/Error.h"
#include "tilefuse/Runtime.h"

#include <string>
#include <string_view>
#include <vector>

namespace tilefuse {

/// What to compile for.
struct CompileOptions {
  /// `cpu` or a GPU architecture (`sm_90a`, `sm_80`, ...).
  std::string target = "sm_90a";
  /// Target whose schedule shapes the tile program; empty: `target`. With
  /// target `cpu` and scheduleTarget `sm_90a` the CPU runs the GPU's program.
  std::string scheduleTarget;
  /// Function to compile; empty: every public one, each an entry of the program.
  std::string entry;
  /// Derive the backward pass: `f` becomes the entries `f_forward`, whose
  /// outputs are the results and what the backward pass needs beside arguments
  /// and results, and `f_backward`, which takes the saved values and a cotangent
  /// for each differentiable result and gives the gradients.
  bool gradients = false;
  /// Positions of the arguments to differentiate; empty: every float argument
  /// that no result aliases.
  std::vector<int64_t> gradientArguments;
  /// Name of the source in diagnostics.
  std::string sourceName = "<source>";
  /// Assemble PTX to machine code when ptxas is found; else the driver does it.
  bool assemble = true;
  /// Look the program up in the on-disk cache, and store it there.
  bool useCache = true;
  /// The cache's folder, an absolute path; empty: `$TILEFUSE_CACHE_DIR` (no cache
  /// when that is set to nothing), else `tilefuse` in the user's cache folder.
  std::string cacheDirectory;
};

/// A phase whose IR or code can be printed.
enum class Stage { Fuse, Joint, Kernels, Tile, Llvm, Ptx, Cubin };

/// Compiles MLIR text of any stage from `fuse` to `tile`.
/// Errors: InvalidSource with the located diagnostic, Unsupported.
Expected<Program> compile(std::string_view source,
                          const CompileOptions &options = {});

/// The signatures of the functions that compile() would make entries of (with
/// `gradients`, before they are split): names, types and shapes, after parsing
/// and verifying alone. Errors: InvalidSource.
Expected<std::vector<Signature>> describe(std::string_view source,
                                          const CompileOptions &options = {});

/// A program that runs: a loaded CPU program is compiled from the source it
/// carries, any other is returned as it is. Errors: as compile.
Expected<Program> recompile(const Program &program);

/// The IR or code after one stage, as text (Cubin: bytes).
Expected<std::string> emit(std::string_view source, Stage stage,
                           const CompileOptions &options = {});

} // namespace tilefuse

#endif // TILEFUSE_COMPILE_H
