//===- Compile.cpp - from source text to a Program ------------------------===//

#include "Compilation.h"
#include "CpuJit.h"
#include "EmitPTX.h"
#include "HostPlan.h"
#include "Ptxas.h"

#include "dialects/Fuse/Fuse.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

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
                 "a schedule for another target runs on the CPU only", {}};
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

static Expected<void> addHostCode(Compilation &compilation, ProgramData &data) {
  const CompileOptions &options = compilation.getOptions();
  data.source = compilation.print();
  data.scheduleTarget = options.scheduleTarget;
  if (auto ok = compilation.advanceTo(Phase::Lower); !ok)
    return ok;
  llvm::Expected<std::unique_ptr<CpuCode>> code =
      compileForHost(compilation.getModule());
  if (!code)
    return toError(code.takeError(), ErrorCode::Internal, options.sourceName);
  std::shared_ptr<CpuCode> owner = std::move(*code);
  for (const KernelData &kernel : data.kernels) {
    HostKernel function = owner->lookup(kernel.name);
    if (!function)
      return Error{ErrorCode::Internal,
                   "there is no code for kernel '" + kernel.name + "'", {}};
    data.hostKernels.push_back(function);
  }
  data.hostCode = std::move(owner);
  return {};
}

Expected<Program> compile(Compilation &compilation) {
  if (auto ok = compilation.advanceTo(Phase::Plan); !ok)
    return ok.error();
  Expected<std::shared_ptr<ProgramData>> plan =
      readHostPlan(compilation.getEntries());
  if (!plan)
    return plan.error();
  ProgramData &data = **plan;
  data.target = compilation.getOptions().target;
  auto ok = data.isHost() ? addHostCode(compilation, data)
                          : addDeviceCode(compilation, data);
  if (!ok)
    return ok.error();
  return Program(*plan);
}

Expected<Program> compile(std::string_view source,
                          const CompileOptions &options) {
  if (auto ok = checkTarget(options); !ok)
    return ok.error();
  Expected<std::unique_ptr<Compilation>> compilation =
      Compilation::parse(source, options);
  if (!compilation)
    return compilation.error();
  return compile(**compilation);
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
                 "PTX is for GPU targets; the target is cpu", {}};
  Expected<std::string> ptx = makePtx(compilation);
  if (!ptx || stage == Stage::Ptx)
    return ptx;
  Expected<std::optional<std::string>> cubin = makeCubin(*ptx, options);
  if (!cubin)
    return cubin.error();
  if (!*cubin)
    return Error{ErrorCode::NotFound,
                 "there is no ptxas to make machine code with", {}};
  return std::move(**cubin);
}

} // namespace tilefuse
