//===- Convolution.cpp - convolutions on grids in float64 -------*- C++ -*-===//

#include "lib/Reference/Convolution.h"

#include "lib/Reference/MatrixProduct.h"

#include <algorithm>

namespace tilefuse::reference {

int64_t SpatialDim::getInput(int64_t out, int64_t tap, int64_t extent) const {
  int64_t index;
  if (transposed) {
    int64_t scaled = out + padding - tap * dilation;
    if (scaled < 0 || scaled % stride != 0)
      return -1;
    index = scaled / stride;
  } else {
    index = out * stride + tap * dilation - padding;
  }
  return index >= 0 && index < extent ? index : -1;
}

IndexList SpatialDim::getInputs(const IndexList &outs, int64_t extent) const {
  std::vector<bool> used(extent, false);
  for (int64_t out : outs)
    for (int64_t tap = 0; tap < taps; ++tap)
      if (int64_t index = getInput(out, tap, extent); index >= 0)
        used[index] = true;
  IndexList list;
  for (int64_t i = 0; i < extent; ++i)
    if (used[i])
      list.push_back(i);
  return list;
}

Grid Convolution::getInputGrid(const Grid &out) const {
  Grid grid;
  grid.dims.push_back(out.dims[0]);
  int64_t perGroup = inputChannels / groups;
  IndexList channels;
  int64_t last = -1;
  for (int64_t co : out.dims[1]) {
    int64_t group = getGroup(co);
    if (group == last)
      continue;
    last = group;
    for (int64_t c = 0; c < perGroup; ++c)
      channels.push_back(group * perGroup + c);
  }
  grid.dims.push_back(std::move(channels));
  for (int d : {0, 1})
    grid.dims.push_back(spatial[d].getInputs(out.dims[2 + d], inputExtent[d]));
  return grid;
}

/// Compact input position per (output, tap), -1 for none.
static std::vector<int64_t> makeTable(const SpatialDim &dim, int64_t extent,
                                      const IndexList &outs,
                                      const IndexList &ins) {
  std::vector<int64_t> table;
  for (int64_t out : outs)
    for (int64_t tap = 0; tap < dim.taps; ++tap) {
      int64_t index = dim.getInput(out, tap, extent);
      table.push_back(index < 0 ? -1 : getPosition(ins, index));
    }
  return table;
}

namespace {
/// Gathers, for some output rows of one image and group, the matrix of input
/// elements: [channel, tap] x [row, column], or its transpose.
struct PatchGatherer {
  const Array &x;
  std::vector<int64_t> rowTable, columnTable;
  int64_t rowTaps, columnTaps, columns;
  llvm::SmallVector<int64_t, 4> strides;

  PatchGatherer(const Convolution &convolution, const Array &x, const Grid &out)
      : x(x),
        rowTable(makeTable(convolution.spatial[0], convolution.inputExtent[0],
                           out.dims[2], x.grid.dims[2])),
        columnTable(makeTable(convolution.spatial[1],
                              convolution.inputExtent[1], out.dims[3],
                              x.grid.dims[3])),
        rowTaps(convolution.spatial[0].taps),
        columnTaps(convolution.spatial[1].taps),
        columns(static_cast<int64_t>(out.dims[3].size())),
        strides(getStrides(x.grid.getShape())) {}

  /// Whether any output row of a range reads through row tap `r`.
  bool isUsed(int64_t r, int64_t row0, int64_t row1) const {
    for (int64_t row = row0; row < row1; ++row)
      if (rowTable[row * rowTaps + r] >= 0)
        return true;
    return false;
  }

  /// Row taps that some output row of a range reads: half of them in a
  /// transposed convolution of stride 2.
  llvm::SmallVector<int64_t> getUsedTaps(int64_t row0, int64_t row1) const {
    llvm::SmallVector<int64_t> used;
    for (int64_t r = 0; r < rowTaps; ++r)
      if (isUsed(r, row0, row1))
        used.push_back(r);
    return used;
  }

  /// One matrix row per channel, tap of `taps` and column tap, `pitch` elements
  /// apart; with `transpose`, one matrix column.
  void gather(int64_t image, int64_t firstChannel, int64_t channels,
              llvm::ArrayRef<int64_t> taps, int64_t row0, int64_t row1,
              int64_t pitch, bool transpose, std::vector<double> &patch) const {
    int64_t depth = channels * static_cast<int64_t>(taps.size()) * columnTaps;
    patch.assign(depth * pitch, 0.0);
    int64_t depthStride = transpose ? 1 : pitch;
    int64_t pixelStride = transpose ? depth : 1;
    int64_t k = 0;
    for (int64_t c = 0; c < channels; ++c)
      for (int64_t r : taps)
        for (int64_t s = 0; s < columnTaps; ++s, ++k)
          for (int64_t row = row0; row < row1; ++row) {
            int64_t source = rowTable[row * rowTaps + r];
            if (source < 0)
              continue;
            const double *line = x.values.data() + image * strides[0] +
                                 (firstChannel + c) * strides[1] +
                                 source * strides[2];
            double *target = patch.data() + k * depthStride +
                             (row - row0) * columns * pixelStride;
            for (int64_t column = 0; column < columns; ++column) {
              int64_t at = columnTable[column * columnTaps + s];
              if (at >= 0)
                target[column * pixelStride] = line[at];
            }
          }
  }
};
} // namespace

/// The weights of the row taps that are used: [filter][channel][r][s].
static std::vector<double> selectTaps(llvm::ArrayRef<double> filters,
                                      llvm::ArrayRef<int64_t> taps,
                                      int64_t rowTaps, int64_t columnTaps) {
  std::vector<double> selected;
  int64_t plane = rowTaps * columnTaps;
  for (size_t at = 0; at < filters.size(); at += plane)
    for (int64_t r : taps)
      for (int64_t s = 0; s < columnTaps; ++s)
        selected.push_back(filters[at + r * columnTaps + s]);
  return selected;
}

void Convolution::run(const Array &x, FilterFn filter, Array &out) const {
  auto shape = out.grid.getShape();
  if (out.size() == 0)
    return;
  PatchGatherer gatherer(*this, x, out.grid);
  int64_t perGroup = inputChannels / groups;
  int64_t depth = perGroup * getTaps();
  int64_t rows = shape[2], columns = shape[3];
  int64_t rowsPerTask = std::clamp<int64_t>(256 / columns, 1, rows);
  int64_t rowTasks = (rows + rowsPerTask - 1) / rowsPerTask;

  // The wanted output channels of one group stand together.
  for (int64_t c0 = 0, c1; c0 < shape[1]; c0 = c1) {
    int64_t group = getGroup(out.grid.dims[1][c0]);
    for (c1 = c0; c1 < shape[1] && getGroup(out.grid.dims[1][c1]) == group;)
      ++c1;
    std::vector<double> filters;
    for (int64_t c = c0; c < c1; ++c) {
      const double *weights = filter(out.grid.dims[1][c]);
      filters.insert(filters.end(), weights, weights + depth);
    }
    int64_t firstChannel = getPosition(x.grid.dims[1], group * perGroup);
    parallelFor(shape[0] * rowTasks, 1, [&](int64_t begin, int64_t end) {
      std::vector<double> patch, sums;
      for (int64_t task = begin; task < end; ++task) {
        int64_t image = task / rowTasks;
        int64_t row0 = task % rowTasks * rowsPerTask;
        int64_t row1 = std::min(rows, row0 + rowsPerTask);
        int64_t pixels = (row1 - row0) * columns;
        // Whole blocks of the matrix product.
        int64_t pitch = (pixels + 7) / 8 * 8;
        auto taps = gatherer.getUsedTaps(row0, row1);
        gatherer.gather(image, firstChannel, perGroup, taps, row0, row1, pitch,
                        /*transpose=*/false, patch);
        int64_t used =
            perGroup * static_cast<int64_t>(taps.size()) * spatial[1].taps;
        std::vector<double> selected;
        if (used != depth)
          selected =
              selectTaps(filters, taps, spatial[0].taps, spatial[1].taps);
        sums.assign((c1 - c0) * pitch, 0.0);
        multiplyAdd(c1 - c0, pitch, used,
                    used == depth ? filters.data() : selected.data(), used,
                    patch.data(), pitch, sums.data(), pitch);
        for (int64_t c = c0; c < c1; ++c)
          std::copy_n(sums.data() + (c - c0) * pitch, pixels,
                      out.values.data() +
                          ((image * shape[1] + c) * rows + row0) * columns);
      }
    });
  }
}

void Convolution::runWeightGradient(const Array &x, const Array &dy,
                                    Array &out) const {
  auto shape = dy.grid.getShape();
  PatchGatherer gatherer(*this, x, dy.grid);
  int64_t perGroup = inputChannels / groups;
  int64_t depth = perGroup * getTaps();
  int64_t filtersPerGroup = outputChannels / groups;
  int64_t pixels = shape[2] * shape[3];
  llvm::SmallVector<int64_t> allTaps;
  for (int64_t r = 0; r < spatial[0].taps; ++r)
    allTaps.push_back(r);
  std::vector<double> whole(outputChannels * depth, 0.0);
  parallelFor(groups, 1, [&](int64_t begin, int64_t end) {
    std::vector<double> patch;
    for (int64_t group = begin; group < end; ++group)
      for (int64_t image = 0; image < shape[0]; ++image)
        // One output row at a time keeps the matrix small.
        for (int64_t row = 0; row < shape[2]; ++row) {
          gatherer.gather(image, group * perGroup, perGroup, allTaps, row,
                          row + 1, shape[3], /*transpose=*/true, patch);
          int64_t c0 = group * filtersPerGroup;
          const double *gradient = dy.values.data() +
                                   (image * shape[1] + c0) * pixels +
                                   row * shape[3];
          multiplyAdd(filtersPerGroup, depth, shape[3], gradient, pixels,
                      patch.data(), depth, whole.data() + c0 * depth, depth);
        }
  });
  // Pick the wanted weights.
  Walker walker(out.grid.getShape(), {});
  for (int64_t i = 0; i < out.size(); ++i, walker.next()) {
    int64_t position = 0;
    llvm::SmallVector<int64_t, 4> extents = {outputChannels, perGroup,
                                             spatial[0].taps, spatial[1].taps};
    for (size_t d = 0; d < 4; ++d)
      position = position * extents[d] + out.grid.dims[d][walker.index(d)];
    out.values[i] = whole[position];
  }
}

} // namespace tilefuse::reference
