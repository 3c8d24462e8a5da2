//===- WgmmaPlan.cpp - wgmma instructions of a block's product ---*- C++ -*-===//

#include "dialects/Tile/Layout/WgmmaPlan.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/STLExtras.h"
#include <map>

using namespace tilefuse::tile;

/// Most columns of an instruction.
static constexpr size_t mostGroups = 256 / 8;
/// Elements of 16 bytes: a row of a core matrix, and the grain of descriptors.
static constexpr int64_t rowElements = 4;

namespace {
/// Eight columns of an instruction: where they start in shared memory.
struct Group {
  int64_t position;
  llvm::SmallVector<int64_t, 4> acc;
};
} // namespace

/// The position in shared memory of an element that a fragment register of lane
/// `lane` stands for, relative to that of lane 0.
static int64_t getPosition(const DistributedLayout &threads,
                           const SharedLayout &shared, int64_t reg,
                           int64_t lane, int64_t warp = 0) {
  return shared.getPosition(threads.getCoords(reg, lane, warp));
}

std::optional<llvm::SmallVector<llvm::SmallVector<WgmmaStep>>>
tilefuse::tile::planWgmma(const DotDims &dims, const MmaLayouts &layouts,
                          const SharedLayout &rhs) {
  if (rhs.getSwizzle().bits || layouts.acc.getNumWarps() < 4)
    return std::nullopt;
  auto plan = planMma(dims, layouts, 32);
  if (!plan)
    return std::nullopt;
  // Four warps see the same columns.
  for (int64_t warp : {1, 2})
    if (layouts.rhs.getCoords(0, 0, warp) != layouts.rhs.getCoords(0, 0, 0))
      return std::nullopt;
  // Inside a core matrix: lanes 0-1 are depth, lanes 2-4 columns.
  int64_t origin = getPosition(layouts.rhs, rhs, 0, 0);
  for (unsigned bit = 0; bit < 5; ++bit) {
    int64_t expected =
        bit < 2 ? int64_t(1) << bit : rowElements << (bit - 2);
    if (getPosition(layouts.rhs, rhs, 0, int64_t(1) << bit) - origin !=
        expected)
      return std::nullopt;
  }

  llvm::SmallVector<llvm::SmallVector<WgmmaStep>> result;
  for (const llvm::SmallVector<MmaStep> &depth : *plan) {
    result.emplace_back();
    std::map<std::vector<int64_t>, std::vector<Group>> rows;
    std::vector<std::vector<int64_t>> order;
    int64_t depthStride = 0;
    for (const MmaStep &step : depth) {
      int64_t low = getPosition(layouts.rhs, rhs, step.rhs[0], 0);
      int64_t high = getPosition(layouts.rhs, rhs, step.rhs[1], 0);
      if (depthStride && depthStride != high - low)
        return std::nullopt;
      depthStride = high - low;
      std::vector<int64_t> key(step.lhs.begin(), step.lhs.end());
      if (!rows.contains(key))
        order.push_back(key);
      rows[key].push_back({low, step.acc});
    }
    for (const std::vector<int64_t> &key : order) {
      std::vector<Group> &groups = rows[key];
      llvm::sort(groups, [](const Group &a, const Group &b) {
        return a.position < b.position;
      });
      // Runs of equal distances.
      for (size_t begin = 0; begin < groups.size();) {
        WgmmaStep step;
        step.lhs.assign(key.begin(), key.end());
        step.start = groups[begin].position;
        step.depthStride = depthStride;
        step.columnStride = 2 * 4 * rowElements;
        size_t end = begin + 1;
        if (end < groups.size())
          step.columnStride =
              groups[end].position - groups[begin].position;
        while (end < groups.size() && end - begin < mostGroups &&
               groups[end].position - groups[end - 1].position ==
                   step.columnStride)
          ++end;
        for (size_t i = begin; i < end; ++i)
          llvm::append_range(step.acc, groups[i].acc);
        if (step.start % rowElements || step.columnStride % rowElements ||
            step.depthStride % rowElements || step.depthStride <= 0)
          return std::nullopt;
        result.back().push_back(std::move(step));
        begin = end;
      }
    }
  }
  return result;
}
