//===- Compare.cpp - is an output right? ------------------------*- C++ -*-===//

#include "lib/Reference/Compare.h"

#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"

#include <cmath>

namespace tilefuse::reference {

double getErrorFloor(DType type, bool allF64) {
  switch (type) {
  case DType::F16:
    return 0x1p-11;
  case DType::BF16:
    return 0x1p-8;
  default:
    return allF64 ? 1e-12 : 1e-6;
  }
}

static std::string toText(double value) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%.7g", value);
  return text;
}

/// `[3, 0, 17]`: the element of the whole tensor at a compact position.
static std::string formatPosition(const Grid &grid, int64_t position) {
  llvm::SmallVector<int64_t> index(grid.rank());
  for (size_t d = grid.rank(); d-- > 0;) {
    int64_t extent = static_cast<int64_t>(grid.dims[d].size());
    index[d] = grid.dims[d][position % extent];
    position /= extent;
  }
  std::string text = "[";
  for (size_t d = 0; d < index.size(); ++d)
    text += (d ? ", " : "") + std::to_string(index[d]);
  return text + "]";
}

/// 0 for a finite value, else a class that must agree.
static int getSpecialClass(double value) {
  if (std::isnan(value))
    return 1;
  if (std::isinf(value))
    return value > 0 ? 2 : 3;
  return 0;
}

static Report compareIntegers(const Array &found, const Array &expected,
                              const Array &rounded) {
  Report report;
  report.compared = found.size();
  int64_t wrong = 0, flipped = 0, first = -1;
  for (int64_t i = 0; i < found.size(); ++i) {
    flipped += rounded.integers[i] != expected.integers[i];
    if (found.integers[i] == expected.integers[i])
      continue;
    if (wrong++ == 0)
      first = i;
    report.worst = std::max(
        report.worst, std::fabs(static_cast<double>(found.integers[i]) -
                                static_cast<double>(expected.integers[i])));
  }
  double count = std::max<double>(1, static_cast<double>(found.size()));
  report.error = wrong / count;
  report.roundedError = flipped / count;
  // Both shares are draws of the same few near-ties: allow three deviations.
  report.bound =
      (1.1 * flipped + 3 * std::sqrt(static_cast<double>(flipped))) / count;
  report.passed = report.error <= report.bound;
  if (!report.passed)
    report.problem = llvm::formatv(
        "{0} of {1} integers differ, first at {2}: expected {3}, found {4}",
        wrong, found.size(), formatPosition(found.grid, first),
        expected.integers[first], found.integers[first]);
  return report;
}

Report compare(const Tensor &output, const Array &expected,
               const Array &rounded, const Tolerance &tolerance) {
  Array found = load(output, expected.grid);
  if (!found.isFloat())
    return compareIntegers(found, expected, rounded);

  Report report;
  report.compared = found.size();
  double errors = 0, roundedErrors = 0, norm = 0, roundedNorm = 0;
  double largest = 0, roundedWorst = 0;
  int64_t worstAt = 0;
  for (int64_t i = 0; i < found.size(); ++i) {
    double value = found.values[i], wanted = expected.values[i];
    // What overflows the output's type is an infinity there.
    double stored = roundToType(wanted, output.getType());
    double reached = rounded.values[i];
    if (getSpecialClass(value) != getSpecialClass(stored) &&
        getSpecialClass(value) != getSpecialClass(reached)) {
      report.problem =
          llvm::formatv("expected {0} at {1}, found {2}", toText(wanted),
                        formatPosition(found.grid, i), toText(value));
      return report;
    }
    if (getSpecialClass(stored) || getSpecialClass(value))
      continue;
    double difference = std::fabs(value - wanted);
    if (difference > report.worst) {
      report.worst = difference;
      worstAt = i;
    }
    errors += difference * difference;
    norm += wanted * wanted;
    largest = std::max(largest, std::fabs(wanted));
    if (getSpecialClass(reached))
      continue;
    double loss = std::fabs(reached - wanted);
    roundedErrors += loss * loss;
    roundedNorm += wanted * wanted;
    roundedWorst = std::max(roundedWorst, loss);
  }
  // A reference of zeros is compared absolutely.
  report.error = std::sqrt(errors) / (norm > 0 ? std::sqrt(norm) : 1);
  report.roundedError =
      std::sqrt(roundedErrors) / (roundedNorm > 0 ? std::sqrt(roundedNorm) : 1);
  report.bound = 1.1 * std::max(report.roundedError, tolerance.floor);
  double elementBound =
      32 * std::max({roundedWorst, 1e-4 * largest, tolerance.floor});
  if (report.error > report.bound)
    report.problem = llvm::formatv(
        "relative error {0} exceeds {1}; worst element at {2}: expected {3}, "
        "found {4}",
        toText(report.error), toText(report.bound),
        formatPosition(found.grid, worstAt), toText(expected.values[worstAt]),
        toText(found.values[worstAt]));
  else if (tolerance.perElement && report.worst > elementBound)
    report.problem = llvm::formatv("element {0}: expected {1}, found {2}",
                                   formatPosition(found.grid, worstAt),
                                   toText(expected.values[worstAt]),
                                   toText(found.values[worstAt]));
  report.passed = report.problem.empty();
  return report;
}

} // namespace tilefuse::reference
