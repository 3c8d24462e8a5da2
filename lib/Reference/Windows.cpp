//===- Windows.cpp - sliding windows and their gradients --------*- C++ -*-===//

#include "lib/Reference/Convolution.h"
#include "lib/Reference/Rules.h"

#include "dialects/Fuse/Fuse.h"

#include <cmath>
#include <type_traits>

namespace tilefuse::reference {

namespace {
/// Windows over the trailing dims of an operand. A gradient reads its operand
/// through the transposed geometry.
class Windows {
public:
  Windows(llvm::ArrayRef<SpatialDim> dims, llvm::ArrayRef<int64_t> shape)
      : dims(dims), shape(shape.begin(), shape.end()),
        lead(shape.size() - dims.size()) {}

  Grid getOperandGrid(const Grid &wanted) const {
    Grid grid;
    grid.dims.assign(wanted.dims.begin(), wanted.dims.begin() + lead);
    for (size_t d = 0; d < dims.size(); ++d)
      grid.dims.push_back(
          dims[d].getInputs(wanted.dims[lead + d], shape[lead + d]));
    return grid;
  }

  int64_t getTaps() const {
    int64_t taps = 1;
    for (const SpatialDim &dim : dims)
      taps *= dim.taps;
    return taps;
  }

  /// Calls `body(result position, walker over the result, sources)` for each
  /// wanted element; sources holds, per tap in row-major order, the operand's
  /// offset or a negative number where the tap reads nothing.
  template <typename BodyFn>
  void forEach(const Grid &operand, const Grid &wanted, BodyFn body) const {
    auto strides = getStrides(operand.getShape());
    // Per window dim and wanted index: one offset per tap.
    std::vector<std::vector<IndexList>> tables;
    for (size_t d = 0; d < dims.size(); ++d) {
      const IndexList &have = operand.dims[lead + d];
      auto &table = tables.emplace_back();
      for (int64_t out : wanted.dims[lead + d]) {
        IndexList &row = table.emplace_back();
        for (int64_t tap = 0; tap < dims[d].taps; ++tap) {
          int64_t index = dims[d].getInput(out, tap, shape[lead + d]);
          row.push_back(index < 0
                            ? nowhere
                            : getPosition(have, index) * strides[lead + d]);
        }
      }
    }
    llvm::SmallVector<int64_t, 4> leadStrides(strides.begin(),
                                              strides.begin() + lead);
    leadStrides.resize(wanted.rank(), 0);
    auto wantedShape = wanted.getShape();
    int64_t taps = getTaps();
    forEachPosition(
        wantedShape, {leadStrides},
        [&](int64_t i, const Walker &at) {
          thread_local IndexList sources;
          sources.assign(1, at[0]);
          for (size_t d = 0; d < dims.size(); ++d) {
            thread_local IndexList next;
            next.clear();
            for (int64_t base : sources)
              for (int64_t offset : tables[d][at.index(lead + d)])
                next.push_back(base < 0 || offset < 0 ? nowhere
                                                      : base + offset);
            sources.swap(next);
          }
          body(i, at, llvm::ArrayRef<int64_t>(sources));
        },
        std::max<int64_t>(1, (1 << 14) / taps));
  }

private:
  llvm::SmallVector<SpatialDim> dims;
  llvm::SmallVector<int64_t> shape;
  size_t lead;
};
} // namespace

static int64_t getOr(std::optional<llvm::ArrayRef<int64_t>> list, size_t i,
                     int64_t missing) {
  return list ? (*list)[i] : missing;
}

/// Window geometry of window_reduce and the gradient ops.
template <typename OpTy>
static Windows getWindows(OpTy op, mlir::Value operand, bool transposed) {
  llvm::SmallVector<SpatialDim> dims;
  for (size_t d = 0; d < op.getWindow().size(); ++d)
    dims.push_back({op.getWindow()[d], getOr(op.getStride(), d, 1),
                    getOr(op.getPaddingLow(), d, 0),
                    getOr(op.getDilation(), d, 1), transposed});
  return Windows(dims, getShape(operand));
}

/// Whether `candidate` replaces `best`: NaN wins, the first of equals stays.
template <typename T> static bool beats(T candidate, T best, bool wantMaximum) {
  if constexpr (std::is_floating_point_v<T>) {
    if (std::isnan(best))
      return false;
    if (std::isnan(candidate))
      return true;
  }
  return wantMaximum ? candidate > best : candidate < best;
}

/// The extreme element of a window and its tap; `best` holds the neutral value.
template <typename T>
static int64_t findExtreme(const std::vector<T> &values,
                           llvm::ArrayRef<int64_t> sources, bool wantMaximum,
                           T &best) {
  int64_t bestTap = -1;
  for (auto [tap, source] : llvm::enumerate(sources)) {
    if (source < 0)
      continue;
    if (T value = values[source];
        bestTap < 0 || beats(value, best, wantMaximum)) {
      best = value;
      bestTap = static_cast<int64_t>(tap);
    }
  }
  return std::max<int64_t>(bestTap, 0);
}

static double sumSources(const Array &x, llvm::ArrayRef<int64_t> sources) {
  double sum = 0;
  for (int64_t source : sources)
    if (source >= 0)
      sum += x.values[source];
  return sum;
}

//===----------------------------------------------------------------------===//
// window_reduce
//===----------------------------------------------------------------------===//

static Grid uniteDemands(llvm::ArrayRef<Demand> wanted) {
  std::optional<Grid> all;
  for (const Demand &demand : wanted)
    if (demand)
      all = all ? unite(*all, *demand) : *demand;
  return *all;
}

static llvm::SmallVector<Grid> demandWindow(mlir::Operation *operation,
                                            llvm::ArrayRef<Demand> wanted) {
  auto op = llvm::cast<fuse::WindowReduceOp>(operation);
  return {getWindows(op, op.getInput(), false)
              .getOperandGrid(uniteDemands(wanted))};
}

/// Smallest or largest value of an integer type: neutral for max or min.
static int64_t getNeutralInteger(DType type, bool wantMaximum) {
  int bits = static_cast<int>(8 * getElementBytes(type));
  auto largest = static_cast<int64_t>((uint64_t(1) << (bits - 1)) - 1);
  return wantMaximum ? -largest - 1 : largest;
}

static std::vector<Array> computeWindow(mlir::Operation *operation,
                                        llvm::ArrayRef<const Array *> operands,
                                        llvm::ArrayRef<Demand> wanted, bool) {
  auto op = llvm::cast<fuse::WindowReduceOp>(operation);
  const Array &x = *operands[0];
  Grid grid = uniteDemands(wanted);
  std::vector<Array> whole;
  for (mlir::Value result : op->getResults())
    whole.emplace_back(getElementType(result), grid);
  bool isSum = op.getKind() == fuse::WindowKind::sum;
  bool maximum = op.getKind() == fuse::WindowKind::max;
  double infinity = std::numeric_limits<double>::infinity();
  getWindows(op, op.getInput(), false)
      .forEach(x.grid, grid,
               [&](int64_t i, const Walker &, llvm::ArrayRef<int64_t> sources) {
                 int64_t tap = 0;
                 if (x.isFloat()) {
                   double value = maximum ? -infinity : infinity;
                   if (isSum)
                     value = sumSources(x, sources);
                   else
                     tap = findExtreme(x.values, sources, maximum, value);
                   whole[0].values[i] = value;
                 } else {
                   int64_t value =
                       isSum ? 0 : getNeutralInteger(x.type, maximum);
                   if (isSum)
                     for (int64_t source : sources)
                       value += source < 0 ? 0 : x.integers[source];
                   else
                     tap = findExtreme(x.integers, sources, maximum, value);
                   whole[0].integers[i] = truncateInteger(value, x.type);
                 }
                 if (whole.size() > 1)
                   whole[1].integers[i] = truncateInteger(tap, whole[1].type);
               });
  for (auto [array, demand] : llvm::zip_equal(whole, wanted))
    array = demand ? restrict(array, *demand) : Array();
  return whole;
}

//===----------------------------------------------------------------------===//
// Gradients
//===----------------------------------------------------------------------===//

template <typename OpTy>
static llvm::SmallVector<Grid> demandGradient(mlir::Operation *operation,
                                              llvm::ArrayRef<Demand> wanted) {
  auto op = llvm::cast<OpTy>(operation);
  Grid grid = getWindows(op, op.getDy(), true).getOperandGrid(*wanted[0]);
  return llvm::SmallVector<Grid>(op->getNumOperands(), grid);
}

static std::vector<Array>
computeSumGradient(mlir::Operation *operation,
                   llvm::ArrayRef<const Array *> operands,
                   llvm::ArrayRef<Demand> wanted, bool) {
  auto op = llvm::cast<fuse::WindowSumGradOp>(operation);
  std::vector<Array> results;
  Array &dx = results.emplace_back(getElementType(op.getResult()), *wanted[0]);
  getWindows(op, op.getDy(), true)
      .forEach(operands[0]->grid, dx.grid,
               [&](int64_t i, const Walker &, llvm::ArrayRef<int64_t> sources) {
                 dx.values[i] = sumSources(*operands[0], sources);
               });
  return results;
}

static std::vector<Array>
computeMaxGradient(mlir::Operation *operation,
                   llvm::ArrayRef<const Array *> operands,
                   llvm::ArrayRef<Demand> wanted, bool) {
  auto op = llvm::cast<fuse::WindowMaxGradOp>(operation);
  const Array &dy = *operands[0], &argmax = *operands[1];
  // An i8 holds positions up to 255.
  int64_t mask = argmax.type == DType::I8 ? 255 : -1;
  std::vector<Array> results;
  Array &dx = results.emplace_back(getElementType(op.getResult()), *wanted[0]);
  getWindows(op, op.getDy(), true)
      .forEach(dy.grid, dx.grid,
               [&](int64_t i, const Walker &, llvm::ArrayRef<int64_t> sources) {
                 double sum = 0;
                 for (auto [tap, source] : llvm::enumerate(sources))
                   if (source >= 0 && (argmax.integers[source] & mask) ==
                                          static_cast<int64_t>(tap))
                     sum += dy.values[source];
                 dx.values[i] = sum;
               });
  return results;
}

//===----------------------------------------------------------------------===//
// Pools
//===----------------------------------------------------------------------===//

template <typename OpTy>
static Windows getPoolWindows(OpTy op, llvm::ArrayRef<int64_t> dilation) {
  llvm::SmallVector<SpatialDim> dims;
  for (size_t d : {0, 1})
    dims.push_back({op.getKernel()[d],
                    getOr(op.getStride(), d, op.getKernel()[d]),
                    op.getPadding()[d], dilation[d], false});
  return Windows(dims, getShape(op.getX()));
}

static llvm::SmallVector<Grid> demandMaxPool(mlir::Operation *operation,
                                             llvm::ArrayRef<Demand> wanted) {
  auto op = llvm::cast<fuse::MaxPool2dOp>(operation);
  return {getPoolWindows(op, op.getDilation()).getOperandGrid(*wanted[0])};
}

static std::vector<Array> computeMaxPool(mlir::Operation *operation,
                                         llvm::ArrayRef<const Array *> operands,
                                         llvm::ArrayRef<Demand> wanted, bool) {
  auto op = llvm::cast<fuse::MaxPool2dOp>(operation);
  std::vector<Array> results;
  Array &y = results.emplace_back(getElementType(op.getY()), *wanted[0]);
  getPoolWindows(op, op.getDilation())
      .forEach(operands[0]->grid, y.grid,
               [&](int64_t i, const Walker &, llvm::ArrayRef<int64_t> sources) {
                 double value = -std::numeric_limits<double>::infinity();
                 findExtreme(operands[0]->values, sources, true, value);
                 y.values[i] = value;
               });
  return results;
}

static llvm::SmallVector<Grid> demandAvgPool(mlir::Operation *operation,
                                             llvm::ArrayRef<Demand> wanted) {
  auto op = llvm::cast<fuse::AvgPool2dOp>(operation);
  return {getPoolWindows(op, {1, 1}).getOperandGrid(*wanted[0])};
}

/// Elements that count in the window of output `out` along one dim.
static int64_t countElements(int64_t out, int64_t kernel, int64_t stride,
                             int64_t padding, int64_t extent,
                             bool includePadding) {
  int64_t begin = out * stride - padding;
  int64_t end = std::min(begin + kernel, extent + padding);
  if (includePadding)
    return end - begin;
  return std::min(end, extent) - std::max<int64_t>(begin, 0);
}

static std::vector<Array> computeAvgPool(mlir::Operation *operation,
                                         llvm::ArrayRef<const Array *> operands,
                                         llvm::ArrayRef<Demand> wanted, bool) {
  auto op = llvm::cast<fuse::AvgPool2dOp>(operation);
  auto shape = getShape(op.getX());
  size_t lead = shape.size() - 2;
  std::vector<Array> results;
  Array &y = results.emplace_back(getElementType(op.getY()), *wanted[0]);
  getPoolWindows(op, {1, 1})
      .forEach(
          operands[0]->grid, y.grid,
          [&](int64_t i, const Walker &at, llvm::ArrayRef<int64_t> sources) {
            int64_t count = 1;
            for (size_t d : {0, 1})
              count *= countElements(
                  y.grid.dims[lead + d][at.index(lead + d)], op.getKernel()[d],
                  getOr(op.getStride(), d, op.getKernel()[d]),
                  op.getPadding()[d], shape[lead + d], op.getCountIncludePad());
            y.values[i] =
                sumSources(*operands[0], sources) / static_cast<double>(count);
          });
  return results;
}

void addWindowRules(RuleTable &table) {
  table["fuse.window_reduce"] = {demandWindow, computeWindow};
  table["fuse.window_sum_grad"] = {demandGradient<fuse::WindowSumGradOp>,
                                   computeSumGradient};
  table["fuse.window_max_grad"] = {demandGradient<fuse::WindowMaxGradOp>,
                                   computeMaxGradient};
  table["fuse.max_pool2d"] = {demandMaxPool, computeMaxPool};
  table["fuse.avg_pool2d"] = {demandAvgPool, computeAvgPool};
}

} // namespace tilefuse::reference
