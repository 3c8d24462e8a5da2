//===- MergedLoads.h - loads of whole dims as lines of memory ---*- C++ -*-===//
#ifndef TILEFUSE_PASSES_TILEOPT_MERGEDLOADS_H
#define TILEFUSE_PASSES_TILEOPT_MERGEDLOADS_H

#include "dialects/Tile/Tile.h"

namespace tilefuse {

/// The elements of `load`, its last dims as one, made before it; null where those
/// dims are no line of memory or a vector of one of them is as long. A weight block
/// of 64 x 8 x 3 x 3 in 64 x 64 x 3 x 3 has rows of 3, and lines of 72:
///
///   load %w[%o, %c, 0, 0] : view<64x64x3x3> -> 64x8x3x3
///     -> load (view_cast %w)[%o, 9 * %c] : view<64x576> -> 64x72
tile::LoadOp createMergedLoad(tile::LoadOp load);

} // namespace tilefuse

#endif // TILEFUSE_PASSES_TILEOPT_MERGEDLOADS_H
