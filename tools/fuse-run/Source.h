//===- Source.h - what fuse-run is asked to run -----------------*- C++ -*-===//
#ifndef TILEFUSE_TOOLS_FUSE_RUN_SOURCE_H
#define TILEFUSE_TOOLS_FUSE_RUN_SOURCE_H

#include "lib/Compiler/Compilation.h"
#include "lib/Reference/Random.h"
#include "tools/fuse-run/Options.h"

namespace tilefuse::run {

/// One argument of the entry function.
struct Argument {
  std::string name;
  DType type = DType::F32;
  llvm::SmallVector<int64_t, 4> shape;
  reference::Initializer initializer;
};

/// A program or its text, read and understood.
struct Source {
  std::string name;
  /// The text; empty for a Program file.
  std::string text;
  std::optional<Program> program;
  std::string entry;
  std::vector<Argument> inputs;
  /// With --grad: what was given; `text` and `graph` are its joint graph then.
  std::string primal;
  /// Whether the text itself is a graph of the fuse dialect.
  bool isGraph = false;
  /// Graph in the fuse dialect that says what is computed: the text itself, or
  /// the one that tile text or a Program carries. Empty when there is none.
  std::string graph;
};

/// A file or, for `-`, standard input. Errors: NotFound.
Expected<std::string> readFile(const std::string &path);

/// Reads IN. Errors: NotFound, InvalidSource with the diagnostic, or
/// InvalidProgram.
Expected<Source> loadSource(const Options &options);

/// A parsed graph and the function of it that is meant.
struct Graph {
  std::unique_ptr<Compilation> compilation;
  mlir::func::FuncOp entry;
};

/// Parses a graph for the reference; `entry` may be empty when there is only
/// one function. Errors: InvalidSource; Unsupported when the function is no
/// graph of the fuse dialect.
Expected<Graph> parseGraph(const std::string &text, const std::string &name,
                           const std::string &entry);

} // namespace tilefuse::run

#endif // TILEFUSE_TOOLS_FUSE_RUN_SOURCE_H
