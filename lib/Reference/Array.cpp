//===- Array.cpp - values of the interpreter on a sub-grid ------*- C++ -*-===//

#include "lib/Reference/Array.h"

#include <algorithm>
#include <numeric>

namespace tilefuse::reference {

Grid Grid::makeFull(llvm::ArrayRef<int64_t> shape) {
  Grid grid;
  for (int64_t extent : shape)
    grid.dims.push_back(makeRange(extent));
  return grid;
}

llvm::SmallVector<int64_t, 4> Grid::getShape() const {
  llvm::SmallVector<int64_t, 4> shape;
  for (const IndexList &list : dims)
    shape.push_back(static_cast<int64_t>(list.size()));
  return shape;
}

int64_t Grid::size() const { return getNumElements(getShape()); }

IndexList makeRange(int64_t extent) {
  IndexList list(extent);
  std::iota(list.begin(), list.end(), int64_t(0));
  return list;
}

void normalize(IndexList &list) {
  std::sort(list.begin(), list.end());
  list.erase(std::unique(list.begin(), list.end()), list.end());
}

IndexList unite(const IndexList &a, const IndexList &b) {
  if (a == b)
    return a;
  IndexList result;
  std::set_union(a.begin(), a.end(), b.begin(), b.end(),
                 std::back_inserter(result));
  return result;
}

Grid unite(const Grid &a, const Grid &b) {
  Grid result;
  for (size_t d = 0; d < a.rank(); ++d)
    result.dims.push_back(unite(a.dims[d], b.dims[d]));
  return result;
}

llvm::SmallVector<int64_t, 4> getStrides(llvm::ArrayRef<int64_t> shape) {
  llvm::SmallVector<int64_t, 4> strides(shape.size());
  int64_t stride = 1;
  for (size_t d = shape.size(); d-- > 0;) {
    strides[d] = stride;
    stride *= shape[d];
  }
  return strides;
}

Array::Array(DType type, Grid theGrid) : type(type), grid(std::move(theGrid)) {
  if (reference::isFloat(type))
    values.resize(grid.size());
  else
    integers.resize(grid.size());
}

int64_t getPosition(const IndexList &list, int64_t index) {
  return std::lower_bound(list.begin(), list.end(), index) - list.begin();
}

/// Calls `copy(target position, source offset)` for every element that has a
/// source. Rows of the last table are one task.
template <typename CopyFn>
static void forEachSource(int64_t size, llvm::ArrayRef<IndexList> tables,
                          CopyFn copy) {
  if (size == 0)
    return;
  if (tables.empty()) {
    copy(0, 0);
    return;
  }
  const IndexList &inner = tables.back();
  auto width = static_cast<int64_t>(inner.size());
  parallelFor(size / width, std::max<int64_t>(1, 65536 / width),
              [&](int64_t begin, int64_t end) {
                for (int64_t row = begin; row < end; ++row) {
                  int64_t rest = row, base = 0;
                  for (const IndexList &table :
                       llvm::reverse(tables.drop_back())) {
                    auto extent = static_cast<int64_t>(table.size());
                    base += table[rest % extent];
                    rest /= extent;
                  }
                  for (int64_t i = 0; i < width; ++i)
                    if (base + inner[i] >= 0)
                      copy(row * width + i, base + inner[i]);
                }
              });
}

void gather(Array &result, const Array &source,
            llvm::ArrayRef<IndexList> tables) {
  if (result.isFloat())
    forEachSource(result.size(), tables, [&](int64_t to, int64_t from) {
      result.values[to] = source.values[from];
    });
  else
    forEachSource(result.size(), tables, [&](int64_t to, int64_t from) {
      result.integers[to] = source.integers[from];
    });
}

Array restrict(const Array &source, const Grid &grid) {
  if (source.grid == grid)
    return source;
  auto strides = getStrides(source.grid.getShape());
  llvm::SmallVector<IndexList> tables;
  for (size_t d = 0; d < grid.rank(); ++d) {
    IndexList table;
    for (int64_t index : grid.dims[d])
      table.push_back(getPosition(source.grid.dims[d], index) * strides[d]);
    tables.push_back(std::move(table));
  }
  Array result(source.type, grid);
  gather(result, source, tables);
  return result;
}

Array load(const Tensor &source, const Grid &grid) {
  auto strides = getStrides(source.getShape());
  llvm::SmallVector<IndexList> tables;
  for (size_t d = 0; d < grid.rank(); ++d) {
    IndexList table;
    for (int64_t index : grid.dims[d])
      table.push_back(index * strides[d]);
    tables.push_back(std::move(table));
  }
  Array result(source.getType(), grid);
  if (result.isFloat())
    forEachSource(result.size(), tables, [&](int64_t to, int64_t from) {
      result.values[to] = source.getDouble(from);
    });
  else
    forEachSource(result.size(), tables, [&](int64_t to, int64_t from) {
      result.integers[to] = source.getInteger(from);
    });
  return result;
}

llvm::SmallVector<llvm::SmallVector<int64_t, 4>>
getBroadcastStrides(const Grid &grid, llvm::ArrayRef<const Array *> operands) {
  llvm::SmallVector<llvm::SmallVector<int64_t, 4>> result;
  for (const Array *operand : operands) {
    auto shape = operand->grid.getShape();
    auto strides = getStrides(shape);
    llvm::SmallVector<int64_t, 4> aligned(grid.rank(), 0);
    size_t added = grid.rank() - shape.size();
    for (size_t d = 0; d < shape.size(); ++d)
      aligned[added + d] = shape[d] == 1 ? 0 : strides[d];
    result.push_back(std::move(aligned));
  }
  return result;
}

Walker::Walker(llvm::ArrayRef<int64_t> shape,
               llvm::ArrayRef<llvm::SmallVector<int64_t, 4>> operandStrides,
               int64_t start)
    : shape(shape), strides(operandStrides.begin(), operandStrides.end()),
      position(shape.size(), 0), offsets(operandStrides.size(), 0) {
  for (size_t d = shape.size(); d-- > 0;) {
    position[d] = start % shape[d];
    start /= shape[d];
    for (size_t i = 0; i < offsets.size(); ++i)
      offsets[i] += position[d] * strides[i][d];
  }
}

void Walker::next() {
  for (size_t d = shape.size(); d-- > 0;) {
    for (size_t i = 0; i < offsets.size(); ++i)
      offsets[i] += strides[i][d];
    if (++position[d] < shape[d])
      return;
    for (size_t i = 0; i < offsets.size(); ++i)
      offsets[i] -= shape[d] * strides[i][d];
    position[d] = 0;
  }
}

} // namespace tilefuse::reference
