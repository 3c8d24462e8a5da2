//===- EmitPTX.cpp - NVVM modules to PTX, in process --------------*- C++ -*-===//

#include "lib/Compiler/EmitPTX.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/NVVM/NVVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/OptBisect.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Target/TargetMachine.h"
#include <mutex>

// The NVPTX target only: initialising all of them would link all of them.
extern "C" {
void LLVMInitializeNVPTXTarget();
void LLVMInitializeNVPTXTargetInfo();
void LLVMInitializeNVPTXTargetMC();
void LLVMInitializeNVPTXAsmPrinter();
}

namespace tilefuse {
namespace {

constexpr const char *kTriple = "nvptx64-nvidia-cuda";

llvm::Error makeError(const llvm::Twine &message) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), message);
}

void initializeNVPTX() {
  static std::once_flag once;
  std::call_once(once, [] {
    LLVMInitializeNVPTXTarget();
    LLVMInitializeNVPTXTargetInfo();
    LLVMInitializeNVPTXTargetMC();
    LLVMInitializeNVPTXAsmPrinter();
  });
}

llvm::Expected<std::unique_ptr<llvm::TargetMachine>>
createTargetMachine(const PtxOptions &options) {
  initializeNVPTX();
  std::string message;
  llvm::Triple triple(kTriple);
  const llvm::Target *target =
      llvm::TargetRegistry::lookupTarget(triple, message);
  if (!target)
    return makeError("no NVPTX backend in this LLVM: " + message);
  auto level = options.optLevel == 0   ? llvm::CodeGenOptLevel::None
               : options.optLevel == 1 ? llvm::CodeGenOptLevel::Less
               : options.optLevel == 2 ? llvm::CodeGenOptLevel::Default
                                       : llvm::CodeGenOptLevel::Aggressive;
  // Products and sums stay separate unless the program says fma: the same bits
  // as on the CPU, and what error-free transformations rely on.
  llvm::TargetOptions targetOptions;
  targetOptions.AllowFPOpFusion = llvm::FPOpFusion::Standard;
  std::unique_ptr<llvm::TargetMachine> machine(target->createTargetMachine(
      triple, options.arch, options.features, targetOptions, llvm::Reloc::PIC_,
      std::nullopt, level));
  if (!machine)
    return makeError("cannot make an NVPTX target machine for '" +
                     options.arch + "'");
  if (!machine->getMCSubtargetInfo()->isCPUStringValid(options.arch))
    return makeError("unknown GPU architecture '" + options.arch + "'");
  return machine;
}

/// A module with copies of the LLVM functions and globals of `module`.
mlir::OwningOpRef<mlir::ModuleOp> extractDeviceCode(mlir::ModuleOp module) {
  mlir::OwningOpRef<mlir::ModuleOp> device =
      mlir::ModuleOp::create(module.getLoc());
  mlir::OpBuilder builder = mlir::OpBuilder::atBlockEnd(device->getBody());
  for (mlir::Operation &op : *module.getBody())
    if (llvm::isa<mlir::LLVM::LLVMFuncOp, mlir::LLVM::GlobalOp>(op))
      builder.clone(op);
  return device;
}

/// Leaves out LLVM's straight-line strength reduction: kernels' addresses are
/// a pointer and an immediate already, and its search is quadratic in a block's
/// integer additions (11 of 12 s for a thousand exponentials in one block).
class PassGate : public llvm::OptPassGate {
public:
  bool shouldRunPass(llvm::StringRef passName,
                     llvm::StringRef irDescription) const override {
    return passName != "slsr";
  }
  bool isEnabled() const override { return true; }
};

void optimize(llvm::Module &module, llvm::TargetMachine &machine,
              unsigned level) {
  // Kernels arrive unrolled and vectorised by layout: the loop and SLP
  // vectorisers and the unroller only cost time and registers here.
  llvm::PipelineTuningOptions tuning;
  tuning.LoopUnrolling = false;
  tuning.LoopInterleaving = false;
  tuning.LoopVectorization = false;
  tuning.SLPVectorization = false;

  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager callGraph;
  llvm::ModuleAnalysisManager modules;
  llvm::PassBuilder passes(&machine, tuning);
  passes.registerModuleAnalyses(modules);
  passes.registerCGSCCAnalyses(callGraph);
  passes.registerFunctionAnalyses(functions);
  passes.registerLoopAnalyses(loops);
  passes.crossRegisterProxies(loops, functions, callGraph, modules);
  llvm::OptimizationLevel levels[] = {
      llvm::OptimizationLevel::O0, llvm::OptimizationLevel::O1,
      llvm::OptimizationLevel::O2, llvm::OptimizationLevel::O3};
  llvm::OptimizationLevel chosen = levels[std::min(level, 3u)];
  llvm::ModulePassManager pipeline =
      chosen == llvm::OptimizationLevel::O0
          ? passes.buildO0DefaultPipeline(chosen)
          : passes.buildPerModuleDefaultPipeline(chosen);
  pipeline.run(module, modules);
}

/// Functions the CUDA driver links into every module.
bool isDriverFunction(llvm::StringRef name) {
  return name == "vprintf" || name == "__assertfail" || name == "malloc" ||
         name == "free";
}

llvm::Error checkNoUndefinedFunction(const llvm::Module &module) {
  for (const llvm::Function &function : module) {
    if (!function.isDeclaration() || function.isIntrinsic() ||
        function.use_empty() || isDriverFunction(function.getName()))
      continue;
    return makeError("the kernel calls '" + function.getName() +
                     "', which nothing defines (math functions must be "
                     "expanded before: tile-expand-math)");
  }
  return llvm::Error::success();
}

} // namespace

void registerPtxTranslations(mlir::DialectRegistry &registry) {
  mlir::registerBuiltinDialectTranslation(registry);
  mlir::registerLLVMDialectTranslation(registry);
  mlir::registerNVVMDialectTranslation(registry);
}

llvm::Expected<std::string> emitPTX(mlir::ModuleOp module,
                                    const PtxOptions &options) {
  mlir::MLIRContext *context = module.getContext();
  mlir::DialectRegistry registry;
  registerPtxTranslations(registry);
  context->appendDialectRegistry(registry);

  auto machine = createTargetMachine(options);
  if (!machine)
    return machine.takeError();

  mlir::OwningOpRef<mlir::ModuleOp> device = extractDeviceCode(module);
  PassGate gate;
  llvm::LLVMContext llvmContext;
  llvmContext.setOptPassGate(gate);
  std::unique_ptr<llvm::Module> llvmModule =
      mlir::translateModuleToLLVMIR(*device, llvmContext, "tilefuse");
  if (!llvmModule)
    return makeError("the kernels do not translate to LLVM IR");
  llvmModule->setTargetTriple(llvm::Triple(kTriple));
  llvmModule->setDataLayout((*machine)->createDataLayout());

  optimize(*llvmModule, **machine, options.optLevel);
  if (llvm::Error error = checkNoUndefinedFunction(*llvmModule))
    return error;

  llvm::SmallString<0> ptx;
  llvm::raw_svector_ostream stream(ptx);
  llvm::legacy::PassManager codegen;
  if ((*machine)->addPassesToEmitFile(codegen, stream, nullptr,
                                      llvm::CodeGenFileType::AssemblyFile))
    return makeError("the NVPTX backend cannot write assembly");
  codegen.run(*llvmModule);
  return std::string(ptx);
}

} // namespace tilefuse
