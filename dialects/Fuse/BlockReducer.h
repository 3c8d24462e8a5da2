//===- BlockReducer.h - reducing a block of elements ------------*- C++ -*-===//
//
// What a reduction op needs from whoever emits its code on a block of elements.
// The op says which sums or combinations it wants; the emitter (the tiling
// stage) knows how a block is reduced.
//
//===----------------------------------------------------------------------===//
#ifndef TILEFUSE_DIALECTS_FUSE_BLOCKREDUCER_H
#define TILEFUSE_DIALECTS_FUSE_BLOCKREDUCER_H

#include "mlir/IR/Builders.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallVector.h"

namespace tilefuse::fuse {

/// Reduces blocks over a fixed set of their dims. "Reduced" values have those
/// dims with size 1, so they broadcast against the block by NumPy rules.
class BlockReducer {
public:
  using CombineFn = llvm::function_ref<llvm::SmallVector<mlir::Value>(
      mlir::OpBuilder &, mlir::Location, mlir::ValueRange lhs,
      mlir::ValueRange rhs)>;

  virtual ~BlockReducer() = default;

  /// Reduces `values` (blocks of one shape) with `combine`.
  virtual llvm::SmallVector<mlir::Value> reduce(mlir::OpBuilder &b,
                                                mlir::Location loc,
                                                mlir::ValueRange values,
                                                CombineFn combine) = 0;
  /// Expands a reduced value back to the block's shape.
  virtual mlir::Value expand(mlir::OpBuilder &b, mlir::Location loc,
                             mlir::Value reduced) = 0;
  /// Block of i1: which elements lie inside the op's iteration space, or null
  /// when all do.
  virtual mlir::Value getMask() = 0;
  /// Block of i64: position of each element in the reduced dims, flattened in
  /// row-major order over the op's reduction extents.
  virtual mlir::Value getIndex(mlir::OpBuilder &b, mlir::Location loc) = 0;
};

} // namespace tilefuse::fuse

#endif // TILEFUSE_DIALECTS_FUSE_BLOCKREDUCER_H
