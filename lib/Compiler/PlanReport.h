//===- PlanReport.h - a program's plan as JSON ------------------*- C++ -*-===//
#ifndef TILEFUSE_LIB_COMPILER_PLANREPORT_H
#define TILEFUSE_LIB_COMPILER_PLANREPORT_H

#include "lib/Runtime/ProgramData.h"

#include "llvm/Support/JSON.h"

#include <optional>

namespace tilefuse {

/// The entry at `index`: signature, kernels, launches with every buffer, and
/// byte counts:
///   {"entry", "target", "inputs": [...], "outputs": [...], "saved",
///    "workspace_bytes", "constant_bytes", "fused_bytes", "unfused_bytes",
///    "kernels": main launches, "finishes",
///    "launches": [{"kernel", "grid", "threads", "shared_bytes", "finish",
///                  "bytes", "arguments": [{"buffer", "index", "offset"}]}]}
/// `unfusedBytes` is null where the source was already tiled.
llvm::json::Object describePlan(const ProgramData &data, size_t index,
                                std::optional<int64_t> unfusedBytes);

} // namespace tilefuse

#endif // TILEFUSE_LIB_COMPILER_PLANREPORT_H
