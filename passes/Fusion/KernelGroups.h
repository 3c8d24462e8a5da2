//===- KernelGroups.h - the partition of a function into kernels -*- C++ -*-===//
//
// What kernel formation works on before it touches the IR. Every op has one
// *home* group, which provides its results to the others; a group may hold
// further ops as copies, recomputed for its own use. Splat constants belong to
// every group that reads them. *Host* groups hold one op each that makes no
// kernel: a change of shape of a dense buffer, or constant data.
//
//===----------------------------------------------------------------------===//
#ifndef TILEFUSE_PASSES_FUSION_KERNELGROUPS_H
#define TILEFUSE_PASSES_FUSION_KERNELGROUPS_H

#include "dialects/Fuse/KernelStructure.h"
#include "lib/CostModel/CostModel.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/DenseSet.h"

namespace tilefuse {

/// A constant that kernels hold themselves: all elements equal.
bool isSplatConstant(mlir::Operation *op);
/// An op that keeps the row-major order of its one operand's elements.
bool isViewChange(mlir::Operation *op);

class KernelGroups {
public:
  using Ops = llvm::SetVector<mlir::Operation *>;

  struct Group {
    Ops ops;
    mlir::Operation *anchor = nullptr;
    bool isHost = false;
  };

  KernelGroups(mlir::func::FuncOp func, const CostModel &model);

  mlir::func::FuncOp getFunction() const { return func; }
  const CostModel &getModel() const { return model; }

  unsigned size() const { return groups.size(); }
  const Group &operator[](unsigned index) const { return groups[index]; }
  bool isAlive(unsigned index) const { return !groups[index].ops.empty(); }
  /// The home of an op, or -1 (splat constants, ops not reached yet).
  int getHome(mlir::Operation *op) const;
  /// The home of the op that defines `value`, or -1.
  int getHome(mlir::Value value) const;

  /// A new group that is the home of `ops`.
  unsigned add(llvm::ArrayRef<mlir::Operation *> ops, mlir::Operation *anchor,
               bool isHost = false);
  /// Replaces a group. Ops without a home get this one as theirs.
  void replace(unsigned index, const Ops &ops, mlir::Operation *anchor);
  /// Makes `index` the home of `ops` and drops them from their old homes.
  void rehome(llvm::ArrayRef<mlir::Operation *> ops, unsigned index);
  /// Empties a group; its ops have no home any more.
  void drop(unsigned index);
  /// Drops ops that no result needs; a group without results dies.
  void prune();

  /// Values that `ops` as group `index` read from outside, without splats.
  llvm::SmallVector<mlir::Value> getInputs(const Ops &ops) const;
  /// Values of `ops`, as group `index` with home in it (or about to have), that
  /// ops elsewhere read.
  llvm::SmallVector<mlir::Value> getResults(unsigned index,
                                            const Ops &ops) const;
  /// The group of `ops` as the analyses want it, splat constants included.
  fuse::KernelGroup getKernel(unsigned index, const Ops &ops,
                              mlir::Operation *anchor) const;
  fuse::KernelGroup getKernel(unsigned index) const {
    return getKernel(index, groups[index].ops, groups[index].anchor);
  }

  /// Whether group `from` needs, directly or not, a value of group `on`.
  bool dependsOn(unsigned from, unsigned on) const;
  /// Whether group `index`, holding `ops`, would depend on itself.
  bool makesCycle(unsigned index, const Ops &ops) const;

  /// Live groups, each behind those it depends on.
  llvm::SmallVector<unsigned> getOrder() const;

  /// Sorts ops by their place in the function.
  Ops inOrder(const Ops &ops) const;

private:
  bool isDead(mlir::Operation *op) const { return dead.contains(op); }

  mlir::func::FuncOp func;
  const CostModel &model;
  std::vector<Group> groups;
  llvm::DenseSet<mlir::Operation *> dead;
  llvm::DenseMap<mlir::Operation *, unsigned> home, position;
};

/// Whether `kernel` can be tiled: its structure is legal and a schedule exists.
/// `reason` says why not.
bool isFeasible(const fuse::KernelGroup &kernel, const CostModel &model,
                std::string &reason);

/// The modelled time of a feasible kernel with the schedule that it will get,
/// microseconds; nothing when it is not feasible.
std::optional<double> getKernelTime(const fuse::KernelGroup &kernel,
                                    const CostModel &model);

/// Called with an op and why it did not join the kernel of an operand.
using RefusalFn =
    llvm::function_ref<void(mlir::Operation *, llvm::StringRef reason)>;

/// Step 1 (JoinConsumers.cpp): each op, in order, joins the kernel of an
/// operand where that is legal, and starts one of its own where not.
mlir::LogicalResult joinConsumers(KernelGroups &groups, RefusalFn refuse);
/// Step 2 (InlineProducers.cpp): pointwise producers move into their readers
/// where computing them again costs less than writing and reading them.
void inlineProducers(KernelGroups &groups, RefusalFn refuse);
/// Step 3 (RecomputeProducers.cpp): a kernel that only reads an anchored
/// kernel's output back computes that output again instead, where the model
/// says so.
void recomputeProducers(KernelGroups &groups, RefusalFn refuse);
/// Step 4 (MergeSiblings.cpp): kernels that read the same large value become
/// one, where one tile serves both.
void mergeSiblings(KernelGroups &groups, RefusalFn refuse);
/// Step 5 (SplitIllegal.cpp): groups that the steps before made illegal, by
/// changing what they store, are taken apart.
void splitIllegal(KernelGroups &groups, RefusalFn refuse);

} // namespace tilefuse

#endif // TILEFUSE_PASSES_FUSION_KERNELGROUPS_H
