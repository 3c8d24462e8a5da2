//===- SplitIllegal.cpp - groups that became illegal are split --*- C++ -*-===//
//
// Each step of kernel formation checks the group that it changes. Another group
// changes with it: what it must store. A kernel without an anchor takes its tiles
// from a value that it stores, so a group that was legal when it was formed may
// not be once a reader has a copy of that value of its own. This last step looks
// at every group again and takes apart what is not legal:
//
//   first   the group's own ops join one another anew, in order, as long as the
//           pieces are legal; copies of other groups' ops are read from memory
//   second  a piece that is still illegal becomes one kernel per op, which
//           always is a kernel
//
// Reading what used to be a copy may change a third group, or make a circle of
// two; so it goes on until nothing changes. Groups only become smaller, and a
// group of one op is left alone: it ends.
//
//===----------------------------------------------------------------------===//

#include "passes/Fusion/KernelGroups.h"

using namespace mlir;
using namespace tilefuse;

namespace {

class Splitter {
public:
  Splitter(KernelGroups &groups, RefusalFn refuse)
      : groups(groups), refuse(refuse) {}

  void run() {
    for (bool changed = true; changed;) {
      // A piece whose readers all have copies of their own is no kernel.
      groups.prune();
      changed = false;
      for (unsigned index = 0; index < groups.size(); ++index) {
        if (!groups.isAlive(index) || groups[index].isHost ||
            groups[index].ops.size() < 2)
          continue;
        std::string reason = "it would depend on itself";
        if (!groups.makesCycle(index, groups[index].ops) &&
            isFeasible(groups.getKernel(index), groups.getModel(), reason))
          continue;
        refuse(groups[index].ops.back(), "its kernel was split: " + reason);
        split(index);
        changed = true;
      }
    }
  }

private:
  void split(unsigned index) {
    SmallVector<Operation *> own;
    for (Operation *op : groups[index].ops) {
      int home = groups.getHome(op);
      if (home < 0 || home == int(index))
        own.push_back(op);
    }
    bool mayJoin = !pieces.contains(index);
    groups.drop(index);
    SmallVector<unsigned> opened;
    for (Operation *op : own) {
      if (mayJoin && joins(op, opened))
        continue;
      bool isAnchor = isa<fuse::ContractionOpInterface>(op);
      unsigned piece =
          groups.add({op}, isAnchor ? op : nullptr, isViewChange(op));
      std::string reason;
      if (isa<fuse::ReductionOpInterface>(op) &&
          !isFeasible(groups.getKernel(piece), groups.getModel(), reason))
        groups.replace(piece, groups[piece].ops, op);
      pieces.insert(piece);
      opened.push_back(piece);
    }
  }

  bool joins(Operation *op, ArrayRef<unsigned> opened) {
    if (isa<fuse::ContractionOpInterface>(op))
      return false;
    for (unsigned piece : llvm::reverse(opened)) {
      KernelGroups::Ops ops = groups[piece].ops;
      bool reads = llvm::any_of(op->getOperands(), [&](Value operand) {
        return operand.getDefiningOp() && ops.contains(operand.getDefiningOp());
      });
      if (!reads || groups[piece].isHost)
        continue;
      ops.insert(op);
      std::string reason;
      Operation *anchor = groups[piece].anchor;
      if (groups.makesCycle(piece, ops) ||
          !isFeasible(groups.getKernel(piece, ops, anchor), groups.getModel(),
                      reason))
        continue;
      groups.replace(piece, ops, anchor);
      return true;
    }
    return false;
  }

  KernelGroups &groups;
  RefusalFn refuse;
  /// Groups that this step made.
  llvm::DenseSet<unsigned> pieces;
};

} // namespace

void tilefuse::splitIllegal(KernelGroups &groups, RefusalFn refuse) {
  Splitter(groups, refuse).run();
}
