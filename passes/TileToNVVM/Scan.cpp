//===- Scan.cpp - prefix combinations within a thread -------------*- C++ -*-===//
//
// A scan keeps its dim in registers: each thread combines its own in order. A
// dim spread over threads is refused; `tile-assign-layouts` gathers it first.
//
//===----------------------------------------------------------------------===//

#include "passes/TileToNVVM/KernelEmitter.h"

using namespace mlir;

namespace tilefuse {

LogicalResult KernelEmitter::emitScan(tile::ScanOp op) {
  auto type = cast<RankedTensorType>(op.getInputs().front().getType());
  FailureOr<tile::DistributedLayout> layout = getLayout(op, type);
  if (failed(layout))
    return failure();
  for (Value value : llvm::concat<Value>(op.getInputs(), op.getOutputs()))
    if (tile::DistributedAttr::lookup(value.getType()) != *layout)
      return op.emitOpError("has inputs or results of different layouts");
  int64_t dim = op.getDim();
  for (tile::Hardware part : {tile::Hardware::Lane, tile::Hardware::Warp})
    for (const auto &basis : layout->getBases(part))
      if (basis[dim] != 0)
        return op.emitOpError("scans a dim that is spread over threads; "
                              "expected a layout that holds it in registers");

  // Registers in order of the scanned coordinate, for each line.
  uint64_t copies = layout->getReplicationMask(tile::Hardware::Register);
  int64_t count = layout->getNumRegisters();
  SmallVector<Registers> results(op.getNumResults(), Registers(count));
  BlockCoords coords(*layout, *sums);
  for (int64_t first = 0; first < count; ++first) {
    tile::Coords at = layout->getCoords(first, 0, 0);
    if ((first & copies) || at[dim] != 0)
      continue;
    Partial sum;
    for (int64_t i = 0; i < type.getDimSize(dim); ++i) {
      at[dim] = op.getReverse() ? type.getDimSize(dim) - 1 - i : i;
      int64_t reg = layout->getHolder(at).reg;
      Partial next;
      for (Value input : op.getInputs())
        next.state.push_back(get(input)[reg]);
      if (i == 0) {
        sum = next;
      } else {
        FailureOr<Partial> both = emitCombine(op.getCombiner(), sum, next);
        if (failed(both))
          return failure();
        sum = *both;
      }
      for (auto [result, value] : llvm::zip_equal(results, sum.state))
        result[reg] = value;
    }
  }
  for (auto [output, registers] : llvm::zip_equal(op.getOutputs(), results)) {
    for (int64_t reg = 0; reg < count; ++reg)
      if (!registers[reg])
        registers[reg] = (reg & copies) && registers[reg & ~copies]
                             ? registers[reg & ~copies]
                             : zero(op.getLoc(), getScalarType(output.getType()));
    set(output, registers);
  }
  return success();
}

} // namespace tilefuse
