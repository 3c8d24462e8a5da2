//===- SharedHazards.cpp - which shared accesses need a barrier -----------===//

#include "passes/TileOpt/SharedHazards.h"

using namespace mlir;
using namespace tilefuse;
using namespace tilefuse::tile;

AllocSharedOp tilefuse::findAllocation(Value sharedTile) {
  while (Operation *op = sharedTile.getDefiningOp()) {
    if (auto alloc = dyn_cast<AllocSharedOp>(op))
      return alloc;
    if (!isa<SharedWindowOp, SharedReshapeOp, SharedTransOp>(op))
      return nullptr;
    sharedTile = op->getOperand(0);
  }
  return nullptr;
}

namespace {
struct Bytes {
  int64_t begin, end;
  bool operator==(const Bytes &) const = default;
};

/// Bytes read and written since the last barrier, by any path.
struct Pending {
  SmallVector<Bytes> reads, writes;

  static void add(SmallVectorImpl<Bytes> &set, Bytes bytes) {
    if (!llvm::is_contained(set, bytes))
      set.push_back(bytes);
  }
  static bool meets(ArrayRef<Bytes> set, Bytes bytes) {
    return llvm::any_of(set, [&](Bytes other) {
      return other.begin < bytes.end && bytes.begin < other.end;
    });
  }
  void merge(const Pending &other) {
    for (Bytes bytes : other.reads)
      add(reads, bytes);
    for (Bytes bytes : other.writes)
      add(writes, bytes);
  }
  void clear() {
    reads.clear();
    writes.clear();
  }
};

class Inserter {
public:
  explicit Inserter(FuncOp func) : builder(func.getContext()) {}

  void walk(Block &block, Pending &pending) {
    for (Operation &op : llvm::make_early_inc_range(block))
      visit(&op, pending);
  }

  int64_t inserted = 0;

private:
  void visit(Operation *op, Pending &pending);
  void access(Operation *op, Pending &pending);
  void walkLoop(ArrayRef<Block *> blocks, Pending &pending);

  OpBuilder builder;
};
} // namespace

static Bytes getBytes(Value sharedTile) {
  AllocSharedOp alloc = findAllocation(sharedTile);
  int64_t begin = alloc && alloc.getOffset() ? *alloc.getOffset() : 0;
  return {begin, alloc ? begin + alloc.getBytes() : INT64_MAX};
}

void Inserter::access(Operation *op, Pending &pending) {
  SmallVector<Bytes, 2> reads, writes;
  for (Value operand : op->getOperands()) {
    if (!isa<SharedType>(operand.getType()))
      continue;
    bool isWrite = isa<CopyToSharedOp, AsyncCopyOp>(op);
    (isWrite ? writes : reads).push_back(getBytes(operand));
  }
  bool conflict = llvm::any_of(reads, [&](Bytes bytes) {
    return Pending::meets(pending.writes, bytes);
  });
  conflict |= llvm::any_of(writes, [&](Bytes bytes) {
    return Pending::meets(pending.writes, bytes) ||
           Pending::meets(pending.reads, bytes);
  });
  if (conflict) {
    builder.setInsertionPoint(op);
    BarrierOp::create(builder, op->getLoc());
    ++inserted;
    pending.clear();
  }
  for (Bytes bytes : reads)
    Pending::add(pending.reads, bytes);
  for (Bytes bytes : writes)
    Pending::add(pending.writes, bytes);
}

void Inserter::walkLoop(ArrayRef<Block *> blocks, Pending &pending) {
  // The loop may run no round: what was pending before it stays so. The second
  // walk sees what the first left; barriers it adds make the third unnecessary,
  // since a set can only shrink by them and otherwise repeats.
  Pending before = pending;
  for (unsigned round = 0; round < 2; ++round)
    for (Block *block : blocks)
      walk(*block, pending);
  pending.merge(before);
}

void Inserter::visit(Operation *op, Pending &pending) {
  if (isa<BarrierOp>(op)) {
    pending.clear();
    return;
  }
  if (isa<SharedWindowOp, SharedReshapeOp, SharedTransOp>(op))
    return;
  if (auto loop = dyn_cast<scf::ForOp>(op))
    return walkLoop({loop.getBody()}, pending);
  if (auto loop = dyn_cast<scf::WhileOp>(op))
    return walkLoop({loop.getBeforeBody(), loop.getAfterBody()}, pending);
  if (op->getNumRegions() && !isa<ReduceOp, ScanOp>(op)) {
    // Branches: each starts from what is pending here.
    Pending before = pending;
    for (Region &region : op->getRegions())
      for (Block &block : region) {
        Pending branch = before;
        walk(block, branch);
        pending.merge(branch);
      }
    return;
  }
  access(op, pending);
  // The bytes of an asynchronous copy arrive between its start and its wait.
  if (auto wait = dyn_cast<AsyncWaitOp>(op))
    for (Value token : wait.getTokens())
      if (auto copy = token.getDefiningOp<AsyncCopyOp>())
        Pending::add(pending.writes, getBytes(copy.getDest()));
}

int64_t tilefuse::insertBarriers(FuncOp func) {
  Inserter inserter(func);
  Pending pending;
  inserter.walk(func.getBody().front(), pending);
  return inserter.inserted;
}
