//===- Sample.h - which elements of a large graph are checked ---*- C++ -*-===//
#ifndef TILEFUSE_LIB_REFERENCE_SAMPLE_H
#define TILEFUSE_LIB_REFERENCE_SAMPLE_H

#include "lib/Reference/Array.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace tilefuse::reference {

/// One grid per result, or none when the graph is small enough to be evaluated
/// whole. The indices of a dim depend on its extent alone and those of a
/// smaller count are among those of a larger one, so that results that share
/// dims (an image's channels and their statistics) share the work. First and
/// last indices are always among them.
std::vector<Grid> chooseSample(mlir::func::FuncOp function);

/// Multiplications and functions that a whole evaluation takes.
double estimateWork(mlir::func::FuncOp function);

/// Whether some op is not continuous (comparisons, rounding to integers,
/// positions of extremes): then single elements may differ a lot between two
/// right answers.
bool hasJumps(mlir::func::FuncOp function);

/// Whether every float of the graph is f64.
bool isAllF64(mlir::func::FuncOp function);

} // namespace tilefuse::reference

#endif // TILEFUSE_LIB_REFERENCE_SAMPLE_H
