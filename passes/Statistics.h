//===- Statistics.h - what passes counted ------------------------*- C++ -*-===//
//
// The `statistics` of a Passes.td. MLIR's own class counts nothing when LLVM was
// built without statistics, as Debian's is, so the build replaces it by the class
// here in what TableGen writes (tilefuse_passes in cmake/TilefuseLibrary.cmake).
//
//===----------------------------------------------------------------------===//
#ifndef TILEFUSE_PASSES_STATISTICS_H
#define TILEFUSE_PASSES_STATISTICS_H

#include "mlir/Pass/Pass.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/JSON.h"

#include <atomic>
#include <vector>

namespace tilefuse {

/// Collects what the passes count that are made and destroyed on this thread
/// while it lives. Scopes nest; the innermost one collects.
class StatisticsScope {
public:
  struct Entry {
    llvm::StringRef pass, name, description;
    uint64_t count;
  };

  StatisticsScope() : outer(current) { current = this; }
  ~StatisticsScope() { current = outer; }
  StatisticsScope(const StatisticsScope &) = delete;
  StatisticsScope &operator=(const StatisticsScope &) = delete;

  static StatisticsScope *getCurrent() { return current; }

  /// Passes of one name (clones for threads, a pass that runs twice) are summed.
  void add(const Entry &added) {
    for (Entry &entry : entries)
      if (entry.pass == added.pass && entry.name == added.name) {
        entry.count += added.count;
        return;
      }
    // A pass destroys its counts from the last to the first.
    entries.insert(llvm::find_if(entries,
                                 [&](const Entry &entry) {
                                   return entry.pass == added.pass;
                                 }),
                   added);
  }

  /// In the order in which the passes were destroyed: that of the pipeline.
  const std::vector<Entry> &getEntries() const { return entries; }

  /// {pass: {name: count}}
  llvm::json::Object toJSON() const {
    llvm::json::Object passes;
    for (const Entry &entry : entries) {
      llvm::json::Value &pass =
          passes.try_emplace(entry.pass, llvm::json::Object()).first->second;
      (*pass.getAsObject())[entry.name] = static_cast<int64_t>(entry.count);
    }
    return passes;
  }

  /// A line per count, beneath a line per pass.
  void print(llvm::raw_ostream &os) const {
    llvm::StringRef pass;
    for (const Entry &entry : entries) {
      if (entry.pass != pass)
        os << entry.pass << "\n";
      pass = entry.pass;
      os << llvm::format("  %12llu  ", (unsigned long long)entry.count)
         << entry.name << ": " << entry.description << "\n";
    }
  }

private:
  static inline thread_local StatisticsScope *current = nullptr;
  StatisticsScope *outer;
  std::vector<Entry> entries;
};

/// One count of one pass; goes to the scope when the pass is destroyed.
class PassStatistic {
public:
  // The strings are literals that TableGen writes. `owner` is under construction,
  // but already of the class that has the argument.
  PassStatistic(mlir::Pass *owner, const char *name, const char *description)
      : pass(owner->getArgument()), name(name), description(description) {}
  ~PassStatistic() {
    if (StatisticsScope *scope = StatisticsScope::getCurrent())
      scope->add({pass, name, description, count.load()});
  }
  PassStatistic(const PassStatistic &) = delete;
  PassStatistic &operator=(const PassStatistic &) = delete;

  PassStatistic &operator++() { return *this += 1; }
  PassStatistic &operator+=(uint64_t added) {
    count.fetch_add(added, std::memory_order_relaxed);
    return *this;
  }

private:
  llvm::StringRef pass, name, description;
  std::atomic<uint64_t> count = 0;
};

} // namespace tilefuse

#endif // TILEFUSE_PASSES_STATISTICS_H
