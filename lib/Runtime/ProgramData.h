//===- ProgramData.h - what a Program holds ---------------------*- C++ -*-===//
#ifndef TILEFUSE_LIB_RUNTIME_PROGRAMDATA_H
#define TILEFUSE_LIB_RUNTIME_PROGRAMDATA_H

#include "tilefuse/Runtime.h"

namespace tilefuse {

/// Where a kernel argument lives.
enum class BufferKind : uint8_t { Input, Output, Workspace, Constant };

/// One kernel argument: `offset` bytes into a buffer.
struct BufferRef {
  BufferKind kind = BufferKind::Input;
  /// Which input or output; 0 for workspace and constants.
  uint32_t index = 0;
  uint64_t offset = 0;
};

/// One kernel. The grid counts program instances along up to three axes.
struct KernelData {
  std::string name;
  uint64_t grid[3] = {1, 1, 1};
  /// Threads of one block and blocks of one cluster (GPU).
  uint32_t threads = 0;
  uint32_t cluster = 1;
  uint32_t sharedBytes = 0;
};

/// One step of the launch plan.
struct LaunchData {
  uint32_t kernel = 0;
  std::vector<BufferRef> arguments;
  int64_t bytes = 0;
  bool isFinish = false;
};

/// An intermediate: a piece of the workspace, its own while it is in use.
struct WorkspaceBuffer {
  uint64_t offset = 0;
  uint64_t bytes = 0;
};

/// Code of one kernel on the host: the arguments' base addresses and the
/// instance's position in the grid.
using HostKernel = void (*)(void *const *arguments, int64_t id0, int64_t id1,
                            int64_t id2);

/// One entry: what a host function became.
struct EntryData {
  Signature signature;
  std::vector<LaunchData> launches;
  uint64_t workspaceBytes = 0;
  /// For reports; not in a program file.
  std::vector<WorkspaceBuffer> buffers;
};

/// Everything behind Program. Immutable once a Program holds it.
struct ProgramData {
  std::string target;
  /// At least one.
  std::vector<EntryData> entries;
  std::vector<KernelData> kernels;
  /// Constant data, each piece 256-byte aligned.
  std::vector<std::byte> constants;

  /// GPU code.
  std::string ptx;
  std::string cubin;

  /// CPU programs: what to compile again after loading.
  std::string source;
  std::string scheduleTarget;
  /// CPU code of this process, one per kernel, and what keeps it alive.
  std::vector<HostKernel> hostKernels;
  std::shared_ptr<void> hostCode;

  bool isHost() const { return target == "cpu"; }
  /// Position of an entry by name. Errors: NotFound.
  Expected<size_t> find(const std::string &entry) const;
};

/// Bytes of a program file; see Serialization.cpp for the format.
std::vector<std::byte> serializeProgram(const ProgramData &data);
Expected<std::shared_ptr<ProgramData>>
deserializeProgram(std::span<const std::byte> bytes);

/// Checks counts, null and alignment of a run's addresses.
Expected<void> checkArguments(const EntryData &entry,
                              std::span<const void *const> inputs,
                              std::span<void *const> outputs,
                              const void *workspace);

/// The address of one kernel argument.
void *resolve(const BufferRef &ref, std::span<const void *const> inputs,
              std::span<void *const> outputs, void *workspace,
              const void *constants);

} // namespace tilefuse

#endif // TILEFUSE_LIB_RUNTIME_PROGRAMDATA_H
