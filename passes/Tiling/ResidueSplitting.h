//===- ResidueSplitting.h - divisions made exact ----------------*- C++ -*-===//
//
// A transposed convolution reads x at (oh + p - r*d) / s, and only where the
// division is exact. In a block of consecutive oh that is a different set of
// taps for each element: no dot, no window.
//
// Split oh by residue: oh = s*q + c for each c in 0 .. s-1. In one class the
// numerator s*q + c + p - r*d is divisible by s for some taps r and never for
// the others, whatever q is. Those taps read x at q + (c + p - r*d)/s: an
// ordinary convolution with fewer taps, whose results are stored s apart.
//
// Example, s = 2, p = 1, d = 1, taps r = 0 .. 3:
//   c = 0: r = 1 reads x[q], r = 3 reads x[q - 1]
//   c = 1: r = 0 reads x[q + 1], r = 2 reads x[q]
//
// The whole kernel is made per class where it can be (StagePlan.h): epilogue
// and stores then run on strided slices and nothing is put together again.
// Elsewhere a block is assembled from its classes with tile.insert_window; this
// file does that. Nothing here knows what a convolution is: any map with a
// divisor (the gradient of a window, a pad between neighbours) splits alike.
//
//===----------------------------------------------------------------------===//
#ifndef TILEFUSE_PASSES_TILING_RESIDUESPLITTING_H
#define TILEFUSE_PASSES_TILING_RESIDUESPLITTING_H

#include "passes/Tiling/BlockEmitter.h"

namespace tilefuse {

/// The number of residue classes that parallel dim `dim` falls into when it
/// advances by `step`: 1 when no divisor tells its elements apart.
int64_t getNumResidues(const SpaceForm &form, unsigned dim, int64_t step = 1);

/// If elements of `slice` of `value` fall into several residue classes, the
/// block assembled from one block per class; a null value otherwise.
mlir::FailureOr<mlir::Value> assembleResidues(BlockEmitter &emitter,
                                              mlir::OpResult value,
                                              const Slice &slice);

} // namespace tilefuse

#endif // TILEFUSE_PASSES_TILING_RESIDUESPLITTING_H
