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
  if (auto fits = checkEvaluation(source.name, entry); !fits)
    return fits.error();
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

static CompileOptions getCompileOptions(const Source &source,
                                        const Options &options) {
  CompileOptions compileOptions;
  compileOptions.target =
      options.device == Device::Cpu ? "cpu" : options.target;
  compileOptions.scheduleTarget = options.scheduleTarget;
  compileOptions.entry = source.entry;
  compileOptions.useCache = options.useCache;
  compileOptions.sourceName = source.name == "-" ? "<stdin>" : source.name;
  return compileOptions;
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
  return compile(source.text, getCompileOptions(source, options));
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

/// Outputs of an entry, poisoned: an element that nobody writes must not look
/// like a right zero.
static std::vector<Tensor> makeOutputs(const Program &program) {
  std::vector<Tensor> outputs;
  for (const ArgumentInfo &info : program.signature().outputs) {
    Tensor &output = outputs.emplace_back(info.dtype, info.shape);
    std::memset(output.data(), 0xff, output.getNumBytes());
  }
  return outputs;
}

/// Runs the selected entry.
static Expected<std::vector<Tensor>>
runEntry(const Program &program, llvm::ArrayRef<const Tensor *> inputs,
         const std::string &name, const Options &options, Result &result) {
  llvm::append_range(result.launches, program.launches());
  result.workspaceBytes =
      std::max(result.workspaceBytes, program.workspaceBytes());
  double bytes = double(program.workspaceBytes());
  for (const Tensor *input : inputs)
    bytes += double(input->getNumBytes());
  for (const ArgumentInfo &info : program.signature().outputs)
    bytes += double(getNumElements(info.shape)) * getElementBytes(info.dtype);
  if (auto fits = checkMemory(name, "'" + program.signature().entry +
                                        "', its arguments, results and workspace,",
                              bytes);
      !fits)
    return fits.error();
  std::vector<Tensor> outputs = makeOutputs(program);
  llvm::SmallVector<const void *> inputAddresses;
  llvm::SmallVector<void *> outputAddresses;
  for (const Tensor *input : inputs)
    inputAddresses.push_back(input->data());
  for (Tensor &output : outputs)
    outputAddresses.push_back(output.data());
  auto run = options.device == Device::Cpu ? runOnHost : runOnCuda;
  if (auto ran = run(program, inputAddresses, outputAddresses, options, result);
      !ran)
    return ran.error();
  return outputs;
}

/// Forward, then backward: together the results of the joint graph.
static Expected<Result> executeTraining(const Source &source,
                                        llvm::ArrayRef<Tensor> inputs,
                                        const Options &options) {
  Stopwatch watch;
  CompileOptions compileOptions = getCompileOptions(source, options);
  compileOptions.gradients = true;
  auto program = compile(source.primal, compileOptions);
  if (!program)
    return program.error();
  auto forward = program->select(source.entry + "_forward");
  auto backward = program->select(source.entry + "_backward");
  if (!forward || !backward)
    return (forward ? backward : forward).error();
  Result result;
  result.compileMilliseconds = watch.getMilliseconds();

  size_t numInputs = forward->signature().inputs.size();
  llvm::SmallVector<const Tensor *> addresses;
  for (const Tensor &input : inputs.take_front(numInputs))
    addresses.push_back(&input);
  auto outputs = runEntry(*forward, addresses, source.name, options, result);
  if (!outputs)
    return outputs.error();
  double forwardMilliseconds = result.runMilliseconds;

  const Signature &signature = backward->signature();
  size_t numResidualOutputs = 0;
  for (const ArgumentInfo &info : forward->signature().outputs)
    numResidualOutputs += llvm::StringRef(info.name).starts_with("residual");
  size_t numResults = outputs->size() - numResidualOutputs;
  addresses.clear();
  for (const SavedSource &saved : signature.saved)
    switch (saved.kind) {
    case SavedSource::Kind::Argument:
      addresses.push_back(&inputs[saved.index]);
      break;
    case SavedSource::Kind::Result:
      addresses.push_back(&(*outputs)[saved.index]);
      break;
    case SavedSource::Kind::Residual:
      addresses.push_back(&(*outputs)[numResults + saved.index]);
      break;
    }
  for (const Tensor &cotangent : inputs.drop_front(numInputs))
    addresses.push_back(&cotangent);
  auto gradients = runEntry(*backward, addresses, source.name, options, result);
  if (!gradients)
    return gradients.error();
  result.runMilliseconds += forwardMilliseconds;

  for (size_t i = 0; i < numResults; ++i) {
    result.outputNames.push_back("out" + std::to_string(i));
    result.outputs.push_back(std::move((*outputs)[i]));
  }
  for (auto [info, gradient] : llvm::zip_equal(signature.outputs, *gradients)) {
    result.outputNames.push_back(info.name);
    result.outputs.push_back(std::move(gradient));
  }
  return result;
}

Expected<Result> execute(const Source &source, llvm::ArrayRef<Tensor> inputs,
                         const Options &options) {
  if (options.device == Device::Reference)
    return runReference(source, inputs);
  if (!source.primal.empty())
    return executeTraining(source, inputs, options);
  Stopwatch watch;
  auto program = makeProgram(source, options);
  if (!program)
    return program.error();
  Result result;
  result.compileMilliseconds = watch.getMilliseconds();
  llvm::SmallVector<const Tensor *> addresses;
  for (const Tensor &input : inputs)
    addresses.push_back(&input);
  auto outputs = runEntry(*program, addresses, source.name, options, result);
  if (!outputs)
    return outputs.error();
  result.outputs = std::move(*outputs);
  for (size_t i = 0; i < result.outputs.size(); ++i)
    result.outputNames.push_back("out" + std::to_string(i));
  return result;
}

} // namespace tilefuse::run
