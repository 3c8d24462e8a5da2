//===- Wgmma.cpp - matrix products by wgmma -----------------------*- C++ -*-===//
//
// The left operand comes from registers: fragments are loaded from any shared
// tile, rounded or split on the way. The right operand stays in shared memory and
// is read through descriptors; a window of it is another start address.
//
// The instructions are asynchronous. Products of a chain of tile.mma ops, the
// taps of a convolution, say, follow one another without waiting for the sums, and so
// do products that have sums of their own, the shifts of a weight gradient;
// one batch is in flight while the next batch's fragments are loaded; and what
// comes behind the last product without using its sum, the next round's copies to
// shared memory, is emitted before the wait. What
// ptxas asks for, lest it wait after every instruction: fragments are complete
// before wgmma.fence, and nothing but wgmma touches sums that are in flight.
//
// f32 accuracy is 3xTF32 as in Mma.cpp, with the right operand's small parts in a
// shared tile of their own. A sum that is not finite is repaired by mma.sync,
// whose fragments are the same. Sums are added to the accumulator every few depths,
// those of one instruction while the products of another are in flight.
//
//===----------------------------------------------------------------------===//

#include "dialects/Tile/InFlight.h"
#include "dialects/Tile/Layout/WgmmaPlan.h"
#include "passes/TileToNVVM/Fragments.h"
#include "passes/TileToNVVM/KernelEmitter.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include <set>

using namespace mlir;

namespace tilefuse {
namespace {

/// Fragment registers that a batch loads before it multiplies.
constexpr int64_t kBatchRegisters = 16;
/// Depths that 3xTF32 sums in the tensor core before a rounded addition.
constexpr size_t kPromotedDepths = 4;

/// Inline code with results tied to the operands of the same number.
SmallVector<Value> emitTied(OpBuilder &builder, Location loc, StringRef text,
                            ArrayRef<Value> tied, ArrayRef<Value> others = {},
                            StringRef otherConstraints = "") {
  std::string constraints;
  SmallVector<Type> types;
  for (Value value : tied) {
    constraints += value.getType().isF32() ? "=f," : "=r,";
    types.push_back(value.getType());
  }
  for (size_t i = 0; i < tied.size(); ++i)
    constraints += std::to_string(i) + ",";
  constraints += otherConstraints.str();
  constraints += "~{memory}";
  SmallVector<Value> operands(tied);
  llvm::append_range(operands, others);
  Type result;
  if (types.size() == 1)
    result = types.front();
  else if (!types.empty())
    result = LLVM::LLVMStructType::getLiteral(builder.getContext(), types);
  auto code = LLVM::InlineAsmOp::create(
      builder, loc, result ? TypeRange(result) : TypeRange(), operands, text,
      constraints, /*has_side_effects=*/true, /*is_align_stack=*/false,
      LLVM::tailcallkind::TailCallKind::None,
      LLVM::AsmDialectAttr::get(builder.getContext(),
                                LLVM::AsmDialect::AD_ATT),
      ArrayAttr());
  SmallVector<Value> results;
  if (types.size() == 1)
    results.push_back(code.getRes());
  else
    for (size_t i = 0; i < types.size(); ++i)
      results.push_back(
          LLVM::ExtractValueOp::create(builder, loc, code.getRes(), i));
  return results;
}

void emitText(OpBuilder &builder, Location loc, StringRef text) {
  emitTied(builder, loc, text, {});
}

/// One instruction; `sum` holds the accumulator's registers. `accumulates` false
/// starts from zero.
void emitInstruction(OpBuilder &builder, Location loc, ArrayRef<Value> lhs,
                     Value descriptor, bool accumulates,
                     MutableArrayRef<Value> sum) {
  size_t count = sum.size();
  std::string text = "{ .reg .pred p; setp.ne.b32 p, ";
  text += accumulates ? "1" : "0";
  text += ", 0; wgmma.mma_async.sync.aligned.m64n" + std::to_string(count * 2) +
          "k8.f32.tf32.tf32 {";
  for (size_t i = 0; i < count; ++i)
    text += (i ? ", $" : "$") + std::to_string(i);
  text += "}, {";
  for (size_t i = 0; i < 4; ++i)
    text += (i ? ", $" : "$") + std::to_string(2 * count + i);
  text += "}, $" + std::to_string(2 * count + 4) + ", p, 1, 1; }";
  SmallVector<Value> others(lhs);
  others.push_back(descriptor);
  SmallVector<Value> results =
      emitTied(builder, loc, text, sum, others, "r,r,r,r,l,");
  llvm::copy(results, sum.begin());
}

/// The op that reads a product's sum next, when that is a product which can be
/// issued while the sum is in flight; null otherwise.
tile::MmaOp getNextInFlight(tile::MmaOp op) {
  Value sum = op.getResult();
  while (sum.hasOneUse()) {
    Operation *user = *sum.getUsers().begin();
    if (user->getBlock() != op->getBlock())
      return nullptr;
    if (isa<tile::TransOp>(user)) {
      sum = user->getResult(0);
      continue;
    }
    auto next = dyn_cast<tile::MmaOp>(user);
    if (!next || next.getMma() != tile::MmaKind::wgmma ||
        next.getAcc() != sum || next.getPrecision() != tile::Precision::tf32 ||
        op.getPrecision() != tile::Precision::tf32)
      return nullptr;
    // Nothing may overwrite what the product still reads.
    for (Operation *between = op->getNextNode(); between != next;
         between = between->getNextNode())
      if (between->getNumRegions() ||
          !(isMemoryEffectFree(between) || isa<tile::LoadOp>(between)))
        return nullptr;
    return next;
  }
  return nullptr;
}

/// Ops that may be emitted while a product's sums are in flight: those that have
/// no use for them, stay in the block or are copies for later rounds, and let no
/// other thread overwrite what is being read.
bool isIndependent(Operation *op) {
  if (isa<tile::BarrierOp>(op))
    return op->hasAttr(tile::keepsProductsName);
  if (isa<scf::IfOp>(op))
    return llvm::all_of(op->getRegions(), [](Region &region) {
      return llvm::all_of(region.getOps(), [](Operation &inner) {
        return !inner.getNumRegions() &&
               (isMemoryEffectFree(&inner) ||
                isa<tile::AsyncCopyOp, tile::LoadOp, tile::CopyToSharedOp>(
                    inner));
      });
    });
  return !op->getNumRegions() &&
         (isMemoryEffectFree(op) ||
          isa<tile::CopyToSharedOp, tile::LoadSharedOp, tile::AsyncWaitOp,
              tile::AsyncCommitOp>(op));
}

/// The only use of a value, seen through transposes; null for more or none.
OpOperand *getOnlyUse(Value value) {
  while (value.hasOneUse()) {
    OpOperand &use = *value.getUses().begin();
    if (!isa<tile::TransOp>(use.getOwner()))
      return &use;
    value = use.getOwner()->getResult(0);
  }
  return nullptr;
}

bool isTf32Product(Operation *op) {
  auto mma = dyn_cast_or_null<tile::MmaOp>(op);
  return mma && mma.getMma() == tile::MmaKind::wgmma &&
         mma.getPrecision() == tile::Precision::tf32;
}

/// Sums that products of a round begin with.
int64_t countSums(Block *block) {
  return llvm::count_if(*block, [&](Operation &op) {
    if (!isTf32Product(&op))
      return false;
    Value acc = cast<tile::MmaOp>(op).getAcc();
    while (auto trans = acc.getDefiningOp<tile::TransOp>())
      acc = trans.getValue();
    return isa<BlockArgument>(acc) && acc.getParentBlock() == block;
  });
}

/// Whether the sums that a loop carries stay in flight from the last product of a
/// round to the first of the next. The round must end with a barrier that leaves
/// products in flight, and nothing else may come between.
bool isCarriedInFlight(scf::ForOp loop, unsigned number) {
  Block *body = loop.getBody();
  OpOperand *use = getOnlyUse(loop.getRegionIterArg(number));
  if (!use || !isTf32Product(use->getOwner()))
    return false;
  auto first = cast<tile::MmaOp>(use->getOwner());
  if (first->getBlock() != body || &first.getAccMutable() != use)
    return false;
  for (Operation *op = &body->front(); op != first; op = op->getNextNode())
    if (!isIndependent(op) && !isa<tile::LoadOp>(op))
      return false;
  tile::MmaOp last = first;
  while (tile::MmaOp next = getNextInFlight(last))
    last = next;
  OpOperand *end = getOnlyUse(last.getResult());
  if (!end || end->getOwner() != body->getTerminator() ||
      end->getOperandNumber() != number)
    return false;
  bool keeps = false;
  for (Operation *op = last->getNextNode(); op != body->getTerminator();
       op = op->getNextNode()) {
    keeps |= op->hasAttr(tile::keepsProductsName);
    if (!isIndependent(op))
      return false;
  }
  return keeps;
}

/// The loop value that is a product's summand or takes its sum.
bool isCarriedInFlight(OpOperand *use) {
  if (!use)
    return false;
  auto loop = dyn_cast_or_null<scf::ForOp>(use->getOwner()->getParentOp());
  return loop && isa<scf::YieldOp>(use->getOwner()) &&
         isCarriedInFlight(loop, use->getOperandNumber());
}

/// Whether the summand is in flight from another product.
bool startsInFlight(tile::MmaOp op) {
  Value acc = op.getAcc();
  while (auto trans = acc.getDefiningOp<tile::TransOp>())
    acc = trans.getValue();
  if (auto argument = dyn_cast<BlockArgument>(acc)) {
    auto loop = dyn_cast<scf::ForOp>(argument.getOwner()->getParentOp());
    return loop && argument.getArgNumber() >= loop.getNumInductionVars() &&
           isCarriedInFlight(loop, argument.getArgNumber() -
                                       loop.getNumInductionVars());
  }
  auto before = acc.getDefiningOp<tile::MmaOp>();
  return before && before.getMma() == tile::MmaKind::wgmma &&
         getNextInFlight(before);
}

} // namespace

/// Lower word of the descriptors of a shared tile, start 0, as i64; the warpgroup
/// decides where its columns start.
Value KernelEmitter::emitDescriptor(Location loc, Value tile,
                                    const tile::DistributedLayout &threads,
                                    const tile::WgmmaStep &step) {
  auto type = cast<tile::SharedType>(tile.getType());
  tile::SharedLayout shared =
      cast<tile::SharedLayoutAttr>(type.getLayout()).getLayout();
  Value address = LLVM::PtrToIntOp::create(builder, loc, builder.getI32Type(),
                                           getScalar(tile));
  int64_t origin = shared.getPosition(threads.getCoords(0, 0, 0));
  SmallVector<ThreadTerm> terms;
  for (int64_t bit = 2; (int64_t(1) << bit) < threads.getNumWarps(); ++bit) {
    int64_t there =
        shared.getPosition(threads.getCoords(0, 0, int64_t(1) << bit));
    if (there != origin)
      terms.push_back({uint64_t(1) << (5 + bit), (there - origin) * 4});
  }
  if (!terms.empty()) {
    // The same in all lanes, and known to be.
    Value part = emitShuffleFrom(loc, sums->getSum(terms), i32(loc, 0));
    address = arith::AddIOp::create(builder, loc, address, part);
  }
  Value grains = arith::ShRUIOp::create(builder, loc, address, i32(loc, 4));
  grains = arith::AndIOp::create(builder, loc, grains, i32(loc, 0x3FFF));
  Value word =
      arith::ExtUIOp::create(builder, loc, builder.getI64Type(), grains);
  int64_t strides = (step.depthStride * 4 >> 4) << 16 |
                    (step.columnStride * 4 >> 4) << 32;
  return arith::OrIOp::create(
      builder, loc, word,
      arith::ConstantOp::create(builder, loc,
                                builder.getI64IntegerAttr(strides)));
}

LogicalResult KernelEmitter::emitWgmma(tile::MmaOp op) {
  Location loc = op.getLoc();
  auto rhsType = cast<tile::SharedType>(op.getRhs().getType());
  if (!op.getLhsLayout() || !op.getRhsLayout() ||
      failed(getLayout(op, op.getAcc().getType())))
    return op.emitOpError("needs lhs_layout and rhs_layout for wgmma");
  tile::MmaLayouts layouts = op.getMmaLayouts();
  auto plan = tile::planWgmma(
      op.getDims(), layouts,
      cast<tile::SharedLayoutAttr>(rhsType.getLayout()).getLayout());
  bool split = op.getPrecision() == tile::Precision::ieee;
  if (!plan || (split && !op.getRhsRest()))
    return op.emitOpError("has operands that wgmma cannot read");

  auto kind = split                 ? Fragment::Tf32Split
              : op.getLhsRounded() ? Fragment::Tf32Rounded
                                   : Fragment::Tf32Round;
  auto makeLoader = [&](Value tile, const tile::DistributedLayout &layout,
                        Fragment kind) {
    return FragmentLoader(builder, loc, SharedAccess(*this, loc, tile, layout),
                          layout.getNumRegisters(), kind);
  };
  FragmentLoader lhs = makeLoader(op.getLhs(), layouts.lhs, kind);

  // Descriptors by strides; instructions differ in the start.
  std::map<std::tuple<bool, int64_t, int64_t>, Value> bases;
  auto getDescriptor = [&](bool isRest, const tile::WgmmaStep &step) -> Value {
    Value &base = bases[{isRest, step.depthStride, step.columnStride}];
    if (!base)
      base = emitDescriptor(loc, isRest ? op.getRhsRest() : op.getRhs(),
                            layouts.rhs, step);
    if (!step.start)
      return base;
    return arith::AddIOp::create(
        builder, loc, base,
        arith::ConstantOp::create(
            builder, loc, builder.getI64IntegerAttr(step.start * 4 >> 4)));
  };

  using Depth = SmallVector<tile::WgmmaStep>;
  // Fragments of some depths, complete, and `sums` behind one fence.
  struct Words {
    std::map<int64_t, size_t> places; // fragment register -> first word
    SmallVector<Value> fenced;
  };
  auto emitFragments = [&](ArrayRef<Depth> depths, MutableArrayRef<Value> sums) {
    Words words;
    SmallVector<Value> loaded;
    for (const Depth &depth : depths)
      for (const tile::WgmmaStep &step : depth)
        for (int64_t reg : step.lhs)
          if (words.places.try_emplace(reg, loaded.size()).second) {
            Tf32Pair pair = lhs.getTf32(reg);
            loaded.push_back(pair.big);
            if (split)
              loaded.push_back(pair.small);
          }
    size_t numWords = loaded.size();
    llvm::append_range(loaded, sums);
    words.fenced =
        emitTied(builder, loc, "wgmma.fence.sync.aligned;", loaded);
    llvm::copy(ArrayRef(words.fenced).drop_front(numWords), sums.begin());
    return words;
  };
  // The products of one step.
  auto emitStep = [&](const tile::WgmmaStep &step, const Words &words,
                      MutableArrayRef<Value> sum, bool accumulates) {
    SmallVector<Value> big, small, values;
    for (int64_t reg : step.lhs) {
      size_t place = words.places.at(reg);
      big.push_back(words.fenced[place]);
      if (split)
        small.push_back(words.fenced[place + 1]);
    }
    for (int64_t reg : step.acc)
      values.push_back(sum[reg]);
    Value descriptor = getDescriptor(false, step);
    if (split) {
      emitInstruction(builder, loc, small, descriptor, accumulates, values);
      emitInstruction(builder, loc, big, getDescriptor(true, step), true,
                      values);
      accumulates = true;
    }
    emitInstruction(builder, loc, big, descriptor, accumulates, values);
    for (auto [reg, value] : llvm::zip_equal(step.acc, values))
      sum[reg] = value;
  };
  auto emitCommit = [&] {
    emitText(builder, loc, "wgmma.commit_group.sync.aligned;");
  };
  // Until at most `newer` groups are in flight; `registers` of `sum` are not.
  auto emitWait = [this, loc](MutableArrayRef<Value> sum,
                              ArrayRef<int64_t> registers, size_t newer) {
    SmallVector<Value> values;
    for (int64_t reg : registers)
      values.push_back(sum[reg]);
    values = emitTied(builder, loc,
                      "wgmma.wait_group.sync.aligned " +
                          std::to_string(newer) + ";",
                      values);
    for (auto [reg, value] : llvm::zip_equal(registers, values))
      sum[reg] = value;
  };
  // The depths of a batch: one, or more while their fragments are few.
  auto countBatch = [&](ArrayRef<Depth> depths) {
    std::set<int64_t> registers;
    for (const tile::WgmmaStep &step : depths.front())
      registers.insert(step.lhs.begin(), step.lhs.end());
    int64_t perDepth = int64_t(registers.size()) * (split ? 2 : 1);
    return std::min<size_t>(depths.size(),
                            std::max<int64_t>(1, kBatchRegisters / perDepth));
  };

  Registers acc(get(op.getAcc()));
  auto all = llvm::to_vector(llvm::seq<int64_t>(0, acc.size()));
  if (!split) {
    ArrayRef<Depth> rest(*plan);
    bool sumsInFlight = startsInFlight(op);
    bool inFlight = sumsInFlight || !unfinished.results.empty();
    // Two batches at least: the last one's fragments may be in flight when the first
    // one's are loaded in the next round. Other sums' products are batches too.
    size_t most =
        countSums(op->getBlock()) > 1 ? plan->size()
                                      : std::max<size_t>(1, plan->size() / 2);
    while (!rest.empty()) {
      auto part = rest.take_front(std::min(most, countBatch(rest)));
      rest = rest.drop_front(part.size());
      Words words = emitFragments(
          part, sumsInFlight ? MutableArrayRef<Value>() : MutableArrayRef(acc));
      sumsInFlight = true;
      for (const Depth &depth : part)
        for (const tile::WgmmaStep &step : depth)
          emitStep(step, words, acc, /*accumulates=*/true);
      emitCommit();
      // The fragments of the batch before this one are free again.
      if (inFlight)
        emitWait(acc, {}, 1);
      inFlight = true;
    }
    if (getNextInFlight(op) || isCarriedInFlight(getOnlyUse(op.getResult()))) {
      set(op.getResult(), acc);
      return success();
    }
    unfinished.results.push_back(op.getResult());
    unfinished.finish.push_back([=, this]() mutable {
      emitWait(acc, all, 0);
      set(op.getResult(), acc);
      return success();
    });
    unfinished.joins = true;
    return success();
  }

  // Targets: sums that are promoted while others are in flight. Every depth has the
  // same ones, in the same order. (Halves of one instruction's columns would take
  // longer than what that hides: docs/performance-log.md.)
  size_t numTargets = plan->front().size();
  Registers sum(acc.size(), LLVM::UndefOp::create(builder, loc,
                                                  builder.getF32Type()));
  auto promote = [=, this](size_t target, size_t first, size_t length,
                           size_t newer, Registers &sum,
                           Registers &total) mutable {
    ArrayRef<int64_t> registers = (*plan)[first][target].acc;
    emitWait(sum, registers, newer);
    Registers part(acc.size());
    for (int64_t reg : registers)
      part[reg] = sum[reg];
    part = repairSum(op, layouts, first, length, part);
    for (int64_t reg : registers)
      total[reg] = arith::AddFOp::create(builder, loc, total[reg], part[reg]);
  };
  size_t before = 0, last = 0;
  for (size_t first = 0; first < plan->size(); first += kPromotedDepths) {
    size_t length = std::min(kPromotedDepths, plan->size() - first);
    for (size_t i = 0; i < length;) {
      auto batch = ArrayRef<Depth>(*plan).slice(first + i, length - i);
      batch = batch.take_front(countBatch(batch));
      Words words = emitFragments(batch, {});
      for (size_t target = 0; target < numTargets; ++target) {
        if (i == 0 && first != 0) {
          promote(target, last, before, numTargets - 1, sum, acc);
          // The sums' registers were read.
          emitText(builder, loc, "wgmma.fence.sync.aligned;");
          for (int64_t reg : batch.front()[target].acc)
            sum[reg] = LLVM::UndefOp::create(builder, loc, builder.getF32Type());
        }
        for (auto [j, depth] : llvm::enumerate(batch))
          emitStep(depth[target], words, sum,
                   /*accumulates=*/i != 0 || j != 0);
        emitCommit();
      }
      // The fragments of the batch before this one are free again.
      if (i != 0)
        emitWait(sum, {}, numTargets);
      i += batch.size();
    }
    last = first;
    before = length;
  }
  unfinished.results.push_back(op.getResult());
  unfinished.finish.push_back([=, this]() mutable {
    for (size_t target = 0; target < numTargets; ++target)
      promote(target, last, before, numTargets - 1 - target, sum, acc);
    set(op.getResult(), acc);
    return success();
  });
  return success();
}

/// Where a sum of some depths is not finite: the same by single products. Sums that
/// are null are not looked at.
Registers KernelEmitter::repairSum(tile::MmaOp op,
                                   const tile::MmaLayouts &layouts,
                                   size_t first, size_t length,
                                   const Registers &sum) {
  Location loc = op.getLoc();
  auto makeLoader = [&](Value tile, const tile::DistributedLayout &layout) {
    return FragmentLoader(builder, loc, SharedAccess(*this, loc, tile, layout),
                          layout.getNumRegisters(), Fragment::Tf32Again);
  };
  auto steps = tile::planMma(op.getDims(), layouts, 32);
  auto part = ArrayRef(*steps).slice(first, length);
  SmallVector<int64_t> registers;
  Registers looked;
  for (auto [reg, value] : llvm::enumerate(sum))
    if (value) {
      registers.push_back(reg);
      looked.push_back(value);
    }
  looked = emitRepair(builder, loc, looked, [&](MutableArrayRef<Value> looked) {
    Registers again(sum);
    for (auto [reg, value] : llvm::zip_equal(registers, looked))
      again[reg] = value;
    for (const tile::MmaStep &target : part.front()) {
      if (!sum[target.acc.front()])
        continue;
      FragmentLoader left = makeLoader(op.getLhs(), layouts.lhs);
      FragmentLoader right = makeLoader(op.getRhs(), layouts.rhs);
      Registers single(sum.size(), zero(loc, builder.getF32Type()));
      for (const SmallVector<tile::MmaStep> &depth : part)
        for (const tile::MmaStep &step : depth)
          if (step.acc == target.acc)
            emitTf32Depth(builder, loc, step, left, right, single);
      for (int64_t reg : target.acc) {
        Value isNan = arith::CmpFOp::create(
            builder, loc, arith::CmpFPredicate::UNO, again[reg], again[reg]);
        again[reg] = arith::SelectOp::create(builder, loc, isNan, single[reg],
                                             again[reg]);
      }
    }
    for (auto [reg, value] : llvm::zip_equal(registers, looked))
      value = again[reg];
  });
  Registers result(sum);
  for (auto [reg, value] : llvm::zip_equal(registers, looked))
    result[reg] = value;
  return result;
}

/// Behind a loop: waits for the sums that its last round left in flight.
void KernelEmitter::finishCarried(scf::ForOp loop) {
  Registers sums;
  for (unsigned i = 0; i < loop.getNumRegionIterArgs(); ++i)
    if (isCarriedInFlight(loop, i))
      llvm::append_range(sums, get(loop.getResult(i)));
  if (sums.empty())
    return;
  sums = Registers(emitTied(builder, loop.getLoc(),
                            "wgmma.wait_group.sync.aligned 0;", sums));
  ArrayRef<Value> rest(sums);
  for (unsigned i = 0; i < loop.getNumRegionIterArgs(); ++i)
    if (isCarriedInFlight(loop, i)) {
      size_t count = get(loop.getResult(i)).size();
      set(loop.getResult(i), Registers(rest.take_front(count)));
      rest = rest.drop_front(count);
    }
}

LogicalResult KernelEmitter::finishBefore(Operation *op) {
  // Inside a branch: it was looked at as a whole.
  if (unfinished.results.empty() ||
      unfinished.results.front().getParentBlock() != op->getBlock())
    return success();
  bool uses = llvm::any_of(op->getOperands(), [&](Value operand) {
    return llvm::is_contained(unfinished.results, operand) ||
           llvm::is_contained(unfinished.waiting, operand.getDefiningOp());
  });
  if (uses && isa<tile::TransOp>(op))
    return success(); // emitOp puts it off
  if (!uses && (isIndependent(op) || (unfinished.joins && isTf32Product(op))))
    return success();
  return finishProduct();
}

bool KernelEmitter::putOff(Operation *op) {
  if (unfinished.results.empty() || !isa<tile::TransOp>(op))
    return false;
  Value value = op->getOperand(0);
  bool uses = llvm::is_contained(unfinished.results, value) ||
              llvm::is_contained(unfinished.waiting, value.getDefiningOp());
  if (uses)
    unfinished.waiting.push_back(op);
  return uses;
}

LogicalResult KernelEmitter::finishProduct() {
  if (unfinished.results.empty())
    return success();
  Unfinished product = std::move(unfinished);
  unfinished = {};
  for (auto &finish : product.finish)
    if (failed(finish()))
      return failure();
  for (Operation *op : product.waiting)
    if (failed(emitOp(op)))
      return failure();
  return success();
}

} // namespace tilefuse
