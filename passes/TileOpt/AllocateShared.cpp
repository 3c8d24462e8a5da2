//===- AllocateShared.cpp - offsets and barriers of shared tiles ----------===//
//
// Liveness is an interval of a linear numbering of the kernel's ops: from a
// tile's allocation to the last use of it or of a view of it. A tile that is
// used inside a loop but allocated outside lives to the loop's end. Offsets:
// largest tiles first, each at the lowest aligned offset that no tile with an
// overlapping interval takes.
//
// Reuse of bytes costs a barrier between the old tile's last access and the new
// one's first, so it is only done when the sum of all tiles is past the budget
// in which two blocks fit on a multiprocessor.
//
//===----------------------------------------------------------------------===//

#include "passes/TileOpt/Passes.h"
#include "passes/TileOpt/SharedHazards.h"

namespace tilefuse {
#define GEN_PASS_DEF_TILEALLOCATESHARED
#include "passes/TileOpt/Passes.h.inc"
} // namespace tilefuse

using namespace mlir;
using namespace tilefuse;
using namespace tilefuse::tile;

/// Shared memory that a block may have on sm_90, and where tiles start.
static constexpr int64_t maxBytes = 227 * 1024;
static constexpr int64_t alignment = 128;
/// Below this much, tiles do not share bytes.
static constexpr int64_t plentyBytes = 48 * 1024;

namespace {
struct Tile {
  AllocSharedOp op;
  int64_t first = 0, last = 0;
  int64_t bytes = 0;
  int64_t offset = 0;
};
} // namespace

/// Every use of a tile and of views of it.
static void collectUsers(Value tile, SmallVectorImpl<Operation *> &users) {
  for (Operation *user : tile.getUsers()) {
    users.push_back(user);
    if (isa<SharedWindowOp, SharedReshapeOp, SharedTransOp, SharedSlotOp>(user))
      collectUsers(user->getResult(0), users);
  }
}

static std::vector<Tile> collectTiles(FuncOp func) {
  DenseMap<Operation *, int64_t> begin, end;
  int64_t next = 0;
  func.walk([&](Operation *op, const WalkStage &stage) {
    if (stage.isBeforeAllRegions())
      begin[op] = next++;
    if (stage.isAfterAllRegions())
      end[op] = next++;
  });
  std::vector<Tile> tiles;
  func.walk([&](AllocSharedOp op) {
    Tile tile{op, begin[op], begin[op]};
    int64_t bytes = op.getBytes();
    tile.bytes = llvm::alignTo(bytes, alignment);
    SmallVector<Operation *> users;
    collectUsers(op.getResult(), users);
    for (Operation *user : users) {
      // A use in a nested region counts to the end of that region's op.
      Operation *ancestor = user;
      while (ancestor->getBlock() != op->getBlock())
        ancestor = ancestor->getParentOp();
      tile.last = std::max(tile.last, end[ancestor]);
    }
    tiles.push_back(tile);
  });
  return tiles;
}

/// Offsets of all tiles; returns the total.
static int64_t placeTiles(std::vector<Tile> &tiles) {
  int64_t sum = 0;
  for (const Tile &tile : tiles)
    sum += tile.bytes;
  if (sum <= plentyBytes) {
    int64_t offset = 0;
    for (Tile &tile : tiles) {
      tile.offset = offset;
      offset += tile.bytes;
    }
    return sum;
  }
  std::vector<size_t> order(tiles.size());
  for (size_t i = 0; i < order.size(); ++i)
    order[i] = i;
  llvm::sort(order, [&](size_t a, size_t b) {
    return std::pair(-tiles[a].bytes, a) < std::pair(-tiles[b].bytes, b);
  });
  int64_t total = 0;
  std::vector<size_t> placed;
  for (size_t i : order) {
    Tile &tile = tiles[i];
    std::vector<std::pair<int64_t, int64_t>> taken;
    for (size_t j : placed)
      if (tiles[j].first <= tile.last && tile.first <= tiles[j].last)
        taken.push_back({tiles[j].offset, tiles[j].offset + tiles[j].bytes});
    llvm::sort(taken);
    tile.offset = 0;
    for (auto [begin, end] : taken)
      if (tile.offset < end && begin < tile.offset + tile.bytes)
        tile.offset = end;
    total = std::max(total, tile.offset + tile.bytes);
    placed.push_back(i);
  }
  return total;
}

static SharedLayout getLayout(Value sharedTile) {
  auto type = cast<SharedType>(sharedTile.getType());
  return cast<SharedLayoutAttr>(type.getLayout()).getLayout();
}

/// Bank conflicts of every access of a kernel, one execution each.
static int64_t countConflicts(FuncOp func) {
  int64_t conflicts = 0;
  // Views that differ in their offset only meet the banks alike.
  DenseMap<std::tuple<Attribute, Attribute, Type>, int64_t> known;
  auto count = [&](Value tile, DistributedAttr threads, bool widest) {
    auto type = cast<SharedType>(tile.getType());
    SharedLayout layout = getLayout(tile);
    SharedLayout base(layout.getStrides(), 0, layout.getSwizzle());
    auto baseAttr = SharedLayoutAttr::get(func.getContext(), base);
    auto baseType = SharedType::get(func.getContext(), type.getShape(),
                                    type.getElementType(), baseAttr);
    auto [entry, isNew] = known.try_emplace({threads, baseAttr, baseType});
    if (isNew) {
      int64_t bytes = std::max<int64_t>(
          1, type.getElementType().getIntOrFloatBitWidth() / 8);
      int64_t vector = widest ? getSharedVector(layout, threads.getLayout(),
                                                type.getShape(), bytes)
                              : 1;
      entry->second = countBankPasses(layout, threads.getLayout(),
                                      type.getShape(), bytes, vector)
                          .getConflicts();
    }
    conflicts += entry->second;
  };
  auto getThreads = [](Value block) {
    auto type = cast<RankedTensorType>(block.getType());
    return cast<DistributedAttr>(type.getEncoding());
  };
  func.walk([&](Operation *op) {
    if (auto copy = dyn_cast<CopyToSharedOp>(op)) {
      count(copy.getDest(), getThreads(copy.getValue()), true);
    } else if (auto load = dyn_cast<LoadSharedOp>(op)) {
      count(load.getSource(), getThreads(load.getResult()), true);
    } else if (auto copy = dyn_cast<AsyncCopyOp>(op)) {
      count(copy.getDest(), copy.getLayout(), true);
    } else if (auto mma = dyn_cast<MmaOp>(op)) {
      if (mma.getMma() != MmaKind::mma_sync)
        return;
      bool narrow =
          mma.getLhs().getType().getElementType().getIntOrFloatBitWidth() < 32;
      count(mma.getLhs(), *mma.getLhsLayout(), narrow);
      count(mma.getRhs(), *mma.getRhsLayout(), narrow);
    }
  });
  return conflicts;
}

namespace {
struct AllocateShared : tilefuse::impl::TileAllocateSharedBase<AllocateShared> {
  void runOnOperation() override {
    for (FuncOp func : getOperation().getOps<FuncOp>())
      if (failed(runOnKernel(func)))
        return signalPassFailure();
  }

  LogicalResult runOnKernel(FuncOp func) {
    std::vector<Tile> tiles = collectTiles(func);
    int64_t total = placeTiles(tiles);
    if (total > maxBytes) {
      InFlightDiagnostic error = func.emitOpError("needs ")
                                 << total << " bytes of shared memory, of "
                                 << maxBytes << " that a block may have";
      for (Tile &tile : tiles)
        error.attachNote(tile.op.getLoc())
            << tile.bytes << " bytes for " << tile.op.getResult().getType();
      return error;
    }
    Builder builder(func.getContext());
    for (Tile &tile : tiles)
      tile.op.setOffsetAttr(builder.getI64IntegerAttr(tile.offset));
    func->setAttr("tile.shared_bytes", builder.getI64IntegerAttr(total));
    numBytes += total;
    numBarriers += insertBarriers(func);
    numConflicts += countConflicts(func);
    return success();
  }
};
} // namespace
