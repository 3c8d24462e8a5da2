//===- Compilation.h - one compile: context, module, messages ---*- C++ -*-===//
#ifndef TILEFUSE_LIB_COMPILER_COMPILATION_H
#define TILEFUSE_LIB_COMPILER_COMPILATION_H

#include "passes/Pipelines.h"
#include "tilefuse/Compile.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"

#include <memory>
#include <optional>

namespace llvm {
class SourceMgr;
} // namespace llvm

namespace tilefuse {

/// A source on its way through the phases. Not thread-safe; each has a context
/// of its own.
class Compilation {
public:
  /// Parses and verifies `source`, picks the entry functions and drops every
  /// other one. Errors: InvalidSource, with the diagnostic's location.
  static Expected<std::unique_ptr<Compilation>>
  parse(std::string_view source, const CompileOptions &options);
  ~Compilation();

  mlir::ModuleOp getModule() { return *module; }
  /// The functions that become entries, in order.
  llvm::SmallVector<mlir::func::FuncOp> getEntries();
  const CompileOptions &getOptions() const { return options; }

  /// Runs the phases that are still missing up to and including `phase`.
  Expected<void> advanceTo(Phase phase);

  /// The module as text; before the tile program is lowered it carries its
  /// source, so that a run can be checked against it.
  std::string print();

  /// The graph this module comes from: the text itself, or the one that later
  /// text carries. Empty when it is not known.
  const std::string &getSource() const { return source; }

  /// DRAM bytes when every op of the source runs by itself: operands and
  /// results of each, constants and reshapes aside. None for a source that is
  /// already tiled.
  std::optional<int64_t> getUnfusedBytes() const { return unfusedBytes; }

  /// The first error since `clearErrors`, or `fallback`.
  Error takeError(ErrorCode code, std::string fallback);

private:
  explicit Compilation(const CompileOptions &options);

  class Diagnostics;

  Expected<void> pickEntries();
  Expected<void> checkSignature(mlir::func::FuncOp entry);
  void nameArguments(const class ArgumentNames &names);

  CompileOptions options;
  std::unique_ptr<mlir::MLIRContext> context;
  std::unique_ptr<Diagnostics> diagnostics;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  std::string source;
  std::optional<int64_t> unfusedBytes;
  /// First phase that has not run.
  Phase next = Phase::Target;
};

/// Compiles a parsed source to a Program.
Expected<Program> compile(Compilation &compilation);

} // namespace tilefuse

#endif // TILEFUSE_LIB_COMPILER_COMPILATION_H
