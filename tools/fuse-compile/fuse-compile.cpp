//===- fuse-compile.cpp - .mlir to IR, PTX, machine code or a Program -----===//

#include "lib/Compiler/Compilation.h"
#include "lib/Compiler/PlanReport.h"
#include "passes/Statistics.h"
#include "passes/SourceText.h"

#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/ToolOutputFile.h"

#include <chrono>

using namespace tilefuse;
namespace cl = llvm::cl;

namespace {

enum class Output { Fuse, Joint, Kernels, Tile, Llvm, Ptx, Cubin, Program };

struct Flags {
  cl::OptionCategory category{"fuse-compile options"};
  cl::opt<std::string> input{cl::Positional, cl::desc("IN.mlir"),
                             cl::init("-"), cl::cat(category)};
  cl::opt<std::string> output{"o", cl::desc("where to write (- is stdout)"),
                              cl::init("-"), cl::cat(category)};
  cl::opt<std::string> target{"target", cl::desc("cpu or sm_NN[a]"),
                              cl::init("sm_90a"), cl::cat(category)};
  cl::opt<std::string> scheduleTarget{
      "schedule-target",
      cl::desc("target whose schedule shapes the tile program"),
      cl::cat(category)};
  cl::opt<std::string> entry{"entry", cl::desc("function to compile"),
                             cl::cat(category)};
  cl::opt<bool> grad{"grad", cl::desc("derive the backward pass as well"),
                     cl::cat(category)};
  cl::opt<std::string> json{"json",
                            cl::desc("write signature, launches and buffers "
                                     "as JSON (- is stdout)"),
                            cl::cat(category)};
  cl::opt<Output> emit{
      "emit", cl::desc("what to write"), cl::init(Output::Program),
      cl::values(
          clEnumValN(Output::Fuse, "fuse", "primitive graph ops"),
          clEnumValN(Output::Joint, "joint",
                     "results and gradients in one graph (--grad)"),
          clEnumValN(Output::Kernels, "kernels", "kernels with schedules"),
          clEnumValN(Output::Tile, "tile", "tile programs and the host plan"),
          clEnumValN(Output::Llvm, "llvm", "the LLVM or NVVM dialect"),
          clEnumValN(Output::Ptx, "ptx", "PTX text"),
          clEnumValN(Output::Cubin, "cubin", "GPU machine code"),
          clEnumValN(Output::Program, "program", "a program file")),
      cl::cat(category)};
};

int fail(const Error &error) {
  llvm::errs() << (error.location.empty() ? "fuse-compile: error: "
                                          : error.location + ": error: ")
               << error.message << "\n";
  return 1;
}

int writeFile(llvm::StringRef path, llvm::StringRef bytes) {
  std::error_code code;
  llvm::ToolOutputFile file(path, code, llvm::sys::fs::OF_None);
  if (code)
    return fail({ErrorCode::NotFound, "cannot write: " + code.message(),
                 path.str()});
  file.os() << bytes;
  file.os().flush();
  if (file.os().has_error()) {
    std::string message = file.os().error().message();
    file.os().clear_error();
    return fail({ErrorCode::NotFound, "cannot write: " + message, path.str()});
  }
  file.keep();
  return 0;
}

Stage toStage(Output output) {
  switch (output) {
  case Output::Fuse:
    return Stage::Fuse;
  case Output::Joint:
    return Stage::Joint;
  case Output::Kernels:
    return Stage::Kernels;
  case Output::Tile:
    return Stage::Tile;
  case Output::Llvm:
    return Stage::Llvm;
  case Output::Ptx:
    return Stage::Ptx;
  case Output::Cubin:
  case Output::Program:
    break;
  }
  return Stage::Cubin;
}

// A program and, where asked for, its plan.
int compileProgram(llvm::StringRef source, const CompileOptions &options,
                   const Flags &flags) {
  auto start = std::chrono::steady_clock::now();
  Expected<std::unique_ptr<Compilation>> compilation =
      Compilation::parse(source, options);
  if (!compilation)
    return fail(compilation.error());
  StatisticsScope statistics;
  Expected<Program> program = compile(**compilation);
  if (!program)
    return fail(program.error());
  std::chrono::duration<double, std::milli> elapsed =
      std::chrono::steady_clock::now() - start;

  if (!flags.json.empty()) {
    const ProgramData &data = program->data();
    std::optional<int64_t> unfused = (*compilation)->getUnfusedBytes();
    llvm::json::Object plan = describePlan(data, 0, unfused);
    plan["compile_ms"] = elapsed.count();
    plan["statistics"] = statistics.toJSON();
    // Further entries (the backward pass) stand beside the first.
    llvm::json::Array others;
    for (size_t i = 1; i < data.entries.size(); ++i)
      others.push_back(describePlan(data, i, std::nullopt));
    plan["other_entries"] = std::move(others);
    std::string text;
    llvm::raw_string_ostream stream(text);
    stream << llvm::formatv("{0:2}", llvm::json::Value(std::move(plan)))
           << "\n";
    if (int status = writeFile(flags.json, text))
      return status;
  }
  if (flags.emit != Output::Program)
    return 0;
  // A terminal is no place for a program file.
  if (flags.output == "-" && !flags.json.empty())
    return 0;
  std::vector<std::byte> bytes = program->serialize();
  return writeFile(flags.output,
                   {reinterpret_cast<const char *>(bytes.data()),
                    bytes.size()});
}

int run(const Flags &flags) {
  auto buffer = llvm::MemoryBuffer::getFileOrSTDIN(flags.input);
  if (!buffer)
    return fail({ErrorCode::NotFound,
                 "cannot read: " + buffer.getError().message(), flags.input});
  llvm::StringRef source = (*buffer)->getBuffer();
  CompileOptions options;
  options.target = flags.target;
  options.scheduleTarget = flags.scheduleTarget;
  options.entry = flags.entry;
  options.gradients = flags.grad;
  options.sourceName = flags.input == "-" ? "<stdin>" : flags.input.getValue();

  if (flags.emit == Output::Program || !flags.json.empty())
    if (int status = compileProgram(source, options, flags))
      return status;
  if (flags.emit == Output::Program)
    return 0;
  Expected<std::string> text = emit(source, toStage(flags.emit), options);
  if (!text)
    return fail(text.error());
  return writeFile(flags.output, *text);
}

} // namespace

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  exitOnFatalErrors("fuse-compile");
  static Flags flags;
  cl::HideUnrelatedOptions(flags.category);
  cl::ParseCommandLineOptions(
      argc, argv, "Compiles tensor programs to IR, PTX, or a program file.\n");
  return runWithLargeStack([] { return run(flags); });
}
