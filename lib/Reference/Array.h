//===- Array.h - values of the interpreter on a sub-grid --------*- C++ -*-===//
//
// The interpreter evaluates every value on a *grid*: the product of one sorted
// list of indices per dim. A full evaluation uses all indices; a sampled one
// starts from a few indices per dim of the results and each op says which grid
// of its operands that needs. Products of lists stay products through
// convolutions, windows, reductions and broadcasts, so a graph of any size is
// evaluated with dense loops and no per-element bookkeeping. Example: outputs
// (n, c, 3..4, 7) of a 3x3 convolution need inputs (n, all, 3..6, 7..9).
//
//===----------------------------------------------------------------------===//
#ifndef TILEFUSE_LIB_REFERENCE_ARRAY_H
#define TILEFUSE_LIB_REFERENCE_ARRAY_H

#include "lib/Reference/Parallel.h"
#include "lib/Reference/Tensor.h"

#include <vector>

namespace tilefuse::reference {

/// Sorted, unique indices into one dim.
using IndexList = std::vector<int64_t>;

/// One index list per dim: the elements of which something is known or wanted.
struct Grid {
  llvm::SmallVector<IndexList, 4> dims;

  Grid() = default;
  /// Every element of a tensor of this shape.
  static Grid makeFull(llvm::ArrayRef<int64_t> shape);

  size_t rank() const { return dims.size(); }
  /// Number of indices of each dim.
  llvm::SmallVector<int64_t, 4> getShape() const;
  int64_t size() const;
  bool operator==(const Grid &other) const { return dims == other.dims; }
};

/// 0, 1, ..., extent - 1.
IndexList makeRange(int64_t extent);
/// Sorts and drops duplicates.
void normalize(IndexList &list);
IndexList unite(const IndexList &a, const IndexList &b);
/// The smallest grid that holds both.
Grid unite(const Grid &a, const Grid &b);

/// Row-major strides of a compact shape.
llvm::SmallVector<int64_t, 4> getStrides(llvm::ArrayRef<int64_t> shape);

/// The elements of a value on a grid, row-major in compact positions. Float
/// types keep doubles, integer types 64-bit integers.
struct Array {
  DType type = DType::F32;
  Grid grid;
  std::vector<double> values;
  std::vector<int64_t> integers;

  Array() = default;
  /// Zeros.
  Array(DType type, Grid grid);

  bool isFloat() const { return reference::isFloat(type); }
  int64_t size() const {
    return static_cast<int64_t>(isFloat() ? values.size() : integers.size());
  }
};

/// Position of `index` in a list that holds it.
int64_t getPosition(const IndexList &list, int64_t index);

/// Offset that marks an element without a source.
inline constexpr int64_t nowhere = INT64_MIN / 64;

/// Copies elements of `source` to `result`: the element at (i0, i1, ...) comes
/// from offset tables[0][i0] + tables[1][i1] + ... of the source and stays as
/// it is where that is negative. The tables' sizes multiply to the result's.
void gather(Array &result, const Array &source,
            llvm::ArrayRef<IndexList> tables);

/// Elements of `source` on a grid that its own grid contains.
Array restrict(const Array &source, const Grid &grid);
/// Elements of a tensor on a grid.
Array load(const Tensor &source, const Grid &grid);

/// Strides with which each operand is read at the positions of `grid`: dims are
/// aligned at the last one, and a dim of one element repeats (stride 0).
llvm::SmallVector<llvm::SmallVector<int64_t, 4>>
getBroadcastStrides(const Grid &grid, llvm::ArrayRef<const Array *> operands);

/// Walks the positions of a row-major shape and keeps one offset per operand,
/// each with strides of its own.
class Walker {
public:
  Walker(llvm::ArrayRef<int64_t> shape,
         llvm::ArrayRef<llvm::SmallVector<int64_t, 4>> operandStrides,
         int64_t start = 0);
  void next();
  int64_t operator[](size_t operand) const { return offsets[operand]; }
  /// Current index in one dim of the walked shape.
  int64_t index(size_t dim) const { return position[dim]; }

private:
  llvm::SmallVector<int64_t, 4> shape;
  llvm::SmallVector<llvm::SmallVector<int64_t, 4>> strides;
  llvm::SmallVector<int64_t, 4> position;
  llvm::SmallVector<int64_t, 4> offsets;
};

/// Calls `body(position, walker)` for every position of `shape`, on all cores.
template <typename BodyFn>
void forEachPosition(
    llvm::ArrayRef<int64_t> shape,
    llvm::ArrayRef<llvm::SmallVector<int64_t, 4>> operandStrides, BodyFn body,
    int64_t grain = 1 << 14) {
  parallelFor(getNumElements(shape), grain, [&](int64_t begin, int64_t end) {
    Walker walker(shape, operandStrides, begin);
    for (int64_t i = begin; i < end; ++i, walker.next())
      body(i, walker);
  });
}

} // namespace tilefuse::reference

#endif // TILEFUSE_LIB_REFERENCE_ARRAY_H
