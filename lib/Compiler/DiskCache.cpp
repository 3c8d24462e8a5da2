//===- DiskCache.cpp - compiled programs kept between processes -----------===//
//
// One file an entry, named by the digest of its key. Little-endian:
//   8 bytes   magic "TFCACHE1"
//   3 x u64   bytes of key, program, machine code
//   16 bytes  XXH3-128 digest of all that follows
//   key, program, machine code
// The digest finds damage. Against malice stands the folder, which nobody else
// may enter; the key is stored whole and compared, since two keys may have one
// digest.
//
//===----------------------------------------------------------------------===//

#include "DiskCache.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <tuple>
#include <vector>

#include <dirent.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace tilefuse;

namespace {

constexpr char Magic[8] = {'T', 'F', 'C', 'A', 'C', 'H', 'E', '1'};
constexpr llvm::StringLiteral Suffix = ".tfc";

struct Header {
  char magic[8];
  uint64_t keyBytes, programBytes, objectBytes;
  unsigned char digest[16];
};

std::string getFileName(llvm::StringRef key) {
  XXH128_canonical_t digest;
  XXH128_canonicalFromHash(&digest, XXH3_128bits(key.data(), key.size()));
  return llvm::toHex(llvm::ArrayRef<uint8_t>(digest.digest),
                     /*LowerCase=*/true) +
         Suffix.str();
}

void setDigest(unsigned char (&digest)[16], llvm::StringRef payload) {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical,
                           XXH3_128bits(payload.data(), payload.size()));
  std::memcpy(digest, canonical.digest, sizeof(digest));
}

std::string getDefaultDirectory() {
  if (const char *chosen = std::getenv("TILEFUSE_CACHE_DIR"))
    return chosen;
  llvm::SmallString<128> path;
  const char *base = std::getenv("XDG_CACHE_HOME");
  if (base && *base) {
    path = base;
  } else {
    const char *home = std::getenv("HOME");
    if (!home || !*home)
      return "";
    path = home;
    llvm::sys::path::append(path, ".cache");
  }
  llvm::sys::path::append(path, "tilefuse");
  return path.str().str();
}

bool writeAll(int file, llvm::StringRef bytes) {
  while (!bytes.empty()) {
    ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written <= 0)
      return false;
    bytes = bytes.drop_front(written);
  }
  return true;
}

// The bytes of a regular file that this user owns.
std::optional<std::string> readFile(int folder, const char *name) {
  int file =
      ::openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
  if (file < 0)
    return std::nullopt;
  llvm::scope_exit close([&] { ::close(file); });
  struct stat status;
  if (::fstat(file, &status) != 0 || !S_ISREG(status.st_mode) ||
      status.st_uid != ::geteuid())
    return std::nullopt;
  std::string bytes(status.st_size, '\0');
  size_t have = 0;
  while (have < bytes.size()) {
    ssize_t got = ::read(file, bytes.data() + have, bytes.size() - have);
    if (got <= 0)
      return std::nullopt;
    have += got;
  }
  return bytes;
}

} // namespace

std::optional<DiskCache> DiskCache::open(llvm::StringRef directory) {
  std::string path =
      directory.empty() ? getDefaultDirectory() : directory.str();
  if (!llvm::sys::path::is_absolute(path))
    return std::nullopt;
  if (::mkdir(path.c_str(), 0700) != 0 && errno == ENOENT) {
    llvm::sys::fs::create_directories(llvm::sys::path::parent_path(path));
    ::mkdir(path.c_str(), 0700);
  }
  int folder = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0)
    return std::nullopt;
  struct stat status;
  if (::fstat(folder, &status) != 0 || status.st_uid != ::geteuid() ||
      (status.st_mode & 0077) != 0) {
    ::close(folder);
    return std::nullopt;
  }
  return DiskCache(folder);
}

DiskCache::~DiskCache() {
  if (folder >= 0)
    ::close(folder);
}

std::optional<CacheEntry> DiskCache::find(llvm::StringRef key) const {
  std::string name = getFileName(key);
  std::optional<std::string> bytes = readFile(folder, name.c_str());
  Header header;
  if (!bytes || bytes->size() < sizeof(header))
    return std::nullopt;
  std::memcpy(&header, bytes->data(), sizeof(header));
  llvm::StringRef payload = llvm::StringRef(*bytes).drop_front(sizeof(header));
  if (std::memcmp(header.magic, Magic, sizeof(Magic)) != 0 ||
      header.keyBytes != key.size() || header.programBytes > payload.size() ||
      header.objectBytes > payload.size() ||
      header.keyBytes + header.programBytes + header.objectBytes !=
          payload.size())
    return std::nullopt;
  unsigned char digest[16];
  setDigest(digest, payload);
  if (std::memcmp(digest, header.digest, sizeof(digest)) != 0 ||
      !payload.consume_front(key))
    return std::nullopt;
  // Used now: the last to be removed.
  ::utimensat(folder, name.c_str(), nullptr, AT_SYMLINK_NOFOLLOW);
  return CacheEntry{payload.take_front(header.programBytes).str(),
                    payload.drop_front(header.programBytes).str()};
}

// Written beside its place and renamed: a reader sees all of it or nothing.
void DiskCache::store(llvm::StringRef key, const CacheEntry &entry,
                      uint64_t maxBytes) const {
  std::string payload = key.str() + entry.program + entry.object;
  Header header;
  std::memcpy(header.magic, Magic, sizeof(Magic));
  header.keyBytes = key.size();
  header.programBytes = entry.program.size();
  header.objectBytes = entry.object.size();
  setDigest(header.digest, payload);

  static std::atomic<unsigned> counter = 0;
  std::string name = getFileName(key);
  std::string part = name + "." + std::to_string(::getpid()) + "." +
                     std::to_string(counter++) + ".part";
  int file =
      ::openat(folder, part.c_str(),
               O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (file < 0)
    return;
  bool ok = writeAll(file, {reinterpret_cast<const char *>(&header),
                            sizeof(header)}) &&
            writeAll(file, payload);
  ok = ::close(file) == 0 && ok;
  if (!ok || ::renameat(folder, part.c_str(), folder, name.c_str()) != 0) {
    ::unlinkat(folder, part.c_str(), 0);
    return;
  }
  prune(maxBytes);
}

void DiskCache::prune(uint64_t maxBytes) const {
  struct Item {
    std::string name;
    int64_t seconds, nanoseconds;
    uint64_t bytes;
  };
  int copy = ::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *list = copy < 0 ? nullptr : ::fdopendir(copy);
  if (!list) {
    if (copy >= 0)
      ::close(copy);
    return;
  }
  std::vector<Item> items;
  uint64_t total = 0;
  while (dirent *item = ::readdir(list)) {
    struct stat status;
    // A file of another name is not ours to remove, but for the parts of
    // writers that were killed.
    llvm::StringRef name = item->d_name;
    if (!name.ends_with(Suffix) && !name.ends_with(".part"))
      continue;
    if (::fstatat(folder, item->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0 ||
        !S_ISREG(status.st_mode))
      continue;
    total += status.st_size;
    items.push_back({name.str(), status.st_mtim.tv_sec, status.st_mtim.tv_nsec,
                     static_cast<uint64_t>(status.st_size)});
  }
  ::closedir(list);
  if (total <= maxBytes)
    return;
  std::sort(items.begin(), items.end(), [](const Item &a, const Item &b) {
    return std::tie(a.seconds, a.nanoseconds, a.name) <
           std::tie(b.seconds, b.nanoseconds, b.name);
  });
  for (const Item &item : items) {
    if (total <= maxBytes)
      return;
    if (::unlinkat(folder, item.name.c_str(), 0) == 0)
      total -= item.bytes;
  }
}

std::string tilefuse::getBuildId(const void *address) {
  struct Search {
    uintptr_t address;
    std::string id;
  } search{reinterpret_cast<uintptr_t>(address), ""};
  ::dl_iterate_phdr(
      [](dl_phdr_info *info, size_t, void *data) {
        auto &search = *static_cast<Search *>(data);
        auto headers = llvm::ArrayRef(info->dlpi_phdr, info->dlpi_phnum);
        if (llvm::none_of(headers, [&](const ElfW(Phdr) & header) {
              return header.p_type == PT_LOAD &&
                     search.address - (info->dlpi_addr + header.p_vaddr) <
                         header.p_memsz;
            }))
          return 0;
        for (const ElfW(Phdr) &header : headers) {
          if (header.p_type != PT_NOTE)
            continue;
          auto align = [](size_t size) { return (size + 3) & ~size_t(3); };
          const char *note =
              reinterpret_cast<const char *>(info->dlpi_addr + header.p_vaddr);
          const char *end = note + header.p_memsz;
          while (note + sizeof(ElfW(Nhdr)) <= end) {
            ElfW(Nhdr) fields;
            std::memcpy(&fields, note, sizeof(fields));
            const char *name = note + sizeof(fields);
            const char *value = name + align(fields.n_namesz);
            if (fields.n_type == NT_GNU_BUILD_ID && fields.n_namesz == 4 &&
                std::memcmp(name, "GNU", 4) == 0) {
              search.id = llvm::toHex(
                  llvm::ArrayRef(reinterpret_cast<const uint8_t *>(value),
                                 fields.n_descsz),
                  /*LowerCase=*/true);
              return 1;
            }
            note = value + align(fields.n_descsz);
          }
        }
        return 1;
      },
      &search);
  return search.id;
}
