//===- PairStores.cpp - whole sectors from interleaved instances ----------===//
//
// Two instances that follow each other often store interleaved elements: the
// residue classes of a transposed convolution along its innermost dim. Each then
// fills half of every sector of memory, and a half costs as much as a whole. Here
// the two become a cluster, exchange halves of their blocks in shared memory, and
// each stores half of the block that both make, in rows.
//
// A store qualifies when
//   - its innermost offset is r + (the same in both), r = program id mod 2, and its
//     step there is 2; nothing else of its address tells the two apart;
//   - both come there equally often: around it are loops of constant bounds only;
//   - a warp holds runs of 16 neighbours, and a register tells two parts of the
//     block apart, one for each thread block;
//   - there is shared memory for the exchange: a buffer of a ring that this round is
//     done with, or room for a new tile.
//
// The result's layout, from the operand's: 32 elements of a run over the lanes, what
// those lanes held before in registers, one bit that was a register's for the thread
// block. Bits that were registers' come last, so that they can be taken in passes.
//
//===----------------------------------------------------------------------===//

#include "dialects/Tile/TileClusterOps.h"
#include "passes/TileOpt/Passes.h"
#include "passes/TileOpt/SharedHazards.h"
#include "passes/TileOpt/SharedViews.h"

namespace tilefuse {
#define GEN_PASS_DEF_TILEPAIRSTORES
#include "passes/TileOpt/Passes.h.inc"
} // namespace tilefuse

using namespace mlir;
using namespace tilefuse;
using namespace tilefuse::tile;

/// Lanes of a warp, and so the run that one instruction stores.
static constexpr int64_t runLength = 32;
/// Blocks below this many registers a thread are not worth two barriers.
static constexpr int64_t leastRegisters = 8;
/// Passes of an exchange that are still worth their barriers.
static constexpr int64_t mostPasses = 2;
/// Shared memory that a thread block may have.
static constexpr int64_t maxSharedBytes = 227 * 1024;

/// The program's number along axis 0, modulo 2.
static bool isParity(Value value) {
  auto remainder = value.getDefiningOp<arith::RemUIOp>();
  auto id = remainder ? remainder.getLhs().getDefiningOp<ProgramIdOp>()
                      : ProgramIdOp();
  APInt divisor;
  return id && id.getAxis() == 0 &&
         matchPattern(remainder.getRhs(), m_ConstantInt(&divisor)) &&
         divisor == 2;
}

/// Whether instances 2k and 2k + 1 have the same value.
static bool isCommon(Value value) {
  Operation *op = value.getDefiningOp();
  if (!op) { // an induction variable
    auto loop = dyn_cast<scf::ForOp>(
        cast<BlockArgument>(value).getOwner()->getParentOp());
    return loop && loop.getInductionVar() == value;
  }
  if (isa<arith::ConstantOp>(op))
    return true;
  // The program id counts only by its half.
  if (auto half = dyn_cast<arith::DivUIOp>(op)) {
    APInt divisor;
    if (half.getLhs().getDefiningOp<ProgramIdOp>())
      return matchPattern(half.getRhs(), m_ConstantInt(&divisor)) &&
             divisor.urem(2) == 0;
  }
  return isa<arith::AddIOp, arith::SubIOp, arith::MulIOp, arith::DivUIOp,
             arith::RemUIOp>(op) &&
         llvm::all_of(op->getOperands(), isCommon);
}

/// The parity in `value` = parity + what both instances have in common; null when
/// it is not such a sum.
static Value findParity(Value value) {
  if (isParity(value))
    return value;
  auto sum = value.getDefiningOp<arith::AddIOp>();
  if (!sum)
    return {};
  for (auto [term, other] : {std::pair(sum.getLhs(), sum.getRhs()),
                             std::pair(sum.getRhs(), sum.getLhs())})
    if (Value parity = findParity(term); parity && isCommon(other))
      return parity;
  return {};
}

/// The layout of the joint block, or nothing.
static std::optional<DistributedLayout>
getJointLayout(const DistributedLayout &layout, ArrayRef<int64_t> shape,
               unsigned dim) {
  if (layout.isReplicated() || layout.getNumRegisters() < leastRegisters ||
      !llvm::isPowerOf2_64(layout.getNumRegisters()) ||
      layout.getNumBits(Hardware::Lane) != 5)
    return std::nullopt;
  std::vector<SmallVector<int64_t, 4>> factors;
  for (unsigned d = 0; d < layout.getRank(); ++d) {
    if (layout.getExtent(d) != shape[d] || !llvm::isPowerOf2_64(shape[d]))
      return std::nullopt;
    factors.push_back({shape[d] * (d == dim ? 2 : 1)});
  }
  using Basis = DistributedLayout::Basis;
  auto getBases = [&](Hardware part) {
    DistributedLayout::Bases bases = layout.getBases(part);
    for (Basis &basis : bases)
      basis[dim] *= 2;
    return bases;
  };
  DistributedLayout::Bases lanes, fromLanes = getBases(Hardware::Lane),
                                  fromRegisters = getBases(Hardware::Register);
  Basis odd(layout.getRank(), 0);
  odd[dim] = 1;
  lanes.push_back(odd);
  for (int64_t weight = 2; weight < runLength; weight *= 2) {
    Basis wanted(layout.getRank(), 0);
    wanted[dim] = weight;
    bool found = false;
    for (auto *bases : {&fromLanes, &fromRegisters})
      if (auto *it = llvm::find(*bases, wanted); it != bases->end()) {
        bases->erase(it);
        found = true;
      }
    if (!found)
      return std::nullopt;
    lanes.push_back(wanted);
  }
  // Each thread block keeps one value of this bit, in all rows.
  auto kept = llvm::find_if(llvm::reverse(fromRegisters),
                            [&](const Basis &basis) { return basis[dim] == 0; });
  if (kept == fromRegisters.rend())
    return std::nullopt;
  Basis block = *kept;
  fromRegisters.erase(std::next(kept).base());
  DistributedLayout::Bases registers(fromLanes);
  llvm::append_range(registers, fromRegisters);
  std::vector<DistributedLayout::Bases> bases(numHardware);
  bases[unsigned(Hardware::Register)] = registers;
  bases[unsigned(Hardware::Lane)] = lanes;
  bases[unsigned(Hardware::Warp)] = getBases(Hardware::Warp);
  bases[unsigned(Hardware::Block)] = {block};
  std::string error;
  return DistributedLayout::get(factors, bases, error);
}

/// Whether every use of `tile` and its views comes before `op` in its block.
static bool isDoneBefore(Value tile, Operation *op) {
  return llvm::all_of(tile.getUsers(), [&](Operation *user) {
    Operation *here = op->getBlock()->findAncestorOpInBlock(*user);
    return here && here->isBeforeInBlock(op) &&
           llvm::all_of(user->getResults(), [&](Value result) {
             return !isa<SharedType>(result.getType()) ||
                    isDoneBefore(result, op);
           });
  });
}

static int64_t getTileBytes(SharedType type) {
  SharedLayout layout = cast<SharedLayoutAttr>(type.getLayout()).getLayout();
  int64_t last = 0;
  for (auto [extent, stride] : llvm::zip(type.getShape(), layout.getStrides()))
    last += (extent - 1) * stride;
  return (last + 1) * std::max(1u, type.getElementType().getIntOrFloatBitWidth() / 8);
}

namespace {
struct PairStores : tilefuse::impl::TilePairStoresBase<PairStores> {
  void runOnOperation() override {
    for (FuncOp func : getOperation().getOps<FuncOp>()) {
      ArrayRef<int64_t> grid = func.getGrid();
      if (grid[0] % 2 != 0 || llvm::any_of(grid.drop_front(), [](int64_t extent) {
            return extent != 1;
          }))
        continue;
      SmallVector<StoreOp> stores;
      func.walk([&](StoreOp store) { stores.push_back(store); });
      for (StoreOp store : stores)
        if (pair(func, store)) {
          func->setAttr(clusterName,
                        Builder(func.getContext()).getI64IntegerAttr(2));
          ++numStores;
        }
    }
  }

  /// Memory for the exchange of `bytes`, or null.
  Value getScratch(FuncOp func, StoreOp store, int64_t bytes) {
    for (Operation &op : *store->getBlock()) {
      if (&op == store)
        break;
      auto slot = dyn_cast<SharedSlotOp>(op);
      if (slot && slot.getAhead() == 0 && isDoneBefore(slot.getResult(), store) &&
          getTileBytes(slot.getResult().getType()) * mostPasses >= bytes)
        return slot.getResult();
    }
    int64_t taken = 0;
    func.walk([&](AllocSharedOp alloc) {
      taken += llvm::alignTo(alloc.getBytes(), 128);
    });
    int64_t size = bytes / mostPasses;
    if (taken + size > maxSharedBytes)
      return {};
    OpBuilder builder(store);
    int64_t words = size / 4;
    return createSharedTile(
        builder, store.getLoc(),
        RankedTensorType::get({words}, builder.getF32Type()),
        SharedLayout::getDense({words}));
  }

  bool pair(FuncOp func, StoreOp store) {
    RankedTensorType type = store.getValue().getType();
    auto view = cast<ViewType>(store.getView().getType());
    unsigned dim = type.getRank() - 1;
    ArrayRef<int64_t> steps =
        store.getSteps() ? *store.getSteps() : ArrayRef<int64_t>();
    if (type.getRank() == 0 || steps.empty() || steps[dim] != 2 ||
        view.getStrides()[dim] != 1 || store.getMask() ||
        !type.getElementType().isF32())
      return false;
    for (Operation *parent = store->getParentOp(); parent != func;
         parent = parent->getParentOp()) {
      auto loop = dyn_cast<scf::ForOp>(parent);
      auto isConstant = [](Value bound) {
        return matchPattern(bound, m_Constant());
      };
      if (!loop || !isConstant(loop.getLowerBound()) ||
          !isConstant(loop.getUpperBound()) || !isConstant(loop.getStep()))
        return false;
    }
    SmallVector<Value> offsets(store.getOffsets());
    Value parity = findParity(offsets[dim]);
    if (!parity || !llvm::all_of(ArrayRef(offsets).take_front(dim), isCommon))
      return false;
    auto attr = cast<DistributedAttr>(type.getEncoding());
    std::optional<DistributedLayout> layout =
        getJointLayout(attr.getLayout(), type.getShape(), dim);
    if (!layout)
      return false;
    Value scratch =
        getScratch(func, store, layout->getNumRegisters() *
                                    layout->getNumThreads() * int64_t(4));
    if (!scratch)
      return false;
    Location loc = store.getLoc();
    OpBuilder atStart = OpBuilder::atBlockBegin(&func.getBody().front());
    int64_t words = 4 * func.getWarps();
    Value barriers = createSharedTile(
        atStart, loc, RankedTensorType::get({words}, atStart.getF32Type()),
        SharedLayout::getDense({words}));
    // As late as may be: what else reads the values of the tile is done with them.
    Operation *last = store;
    while (last->getNextNode() && !last->getNextNode()->hasTrait<OpTrait::IsTerminator>() &&
           isMemoryEffectFree(last->getNextNode()))
      last = last->getNextNode();
    OpBuilder builder(store);
    builder.setInsertionPointAfter(last);
    SmallVector<int64_t> shape(type.getShape()), newSteps(steps);
    shape[dim] *= 2;
    newSteps[dim] = 1;
    auto joint = RankedTensorType::get(
        shape, type.getElementType(),
        DistributedAttr::get(func.getContext(), *layout));
    Value value =
        JoinPairOp::create(builder, loc, joint, store.getValue(), scratch,
                           barriers, dim);
    offsets[dim] = arith::SubIOp::create(builder, loc, offsets[dim], parity);
    StoreOp::create(builder, loc, value, store.getView(), offsets, Value(),
                    builder.getDenseI64ArrayAttr(newSteps));
    store.erase();
    return true;
  }
};
} // namespace
