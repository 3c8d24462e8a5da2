//===- Pipelines.cpp - the named pipelines, phase by phase ------*- C++ -*-===//
//
// The table below is the compiler from top to bottom. A row is a phase: its
// name, the targets that have it, and its passes as fuse-opt takes them, so that
// any row can be run by hand:
//
//   fuse-opt in.mlir --fuse-to-ptx=stop-after=tile -o tile.mlir
//   fuse-opt tile.mlir --tile-plan-buffers ...
//   fuse-opt tile.mlir --fuse-to-ptx=start-at=plan
//   fuse-opt in.mlir --fuse-to-ptx=dump=DIR          # DIR/NN-PHASE.mlir
//
//===----------------------------------------------------------------------===//

#include "passes/Pipelines.h"
#include "passes/Autodiff/Passes.h"
#include "passes/Passes.h"
#include "passes/Registration.h"

#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;

namespace tilefuse {
namespace {

enum Where { CPU = 1, GPU = 2, Both = 3, Gradients = 4 };

struct PhaseRow {
  Phase phase;
  llvm::StringLiteral name;
  Where where;
  llvm::StringLiteral passes;
};

// clang-format off
constexpr PhaseRow phases[] = {
    // The machine, read by every cost-driven pass. (Takes its option below.)
    {Phase::Target,    "target",    Both, "fuse-set-target"},
    // fuse -> fuse. Composite ops decomposed, algebra that removes bytes.
    {Phase::Simplify,  "simplify",  Both, "fuse-simplify"},
    // fuse -> fuse, only when gradients are asked for. Reverse mode, then what
    // the backward pass keeps and what it computes again.
    {Phase::Joint,     "joint",     Gradients, "fuse-differentiate,fuse-simplify"},
    {Phase::Partition, "partition", Gradients, "fuse-partition,canonicalize,cse"},
    // fuse -> fuse.kernel. What runs together, by a byte and flop model; images of
    // short rows become lines where rows do not matter.
    {Phase::Kernels,   "kernels",   Both, "fuse-form-kernels,fuse-merge-dims"},
    // A #fuse.schedule for each kernel: everything that decides its program.
    {Phase::Schedules, "schedules", Both, "fuse-select-schedules"},
    // fuse.kernel -> tile.func and tile.launch. Values become blocks.
    {Phase::Tile,      "tile",      Both, "fuse-tile-kernels,canonicalize,cse"},
    // Offsets of the intermediates in one workspace, by liveness; what may be
    // updated in place; each kernel once.
    {Phase::Plan,      "plan",      Both, "tile-plan-buffers,tile-mark-updates,"
                                        "tile-merge-kernels"},
    // exp, tanh, erf, ...: the same arithmetic on every target, but for 2^x, which
    // GPUs have an instruction for.
    {Phase::Math,      "math",      CPU,  "tile-expand-math"},
    {Phase::Math,      "math",      GPU,  "tile-expand-math{approximate}"},
    // Where each element of a block lives: registers, lanes, warps, shared; then
    // copies of later rounds beside the products of this one.
    {Phase::Layouts,   "layouts",   GPU,  "tile-assign-layouts,tile-pipeline"},
    // Addresses of the shared tiles.
    {Phase::Shared,    "shared",    GPU,  "tile-allocate-shared"},
    // One LLVM function a kernel.
    {Phase::Lower,     "lower",     GPU,  "convert-tile-to-nvvm"},
    {Phase::Lower,     "lower",     CPU,  "tile-to-cpu"},
};
// clang-format on

/// Adds passes or pipelines given by name, comma-separated, options in braces. Nesting is implicit
/// while they are added (parsePassPipeline would not allow that), so the table
/// need not say which op a pass is anchored on.
void addPasses(OpPassManager &manager, llvm::StringRef passes) {
  OpPassManager::Nesting nesting = manager.getNesting();
  manager.setNesting(OpPassManager::Nesting::Implicit);
  auto fail = [](const Twine &) { return failure(); };
  for (llvm::StringRef text : llvm::split(passes, ',')) {
    auto [name, options] = text.split('{');
    options.consume_back("}");
    const PassRegistryEntry *entry = PassPipelineInfo::lookup(name);
    if (!entry)
      entry = PassInfo::lookup(name);
    if (!entry || failed(entry->addToPipeline(manager, options, fail)))
      llvm::report_fatal_error("the phase table names an unknown pass: " + name,
                               /*gen_crash_diag=*/false);
  }
  manager.setNesting(nesting);
}

/// The command-line form of PipelineOptions.
struct PipelineFlags : PassPipelineOptions<PipelineFlags> {
  Option<std::string> target{*this, "target",
                             llvm::cl::desc("machine whose tile program is made "
                                            "('cpu' or 'sm_NN[a]')")};
  Option<std::string> startAt{*this, "start-at",
                              llvm::cl::desc("first phase to run")};
  Option<std::string> stopAfter{*this, "stop-after",
                                llvm::cl::desc("last phase to run")};
  Option<bool> gradients{*this, "grad",
                         llvm::cl::desc("derive the backward pass as well"),
                         llvm::cl::init(false)};
  Option<bool> remarks{*this, "remarks",
                       llvm::cl::desc("say why values were not fused, and why "
                                      "they were kept"),
                       llvm::cl::init(false)};
  Option<std::string> dump{
      *this, "dump",
      llvm::cl::desc("folder that gets the module after each phase")};
};

/// Registers one named pipeline. Through the general entry point, since that of
/// PassPipelineRegistration cannot report a bad option.
void registerPipeline(llvm::StringRef name, llvm::StringRef description,
                      llvm::StringRef target, bool lowerToCPU) {
  auto build = [=](OpPassManager &manager, StringRef text,
                   function_ref<LogicalResult(const Twine &)> fail) {
    PipelineFlags flags;
    if (failed(flags.parseFromString(text)))
      return failure();
    PipelineOptions options;
    options.target = flags.target.empty() ? target.str() : flags.target;
    options.lowerToCPU = lowerToCPU;
    options.gradients = flags.gradients;
    options.remarks = flags.remarks;
    options.dumpDirectory = flags.dump;
    for (auto [flag, phase] : {std::pair(&flags.startAt, &options.from),
                               std::pair(&flags.stopAfter, &options.to)}) {
      if (flag->empty())
        continue;
      FailureOr<Phase> parsed = parsePhase(*flag);
      if (failed(parsed))
        return fail("there is no phase '" + flag->getValue() +
                    "'; the phases are " + listPhases());
      *phase = *parsed;
    }
    buildPhases(manager, options);
    return LogicalResult::success();
  };
  registerPassPipeline(
      name, description, build,
      [](function_ref<void(const mlir::detail::PassOptions &)> show) {
        show(PipelineFlags());
      });
}

} // namespace

FailureOr<Phase> parsePhase(llvm::StringRef name) {
  for (const PhaseRow &row : phases)
    if (row.name == name)
      return row.phase;
  return failure();
}

llvm::StringRef getPhaseName(Phase phase) {
  for (const PhaseRow &row : phases)
    if (row.phase == phase)
      return row.name;
  llvm_unreachable("every phase has a row");
}

std::string listPhases() {
  llvm::SmallVector<llvm::StringRef> names;
  for (const PhaseRow &row : phases)
    if (!llvm::is_contained(names, row.name))
      names.push_back(row.name);
  return llvm::join(names, ", ");
}

void buildPhases(OpPassManager &manager, const PipelineOptions &options) {
  registerPasses();
  int where = options.lowerToCPU || options.target == "cpu" ? CPU : GPU;
  if (options.gradients)
    where |= Gradients;
  for (const PhaseRow &row : phases) {
    if (row.phase < options.from || row.phase > options.to ||
        !(row.where & where))
      continue;
    llvm::StringRef passes = row.passes;
    if (row.phase == Phase::Target) {
      manager.addPass(createFuseSetTarget({options.target, false}));
      passes = "";
    } else if (row.phase == Phase::Joint) {
      // The one pass of the table that takes an option here.
      FuseDifferentiateOptions differentiate;
      differentiate.wrt.assign(options.gradientArguments.begin(),
                               options.gradientArguments.end());
      manager.addPass(createFuseDifferentiate(std::move(differentiate)));
      passes = passes.split(',').second;
    }
    // The first pass of either phase explains what it decides.
    bool explains = options.remarks && (row.phase == Phase::Kernels ||
                                        row.phase == Phase::Partition);
    auto [first, rest] = passes.split(',');
    if (explains) {
      addPasses(manager, (first + "{remarks=true}").str());
      passes = rest;
    }
    if (!passes.empty())
      addPasses(manager, passes);
    if (!options.dumpDirectory.empty())
      manager.addPass(createFuseDumpPhase(
          {llvm::formatv("{0}/{1,0+2}-{2}.mlir", options.dumpDirectory,
                         static_cast<unsigned>(row.phase), row.name)
               .str()}));
  }
}

void registerPipelines() {
  registerPipeline("fuse-to-cpu",
                   "From tensors to the LLVM dialect for the host's CPU", "cpu",
                   /*lowerToCPU=*/true);
  registerPipeline("fuse-to-ptx",
                   "From tensors to NVVM kernels, the input of the PTX writer",
                   "sm_90a", /*lowerToCPU=*/false);
}

} // namespace tilefuse
