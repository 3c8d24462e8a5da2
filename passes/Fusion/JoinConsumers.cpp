//===- JoinConsumers.cpp - ops join the kernels of their operands -*- C++ -*-===//
//
// Ops are taken in order. A contraction opens a kernel. Anything else joins the
// kernel of one of its operands if the whole stays legal and can be scheduled:
// it costs no traffic there, and saves a write and a read.
//
// A reduction that joined its operand's kernel may later turn out to stand
// between that kernel and an op that needs the unreduced tile again (the
// maximum of a softmax whose row does not fit a tile). Then the reduction and
// what hangs on it move to a new kernel with that op, if a tile can hold the
// row there; if not, they stay behind as a reduction across tiles.
//
//===----------------------------------------------------------------------===//

#include "passes/Fusion/KernelGroups.h"

using namespace mlir;
using namespace tilefuse;

/// Analysing a kernel is linear in its ops, so forming one is quadratic.
static constexpr size_t kMaxOps = 128;

namespace {

class Joiner {
public:
  Joiner(KernelGroups &groups, RefusalFn refuse)
      : groups(groups), refuse(refuse) {}

  LogicalResult run() {
    for (Operation &op : groups.getFunction().getBody().front()) {
      if (op.hasTrait<OpTrait::IsTerminator>() || isSplatConstant(&op))
        continue;
      if (op.hasTrait<OpTrait::ConstantLike>()) {
        groups.add({&op}, nullptr, /*isHost=*/true);
        continue;
      }
      if (!isa<fuse::IterationSpaceOpInterface>(op) ||
          !isa<fuse::PointwiseOpInterface, fuse::ReductionOpInterface,
               fuse::ContractionOpInterface>(op))
        return op.emitOpError("cannot become part of a kernel: it is neither "
                              "pointwise, a reduction nor a contraction (run "
                              "fuse-simplify first)");
      if (failed(take(&op)))
        return failure();
    }
    return success();
  }

private:
  LogicalResult take(Operation *op) {
    std::string reason;
    if (isa<fuse::ContractionOpInterface>(op)) {
      if (!opens(op, op, reason))
        return op->emitOpError("forms no kernel: ") << reason;
      groups.add({op}, op);
      return success();
    }
    std::string refusal;
    SmallVector<unsigned> candidates = getCandidates(op);
    for (unsigned index : candidates) {
      if (joins(op, index, reason))
        return success();
      if (refusal.empty())
        refusal = reason;
    }
    if (isViewChange(op)) {
      groups.add({op}, nullptr, /*isHost=*/true);
      return success();
    }
    for (unsigned index : candidates)
      if (movesReductions(op, index))
        return success();
    if (!candidates.empty())
      refuse(op, refusal);
    if (opens(op, nullptr, reason)) {
      groups.add({op}, nullptr);
      return success();
    }
    if (isa<fuse::ReductionOpInterface>(op)) {
      if (opens(op, op, reason)) {
        groups.add({op}, op);
        return success();
      }
    }
    return op->emitOpError("forms no kernel: ") << reason;
  }

  /// Kernels to try: those of the operands, the most expensive work first, the
  /// later first among equals; then unanchored ones that read the same value.
  SmallVector<unsigned> getCandidates(Operation *op) {
    llvm::SetVector<unsigned> direct, sharing;
    for (Value operand : op->getOperands()) {
      int home = groups.getHome(operand);
      if (home >= 0 && !groups[home].isHost)
        direct.insert(home);
    }
    for (unsigned index = 0; index < groups.size(); ++index) {
      if (!groups.isAlive(index) || groups[index].isHost ||
          groups[index].anchor || direct.contains(index))
        continue;
      SmallVector<Value> inputs = groups.getInputs(groups[index].ops);
      if (llvm::any_of(op->getOperands(), [&](Value operand) {
            return llvm::is_contained(inputs, operand) &&
                   getByteSize(operand.getType()) >= kSharedBytes;
          }))
        sharing.insert(index);
    }
    SmallVector<unsigned> order = direct.takeVector();
    auto rank = [&](unsigned index) {
      if (groups[index].anchor)
        return 0;
      return llvm::any_of(groups[index].ops,
                          [](Operation *member) {
                            return isa<fuse::ReductionOpInterface>(member);
                          })
                 ? 1
                 : 2;
    };
    llvm::sort(order, [&](unsigned a, unsigned b) {
      return std::tuple(rank(a), b) < std::tuple(rank(b), a);
    });
    order.append(sharing.begin(), sharing.end());
    return order;
  }

  bool opens(Operation *op, Operation *anchor, std::string &reason) {
    KernelGroups::Ops ops;
    ops.insert(op);
    return isFeasible(groups.getKernel(groups.size(), ops, anchor),
                      groups.getModel(), reason);
  }

  bool joins(Operation *op, unsigned index, std::string &reason) {
    KernelGroups::Ops ops = groups[index].ops;
    if (ops.size() >= kMaxOps) {
      reason = "the kernel is large enough";
      return false;
    }
    ops.insert(op);
    if (groups.makesCycle(index, ops)) {
      reason = "another operand depends on that kernel";
      return false;
    }
    if (!isFeasible(groups.getKernel(index, ops, groups[index].anchor),
                    groups.getModel(), reason))
      return false;
    groups.replace(index, ops, groups[index].anchor);
    return true;
  }

  /// Opens a kernel of `op` and the reductions of group `index` it needs.
  bool movesReductions(Operation *op, unsigned index) {
    const KernelGroups::Group &group = groups[index];
    KernelGroups::Ops needed = getSlice(op, group.ops);
    KernelGroups::Ops moved;
    for (Operation *member : group.ops) {
      bool moves = member != group.anchor &&
                   isa<fuse::ReductionOpInterface>(member) &&
                   needed.contains(member) && foldsWholeDims(member, index);
      for (Value operand : member->getOperands())
        if (Operation *def = operand.getDefiningOp())
          moves |= moved.contains(def);
      if (moves)
        moved.insert(member);
    }
    if (moved.empty() || moved.size() == group.ops.size())
      return false;
    KernelGroups::Ops rest, opened = moved;
    for (Operation *member : group.ops)
      if (!moved.contains(member))
        rest.insert(member);
    opened.insert(op);

    SmallVector<Operation *> list(moved.begin(), moved.end());
    unsigned fresh = groups.add({op}, nullptr);
    groups.rehome(list, fresh);
    groups.replace(fresh, opened, nullptr);
    std::string reason;
    if (!groups.makesCycle(fresh, opened) &&
        isFeasible(groups.getKernel(fresh), groups.getModel(), reason) &&
        isFeasible(groups.getKernel(index), groups.getModel(), reason))
      return true;
    // Undo.
    KernelGroups::Ops all = rest;
    for (Operation *member : moved)
      all.insert(member);
    groups.rehome(list, index);
    groups.replace(index, all, groups[index].anchor);
    groups.drop(fresh);
    return false;
  }

  bool foldsWholeDims(Operation *op, unsigned index) {
    std::string reason;
    FailureOr<fuse::KernelStructure> structure =
        fuse::KernelStructure::analyze(groups.getKernel(index), {}, reason);
    return succeeded(structure) && !structure->getFoldedRootDims(op).empty();
  }

  /// What `op` needs of `ops`, directly or not.
  static KernelGroups::Ops getSlice(Operation *op,
                                    const KernelGroups::Ops &ops) {
    KernelGroups::Ops slice;
    SmallVector<Operation *> worklist{op};
    while (!worklist.empty())
      for (Value operand : worklist.pop_back_val()->getOperands())
        if (Operation *def = operand.getDefiningOp())
          if (ops.contains(def) && slice.insert(def))
            worklist.push_back(def);
    return slice;
  }

  /// Reading less than this twice is no reason to share a kernel.
  static constexpr int64_t kSharedBytes = 1 << 16;

  KernelGroups &groups;
  RefusalFn refuse;
};

} // namespace

LogicalResult tilefuse::joinConsumers(KernelGroups &groups, RefusalFn refuse) {
  return Joiner(groups, refuse).run();
}
