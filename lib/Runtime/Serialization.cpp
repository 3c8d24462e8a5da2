//===- Serialization.cpp - the Program file -------------------------------===//
//
// Little-endian:
//   8 bytes   magic "TILEFUSE"
//   u32       format version
//   u64       payload bytes
//   16 bytes  XXH3-128 digest of the payload (canonical order)
//   payload   the fields of ProgramData in order; a list or string is a u64
//             count followed by its elements
// A reader checks every count against the bytes that are left, so damaged
// or hostile files give an error, never a crash or a large allocation.
//
//===----------------------------------------------------------------------===//

#include "ProgramData.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <type_traits>

using namespace tilefuse;

static_assert(std::endian::native == std::endian::little,
              "program files are little-endian");

namespace {

constexpr char Magic[8] = {'T', 'I', 'L', 'E', 'F', 'U', 'S', 'E'};
/// Version 1 did not say which inputs may be updated in place.
constexpr uint32_t FormatVersion = 2, OldestVersion = 1;
constexpr size_t HeaderBytes = 8 + 4 + 8 + 16;
constexpr uint64_t MaxRank = 64;

class Writer {
public:
  std::vector<std::byte> bytes;

  template <typename T>
    requires std::is_arithmetic_v<T> || std::is_enum_v<T>
  void write(T value) {
    append(&value, sizeof(T));
  }
  void write(const std::string &text) {
    write<uint64_t>(text.size());
    append(text.data(), text.size());
  }
  void write(const std::vector<std::byte> &blob) {
    write<uint64_t>(blob.size());
    append(blob.data(), blob.size());
  }
  template <typename T> void write(const std::vector<T> &list) {
    write<uint64_t>(list.size());
    for (const T &element : list)
      write(element);
  }
  void write(const ArgumentInfo &info) {
    write(info.name);
    write(info.dtype);
    write(info.shape);
    write(info.strides);
    write(info.alignment);
    write(info.aliasResult);
    write<uint8_t>(info.inPlace);
  }
  void write(const KernelData &kernel) {
    write(kernel.name);
    for (uint64_t extent : kernel.grid)
      write(extent);
    write(kernel.threads);
    write(kernel.cluster);
    write(kernel.sharedBytes);
  }
  void write(const BufferRef &ref) {
    write(ref.kind);
    write(ref.index);
    write(ref.offset);
  }
  void write(const SavedSource &source) {
    write(source.kind);
    write(source.index);
  }
  void write(const EntryData &entry) {
    write(entry.signature.entry);
    write(entry.signature.inputs);
    write(entry.signature.outputs);
    write(entry.signature.saved);
    write(entry.launches);
    write(entry.workspaceBytes);
  }
  void write(const LaunchData &launch) {
    write(launch.kernel);
    write(launch.arguments);
    write(launch.bytes);
    write<uint8_t>(launch.isFinish);
  }

private:
  void append(const void *data, size_t size) {
    const auto *begin = static_cast<const std::byte *>(data);
    bytes.insert(bytes.end(), begin, begin + size);
  }
};

class Reader {
public:
  explicit Reader(std::span<const std::byte> bytes,
                  uint32_t version = FormatVersion)
      : rest(bytes), version(version) {}

  bool failed = false;
  bool atEnd() const { return rest.empty(); }

  template <typename T>
    requires std::is_arithmetic_v<T> || std::is_enum_v<T>
  void read(T &value) {
    if (rest.size() < sizeof(T)) {
      failed = true;
      value = T{};
      return;
    }
    std::memcpy(&value, rest.data(), sizeof(T));
    rest = rest.subspan(sizeof(T));
  }
  void read(std::string &text) {
    uint64_t size = readCount(1);
    text.assign(reinterpret_cast<const char *>(rest.data()), size);
    rest = rest.subspan(size);
  }
  void read(std::vector<std::byte> &blob) {
    uint64_t size = readCount(1);
    blob.assign(rest.begin(), rest.begin() + size);
    rest = rest.subspan(size);
  }
  template <typename T> void read(std::vector<T> &list) {
    uint64_t count = readCount(std::is_arithmetic_v<T> ? sizeof(T) : 5);
    list.clear();
    for (uint64_t i = 0; i < count && !failed; ++i)
      read(list.emplace_back());
  }
  void read(ArgumentInfo &info) {
    read(info.name);
    read(info.dtype);
    read(info.shape);
    read(info.strides);
    read(info.alignment);
    read(info.aliasResult);
    uint8_t inPlace = 0;
    if (version >= 2)
      read(inPlace);
    info.inPlace = inPlace != 0;
  }
  void read(KernelData &kernel) {
    read(kernel.name);
    for (uint64_t &extent : kernel.grid)
      read(extent);
    read(kernel.threads);
    read(kernel.cluster);
    read(kernel.sharedBytes);
  }
  void read(BufferRef &ref) {
    read(ref.kind);
    read(ref.index);
    read(ref.offset);
  }
  void read(SavedSource &source) {
    read(source.kind);
    read(source.index);
  }
  void read(EntryData &entry) {
    read(entry.signature.entry);
    read(entry.signature.inputs);
    read(entry.signature.outputs);
    read(entry.signature.saved);
    read(entry.launches);
    read(entry.workspaceBytes);
  }
  void read(LaunchData &launch) {
    read(launch.kernel);
    read(launch.arguments);
    read(launch.bytes);
    uint8_t isFinish = 0;
    read(isFinish);
    launch.isFinish = isFinish != 0;
  }

private:
  // A count of elements that take at least `minimum` bytes each.
  uint64_t readCount(uint64_t minimum) {
    uint64_t count = 0;
    read(count);
    if (count > rest.size() / minimum) {
      failed = true;
      return 0;
    }
    return count;
  }

  std::span<const std::byte> rest;
  uint32_t version;
};

bool isSane(const ArgumentInfo &info) {
  if (info.dtype > DType::I64 || info.shape.size() != info.strides.size() ||
      info.shape.size() > MaxRank || !std::has_single_bit(info.alignment))
    return false;
  // The extent in bytes must be representable.
  unsigned __int128 last = 0;
  for (size_t i = 0; i < info.shape.size(); ++i) {
    if (info.shape[i] <= 0 || info.strides[i] < 0)
      return false;
    last += static_cast<unsigned __int128>(info.shape[i] - 1) *
            static_cast<uint64_t>(info.strides[i]);
    if (last >> 56)
      return false;
  }
  return true;
}

bool isSane(const ProgramData &data, const EntryData &entry,
            const BufferRef &ref) {
  switch (ref.kind) {
  case BufferKind::Input:
    return ref.index < entry.signature.inputs.size() &&
           ref.offset < entry.signature.inputs[ref.index].getByteSize();
  case BufferKind::Output:
    return ref.index < entry.signature.outputs.size() &&
           ref.offset < entry.signature.outputs[ref.index].getByteSize();
  case BufferKind::Workspace:
    return ref.offset < entry.workspaceBytes;
  case BufferKind::Constant:
    return ref.offset < data.constants.size();
  }
  return false;
}

bool isSane(const ProgramData &data, const EntryData &entry) {
  const Signature &signature = entry.signature;
  for (const auto *list : {&signature.inputs, &signature.outputs})
    for (const ArgumentInfo &info : *list)
      if (!isSane(info))
        return false;
  if (signature.saved.size() > signature.inputs.size())
    return false;
  for (const SavedSource &source : signature.saved)
    if (source.kind > SavedSource::Kind::Residual)
      return false;
  for (const LaunchData &launch : entry.launches) {
    if (launch.kernel >= data.kernels.size())
      return false;
    for (const BufferRef &ref : launch.arguments)
      if (!isSane(data, entry, ref))
        return false;
  }
  return true;
}

bool isSane(const ProgramData &data) {
  for (const KernelData &kernel : data.kernels)
    for (uint64_t extent : kernel.grid)
      if (extent == 0 || extent >> 40)
        return false;
  return !data.entries.empty() &&
         std::all_of(data.entries.begin(), data.entries.end(),
                     [&](const EntryData &entry) { return isSane(data, entry); });
}

XXH128_canonical_t getDigest(std::span<const std::byte> payload) {
  XXH128_canonical_t digest;
  XXH128_canonicalFromHash(&digest,
                           XXH3_128bits(payload.data(), payload.size()));
  return digest;
}

Error invalid(const char *message) {
  return Error{ErrorCode::InvalidProgram, message, {}};
}

// One list of fields for both directions.
template <typename Io, typename Data> void transfer(Io &&io, Data &data) {
  io(data.target);
  io(data.scheduleTarget);
  io(data.entries);
  io(data.kernels);
  io(data.constants);
  io(data.ptx);
  io(data.cubin);
  io(data.source);
}

} // namespace

std::vector<std::byte> tilefuse::serializeProgram(const ProgramData &data) {
  Writer payload;
  transfer([&](const auto &field) { payload.write(field); }, data);
  Writer file;
  for (char c : Magic)
    file.write(c);
  file.write(FormatVersion);
  file.write<uint64_t>(payload.bytes.size());
  XXH128_canonical_t digest = getDigest(payload.bytes);
  for (unsigned char byte : digest.digest)
    file.write(byte);
  file.bytes.insert(file.bytes.end(), payload.bytes.begin(),
                    payload.bytes.end());
  return std::move(file.bytes);
}

Expected<std::shared_ptr<ProgramData>>
tilefuse::deserializeProgram(std::span<const std::byte> bytes) {
  if (bytes.size() < sizeof(Magic) ||
      std::memcmp(bytes.data(), Magic, sizeof(Magic)) != 0)
    return invalid("not a tilefuse program");
  if (bytes.size() < HeaderBytes)
    return invalid("the program is truncated");
  Reader header(bytes.subspan(sizeof(Magic)));
  uint32_t version = 0;
  uint64_t size = 0;
  header.read(version);
  header.read(size);
  if (version < OldestVersion || version > FormatVersion)
    return invalid("the program has another format version than this build "
                   "reads; compile it again");
  std::span<const std::byte> payload = bytes.subspan(HeaderBytes);
  if (payload.size() != size)
    return invalid("the program is truncated or has bytes at its end");
  XXH128_canonical_t digest = getDigest(payload);
  if (std::memcmp(digest.digest, bytes.data() + HeaderBytes - 16, 16) != 0)
    return invalid("the program is damaged: its digest does not match");

  auto data = std::make_shared<ProgramData>();
  Reader reader(payload, version);
  transfer([&](auto &field) { reader.read(field); }, *data);
  if (reader.failed || !reader.atEnd() || !isSane(*data))
    return invalid("the program is malformed");
  return data;
}
