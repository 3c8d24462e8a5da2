//===- Parallel.h - loops over all cores ------------------------*- C++ -*-===//
#ifndef TILEFUSE_LIB_REFERENCE_PARALLEL_H
#define TILEFUSE_LIB_REFERENCE_PARALLEL_H

#include "llvm/ADT/STLFunctionalExtras.h"

#include <cstdint>

namespace tilefuse::reference {

/// Calls `body(begin, end)` on pieces of about `grain` iterations that together
/// cover [0, count), on all cores. Results must not depend on the pieces.
void parallelFor(int64_t count, int64_t grain,
                 llvm::function_ref<void(int64_t begin, int64_t end)> body);

} // namespace tilefuse::reference

#endif // TILEFUSE_LIB_REFERENCE_PARALLEL_H
