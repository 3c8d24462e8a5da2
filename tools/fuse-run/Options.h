//===- Options.h - the command line of fuse-run -----------------*- C++ -*-===//
#ifndef TILEFUSE_TOOLS_FUSE_RUN_OPTIONS_H
#define TILEFUSE_TOOLS_FUSE_RUN_OPTIONS_H

#include "tilefuse/Error.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <string>
#include <vector>

namespace tilefuse::run {

/// What carries out a run.
enum class Device { Cpu, Cuda, Reference };

/// One run, as the command line states it.
struct Options {
  /// Text of any stage from fuse to tile, or a Program.
  std::string source;
  std::string entry;
  Device device = Device::Cpu;
  int ordinal = 0;
  /// GPU architecture to compile for with --device=cuda.
  std::string target = "sm_90a";
  std::string scheduleTarget;
  /// `FILE` in argument order, or `NAME=FILE`.
  std::vector<std::string> inputs;
  /// How many of them came by --cotangent.
  unsigned numCotangents = 0;
  /// Run the backward pass as well.
  bool grad = false;
  std::string outputDir;
  uint64_t seed = 0;
  bool check = false;
  /// File with the right computation; empty: the source itself.
  std::string checkAgainst;
  /// Whether --check may look at a sample of the elements.
  bool checkAll = false;
  unsigned bench = 0;
  unsigned threads = 0;
  /// Take programs from the on-disk cache, and store them there.
  bool useCache = true;
  bool json = false;
  bool showHelp = false;
  /// File with one command line per line, run one after the other.
  std::string batch;
  unsigned jobs = 1;
};

/// Parses the arguments (program name not included).
/// Errors: InvalidArgument, naming the offending argument.
Expected<Options> parseOptions(llvm::ArrayRef<llvm::StringRef> arguments);

/// The text of --help.
llvm::StringRef getHelp();

} // namespace tilefuse::run

#endif // TILEFUSE_TOOLS_FUSE_RUN_OPTIONS_H
