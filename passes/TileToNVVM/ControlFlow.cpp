//===- ControlFlow.cpp - loops and branches of a thread -----------*- C++ -*-===//
//
// Blocks that loops carry or branches yield become as many scalars as their
// layouts have registers. Conditions and bounds are the same in all threads of a
// block, so barriers and warp-wide instructions inside are safe.
//
//===----------------------------------------------------------------------===//

#include "passes/TileToNVVM/KernelEmitter.h"

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

LogicalResult KernelEmitter::emitIf(scf::IfOp op) {
  SmallVector<Type> types;
  if (failed(flattenTypes(op, op.getResultTypes(), types)))
    return failure();
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
    scf::YieldOp::create(builder, op.getLoc(), *yielded);
    return success();
  };
  if (failed(emitBranch(op.getThenRegion(), branch.getThenRegion())))
    return failure();
  if (hasElse &&
      failed(emitBranch(op.getElseRegion(), branch.getElseRegion())))
    return failure();
  return assign(op, op.getResults(), branch.getResults());
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
