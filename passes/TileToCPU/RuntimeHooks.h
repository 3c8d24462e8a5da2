//===- RuntimeHooks.h - what CPU kernels call in their process --*- C++ -*-===//
//
// Kernels name these functions; whoever runs the code gives the JIT their
// addresses. They may be called from several threads at once.
//
//===----------------------------------------------------------------------===//
#ifndef TILEFUSE_PASSES_TILETOCPU_RUNTIMEHOOKS_H
#define TILEFUSE_PASSES_TILETOCPU_RUNTIMEHOOKS_H

#include <cstdint>

/// Element types of printed blocks. An i1 is a byte.
enum TilefuseElement : int64_t {
  TilefuseElementF16,
  TilefuseElementBF16,
  TilefuseElementF32,
  TilefuseElementF64,
  TilefuseElementI1,
  TilefuseElementI8,
  TilefuseElementI16,
  TilefuseElementI32,
  TilefuseElementI64,
};

extern "C" {
/// Prints a block: `data` has the product of `shape` elements of type `element`,
/// row-major. `id0..2` is the instance's position in the grid.
void tilefuse_debug_print(const char *prefix, int64_t id0, int64_t id1,
                          int64_t id2, int64_t element, int64_t rank,
                          const int64_t *shape, const void *data);

/// A `tile.assert` is false; the run ends with `message` as its error.
void tilefuse_assert_failed(const char *message);
}

#endif // TILEFUSE_PASSES_TILETOCPU_RUNTIMEHOOKS_H
