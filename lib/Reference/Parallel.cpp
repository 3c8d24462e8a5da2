//===- Parallel.cpp - loops over all cores ----------------------*- C++ -*-===//

#include "lib/Reference/Parallel.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

namespace tilefuse::reference {

void parallelFor(int64_t count, int64_t grain,
                 llvm::function_ref<void(int64_t, int64_t)> body) {
  if (count <= 0)
    return;
  grain = std::max<int64_t>(grain, 1);
  int64_t pieces = (count + grain - 1) / grain;
  int64_t cores = std::max(1u, std::thread::hardware_concurrency());
  std::atomic<int64_t> next{0};
  auto work = [&] {
    for (int64_t piece = next++; piece < pieces; piece = next++)
      body(piece * grain, std::min(count, (piece + 1) * grain));
  };
  std::vector<std::thread> threads;
  for (int64_t i = 1; i < std::min(cores, pieces); ++i)
    threads.emplace_back(work);
  work();
  for (std::thread &thread : threads)
    thread.join();
}

} // namespace tilefuse::reference
