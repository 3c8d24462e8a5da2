//===- Runtime.h - programs and how they run --------------------*- C++ -*-===//
//
// A Program is a compiled subgraph: its signature, its launch plan and its
// code. This header and the library behind it know nothing of LLVM; they are
// what ships with an ahead-of-time compiled program.
//
// Thread-safety: a Program and a LoadedProgram are immutable; any number of
// threads may launch one at once (with workspaces of their own).
//
//===----------------------------------------------------------------------===//
#ifndef TILEFUSE_RUNTIME_H
#define TILEFUSE_RUNTIME_H

#include "tilefuse/Error.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace tilefuse {

/// Element types. i1 takes one byte (0 or 1).
enum class DType : uint8_t { F32, F16, BF16, F64, I1, I8, I32, I64 };

/// Bytes of one element.
size_t getByteSize(DType type);
/// `f32`, `bf16`, ...
const char *toString(DType type);

/// One input or output of a program.
struct ArgumentInfo {
  std::string name;
  DType dtype = DType::F32;
  /// Extents; empty for a scalar.
  std::vector<int64_t> shape;
  /// Strides in elements.
  std::vector<int64_t> strides;
  /// Required alignment of the base address in bytes.
  uint64_t alignment = 16;
  /// For an input: the output that is its new value (running statistics), or -1.
  int64_t aliasResult = -1;
  /// Whether a run may write that output straight into this input's memory. If
  /// not, the new value is copied there after the run.
  bool inPlace = false;

  int64_t getNumElements() const;
  /// Bytes from the first to one past the last element.
  size_t getByteSize() const;
};

/// Where an input of a backward entry comes from.
struct SavedSource {
  /// The forward entry's input, its result, or one of the outputs it gives
  /// beyond its results.
  enum class Kind : uint8_t { Argument, Result, Residual };
  Kind kind = Kind::Argument;
  uint32_t index = 0;
};

/// What an entry takes and gives, in order.
struct Signature {
  std::string entry;
  std::vector<ArgumentInfo> inputs;
  std::vector<ArgumentInfo> outputs;
  /// For a backward entry, the sources of its first inputs; the cotangents
  /// follow. Empty for any other.
  std::vector<SavedSource> saved;
};

struct ProgramData;

/// One launch of the plan, for inspection.
struct LaunchInfo {
  std::string kernel;
  uint64_t grid[3];
  uint32_t threads;
  uint32_t sharedBytes;
  /// Modelled DRAM traffic.
  int64_t bytes;
  /// True for the small merging launch of a kernel split in partials.
  bool isFinish;
};

class LoadedProgram;

/// A compiled program. Cheap to copy (shares its immutable data).
///
/// A program has one or more entries (a training program has a forward and a
/// backward one) that share their code; one of them, at first the first, is
/// selected, and signature, workspace, launches and runs are that one's.
class Program {
public:
  explicit Program(std::shared_ptr<const ProgramData> data, size_t entry = 0);

  /// Names of the entries.
  std::vector<std::string> entries() const;
  /// The same program with another entry selected. Errors: NotFound.
  Expected<Program> select(const std::string &entry) const;

  const Signature &signature() const;
  /// `cpu`, or the GPU architecture the code is for, as `sm_90a`.
  const std::string &target() const;
  /// Bytes of scratch memory one run needs; aligned to 256 bytes.
  size_t workspaceBytes() const;
  std::vector<LaunchInfo> launches() const;
  /// PTX of a GPU program, empty for the CPU.
  const std::string &ptx() const;
  /// GPU machine code, empty when no assembler was at hand.
  const std::string &cubin() const;

  /// The program as bytes; equal programs give equal bytes. A CPU program
  /// holds its source and is compiled again by the compiler library.
  std::vector<std::byte> serialize() const;
  /// Errors: InvalidProgram for damaged, foreign or newer data.
  static Expected<Program> deserialize(std::span<const std::byte> bytes);
  Expected<void> save(const std::string &path) const;
  static Expected<Program> load(const std::string &path);

  /// Makes the code resident on CUDA device `device` (primary context). Call it
  /// before a CUDA-graph capture. Errors: NotFound without driver or device,
  /// Unsupported for another architecture, Device.
  Expected<LoadedProgram> loadOnDevice(int device) const;

  /// Runs a CPU program, on up to `threads` threads (0: one per core); results
  /// do not depend on the number. `inputs` and `outputs` are host addresses in
  /// the signature's order; `workspace` has workspaceBytes() (may be null when
  /// that is 0). Errors: InvalidArgument.
  Expected<void> runOnHost(std::span<const void *const> inputs,
                           std::span<void *const> outputs, void *workspace,
                           unsigned threads = 0) const;

  const ProgramData &data() const { return *impl; }
  size_t selectedEntry() const { return entryIndex; }

private:
  std::shared_ptr<const ProgramData> impl;
  size_t entryIndex;
};

/// A GPU program resident on one device.
class LoadedProgram {
public:
  struct State;
  LoadedProgram(std::shared_ptr<const State> state, size_t entry);

  /// The same resident code with another entry selected. Errors: NotFound.
  Expected<LoadedProgram> select(const std::string &entry) const;
  const Signature &signature() const;

  /// Enqueues one run on `stream` (a CUstream / cudaStream_t; null is the
  /// default stream). Never synchronises and never allocates; works under
  /// capture. Addresses are device addresses, in the signature's order; the
  /// caller keeps them alive until the stream has passed.
  /// Errors: InvalidArgument (count, null, misaligned), Device.
  Expected<void> launch(void *stream, std::span<const void *const> inputs,
                        std::span<void *const> outputs, void *workspace) const;

private:
  std::shared_ptr<const State> state;
  size_t entryIndex;
};

/// For tools and tests: allocates, copies in, runs, copies out. Programs that
/// care for speed keep their data on the device and use LoadedProgram.
///
/// `inputs` and `outputs` are host addresses in the signature's order. Outputs
/// and workspace are filled with NaN bytes first, so that an element nobody
/// wrote shows. Then times `rounds` further runs with events and returns their
/// milliseconds.
/// Errors: as Program::loadOnDevice and LoadedProgram::launch; OutOfMemory.
Expected<std::vector<float>> runOnDevice(const Program &program, int device,
                                         std::span<const void *const> inputs,
                                         std::span<void *const> outputs,
                                         unsigned rounds = 0);

} // namespace tilefuse

#endif // TILEFUSE_RUNTIME_H
