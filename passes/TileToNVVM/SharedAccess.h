//===- SharedAccess.h - addresses of a distributed block in a tile *- C++ -*-===//
//
// Where each register's element of a distributed block lies in a shared tile:
// a pointer that depends on the thread, computed once, and an immediate byte
// offset. A window of a tile has the same thread part as the tile, so that all
// taps of a convolution read through one pointer.
//
// A swizzle is not additive: tiles with one get a pointer a register.
//
//===----------------------------------------------------------------------===//
#ifndef TILEFUSE_PASSES_TILETONVVM_SHAREDACCESS_H
#define TILEFUSE_PASSES_TILETONVVM_SHAREDACCESS_H

#include "dialects/Tile/Layout/SharedLayout.h"
#include "passes/TileToNVVM/KernelEmitter.h"

namespace tilefuse {

class SharedAccess {
public:
  /// `tile` is a value of type !tile.shared; the block has its shape.
  SharedAccess(KernelEmitter &emitter, mlir::Location loc, mlir::Value tile,
               const tile::DistributedLayout &layout);

  /// Pointer and immediate byte offset of a register.
  std::pair<mlir::Value, int64_t> getAddress(int64_t reg);

  /// Registers r, ..., r + vector - 1 are neighbours in the tile.
  int64_t getVector() const { return vector; }

  /// The registers of one access that holds `reg`, as memory elements:
  /// `getVector()` of them, from register `reg & ~(getVector() - 1)` on.
  llvm::SmallVector<mlir::Value, 8> loadGroup(int64_t reg,
                                              bool isVolatile = false);

  mlir::Type getMemoryElementType() const { return memoryType; }

private:
  KernelEmitter &emitter;
  mlir::Location loc;
  tile::SharedType type;
  tile::SharedLayout shared;
  tile::DistributedLayout layout;
  BlockCoords coords;
  mlir::Value base;
  mlir::Type memoryType;
  int64_t elementBytes;
  int64_t vector;
  llvm::DenseMap<mlir::Value, mlir::Value> pointers;
};

} // namespace tilefuse

#endif // TILEFUSE_PASSES_TILETONVVM_SHAREDACCESS_H
