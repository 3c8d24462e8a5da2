//===- SpreadTiling.h - operands made in whole windows ----------*- C++ -*-===//
#ifndef TILEFUSE_PASSES_TILING_SPREADTILING_H
#define TILEFUSE_PASSES_TILING_SPREADTILING_H

#include "passes/Tiling/BlockEmitter.h"

namespace tilefuse {

/// `slice` of `value`, enlarged to what the ops that make it in this kernel can
/// make in one piece: whole windows of a spread op, rows that a matrix unit has
/// steps for. Only outwards, and only by constants.
Slice alignToProducers(BlockEmitter &emitter, mlir::Value value, Slice slice);

/// The block of an op that moves each element of its operands to one place of a
/// window (fuse::readsOneTerm), if `slice` is made of whole windows; else null.
mlir::FailureOr<mlir::Value> tileSpread(BlockEmitter &emitter,
                                        fuse::ReductionOpInterface op,
                                        const Slice &slice);

/// Whether elements of `slice` that lie outside of `value` come out as zero,
/// because such an op makes them from windows outside of its operands.
bool isZeroOutside(BlockEmitter &emitter, mlir::Value value,
                   const Slice &slice);

} // namespace tilefuse

#endif // TILEFUSE_PASSES_TILING_SPREADTILING_H
