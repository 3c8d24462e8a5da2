//===- OneTerm.h - reductions of at most one term ---------------*- C++ -*-===//
#ifndef TILEFUSE_DIALECTS_FUSE_ONETERM_H
#define TILEFUSE_DIALECTS_FUSE_ONETERM_H

#include "mlir/IR/Operation.h"

namespace tilefuse::fuse {

/// Whether every point of a reduction meets at most one element of its operands
/// because the windows it sums over do not overlap: the gradient of a pool whose
/// stride is at least its window. Such an op moves elements, as a pointwise op
/// does: dim p of its result is read at (p + low - r) / stride with r below the
/// stride, in all operands alike.
bool readsOneTerm(mlir::Operation *op);

} // namespace tilefuse::fuse

#endif // TILEFUSE_DIALECTS_FUSE_ONETERM_H
