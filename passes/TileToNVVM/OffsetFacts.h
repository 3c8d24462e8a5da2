//===- OffsetFacts.h - bounds and divisors of index values --------*- C++ -*-===//
//
// What is known, before anything runs, about the scalars that place a block in a
// view: an interval and a common divisor. With them a load proves that it stays
// inside the view (no predicates) and that its address is aligned (wide
// accesses).
//
// Tile positions are built from the program's number by division, remainder and
// multiplication with constants, all of which intervals follow exactly:
//
//   %pid = tile.program_id 0       // [0, 8064),   divisor 1
//   %i   = arith.remui %pid, %c8   // [0, 7],      divisor 1
//   %ow  = arith.muli %i, %c32     // [0, 224],    divisor 32
//
//===----------------------------------------------------------------------===//
#ifndef TILEFUSE_PASSES_TILETONVVM_OFFSETFACTS_H
#define TILEFUSE_PASSES_TILETONVVM_OFFSETFACTS_H

#include "mlir/IR/Value.h"
#include "llvm/ADT/DenseMap.h"
#include <cstdint>
#include <limits>

namespace tilefuse {

struct OffsetFacts {
  /// The value lies in [low, high]. The limits of the type mean "unknown".
  int64_t low = kUnknownLow;
  int64_t high = kUnknownHigh;
  /// Every value is a multiple of it; 0 only for the constant 0.
  int64_t divisor = 1;

  static constexpr int64_t kUnknownLow = std::numeric_limits<int64_t>::min();
  static constexpr int64_t kUnknownHigh = std::numeric_limits<int64_t>::max();

  bool isBounded() const {
    return low != kUnknownLow && high != kUnknownHigh;
  }
  static OffsetFacts constant(int64_t value);
};

/// Computes facts on demand and remembers them. The IR must not change while it
/// lives.
class OffsetAnalysis {
public:
  OffsetFacts get(mlir::Value value);

private:
  OffsetFacts compute(mlir::Value value);
  llvm::DenseMap<mlir::Value, OffsetFacts> known;
};

} // namespace tilefuse

#endif // TILEFUSE_PASSES_TILETONVVM_OFFSETFACTS_H
