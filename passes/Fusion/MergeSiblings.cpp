//===- MergeSiblings.cpp - kernels that read the same become one -*- C++ -*-===//
//
// Ops join the kernel of an operand (JoinConsumers.cpp); two kernels that read
// the same large value and nothing of each other stay apart there:
//
//   conv -> - mean -> * dy -> sum      and      dy -> sum
//
// Both visit dy, so one kernel can do both while it holds a tile of it, around
// the anchor of the one that has one. Pairs are tried where they share most
// bytes first; the structure says whether one tile serves both (it does not when
// they need it cut differently), and the model whether that is cheaper. A
// contraction so deep that several instances share each of its tiles stays by
// itself: with sums across tiles behind it one instance would do all the work.
//
//===----------------------------------------------------------------------===//

#include "passes/Fusion/KernelGroups.h"
#include "passes/Fusion/ScheduleHeuristic.h"

using namespace mlir;
using namespace tilefuse;

/// Analysing a kernel is linear in its ops.
static constexpr size_t kMaxOps = 128;
/// Reading less than this twice is no reason to share a kernel.
static constexpr int64_t kSharedBytes = 1 << 16;

namespace {

class Merger {
public:
  Merger(KernelGroups &groups, RefusalFn refuse)
      : groups(groups), refuse(refuse) {}

  void run() {
    for (bool changed = true; changed;) {
      changed = false;
      for (const Pair &pair : getPairs())
        if (merge(pair)) {
          changed = true;
          break;
        }
    }
  }

private:
  struct Pair {
    int64_t bytes;
    unsigned into, from;
  };

  bool isCandidate(unsigned index) const {
    return groups.isAlive(index) && !groups[index].isHost;
  }

  int64_t getSharedBytes(unsigned one, unsigned other) const {
    SmallVector<Value> inputs = groups.getInputs(groups[one].ops);
    int64_t bytes = 0;
    for (Value input : groups.getInputs(groups[other].ops))
      if (llvm::is_contained(inputs, input)) {
        int64_t size = getByteSize(input.getType());
        bytes += size >= kSharedBytes ? size : 0;
      }
    return bytes;
  }

  /// Pairs not refused yet, the most shared bytes first. What has an anchor
  /// takes in what has none.
  SmallVector<Pair> getPairs() const {
    SmallVector<Pair> pairs;
    for (unsigned one = 0; one < groups.size(); ++one)
      for (unsigned other = one + 1; other < groups.size(); ++other) {
        if (!isCandidate(one) || !isCandidate(other) ||
            (groups[one].anchor && groups[other].anchor) ||
            groups[one].ops.size() + groups[other].ops.size() > kMaxOps ||
            refused.contains({one, other}))
          continue;
        bool swapped = groups[other].anchor != nullptr;
        if (int64_t bytes = getSharedBytes(one, other))
          pairs.push_back({bytes, swapped ? other : one, swapped ? one : other});
      }
    llvm::sort(pairs, [](const Pair &lhs, const Pair &rhs) {
      return std::tuple(-lhs.bytes, lhs.into, lhs.from) <
             std::tuple(-rhs.bytes, rhs.into, rhs.from);
    });
    return pairs;
  }

  bool merge(const Pair &pair) {
    std::string reason;
    if (tryMerge(pair, reason)) {
      // What was refused may fit the larger kernel, or no longer fit anything.
      refused.clear();
      return true;
    }
    refused.insert(std::minmax(pair.into, pair.from));
    refuse(groups[pair.from].ops.back(),
           "not in one kernel with what reads the same: " + reason);
    return false;
  }

  bool tryMerge(const Pair &pair, std::string &reason) {
    if (groups.dependsOn(pair.into, pair.from) ||
        groups.dependsOn(pair.from, pair.into)) {
      reason = "one needs a result of the other";
      return false;
    }
    const CostModel &model = groups.getModel();
    int64_t splits = getSplits(pair.into);
    double before = model.getCost(groups.getKernel(pair.into)).time +
                    model.getCost(groups.getKernel(pair.from)).time;
    KernelGroups::Ops intoOps = groups[pair.into].ops;
    KernelGroups::Ops fromOps = groups[pair.from].ops;
    Operation *anchor = groups[pair.into].anchor;
    Operation *fromAnchor = groups[pair.from].anchor;
    KernelGroups::Ops all = intoOps, own;
    all.insert(fromOps.begin(), fromOps.end());
    for (Operation *op : fromOps)
      if (groups.getHome(op) == int(pair.from))
        own.insert(op);
    // Results depend on who reads what, so the partition is changed first.
    groups.drop(pair.from);
    groups.replace(pair.into, all, anchor);
    fuse::KernelGroup merged = groups.getKernel(pair.into);
    bool isLegal = !groups.makesCycle(pair.into, all) &&
                   isFeasible(merged, model, reason);
    bool keepsSplits = !isLegal || getSplits(pair.into) == splits;
    if (isLegal && keepsSplits && model.getCost(merged).time <= before)
      return true;
    if (isLegal)
      reason = keepsSplits ? "it would cost more"
                           : "its contraction is shared by several instances";
    groups.rehome(own.getArrayRef(), pair.from);
    groups.replace(pair.into, intoOps, anchor);
    groups.replace(pair.from, fromOps, fromAnchor);
    return false;
  }

  /// Instances that share the contraction of a tile of group `index`.
  int64_t getSplits(unsigned index) const {
    std::string reason;
    FailureOr<fuse::KernelStructure> structure =
        fuse::KernelStructure::analyze(groups.getKernel(index), {}, reason);
    if (failed(structure))
      return 1;
    FailureOr<fuse::ScheduleAttr> schedule =
        chooseSchedule(*structure, groups.getModel(), reason);
    return succeeded(schedule) ? schedule->getSplits() : 1;
  }

  KernelGroups &groups;
  RefusalFn refuse;
  llvm::DenseSet<std::pair<unsigned, unsigned>> refused;
};

} // namespace

void tilefuse::mergeSiblings(KernelGroups &groups, RefusalFn refuse) {
  Merger(groups, refuse).run();
}
