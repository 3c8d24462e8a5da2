//===- Combiners.h - states of reductions -----------------------*- C++ -*-===//
//
// How max, min and arg-max states merge; shared by window and dim reductions.
//
//===----------------------------------------------------------------------===//
#ifndef TILEFUSE_DIALECTS_FUSE_COMBINERS_H
#define TILEFUSE_DIALECTS_FUSE_COMBINERS_H

#include "dialects/Fuse/ElementBuilder.h"

namespace tilefuse::fuse {

/// Merges (value, position) states: the larger (`sign` +1) or smaller (-1)
/// value, NaN before all numbers, the smaller position among equals.
llvm::SmallVector<mlir::Value> combineExtreme(ElementBuilder &e, int sign,
                                              mlir::ValueRange lhs,
                                              mlir::ValueRange rhs);

/// The state (value, position) of no element: a value that loses or ties
/// against every other, and a position behind every other.
llvm::SmallVector<mlir::TypedAttr> getExtremeState(mlir::Type element,
                                                   int sign);

} // namespace tilefuse::fuse

#endif // TILEFUSE_DIALECTS_FUSE_COMBINERS_H
