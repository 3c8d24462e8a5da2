//===- Pipelines.h - the named pipelines, phase by phase --------*- C++ -*-===//
#ifndef TILEFUSE_PASSES_PIPELINES_H
#define TILEFUSE_PASSES_PIPELINES_H

#include "mlir/Support/LLVM.h"

#include <cstdint>
#include <string>
#include <vector>

namespace mlir {
class OpPassManager;
} // namespace mlir

namespace tilefuse {

/// The way from tensors to code. Each phase leaves a module that prints, parses
/// and verifies, so a compile can stop after it and be resumed from the text.
enum class Phase {
  Target,    ///< fuse.target is set
  Simplify,  ///< primitive fuse ops only
  Joint,     ///< with gradients: the joint graph, simplified again
  Partition, ///< with gradients: a forward and a backward function
  Kernels,   ///< every op is in a fuse.kernel
  Schedules, ///< every kernel has a schedule
  Tile,      ///< tile.func programs and tile.launch
  Plan,      ///< every buffer has its place in the workspace
  Math,      ///< f32 functions are arithmetic
  Layouts,   ///< GPU: every block tensor has a layout
  Shared,    ///< GPU: every shared tile has an address
  Lower,     ///< LLVM dialect (CPU) or NVVM (GPU)
};

/// Which phases to run, and for what.
struct PipelineOptions {
  /// The machine whose tile program is made: `cpu` or `sm_NN[a]`. A module that
  /// has a fuse.target keeps it.
  std::string target = "sm_90a";
  /// Lower to the CPU even when the tile program is a GPU's: how the CPU checks
  /// the GPU's programs.
  bool lowerToCPU = false;
  /// Derive the backward pass (the phases Joint and Partition).
  bool gradients = false;
  /// Arguments to differentiate; empty: every float argument that no result
  /// aliases.
  std::vector<int64_t> gradientArguments;
  /// Remarks that say why values were not fused, and why they were kept.
  bool remarks = false;
  /// First and last phase, both run.
  Phase from = Phase::Target;
  Phase to = Phase::Lower;
  /// A folder that gets NN-PHASE.mlir after each phase; none when empty.
  std::string dumpDirectory;
};

/// The phase that the tools call `name`, in lower case.
mlir::FailureOr<Phase> parsePhase(llvm::StringRef name);
/// The name of `phase`, in lower case.
llvm::StringRef getPhaseName(Phase phase);
/// Every phase's name, for messages.
std::string listPhases();

/// Adds the chosen phases to `manager`, which must be anchored on a module.
/// Calls registerPasses().
void buildPhases(mlir::OpPassManager &manager, const PipelineOptions &options);

/// Registers `fuse-to-cpu` and `fuse-to-ptx`.
void registerPipelines();

} // namespace tilefuse

#endif // TILEFUSE_PASSES_PIPELINES_H
