//===- Random.h - reproducible random tensors -------------------*- C++ -*-===//
//
// Counter-based: an element depends only on (seed, stream, position), so that
// any number of threads gives the same tensor.
//
//===----------------------------------------------------------------------===//
#ifndef TILEFUSE_LIB_REFERENCE_RANDOM_H
#define TILEFUSE_LIB_REFERENCE_RANDOM_H

#include "lib/Reference/Tensor.h"

namespace tilefuse::reference {

/// How a tensor is filled, as `fuse.init` says.
struct Initializer {
  enum class Kind { Uniform, Normal } kind = Kind::Uniform;
  /// Uniform: low and high (excluded). Normal: mean and standard deviation.
  double a = 0;
  double b = 1;
};

/// The 64 random bits at `position` of stream `stream`.
uint64_t getRandomBits(uint64_t seed, uint64_t stream, uint64_t position);

/// Fills `tensor`; `stream` tells the arguments of one run apart. Integers are
/// uniform in [a, b) (0 or 1 for i1).
void fillRandom(Tensor &tensor, const Initializer &initializer, uint64_t seed,
                uint64_t stream);

} // namespace tilefuse::reference

#endif // TILEFUSE_LIB_REFERENCE_RANDOM_H
