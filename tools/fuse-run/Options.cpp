//===- Options.cpp - the command line of fuse-run ---------------*- C++ -*-===//

#include "tools/fuse-run/Options.h"

namespace tilefuse::run {

llvm::StringRef getHelp() {
  return R"(Runs a tensor program and checks what it computes.

usage: fuse-run IN [options]

  IN                     MLIR text of any stage from fuse to tile, or a Program
                         file (- is stdin)
  --entry=F              function to run; default: the only public one
  --device=D             cpu (default), cuda, cuda:N, or reference: the plain
                         float64 interpreter
  --schedule-target=T    run the tile program made for T (sm_90a) on the CPU
  --target=T             architecture to compile for with --device=cuda
                         (default sm_90a)
  --input=A.npy          the next input, in argument order; --input=NAME=A.npy
                         gives the argument of that name. Inputs that are not
                         given follow the argument's fuse.init, or are uniform
                         in [0, 1)
  --grad                 run the backward pass as well: the gradient of every
                         float argument that no result aliases
  --cotangent=A.npy      the next cotangent, one per differentiable result;
                         those not given are normal(0, 1)
  --seed=N               seed of the inputs that are not given (default 0)
  --output-dir=D         write results as D/out0.npy, D/out1.npy, ... and
                         gradients as D/grad_ARGUMENT.npy
  --check[=REF.mlir]     compare with a float64 evaluation of IN, of the source
                         that tile text or a Program carries, or of REF.mlir;
                         large graphs at sampled elements
  --check-all            compare every element however long it takes
  --bench=N              time N further runs
  --threads=N            CPU threads (default: one per core)
  --no-cache             compile, even when the on-disk cache has the program
  --json                 print one JSON object instead of tables
  --batch=FILE           run each line of FILE (arguments separated by blanks)
                         in a process of its own and print one JSON object a
                         line; --jobs=N runs N at a time

Exits with 0 when the run (and its check) succeeded, else with 1.
)";
}

static Error makeError(const llvm::Twine &message) {
  return Error{ErrorCode::InvalidArgument, message.str(), ""};
}

template <typename T>
static Expected<void> parseNumber(llvm::StringRef flag, llvm::StringRef text,
                                  T &value) {
  if (text.getAsInteger(10, value))
    return makeError(flag + ": expected a number, found '" + text + "'");
  return {};
}

static Expected<void> parseDevice(llvm::StringRef text, Options &options) {
  if (text == "cpu") {
    options.device = Device::Cpu;
  } else if (text == "reference") {
    options.device = Device::Reference;
  } else if (text.consume_front("cuda")) {
    options.device = Device::Cuda;
    if (!text.empty() &&
        (!text.consume_front(":") || text.getAsInteger(10, options.ordinal) ||
         options.ordinal < 0))
      return makeError("--device: expected cuda or cuda:N");
  } else {
    return makeError("--device: expected cpu, cuda, cuda:N or reference, "
                     "found '" +
                     text + "'");
  }
  return {};
}

/// Flags that stand alone; --check takes a value only behind '='.
static bool isSwitch(llvm::StringRef flag) {
  return flag == "--check" || flag == "--check-all" || flag == "--json" ||
         flag == "--grad" || flag == "--no-cache" || flag == "--help" || flag == "-h";
}

/// One argument that starts with a dash; `value` is what follows '='.
static Expected<void> parseFlag(llvm::StringRef flag, bool hasValue,
                                llvm::StringRef value, Options &options) {
  if (flag == "--check") {
    options.check = true;
    options.checkAgainst = value.str();
    if (hasValue && value.empty())
      return makeError("--check=: expected a file name");
    return {};
  }
  if (isSwitch(flag)) {
    if (hasValue)
      return makeError(flag + " takes no value");
    if (flag == "--json")
      options.json = true;
    else if (flag == "--grad")
      options.grad = true;
    else if (flag == "--no-cache")
      options.useCache = false;
    else if (flag == "--check-all")
      options.check = options.checkAll = true;
    else
      options.showHelp = true;
    return {};
  }
  if (!hasValue)
    return makeError(flag + ": expected a value");
  if (flag == "--device")
    return parseDevice(value, options);
  if (flag == "--seed")
    return parseNumber(flag, value, options.seed);
  if (flag == "--bench")
    return parseNumber(flag, value, options.bench);
  if (flag == "--threads")
    return parseNumber(flag, value, options.threads);
  if (flag == "--jobs")
    return parseNumber(flag, value, options.jobs);
  if (flag == "--input")
    options.inputs.push_back(value.str());
  else if (flag == "--cotangent")
    // The differentiated graph names its further arguments so.
    options.inputs.push_back(
        ("cotangent" + llvm::Twine(options.numCotangents++) + "=" + value)
            .str());
  else if (flag == "--entry")
    options.entry = value.str();
  else if (flag == "--schedule-target")
    options.scheduleTarget = value.str();
  else if (flag == "--target")
    options.target = value.str();
  else if (flag == "--output-dir")
    options.outputDir = value.str();
  else if (flag == "--batch")
    options.batch = value.str();
  return {};
}

static bool isKnownFlag(llvm::StringRef flag) {
  for (llvm::StringRef known :
       {"--check", "--check-all", "--json", "--help", "-h", "--device",
        "--seed", "--bench", "--threads", "--jobs", "--input", "--entry",
        "--grad", "--cotangent", "--no-cache",
        "--schedule-target", "--target", "--output-dir", "--batch"})
    if (flag == known)
      return true;
  return false;
}

/// Combinations that make no sense.
static Expected<void> checkCombination(const Options &options) {
  if (options.showHelp || !options.batch.empty())
    return {};
  if (options.source.empty())
    return makeError("expected an input file; see --help");
  if (options.device == Device::Cuda && !options.scheduleTarget.empty())
    return makeError("--schedule-target is for --device=cpu");
  if (options.numCotangents && !options.grad)
    return makeError("--cotangent is for --grad");
  if (options.device == Device::Reference &&
      (options.bench || !options.scheduleTarget.empty()))
    return makeError("--device=reference takes no --bench and no "
                     "--schedule-target");
  return {};
}

Expected<Options> parseOptions(llvm::ArrayRef<llvm::StringRef> arguments) {
  Options options;
  for (size_t i = 0; i < arguments.size(); ++i) {
    llvm::StringRef argument = arguments[i];
    if (argument == "-" || !argument.starts_with("-")) {
      // `--input=A.npy B.npy`
      if (argument.ends_with(".npy")) {
        options.inputs.push_back(argument.str());
        continue;
      }
      if (!options.source.empty())
        return makeError("more than one input file: '" + options.source +
                         "' and '" + argument + "'");
      options.source = argument.str();
      continue;
    }
    auto [flag, value] = argument.split('=');
    if (!isKnownFlag(flag))
      return makeError("unknown option '" + flag + "'; see --help");
    bool hasValue = argument.contains('=');
    // `--entry F` is as good as `--entry=F`.
    if (!hasValue && !isSwitch(flag) && i + 1 < arguments.size()) {
      value = arguments[++i];
      hasValue = true;
    }
    if (auto parsed = parseFlag(flag, hasValue, value, options); !parsed)
      return parsed.error();
  }
  if (auto checked = checkCombination(options); !checked)
    return checked.error();
  return options;
}

} // namespace tilefuse::run
