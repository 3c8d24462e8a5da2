//===- InlineProducers.cpp - pointwise work moves to its readers -*- C++ -*-===//
//
// A value that a kernel reads and that another computes pointwise from inputs
// can be computed where it is read: that saves its write and its read, and the
// launch if nothing else is left of the producer. It costs the arithmetic again
// for every reader, and the producer's inputs are read instead. Small values
// (per-channel scales) always move; large ones when the model says so.
//
// The operand of a contraction is computed once per tile that reads it, so the
// arithmetic counts as often as tiles overlap there.
//
//===----------------------------------------------------------------------===//

#include "passes/Fusion/KernelGroups.h"

using namespace mlir;
using namespace tilefuse;

namespace {

/// Values of at most this many bytes are not worth a kernel of their own.
constexpr int64_t kSmallBytes = 1 << 16;

class Inliner {
public:
  Inliner(KernelGroups &groups, RefusalFn refuse)
      : groups(groups), refuse(refuse) {}

  void run() {
    for (unsigned index : groups.getOrder()) {
      if (groups[index].isHost)
        continue;
      // Inputs change as producers move in.
      llvm::DenseSet<Value> refused;
      for (bool changed = true; changed;) {
        changed = false;
        for (Value input : groups.getInputs(groups[index].ops)) {
          if (refused.contains(input) || !isMovable(input))
            continue;
          if (tryInline(index, input)) {
            changed = true;
            break;
          }
          refused.insert(input);
        }
      }
    }
    groups.prune();
  }

private:
  /// Defined by pointwise ops of an unanchored kernel (or a change of shape).
  bool isMovable(Value input) {
    int home = groups.getHome(input);
    return home >= 0 && !input.getDefiningOp()->hasTrait<
                            OpTrait::ConstantLike>();
  }

  /// The ops of the producer's kernel that `value` needs; empty when one of
  /// them is not pointwise.
  KernelGroups::Ops getSlice(Value value) {
    const KernelGroups::Group &producer =
        groups[unsigned(groups.getHome(value))];
    KernelGroups::Ops slice;
    SmallVector<Operation *> worklist{value.getDefiningOp()};
    while (!worklist.empty()) {
      Operation *op = worklist.pop_back_val();
      if (!isa<fuse::PointwiseOpInterface>(op) || divides(op))
        return {};
      slice.insert(op);
      for (Value operand : op->getOperands())
        if (Operation *def = operand.getDefiningOp())
          if (producer.ops.contains(def) && !slice.contains(def))
            worklist.push_back(def);
    }
    return slice;
  }

  /// Whether only every n-th element of the result comes from an operand: tiles
  /// of it start at multiples of n, which a reader's patches do not.
  static bool divides(Operation *op) {
    auto spaced = dyn_cast<fuse::IterationSpaceOpInterface>(op);
    if (!spaced)
      return false;
    for (const fuse::OperandAccess &access :
         spaced.getIterationSpace().operands)
      if (llvm::any_of(access.divisors, [](int64_t d) { return d != 1; }))
        return true;
    return false;
  }

  bool tryInline(unsigned index, Value value) {
    KernelGroups::Ops slice = getSlice(value);
    if (slice.empty())
      return false;
    unsigned home = groups.getHome(value);
    bool isHost = groups[home].isHost;
    // A free change of shape stays outside unless it leads to real work.
    if (isHost) {
      Value source = value.getDefiningOp()->getOperand(0);
      if (!isMovable(source) || groups[groups.getHome(source)].isHost ||
          getSlice(source).empty() || getByteSize(source.getType()) >
                                          kSmallBytes)
        return false;
    }
    KernelGroups::Ops ops = groups[index].ops;
    for (Operation *op : slice)
      ops.insert(op);
    std::string reason;
    if (groups.makesCycle(index, ops) ||
        !isFeasible(groups.getKernel(index, ops, groups[index].anchor),
                    groups.getModel(), reason)) {
      if (!isHost)
        refuse(value.getDefiningOp(),
               "not moved to its reader: " + reason);
      return false;
    }
    if (!isHost && getByteSize(value.getType()) > kSmallBytes &&
        !isCheaper(index, home, value, slice, ops)) {
      refuse(value.getDefiningOp(),
             "not moved to its reader: computing it again costs more than "
             "reading it");
      return false;
    }
    groups.replace(index, ops, groups[index].anchor);
    return true;
  }

  bool isCheaper(unsigned index, unsigned home, Value value,
                 const KernelGroups::Ops &slice,
                 const KernelGroups::Ops &ops) {
    const CostModel &model = groups.getModel();
    fuse::KernelGroup reader = groups.getKernel(index);
    fuse::KernelGroup merged =
        groups.getKernel(index, ops, groups[index].anchor);
    double after = model.getCost(merged).time;
    // Tiles of a contraction's operand are computed again and again.
    if (Operation *anchor = groups[index].anchor) {
      int64_t again = 0;
      for (Operation *op : slice)
        again += model.getOps(op) * (getReloads(anchor, value, slice) - 1);
      after += model.getElementTime(again);
    }
    double extra = after - model.getCost(reader).time;

    // What the producer saves, shared among those that read the value.
    fuse::KernelGroup producer = groups.getKernel(home);
    double saved = model.getMemoryTime(getByteSize(value.getType()));
    if (producer.results.size() == 1)
      saved = model.getCost(producer).time;
    unsigned readers = 0;
    for (unsigned other = 0; other < groups.size(); ++other)
      if (other != home &&
          llvm::is_contained(groups.getInputs(groups[other].ops), value))
        ++readers;
    bool returned = llvm::any_of(value.getUsers(), [](Operation *user) {
      return user->hasTrait<OpTrait::IsTerminator>();
    });
    if (returned)
      saved = 0;
    return extra <= saved / std::max(readers, 1u);
  }

  /// How often an anchor's tiles read each element of `value`, if they read it.
  int64_t getReloads(Operation *anchor, Value value,
                     const KernelGroups::Ops &slice) {
    fuse::IterationSpace space =
        cast<fuse::IterationSpaceOpInterface>(anchor).getIterationSpace();
    int64_t reloads = 1;
    for (auto [access, operand] :
         llvm::zip(space.operands, anchor->getOperands())) {
      if (operand != value)
        continue;
      // Every dim the operand lacks visits it again, a tile of 64 at a time.
      for (unsigned dim = 0; dim < space.getNumParallel(); ++dim)
        if (!access.map.isFunctionOfDim(dim))
          reloads *= llvm::divideCeil(space.bounds[dim], 64);
      reloads *= 2; // overlapping patches
    }
    return reloads;
  }

  KernelGroups &groups;
  RefusalFn refuse;
};

} // namespace

void tilefuse::inlineProducers(KernelGroups &groups, RefusalFn refuse) {
  Inliner(groups, refuse).run();
}
