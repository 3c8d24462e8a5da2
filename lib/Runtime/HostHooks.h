//===- HostHooks.h - what CPU kernels call back -----------------*- C++ -*-===//
#ifndef TILEFUSE_LIB_RUNTIME_HOSTHOOKS_H
#define TILEFUSE_LIB_RUNTIME_HOSTHOOKS_H

#include <atomic>
#include <mutex>
#include <string>

namespace tilefuse {

/// Collects the first failed `tile.assert` of a run.
class HostFailure {
public:
  /// Directs this thread's failures to `failure` while alive.
  class Scope {
  public:
    explicit Scope(HostFailure &failure) : previous(current) {
      current = &failure;
    }
    ~Scope() { current = previous; }
    Scope(const Scope &) = delete;
    Scope &operator=(const Scope &) = delete;

  private:
    HostFailure *previous;
  };

  bool failed() const { return isSet.load(std::memory_order_acquire); }
  std::string message() const {
    std::lock_guard lock(mutex);
    return text;
  }

  /// Records `message` for the run of the calling thread.
  static void report(const char *message) {
    if (!current)
      return;
    std::lock_guard lock(current->mutex);
    if (current->isSet.load(std::memory_order_relaxed))
      return;
    current->text = message;
    current->isSet.store(true, std::memory_order_release);
  }

private:
  static inline thread_local HostFailure *current = nullptr;
  mutable std::mutex mutex;
  std::string text;
  std::atomic<bool> isSet = false;
};

} // namespace tilefuse

// Called by the code of CPU kernels; the JIT resolves them by name.
extern "C" {
/// A `tile.assert` failed; the run ends with `message` as its error.
void tilefuse_assert_failed(const char *message);
}

#endif // TILEFUSE_LIB_RUNTIME_HOSTHOOKS_H
