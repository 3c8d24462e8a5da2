//===- Execute.cpp - compiling and running on a device ----------*- C++ -*-===//

#include "lib/Reference/Reference.h"
#include "tools/fuse-run/Run.h"

#include <chrono>
#include <cstring>

using namespace tilefuse::reference;

namespace tilefuse::run {

namespace {
class Stopwatch {
public:
  double getMilliseconds() const {
    return std::chrono::duration<double, std::milli>(
               std::chrono::steady_clock::now() - start)
        .count();
  }

private:
  std::chrono::steady_clock::time_point start =
      std::chrono::steady_clock::now();
};
} // namespace

static Expected<Result> runReference(const Source &source,
                                     llvm::ArrayRef<Tensor> inputs) {
  if (source.graph.empty())
    return Error{ErrorCode::Unsupported,
                 "the reference evaluates graphs of the fuse dialect, and this "
                 "program carries none",
                 source.name};
  auto graph = parseGraph(source.isGraph ? source.text : source.graph,
                          source.name, source.entry);
  if (!graph)
    return graph.error();
  llvm::SmallVector<const Tensor *> addresses;
  for (const Tensor &input : inputs)
    addresses.push_back(&input);
  Stopwatch watch;
  mlir::func::FuncOp entry = graph->entry;
  auto arrays = evaluate(entry, addresses);
  if (!arrays)
    return arrays.error();
  Result result;
  result.runMilliseconds = watch.getMilliseconds();
  for (auto [i, array] : llvm::enumerate(*arrays)) {
    // Floats leave in double precision.
    Tensor tensor(array.isFloat() ? DType::F64 : array.type,
                  array.grid.getShape());
    for (int64_t k = 0; k < array.size(); ++k)
      if (array.isFloat())
        tensor.setDouble(k, array.values[k]);
      else
        tensor.setInteger(k, array.integers[k]);
    result.outputNames.push_back("out" + std::to_string(i));
    result.outputs.push_back(std::move(tensor));
  }
  return result;
}

static Expected<Program> makeProgram(const Source &source,
                                     const Options &options) {
  bool wantsCpu = options.device == Device::Cpu;
  if (source.program) {
    bool isCpu = source.program->target() == "cpu";
    if (isCpu != wantsCpu)
      return Error{ErrorCode::InvalidArgument,
                   "the program is for " + source.program->target() +
                       ", the device is " + (wantsCpu ? "cpu" : "cuda"),
                   source.name};
    if (!options.scheduleTarget.empty())
      return Error{ErrorCode::InvalidArgument,
                   "--schedule-target is for text, this is a program",
                   source.name};
    if (!isCpu)
      return *source.program;
    auto compiled = recompile(*source.program);
    return compiled ? compiled->select(source.entry) : compiled;
  }
  CompileOptions compileOptions;
  compileOptions.target = wantsCpu ? "cpu" : options.target;
  compileOptions.scheduleTarget = options.scheduleTarget;
  compileOptions.entry = source.entry;
  compileOptions.sourceName = source.name == "-" ? "<stdin>" : source.name;
  return compile(source.text, compileOptions);
}

static Expected<void> runOnHost(const Program &program,
                                llvm::ArrayRef<const void *> inputs,
                                llvm::ArrayRef<void *> outputs,
                                const Options &options, Result &result) {
  // Filled with NaN: scratch that is read before it is written shows.
  std::vector<char> workspace(program.workspaceBytes() + 256, char(0xff));
  void *base = workspace.data();
  size_t space = workspace.size();
  base = std::align(256, program.workspaceBytes(), base, space);
  for (unsigned round = 0; round <= options.bench; ++round) {
    Stopwatch watch;
    if (auto ran = program.runOnHost(inputs, outputs, base, options.threads);
        !ran)
      return ran;
    if (round == 0)
      result.runMilliseconds = watch.getMilliseconds();
    else
      result.samples.push_back(watch.getMilliseconds());
  }
  return {};
}

static Expected<void> runOnCuda(const Program &program,
                                llvm::ArrayRef<const void *> inputs,
                                llvm::ArrayRef<void *> outputs,
                                const Options &options, Result &result) {
  Stopwatch watch;
  auto samples =
      runOnDevice(program, options.ordinal, inputs, outputs, options.bench);
  if (!samples)
    return samples.error();
  // Copies to the device and back included.
  result.runMilliseconds = watch.getMilliseconds();
  result.samples.assign(samples->begin(), samples->end());
  return {};
}

Expected<Result> execute(const Source &source, llvm::ArrayRef<Tensor> inputs,
                         const Options &options) {
  if (options.device == Device::Reference)
    return runReference(source, inputs);
  Stopwatch watch;
  auto program = makeProgram(source, options);
  if (!program)
    return program.error();
  Result result;
  result.compileMilliseconds = watch.getMilliseconds();
  result.launches = program->launches();
  result.workspaceBytes = program->workspaceBytes();

  llvm::SmallVector<const void *> inputAddresses;
  llvm::SmallVector<void *> outputAddresses;
  for (const Tensor &input : inputs)
    inputAddresses.push_back(input.data());
  for (const ArgumentInfo &info : program->signature().outputs) {
    result.outputNames.push_back("out" + std::to_string(result.outputs.size()));
    result.outputs.emplace_back(info.dtype, info.shape);
    // An element that nobody writes must not look like a right zero.
    std::memset(result.outputs.back().data(), 0xff,
                result.outputs.back().getNumBytes());
  }
  for (Tensor &output : result.outputs)
    outputAddresses.push_back(output.data());
  auto ran = options.device == Device::Cpu
                 ? runOnHost(*program, inputAddresses, outputAddresses, options,
                             result)
                 : runOnCuda(*program, inputAddresses, outputAddresses, options,
                             result);
  if (!ran)
    return ran.error();
  return result;
}

} // namespace tilefuse::run
