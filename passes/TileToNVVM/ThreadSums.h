//===- ThreadSums.h - integers that depend on the thread ----------*- C++ -*-===//
//
// Layouts say how each bit of a coordinate depends on the bits of the thread's
// number. Everything a thread computes from its number - coordinates, byte
// offsets, predicates on copies - is a sum of such bits with integer weights,
// and this class is the only place that turns one into instructions.
//
//===----------------------------------------------------------------------===//
#ifndef TILEFUSE_PASSES_TILETONVVM_THREADSUMS_H
#define TILEFUSE_PASSES_TILETONVVM_THREADSUMS_H

#include "mlir/IR/Builders.h"
#include "llvm/ADT/SmallVector.h"
#include <map>
#include <vector>

namespace tilefuse {

/// `weight * parity(threadNumber & mask)`. Bits 0 to 4 of the thread's number
/// are its lane, the others its warp.
struct ThreadTerm {
  uint64_t mask = 0;
  int64_t weight = 0;
  auto operator<=>(const ThreadTerm &) const = default;
};

/// Emits sums of thread terms as i32 values at the start of the kernel, so that
/// they dominate every use and loops do not repeat them; equal sums are shared.
class ThreadSums {
public:
  /// Instructions go in front of `anchor`, an operation of the entry block.
  ThreadSums(mlir::Operation *anchor, unsigned numWarps)
      : anchor(anchor), numWarps(numWarps) {}

  /// The sum of the terms; the constant 0 for none.
  mlir::Value getSum(llvm::ArrayRef<ThreadTerm> terms);

  /// True in the threads with `threadNumber & mask` zero; null for a zero mask.
  mlir::Value getIsZero(uint64_t mask);

  /// parity(threadNumber & mask), as i1.
  mlir::Value getParity(uint64_t mask);

  mlir::Value getThreadNumber();

private:
  mlir::Value shiftRightAndMask(unsigned shift, uint64_t mask);
  mlir::Value parityBit(uint64_t mask);

  mlir::Operation *anchor;
  unsigned numWarps;
  mlir::Value threadNumber;
  std::map<std::vector<ThreadTerm>, mlir::Value> sums;
  std::map<uint64_t, mlir::Value> zeros, parities;
};

} // namespace tilefuse

#endif // TILEFUSE_PASSES_TILETONVVM_THREADSUMS_H
