//===- HostRun.cpp - running a CPU program --------------------------------===//
//
// Launches run one after another. The instances of one launch are taken from a
// counter by a pool of threads; they write disjoint elements, so the result
// does not depend on who runs which.
//
//===----------------------------------------------------------------------===//

#include "HostHooks.h"
#include "ProgramData.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

using namespace tilefuse;

namespace {

/// Asked once: the system takes longer to answer than a small program to run.
unsigned countCores() {
  static const unsigned count =
      std::max(1u, std::thread::hardware_concurrency());
  return count;
}

/// Workers that live as long as the process and help any caller.
class ThreadPool {
public:
  static ThreadPool &get() {
    static ThreadPool pool;
    return pool;
  }

  /// Runs `work` on the calling thread and on up to `helpers` workers, and
  /// returns when all of them are done. `work` must be ready to run any number
  /// of times at once.
  void run(unsigned helpers, const std::function<void()> &work) {
    helpers = std::min<unsigned>(helpers, workers.size());
    Job job{&work, helpers, 0};
    if (helpers) {
      std::lock_guard lock(mutex);
      jobs.push_back(&job);
      wake.notify_all();
    }
    work();
    if (!helpers)
      return;
    std::unique_lock lock(mutex);
    std::erase(jobs, &job);
    done.wait(lock, [&] { return job.active == 0; });
  }

private:
  struct Job {
    const std::function<void()> *work;
    unsigned wanted;
    unsigned active;
  };

  ThreadPool() {
    unsigned count = countCores() - 1;
    for (unsigned i = 0; i < count; ++i)
      workers.emplace_back([this] { serve(); });
  }

  ~ThreadPool() {
    {
      std::lock_guard lock(mutex);
      stopping = true;
      wake.notify_all();
    }
    for (std::thread &worker : workers)
      worker.join();
  }

  void serve() {
    std::unique_lock lock(mutex);
    for (;;) {
      wake.wait(lock, [&] { return stopping || !jobs.empty(); });
      if (stopping)
        return;
      Job *job = jobs.front();
      ++job->active;
      if (--job->wanted == 0)
        jobs.erase(jobs.begin());
      lock.unlock();
      (*job->work)();
      lock.lock();
      if (--job->active == 0)
        done.notify_all();
    }
  }

  std::mutex mutex;
  std::condition_variable wake, done;
  std::vector<Job *> jobs;
  std::vector<std::thread> workers;
  bool stopping = false;
};

} // namespace

Expected<void> Program::runOnHost(std::span<const void *const> inputs,
                                  std::span<void *const> outputs,
                                  void *workspace, unsigned threads) const {
  const ProgramData &data = *impl;
  if (!data.isHost())
    return Error{ErrorCode::InvalidArgument,
                 "the program is for " + data.target + ", not for the CPU",
                 {}};
  if (data.hostKernels.size() != data.kernels.size())
    return Error{ErrorCode::Unsupported,
                 "a loaded CPU program must be compiled again by the compiler "
                 "library before it runs",
                 {}};
  const EntryData &entry = data.entries[entryIndex];
  if (auto ok = checkArguments(entry, inputs, outputs, workspace); !ok)
    return ok;
  if (threads == 0)
    threads = countCores();

  HostFailure failure;
  for (const LaunchData &launch : entry.launches) {
    const KernelData &kernel = data.kernels[launch.kernel];
    std::vector<void *> arguments;
    arguments.reserve(launch.arguments.size());
    for (const BufferRef &ref : launch.arguments)
      arguments.push_back(
          resolve(ref, inputs, outputs, workspace, data.constants.data()));

    HostKernel code = data.hostKernels[launch.kernel];
    uint64_t total = kernel.grid[0] * kernel.grid[1] * kernel.grid[2];
    // Several instances a grab, so that short ones do not fight for the
    // counter.
    uint64_t grain = std::max<uint64_t>(1, total / (threads * 16ull));
    std::atomic<uint64_t> next = 0;
    auto work = [&] {
      HostFailure::Scope scope(failure);
      for (;;) {
        uint64_t begin = next.fetch_add(grain);
        if (begin >= total)
          return;
        uint64_t end = std::min(begin + grain, total);
        for (uint64_t i = begin; i < end; ++i)
          code(arguments.data(), i % kernel.grid[0],
               i / kernel.grid[0] % kernel.grid[1],
               i / (kernel.grid[0] * kernel.grid[1]));
      }
    };
    unsigned useful = std::min<uint64_t>(threads, (total + grain - 1) / grain);
    ThreadPool::get().run(useful - 1, work);
    if (failure.failed())
      return Error{ErrorCode::Device, failure.message(), {}};
  }
  return {};
}
