//===- KernelGroups.cpp - the partition of a function into kernels -*- C++ -*-===//

#include "passes/Fusion/KernelGroups.h"
#include "passes/Fusion/ScheduleHeuristic.h"
#include "llvm/ADT/DenseSet.h"

using namespace mlir;
using namespace tilefuse;

bool tilefuse::isSplatConstant(Operation *op) {
  DenseElementsAttr elements;
  return matchPattern(op, m_Constant(&elements)) && elements.isSplat();
}

bool tilefuse::isViewChange(Operation *op) {
  if (op->getNumOperands() != 1 || op->getNumResults() != 1 ||
      !isa<fuse::PointwiseOpInterface>(op) || isMemoryEffectFree(op) == false)
    return false;
  auto from = dyn_cast<RankedTensorType>(op->getOperand(0).getType());
  auto to = dyn_cast<RankedTensorType>(op->getResult(0).getType());
  if (!from || !to || from == to ||
      from.getElementType() != to.getElementType() ||
      from.getNumElements() != to.getNumElements())
    return false;
  auto spaced = dyn_cast<fuse::IterationSpaceOpInterface>(op);
  if (!spaced)
    return false;
  fuse::IterationSpace space = spaced.getIterationSpace();
  const fuse::OperandAccess &access = space.operands[0];
  if (access.fill || space.bounds.size() != size_t(to.getRank()) ||
      llvm::any_of(access.divisors, [](int64_t d) { return d != 1; }))
    return false;
  // Row-major positions on both sides agree.
  MLIRContext *context = op->getContext();
  AffineExpr own = getAffineConstantExpr(0, context), read = own;
  for (auto [dim, bound] : llvm::enumerate(space.bounds))
    own = own * bound + getAffineDimExpr(dim, context);
  for (auto [expr, extent] :
       llvm::zip(access.map.getResults(), from.getShape()))
    read = read * extent + expr;
  return fuse::simplifyIndex(own, space.bounds) ==
         fuse::simplifyIndex(read, space.bounds);
}

KernelGroups::KernelGroups(func::FuncOp func, const CostModel &model)
    : func(func), model(model) {
  for (auto [index, op] : llvm::enumerate(func.getBody().front()))
    position[&op] = index;
}

int KernelGroups::getHome(Operation *op) const {
  auto it = home.find(op);
  return it == home.end() ? -1 : int(it->second);
}

int KernelGroups::getHome(Value value) const {
  Operation *def = value.getDefiningOp();
  return def ? getHome(def) : -1;
}

unsigned KernelGroups::add(ArrayRef<Operation *> ops, Operation *anchor,
                           bool isHost) {
  Group group;
  group.ops.insert(ops.begin(), ops.end());
  group.anchor = anchor;
  group.isHost = isHost;
  groups.push_back(std::move(group));
  for (Operation *op : ops)
    home[op] = groups.size() - 1;
  return groups.size() - 1;
}

void KernelGroups::replace(unsigned index, const Ops &ops, Operation *anchor) {
  groups[index].ops = inOrder(ops);
  groups[index].anchor = anchor;
  for (Operation *op : ops)
    home.try_emplace(op, index);
}

void KernelGroups::rehome(ArrayRef<Operation *> ops, unsigned index) {
  for (Operation *op : ops) {
    auto it = home.find(op);
    if (it != home.end() && it->second != index)
      groups[it->second].ops.remove(op);
    home[op] = index;
  }
}

void KernelGroups::drop(unsigned index) {
  for (Operation *op : groups[index].ops)
    if (getHome(op) == int(index))
      home.erase(op);
  groups[index] = Group();
}

void KernelGroups::prune() {
  for (bool changed = true; changed;) {
    changed = false;
    for (unsigned index = 0; index < groups.size(); ++index) {
      if (!isAlive(index))
        continue;
      llvm::DenseSet<Operation *> needed;
      for (Value result : getResults(index, groups[index].ops))
        needed.insert(result.getDefiningOp());
      Ops kept;
      for (Operation *op : llvm::reverse(groups[index].ops)) {
        if (!needed.contains(op))
          continue;
        kept.insert(op);
        for (Value operand : op->getOperands())
          if (Operation *def = operand.getDefiningOp())
            needed.insert(def);
      }
      if (kept.size() == groups[index].ops.size())
        continue;
      changed = true;
      for (Operation *op : groups[index].ops)
        if (!kept.contains(op) && getHome(op) == int(index)) {
          home.erase(op);
          dead.insert(op);
        }
      groups[index].ops = inOrder(kept);
      if (groups[index].anchor && !kept.contains(groups[index].anchor))
        groups[index].anchor = nullptr;
    }
  }
}

SmallVector<Value> KernelGroups::getInputs(const Ops &ops) const {
  llvm::SetVector<Value> inputs;
  for (Operation *op : ops)
    for (Value operand : op->getOperands()) {
      Operation *def = operand.getDefiningOp();
      if (!def || (!ops.contains(def) && !isSplatConstant(def)))
        inputs.insert(operand);
    }
  return inputs.takeVector();
}

SmallVector<Value> KernelGroups::getResults(unsigned index,
                                            const Ops &ops) const {
  SmallVector<Value> results;
  for (Operation *op : ops) {
    int owner = getHome(op);
    if (owner >= 0 && owner != int(index))
      continue;
    for (Value result : op->getResults()) {
      bool leaves = llvm::any_of(result.getUsers(), [&](Operation *user) {
        if (ops.contains(user)) {
          // A user that also lives elsewhere reads the value there too, unless
          // that group has its own copy.
          return llvm::any_of(llvm::enumerate(groups), [&](auto entry) {
            const Group &other = entry.value();
            return entry.index() != index && other.ops.contains(user) &&
                   !other.ops.contains(op);
          });
        }
        if (user->hasTrait<OpTrait::IsTerminator>())
          return true;
        bool somewhere = false;
        for (auto [otherIndex, other] : llvm::enumerate(groups)) {
          if (otherIndex == index || !other.ops.contains(user))
            continue;
          somewhere = true;
          if (!other.ops.contains(op))
            return true;
        }
        // Ops without any group: not reached yet, or dead.
        return !somewhere && getHome(user) < 0 && !isDead(user);
      });
      if (leaves)
        results.push_back(result);
    }
  }
  return results;
}

fuse::KernelGroup KernelGroups::getKernel(unsigned index, const Ops &ops,
                                          Operation *anchor) const {
  Ops all = ops;
  for (Operation *op : ops)
    for (Value operand : op->getOperands())
      if (Operation *def = operand.getDefiningOp())
        if (isSplatConstant(def))
          all.insert(def);
  fuse::KernelGroup kernel;
  kernel.ops = inOrder(all).takeVector();
  kernel.anchor = anchor;
  kernel.results = getResults(index, ops);
  return kernel;
}

bool KernelGroups::dependsOn(unsigned from, unsigned on) const {
  SmallVector<unsigned> worklist{from};
  llvm::DenseSet<unsigned> seen;
  while (!worklist.empty()) {
    unsigned group = worklist.pop_back_val();
    for (Value input : getInputs(groups[group].ops)) {
      int source = getHome(input);
      if (source < 0)
        continue;
      if (source == int(on))
        return true;
      if (seen.insert(source).second)
        worklist.push_back(source);
    }
  }
  return false;
}

bool KernelGroups::makesCycle(unsigned index, const Ops &ops) const {
  for (Value input : getInputs(ops)) {
    int source = getHome(input);
    if (source >= 0 && source != int(index) && dependsOn(source, index))
      return true;
  }
  return false;
}

SmallVector<unsigned> KernelGroups::getOrder() const {
  // Groups by first op; each behind what it reads.
  SmallVector<unsigned> byPosition, order;
  for (unsigned index = 0; index < groups.size(); ++index)
    if (isAlive(index))
      byPosition.push_back(index);
  llvm::sort(byPosition, [&](unsigned a, unsigned b) {
    return std::pair(position.lookup(groups[a].ops.front()), a) <
           std::pair(position.lookup(groups[b].ops.front()), b);
  });
  llvm::DenseSet<unsigned> done;
  auto visit = [&](auto &&self, unsigned index) -> void {
    if (!done.insert(index).second)
      return;
    for (Value input : getInputs(groups[index].ops))
      if (int source = getHome(input); source >= 0 && source != int(index))
        self(self, source);
    order.push_back(index);
  };
  for (unsigned index : byPosition)
    visit(visit, index);
  return order;
}

KernelGroups::Ops KernelGroups::inOrder(const Ops &ops) const {
  SmallVector<Operation *> sorted(ops.begin(), ops.end());
  llvm::sort(sorted, [&](Operation *a, Operation *b) {
    return position.lookup(a) < position.lookup(b);
  });
  return Ops(sorted.begin(), sorted.end());
}

bool tilefuse::isFeasible(const fuse::KernelGroup &kernel,
                          const CostModel &model, std::string &reason) {
  FailureOr<fuse::KernelStructure> structure =
      fuse::KernelStructure::analyze(kernel, {}, reason);
  if (failed(structure))
    return false;
  FailureOr<fuse::ScheduleAttr> schedule =
      chooseSchedule(*structure, model, reason);
  if (failed(schedule))
    return false;
  return succeeded(
      fuse::KernelStructure::analyze(kernel, schedule->getBlock(), reason));
}

std::optional<double> tilefuse::getKernelTime(const fuse::KernelGroup &kernel,
                                              const CostModel &model) {
  if (kernel.results.empty())
    return 0;
  std::string reason;
  FailureOr<fuse::KernelStructure> structure =
      fuse::KernelStructure::analyze(kernel, {}, reason);
  if (failed(structure))
    return std::nullopt;
  FailureOr<fuse::ScheduleAttr> schedule =
      chooseSchedule(*structure, model, reason);
  if (failed(schedule))
    return std::nullopt;
  return model.getCost(kernel, schedule->getBlock()).time;
}
