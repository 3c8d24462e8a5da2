//===- Pipeline.cpp - copies of later rounds beside products of this one --===//
//
// A loop over reduction chunks stages the operands of its products in shared
// memory. As it comes from tile-assign-layouts, each round waits for its own
// copies:
//
//   for i:  load i; store i; barrier; products i; barrier
//
// Here every staged tile becomes a ring of buffers and the copies move ahead:
//
//   copy 0 .. S-2
//   for i:  hold = load i+1
//           wait for copy i; barrier
//           copy i+S-1                    (asynchronous)
//           products i
//           store hold to buffer i+1      (through registers)
//
// with one barrier a round. It says two things at once: the copies of round i
// have arrived in all threads, and no thread still reads buffer i-1, which both
// copy i+S-1 and the next store i+1 overwrite.
//
// What comes straight from memory goes by asynchronous copy, S buffers deep. A
// computed operand, or one that is rounded on its way, has its loads issued
// before the products and the arithmetic done after them, two buffers deep.
// Meanwhile a load waits in shared memory, copied there by the thread that reads
// it (no barrier: nobody else sees it), or in registers when it is small or some
// threads hold copies. A patch that is better computed as a line (FlatSlice.h) is
// copied by one thread and read by another: with a barrier. Past the budgets of both it is issued late too, which still
// saves a barrier.
//
// Products of warpgroups are waited for by their own warps. With one more buffer of
// each tile the barrier and all copies move behind the products of round i, which
// stay in flight meanwhile:
//
//   for i:  products i
//           copy i+S-1; store hold to buffer i+1; hold = load i+2
//           wait for copy i+1; barrier
//           (the sums of round i are waited for here)
//
// Products of several sums leave neither registers nor a second instance to hide the
// way to memory. There, loads that wait in shared memory are asked for two rounds
// ahead, in a ring of their own; arithmetic on them runs while the products do; and
// what waited in registers is stored behind it, in a branch, lest the assembler round
// it where it was asked for:
//
//   for i:  park i+2; hold = load i+1; barrier
//           products i
//           store f(parked i+1) to buffer i+1
//           store hold to buffer i+1
//
// The last rounds have nothing to copy: uniform branches skip it. Groups of
// asynchronous copies are committed nevertheless, so that waits can count them.
//
//===----------------------------------------------------------------------===//

#include "dialects/Tile/InFlight.h"
#include "passes/TileOpt/LoopPipeliner.h"
#include "passes/TileOpt/Passes.h"
#include "passes/TileOpt/SharedHazards.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace tilefuse {
#define GEN_PASS_DEF_TILEPIPELINE
#include "passes/TileOpt/Passes.h.inc"
} // namespace tilefuse

using namespace mlir;
using namespace tilefuse;
using namespace tilefuse::tile;

//===----------------------------------------------------------------------===//
// The loop from 0 by 1
//===----------------------------------------------------------------------===//

void LoopPipeliner::normalise() {
  Location loc = loop.getLoc();
  builder.setInsertionPoint(loop);
  bool fromZero = matchPattern(loop.getLowerBound(), m_Zero());
  bool byOne = matchPattern(loop.getStep(), m_One());
  rounds = loop.getUpperBound();
  if (fromZero && byOne)
    return;
  Value low = loop.getLowerBound(), step = loop.getStep();
  rounds = builder.createOrFold<arith::SubIOp>(loc, rounds, low);
  Value zero = constant(loc, 0);
  rounds = builder.createOrFold<arith::MaxSIOp>(loc, rounds, zero);
  rounds = builder.createOrFold<arith::CeilDivUIOp>(loc, rounds, step);
  loop.setLowerBound(zero);
  loop.setUpperBound(rounds);
  loop.setStep(constant(loc, 1));
  builder.setInsertionPointToStart(loop.getBody());
  Value round = loop.getInductionVar();
  Value scaled = arith::MulIOp::create(builder, loc, round, step);
  Value old = arith::AddIOp::create(builder, loc, scaled, low);
  round.replaceUsesWithIf(old, [&](OpOperand &use) {
    return use.getOwner() != scaled.getDefiningOp();
  });
  for (Staging &staging : stagings)
    staging.slice.insert(staging.slice.begin(),
                         {scaled.getDefiningOp(), old.getDefiningOp()});
}

//===----------------------------------------------------------------------===//
// Copies of other rounds
//===----------------------------------------------------------------------===//

Value LoopPipeliner::createSlot(Location loc, Value ring, Value step,
                                int64_t ahead) {
  auto ringType = cast<SharedType>(ring.getType());
  SharedLayout layout =
      cast<SharedLayoutAttr>(ringType.getLayout()).getLayout().getSlot();
  auto type = SharedType::get(
      builder.getContext(), ringType.getShape().drop_front(),
      ringType.getElementType(),
      SharedLayoutAttr::get(builder.getContext(), layout));
  return SharedSlotOp::create(builder, loc, type, ring, step,
                              builder.getI64IntegerAttr(ahead));
}

/// What `isWanted` ops of the slice are made of, for another round, with them;
/// values in `mapping` already stay.
void LoopPipeliner::cloneSlice(const Staging &staging, Value round,
                               IRMapping &mapping,
                               function_ref<bool(Operation *)> isWanted) {
  mapping.map(loop.getInductionVar(), round);
  auto known = [&](Operation *op) {
    return op->getNumResults() && mapping.contains(op->getResult(0));
  };
  llvm::SmallPtrSet<Operation *, 16> needed;
  for (Operation *op : llvm::reverse(staging.slice)) {
    bool wanted = isWanted(op);
    for (Operation *user : op->getUsers())
      wanted |= needed.contains(user);
    if (wanted && !known(op))
      needed.insert(op);
  }
  for (Operation *op : staging.slice)
    if (needed.contains(op))
      builder.clone(*op, mapping);
}

/// Where parked loads read in another round.
void LoopPipeliner::cloneAddresses(const Staging &staging, Value round,
                                   IRMapping &mapping) {
  llvm::SmallPtrSet<Operation *, 16> offsets;
  for (const Parked &wait : parked)
    if (llvm::is_contained(staging.slice, LoadOp(wait.load).getOperation()))
      for (Value offset : LoadOp(wait.load).getOffsets())
        if (Operation *op = offset.getDefiningOp())
          offsets.insert(op);
  cloneSlice(staging, round, mapping,
             [&](Operation *op) { return offsets.contains(op); });
}

void LoopPipeliner::copyRound(const Staging &staging, Value round, Value step,
                              int64_t ahead, IRMapping &mapping) {
  Operation *writer = staging.copy
                          ? CopyToSharedOp(staging.copy).getOperation()
                          : AsyncCopyOp(staging.async).getOperation();
  cloneSlice(staging, round, mapping, [&](Operation *op) {
    return llvm::any_of(writer->getOperands(), [&](Value operand) {
      return operand.getDefiningOp() == op;
    });
  });
  Location loc = AllocSharedOp(staging.alloc).getLoc();
  Value slot = createSlot(loc, staging.ring, step, ahead);
  if (staging.async) {
    AsyncCopyOp async = staging.async;
    SmallVector<Value> offsets;
    for (Value offset : async.getOffsets())
      offsets.push_back(mapping.lookupOrDefault(offset));
    AsyncCopyOp::create(builder, loc, async.getToken().getType(),
                        async.getView(), offsets, slot, async.getLayout(),
                        async.getStepsAttr(), builder.getUnitAttr());
    return;
  }
  CopyToSharedOp copy = staging.copy;
  CopyToSharedOp::create(builder, loc,
                         mapping.lookupOrDefault(copy.getValue()), slot,
                         copy.getRoundingAttr(), copy.getRestAttr());
}

/// The same for a block that is computed as lines of parked loads, which are
/// there.
void LoopPipeliner::copyFlatRound(const Staging &staging, Value round,
                                  Value step, int64_t ahead,
                                  IRMapping &mapping) {
  mapping.map(loop.getInductionVar(), round);
  SmallVector<Value> tiles;
  for (const Parked &wait : parked)
    if (llvm::is_contained(staging.slice, LoadOp(wait.load).getOperation()))
      tiles.push_back(wait.tile);
  Value line = staging.flat->emit(builder, mapping, tiles);
  Location loc = AllocSharedOp(staging.alloc).getLoc();
  Value slot = createSlot(loc, staging.ring, step, ahead);
  CopyToSharedOp copy = staging.copy;
  CopyToSharedOp::create(builder, loc, line,
                         staging.flat->createView(builder, loc, slot),
                         copy.getRoundingAttr(), copy.getRestAttr());
}

Value LoopPipeliner::createParkedSlot(const Parked &wait, Value step,
                                      int64_t ahead) {
  if (!isEarly)
    return wait.tile;
  return createSlot(LoadOp(wait.load).getLoc(), wait.tile, step, ahead);
}

/// Issues the copies of parked loads of a round.
void LoopPipeliner::copyParked(Value round, bool isShared, Value step,
                               int64_t ahead) {
  IRMapping mapping;
  for (const Staging &staging : stagings)
    cloneAddresses(staging, round, mapping);
  for (Parked &wait : parked) {
    if (wait.isShared != isShared)
      continue;
    LoadOp load = wait.load;
    SmallVector<Value> offsets;
    for (Value offset : load.getOffsets())
      offsets.push_back(mapping.lookupOrDefault(offset));
    auto layout =
        cast<DistributedAttr>(load.getResult().getType().getEncoding());
    AsyncCopyOp::create(builder, load.getLoc(),
                        TokenType::get(loop.getContext()), load.getView(),
                        offsets, createParkedSlot(wait, step, ahead), layout,
                        load.getStepsAttr(),
                        builder.getUnitAttr());
  }
}

std::pair<Value, Value> LoopPipeliner::getLater(Location loc, int64_t ahead) {
  Value later = arith::AddIOp::create(builder, loc, loop.getInductionVar(),
                                      constant(loc, ahead));
  Value exists = arith::CmpIOp::create(
      builder, loc, arith::CmpIPredicate::slt, later, rounds);
  Value last = arith::SubIOp::create(builder, loc, rounds, constant(loc, 1));
  // Inside the branch it is `later`; the bound tells what can be out of bounds.
  return {arith::MinSIOp::create(builder, loc, later, last), exists};
}

bool LoopPipeliner::run() {
  if (!collect() || !chooseStages())
    return false;
  chooseHeld();
  chooseFlat();
  chooseOverlap();
  chooseEarly();
  chooseLate();
  normalise();
  Location loc = loop.getLoc();
  MLIRContext *context = loop.getContext();

  // Rings, and the copies of the first rounds.
  builder.setInsertionPoint(loop);
  int64_t deepest = 1;
  bool anyAsync = false;
  for (Staging &staging : stagings) {
    SharedType type = staging.alloc.getResult().getType();
    auto layout = cast<SharedLayoutAttr>(type.getLayout()).getLayout();
    int64_t slots = getSlots(staging);
    int64_t elementBytes = std::max<int64_t>(
        1, type.getElementType().getIntOrFloatBitWidth() / 8);
    SmallVector<int64_t> shape{slots}, strides{getRingBytes(1, staging) /
                                               elementBytes};
    llvm::append_range(shape, type.getShape());
    llvm::append_range(strides, layout.getStrides());
    auto ringType = SharedType::get(
        context, shape, type.getElementType(),
        SharedLayoutAttr::get(context, SharedLayout(strides, layout.getOffset(),
                                                    layout.getSwizzle())));
    staging.ring = AllocSharedOp::create(builder, staging.alloc.getLoc(),
                                         ringType, IntegerAttr());
    anyAsync |= bool(staging.async);
  }
  for (Parked &wait : parked) {
    RankedTensorType type = wait.load.getResult().getType();
    SmallVector<int64_t> shape(type.getShape());
    SharedLayout layout = SharedLayout::getDense(shape);
    if (isEarly) {
      layout = getParkedLayout(wait.load);
      SmallVector<int64_t> strides{
          int64_t(llvm::alignTo(layout.getSpan(shape), 32))};
      llvm::append_range(strides, layout.getStrides());
      shape.insert(shape.begin(), 2);
      layout = SharedLayout(strides, 0, {});
    }
    auto tileType =
        SharedType::get(context, shape, type.getElementType(),
                        SharedLayoutAttr::get(context, layout));
    auto alloc = AllocSharedOp::create(builder, wait.load.getLoc(), tileType,
                                       IntegerAttr());
    if (!wait.isShared)
      alloc->setAttr(privateTileName, builder.getUnitAttr());
    wait.tile = alloc;
  }
  deepest = anyAsync ? stages - 1 : 1;
  for (int64_t round = 0; round < deepest; ++round) {
    Value number = constant(loc, round);
    Value exists = builder.createOrFold<arith::CmpIOp>(
        loc, arith::CmpIPredicate::slt, number, rounds);
    OpBuilder::InsertionGuard guard(builder);
    bool certain = matchPattern(exists, m_One());
    if (!certain) {
      auto branch = scf::IfOp::create(builder, loc, exists);
      builder.setInsertionPointToStart(branch.thenBlock());
    }
    for (const Staging &staging : stagings)
      if (staging.async || (round == 0 && !staging.flat)) {
        IRMapping mapping;
        copyRound(staging, number, number, 0, mapping);
      }
    if (!anyAsync)
      continue;
    if (!certain)
      builder.setInsertionPointAfter(builder.getBlock()->getParentOp());
    AsyncCommitOp::create(builder, loc);
    // In the loop a group of parked loads comes between; waits count it.
    if (!parked.empty() && round + 1 < deepest)
      AsyncCommitOp::create(builder, loc);
  }

  if (hasFlat()) {
    Value zero = constant(loc, 0);
    Value exists = builder.createOrFold<arith::CmpIOp>(
        loc, arith::CmpIPredicate::slt, zero, rounds);
    OpBuilder::InsertionGuard guard(builder);
    if (!matchPattern(exists, m_One())) {
      auto branch = scf::IfOp::create(builder, loc, exists);
      builder.setInsertionPointToStart(branch.thenBlock());
    }
    copyParked(zero, /*isShared=*/true, zero, 0);
    AsyncCommitOp::create(builder, loc);
    AsyncWaitOp::create(builder, loc, ValueRange(),
                        builder.getI64IntegerAttr(0));
    BarrierOp::create(builder, loc);
    for (const Staging &staging : stagings)
      if (staging.flat) {
        IRMapping mapping;
        copyFlatRound(staging, zero, zero, 0, mapping);
      }
  }

  if (isEarly && !parked.empty()) {
    Value one = constant(loc, 1);
    Value exists = arith::CmpIOp::create(
        builder, loc, arith::CmpIPredicate::slt, one, rounds);
    {
      OpBuilder::InsertionGuard guard(builder);
      auto branch = scf::IfOp::create(builder, loc, exists);
      builder.setInsertionPointToStart(branch.thenBlock());
      copyParked(one, /*isShared=*/false, one, 0);
    }
    AsyncCommitOp::create(builder, loc);
    // Waits count the copies that a round asks for behind its parked loads.
    if (anyAsync)
      AsyncCommitOp::create(builder, loc);
  }

  // Groups newer than the copies of this round: of each later round so far its
  // parked loads and its copies, and this round's parked loads.
  int64_t newer = deepest - 1;
  if (!parked.empty())
    newer = 2 * newer + (hasFlat() ? 0 : 1);
  auto waitForRound = [&]() {
    if (anyAsync)
      AsyncWaitOp::create(builder, loc, ValueRange(),
                          builder.getI64IntegerAttr(newer));
    return BarrierOp::create(builder, loc);
  };
  if (overlaps) {
    waitForRound();
    // Behind the last round nobody knows that its products have been waited for.
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointAfter(loop);
    BarrierOp::create(builder, loc);
  }

  // The round's start: loads of the next, the barrier, copies of later ones.
  builder.setInsertionPointToStart(loop.getBody());
  IRMapping heldLoads;
  SmallVector<LoadOp> held;
  for (const Staging &staging : stagings)
    for (LoadOp load : staging.held)
      if (!llvm::is_contained(held, load))
        held.push_back(load);
  // Loads of a round, zeros past the last.
  auto loadHeld = [&](Value round, Value exists) {
    SmallVector<Type> types;
    for (LoadOp load : held)
      types.push_back(load.getResult().getType());
    auto branch = scf::IfOp::create(builder, loc, types, exists,
                                    /*addThenBlock=*/true,
                                    /*addElseBlock=*/true);
    if (!overlaps && readsHeldLate)
      branch->setAttr(loadsAheadName, builder.getUnitAttr());
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(branch.thenBlock());
    IRMapping mapping;
    for (const Staging &staging : stagings)
      if (!staging.held.empty())
        cloneSlice(staging, round, mapping, [&](Operation *op) {
          auto load = dyn_cast<LoadOp>(op);
          return load && llvm::is_contained(staging.held, load);
        });
    SmallVector<Value> values;
    for (LoadOp load : held)
      values.push_back(mapping.lookup(load.getResult()));
    scf::YieldOp::create(builder, loc, values);
    builder.setInsertionPointToStart(branch.elseBlock());
    values.clear();
    for (Type type : types)
      values.push_back(arith::ConstantOp::create(
          builder, loc, cast<TypedAttr>(builder.getZeroAttr(type))));
    scf::YieldOp::create(builder, loc, values);
    return branch.getResults();
  };
  if (!held.empty() && overlaps) {
    // The loop carries them.
    builder.setInsertionPoint(loop);
    Value one = constant(loc, 1);
    Value exists = arith::CmpIOp::create(
        builder, loc, arith::CmpIPredicate::slt, one, rounds);
    SmallVector<Value> first = loadHeld(one, exists);
    IRRewriter rewriter(context);
    auto replaced = loop.replaceWithAdditionalYields(
        rewriter, first, /*replaceInitOperandUsesInLoop=*/false,
        [](OpBuilder &, Location, ArrayRef<BlockArgument> arguments) {
          return SmallVector<Value>(arguments.begin(), arguments.end());
        });
    loop = cast<scf::ForOp>(replaced->getOperation());
    auto arguments = loop.getRegionIterArgs().take_back(held.size());
    for (auto [load, value] : llvm::zip(held, arguments))
      heldLoads.map(load.getResult(), value);
    builder.setInsertionPointToStart(loop.getBody());
  } else if (!held.empty()) {
    auto [next, exists] = getLater(loc, 1);
    for (auto [load, value] : llvm::zip(held, loadHeld(next, exists)))
      heldLoads.map(load.getResult(), value);
  }
  // What other threads read of it they have read behind the barrier.
  auto issueParked = [&](bool isShared) {
    int64_t ahead = isEarly ? 2 : 1;
    auto [next, exists] = getLater(loc, ahead);
    auto branch = scf::IfOp::create(builder, loc, exists);
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(branch.thenBlock());
    copyParked(next, isShared, loop.getInductionVar(), ahead);
  };
  bool hasPrivate =
      llvm::any_of(parked, [](const Parked &p) { return !p.isShared; });
  if (hasPrivate)
    issueParked(/*isShared=*/false);
  if (!parked.empty() && !hasFlat())
    AsyncCommitOp::create(builder, loc);
  if (!overlaps)
    waitForRound();
  if (hasFlat()) {
    issueParked(/*isShared=*/true);
    AsyncCommitOp::create(builder, loc);
  }
  if (overlaps)
    builder.setInsertionPoint(loop.getBody()->getTerminator());
  if (anyAsync) {
    auto [later, exists] = getLater(loc, deepest);
    auto branch = scf::IfOp::create(builder, loc, exists);
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(branch.thenBlock());
    IRMapping mapping;
    for (const Staging &staging : stagings)
      if (staging.async)
        copyRound(staging, later, loop.getInductionVar(), deepest, mapping);
    builder.setInsertionPointAfter(branch);
    AsyncCommitOp::create(builder, loc);
  }

  // The round's end: what goes through registers.
  builder.setInsertionPoint(loop.getBody()->getTerminator());
  if (llvm::any_of(stagings, [](const Staging &s) { return s.copy; })) {
    if (!parked.empty())
      AsyncWaitOp::create(
          builder, loc, ValueRange(),
          builder.getI64IntegerAttr((isEarly ? 1 : 0) +
                                    (anyAsync ? isEarly ? 2 : 1 : 0)));
    if (hasFlat())
      BarrierOp::create(builder, loc);
    auto [next, exists] = getLater(loc, 1);
    // The last round may write a buffer that nobody reads: without a branch the
    // stores run beside products in flight. Loads that come late are worth one.
    // But arithmetic on what waits in registers, or its rounding, the assembler
    // would move to the loop's start, and wait there.
    if (hasLateLoads() || readsHeldLate) {
      auto branch = scf::IfOp::create(builder, loc, exists);
      builder.setInsertionPointToStart(branch.thenBlock());
    }
    IRMapping mapping = heldLoads;
    for (const Parked &wait : parked)
      if (!wait.isShared)
        mapping.map(Value(LoadOp(wait.load).getResult()),
                  Value(LoadSharedOp::create(
                      builder, loc, LoadOp(wait.load).getResult().getType(),
                      createParkedSlot(wait, loop.getInductionVar(), 1))));
    // What waits in registers gives them free for the code of the others; but where
    // that code hides the products, it would wait for what was just asked for.
    for (bool isComputed : {isEarly, !isEarly}) {
      if (isEarly && !isComputed) {
        auto branch = scf::IfOp::create(builder, loc, exists);
        builder.setInsertionPointToStart(branch.thenBlock());
      }
      for (const Staging &staging : stagings) {
        if (!staging.copy || hasParked(staging) != isComputed)
          continue;
        if (staging.flat)
          copyFlatRound(staging, next, loop.getInductionVar(), 1, mapping);
        else
          copyRound(staging, next, loop.getInductionVar(), 1, mapping);
      }
    }
  }

  if (overlaps) {
    Operation *yield = loop.getBody()->getTerminator();
    builder.setInsertionPoint(yield);
    if (!held.empty()) {
      auto [next, exists] = getLater(loc, 2);
      SmallVector<Value> values = loadHeld(next, exists);
      yield->setOperands(yield->getNumOperands() - held.size(), held.size(),
                         values);
    }
    waitForRound()->setAttr(keepsProductsName, builder.getUnitAttr());
  }

  // This round reads its buffers.
  for (Staging &staging : stagings) {
    if (staging.async) {
      Value token = staging.async.getToken();
      for (Operation *user : llvm::make_early_inc_range(token.getUsers())) {
        auto wait = cast<AsyncWaitOp>(user);
        SmallVector<Value> rest;
        for (Value other : wait.getTokens())
          if (other != token)
            rest.push_back(other);
        builder.setInsertionPoint(wait);
        if (!rest.empty())
          AsyncWaitOp::create(builder, wait.getLoc(), rest,
                              builder.getI64IntegerAttr(0));
        wait->erase();
      }
      staging.async->erase();
    } else {
      staging.copy->erase();
    }
    builder.setInsertionPoint(staging.alloc);
    Value slot = createSlot(staging.alloc.getLoc(), staging.ring,
                            loop.getInductionVar(), 0);
    staging.alloc.getResult().replaceAllUsesWith(slot);
    staging.alloc->erase();
  }
  return true;
}

namespace {
struct Pipeline : tilefuse::impl::TilePipelineBase<Pipeline> {
  void runOnOperation() override {
    for (FuncOp func : getOperation().getOps<FuncOp>())
      runOnKernel(func);
  }

  void runOnKernel(FuncOp func) {
    auto stages = func->getAttrOfType<IntegerAttr>("tile.stages");
    if (!stages || stages.getInt() < 2)
      return;
    SmallVector<scf::ForOp> loops;
    func.walk([&](scf::ForOp loop) { loops.push_back(loop); });
    llvm::SmallBitVector written = getWritten(func);
    for (scf::ForOp loop : loops) {
      int64_t others = 0;
      // What comes behind the loop and all around it takes its place.
      Block &body = func.getBody().front();
      Operation *outermost = body.findAncestorOpInBlock(*loop);
      func.walk([&](AllocSharedOp alloc) {
        if (!outermost->isBeforeInBlock(body.findAncestorOpInBlock(*alloc)))
          others += getSharedBytes(alloc.getResult().getType());
      });
      LoopPipeliner pipeliner(loop, stages.getInt(), others, written);
      if (!pipeliner.run())
        continue;
      ++numLoops;
      numTiles += pipeliner.getNumTiles();
      eraseDead(pipeliner.getLoop());
    }
  }

  /// Arguments that the kernel writes, and those that a launch may pass the same
  /// memory for: arguments of the program that a result may alias.
  llvm::SmallBitVector getWritten(FuncOp func) {
    llvm::SmallBitVector written(func.getArgumentTypes().size());
    auto write = [&](Value view) {
      if (auto argument = dyn_cast<BlockArgument>(view))
        written.set(argument.getArgNumber());
      else
        written.set();
    };
    func.walk([&](Operation *op) {
      if (auto store = dyn_cast<StoreOp>(op))
        write(store.getView());
      else if (auto atomic = dyn_cast<AtomicOp>(op))
        write(atomic.getView());
    });
    getOperation().walk([&](LaunchOp launch) {
      if (launch.getKernel() != func.getSymName())
        return;
      for (auto [i, operand] : llvm::enumerate(launch->getOperands())) {
        Value view = operand;
        while (auto cast = view.getDefiningOp<ViewCastOp>())
          view = cast.getView();
        auto argument = dyn_cast<BlockArgument>(view);
        auto host = argument ? dyn_cast<func::FuncOp>(
                                   argument.getOwner()->getParentOp())
                             : func::FuncOp();
        if (host && i < written.size() &&
            host.getArgAttr(argument.getArgNumber(), "fuse.alias_result"))
          written.set(i);
      }
    });
    return written;
  }

  /// The slices that were cloned.
  static void eraseDead(scf::ForOp loop) {
    bool changed = true;
    while (changed) {
      changed = false;
      for (Operation &op : llvm::make_early_inc_range(
               llvm::reverse(*loop.getBody())))
        if (op.use_empty() && !op.hasTrait<OpTrait::IsTerminator>() &&
            (isa<LoadOp>(op) || isOpTriviallyDead(&op))) {
          op.erase();
          changed = true;
        }
    }
  }
};
} // namespace
