//===- fuse-opt.cpp - run passes on MLIR text -------------------*- C++ -*-===//
//
// MlirOptMain over the project's registration: every standard flag works. It
// differs from mlir-opt in one thing: a file is checked before it is parsed.
//
//===----------------------------------------------------------------------===//

#include "passes/Registration.h"
#include "passes/SourceText.h"
#include "passes/Statistics.h"

#include "mlir/IR/Dialect.h"
#include "mlir/Support/FileUtilities.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/ToolOutputFile.h"

static llvm::cl::opt<bool> allowBytecode(
    "allow-bytecode",
    llvm::cl::desc("Read MLIR bytecode; only for files that you trust"));

static llvm::cl::opt<bool> printStatistics(
    "statistics",
    llvm::cl::desc("Print what each pass counted, on the standard error"));

static llvm::LogicalResult run(llvm::StringRef inputName,
                               llvm::StringRef outputName,
                               mlir::DialectRegistry &registry) {
  std::string message;
  std::unique_ptr<llvm::MemoryBuffer> input =
      mlir::openInputFile(inputName, &message);
  if (!input) {
    llvm::errs() << "error: " << message << "\n";
    return llvm::failure();
  }
  if (auto problem =
          tilefuse::findSourceProblem(input->getBuffer(), allowBytecode)) {
    llvm::errs() << inputName << ":" << *problem << "\n";
    return llvm::failure();
  }
  std::unique_ptr<llvm::ToolOutputFile> output =
      mlir::openOutputFile(outputName, &message);
  if (!output) {
    llvm::errs() << "error: " << message << "\n";
    return llvm::failure();
  }
  tilefuse::StatisticsScope statistics;
  if (failed(mlir::MlirOptMain(output->os(), std::move(input), registry,
                               mlir::MlirOptMainConfig::createFromCLOptions())))
    return llvm::failure();
  if (printStatistics)
    statistics.print(llvm::errs());
  output->keep();
  return llvm::success();
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  tilefuse::exitOnFatalErrors("fuse-opt");
  mlir::DialectRegistry registry;
  tilefuse::registerDialects(registry);
  tilefuse::registerPasses();
  auto [input, output] = mlir::registerAndParseCLIOptions(
      argc, argv, "tilefuse optimizer driver", registry);

  mlir::MlirOptMainConfig config =
      mlir::MlirOptMainConfig::createFromCLOptions();
  if (config.shouldShowDialects() || config.shouldListPasses())
    return mlir::asMainReturnCode(
        mlir::MlirOptMain(argc, argv, input, output, registry));
  return tilefuse::runWithLargeStack([&, &input = input, &output = output] {
    return mlir::asMainReturnCode(run(input, output, registry));
  });
}
