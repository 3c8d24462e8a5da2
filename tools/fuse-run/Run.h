//===- Run.h - one run of a program -----------------------------*- C++ -*-===//
#ifndef TILEFUSE_TOOLS_FUSE_RUN_RUN_H
#define TILEFUSE_TOOLS_FUSE_RUN_RUN_H

#include "lib/Reference/Compare.h"
#include "tools/fuse-run/Source.h"

namespace tilefuse::run {

/// The verdict on one output.
struct OutputReport {
  std::string name;
  int64_t elements = 0;
  reference::Report report;
};

/// The verdict on a run.
struct CheckReport {
  /// What was compared with.
  std::string reference;
  bool sampled = false;
  std::vector<OutputReport> outputs;

  bool passed() const {
    return llvm::all_of(outputs, [](const OutputReport &output) {
      return output.report.passed;
    });
  }
};

/// Everything a run found out.
struct Result {
  std::vector<std::string> outputNames;
  std::vector<reference::Tensor> outputs;
  std::vector<LaunchInfo> launches;
  size_t workspaceBytes = 0;
  double compileMilliseconds = 0;
  double runMilliseconds = 0;
  /// One entry per round of --bench.
  std::vector<double> samples;
  std::optional<CheckReport> check;
};

/// Refuses what no allocation could serve: `bytes`, for `what`, beyond the memory
/// of this machine. Errors: Unsupported.
Expected<void> checkMemory(const std::string &name, const llvm::Twine &what,
                           double bytes);

/// The same for a float64 evaluation of all of `function`: its largest value, as
/// operand and result.
Expected<void> checkEvaluation(const std::string &name,
                               mlir::func::FuncOp function);

/// Reads the inputs that were given and fills the others. Errors: NotFound,
/// InvalidArgument for a file that does not fit its argument.
Expected<std::vector<reference::Tensor>> makeInputs(const Source &source,
                                                    const Options &options);

/// Compiles (or loads) and runs on the device the options name.
Expected<Result> execute(const Source &source,
                         llvm::ArrayRef<reference::Tensor> inputs,
                         const Options &options);

/// Compares the outputs of a run with what they should be. Errors: Unsupported
/// when nothing says what that is.
Expected<CheckReport> check(const Source &source,
                            llvm::ArrayRef<reference::Tensor> inputs,
                            const Result &result, const Options &options);

/// Prints a finished run as tables or JSON.
void print(llvm::raw_ostream &stream, const Source &source,
           const Options &options, const Result &result);

/// Runs every line of options.batch; returns the exit code.
int runBatch(const Options &options);

/// The whole of one run: 0 or 1, messages on stderr.
int runOnce(const Options &options);

} // namespace tilefuse::run

#endif // TILEFUSE_TOOLS_FUSE_RUN_RUN_H
