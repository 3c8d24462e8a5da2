//===- LoopPipeliner.cpp - what of a loop can run ahead ----------*- C++ -*-===//

#include "passes/TileOpt/LoopPipeliner.h"
#include "passes/TileOpt/SharedHazards.h"

#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace tilefuse;
using namespace tilefuse::tile;

/// Shared memory that the tiles of a pipelined kernel may take together.
static constexpr int64_t mostBytes = 226 * 1024;
/// Registers of a thread that loads of the next round may take during products,
/// and that everything but those and sums takes.
static constexpr int64_t mostHeld = 48, leastHeld = 32;
static constexpr int64_t usualRegisters = 80;
/// Loads that take fewer registers wait there.
static constexpr int64_t leastParked = 8;
/// Words of all banks: buffers of a ring start at the same bank.
static constexpr int64_t ringAlignment = 128;

int64_t tilefuse::getSharedBytes(SharedType type) {
  int64_t bits = type.getElementType().getIntOrFloatBitWidth();
  return cast<SharedLayoutAttr>(type.getLayout())
             .getLayout()
             .getSpan(type.getShape()) *
         std::max<int64_t>(1, bits / 8);
}

//===----------------------------------------------------------------------===//
// What can move
//===----------------------------------------------------------------------===//

bool Staging::isComputed() const {
  return llvm::any_of(slice, [](Operation *op) {
    return op->getNumResults() &&
           isa<RankedTensorType>(op->getResult(0).getType()) &&
           !isa<LoadOp, ReshapeOp, TransOp>(op);
  });
}

/// Every user of a tile and of views of it, views left out.
static void collectAccesses(Value tile, SmallVectorImpl<Operation *> &users) {
  for (Operation *user : tile.getUsers()) {
    if (isa<SharedWindowOp, SharedReshapeOp, SharedTransOp>(user))
      collectAccesses(user->getResult(0), users);
    else
      users.push_back(user);
  }
}

/// Gathers what the copied block is computed from in the loop; false when it
/// depends on more than the round and memory that the loop does not write.
bool LoopPipeliner::collectSlice(Staging &staging) {
  Block *body = loop.getBody();
  llvm::SetVector<Operation *> slice;
  SmallVector<Value> pending;
  Operation *writer = staging.copy ? staging.copy.getOperation()
                                   : staging.async.getOperation();
  for (Value operand : writer->getOperands())
    if (!isa<SharedType>(operand.getType()))
      pending.push_back(operand);
  while (!pending.empty()) {
    Value value = pending.pop_back_val();
    if (value.getParentBlock() != body)
      continue;
    Operation *op = value.getDefiningOp();
    if (!op) {
      if (value != loop.getInductionVar())
        return false;
      continue;
    }
    // An operand made by a product of its own: no registers to spare.
    hasInnerProduct |= isa<MmaOp>(op);
    bool movable = isMemoryEffectFree(op);
    if (auto load = dyn_cast<LoadOp>(op))
      movable = !isWritten(load.getView());
    if (!movable || (op->getNumRegions() && !isa<ReduceOp, ScanOp>(op)))
      return false;
    if (slice.insert(op))
      pending.append(op->operand_begin(), op->operand_end());
  }
  staging.slice = slice.takeVector();
  llvm::sort(staging.slice, [](Operation *a, Operation *b) {
    return a->isBeforeInBlock(b);
  });
  return true;
}

bool LoopPipeliner::collect() {
  Block *body = loop.getBody();
  for (AllocSharedOp alloc : body->getOps<AllocSharedOp>()) {
    SmallVector<Operation *> users;
    collectAccesses(alloc.getResult(), users);
    Staging staging;
    staging.alloc = alloc;
    bool movable = true, isOperand = false;
    Operation *writer = nullptr;
    for (Operation *user : users) {
      if (!isa<CopyToSharedOp, AsyncCopyOp>(user)) {
        isOperand |= isa<MmaOp>(user);
        continue;
      }
      staging.copy = dyn_cast<CopyToSharedOp>(user);
      staging.async = dyn_cast<AsyncCopyOp>(user);
      Value dest = staging.copy ? Value(staging.copy.getDest())
                                : Value(staging.async.getDest());
      movable &= !writer && user->getBlock() == body &&
                 dest == alloc.getResult();
      writer = user;
    }
    if (!writer || !movable || !isOperand)
      continue;
    for (Operation *user : users) {
      Operation *inBody = body->findAncestorOpInBlock(*user);
      movable &= user == writer || writer->isBeforeInBlock(inBody);
    }
    if (staging.async)
      movable &= !isWritten(staging.async.getView());
    if (movable && collectSlice(staging))
      stagings.push_back(std::move(staging));
  }
  // What stays of the tiles in the loop, the rings of loops in it, say.
  for (const Staging &staging : stagings)
    otherBytes -= getSharedBytes(AllocSharedOp(staging.alloc).getResult().getType());
  return !stagings.empty() && !hasInnerProduct;
}

/// Asynchronous copies move 4 bytes or more; of copies one thread writes.
bool LoopPipeliner::canPark(LoadOp load) const {
  RankedTensorType type = load.getResult().getType();
  auto layout = DistributedAttr::lookup(type);
  return layout && !load.getFill() && !load.getMask() &&
         type.getElementTypeBitWidth() >= 32 &&
         !layout->getReplicationMask(Hardware::Lane) &&
         !layout->getReplicationMask(Hardware::Warp) &&
         layout->getNumRegisters() >= leastParked;
}

int64_t LoopPipeliner::getParkedBytes(LoadOp load) {
  RankedTensorType type = load.getResult().getType();
  return llvm::alignTo(type.getNumElements() * type.getElementTypeBitWidth() / 8,
                       ringAlignment);
}

/// Rows apart by as much as lets a warp's threads meet the fewest banks twice. Each
/// thread reads what it wrote, so that any layout will do.
SharedLayout tilefuse::getParkedLayout(LoadOp load) {
  RankedTensorType type = load.getResult().getType();
  ArrayRef<int64_t> shape = type.getShape();
  auto threads = DistributedAttr::lookup(type);
  SharedLayout best = SharedLayout::getDense(shape);
  int64_t bytes = std::max<int64_t>(1, type.getElementTypeBitWidth() / 8);
  if (!threads || shape.empty() || bytes != 4)
    return best;
  SmallVector<int64_t> order, padding(shape.size(), 0);
  for (int64_t dim = shape.size(); dim-- > 0;)
    order.push_back(dim);
  int64_t vector = getSharedVector(best, *threads, shape, bytes);
  int64_t bestCost = countBankPasses(best, *threads, shape, bytes, vector).passes;
  constexpr int64_t mostPadding = 16;
  for (padding[0] = vector; padding[0] <= mostPadding; padding[0] += vector) {
    SharedLayout layout = SharedLayout::getPadded(shape, order, padding);
    if (getSharedVector(layout, *threads, shape, bytes) != vector)
      continue;
    int64_t cost =
        countBankPasses(layout, *threads, shape, bytes, vector).passes;
    if (cost < bestCost) {
      best = layout;
      bestCost = cost;
    }
  }
  return best;
}

/// Where the loads of the next round wait during the products: operands with few
/// loads first.
void LoopPipeliner::chooseHeld() {
  SmallVector<std::pair<int64_t, size_t>> order;
  auto getRegisters = [](Value value) {
    auto type = dyn_cast<RankedTensorType>(value.getType());
    auto layout = type ? DistributedAttr::lookup(type) : std::nullopt;
    if (!layout)
      return int64_t(0);
    int64_t bits = type.getElementType().isIndex()
                       ? 64
                       : int64_t(type.getElementTypeBitWidth());
    return layout->getNumRegisters() * std::max<int64_t>(1, bits / 32);
  };
  int64_t shared = mostBytes - getTotalBytes();
  auto isParked = [&](LoadOp load) {
    return llvm::any_of(parked, [&](const Parked &p) { return p.load == load; });
  };
  for (auto [i, staging] : llvm::enumerate(stagings)) {
    if (!staging.copy)
      continue;
    int64_t count = 0;
    for (Operation *op : staging.slice) {
      auto load = dyn_cast<LoadOp>(op);
      if (!load || isParked(load))
        continue;
      // What is copied as it was loaded needs no detour.
      bool isPlain = llvm::all_of(
          llvm::make_range(llvm::find(staging.slice, op) + 1,
                           staging.slice.end()),
          llvm::IsaPred<LoadOp, ReshapeOp, TransOp>);
      if (!isPlain && canPark(load) && getParkedBytes(load) <= shared) {
        shared -= getParkedBytes(load);
        parked.push_back({load, Value()});
        continue;
      }
      count += getRegisters(load.getResult());
    }
    order.push_back({count, i});
  }
  llvm::sort(order);
  // What the sums and the largest computed block leave of the registers that a
  // thread may have. Coordinates are known, or the same for many elements.
  auto kernel = loop->getParentOfType<FuncOp>();
  int64_t budget = std::min<int64_t>(255, 65536 / (32 * kernel.getWarps()));
  int64_t sums = 0, computed = 0;
  llvm::SmallPtrSet<Operation *, 32> made; // of loaded elements
  loop.walk([&](Operation *op) {
    bool isMade = isa<LoadOp>(op);
    for (Value operand : op->getOperands())
      isMade |= operand.getDefiningOp() && made.contains(operand.getDefiningOp());
    if (isMade)
      made.insert(op);
    for (Value result : op->getResults()) {
      if (isa<MmaOp>(op))
        sums = std::max(sums, getRegisters(result));
      else if (isMade && !isa<LoadOp, TransOp, ReshapeOp, scf::ForOp>(op))
        computed = std::max(computed, getRegisters(result));
    }
  });
  // Where two instances share a multiprocessor they must go on doing so.
  int64_t taken = usualRegisters + sums + computed;
  bool isAlone = taken > 65536 / int64_t(64 * kernel.getWarps());
  budget = std::max(budget - taken, leastHeld);
  if (!isAlone)
    budget = std::min(budget, mostHeld);
  int64_t total = 0;
  for (auto [count, i] : order) {
    if (total + count > budget)
      break;
    total += count;
    for (Operation *op : stagings[i].slice)
      if (auto load = dyn_cast<LoadOp>(op))
        if (!isParked(load))
          stagings[i].held.push_back(load);
  }
}

/// Slices of parked loads only, which no other slice reads.
void LoopPipeliner::chooseFlat() {
  for (Staging &staging : stagings) {
    if (!staging.copy)
      continue;
    SmallVector<LoadOp> loads;
    bool isAlone = true;
    for (const Parked &wait : parked) {
      Operation *load = LoadOp(wait.load);
      if (!llvm::is_contained(staging.slice, load))
        continue;
      loads.push_back(wait.load);
      for (const Staging &other : stagings)
        isAlone &= &other == &staging || !llvm::is_contained(other.slice, load);
    }
    auto type = cast<SharedType>(staging.alloc.getResult().getType());
    if (isAlone)
      staging.flat = FlatSlice::plan(
          staging.copy.getValue(), loads,
          cast<SharedLayoutAttr>(type.getLayout()).getLayout());
    for (Parked &wait : parked)
      wait.isShared |= staging.flat && llvm::is_contained(loads, wait.load);
  }
}

int64_t LoopPipeliner::getRingBytes(int64_t slots,
                                    const Staging &staging) const {
  return slots *
         int64_t(llvm::alignTo(getSharedBytes(AllocSharedOp(staging.alloc).getResult().getType()),
                               ringAlignment));
}

int64_t LoopPipeliner::getTotalBytes() const {
  int64_t total = otherBytes;
  for (const Staging &staging : stagings)
    total += getRingBytes(getSlots(staging), staging);
  return total;
}

bool LoopPipeliner::hasLateLoads() const {
  for (const Staging &staging : stagings)
    for (Operation *op : staging.slice) {
      auto load = dyn_cast<LoadOp>(op);
      if (staging.copy && load && !llvm::is_contained(staging.held, load) &&
          llvm::none_of(parked,
                        [&](const Parked &p) { return p.load == load; }))
        return true;
    }
  return false;
}

/// Whether what reads loads that wait in registers must be kept from them, which
/// takes a branch around it. Of warpgroups' products, stores of early loads come late
/// enough without; and over a loop of tiles, with loads of its own, the assembler had
/// better schedule freely.
void LoopPipeliner::chooseLate() {
  bool onlyWarpgroups = true, hasOtherLoads = false;
  scf::ForOp(loop).walk([&](Operation *op) {
    if (auto mma = dyn_cast<MmaOp>(op))
      onlyWarpgroups &= mma.getMma() == MmaKind::wgmma;
    hasOtherLoads |=
        isa<LoadOp>(op) && llvm::none_of(stagings, [&](const Staging &staging) {
          return llvm::is_contained(staging.slice, op);
        });
  });
  bool isFree = onlyWarpgroups && (isEarly || hasOtherLoads);
  readsHeldLate = llvm::any_of(stagings, [&](const Staging &staging) {
    return !staging.held.empty() && (!isFree || staging.isComputed());
  });
}

/// As many buffers as the schedule asks for and shared memory holds.
bool LoopPipeliner::chooseStages() {
  for (; stages > 1; --stages)
    if (getTotalBytes() <= mostBytes)
      return true;
  return false;
}

/// The extra buffers must not cost a multiprocessor its second instance.
void LoopPipeliner::chooseOverlap() {
  bool anyAsync = llvm::any_of(stagings, [](const Staging &s) {
    return bool(s.async);
  });
  bool onlyWarpgroups = true;
  loop.walk([&](MmaOp mma) {
    onlyWarpgroups &= mma.getMma() == MmaKind::wgmma &&
                      mma->getBlock() == loop.getBody();
  });
  if (!anyAsync || stages < 3 || !parked.empty() || !onlyWarpgroups ||
      hasLateLoads())
    return;
  auto hasTwo = [&] { return 2 * getTotalBytes() <= mostBytes; };
  bool hadTwo = hasTwo();
  overlaps = true;
  overlaps = getTotalBytes() <= mostBytes && (!hadTwo || hasTwo());
}

/// Several sums of warpgroups take the registers that would hold more loads, or a
/// second instance that hides them: the way to memory is longer than a round.
void LoopPipeliner::chooseEarly() {
  bool onlyWarpgroups = true;
  int64_t numSums = 0;
  loop.walk([&](MmaOp mma) {
    onlyWarpgroups &= mma.getMma() == MmaKind::wgmma &&
                      mma->getBlock() == loop.getBody();
    auto carried = dyn_cast<BlockArgument>(mma.getAcc());
    numSums += carried && carried.getOwner() == loop.getBody();
  });
  bool anyHeld = llvm::any_of(
      stagings, [](const Staging &s) { return !s.held.empty(); });
  // Two rounds of what is parked, padding included.
  int64_t bytes = 0;
  for (const Parked &wait : parked) {
    LoadOp load = wait.load;
    RankedTensorType type = load.getResult().getType();
    bytes += 2 * llvm::alignTo(getParkedLayout(load).getSpan(type.getShape()) *
                                   type.getElementTypeBitWidth() / 8,
                               ringAlignment);
  }
  isEarly = numSums > 1 && onlyWarpgroups && anyHeld && !overlaps && !hasFlat() &&
            !hasLateLoads() && getTotalBytes() + bytes <= mostBytes;
}
