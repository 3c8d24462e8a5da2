//===- fuse-run.cpp - runs programs and checks them -------------*- C++ -*-===//

#include "lib/Reference/Npy.h"
#include "passes/SourceText.h"
#include "tools/fuse-run/Run.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/InitLLVM.h"

using namespace tilefuse;
using namespace tilefuse::run;

/// One line, whatever the message holds.
static int fail(const Error &error) {
  llvm::errs() << (error.location.empty() ? "fuse-run" : error.location)
               << ": error: " << error.message << "\n";
  return 1;
}

static Expected<void> writeOutputs(const Result &result,
                                   const std::string &directory) {
  if (std::error_code code = llvm::sys::fs::create_directories(directory))
    return Error{ErrorCode::NotFound,
                 "cannot make the directory: " + code.message(), directory};
  for (auto [i, tensor] : llvm::enumerate(result.outputs))
    if (auto written = reference::writeNpy(
            directory + "/" + result.outputNames[i] + ".npy", tensor);
        !written)
      return written;
  return {};
}

int tilefuse::run::runOnce(const run::Options &options) {
  auto source = loadSource(options);
  if (!source)
    return fail(source.error());
  auto inputs = makeInputs(*source, options);
  if (!inputs)
    return fail(inputs.error());
  auto result = execute(*source, *inputs, options);
  if (!result)
    return fail(result.error());
  if (options.check && options.device != Device::Reference) {
    auto report = check(*source, *inputs, *result, options);
    if (!report)
      return fail(report.error());
    result->check = std::move(*report);
  }
  if (!options.outputDir.empty())
    if (auto written = writeOutputs(*result, options.outputDir); !written)
      return fail(written.error());
  print(llvm::outs(), *source, options, *result);
  return result->check && !result->check->passed() ? 1 : 0;
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  exitOnFatalErrors("fuse-run");
  llvm::SmallVector<llvm::StringRef> arguments(argv + 1, argv + argc);
  auto options = parseOptions(arguments);
  if (!options)
    return fail(options.error());
  if (options->showHelp) {
    llvm::outs() << getHelp();
    return 0;
  }
  if (!options->batch.empty())
    return runBatch(*options);
  return runWithLargeStack([&] { return runOnce(*options); });
}
