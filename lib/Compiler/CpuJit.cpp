//===- CpuJit.cpp - machine code for the host in this process -------------===//

#include "CpuJit.h"

#include "passes/TileToCPU/RuntimeHooks.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/Builders.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/ExecutionEngine/Orc/AbsoluteSymbols.h"
#include "llvm/ExecutionEngine/Orc/CompileUtils.h"
#include "llvm/ExecutionEngine/Orc/ExecutionUtils.h"
#include "llvm/ExecutionEngine/Orc/JITTargetMachineBuilder.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/ExecutionEngine/Orc/ObjectTransformLayer.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/Verifier.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"

#include <mutex>

using namespace mlir;
using namespace tilefuse;

namespace tilefuse {

struct CpuCode::Impl {
  std::unique_ptr<llvm::orc::LLJIT> jit;
  llvm::StringMap<CpuKernelFn> kernels;
};

CpuCode::CpuCode(std::unique_ptr<Impl> impl) : impl(std::move(impl)) {}
CpuCode::~CpuCode() = default;

CpuKernelFn CpuCode::lookup(llvm::StringRef kernel) const {
  return impl->kernels.lookup(kernel);
}

} // namespace tilefuse

static llvm::Error makeError(const llvm::Twine &message) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), message);
}

static void initializeTarget() {
  static std::once_flag once;
  std::call_once(once, [] {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
  });
}

// The kernels alone: the host program around them has no LLVM form.
static OwningOpRef<ModuleOp> extractKernels(ModuleOp module) {
  OwningOpRef<ModuleOp> kernels = ModuleOp::create(module.getLoc());
  OpBuilder builder = OpBuilder::atBlockEnd(kernels->getBody());
  for (Operation &op : *module.getBody())
    if (isa<LLVM::LLVMFuncOp, LLVM::GlobalOp>(op))
      builder.clone(op);
  return kernels;
}

// Blocks are processed with what the host's widest vectors offer; LLVM would
// rather avoid 512-bit ones on some hosts that run them at full speed.
static void prepareFunctions(llvm::Module &module) {
  for (llvm::Function &function : module) {
    if (function.isDeclaration())
      continue;
    function.addFnAttr("prefer-vector-width", "512");
    // The array of base addresses is only read.
    function.addParamAttr(0, llvm::Attribute::NoAlias);
    function.addParamAttr(0, llvm::Attribute::ReadOnly);
  }
}

// Products are register tiles already; unrolling the loops around them made
// three to four times the code (and compile time) for nothing that was
// measured.
static void optimize(llvm::Module &module, llvm::TargetMachine &machine) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager callGraph;
  llvm::ModuleAnalysisManager modules;
  llvm::PipelineTuningOptions tuning;
  tuning.LoopVectorization = true;
  tuning.SLPVectorization = false;
  tuning.LoopUnrolling = false;
  llvm::PassBuilder builder(&machine, tuning);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(callGraph);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, callGraph, modules);
  builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O2)
      .run(module, modules);
}

// What kernels may call by name, apart from the C library.
static llvm::Error addHooks(llvm::orc::LLJIT &jit) {
  auto symbol = [](auto *function) {
    return llvm::orc::ExecutorSymbolDef(
        llvm::orc::ExecutorAddr::fromPtr(function),
        llvm::JITSymbolFlags::Exported | llvm::JITSymbolFlags::Callable);
  };
  llvm::orc::SymbolMap symbols;
  symbols[jit.mangleAndIntern("tilefuse_debug_print")] =
      symbol(&tilefuse_debug_print);
  symbols[jit.mangleAndIntern("tilefuse_assert_failed")] =
      symbol(&tilefuse_assert_failed);
  return jit.getMainJITDylib().define(
      llvm::orc::absoluteSymbols(std::move(symbols)));
}

static llvm::Expected<llvm::orc::JITTargetMachineBuilder> detectHost() {
  initializeTarget();
  auto host = llvm::orc::JITTargetMachineBuilder::detectHost();
  if (host)
    host->setCodeGenOptLevel(llvm::CodeGenOptLevel::Default);
  return host;
}

static llvm::Expected<std::unique_ptr<llvm::orc::LLJIT>>
createJit(llvm::orc::JITTargetMachineBuilder host) {
  llvm::Expected<std::unique_ptr<llvm::orc::LLJIT>> jit =
      llvm::orc::LLJITBuilder()
          .setJITTargetMachineBuilder(std::move(host))
          .create();
  if (!jit)
    return jit.takeError();
  auto library = llvm::orc::DynamicLibrarySearchGenerator::GetForCurrentProcess(
      (*jit)->getDataLayout().getGlobalPrefix());
  if (!library)
    return library.takeError();
  (*jit)->getMainJITDylib().addGenerator(std::move(*library));
  if (llvm::Error error = addHooks(**jit))
    return error;
  return jit;
}

namespace tilefuse {

/// Makes a CpuCode of a JIT that has code for `names`.
class CpuCodeBuilder {
public:
  static llvm::Expected<std::unique_ptr<CpuCode>>
  build(std::unique_ptr<llvm::orc::LLJIT> jit,
        llvm::ArrayRef<std::string> names) {
    auto impl = std::make_unique<CpuCode::Impl>();
    for (const std::string &name : names) {
      llvm::Expected<llvm::orc::ExecutorAddr> address = jit->lookup(name);
      if (!address)
        return address.takeError();
      impl->kernels[name] = address->toPtr<CpuKernelFn>();
    }
    impl->jit = std::move(jit);
    return std::unique_ptr<CpuCode>(new CpuCode(std::move(impl)));
  }
};

} // namespace tilefuse

llvm::Expected<std::unique_ptr<CpuCode>>
tilefuse::compileForHost(ModuleOp module, std::string *object) {
  auto host = detectHost();
  if (!host)
    return host.takeError();
  llvm::SmallVector<std::string> names;
  for (auto function : module.getOps<LLVM::LLVMFuncOp>())
    if (!function.isExternal())
      names.push_back(function.getName().str());

  auto context = std::make_unique<llvm::LLVMContext>();
  OwningOpRef<ModuleOp> kernels = extractKernels(module);
  std::unique_ptr<llvm::Module> code =
      translateModuleToLLVMIR(*kernels, *context, "kernels");
  if (!code)
    return makeError("the kernels have no LLVM IR form");
  if (llvm::verifyModule(*code))
    return makeError("the kernels' LLVM IR is malformed");

  llvm::Expected<std::unique_ptr<llvm::TargetMachine>> machine =
      host->createTargetMachine();
  if (!machine)
    return machine.takeError();
  code->setDataLayout((*machine)->createDataLayout());
  code->setTargetTriple((*machine)->getTargetTriple());
  prepareFunctions(*code);
  optimize(*code, **machine);

  auto jit = createJit(std::move(*host));
  if (!jit)
    return jit.takeError();
  if (object)
    (*jit)->getObjTransformLayer().setTransform(
        [object](std::unique_ptr<llvm::MemoryBuffer> buffer) {
          object->assign(buffer->getBufferStart(), buffer->getBufferSize());
          return llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>>(
              std::move(buffer));
        });
  if (llvm::Error error = (*jit)->addIRModule(
          llvm::orc::ThreadSafeModule(std::move(code), std::move(context))))
    return error;
  return CpuCodeBuilder::build(std::move(*jit), names);
}

llvm::Expected<std::unique_ptr<CpuCode>>
tilefuse::loadForHost(llvm::StringRef object,
                      llvm::ArrayRef<std::string> kernels) {
  auto host = detectHost();
  if (!host)
    return host.takeError();
  auto jit = createJit(std::move(*host));
  if (!jit)
    return jit.takeError();
  if (llvm::Error error = (*jit)->addObjectFile(
          llvm::MemoryBuffer::getMemBufferCopy(object, "kernels")))
    return error;
  return CpuCodeBuilder::build(std::move(*jit), kernels);
}

std::string tilefuse::describeHostCpu() {
  auto host = detectHost();
  if (!host) {
    llvm::consumeError(host.takeError());
    return "";
  }
  return host->getTargetTriple().str() + " " + host->getCPU() + " " +
         host->getFeatures().getString();
}
