//===- StageOperands.cpp - dot operands and windows in shared memory ------===//
//
// A dot reads its operands through chains of windows, reshapes and transposes.
// The value at the root of a chain, a loaded patch, say, or a patch after a
// pointwise prologue, is copied to one shared tile, and every chain on it
// becomes views of that tile: nine taps of a convolution are nine offsets. The
// copy stands right before the first reader, so that all loads of a step are in
// flight before the first copy waits.
//
// Operands that the contract rounds are rounded once, on the way in: to nearest
// with 10 mantissa bits for tf32, by a cast for 16-bit precisions. What needs
// no rounding and comes straight from memory goes by asynchronous copy. So does,
// in a pipelined loop, what is too large to be held in registers for a round; its
// fragments are rounded when they are loaded.
//
// A window masked at a fixed place, in the last step of a reduction, would be staged
// by itself, each tap anew. Where fragments can be masked instead, the mask becomes
// extents of the operand.
//
//   select iota < 30, window(patch), 0   ->   window(patch), 30 columns of it
//
// Windows of values in registers work the same way: the source is staged, and
// each window is a load from it.
//
//===----------------------------------------------------------------------===//

#include "passes/TileOpt/StageOperands.h"
#include "dialects/Tile/OperandExtents.h"
#include "passes/TileOpt/MadeOperands.h"
#include "passes/TileOpt/MergedLoads.h"
#include "passes/TileOpt/WarpgroupOperands.h"

#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;
using namespace tilefuse;
using namespace tilefuse::tile;

namespace {
/// One reader of a staged value.
struct Reader {
  Operation *user;
  ViewChain chain;
  /// Which element each thread reads; none when that is not known yet.
  std::optional<DistributedLayout> threads;
  /// Takes the shared tile at the end of the chain, and whether it holds rounded
  /// values.
  std::function<void(Value, bool)> connect;
  /// The layout that the root's tile must have; none when any will do.
  std::optional<SharedLayout> layout = std::nullopt;
  /// Each element is loaded by one warp, as often as it takes part in a wide
  /// instruction: rounding it then costs little.
  bool roundsCheaply = false;
};

/// A value and the form in which it is staged: a Precision, or formRest.
using StageKey = std::pair<Value, unsigned>;
/// What rounding to tf32 takes away.
constexpr unsigned formRest = 16;

/// An operand's shared tile, and whether it holds rounded values.
struct StagedTile {
  Value value;
  bool isRounded = false;
};

struct Stage {
  std::vector<Reader> readers;
};

/// Registers of a thread that wait for the next round's copies.
constexpr int64_t mostHeldRegisters = 48;

class Stager {
public:
  Stager(FuncOp func, StagingCounts &counts)
      : func(func), counts(counts), numWarps(func.getWarps()),
        builder(func.getContext()), warpgroups(numWarps) {}

  LayoutAnchors run();

private:
  void planDot(DotOp dot);
  void planWindow(WindowOp window);
  void rewriteInsertWindow(InsertWindowOp insert);
  void planWarpgroups(DotOp dot, const WarpgroupProduct &product,
                      Precision staged);
  void addReader(unsigned form, Reader reader);
  void chooseRoundedLate();
  static bool isPlainLoad(const StageKey &key);
  bool isCopiedRaw(const StageKey &key, const Stage &stage);
  void emit(const StageKey &key, Stage &stage);
  void eraseDeadViews();

  FuncOp func;
  StagingCounts &counts;
  unsigned numWarps;
  OpBuilder builder;
  llvm::MapVector<StageKey, Stage> stages;
  /// Staged as they are, though their contract rounds.
  llvm::DenseSet<StageKey> roundedLate;
  WarpgroupPlanner warpgroups;
  SmallVector<std::pair<DotOp, Value>> replacements;
  LayoutAnchors anchors;
  /// Of the dots planned so far.
  AccumulatorLayouts accumulators;
};
} // namespace

/// Coordinates of each result dim whose bits a later reduction folds over, seen
/// through sums of dots, pointwise ops, reshapes, transposes and loop results.
static void collectFolded(Value value,
                          function_ref<Coords(ArrayRef<int64_t>)> fromBase,
                          ArrayRef<int64_t> baseShape,
                          SmallVectorImpl<int64_t> &folded, unsigned depth) {
  if (depth > 24)
    return;
  auto type = cast<RankedTensorType>(value.getType());
  for (OpOperand &use : value.getUses()) {
    Operation *user = use.getOwner();
    if (auto reduce = dyn_cast<ReduceOp>(user)) {
      for (auto [dim, extent] : llvm::enumerate(baseShape))
        for (int64_t weight = 1; extent % (2 * weight) == 0; weight *= 2) {
          SmallVector<int64_t> base(baseShape.size(), 0);
          base[dim] = weight;
          Coords here = fromBase(base);
          for (int64_t d : reduce.getDims())
            if (here[d])
              folded[dim] |= weight;
        }
      continue;
    }
    if (isa<scf::YieldOp>(user)) {
      Operation *parent = user->getParentOp();
      if (isa<scf::ForOp, scf::IfOp>(parent))
        collectFolded(parent->getResult(use.getOperandNumber()), fromBase,
                      baseShape, folded, depth + 1);
      continue;
    }
    if (user->getNumResults() != 1)
      continue;
    Value result = user->getResult(0);
    auto resultType = dyn_cast<RankedTensorType>(result.getType());
    if (!resultType)
      continue;
    if (isa<ReshapeOp>(user)) {
      auto through = [&](ArrayRef<int64_t> base) {
        Coords here = fromBase(base);
        int64_t flat = 0;
        for (auto [coord, extent] : llvm::zip(here, type.getShape()))
          flat = flat * extent + coord;
        Coords there(resultType.getRank(), 0);
        for (int64_t dim = resultType.getRank(); dim-- > 0;) {
          there[dim] = flat % resultType.getDimSize(dim);
          flat /= resultType.getDimSize(dim);
        }
        return there;
      };
      collectFolded(result, through, baseShape, folded, depth + 1);
    } else if (auto trans = dyn_cast<TransOp>(user)) {
      auto through = [&](ArrayRef<int64_t> base) {
        Coords here = fromBase(base), there;
        for (int64_t dim : trans.getPermutation())
          there.push_back(here[dim]);
        return there;
      };
      collectFolded(result, through, baseShape, folded, depth + 1);
    } else if (auto dot = dyn_cast<DotOp>(user);
               (dot && use.get() == dot.getAcc()) ||
               OpTrait::hasElementwiseMappableTraits(user)) {
      collectFolded(result, fromBase, baseShape, folded, depth + 1);
    }
  }
}

static DotDims getDims(DotOp dot) {
  auto list = [](ArrayRef<int64_t> values) {
    return SmallVector<int64_t>(values);
  };
  return {list(dot.getLhs().getType().getShape()),
          list(dot.getRhs().getType().getShape()),
          list(dot.getLhsBatch()),
          list(dot.getRhsBatch()),
          list(dot.getLhsContract()),
          list(dot.getRhsContract())};
}

/// Lowers `extents` to where `mask` ends; false if it is no box from 0 on.
static bool findExtents(Value mask, MutableArrayRef<int64_t> extents) {
  if (auto broadcast = mask.getDefiningOp<BroadcastOp>())
    return findExtents(broadcast.getValue(), extents);
  if (auto both = mask.getDefiningOp<arith::AndIOp>())
    return findExtents(both.getLhs(), extents) &&
           findExtents(both.getRhs(), extents);
  auto compare = mask.getDefiningOp<arith::CmpIOp>();
  APInt bound, shift;
  if (!compare || compare.getPredicate() != arith::CmpIPredicate::slt ||
      !matchPattern(compare.getRhs(), m_ConstantInt(&bound)))
    return false;
  Value line = compare.getLhs();
  int64_t first = 0;
  if (auto shifted = line.getDefiningOp<arith::AddIOp>();
      shifted && matchPattern(shifted.getRhs(), m_ConstantInt(&shift))) {
    first = shift.getSExtValue();
    line = shifted.getLhs();
  }
  auto iota = line.getDefiningOp<IotaOp>();
  if (!iota)
    return false;
  int64_t &extent = extents[iota.getDim()];
  extent = std::clamp<int64_t>(bound.getSExtValue() - first, 0, extent);
  return true;
}

/// What a dot's operand is in front of a mask that keeps a box from 0 on and sets
/// the rest to zero, and the box; the operand itself and nothing otherwise.
static std::pair<Value, SmallVector<int64_t>> splitMask(Value operand) {
  auto select = operand.getDefiningOp<arith::SelectOp>();
  if (!select || !matchPattern(select.getFalseValue(), m_AnyZeroFloat()) ||
      !isa<RankedTensorType>(select.getCondition().getType()) ||
      !isa_and_nonnull<WindowOp, ReshapeOp, TransOp, LoadOp>(
          select.getTrueValue().getDefiningOp()))
    return {operand, {}};
  SmallVector<int64_t> extents(
      cast<RankedTensorType>(operand.getType()).getShape());
  if (!findExtents(select.getCondition(), extents))
    return {operand, {}};
  return {select.getTrueValue(), extents};
}

/// The precision in which operands are staged: tf32 rounds, bf16 and f16 cast,
/// ieee leaves them.
static Precision getStagedPrecision(DotOp dot) {
  Type element = dot.getLhs().getType().getElementType();
  return element.isF32() ? dot.getPrecision() : Precision::ieee;
}

void Stager::planDot(DotOp dot) {
  DotDims dims = getDims(dot);
  Precision staged = getStagedPrecision(dot);
  Type element = dot.getLhs().getType().getElementType();
  bool narrow = element.isF16() || element.isBF16() ||
                staged == Precision::bf16 || staged == Precision::f16;
  if (staged == Precision::bf16)
    element = BFloat16Type::get(dot.getContext());
  else if (staged == Precision::f16)
    element = Float16Type::get(dot.getContext());

  RankedTensorType accType = dot.getAcc().getType();
  std::optional<MmaLayouts> layouts;
  if (dot.getMma() != MmaKind::fma && (narrow || element.isF32()) &&
      accType.getElementType().isF32()) {
    SmallVector<int64_t> folded(accType.getRank(), 0);
    auto same = [](ArrayRef<int64_t> coords) { return Coords(coords); };
    collectFolded(dot.getResult(), same, accType.getShape(), folded, 0);
    if (dot.getMma() == MmaKind::wgmma && !narrow) {
      if (auto product = warpgroups.plan(dot, folded))
        return planWarpgroups(dot, *product, staged);
      dot.emitRemark("has no operand that wgmma reads in columns of 24 or more; "
                     "runs on mma.sync");
    }
    layouts = getMmaLayouts(dims, narrow ? 16 : 32, numWarps, folded);
    if (!layouts)
      dot.emitRemark("runs on FMA units: a product of ")
          << dims.getM() << " x " << dims.getN() << " x " << dims.getK()
          << " is not made of 16 x 8 x " << (narrow ? 16 : 8) << " steps";
    else
      accumulators[dot.getResult()] = layouts->acc;
  }

  std::array<SmallVector<int64_t>, 2> extents;
  if (layouts && !narrow)
    for (unsigned which : {0, 1}) {
      OpOperand &operand = dot->getOpOperand(which);
      Value masked = operand.get();
      auto [value, box] = splitMask(masked);
      extents[which] = box;
      operand.set(value);
      if (masked.use_empty())
        masked.getDefiningOp()->erase();
    }

  // The op is made when the last of its operands has its tile.
  auto tiles = std::make_shared<std::array<StagedTile, 2>>();
  auto emitMma = [=, this]() mutable {
    auto [lhs, rhs] = *tiles;
    if (!lhs.value || !rhs.value)
      return;
    OpBuilder b(dot);
    bool rounded = staged == Precision::tf32;
    auto mma = MmaOp::create(
        b, dot.getLoc(), accType, lhs.value, rhs.value, dot.getAcc(),
        dot.getLhsContractAttr(), dot.getRhsContractAttr(),
        b.getDenseI64ArrayAttr(dot.getLhsBatch()),
        b.getDenseI64ArrayAttr(dot.getRhsBatch()),
        PrecisionAttr::get(b.getContext(),
                           rounded ? Precision::tf32 : Precision::ieee),
        MmaKindAttr::get(b.getContext(),
                         layouts ? MmaKind::mma_sync : MmaKind::fma),
        layouts ? DistributedAttr::get(b.getContext(), layouts->lhs) : nullptr,
        layouts ? DistributedAttr::get(b.getContext(), layouts->rhs) : nullptr,
        lhs.isRounded ? b.getUnitAttr() : nullptr,
        rhs.isRounded ? b.getUnitAttr() : nullptr, Value());
    for (unsigned which : {0, 1})
      if (!extents[which].empty())
        mma->setAttr(getOperandExtentsName(which),
                     b.getDenseI64ArrayAttr(extents[which]));
    if (layouts) {
      anchors.push_back({mma.getResult(), layouts->acc});
      ++counts.mma;
    } else {
      ++counts.fma;
    }
    // Other stages may still name the dot's result.
    replacements.push_back({dot, mma.getResult()});
  };
  auto connect = [=](unsigned which) {
    return [=](Value tile, bool isRounded) mutable {
      (*tiles)[which] = {tile, isRounded};
      emitMma();
    };
  };
  Reader lhs{dot, traceViews(dot.getLhs()), std::nullopt, connect(0)};
  Reader rhs{dot, traceViews(dot.getRhs()), std::nullopt, connect(1)};
  if (layouts) {
    lhs.threads = layouts->lhs;
    rhs.threads = layouts->rhs;
  }
  addReader(unsigned(staged), std::move(lhs));
  addReader(unsigned(staged), std::move(rhs));
}

/// left * right for warpgroups. The right operand is staged rounded, and for f32
/// accuracy what that takes away is staged too.
void Stager::planWarpgroups(DotOp dot, const WarpgroupProduct &product,
                            Precision staged) {
  bool split = staged == Precision::ieee;
  auto tiles = std::make_shared<std::array<StagedTile, 3>>();
  auto emitMma = [=, this]() mutable {
    auto [left, right, rest] = *tiles;
    if (!left.value || !right.value || (split && !rest.value))
      return;
    OpBuilder b(dot);
    Location loc = dot.getLoc();
    // The accumulator's dims: left free, right free.
    int64_t numLeft = product.dims.getLhsFree().size();
    int64_t numRight = product.dims.getRhsFree().size();
    SmallVector<int64_t> there, back;
    for (int64_t i = 0; i < numLeft + numRight; ++i) {
      there.push_back((i + numRight) % (numLeft + numRight));
      back.push_back((i + numLeft) % (numLeft + numRight));
    }
    Value acc = dot.getAcc();
    auto type = RankedTensorType::get(
        product.dims.getResultShape(),
        cast<RankedTensorType>(acc.getType()).getElementType());
    if (product.swapped)
      acc = TransOp::create(b, loc, type, acc, b.getDenseI64ArrayAttr(there));
    auto mma = MmaOp::create(
        b, loc, type, left.value, right.value, acc,
        b.getDenseI64ArrayAttr(product.dims.lhsContract),
        b.getDenseI64ArrayAttr(product.dims.rhsContract),
        b.getDenseI64ArrayAttr({}), b.getDenseI64ArrayAttr({}),
        PrecisionAttr::get(b.getContext(), staged),
        MmaKindAttr::get(b.getContext(), MmaKind::wgmma),
        DistributedAttr::get(b.getContext(), product.layouts.lhs),
        DistributedAttr::get(b.getContext(), product.layouts.rhs),
        left.isRounded ? b.getUnitAttr() : nullptr, b.getUnitAttr(),
        rest.value);
    anchors.push_back({mma.getResult(), product.layouts.acc});
    ++counts.mma;
    Value result = mma.getResult();
    if (product.swapped)
      result = TransOp::create(b, loc, dot.getResult().getType(), result,
                               b.getDenseI64ArrayAttr(back));
    replacements.push_back({dot, result});
  };
  auto connect = [=](unsigned which) {
    return [=](Value tile, bool isRounded) mutable {
      (*tiles)[which] = {tile, isRounded};
      emitMma();
    };
  };
  Reader left{dot,          traceViews(product.left), product.layouts.lhs,
              connect(0),   std::nullopt,             /*roundsCheaply=*/true};
  addReader(unsigned(staged), std::move(left));
  for (unsigned which = 1; which < (split ? 3 : 2); ++which) {
    Reader right{dot, product.right, std::nullopt, connect(which),
                 product.rightLayout};
    stages[{product.right.root,
            which == 1 ? unsigned(Precision::tf32) : formRest}]
        .readers.push_back(std::move(right));
  }
}

void Stager::addReader(unsigned form, Reader reader) {
  // A chain that no dense tile can express is cut after the view that fails.
  auto type = cast<RankedTensorType>(reader.chain.root.getType());
  while (!composeViews(SharedLayout::getDense(type.getShape()), reader.chain)) {
    ViewChain prefix{reader.chain.root, {}};
    unsigned failing = 0;
    for (Operation *view : reader.chain.views) {
      prefix.views.push_back(view);
      if (!composeViews(SharedLayout::getDense(type.getShape()), prefix))
        break;
      ++failing;
    }
    reader.chain.root = reader.chain.views[failing]->getResult(0);
    reader.chain.views.erase(reader.chain.views.begin(),
                             reader.chain.views.begin() + failing + 1);
    type = cast<RankedTensorType>(reader.chain.root.getType());
  }
  StageKey key{reader.chain.root, form};
  stages[key].readers.push_back(std::move(reader));
}

void Stager::planWindow(WindowOp window) {
  Reader reader{window, traceViews(window.getResult()), std::nullopt,
                [window](Value tile, bool) mutable {
                  OpBuilder b(window);
                  auto load = LoadSharedOp::create(
                      b, window.getLoc(), window.getResult().getType(), tile);
                  window.getResult().replaceAllUsesWith(load.getResult());
                }};
  addReader(unsigned(Precision::ieee), std::move(reader));
}

/// slice -> window of tile <- into; tile -> result
void Stager::rewriteInsertWindow(InsertWindowOp insert) {
  builder.setInsertionPoint(insert);
  Location loc = insert.getLoc();
  RankedTensorType type = insert.getInto().getType();
  RankedTensorType slice = insert.getSlice().getType();
  SharedLayout layout = SharedLayout::getDense(type.getShape());
  Value tile = createSharedTile(builder, loc, type, layout);
  CopyToSharedOp::create(builder, loc, insert.getInto(), tile, nullptr);
  auto windowType = SharedType::get(
      func.getContext(), slice.getShape(), slice.getElementType(),
      SharedLayoutAttr::get(
          func.getContext(),
          layout.window(insert.getOffsets(), insert.getStrides())));
  Value window =
      SharedWindowOp::create(builder, loc, windowType, tile,
                             insert.getOffsetsAttr(), insert.getStridesAttr());
  CopyToSharedOp::create(builder, loc, insert.getSlice(), window, nullptr);
  Value result = LoadSharedOp::create(builder, loc, type, tile);
  insert.getResult().replaceAllUsesWith(result);
  insert.erase();
  ++counts.tiles;
}

/// In a pipelined loop, rounded operands are held in registers for a round, as
/// many as that is good for: first those that several warps would round again.
/// The others are copied raw, and rounded when a fragment is loaded.
void Stager::chooseRoundedLate() {
  auto numStages = func->getAttrOfType<IntegerAttr>("tile.stages");
  if (!numStages || numStages.getInt() < 2)
    return;
  struct Candidate {
    bool isPlain;
    int64_t copies; // bits of the warp's number that copies differ in
    int64_t registers;
    size_t number;
    StageKey key;
  };
  llvm::MapVector<Operation *, SmallVector<Candidate>> loops;
  for (auto &[key, stage] : stages) {
    auto loop = dyn_cast<scf::ForOp>(key.first.getParentBlock()->getParentOp());
    if (!loop || Precision(key.second) != Precision::tf32 ||
        !key.first.getDefiningOp())
      continue;
    if (isPlainLoad(key) &&
        llvm::all_of(stage.readers,
                     [](const Reader &r) { return r.roundsCheaply; })) {
      roundedLate.insert(key);
      continue;
    }
    int64_t copies = 0;
    for (const Reader &reader : stage.readers)
      if (reader.threads)
        copies = std::max<int64_t>(
            copies,
            llvm::popcount(reader.threads->getReplicationMask(Hardware::Warp)));
    loops[loop].push_back(
        {isPlainLoad(key), copies,
         getCopyLayout(key.first, numWarps).getNumRegisters(), loops[loop].size(), key});
  }
  // Registers hold one round; a deeper ring is filled past them.
  int64_t room = numStages.getInt() == 2 ? mostHeldRegisters : 0;
  for (auto &[loop, candidates] : loops) {
    llvm::sort(candidates, [](const Candidate &a, const Candidate &b) {
      return std::tuple(a.isPlain, -a.copies, a.number) <
             std::tuple(b.isPlain, -b.copies, b.number);
    });
    int64_t total = 0;
    for (const Candidate &candidate : candidates) {
      total += candidate.registers;
      if (total > room && isPlainLoad(candidate.key))
        roundedLate.insert(candidate.key);
    }
  }
}

/// A load that an asynchronous copy could do.
bool Stager::isPlainLoad(const StageKey &key) {
  auto load = key.first.getDefiningOp<LoadOp>();
  return load && !load.getFill() && !load.getMask() &&
         load.getResult().getType().getElementTypeBitWidth() >= 32;
}

/// A load that nothing changes and that only dots read, in one form.
bool Stager::isCopiedRaw(const StageKey &key, const Stage &stage) {
  auto load = key.first.getDefiningOp<LoadOp>();
  if (!isPlainLoad(key) || (Precision(key.second) != Precision::ieee &&
                            !roundedLate.contains(key)))
    return false;
  for (auto &[other, _] : stages)
    if (other.first == key.first && other != key)
      return false;
  llvm::SmallPtrSet<Operation *, 8> seen;
  SmallVector<Operation *> pending(load->getUsers().begin(),
                                   load->getUsers().end());
  while (!pending.empty()) {
    Operation *user = pending.pop_back_val();
    if (isa<WindowOp, ReshapeOp, TransOp>(user)) {
      if (seen.insert(user).second)
        pending.append(user->getUsers().begin(), user->getUsers().end());
    } else if (!isa<DotOp>(user)) {
      return false;
    }
  }
  return true;
}

/// The op of `block` that holds `op`.
static Operation *getAncestorIn(Block *block, Operation *op) {
  while (op && op->getBlock() != block)
    op = op->getParentOp();
  return op;
}

void Stager::emit(const StageKey &key, Stage &stage) {
  auto [root, form] = key;
  bool isRest = form == formRest;
  auto precision = isRest ? Precision::tf32 : Precision(form);
  Location loc = root.getLoc();
  Block *block = root.getParentBlock();
  Operation *first = nullptr;
  for (const Reader &reader : stage.readers) {
    Operation *op = getAncestorIn(block, reader.user);
    if (!first || op->isBeforeInBlock(first))
      first = op;
  }
  builder.setInsertionPoint(first);

  auto type = cast<RankedTensorType>(root.getType());
  Value value = root;
  if (precision == Precision::bf16 || precision == Precision::f16) {
    Type narrow = precision == Precision::bf16
                      ? Type(BFloat16Type::get(func.getContext()))
                      : Type(Float16Type::get(func.getContext()));
    type = RankedTensorType::get(type.getShape(), narrow);
    value = arith::TruncFOp::create(builder, loc, type, value);
  }
  int64_t elementBytes = std::max(1u, type.getElementTypeBitWidth() / 8);

  // Readers with the same threads and the same steps meet the banks alike.
  DistributedLayout copyLayout = getCopyLayout(root, numWarps);
  if (std::optional<MadeLayout> made =
          findMadeLayout(root, numWarps, accumulators)) {
    copyLayout = made->layout;
    if (made->isNew)
      anchors.push_back({root, copyLayout});
  } else if (stage.readers.front().layout &&
             getPatchLayout(root, numWarps)) {
    anchors.push_back({root, copyLayout});
  }
  SmallVector<SharedAccess, 4> accesses;
  auto addAccess = [&](const DistributedLayout &threads, const ViewChain &chain,
                       bool wide = false) {
    SmallVector<int64_t> shape(type.getShape());
    if (!chain.views.empty()) {
      auto end =
          cast<RankedTensorType>(chain.views.back()->getResult(0).getType());
      shape.assign(end.getShape().begin(), end.getShape().end());
    }
    SharedLayout dense = SharedLayout::getDense(type.getShape());
    SharedLayout seen = *composeViews(dense, chain);
    for (SharedAccess &access : accesses) {
      std::optional<SharedLayout> other = access.view(dense);
      if (access.threads == threads && access.shape == shape &&
          access.wide == wide && other->getStrides() == seen.getStrides()) {
        ++access.weight;
        return;
      }
    }
    accesses.push_back({threads, shape,
                        [chain](const SharedLayout &layout) {
                          return composeViews(layout, chain);
                        },
                        1, wide});
  };
  for (const Reader &reader : stage.readers)
    if (reader.threads)
      // Two 16-bit elements make one fragment register.
      addAccess(*reader.threads, reader.chain, /*wide=*/elementBytes < 4);
    else if (!reader.chain.views.empty())
      // Not known yet; but the view must stay representable.
      addAccess(getReplicatedLayout({}, numWarps), reader.chain);
  std::optional<SharedLayout> given = stage.readers.front().layout;
  bool isRaw = isCopiedRaw(key, stage);
  // Asynchronous copies of whole dims go by lines.
  LoadOp line = isRaw ? createMergedLoad(root.getDefiningOp<LoadOp>()) : nullptr;
  SmallVector<int64_t> lineShape;
  auto asLines = [&](const SharedLayout &layout) {
    return layout.reshape(type.getShape(), lineShape);
  };
  if (line) {
    lineShape.assign(line.getResult().getType().getShape());
    if (given && !asLines(*given)) {
      line->erase();
      line = nullptr;
    }
  }
  if (line) {
    copyLayout = getMemoryLayout(line.getResult(), numWarps);
    accesses.push_back({copyLayout, lineShape, asLines, 1, /*wide=*/true});
  } else {
    addAccess(copyLayout, ViewChain{root, {}}, /*wide=*/true);
  }
  SharedLayout layout =
      given ? *given
            : chooseSharedLayout(type.getShape(), elementBytes, accesses);

  Value tile =
      createSharedTile(builder, loc, line ? line.getResult().getType() : type,
                       line ? *asLines(layout) : layout);
  ++counts.tiles;
  bool isRounded = precision == Precision::tf32 && !isRaw;
  if (isRaw) {
    auto load = line ? line : root.getDefiningOp<LoadOp>();
    // Neighbouring copies are waited for together.
    SmallVector<Value> tokens;
    if (auto wait = dyn_cast_or_null<AsyncWaitOp>(
            tile.getDefiningOp()->getPrevNode())) {
      tokens.append(wait.getTokens().begin(), wait.getTokens().end());
      wait->erase();
    }
    tokens.push_back(
        AsyncCopyOp::create(builder, loc, TokenType::get(func.getContext()),
                            load.getView(), load.getOffsets(), tile,
                            DistributedAttr::get(func.getContext(), copyLayout),
                            load.getStepsAttr()));
    AsyncWaitOp::create(builder, loc, tokens);
    if (line) {
      line->erase();
      tile = SharedReshapeOp::create(
          builder, loc,
          SharedType::get(func.getContext(), type.getShape(),
                          type.getElementType(),
                          SharedLayoutAttr::get(func.getContext(), layout)),
          tile);
    }
  } else {
    CopyToSharedOp::create(
        builder, loc, value, tile,
        isRounded ? PrecisionAttr::get(func.getContext(), Precision::tf32)
                  : nullptr,
        isRest ? builder.getUnitAttr() : nullptr);
  }
  for (Reader &reader : stage.readers) {
    builder.setInsertionPoint(reader.user);
    reader.connect(createSharedViews(builder, tile, reader.chain), isRounded);
  }
}

void Stager::eraseDeadViews() {
  bool changed = true;
  while (changed) {
    changed = false;
    SmallVector<Operation *> dead;
    func.walk([&](Operation *op) {
      if (isa<WindowOp, ReshapeOp, TransOp, LoadOp, LoadSharedOp>(op) &&
          op->use_empty())
        dead.push_back(op);
    });
    for (Operation *op : dead) {
      op->erase();
      changed = true;
    }
  }
}

LayoutAnchors Stager::run() {
  SmallVector<DotOp> dots;
  SmallVector<InsertWindowOp> inserts;
  func.walk([&](DotOp dot) { dots.push_back(dot); });
  func.walk([&](InsertWindowOp insert) { inserts.push_back(insert); });
  for (InsertWindowOp insert : inserts)
    rewriteInsertWindow(insert);
  for (DotOp dot : dots)
    planDot(dot);
  auto emitAll = [&] {
    for (auto &[key, stage] : stages)
      emit(key, stage);
    stages.clear();
  };
  chooseRoundedLate();
  emitAll();
  for (auto [dot, mma] : replacements) {
    dot.getResult().replaceAllUsesWith(mma);
    dot->erase();
  }
  eraseDeadViews();
  SmallVector<WindowOp> windows;
  func.walk([&](WindowOp window) { windows.push_back(window); });
  for (WindowOp window : windows)
    planWindow(window);
  emitAll();
  eraseDeadViews();
  return anchors;
}

LayoutAnchors tilefuse::stageOperands(FuncOp func, StagingCounts &counts) {
  return Stager(func, counts).run();
}
