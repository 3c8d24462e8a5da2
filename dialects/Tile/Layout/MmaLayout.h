//===- MmaLayout.h - fragments of mma.sync as layouts ------------*- C++
//-*-===//
//
// The three fragments of `mma.sync.m16n8k8` (tf32) and `m16n8k16` (16-bit) are
// distributed layouts of 16 x k, k x 8 and 16 x 8 blocks. A block-level product
// uses any bits of its M dims as the instruction's row bits, any bits of its N
// dims as its column bits, and puts the other bits in registers (more
// instructions a warp) and warps. The same choice serves all three fragments,
// which is what makes the order of rows and columns free.
//
//===----------------------------------------------------------------------===//
#ifndef TILEFUSE_DIALECTS_TILE_LAYOUT_MMALAYOUT_H
#define TILEFUSE_DIALECTS_TILE_LAYOUT_MMALAYOUT_H

#include "dialects/Tile/Layout/DistributedLayout.h"

namespace tilefuse::tile {

/// Dims of a product, as in tile.dot: which dims of each operand are batch and
/// contracting (paired in order); the rest are free. Result: batch, lhs free,
/// rhs free.
struct DotDims {
  llvm::SmallVector<int64_t> lhsShape, rhsShape;
  llvm::SmallVector<int64_t> lhsBatch, rhsBatch, lhsContract, rhsContract;

  llvm::SmallVector<int64_t> getLhsFree() const;
  llvm::SmallVector<int64_t> getRhsFree() const;
  llvm::SmallVector<int64_t> getResultShape() const;
  int64_t getBatch() const;
  int64_t getM() const;
  int64_t getN() const;
  int64_t getK() const;
  /// Coordinates in an operand for coordinates in the result and along the
  /// contracting dims (in lhs_contract order).
  Coords getLhsCoords(llvm::ArrayRef<int64_t> result,
                      llvm::ArrayRef<int64_t> contract) const;
  Coords getRhsCoords(llvm::ArrayRef<int64_t> result,
                      llvm::ArrayRef<int64_t> contract) const;
};

/// Layouts of accumulator and operand fragments of one block-level product.
struct MmaLayouts {
  DistributedLayout acc; // over the result's shape
  DistributedLayout lhs; // over the lhs operand's shape
  DistributedLayout rhs; // over the rhs operand's shape
};

/// Rows, columns and depth of the instruction for elements of this width:
/// m16n8k8 for 32 bits (tf32), m16n8k16 for 16.
inline int64_t getMmaDepth(int64_t elementBits) {
  return elementBits == 32 ? 8 : 16;
}

/// Nothing when the shapes do not fit: M has at least 4 bits, N 3, K the
/// instruction's depth, and K is made of powers of two and odd factors.
/// `avoidWarps[i]`: coordinates of result dim i whose bits (a mask) should not
/// be spread over warps, because an epilogue folds over them. With `warpgroups`
/// the warps' two lowest bits are rows: four warps make 64 rows of a wgmma, whose
/// fragments are those of mma.sync.
std::optional<MmaLayouts>
getMmaLayouts(const DotDims &dims, int64_t elementBits, unsigned numWarps,
              llvm::ArrayRef<int64_t> avoidWarps = {}, bool warpgroups = false);

/// One instruction: registers of each fragment, in the order that PTX names
/// them. 16-bit operand registers are single elements here; two make one 32-bit
/// PTX register (elements 2i and 2i+1).
struct MmaStep {
  llvm::SmallVector<int64_t, 4> acc;
  llvm::SmallVector<int64_t, 8> lhs;
  llvm::SmallVector<int64_t, 4> rhs;
};

/// Instructions a warp issues for the whole product, grouped by depth: step
/// `i` of `depths` uses a different part of K, so that fragments are loaded and
/// dropped once per depth step. Derived from the layouts by composition with
/// the fragments' inverses: any choice of rows and columns works. Nothing when
/// the layouts do not match.
std::optional<llvm::SmallVector<llvm::SmallVector<MmaStep>>>
planMma(const DotDims &dims, const MmaLayouts &layouts, int64_t elementBits);

} // namespace tilefuse::tile

#endif // TILEFUSE_DIALECTS_TILE_LAYOUT_MMALAYOUT_H
