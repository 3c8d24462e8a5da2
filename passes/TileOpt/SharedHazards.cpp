//===- SharedHazards.cpp - which shared accesses need a barrier -----------===//

#include "passes/TileOpt/SharedHazards.h"

using namespace mlir;
using namespace tilefuse;
using namespace tilefuse::tile;

AllocSharedOp tilefuse::findAllocation(Value sharedTile) {
  while (Operation *op = sharedTile.getDefiningOp()) {
    if (auto alloc = dyn_cast<AllocSharedOp>(op))
      return alloc;
    if (!isa<SharedWindowOp, SharedReshapeOp, SharedTransOp, SharedSlotOp>(op))
      return nullptr;
    sharedTile = op->getOperand(0);
  }
  return nullptr;
}

namespace {
struct Bytes {
  int64_t begin, end;
  /// Which buffer of a ring that fills these bytes, counted from the round that
  /// its loop is in (from 0 in front of the loop); negative for all of them.
  int64_t slot = -1;
  bool isPrivate = false;
  bool operator==(const Bytes &) const = default;

  bool meets(Bytes other) const {
    if (other.begin >= end || begin >= other.end)
      return false;
    bool sameRing = begin == other.begin && end == other.end;
    if (sameRing && isPrivate && other.isPrivate)
      return false;
    return !sameRing || slot < 0 || other.slot < 0 || slot == other.slot;
  }
};

/// A tile that loop rounds see through shared_slot.
struct Ring {
  Bytes bytes;
  int64_t slots;
  /// Whose rounds step it; null when that is not one loop.
  Operation *loop;
  /// Bytes arrive there after the copy was started.
  bool isAsync;
};

/// Bytes read and written since the last barrier, by any path.
struct Pending {
  SmallVector<Bytes> reads, writes;

  static void add(SmallVectorImpl<Bytes> &set, Bytes bytes) {
    if (!llvm::is_contained(set, bytes))
      set.push_back(bytes);
  }
  static bool meets(ArrayRef<Bytes> set, Bytes bytes) {
    return llvm::any_of(set, [&](Bytes other) { return other.meets(bytes); });
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
  explicit Inserter(FuncOp func);

  void walk(Block &block, Pending &pending) {
    for (Operation &op : llvm::make_early_inc_range(block))
      visit(&op, pending);
  }

  int64_t inserted = 0;

private:
  void visit(Operation *op, Pending &pending);
  void access(Operation *op, Pending &pending);
  void walkLoop(ArrayRef<Block *> blocks, Pending &pending);
  Bytes getBytes(Value sharedTile);
  const Ring *findRing(Bytes bytes) const;
  /// The buffers of rings that `loop` steps, seen `rounds` rounds later; any of
  /// them when that is nothing.
  void shiftSlots(Operation *loop, std::optional<int64_t> rounds,
                  Pending &pending);

  OpBuilder builder;
  SmallVector<Ring> rings;
  int64_t mostSlots = 0;
};
} // namespace

static Bytes getWholeBytes(Value sharedTile) {
  AllocSharedOp alloc = findAllocation(sharedTile);
  int64_t begin = alloc && alloc.getOffset() ? *alloc.getOffset() : 0;
  return {begin, alloc ? begin + alloc.getBytes() : INT64_MAX, -1,
          alloc && alloc->hasAttr(privateTileName)};
}

/// The slot op between a tile and its allocation; null for none.
static SharedSlotOp findSlot(Value sharedTile) {
  while (Operation *op = sharedTile.getDefiningOp()) {
    if (auto slot = dyn_cast<SharedSlotOp>(op))
      return slot;
    if (!isa<SharedWindowOp, SharedReshapeOp, SharedTransOp>(op))
      return nullptr;
    sharedTile = op->getOperand(0);
  }
  return nullptr;
}

/// The loop whose round a slot op names; null for a constant.
static Operation *getSteppingLoop(SharedSlotOp slot) {
  auto argument = dyn_cast<BlockArgument>(slot.getStep());
  return argument ? argument.getOwner()->getParentOp() : nullptr;
}

Inserter::Inserter(FuncOp func) : builder(func.getContext()) {
  func.walk([&](SharedSlotOp slot) {
    Operation *loop = getSteppingLoop(slot);
    Bytes bytes = getWholeBytes(slot.getSource());
    auto known = llvm::find_if(
        rings, [&](const Ring &ring) { return ring.bytes == bytes; });
    int64_t slots = slot.getSource().getType().getShape().front();
    if (known == rings.end()) {
      rings.push_back({bytes, slots, loop, false});
      known = std::prev(rings.end());
    } else if (!known->loop) {
      known->loop = loop;
    } else if ((loop && loop != known->loop) || slots != known->slots) {
      // Rings of several loops in the same bytes: no order between them.
      known->slots = 0;
    }
    for (Operation *user : slot->getUsers())
      known->isAsync |= isa<AsyncCopyOp>(user);
    mostSlots = std::max(mostSlots, slots);
  });
}

const Ring *Inserter::findRing(Bytes bytes) const {
  for (const Ring &ring : rings)
    if (ring.bytes.begin == bytes.begin && ring.bytes.end == bytes.end &&
        ring.slots && ring.loop)
      return &ring;
  return nullptr;
}

Bytes Inserter::getBytes(Value sharedTile) {
  Bytes bytes = getWholeBytes(sharedTile);
  SharedSlotOp slot = findSlot(sharedTile);
  const Ring *ring = slot ? findRing(bytes) : nullptr;
  if (!ring)
    return bytes;
  APInt step;
  if (getSteppingLoop(slot) == ring->loop)
    bytes.slot = slot.getAhead() % ring->slots;
  else if (matchPattern(slot.getStep(), m_ConstantInt(&step)) &&
           !ring->loop->isProperAncestor(slot))
    bytes.slot = (step.getSExtValue() + slot.getAhead()) % ring->slots;
  return bytes;
}

void Inserter::shiftSlots(Operation *loop, std::optional<int64_t> rounds,
                          Pending &pending) {
  for (auto *set : {&pending.reads, &pending.writes}) {
    SmallVector<Bytes> shifted;
    for (Bytes bytes : *set) {
      const Ring *ring = findRing(bytes);
      if (ring && ring->loop == loop && bytes.slot >= 0)
        bytes.slot = rounds ? (bytes.slot + (ring->slots - *rounds)) % ring->slots
                            : -1;
      Pending::add(shifted, bytes);
    }
    *set = shifted;
  }
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
  // A buffer of a ring meets the same buffer after as many rounds as there are
  // buffers.
  Pending before = pending;
  Operation *loop = blocks.front()->getParentOp();
  for (int64_t round = 0; round < 2 + mostSlots; ++round) {
    for (Block *block : blocks)
      walk(*block, pending);
    shiftSlots(loop, 1, pending);
  }
  pending.merge(before);
  shiftSlots(loop, std::nullopt, pending);
}

void Inserter::visit(Operation *op, Pending &pending) {
  if (isa<BarrierOp>(op)) {
    pending.clear();
    return;
  }
  if (isa<SharedWindowOp, SharedReshapeOp, SharedTransOp, SharedSlotOp>(op))
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
  if (auto wait = dyn_cast<AsyncWaitOp>(op)) {
    for (Value token : wait.getTokens())
      if (auto copy = token.getDefiningOp<AsyncCopyOp>())
        Pending::add(pending.writes, getBytes(copy.getDest()));
    // Of a ring any buffer may be the one that has arrived.
    if (wait.getTokens().empty())
      for (const Ring &ring : rings)
        if (ring.isAsync && ring.loop && ring.loop->isProperAncestor(wait))
          Pending::add(pending.writes, ring.bytes);
  }
}

int64_t tilefuse::insertBarriers(FuncOp func) {
  Inserter inserter(func);
  Pending pending;
  inserter.walk(func.getBody().front(), pending);
  return inserter.inserted;
}
