//===- ReshapeTiling.cpp - blocks through changes of shape ------*- C++ -*-===//

#include "passes/Tiling/ReshapeTiling.h"

using namespace mlir;
using namespace tilefuse;

bool tilefuse::isShapeChange(Operation *op) {
  return isa_and_nonnull<fuse::ReshapeOp>(op);
}

/// The run of row-major positions that a box of `shape` covers, if it is one.
static std::optional<SliceDim> flatten(ArrayRef<int64_t> shape,
                                       ArrayRef<SliceDim> box) {
  SliceDim run;
  int64_t stride = 1;
  for (unsigned i = shape.size(); i-- > 0;) {
    run.base = run.base + box[i].base * stride;
    if (box[i].extent > 1) {
      int64_t step = box[i].step * stride;
      if (run.extent == 1)
        run.step = step;
      else if (step != run.step * run.extent)
        return std::nullopt;
      run.extent *= box[i].extent;
    }
    stride *= shape[i];
  }
  return run;
}

/// The box of `shape` that a run of row-major positions is.
static bool unflatten(const SliceDim &run, ArrayRef<int64_t> shape,
                      const CoordVars &vars, Slice &box) {
  SliceDim rest = run;
  for (unsigned i = 0; i < shape.size(); ++i) {
    int64_t row = 1;
    for (int64_t extent : shape.drop_front(i + 1))
      row *= extent;
    if (row == 1) {
      box.push_back(rest);
      rest = SliceDim();
      continue;
    }
    SliceDim outer, inner;
    if (!splitPart(rest, row, vars, outer, inner))
      return false;
    box.push_back(outer);
    rest = inner;
  }
  return true;
}

std::optional<Slice> tilefuse::mapThroughReshape(ArrayRef<int64_t> from,
                                                 ArrayRef<int64_t> to,
                                                 ArrayRef<SliceDim> slice,
                                                 const CoordVars &vars) {
  Slice result;
  unsigned i = 0, j = 0;
  while (i < from.size() || j < to.size()) {
    // The shortest groups with equal products.
    unsigned firstFrom = i, firstTo = j;
    int64_t left = i < from.size() ? from[i++] : 1;
    int64_t right = j < to.size() ? to[j++] : 1;
    while (left != right) {
      if (left < right && i < from.size())
        left *= from[i++];
      else if (j < to.size())
        right *= to[j++];
      else
        return std::nullopt;
    }
    ArrayRef<int64_t> group = from.slice(firstFrom, i - firstFrom);
    ArrayRef<int64_t> toGroup = to.slice(firstTo, j - firstTo);
    if (group.size() == 1 && toGroup.size() == 1) {
      result.push_back(slice[firstFrom]);
      continue;
    }
    std::optional<SliceDim> run =
        flatten(group, slice.slice(firstFrom, group.size()));
    if (!run || !unflatten(*run, toGroup, vars, result))
      return std::nullopt;
  }
  return result;
}
