//===- PointwiseTiling.cpp - blocks of pointwise ops ------------*- C++ -*-===//
//
// One lowering for every pointwise op, shape ops included: ask for the blocks
// that the maps say, bring them to one shape, let the op emit its element code.
//
// Operands are asked for in an order that keeps few blocks alive: what waits for
// more products and reductions of the kernel first. In g * f(sum(g * e)) the
// product with g of a block that is there anyway is made behind the sum, not held
// over its barriers.
//
//===----------------------------------------------------------------------===//

#include "passes/Tiling/OperandReader.h"

using namespace mlir;
using namespace tilefuse;

/// The most contractions and reductions of the kernel, not in memory yet, that
/// one chain of ops behind `value` goes through.
static unsigned getDepth(const BlockEmitter &emitter, Value value,
                         llvm::DenseMap<Value, unsigned> &known) {
  Operation *op = value.getDefiningOp();
  if (!op || emitter.getView(value))
    return 0;
  if (auto it = known.find(value); it != known.end())
    return it->second;
  unsigned depth = 0;
  for (Value operand : op->getOperands())
    depth = std::max(depth, getDepth(emitter, operand, known));
  if (isa<fuse::ContractionOpInterface, fuse::ReductionOpInterface>(op))
    ++depth;
  return known[value] = depth;
}

/// The operands of `op` in the order in which their blocks are made. What is only
/// read keeps its place.
static SmallVector<unsigned> getOperandOrder(const BlockEmitter &emitter,
                                             Operation *op) {
  llvm::DenseMap<Value, unsigned> known;
  SmallVector<unsigned> order, depths, waiting;
  for (unsigned i = 0; i < op->getNumOperands(); ++i) {
    order.push_back(i);
    depths.push_back(getDepth(emitter, op->getOperand(i), known));
    if (depths.back() > 0)
      waiting.push_back(i);
  }
  llvm::sort(waiting, [&](unsigned lhs, unsigned rhs) {
    return depths[lhs] != depths[rhs] ? depths[lhs] > depths[rhs] : lhs < rhs;
  });
  for (unsigned next = 0; unsigned &i : order)
    if (depths[i] > 0)
      i = waiting[next++];
  return order;
}

FailureOr<Value> tilefuse::tilePointwise(BlockEmitter &emitter,
                                         fuse::PointwiseOpInterface op,
                                         const Slice &slice) {
  OpBuilder &b = emitter.getBuilder();
  Location loc = op.getLoc();
  const SpaceForm &form = emitter.getForm(op);
  std::optional<Slice> iterations =
      getIterations(form, 0, slice, emitter.getVars());
  std::optional<LabelledSlice> result;
  if (iterations)
    result = getTouched(form.results[0], *iterations);
  if (!result)
    return op.emitOpError("tiling: its result map is not a rearrangement of "
                          "its dims that this tile follows");
  SmallVector<int64_t> shape = getExtents(*iterations);

  OperandReader reader(emitter, op, form);
  SmallVector<Value> operands(op->getNumOperands());
  for (unsigned i : getOperandOrder(emitter, op)) {
    FailureOr<Value> block =
        reader.readAligned(i, *iterations, /*expand=*/true);
    if (failed(block))
      return failure();
    operands[i] = *block;
  }
  SmallVector<Value> index;
  if (op.needsIndex())
    for (unsigned dim = 0; dim < form.getNumDims(); ++dim)
      index.push_back(emitter.emitPositions(loc, *iterations, dim));
  Value block = op.emitElement(b, loc, operands, index);
  if (!block)
    return op.emitOpError("emitted no element code");
  return emitter.unalign(loc, block, result->labels, getExtents(slice));
}
