//===- Reference.h - the oracle: fuse graphs in float64 ---------*- C++ -*-===//
//
// A plain interpreter of the fuse dialect. Every op's meaning is written down
// here a second time, in double precision and without any of the compiler's
// code, so that a mistake in a pass, a lowering or an interface cannot repeat
// itself in the check. Composite ops are evaluated as such; decomposed graphs
// and fuse.kernel regions are evaluated too.
//
//===----------------------------------------------------------------------===//
#ifndef TILEFUSE_LIB_REFERENCE_REFERENCE_H
#define TILEFUSE_LIB_REFERENCE_REFERENCE_H

#include "lib/Reference/Array.h"
#include "tilefuse/Error.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace tilefuse::reference {

struct Options {
  /// The evaluation the accuracy rule compares against: multiplicands of
  /// contractions rounded to the precision the op declares, and every tensor
  /// rounded to its element type, as an eager framework would store it. Sums
  /// and functions stay in double precision.
  bool rounded = false;
  /// Per result the elements wanted; empty: all of them.
  std::vector<Grid> wanted;
};

/// Evaluates `function` on `inputs`, one per argument. Returns one array per
/// result, on the wanted grid. Errors: InvalidArgument for inputs that do not
/// fit the signature, Unsupported (with the op's location) for an op of another
/// dialect.
Expected<std::vector<Array>> evaluate(mlir::func::FuncOp function,
                                      llvm::ArrayRef<const Tensor *> inputs,
                                      const Options &options = {});

} // namespace tilefuse::reference

#endif // TILEFUSE_LIB_REFERENCE_REFERENCE_H
