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
// Where taps select the class (a transposed convolution) the class becomes part
// of the grid, and all classes share one code. Let u = r mod s be the taps that
// count, 0 .. s-1; with d and s coprime each u belongs to one class,
//
//   c = d*u - p + s*m   where m = ceil((p - d*u) / s) brings c into 0 .. s-1,
//
// and tap r = u + s*t reads x at (s*q + c + p - d*(u + s*t))/s = q + m - d*t.
// Everything is linear in the grid variable u and the quotient m, so Coord
// carries it: the weights are a view that starts at u and steps by s, the patch
// starts at m, the results at c. In the example u = 0 has m = 1 (class 1), and
// u = 1 has m = 0 (class 0). Taps u + s*t behind the last are skipped at run
// time: classes may have different numbers of taps.
//
// Where classes are very many (a pool of 5000 positions has as many) the class
// is a grid variable as well, and what the taps are is found at run time. Let
// g = gcd(d, s). A position whose i + p leaves a remainder modulo g is reached by
// no tap; from all others
//
//   u = (i + p)/g * (d/g)^-1 mod s/g     and every s/g-th tap from there
//
// reads an element, at (i + p - d*u)/s - (d/g)*t.
//
// Along a row of the result, classes are columns of one product where that takes no
// further tile, and rows are stored whole (JoinClasses.h).
//
// Elsewhere the whole kernel is made per class where it can be (StagePlan.h):
// epilogue and stores then run on strided slices and nothing is put together
// again. Where even that fails, a block is assembled from its classes with
// tile.insert_window; this file does that. Nothing here knows what a convolution
// is: any map with a divisor (the gradient of a window, a pad between
// neighbours) splits alike.
//
//===----------------------------------------------------------------------===//
#ifndef TILEFUSE_PASSES_TILING_RESIDUESPLITTING_H
#define TILEFUSE_PASSES_TILING_RESIDUESPLITTING_H

#include "passes/Tiling/BlockEmitter.h"

namespace tilefuse {

/// The number of residue classes that parallel dim `dim` falls into when it
/// advances by `step`: 1 when no divisor tells its elements apart.
int64_t getNumResidues(const SpaceForm &form, unsigned dim, int64_t step = 1);

/// A parallel dim whose residue class is told by a tap, both being in one index:
/// (dim + factor * tap + constant) / divisor, factor and divisor coprime.
struct ResidueTap {
  unsigned tap;
  int64_t factor, constant, divisor;
};
std::optional<ResidueTap> getResidueTap(const SpaceForm &form, unsigned dim);

/// The class of the taps whose residue is variable `residue`, as a position
/// from 0 to divisor - 1.
Coord addResidueClass(CoordVars &vars, unsigned residue, const ResidueTap &tap);
/// A position of the same class, at most that one and linear in `residue`: all
/// classes then read from the same element on.
Coord getCommonStart(const CoordVars &vars, unsigned residue,
                     const ResidueTap &tap);

/// More classes than this are not laid out one by one: code would be long.
inline constexpr int64_t mostClasses = 32;

/// Taps of a position whose division may be known at run time only.
struct DividedDim {
  /// The position, or one before it where that is not divisible.
  Coord position;
  /// The reduction dim that takes part in the division, if any: its taps count
  /// from `firstTap` on, `tapStride` apart. Where no tap counts they lie past
  /// the bound.
  std::optional<unsigned> tap;
  Coord firstTap;
  int64_t tapStride = 1;
  /// 1 where no tap counts (or the division without a tap is not exact), else 0.
  Coord isOutside;
};

/// How the positions `part` of parallel dim `dim` are divided; nothing when no
/// divisor applies to it, or several that differ. Emits code where `b` is.
std::optional<DividedDim> divideDim(const SpaceForm &form, unsigned dim,
                                    const SliceDim &part, CoordVars &vars,
                                    mlir::OpBuilder &b, mlir::Location loc);

/// If elements of `slice` of `value` fall into several residue classes, the
/// block assembled from one block per class; a null value otherwise.
mlir::FailureOr<mlir::Value> assembleResidues(BlockEmitter &emitter,
                                              mlir::OpResult value,
                                              const Slice &slice);

} // namespace tilefuse

#endif // TILEFUSE_PASSES_TILING_RESIDUESPLITTING_H
