//===- MadeOperands.h - layouts of operands that are made -------*- C++ -*-===//
#ifndef TILEFUSE_PASSES_TILEOPT_MADEOPERANDS_H
#define TILEFUSE_PASSES_TILEOPT_MADEOPERANDS_H

#include "dialects/Tile/Tile.h"
#include "llvm/ADT/DenseMap.h"

namespace tilefuse {

using AccumulatorLayouts =
    llvm::DenseMap<mlir::Value, tile::DistributedLayout>;

/// How a block that is staged should lie in registers, and why.
struct MadeLayout {
  tile::DistributedLayout layout;
  /// Whether the block would not have it unless it is told to.
  bool isNew = false;
};

/// The layout of a block that pointwise ops make of
///   an accumulator  (in `accumulators`): its own;
///   a small block   each of whose elements is spread over several neighbours
///                   (the window of a pool's gradient): threads share out the
///                   small block, so that each element is loaded once.
std::optional<MadeLayout>
findMadeLayout(mlir::Value block, unsigned numWarps,
               const AccumulatorLayouts &accumulators);

} // namespace tilefuse

#endif // TILEFUSE_PASSES_TILEOPT_MADEOPERANDS_H
