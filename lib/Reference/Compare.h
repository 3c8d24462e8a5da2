//===- Compare.h - is an output right? --------------------------*- C++ -*-===//
//
// The accuracy rule. With e = ||out - ref|| / ||ref|| (L2, `ref` in float64 on
// the same inputs) an output is right when
//
//   e <= 1.1 * max(e of the rounded evaluation, floor)
//
// and NaN and infinities stand at the same positions. The rounded evaluation
// (Options::rounded) is what the declared precision alone costs. The floor is
// 1e-6; one rounding of the type for 16-bit outputs, where few elements are no
// statistic; 1e-12 when everything is f64. Two more conditions catch what an L2
// norm over millions of elements hides: no single element may be off by more
// than 32 times the worst of the rounded evaluation or 1e-4 of the largest
// value (graphs with jumps, such as comparisons, are exempt), and integers must
// agree except where the rounded evaluation flips a comparable share.
//
//===----------------------------------------------------------------------===//
#ifndef TILEFUSE_LIB_REFERENCE_COMPARE_H
#define TILEFUSE_LIB_REFERENCE_COMPARE_H

#include "lib/Reference/Array.h"

#include <string>

namespace tilefuse::reference {

/// What the comparison of one output found.
struct Report {
  bool passed = false;
  /// Elements compared.
  int64_t compared = 0;
  /// e of the output, of the rounded evaluation, and the bound on the former.
  /// For integer outputs: shares of elements that differ.
  double error = 0, roundedError = 0, bound = 0;
  /// Largest absolute difference.
  double worst = 0;
  /// Why it failed, with a position; empty when it passed.
  std::string problem;
};

struct Tolerance {
  /// Smallest bound (before the factor 1.1).
  double floor = 1e-6;
  /// Whether a single far-off element fails the output.
  bool perElement = true;
};

/// The floor of an output of this type; `allF64`: no value of the graph is of a
/// shorter float type.
double getErrorFloor(DType type, bool allF64);

/// Compares `output` with `expected` on its grid; `rounded` is on the same
/// grid.
Report compare(const Tensor &output, const Array &expected,
               const Array &rounded, const Tolerance &tolerance);

} // namespace tilefuse::reference

#endif // TILEFUSE_LIB_REFERENCE_COMPARE_H
