//===- Report.cpp - tables and JSON of a run --------------------*- C++ -*-===//

#include "tools/fuse-run/Run.h"

#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"

#include <cmath>

using namespace tilefuse::reference;

namespace tilefuse::run {

namespace {
/// What a glance at an output should show.
struct Summary {
  double smallest = 0, largest = 0, mean = 0;
  int64_t nans = 0, infinities = 0;
};
} // namespace

/// Adds elements [begin, end) to a summary; `mean` holds their sum.
static Summary summarizePart(const Tensor &tensor, int64_t begin, int64_t end) {
  double infinity = std::numeric_limits<double>::infinity();
  Summary part{infinity, -infinity, 0, 0, 0};
  for (int64_t i = begin; i < end; ++i) {
    double value = tensor.getDouble(i);
    if (std::isnan(value)) {
      ++part.nans;
    } else if (std::isinf(value)) {
      ++part.infinities;
    } else {
      part.smallest = std::min(part.smallest, value);
      part.largest = std::max(part.largest, value);
      part.mean += value;
    }
  }
  return part;
}

static Summary summarize(const Tensor &tensor) {
  constexpr int64_t grain = 1 << 20;
  std::vector<Summary> parts((tensor.size() + grain - 1) / grain);
  parallelFor(tensor.size(), grain, [&](int64_t begin, int64_t end) {
    parts[begin / grain] = summarizePart(tensor, begin, end);
  });
  Summary summary = parts.front();
  for (const Summary &part : llvm::drop_begin(parts)) {
    summary.smallest = std::min(summary.smallest, part.smallest);
    summary.largest = std::max(summary.largest, part.largest);
    summary.mean += part.mean;
    summary.nans += part.nans;
    summary.infinities += part.infinities;
  }
  int64_t finite = tensor.size() - summary.nans - summary.infinities;
  if (finite == 0)
    return Summary{0, 0, 0, summary.nans, summary.infinities};
  summary.mean /= static_cast<double>(finite);
  return summary;
}

static llvm::StringRef getDeviceName(Device device) {
  switch (device) {
  case Device::Cpu:
    return "cpu";
  case Device::Cuda:
    return "cuda";
  case Device::Reference:
    return "reference";
  }
  return "";
}

/// A number for a table: `0.01234`, `3.1e-07`.
static std::string toText(double value) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%.4g", value);
  return text;
}

static double getMedian(std::vector<double> samples) {
  std::sort(samples.begin(), samples.end());
  size_t half = samples.size() / 2;
  return samples.size() % 2 ? samples[half]
                            : (samples[half - 1] + samples[half]) / 2;
}

//===----------------------------------------------------------------------===//
// Tables
//===----------------------------------------------------------------------===//

static void printOutputs(llvm::raw_ostream &stream, const Result &result) {
  stream << llvm::formatv("{0,-12} {1,-24} {2,12} {3,12} {4,12}\n", "output",
                          "type", "min", "mean", "max");
  for (auto [name, tensor] :
       llvm::zip_equal(result.outputNames, result.outputs)) {
    Summary summary = summarize(tensor);
    stream << llvm::formatv("{0,-12} {1,-24} {2,12} {3,12} {4,12}", name,
                            formatShape(tensor.getShape(), tensor.getType()),
                            toText(summary.smallest), toText(summary.mean),
                            toText(summary.largest));
    if (summary.nans || summary.infinities)
      stream << llvm::formatv("  ({0} NaN, {1} infinite)", summary.nans,
                              summary.infinities);
    stream << "\n";
  }
}

static void printCheck(llvm::raw_ostream &stream, const CheckReport &check) {
  stream << "\ncompared with " << check.reference << " in float64, "
         << (check.sampled ? "at sampled elements" : "all elements") << "\n";
  stream << llvm::formatv("{0,-12} {1,12} {2,12} {3,12} {4,12} {5,12}  {6}\n",
                          "output", "elements", "error", "rounded", "bound",
                          "worst", "verdict");
  for (const OutputReport &output : check.outputs) {
    const Report &report = output.report;
    stream << llvm::formatv(
        "{0,-12} {1,12} {2,12} {3,12} {4,12} {5,12}  {6}\n", output.name,
        report.compared, toText(report.error), toText(report.roundedError),
        toText(report.bound), toText(report.worst),
        report.passed ? "right" : "WRONG: " + report.problem);
  }
}

static void printTables(llvm::raw_ostream &stream, const Source &source,
                        const Options &options, const Result &result) {
  stream << "@" << source.entry << " on " << getDeviceName(options.device);
  if (!options.scheduleTarget.empty())
    stream << " with the schedule of " << options.scheduleTarget;
  if (options.device == Device::Reference)
    stream << llvm::formatv(": {0:f1} ms\n\n", result.runMilliseconds);
  else
    stream << llvm::formatv(
        ": {0} kernels, compiled in {1:f1} ms, run in {2:f1} ms\n\n",
        result.launches.size(), result.compileMilliseconds,
        result.runMilliseconds);
  printOutputs(stream, result);
  if (result.check)
    printCheck(stream, *result.check);
  if (!result.samples.empty())
    stream << llvm::formatv(
        "\n{0} runs: median {1:f3} ms, fastest {2:f3} ms\n",
        result.samples.size(), getMedian(result.samples),
        *std::min_element(result.samples.begin(), result.samples.end()));
}

//===----------------------------------------------------------------------===//
// JSON
//===----------------------------------------------------------------------===//

/// JSON has no NaN.
static llvm::json::Value toJson(double value) {
  return std::isfinite(value) ? llvm::json::Value(value)
                              : llvm::json::Value(nullptr);
}

static llvm::json::Array describeOutputs(const Result &result) {
  llvm::json::Array outputs;
  for (auto [name, tensor] :
       llvm::zip_equal(result.outputNames, result.outputs)) {
    Summary summary = summarize(tensor);
    outputs.push_back(llvm::json::Object{
        {"name", name},
        {"type", formatShape(tensor.getShape(), tensor.getType())},
        {"min", summary.smallest},
        {"mean", summary.mean},
        {"max", summary.largest},
        {"nan", summary.nans},
        {"infinite", summary.infinities}});
  }
  return outputs;
}

static llvm::json::Array describeLaunches(const Result &result) {
  llvm::json::Array launches;
  for (const LaunchInfo &launch : result.launches)
    launches.push_back(llvm::json::Object{
        {"kernel", launch.kernel},
        {"grid", llvm::json::Array{static_cast<int64_t>(launch.grid[0]),
                                   static_cast<int64_t>(launch.grid[1]),
                                   static_cast<int64_t>(launch.grid[2])}},
        {"threads", static_cast<int64_t>(launch.threads)},
        {"shared_bytes", static_cast<int64_t>(launch.sharedBytes)},
        {"bytes", launch.bytes},
        {"finish", launch.isFinish}});
  return launches;
}

static llvm::json::Object describeCheck(const CheckReport &check) {
  llvm::json::Array outputs;
  for (const OutputReport &output : check.outputs) {
    const Report &report = output.report;
    outputs.push_back(
        llvm::json::Object{{"name", output.name},
                           {"elements", output.elements},
                           {"compared", report.compared},
                           {"error", toJson(report.error)},
                           {"rounded_error", toJson(report.roundedError)},
                           {"bound", toJson(report.bound)},
                           {"worst", toJson(report.worst)},
                           {"passed", report.passed},
                           {"problem", report.problem}});
  }
  return llvm::json::Object{{"reference", check.reference},
                            {"sampled", check.sampled},
                            {"passed", check.passed()},
                            {"outputs", std::move(outputs)}};
}

static llvm::json::Object describe(const Source &source, const Options &options,
                                   const Result &result) {
  llvm::json::Object object{
      {"source", source.name},
      {"entry", source.entry},
      {"device", getDeviceName(options.device)},
      {"schedule_target", options.scheduleTarget},
      {"seed", static_cast<int64_t>(options.seed)},
      {"compile_ms", result.compileMilliseconds},
      {"run_ms", result.runMilliseconds},
      {"workspace_bytes", static_cast<int64_t>(result.workspaceBytes)},
      {"launches", describeLaunches(result)},
      {"outputs", describeOutputs(result)}};
  if (result.check)
    object["check"] = describeCheck(*result.check);
  if (!result.samples.empty())
    object["bench"] =
        llvm::json::Object{{"samples_ms", llvm::json::Array(result.samples)},
                           {"median_ms", getMedian(result.samples)},
                           {"min_ms", *std::min_element(result.samples.begin(),
                                                        result.samples.end())}};
  return object;
}

void print(llvm::raw_ostream &stream, const Source &source,
           const Options &options, const Result &result) {
  if (options.json)
    stream << llvm::json::Value(describe(source, options, result)) << "\n";
  else
    printTables(stream, source, options, result);
}

} // namespace tilefuse::run
