//===- SharedLayout.h - where an element lies in shared memory ---*- C++
//-*-===//
//
// A shared layout maps coordinates to an element's position in a shared tile:
//   position = swizzle(offset + sum_d coords[d] * strides[d])
// Strides are integers, so padded pitches (a channel plane of 360 words instead
// of 340) are layouts like any other, and a window is a new offset with scaled
// strides: a convolution tap is the same tile, 1 element further on. The
// swizzle XORs `bits` bits at `base + shift` onto those at `base`; it is
// applied last, so window and reshape never see it.
//
// Bank conflicts are counted, not reasoned about: every warp-wide access is
// played through the 32 banks of 4 bytes.
//
//===----------------------------------------------------------------------===//
#ifndef TILEFUSE_DIALECTS_TILE_LAYOUT_SHAREDLAYOUT_H
#define TILEFUSE_DIALECTS_TILE_LAYOUT_SHAREDLAYOUT_H

#include "dialects/Tile/Layout/DistributedLayout.h"
#include <functional>

namespace tilefuse::tile {

struct Swizzle {
  unsigned bits = 0; // 0: none
  unsigned base = 0;
  unsigned shift = 0;
  int64_t apply(int64_t position) const {
    int64_t mask = (int64_t(1) << bits) - 1;
    return position ^ (((position >> (base + shift)) & mask) << base);
  }
  bool operator==(const Swizzle &) const = default;
};

class SharedLayout {
public:
  SharedLayout() = default;
  explicit SharedLayout(llvm::ArrayRef<int64_t> strides, int64_t offset = 0,
                        Swizzle swizzle = {})
      : strides(strides), offset(offset), swizzle(swizzle) {}

  /// Dense row-major.
  static SharedLayout getDense(llvm::ArrayRef<int64_t> shape);
  /// Dims packed in `order` (fastest first); `padding[i]` elements are added
  /// after dim order[i]'s span.
  static SharedLayout getPadded(llvm::ArrayRef<int64_t> shape,
                                llvm::ArrayRef<int64_t> order,
                                llvm::ArrayRef<int64_t> padding);

  unsigned getRank() const { return strides.size(); }
  llvm::ArrayRef<int64_t> getStrides() const { return strides; }
  int64_t getOffset() const { return offset; }
  const Swizzle &getSwizzle() const { return swizzle; }

  /// Position in elements.
  int64_t getPosition(llvm::ArrayRef<int64_t> coords) const;
  /// Position before the swizzle.
  int64_t getLinearPosition(llvm::ArrayRef<int64_t> coords) const;
  /// Elements from the tile's start to the end of the block's last element.
  int64_t getSpan(llvm::ArrayRef<int64_t> shape) const;
  /// No two elements of the block share a position.
  bool isInjective(llvm::ArrayRef<int64_t> shape) const;

  SharedLayout window(llvm::ArrayRef<int64_t> offsets,
                      llvm::ArrayRef<int64_t> steps) const;
  SharedLayout transpose(llvm::ArrayRef<int64_t> permutation) const;
  /// The layout of one buffer of a ring: without the first dim.
  SharedLayout getSlot() const;
  std::optional<SharedLayout> reshape(llvm::ArrayRef<int64_t> fromShape,
                                      llvm::ArrayRef<int64_t> toShape) const;

  bool operator==(const SharedLayout &other) const {
    return strides == other.strides && offset == other.offset &&
           swizzle == other.swizzle;
  }

private:
  llvm::SmallVector<int64_t, 6> strides;
  int64_t offset = 0;
  Swizzle swizzle;
};

/// Largest power of two v, at most `maxBytes / elementBytes`, such that aligned
/// groups of v registers lie at consecutive positions, aligned to v elements,
/// for every thread: the width of one shared access. `shape` is the real one.
int64_t getSharedVector(const SharedLayout &layout,
                        const DistributedLayout &threads,
                        llvm::ArrayRef<int64_t> shape, int64_t elementBytes,
                        int64_t maxBytes = 16);

/// Passes over the banks that all accesses take, and the fewest possible;
/// `passes - ideal` are the conflicts. Each access moves `vector` elements a
/// lane. Counted over all registers of warp 0 to 3 at most.
struct BankCount {
  int64_t passes = 0;
  int64_t ideal = 0;
  int64_t getConflicts() const { return passes - ideal; }
};
BankCount countBankPasses(const SharedLayout &layout,
                          const DistributedLayout &threads,
                          llvm::ArrayRef<int64_t> shape, int64_t elementBytes,
                          int64_t vector);

/// Transactions of one warp-wide access at these byte addresses.
int64_t countPasses(llvm::ArrayRef<int64_t> byteAddresses,
                    int64_t bytesPerLane);

/// A use of a shared tile that padding should serve without conflicts:
/// `threads` covers a block of real `shape`, which is `view` of the tile (given
/// the tile's layout, the layout of the viewed block; none when the view is not
/// representable, which rules the candidate out).
struct SharedAccess {
  DistributedLayout threads;
  llvm::SmallVector<int64_t> shape;
  std::function<std::optional<SharedLayout>(const SharedLayout &)> view;
  int64_t weight = 1;
  /// Copies use the widest access that addresses allow; fragment loads move one
  /// element.
  bool wide = false;
};

/// The padded layout (dims in row-major order or with the fastest dim of an
/// access first, a few paddings each) with the fewest weighted conflicts and
/// accesses, then the fewest bytes. Dense when nothing is better.
SharedLayout chooseSharedLayout(llvm::ArrayRef<int64_t> shape,
                                int64_t elementBytes,
                                llvm::ArrayRef<SharedAccess> accesses);

} // namespace tilefuse::tile

#endif // TILEFUSE_DIALECTS_TILE_LAYOUT_SHAREDLAYOUT_H
