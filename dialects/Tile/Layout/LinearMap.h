//===- LinearMap.h - linear maps over F2 -------------------------*- C++
//-*-===//
//
// A map from bit vectors to bit vectors that respects XOR. It is stored as one
// output word per input bit (the columns of its matrix), so that applying it is
// an XOR of columns. Layouts are such maps from hardware bits (register, lane,
// warp, block) to coordinate bits; everything that layouts can do comes down to
// the five operations below.
//
//===----------------------------------------------------------------------===//
#ifndef TILEFUSE_DIALECTS_TILE_LAYOUT_LINEARMAP_H
#define TILEFUSE_DIALECTS_TILE_LAYOUT_LINEARMAP_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include <cstddef>
#include <cstdint>
#include <optional>

namespace tilefuse::tile {

class LinearMap {
public:
  LinearMap() = default;
  /// `columns[i]` is the image of input bit i; images have `outputBits` bits.
  LinearMap(llvm::ArrayRef<uint64_t> columns, unsigned outputBits)
      : columns(columns), outputBits(outputBits) {}

  static LinearMap identity(unsigned bits);

  unsigned getInputBits() const { return columns.size(); }
  unsigned getOutputBits() const { return outputBits; }
  llvm::ArrayRef<uint64_t> getColumns() const { return columns; }

  uint64_t apply(uint64_t input) const;

  /// x -> outer(this(x)); the inner output has as many bits as outer's input.
  LinearMap then(const LinearMap &outer) const;

  unsigned rank() const;
  bool isSurjective() const { return rank() == outputBits; }
  bool isInvertible() const {
    return outputBits == getInputBits() && isSurjective();
  }

  /// A right inverse: `this(inverse(y)) == y` for every y, with free input bits
  /// at zero; none when the map is not onto.
  std::optional<LinearMap> inverse() const;

  /// Block-diagonal product: the low input bits go through this map to the low
  /// output bits, the high ones through `high`.
  LinearMap product(const LinearMap &high) const;

  /// The map q with `low.product(q) == *this`, if there is one.
  std::optional<LinearMap> quotient(const LinearMap &low) const;

  bool operator==(const LinearMap &other) const {
    return outputBits == other.outputBits && columns == other.columns;
  }

private:
  llvm::SmallVector<uint64_t, 12> columns;
  unsigned outputBits = 0;
};

} // namespace tilefuse::tile

#endif // TILEFUSE_DIALECTS_TILE_LAYOUT_LINEARMAP_H
