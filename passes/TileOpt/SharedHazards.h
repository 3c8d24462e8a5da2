//===- SharedHazards.h - which shared accesses need a barrier -----*- C++
//-*-===//
//
// Threads of a block run freely between barriers. Two accesses to one byte of
// shared memory by different threads, one of them a write, need a barrier in
// between on every path that leads from one to the other. The insertion walks
// the kernel once in program order with the set of bytes read and written since
// the last barrier (the pending accesses); an access that conflicts with that
// set gets a barrier in front, which empties the set.
//
// Loops: what is pending at the end of the body meets the body's start in the
// next round. So the body is walked a second time with that set at its start;
// a conflict found there inserts the loop-carried barrier, as late as possible,
// in front of the first access that needs it. Branches: what is pending after
// either side is pending after both.
//
// Rings: a buffer is known by its distance from the round that its loop is in, so
// that copies into later buffers do not meet reads of this one. From one round to
// the next every distance falls by one, modulo the number of buffers; in front of
// the loop, distances count from round 0; behind it they are forgotten.
//
// A private tile is written and read by one thread a byte: it meets other tiles
// that take its bytes at other times, never itself.
//
// Bytes are the half-open range from a tile's offset to its end: two tiles that
// share bytes after allocation conflict like one.
//
//===----------------------------------------------------------------------===//
#ifndef TILEFUSE_PASSES_TILEOPT_SHAREDHAZARDS_H
#define TILEFUSE_PASSES_TILEOPT_SHAREDHAZARDS_H

#include "dialects/Tile/Tile.h"

namespace tilefuse {

/// Marks an allocation whose bytes each are written and read by one thread.
inline constexpr llvm::StringLiteral privateTileName = "tile.private";

/// The allocation that a shared tile is a view of; null for none.
tile::AllocSharedOp findAllocation(mlir::Value sharedTile);

/// Inserts the barriers that a kernel needs, all of whose tiles have offsets,
/// and returns how many.
int64_t insertBarriers(tile::FuncOp func);

} // namespace tilefuse

#endif // TILEFUSE_PASSES_TILEOPT_SHAREDHAZARDS_H
