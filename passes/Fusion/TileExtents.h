//===- TileExtents.h - growing a tile within a budget -----------*- C++ -*-===//
#ifndef TILEFUSE_PASSES_FUSION_TILEEXTENTS_H
#define TILEFUSE_PASSES_FUSION_TILEEXTENTS_H

#include "dialects/Fuse/KernelStructure.h"

namespace tilefuse {

/// Extents of a tile over the root dims, grown dim by dim. Starts at the
/// smallest legal tile: granules, and whole extents where they must be held.
class TileExtents {
public:
  /// With `powersOfTwo`, every extent is one.
  TileExtents(const fuse::KernelStructure &structure, bool powersOfTwo);

  /// False when a granule or held dim has no legal extent.
  bool isLegal() const { return legal; }
  llvm::ArrayRef<int64_t> get() const { return extents; }
  int64_t operator[](unsigned dim) const { return extents[dim]; }
  int64_t getCount() const;
  /// The product over some dims.
  int64_t getCount(llvm::ArrayRef<unsigned> dims) const;
  /// Fails with a reason where the tile has more than `capacity` elements.
  mlir::LogicalResult checkFits(int64_t capacity, std::string &reason) const;

  /// How many tiles cover the root dims.
  int64_t getNumTiles() const;

  /// The largest useful extent: the dim's own, rounded up to what is legal.
  int64_t getLimit(unsigned dim) const;
  /// Grows `dim` towards `target` while the whole tile stays within `budget`
  /// elements.
  void grow(unsigned dim, int64_t target, int64_t budget);
  /// Makes `dim` at least `least` long, past its end if need be, if the tile then
  /// stays within `budget` elements.
  void pad(unsigned dim, int64_t least, int64_t budget);
  /// Moves factors of two between two dims so that the tiles that cover both
  /// extents compute and read (a border of 2 included) the least; `inner` stays
  /// at least `least` long, and long rows win unless short ones save `gain`
  /// percent. Where one instruction multiplies a row (`byRows`), rows below 64 take
  /// more of them, and what is read counts less.
  void rebalance(unsigned inner, unsigned outer, int64_t least,
                 bool byRows = false, int64_t gain = 10);
  /// Moves factors of two among dims, innermost first, so that the fewest tiles
  /// cover them: for tiles that cost as much wherever they lie. The innermost stays
  /// at least `least` long; long rows win unless short ones save a tenth.
  void coverWithFewest(llvm::ArrayRef<unsigned> dims, int64_t least);
  /// Takes all of `dim`, power of two or not (what is odd repeats in registers),
  /// if the tile then stays within `budget` elements.
  bool takeWhole(unsigned dim, int64_t budget);
  /// Halves `dim` if that stays legal.
  bool shrink(unsigned dim);

private:
  const fuse::KernelStructure &structure;
  bool powersOfTwo;
  bool legal = true;
  llvm::SmallVector<int64_t> extents, granules;
};

} // namespace tilefuse

#endif // TILEFUSE_PASSES_FUSION_TILEEXTENTS_H
