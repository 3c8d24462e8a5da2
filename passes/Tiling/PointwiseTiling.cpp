//===- PointwiseTiling.cpp - blocks of pointwise ops ------------*- C++ -*-===//
//
// One lowering for every pointwise op, shape ops included: ask for the blocks
// that the maps say, bring them to one shape, let the op emit its element code.
//
//===----------------------------------------------------------------------===//

#include "passes/Tiling/OperandReader.h"

using namespace mlir;
using namespace tilefuse;

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
  SmallVector<Value> operands;
  for (unsigned i = 0; i < op->getNumOperands(); ++i) {
    FailureOr<Value> block =
        reader.readAligned(i, *iterations, /*expand=*/true);
    if (failed(block))
      return failure();
    operands.push_back(*block);
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
