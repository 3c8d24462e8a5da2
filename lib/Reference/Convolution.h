//===- Convolution.h - convolutions on grids in float64 ---------*- C++ -*-===//
//
// One engine for convolutions and their transposes: the input elements below
// each output are gathered into a matrix (one row per input channel and tap,
// zero outside the input), which a row of filters multiplies. The two differ
// only in the table that says which input index a tap reads.
//
//===----------------------------------------------------------------------===//
#ifndef TILEFUSE_LIB_REFERENCE_CONVOLUTION_H
#define TILEFUSE_LIB_REFERENCE_CONVOLUTION_H

#include "lib/Reference/Array.h"

#include <array>

namespace tilefuse::reference {

/// Geometry of one spatial dim.
struct SpatialDim {
  int64_t taps, stride, padding, dilation;
  bool transposed = false;

  /// Input index that output `out` reads through tap `tap`, or -1 when that is
  /// outside [0, extent) or, transposed, falls between two inputs.
  int64_t getInput(int64_t out, int64_t tap, int64_t extent) const;
  /// All inputs a list of outputs reads.
  IndexList getInputs(const IndexList &outs, int64_t extent) const;
};

/// A convolution with filters already gathered.
struct Convolution {
  std::array<SpatialDim, 2> spatial;
  /// Extents of the whole input's rows and columns.
  std::array<int64_t, 2> inputExtent;
  int64_t groups, inputChannels, outputChannels;

  /// Input grid for a grid of outputs (n, co, oh, ow).
  Grid getInputGrid(const Grid &out) const;
  /// Filter of output channel `co`: inputChannels / groups * taps weights.
  using FilterFn = llvm::function_ref<const double *(int64_t channel)>;
  /// out[n, co, oh, ow] from x on getInputGrid(out.grid).
  void run(const Array &x, FilterFn filter, Array &out) const;
  /// dw[co, ci, r, s] = sum over n, oh, ow of dy * x; dy whole, x on
  /// getInputGrid(dy.grid). `out` is on any grid.
  void runWeightGradient(const Array &x, const Array &dy, Array &out) const;

private:
  int64_t getGroup(int64_t channel) const {
    return channel / (outputChannels / groups);
  }
  int64_t getTaps() const { return spatial[0].taps * spatial[1].taps; }
};

} // namespace tilefuse::reference

#endif // TILEFUSE_LIB_REFERENCE_CONVOLUTION_H
