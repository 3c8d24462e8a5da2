//===- Compile.cpp - from source text to a Program ------------------------===//

#include "Compilation.h"
#include "CpuJit.h"
#include "DiskCache.h"
#include "EmitPTX.h"
#include "HostPlan.h"
#include "Ptxas.h"

#include "dialects/Fuse/Fuse.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "llvm-c/Support.h"
#include "llvm/Config/llvm-config.h"

using namespace mlir;

namespace tilefuse {

static Error toError(llvm::Error error, ErrorCode code, StringRef location) {
  return Error{code, llvm::toString(std::move(error)), location.str()};
}

// An unknown target is refused before any work.
static Expected<void> checkTarget(const CompileOptions &options) {
  MLIRContext context(MLIRContext::Threading::DISABLED);
  context.loadDialect<fuse::FuseDialect>();
  for (const std::string &name : {options.target, options.scheduleTarget})
    if (!name.empty() && !fuse::TargetAttr::getNamed(&context, name))
      return Error{ErrorCode::InvalidArgument,
                   "unknown target '" + name +
                       "'; expected cpu or a GPU architecture such as sm_90a",
                   {}};
  if (options.target != "cpu" && !options.scheduleTarget.empty() &&
      options.scheduleTarget != options.target)
    return Error{ErrorCode::InvalidArgument,
                 "a schedule for another target runs on the CPU only",
                 {}};
  return {};
}

static Expected<std::string> makePtx(Compilation &compilation) {
  const CompileOptions &options = compilation.getOptions();
  if (auto ok = compilation.advanceTo(Phase::Lower); !ok)
    return ok.error();
  PtxOptions ptxOptions;
  ptxOptions.arch = options.target;
  llvm::Expected<std::string> ptx =
      emitPTX(compilation.getModule(), ptxOptions);
  if (!ptx)
    return toError(ptx.takeError(), ErrorCode::Internal, options.sourceName);
  return std::move(*ptx);
}

// Machine code, or nothing when there is no assembler here.
static Expected<std::optional<std::string>>
makeCubin(const std::string &ptx, const CompileOptions &options) {
  llvm::Expected<PtxasResult> result = assembleWithPtxas(ptx, options.target);
  if (result)
    return std::optional<std::string>(std::move(result->cubin));
  llvm::Error error = result.takeError();
  if (error.isA<PtxasNotFound>()) {
    llvm::consumeError(std::move(error));
    return std::optional<std::string>();
  }
  return toError(std::move(error), ErrorCode::Internal, options.sourceName);
}

// Threads and shared memory are known once a kernel is lowered.
static void readKernelResources(ModuleOp module, ProgramData &data) {
  for (KernelData &kernel : data.kernels) {
    auto function = module.lookupSymbol<LLVM::LLVMFuncOp>(kernel.name);
    if (!function)
      continue;
    if (auto warps = function->getAttrOfType<IntegerAttr>("tile.warps"))
      kernel.threads = warps.getInt() * 32;
    if (auto bytes = function->getAttrOfType<IntegerAttr>("tile.shared_bytes"))
      kernel.sharedBytes = bytes.getInt();
  }
}

static Expected<void> addDeviceCode(Compilation &compilation,
                                    ProgramData &data) {
  const CompileOptions &options = compilation.getOptions();
  if (data.kernels.empty())
    return {};
  Expected<std::string> ptx = makePtx(compilation);
  if (!ptx)
    return ptx.error();
  data.ptx = std::move(*ptx);
  readKernelResources(compilation.getModule(), data);
  if (!options.assemble)
    return {};
  Expected<std::optional<std::string>> cubin = makeCubin(data.ptx, options);
  if (!cubin)
    return cubin.error();
  if (*cubin)
    data.cubin = std::move(**cubin);
  return {};
}

// Points the program's kernels at their code.
static Expected<void> attachHostCode(std::shared_ptr<CpuCode> code,
                                     ProgramData &data) {
  for (const KernelData &kernel : data.kernels) {
    HostKernel function = code->lookup(kernel.name);
    if (!function)
      return Error{ErrorCode::Internal,
                   "there is no code for kernel '" + kernel.name + "'",
                   {}};
    data.hostKernels.push_back(function);
  }
  data.hostCode = std::move(code);
  return {};
}

static Expected<void> addHostCode(Compilation &compilation, ProgramData &data,
                                  std::string *object) {
  const CompileOptions &options = compilation.getOptions();
  data.source = compilation.print();
  data.scheduleTarget = options.scheduleTarget;
  if (auto ok = compilation.advanceTo(Phase::Lower); !ok)
    return ok;
  llvm::Expected<std::unique_ptr<CpuCode>> code =
      compileForHost(compilation.getModule(), object);
  if (!code)
    return toError(code.takeError(), ErrorCode::Internal, options.sourceName);
  return attachHostCode(std::move(*code), data);
}

// `object`, where given, gets the machine code of a CPU program.
static Expected<Program> compile(Compilation &compilation,
                                 std::string *object) {
  if (auto ok = compilation.advanceTo(Phase::Plan); !ok)
    return ok.error();
  Expected<std::shared_ptr<ProgramData>> plan =
      readHostPlan(compilation.getEntries());
  if (!plan)
    return plan.error();
  ProgramData &data = **plan;
  data.target = compilation.getOptions().target;
  auto ok = data.isHost() ? addHostCode(compilation, data, object)
                          : addDeviceCode(compilation, data);
  if (!ok)
    return ok.error();
  return Program(*plan);
}

Expected<Program> compile(Compilation &compilation) {
  return compile(compilation, nullptr);
}

static Expected<Program> compileAnew(std::string_view source,
                                     const CompileOptions &options,
                                     std::string *object) {
  if (auto ok = checkTarget(options); !ok)
    return ok.error();
  Expected<std::unique_ptr<Compilation>> compilation =
      Compilation::parse(source, options);
  if (!compilation)
    return compilation.error();
  return compile(**compilation, object);
}

// Everything that the program depends on: the source, the options, this
// compiler, and the machine or assembler where they matter. Nothing when the
// compiler does not know its own build.
static std::optional<std::string> makeCacheKey(std::string_view source,
                                               const CompileOptions &options) {
  static const std::string compiler =
      getBuildId(reinterpret_cast<const void *>(&makeCacheKey));
  static const std::string llvm =
      getBuildId(reinterpret_cast<const void *>(&LLVMParseCommandLineOptions));
  if (compiler.empty())
    return std::nullopt;
  std::string key;
  llvm::raw_string_ostream os(key);
  os << "compiler " << compiler << "\nllvm " << LLVM_VERSION_STRING << ' '
     << llvm << "\ntarget " << options.target << "\nschedule "
     << options.scheduleTarget << "\nentry " << options.entry << "\ngradients "
     << options.gradients;
  for (int64_t argument : options.gradientArguments)
    os << ' ' << argument;
  os << "\nname " << options.sourceName;
  if (options.target == "cpu")
    os << "\nhost " << describeHostCpu();
  else if (options.assemble)
    os << "\nptxas " << describePtxas();
  os << "\nsource\n" << source;
  return key;
}

// A program from the cache; nothing when it cannot be used after all.
static std::optional<Program> revive(const CacheEntry &entry) {
  Expected<std::shared_ptr<ProgramData>> data = deserializeProgram(
      {reinterpret_cast<const std::byte *>(entry.program.data()),
       entry.program.size()});
  if (!data)
    return std::nullopt;
  if ((*data)->isHost()) {
    SmallVector<std::string> names;
    for (const KernelData &kernel : (*data)->kernels)
      names.push_back(kernel.name);
    auto code = loadForHost(entry.object, names);
    if (!code) {
      llvm::consumeError(code.takeError());
      return std::nullopt;
    }
    if (!attachHostCode(std::move(*code), **data))
      return std::nullopt;
  }
  return Program(*data);
}

Expected<Program> compile(std::string_view source,
                          const CompileOptions &options) {
  std::optional<DiskCache> cache =
      options.useCache ? DiskCache::open(options.cacheDirectory) : std::nullopt;
  std::optional<std::string> key;
  if (cache)
    key = makeCacheKey(source, options);
  if (!key)
    return compileAnew(source, options, nullptr);
  if (std::optional<CacheEntry> entry = cache->find(*key))
    if (std::optional<Program> program = revive(*entry))
      return *program;

  CacheEntry entry;
  Expected<Program> program = compileAnew(source, options, &entry.object);
  if (!program)
    return program;
  std::vector<std::byte> bytes = program->serialize();
  entry.program.assign(reinterpret_cast<const char *>(bytes.data()),
                       bytes.size());
  cache->store(*key, entry);
  return program;
}

Expected<Program> recompile(const Program &program) {
  const ProgramData &data = program.data();
  if (!data.isHost() || !data.hostKernels.empty())
    return program;
  CompileOptions options;
  options.target = data.target;
  options.scheduleTarget = data.scheduleTarget;
  options.sourceName = "<program>";
  return compile(data.source, options);
}

Expected<std::string> emit(std::string_view source, Stage stage,
                           const CompileOptions &options) {
  if (auto ok = checkTarget(options); !ok)
    return ok.error();
  Expected<std::unique_ptr<Compilation>> parsed =
      Compilation::parse(source, options);
  if (!parsed)
    return parsed.error();
  Compilation &compilation = **parsed;
  bool isText = true;
  Phase last = Phase::Lower;
  switch (stage) {
  case Stage::Fuse:
    last = options.gradients ? Phase::Partition : Phase::Simplify;
    break;
  case Stage::Joint:
    if (!options.gradients)
      return Error{ErrorCode::InvalidArgument,
                   "the joint graph exists only when gradients are asked for",
                   {}};
    last = Phase::Joint;
    break;
  case Stage::Kernels:
    last = Phase::Schedules;
    break;
  case Stage::Tile:
    last = Phase::Plan;
    break;
  case Stage::Llvm:
    break;
  case Stage::Ptx:
  case Stage::Cubin:
    isText = false;
    break;
  }
  if (isText) {
    if (auto ok = compilation.advanceTo(last); !ok)
      return ok.error();
    return compilation.print();
  }
  if (options.target == "cpu")
    return Error{ErrorCode::InvalidArgument,
                 "PTX is for GPU targets; the target is cpu",
                 {}};
  Expected<std::string> ptx = makePtx(compilation);
  if (!ptx || stage == Stage::Ptx)
    return ptx;
  Expected<std::optional<std::string>> cubin = makeCubin(*ptx, options);
  if (!cubin)
    return cubin.error();
  if (!*cubin)
    return Error{
        ErrorCode::NotFound, "there is no ptxas to make machine code with", {}};
  return std::move(**cubin);
}

} // namespace tilefuse
