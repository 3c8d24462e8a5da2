//===- Program.cpp - the public face of a compiled program ----------------===//

#include "ProgramData.h"

#include <cstdio>
#include <fstream>
#include <system_error>

using namespace tilefuse;

const char *tilefuse::toString(ErrorCode code) {
  switch (code) {
  case ErrorCode::InvalidArgument:
    return "invalid argument";
  case ErrorCode::InvalidSource:
    return "invalid source";
  case ErrorCode::InvalidProgram:
    return "invalid program";
  case ErrorCode::Unsupported:
    return "unsupported";
  case ErrorCode::NotFound:
    return "not found";
  case ErrorCode::OutOfMemory:
    return "out of memory";
  case ErrorCode::Device:
    return "device error";
  case ErrorCode::Internal:
    break;
  }
  return "internal error";
}

size_t tilefuse::getByteSize(DType type) {
  switch (type) {
  case DType::I1:
  case DType::I8:
    return 1;
  case DType::F16:
  case DType::BF16:
    return 2;
  case DType::F32:
  case DType::I32:
    return 4;
  case DType::F64:
  case DType::I64:
    break;
  }
  return 8;
}

const char *tilefuse::toString(DType type) {
  static const char *const names[] = {"f32", "f16", "bf16", "f64",
                                      "i1",  "i8",  "i32",  "i64"};
  return names[static_cast<unsigned>(type)];
}

int64_t ArgumentInfo::getNumElements() const {
  int64_t count = 1;
  for (int64_t extent : shape)
    count *= extent;
  return count;
}

size_t ArgumentInfo::getByteSize() const {
  int64_t last = 0;
  for (size_t i = 0; i < shape.size(); ++i)
    last += (shape[i] - 1) * strides[i];
  return static_cast<size_t>(last + 1) * tilefuse::getByteSize(dtype);
}

Program::Program(std::shared_ptr<const ProgramData> data, size_t entry)
    : impl(std::move(data)), entryIndex(entry) {}

Expected<size_t> ProgramData::find(const std::string &entry) const {
  for (size_t i = 0; i < entries.size(); ++i)
    if (entries[i].signature.entry == entry)
      return i;
  return Error{ErrorCode::NotFound,
               "the program has no entry '" + entry + "'",
               {}};
}

std::vector<std::string> Program::entries() const {
  std::vector<std::string> names;
  for (const EntryData &entry : impl->entries)
    names.push_back(entry.signature.entry);
  return names;
}

Expected<Program> Program::select(const std::string &entry) const {
  Expected<size_t> found = impl->find(entry);
  if (!found)
    return found.error();
  return Program(impl, *found);
}

const Signature &Program::signature() const {
  return impl->entries[entryIndex].signature;
}
const std::string &Program::target() const { return impl->target; }
size_t Program::workspaceBytes() const {
  return impl->entries[entryIndex].workspaceBytes;
}
const std::string &Program::ptx() const { return impl->ptx; }
const std::string &Program::cubin() const { return impl->cubin; }

std::vector<LaunchInfo> Program::launches() const {
  std::vector<LaunchInfo> result;
  for (const LaunchData &launch : impl->entries[entryIndex].launches) {
    const KernelData &kernel = impl->kernels[launch.kernel];
    result.push_back({kernel.name,
                      {kernel.grid[0], kernel.grid[1], kernel.grid[2]},
                      kernel.threads,
                      kernel.sharedBytes,
                      launch.bytes,
                      launch.isFinish});
  }
  return result;
}

std::vector<std::byte> Program::serialize() const {
  return serializeProgram(*impl);
}

Expected<Program> Program::deserialize(std::span<const std::byte> bytes) {
  Expected<std::shared_ptr<ProgramData>> data = deserializeProgram(bytes);
  if (!data)
    return data.error();
  return Program(*data);
}

// Written beside the target and renamed, so that a reader never sees half.
Expected<void> Program::save(const std::string &path) const {
  std::string temporary = path + ".part";
  std::vector<std::byte> bytes = serialize();
  {
    std::ofstream file(temporary, std::ios::binary | std::ios::trunc);
    file.write(reinterpret_cast<const char *>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
    if (!file)
      return Error{ErrorCode::NotFound, "cannot write the program", path};
  }
  if (std::rename(temporary.c_str(), path.c_str()) != 0) {
    std::remove(temporary.c_str());
    return Error{ErrorCode::NotFound, "cannot write the program", path};
  }
  return {};
}

Expected<Program> Program::load(const std::string &path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file)
    return Error{ErrorCode::NotFound, "cannot open the program", path};
  std::streamoff size = file.tellg();
  if (size < 0)
    return Error{ErrorCode::NotFound, "cannot read the program", path};
  std::vector<std::byte> bytes(static_cast<size_t>(size));
  file.seekg(0);
  file.read(reinterpret_cast<char *>(bytes.data()), size);
  if (!file)
    return Error{ErrorCode::NotFound, "cannot read the program", path};
  Expected<Program> program = deserialize(bytes);
  if (program)
    return program;
  Error error = program.error();
  error.location = path;
  return error;
}

Expected<void> tilefuse::checkArguments(const EntryData &entry,
                                        std::span<const void *const> inputs,
                                        std::span<void *const> outputs,
                                        const void *workspace) {
  auto invalid = [](std::string message) {
    return Error{ErrorCode::InvalidArgument, std::move(message), {}};
  };
  auto checkList = [&](auto list, const std::vector<ArgumentInfo> &infos,
                       const char *what) -> Expected<void> {
    if (list.size() != infos.size())
      return invalid("expected " + std::to_string(infos.size()) + " " + what +
                     "s, found " + std::to_string(list.size()));
    for (size_t i = 0; i < infos.size(); ++i) {
      auto address = reinterpret_cast<uintptr_t>(list[i]);
      if (!address)
        return invalid(std::string(what) + " '" + infos[i].name + "' is null");
      if (address % infos[i].alignment)
        return invalid(std::string(what) + " '" + infos[i].name +
                       "' must be aligned to " +
                       std::to_string(infos[i].alignment) + " bytes");
    }
    return {};
  };
  if (auto ok = checkList(inputs, entry.signature.inputs, "input"); !ok)
    return ok;
  if (auto ok = checkList(outputs, entry.signature.outputs, "output"); !ok)
    return ok;
  if (entry.workspaceBytes && !workspace)
    return invalid("the program needs a workspace of " +
                   std::to_string(entry.workspaceBytes) + " bytes");
  if (reinterpret_cast<uintptr_t>(workspace) % 256)
    return invalid("the workspace must be aligned to 256 bytes");
  return {};
}

void *tilefuse::resolve(const BufferRef &ref,
                        std::span<const void *const> inputs,
                        std::span<void *const> outputs, void *workspace,
                        const void *constants) {
  const void *base = nullptr;
  switch (ref.kind) {
  case BufferKind::Input:
    base = inputs[ref.index];
    break;
  case BufferKind::Output:
    base = outputs[ref.index];
    break;
  case BufferKind::Workspace:
    base = workspace;
    break;
  case BufferKind::Constant:
    base = constants;
    break;
  }
  return const_cast<char *>(static_cast<const char *>(base)) + ref.offset;
}
