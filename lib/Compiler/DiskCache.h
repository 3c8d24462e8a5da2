//===- DiskCache.h - compiled programs kept between processes ---*- C++ -*-===//
#ifndef TILEFUSE_LIB_COMPILER_DISKCACHE_H
#define TILEFUSE_LIB_COMPILER_DISKCACHE_H

#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <optional>
#include <string>

namespace tilefuse {

/// What an entry holds: a serialised program and, for the CPU, its machine
/// code.
struct CacheEntry {
  std::string program;
  std::string object;
};

/// A folder of compiled programs that belongs to this user alone. No call
/// fails: what cannot be read is a miss, what cannot be written is not kept.
/// Thread-safe, also between processes.
class DiskCache {
public:
  /// Opens `directory`, or when that is empty the user's own:
  /// `$TILEFUSE_CACHE_DIR`, `$XDG_CACHE_HOME/tilefuse` or
  /// `$HOME/.cache/tilefuse`, the first that is set. Makes it with mode 0700.
  /// No cache when the path is relative or empty, or the folder is another
  /// user's or open to others.
  static std::optional<DiskCache> open(llvm::StringRef directory);

  DiskCache(DiskCache &&other) : folder(other.folder) { other.folder = -1; }
  DiskCache &operator=(DiskCache &&) = delete;
  ~DiskCache();

  /// The entry stored under exactly this key.
  std::optional<CacheEntry> find(llvm::StringRef key) const;

  /// Stores an entry; then removes the least recently used ones until
  /// `maxBytes` suffice.
  void store(llvm::StringRef key, const CacheEntry &entry,
             uint64_t maxBytes = DefaultMaxBytes) const;

  static constexpr uint64_t DefaultMaxBytes = uint64_t(1) << 30;

private:
  explicit DiskCache(int folder) : folder(folder) {}
  void prune(uint64_t maxBytes) const;

  /// A descriptor of the folder: what was checked is what is used.
  int folder;
};

/// Identifies the code of the library or program that `address` lies in: its
/// GNU build id, as hexadecimal digits. Empty when it was linked without one.
std::string getBuildId(const void *address);

} // namespace tilefuse

#endif // TILEFUSE_LIB_COMPILER_DISKCACHE_H
