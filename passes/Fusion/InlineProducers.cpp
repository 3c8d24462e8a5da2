//===- InlineProducers.cpp - pointwise work moves to its readers -*- C++ -*-===//
//
// A value that a kernel reads and that another computes pointwise from inputs
// can be computed where it is read: that saves its write and its read, and the
// launch if nothing else is left of the producer. It costs the arithmetic again
// for every reader, and the producer's inputs are read instead. Small values
// (per-channel scales) always move.
//
// Large ones move when the model says so, to all readers at once: a value that
// one reader still wants in memory is written anyway, and then the others may
// as well read it. Example: the gradient of a convolution's output,
//
//   dz = dy * f'(z)          read by dx = conv_transpose(dz, w),
//                            dw = weight_grad(x, dz) and db = sum(dz)
//
// in memory costs three reads, a write and two more reads; in both readers four
// reads, if the sum finds a place in one of them (MergeSiblings.cpp). The
// arithmetic counts as often as tiles visit an element (CostModel::getVisits):
// hardly more than once here, but once per tile of columns in a product of
// large matrices, where dz is better written. Values are looked at from the end
// of the graph, so that a chain of kernels moves link by link.
//
// An operand of a contraction may itself be made by a contraction or by the
// gradient of a pool whose windows do not overlap: blocks of those are computed
// from blocks too. What the conv of a batch-norm costs again is often less than
// its output's traffic. One link only: what a chain of convolutions computes again
// at the rims of its patches multiplies from link to link, and so do the code and
// the registers that hold its blocks.
//
//===----------------------------------------------------------------------===//

#include "dialects/Fuse/OneTerm.h"
#include "passes/Fusion/KernelGroups.h"
#include <functional>
#include <limits>

using namespace mlir;
using namespace tilefuse;

namespace {

/// Values of at most this many bytes are not worth a kernel of their own.
constexpr int64_t kSmallBytes = 1 << 16;
/// How much longer the kernels may take when one of the largest values is no longer
/// in memory: the peak of a step is a measure as well as its time, and a value as
/// large as a convolution's output is often a quarter of it. Only for products that
/// leave the other units time: elsewhere the estimate is too kind to what is computed
/// again (a depthwise weight gradient took twice as long for it).
constexpr double kMemoryWorth = 2;
/// Analysing a kernel is linear in its ops.
constexpr size_t kMaxOps = 128;

class Inliner {
public:
  Inliner(KernelGroups &groups, RefusalFn refuse)
      : groups(groups), refuse(refuse) {}

  void run() {
    for (bool changed = true; changed;) {
      moveSmall();
      changed = moveLarge();
      groups.prune();
    }
  }

private:
  static bool isSmall(Value value) {
    return getByteSize(value.getType()) <= kSmallBytes;
  }

  void moveSmall() {
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
          bool isHost = groups[groups.getHome(input)].isHost;
          if ((isHost || isSmall(input)) && tryInline(index, input)) {
            changed = true;
            break;
          }
          refused.insert(input);
        }
      }
    }
  }

  /// True when a value moved.
  bool moveLarge() {
    SmallVector<unsigned> order = groups.getOrder();
    for (unsigned index : llvm::reverse(order)) {
      if (groups[index].isHost)
        continue;
      for (Value value : groups.getKernel(index).results)
        if (!isSmall(value) && !settled.contains(value) &&
            !getSlice(value).empty() && moveToReaders(index, value))
          return true;
    }
    return false;
  }

  /// Defined by pointwise ops of an unanchored kernel (or a change of shape).
  bool isMovable(Value input) {
    int home = groups.getHome(input);
    return home >= 0 && !input.getDefiningOp()->hasTrait<
                            OpTrait::ConstantLike>();
  }

  /// The ops of the producer's kernel that `value` needs; empty when one of them
  /// is a reduction of many terms.
  KernelGroups::Ops getSlice(Value value) {
    const KernelGroups::Group &producer =
        groups[unsigned(groups.getHome(value))];
    KernelGroups::Ops slice;
    SmallVector<Operation *> worklist{value.getDefiningOp()};
    while (!worklist.empty()) {
      Operation *op = worklist.pop_back_val();
      if (!fuse::readsOneTerm(op) && !isa<fuse::ContractionOpInterface>(op) &&
          (!isa<fuse::PointwiseOpInterface>(op) || divides(op)))
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

  static bool isPointwise(const KernelGroups::Ops &ops) {
    return llvm::all_of(ops, [](Operation *op) {
      return isa<fuse::PointwiseOpInterface>(op);
    });
  }

  bool tryInline(unsigned index, Value value) {
    KernelGroups::Ops slice = getSlice(value);
    if (slice.empty() || !isPointwise(slice))
      return false;
    unsigned home = groups.getHome(value);
    bool isHost = groups[home].isHost;
    // A free change of shape stays outside unless it leads to real work.
    if (isHost) {
      Value source = value.getDefiningOp()->getOperand(0);
      if (!isMovable(source) || groups[groups.getHome(source)].isHost ||
          getSlice(source).empty() || !isPointwise(getSlice(source)) ||
          getByteSize(source.getType()) >
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
    groups.replace(index, ops, groups[index].anchor);
    return true;
  }

  /// Moves `value` of group `home` into its readers, if that is cheaper.
  bool moveToReaders(unsigned home, Value value) {
    settled.insert(value);
    SmallVector<unsigned> readers;
    for (unsigned other = 0; other < groups.size(); ++other)
      if (other != home && groups.isAlive(other) && !groups[other].isHost &&
          llvm::is_contained(groups.getInputs(groups[other].ops), value))
        readers.push_back(other);
    if (readers.empty())
      return false;
    SmallVector<SmallVector<unsigned>> choices{readers};
    if (readers.size() > 1)
      for (unsigned reader : readers)
        choices.push_back({reader});
    for (ArrayRef<unsigned> choice : choices)
      if (tryMove(home, value, choice, choice.size() == readers.size()))
        return true;
    return false;
  }

  /// Whether three contractions stand in line.
  static bool chainsProducts(const KernelGroups::Ops &ops) {
    llvm::DenseMap<Operation *, unsigned> lengths;
    std::function<unsigned(Operation *)> measure = [&](Operation *op) {
      if (auto known = lengths.find(op); known != lengths.end())
        return known->second;
      unsigned length = 0;
      for (Value operand : op->getOperands())
        if (Operation *def = operand.getDefiningOp(); def && ops.contains(def))
          length = std::max(length, measure(def));
      length += isa<fuse::ContractionOpInterface>(op);
      return lengths[op] = length;
    };
    return llvm::any_of(ops, [&](Operation *op) { return measure(op) > 2; });
  }

  /// `isLastUse`: nothing else reads the value.
  bool tryMove(unsigned home, Value value, ArrayRef<unsigned> readers,
               bool isLastUse) {
    KernelGroups::Ops slice = getSlice(value);
    if (!isPointwise(slice) && !llvm::all_of(readers, [&](unsigned reader) {
          return isa_and_nonnull<fuse::ContractionOpInterface>(
              groups[reader].anchor);
        }))
      return false;
    double before = getTime(home, readers);
    bool isLargest = llvm::all_of(readers, [&](unsigned reader) {
      return llvm::all_of(groups.getInputs(groups[reader].ops), [&](Value other) {
        return getByteSize(other.getType()) <= 2 * getByteSize(value.getType());
      });
    });
    SmallVector<KernelGroups::Ops> old;
    for (unsigned reader : readers) {
      KernelGroups::Ops ops = groups[reader].ops;
      old.push_back(ops);
      for (Operation *op : slice)
        ops.insert(op);
      groups.replace(reader, ops, groups[reader].anchor);
    }
    std::string reason;
    bool feasible = true;
    for (unsigned reader : readers)
      if (chainsProducts(groups[reader].ops)) {
        reason = "its contraction reads another that is computed there";
        feasible = false;
      }
    for (unsigned reader : readers)
      feasible = feasible && groups[reader].ops.size() <= kMaxOps &&
                 !groups.makesCycle(reader, groups[reader].ops) &&
                 isFeasible(groups.getKernel(reader), groups.getModel(), reason);
    bool hasTime = llvm::all_of(readers, [&](unsigned reader) {
      auto product = dyn_cast_or_null<fuse::ContractionOpInterface>(
          groups[reader].anchor);
      return product && groups.getModel().hasMatrixUnit(product);
    });
    double worth = isLastUse && isLargest && hasTime ? kMemoryWorth : 1;
    if (feasible && getTime(home, readers) <= worth * before)
      return true;
    refuse(value.getDefiningOp(),
           "not moved to its readers: " +
               (feasible ? "computing it again costs more than reading it"
                         : reason));
    for (auto [reader, ops] : llvm::zip(readers, old))
      groups.replace(reader, ops, groups[reader].anchor);
    return false;
  }

  /// Time of the readers and of what is left of `home`, by itself or as a part
  /// of one of them.
  double getTime(unsigned home, ArrayRef<unsigned> readers) {
    const CostModel &model = groups.getModel();
    constexpr double never = std::numeric_limits<double>::infinity();
    fuse::KernelGroup rest = groups.getKernel(home);
    double restTime = getKernelTime(rest, model).value_or(never), sum = 0;
    for (unsigned reader : readers) {
      double alone =
          getKernelTime(groups.getKernel(reader), model).value_or(never);
      sum += alone;
      if (rest.results.empty() || !groups[reader].anchor)
        continue;
      KernelGroups::Ops ops = groups[reader].ops;
      for (Operation *op : groups[home].ops)
        ops.insert(op);
      fuse::KernelGroup both =
          groups.getKernel(reader, ops, groups[reader].anchor);
      both.results.append(rest.results);
      if (!groups.makesCycle(reader, ops))
        if (std::optional<double> merged = getKernelTime(both, model))
          restTime = std::min(restTime, *merged - alone);
    }
    return sum + restTime;
  }

  KernelGroups &groups;
  RefusalFn refuse;
  /// Large values that were looked at.
  llvm::DenseSet<Value> settled;
};

} // namespace

void tilefuse::inlineProducers(KernelGroups &groups, RefusalFn refuse) {
  Inliner(groups, refuse).run();
}
