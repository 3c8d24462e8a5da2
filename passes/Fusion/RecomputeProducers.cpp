//===- RecomputeProducers.cpp - compute a contraction twice -----*- C++ -*-===//
//
// conv -> moments -> normalise cannot be one kernel: the moments need all of the
// convolution before the first element is normalised. Either the first kernel
// stores the convolution's output and the second reads it back, or the second
// computes it again and the first stores nothing but moments. With few input
// channels the convolution is cheaper than the traffic.
//
//===----------------------------------------------------------------------===//

#include "passes/Fusion/KernelGroups.h"

using namespace mlir;
using namespace tilefuse;

namespace {

class Recomputer {
public:
  Recomputer(KernelGroups &groups, RefusalFn refuse)
      : groups(groups), refuse(refuse) {}

  void run() {
    for (unsigned index : groups.getOrder())
      if (groups.isAlive(index) && !groups[index].isHost &&
          !groups[index].anchor)
        for (Value input : groups.getInputs(groups[index].ops))
          if (tryRecompute(index, input))
            break;
    groups.prune();
  }

private:
  /// What `value` needs of its anchored kernel, the anchor included; empty when
  /// a reduction other than a window stands in between.
  KernelGroups::Ops getSlice(Value value, const KernelGroups::Group &producer) {
    KernelGroups::Ops slice;
    SmallVector<Operation *> worklist{value.getDefiningOp()};
    while (!worklist.empty()) {
      Operation *op = worklist.pop_back_val();
      if (op != producer.anchor && isa<fuse::ReductionOpInterface>(op))
        return {};
      slice.insert(op);
      for (Value operand : op->getOperands())
        if (Operation *def = operand.getDefiningOp())
          if (producer.ops.contains(def) && !slice.contains(def))
            worklist.push_back(def);
    }
    return slice.contains(producer.anchor) ? slice : KernelGroups::Ops();
  }

  bool tryRecompute(unsigned index, Value value) {
    int home = groups.getHome(value);
    if (home < 0 || !groups[home].anchor)
      return false;
    const KernelGroups::Group &producer = groups[home];
    KernelGroups::Ops slice = getSlice(value, producer);
    if (slice.empty())
      return false;
    KernelGroups::Ops ops = groups[index].ops;
    for (Operation *op : slice)
      ops.insert(op);
    // Other tile values of the same kernel come with it.
    for (Value input : groups.getInputs(groups[index].ops))
      if (input != value && groups.getHome(input) == home)
        for (Operation *op : getSlice(input, producer))
          ops.insert(op);
    ops = groups.inOrder(ops);
    std::string reason;
    fuse::KernelGroup merged = groups.getKernel(index, ops, producer.anchor);
    if (groups.makesCycle(index, ops) ||
        !isFeasible(merged, groups.getModel(), reason)) {
      refuse(value.getDefiningOp(), "not computed again: " + reason);
      return false;
    }

    const CostModel &model = groups.getModel();
    double before = model.getCost(groups.getKernel(home)).time +
                    model.getCost(groups.getKernel(index)).time;
    KernelGroups::Ops old = groups[index].ops;
    groups.replace(index, ops, producer.anchor);
    double after = model.getCost(groups.getKernel(home)).time +
                   model.getCost(groups.getKernel(index)).time;
    if (after < before)
      return true;
    groups.replace(index, old, nullptr);
    refuse(value.getDefiningOp(),
           "stored and read back: computing it again costs more");
    return false;
  }

  KernelGroups &groups;
  RefusalFn refuse;
};

} // namespace

void tilefuse::recomputeProducers(KernelGroups &groups, RefusalFn refuse) {
  Recomputer(groups, refuse).run();
}
