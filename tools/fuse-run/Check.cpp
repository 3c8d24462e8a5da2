//===- Check.cpp - comparing a run with what is right -----------*- C++ -*-===//

#include "lib/Reference/Reference.h"
#include "lib/Reference/Sample.h"
#include "tools/fuse-run/Run.h"

using namespace tilefuse::reference;

namespace tilefuse::run {

namespace {
/// What the outputs should be, on grids of their elements.
struct Expectation {
  std::string name;
  bool sampled = false;
  bool perElement = true;
  bool allF64 = false;
  std::vector<Array> exact, rounded;
};
} // namespace

static Error makeError(ErrorCode code, const std::string &name,
                       const llvm::Twine &message) {
  return Error{code, message.str(), name};
}

/// Evaluates a graph twice: exactly, and rounded as its types and precisions
/// say.
static Expected<Expectation> evaluateGraph(mlir::func::FuncOp entry,
                                           llvm::ArrayRef<Tensor> inputs,
                                           const Options &options) {
  Expectation expectation;
  reference::Options evaluation;
  if (!options.checkAll)
    evaluation.wanted = chooseSample(entry);
  expectation.sampled = !evaluation.wanted.empty();
  if (!expectation.sampled)
    if (auto fits = checkEvaluation(options.source, entry); !fits)
      return fits.error();
  expectation.perElement = !hasJumps(entry);
  expectation.allF64 = isAllF64(entry);
  llvm::SmallVector<const Tensor *> addresses;
  for (const Tensor &input : inputs)
    addresses.push_back(&input);
  auto exact = evaluate(entry, addresses, evaluation);
  if (!exact)
    return exact.error();
  evaluation.rounded = true;
  auto rounded = evaluate(entry, addresses, evaluation);
  if (!rounded)
    return rounded.error();
  expectation.exact = std::move(*exact);
  expectation.rounded = std::move(*rounded);
  return expectation;
}

/// Runs another tile program on the CPU and takes its outputs for right.
static Expected<Expectation> runOther(const std::string &path,
                                      llvm::ArrayRef<Tensor> inputs) {
  Options options;
  options.source = path;
  auto source = loadSource(options);
  if (!source)
    return source.error();
  auto result = execute(*source, inputs, options);
  if (!result)
    return result.error();
  Expectation expectation;
  for (const Tensor &output : result->outputs)
    expectation.exact.push_back(
        load(output, Grid::makeFull(output.getShape())));
  expectation.rounded = expectation.exact;
  return expectation;
}

/// Whether the given inputs are arguments of `entry`.
static Expected<void> checkSignature(mlir::func::FuncOp entry,
                                     llvm::ArrayRef<Tensor> inputs,
                                     llvm::ArrayRef<Tensor> outputs,
                                     const std::string &name) {
  auto matches = [](mlir::TypeRange types, llvm::ArrayRef<Tensor> tensors) {
    if (types.size() != tensors.size())
      return false;
    for (auto [type, tensor] : llvm::zip_equal(types, tensors)) {
      auto ranked = llvm::dyn_cast<mlir::RankedTensorType>(type);
      if (!ranked || ranked.getShape() != tensor.getShape() ||
          getDType(ranked.getElementType()) != tensor.getType())
        return false;
    }
    return true;
  };
  if (!matches(entry.getArgumentTypes(), inputs))
    return makeError(ErrorCode::InvalidArgument, name,
                     "--check: '" + entry.getName() +
                         "' takes other arguments than what was run");
  if (!matches(entry.getResultTypes(), outputs))
    return makeError(ErrorCode::InvalidArgument, name,
                     "--check: '" + entry.getName() +
                         "' gives other results than what was run");
  return {};
}

static Expected<Expectation> makeExpectation(const Source &source,
                                             llvm::ArrayRef<Tensor> inputs,
                                             const Result &result,
                                             const Options &options) {
  std::string text = source.graph, name = source.name, entry = source.entry;
  if (!options.checkAgainst.empty()) {
    name = options.checkAgainst;
    auto content = readFile(name);
    if (!content)
      return content.error();
    text = std::move(*content);
    // The other file's only function may have another name.
    entry.clear();
  }
  if (text.empty())
    return makeError(ErrorCode::Unsupported, name,
                     "this program does not carry the graph it was made from; "
                     "name it with --check=FILE");
  auto graph = parseGraph(text, name, entry);
  if (!graph && entry.empty() &&
      graph.error().code == ErrorCode::InvalidArgument)
    if (auto sameEntry = parseGraph(text, name, source.entry))
      graph = std::move(sameEntry);
  if (!graph) {
    if (graph.error().code == ErrorCode::Unsupported &&
        !options.checkAgainst.empty())
      return runOther(options.checkAgainst, inputs);
    return graph.error();
  }
  mlir::func::FuncOp function = graph->entry;
  if (auto fits = checkSignature(function, inputs, result.outputs, name); !fits)
    return fits.error();
  auto expectation = evaluateGraph(function, inputs, options);
  if (expectation)
    expectation->name = name;
  return expectation;
}

Expected<CheckReport> check(const Source &source, llvm::ArrayRef<Tensor> inputs,
                            const Result &result, const Options &options) {
  auto expectation = makeExpectation(source, inputs, result, options);
  if (!expectation)
    return expectation.error();
  if (expectation->exact.size() != result.outputs.size())
    return makeError(
        ErrorCode::InvalidArgument, expectation->name,
        "--check: expected " + llvm::Twine(expectation->exact.size()) +
            " results, found " + llvm::Twine(result.outputs.size()));
  CheckReport report;
  report.reference = expectation->name;
  report.sampled = expectation->sampled;
  for (auto [i, output] : llvm::enumerate(result.outputs)) {
    OutputReport &entry = report.outputs.emplace_back();
    entry.name = result.outputNames[i];
    entry.elements = output.size();
    Tolerance tolerance;
    tolerance.floor = getErrorFloor(output.getType(), expectation->allF64);
    tolerance.perElement = expectation->perElement;
    entry.report = compare(output, expectation->exact[i],
                           expectation->rounded[i], tolerance);
  }
  return report;
}

} // namespace tilefuse::run
