//===- JoinClasses.h - residue classes as columns of a product --*- C++ -*-===//
#ifndef TILEFUSE_PASSES_TILING_JOINCLASSES_H
#define TILEFUSE_PASSES_TILING_JOINCLASSES_H

#include "passes/Tiling/BlockEmitter.h"

namespace tilefuse {

/// Whether one product computes all residue classes of parallel dim `dim`
/// (JoinClasses.cpp).
bool canJoinClasses(const SpaceForm &form, unsigned dim);
/// Where the first element of such a product lies, at most 0.
int64_t getJoinedStart(const SpaceForm &form, unsigned dim);

/// A space in which positions of a dim are those of one class, and its classes are
/// dim 0.
struct JoinedSpace {
  SpaceForm form;
  Slice iterations;
  static constexpr unsigned numClassDims = 1;
};

/// The space of a block over `iterations` of `form` that runs through the classes of
/// one dim; nothing where it does not.
std::optional<JoinedSpace> joinClasses(const SpaceForm &form,
                                       llvm::ArrayRef<SliceDim> iterations);
/// Dims of an operand with classes in front. They lie side by side in memory; as the
/// slowest columns of a product they leave its fragments whole channels of one class.
llvm::SmallVector<unsigned> getClassesFirst(llvm::ArrayRef<unsigned> dims,
                                            unsigned numClassDims);
/// Whether `part` of parallel dim `dim` is computed so.
bool isJoined(const SpaceForm &form, unsigned dim, const SliceDim &part);

} // namespace tilefuse

#endif // TILEFUSE_PASSES_TILING_JOINCLASSES_H
