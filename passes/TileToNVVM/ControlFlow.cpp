//===- ControlFlow.cpp - loops and branches of a thread -----------*- C++ -*-===//
//
// Blocks that loops carry or branches yield become as many scalars as their
// layouts have registers. Conditions and bounds are the same in all threads of a
// block, so barriers and warp-wide instructions inside are safe.
//
// Loads that a branch issues ahead (InFlight.h) are read behind it. LLVM would move
// what reads them into the branch: past a phi with a constant it finds the sum of
// one block cheaper. It does not look through an instruction in assembly.
//
//===----------------------------------------------------------------------===//

#include "dialects/Tile/InFlight.h"
#include "passes/TileToNVVM/KernelEmitter.h"
#include "passes/TileToNVVM/Words.h"

#include "llvm/ADT/SmallBitVector.h"

using namespace mlir;

namespace tilefuse {

/// slot + ahead, less `size` when that is past the end.
Value KernelEmitter::emitWrapped(Location loc, Value slot, int64_t ahead,
                                 int64_t size) {
  if (ahead % size == 0)
    return slot;
  Value sum = addImmediate(loc, slot, ahead % size);
  Value isPast = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::sge,
                                       sum, i32(loc, size));
  return arith::SelectOp::create(builder, loc, isPast,
                                 addImmediate(loc, sum, -size), sum);
}

FailureOr<Registers> KernelEmitter::flatten(Operation *op, ValueRange values) {
  Registers scalars;
  for (Value value : values)
    llvm::append_range(scalars, get(value));
  return scalars;
}

LogicalResult KernelEmitter::flattenTypes(Operation *op, TypeRange types,
                                          SmallVectorImpl<Type> &result) {
  for (Type type : types) {
    FailureOr<int64_t> count = getNumScalars(op, type);
    if (failed(count))
      return failure();
    result.append(*count, getScalarType(type));
  }
  return success();
}

LogicalResult KernelEmitter::assign(Operation *op, ValueRange values,
                                    ValueRange scalars) {
  for (Value value : values) {
    FailureOr<int64_t> count = getNumScalars(op, value.getType());
    if (failed(count))
      return failure();
    set(value, Registers(scalars.take_front(*count)));
    scalars = scalars.drop_front(*count);
  }
  return success();
}

/// Sizes of the rings that a loop's rounds step through, but powers of two, for
/// which the remainder is a mask.
static SmallVector<int64_t> getRingSizes(scf::ForOp loop) {
  SmallVector<int64_t> sizes;
  loop.walk([&](tile::SharedSlotOp slot) {
    int64_t size = slot.getSource().getType().getShape().front();
    if (slot.getStep() == loop.getInductionVar() &&
        !llvm::isPowerOf2_64(size) && !llvm::is_contained(sizes, size))
      sizes.push_back(size);
  });
  return sizes;
}

LogicalResult KernelEmitter::emitFor(scf::ForOp op) {
  FailureOr<Registers> inits = flatten(op, op.getInitArgs());
  if (failed(inits))
    return failure();
  // The round's buffer of each ring is counted along: cheaper than a remainder.
  SmallVector<int64_t> ringSizes = getRingSizes(op);
  inits->append(ringSizes.size(), i32(op.getLoc(), 0));
  auto loop = scf::ForOp::create(
      builder, op.getLoc(), getScalar(op.getLowerBound()),
      getScalar(op.getUpperBound()), getScalar(op.getStep()), *inits);
  Block *body = loop.getBody();
  if (!body->empty())
    body->getTerminator()->erase();
  set(op.getInductionVar(), loop.getInductionVar());
  if (failed(assign(op, op.getRegionIterArgs(), loop.getRegionIterArgs())))
    return failure();
  auto slots = loop.getRegionIterArgs().take_back(ringSizes.size());
  for (auto [size, slot] : llvm::zip_equal(ringSizes, slots))
    ringSlots[{op.getInductionVar(), size}] = slot;

  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToEnd(body);
  if (failed(emitBlock(*op.getBody())))
    return failure();
  FailureOr<Registers> yielded =
      flatten(op, op.getBody()->getTerminator()->getOperands());
  if (failed(yielded))
    return failure();
  for (auto [size, slot] : llvm::zip_equal(ringSizes, slots))
    yielded->push_back(emitWrapped(op.getLoc(), slot, 1, size));
  scf::YieldOp::create(builder, op.getLoc(), *yielded);
  if (failed(assign(op, op.getResults(), loop.getResults())))
    return failure();
  builder.setInsertionPointAfter(loop);
  finishCarried(op);
  return success();
}

/// Whether a result is a block that one branch loads and the other does not.
static bool isLoadedAhead(scf::IfOp op, unsigned result) {
  if (op.getElseRegion().empty() || !op->hasAttr(tile::loadsAheadName))
    return false;
  Value other = op.elseYield().getOperand(result);
  return op.thenYield().getOperand(result).getDefiningOp<tile::LoadOp>() &&
         (matchPattern(other, m_Zero()) ||
          matchPattern(other, m_AnyZeroFloat()));
}

/// The register that a loaded element came in.
static Value getLoadedWord(OpBuilder &builder, Location loc, Value value) {
  if (!isa<IntegerType>(value.getType()))
    return value;
  if (auto test = value.getDefiningOp<arith::CmpIOp>())
    if (test.getPredicate() == arith::CmpIPredicate::ne &&
        matchPattern(test.getRhs(), m_Zero()))
      value = test.getLhs();
  while (auto part = value.getDefiningOp<arith::TruncIOp>())
    value = part.getIn();
  Type word = builder.getI32Type();
  return value.getType().getIntOrFloatBitWidth() < 32
             ? arith::ExtUIOp::create(builder, loc, word, value).getResult()
             : value;
}

/// The element again, behind an instruction through which nothing that reads it is
/// moved to where it is loaded, and waits.
static Value fromLoadedWord(OpBuilder &builder, Location loc, Value word,
                            Type type) {
  word = LLVM::InlineAsmOp::create(
             builder, loc, word.getType(), word, "mov.b32 $0, $1;",
             word.getType().isF32() ? "=f,f" : "=r,r",
             /*has_side_effects=*/false, /*is_align_stack=*/false,
             LLVM::tailcallkind::TailCallKind::None, LLVM::AsmDialectAttr(),
             ArrayAttr())
             .getRes();
  if (word.getType() == type)
    return word;
  Type memory = getMemoryType(type);
  return fromMemory(builder, loc,
                    arith::TruncIOp::create(builder, loc, memory, word), type);
}

LogicalResult KernelEmitter::emitIf(scf::IfOp op) {
  SmallVector<Type> types;
  if (failed(flattenTypes(op, op.getResultTypes(), types)))
    return failure();
  // What is loaded ahead is read behind the branch: in it that would wait.
  llvm::SmallBitVector areWords(types.size());
  SmallVector<Type> elements = types;
  size_t first = 0;
  for (unsigned i = 0; i < op.getNumResults(); ++i) {
    FailureOr<int64_t> count = getNumScalars(op, op.getResult(i).getType());
    if (failed(count))
      return failure();
    if (isLoadedAhead(op, i))
      for (int64_t j = 0; j < *count; ++j) {
        Type type = types[first + j];
        if (type.isF32() || (isa<IntegerType>(type) &&
                             type.getIntOrFloatBitWidth() <= 32))
          areWords.set(first + j);
      }
    first += *count;
  }
  for (unsigned i : areWords.set_bits())
    if (!types[i].isF32())
      types[i] = builder.getI32Type();
  bool hasElse = !op.getElseRegion().empty();
  auto branch = scf::IfOp::create(builder, op.getLoc(), types,
                                  getScalar(op.getCondition()),
                                  /*addThenBlock=*/true,
                                  /*addElseBlock=*/hasElse);
  auto emitBranch = [&](Region &from, Region &to) -> LogicalResult {
    OpBuilder::InsertionGuard guard(builder);
    Block &block = to.front();
    if (!block.empty())
      block.back().erase();
    builder.setInsertionPointToEnd(&block);
    if (failed(emitBlock(from.front())))
      return failure();
    FailureOr<Registers> yielded =
        flatten(op, from.front().getTerminator()->getOperands());
    if (failed(yielded))
      return failure();
    for (unsigned i : areWords.set_bits())
      (*yielded)[i] = getLoadedWord(builder, op.getLoc(), (*yielded)[i]);
    scf::YieldOp::create(builder, op.getLoc(), *yielded);
    return success();
  };
  if (failed(emitBranch(op.getThenRegion(), branch.getThenRegion())))
    return failure();
  if (hasElse &&
      failed(emitBranch(op.getElseRegion(), branch.getElseRegion())))
    return failure();
  Registers results(branch.getResults());
  for (unsigned i : areWords.set_bits())
    results[i] =
        fromLoadedWord(builder, op.getLoc(), results[i], elements[i]);
  return assign(op, op.getResults(), results);
}

LogicalResult KernelEmitter::emitWhile(scf::WhileOp op) {
  FailureOr<Registers> inits = flatten(op, op.getInits());
  SmallVector<Type> types;
  if (failed(inits) || failed(flattenTypes(op, op.getResultTypes(), types)))
    return failure();
  Location loc = op.getLoc();
  auto loop = scf::WhileOp::create(builder, loc, types, *inits);

  OpBuilder::InsertionGuard guard(builder);
  SmallVector<Type> initTypes(llvm::map_range(
      *inits, [](Value value) { return value.getType(); }));
  Block *before = builder.createBlock(
      &loop.getBefore(), {}, initTypes,
      SmallVector<Location>(initTypes.size(), loc));
  if (failed(assign(op, op.getBeforeArguments(), before->getArguments())) ||
      failed(emitBlock(*op.getBeforeBody())))
    return failure();
  scf::ConditionOp condition = op.getConditionOp();
  FailureOr<Registers> passed = flatten(op, condition.getArgs());
  if (failed(passed))
    return failure();
  scf::ConditionOp::create(builder, loc, getScalar(condition.getCondition()),
                           *passed);

  Block *after = builder.createBlock(&loop.getAfter(), {}, types,
                                     SmallVector<Location>(types.size(), loc));
  if (failed(assign(op, op.getAfterArguments(), after->getArguments())) ||
      failed(emitBlock(*op.getAfterBody())))
    return failure();
  FailureOr<Registers> yielded = flatten(op, op.getYieldOp().getOperands());
  if (failed(yielded))
    return failure();
  scf::YieldOp::create(builder, loc, *yielded);
  return assign(op, op.getResults(), loop.getResults());
}

} // namespace tilefuse
