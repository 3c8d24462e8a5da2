//===- PlanReport.cpp - a program's plan as JSON --------------------------===//

#include "PlanReport.h"

namespace tilefuse {

static llvm::json::Array describe(const std::vector<ArgumentInfo> &infos) {
  llvm::json::Array list;
  for (const ArgumentInfo &info : infos)
    list.push_back(llvm::json::Object{
        {"name", info.name},
        {"dtype", toString(info.dtype)},
        {"shape", llvm::json::Array(info.shape)},
        {"strides", llvm::json::Array(info.strides)},
        {"alignment", static_cast<int64_t>(info.alignment)},
        {"alias_result", info.aliasResult},
        {"in_place", info.inPlace},
        {"bytes", static_cast<int64_t>(info.getByteSize())}});
  return list;
}

static llvm::StringRef toString(BufferKind kind) {
  switch (kind) {
  case BufferKind::Input:
    return "input";
  case BufferKind::Output:
    return "output";
  case BufferKind::Workspace:
    return "workspace";
  case BufferKind::Constant:
    break;
  }
  return "constant";
}

static llvm::json::Array describe(const std::vector<SavedSource> &sources) {
  static const char *const kinds[] = {"arg", "result", "residual"};
  llvm::json::Array list;
  for (const SavedSource &source : sources)
    list.push_back(kinds[static_cast<int>(source.kind)] + std::string(" ") +
                   std::to_string(source.index));
  return list;
}

llvm::json::Object describePlan(const ProgramData &data, size_t index,
                                std::optional<int64_t> unfusedBytes) {
  const EntryData &entry = data.entries[index];
  llvm::json::Array launches;
  int64_t bytes = 0, finishes = 0;
  for (const LaunchData &launch : entry.launches) {
    const KernelData &kernel = data.kernels[launch.kernel];
    llvm::json::Array arguments;
    for (const BufferRef &ref : launch.arguments)
      arguments.push_back(
          llvm::json::Object{{"buffer", toString(ref.kind)},
                             {"index", static_cast<int64_t>(ref.index)},
                             {"offset", static_cast<int64_t>(ref.offset)}});
    llvm::json::Array grid;
    for (uint64_t extent : kernel.grid)
      grid.push_back(static_cast<int64_t>(extent));
    launches.push_back(llvm::json::Object{
        {"kernel", kernel.name},
        {"grid", std::move(grid)},
        {"threads", static_cast<int64_t>(kernel.threads)},
        {"shared_bytes", static_cast<int64_t>(kernel.sharedBytes)},
        {"finish", launch.isFinish},
        {"bytes", launch.bytes},
        {"arguments", std::move(arguments)}});
    bytes += launch.bytes;
    finishes += launch.isFinish;
  }
  llvm::json::Array buffers;
  for (const WorkspaceBuffer &buffer : entry.buffers)
    buffers.push_back(llvm::json::Object{
        {"offset", static_cast<int64_t>(buffer.offset)},
        {"bytes", static_cast<int64_t>(buffer.bytes)}});
  int64_t count = entry.launches.size();
  return llvm::json::Object{
      {"entry", entry.signature.entry},
      {"target", data.target},
      {"inputs", describe(entry.signature.inputs)},
      {"outputs", describe(entry.signature.outputs)},
      {"saved", describe(entry.signature.saved)},
      {"workspace_bytes", static_cast<int64_t>(entry.workspaceBytes)},
      {"buffers", std::move(buffers)},
      {"constant_bytes", static_cast<int64_t>(data.constants.size())},
      {"fused_bytes", bytes},
      {"unfused_bytes", unfusedBytes ? llvm::json::Value(*unfusedBytes)
                                     : llvm::json::Value(nullptr)},
      {"kernels", count - finishes},
      {"finishes", finishes},
      {"launches", std::move(launches)}};
}

} // namespace tilefuse
