//===- Reductions.cpp - folding whole dims ----------------------*- C++ -*-===//

#include "lib/Reference/Rules.h"

#include "dialects/Fuse/Fuse.h"

#include <cmath>

namespace tilefuse::reference {

namespace {
/// The geometry of a reduction over some dims of an operand.
struct Folding {
  llvm::SmallVector<size_t> kept, folded;
  bool keepDims;

  Folding(llvm::ArrayRef<int64_t> dims, size_t rank, bool keepDims)
      : keepDims(keepDims) {
    for (size_t d = 0; d < rank; ++d)
      (llvm::is_contained(dims, static_cast<int64_t>(d)) ? folded : kept)
          .push_back(d);
  }

  /// Result dim of a kept operand dim.
  size_t getResultDim(size_t i) const { return keepDims ? kept[i] : i; }

  Grid getOperandGrid(llvm::ArrayRef<int64_t> shape, const Grid &wanted) const {
    Grid grid;
    grid.dims.resize(shape.size());
    for (size_t i = 0; i < kept.size(); ++i)
      grid.dims[kept[i]] = wanted.dims[getResultDim(i)];
    for (size_t d : folded)
      grid.dims[d] = makeRange(shape[d]);
    return grid;
  }

  /// `wanted` with its kept dims of one element: a reader whose taps all lie in
  /// padding wants none of them, while every kept position is computed.
  Grid getResultGrid(Grid wanted) const {
    if (keepDims)
      for (size_t d : folded)
        wanted.dims[d] = {0};
    return wanted;
  }

  /// Calls `body(result position, first, folded shape, folded strides)` for
  /// every kept position of `x`; elements are at first + folded offsets.
  template <typename BodyFn> void forEach(const Array &x, BodyFn body) const {
    auto shape = x.grid.getShape();
    auto strides = getStrides(shape);
    llvm::SmallVector<int64_t, 4> keptShape, keptStrides;
    llvm::SmallVector<int64_t, 4> foldedShape, foldedStrides;
    for (size_t d : kept) {
      keptShape.push_back(shape[d]);
      keptStrides.push_back(strides[d]);
    }
    for (size_t d : folded) {
      foldedShape.push_back(shape[d]);
      foldedStrides.push_back(strides[d]);
    }
    int64_t count = getNumElements(foldedShape);
    forEachPosition(
        keptShape, {keptStrides},
        [&](int64_t i, const Walker &at) {
          body(i, count, Walker(foldedShape, {foldedStrides}), at[0]);
        },
        std::max<int64_t>(1, (1 << 14) / std::max<int64_t>(1, count)));
  }
};
} // namespace

/// Which of several float elements a maximum keeps: the first of equals, the
/// first NaN of all.
static bool beats(double candidate, double best, bool wantMaximum) {
  if (std::isnan(best))
    return false;
  return std::isnan(candidate) ||
         (wantMaximum ? candidate > best : candidate < best);
}

static bool beats(int64_t candidate, int64_t best, bool wantMaximum) {
  return wantMaximum ? candidate > best : candidate < best;
}

template <typename T>
static void findExtreme(const std::vector<T> &values, int64_t count,
                        Walker walker, int64_t first, bool wantMaximum, T &best,
                        int64_t &bestAt) {
  best = values[first];
  bestAt = 0;
  for (int64_t i = 0; i < count; ++i, walker.next())
    if (T value = values[first + walker[0]]; beats(value, best, wantMaximum)) {
      best = value;
      bestAt = i;
    }
}

static double sumFloats(const Array &x, int64_t count, Walker walker,
                        int64_t first) {
  double sum = 0;
  for (int64_t i = 0; i < count; ++i, walker.next())
    sum += x.values[first + walker[0]];
  return sum;
}

static void computeMoments(const Array &x, const Folding &folding, Array &mean,
                           Array &deviations) {
  folding.forEach(x,
                  [&](int64_t i, int64_t count, Walker walker, int64_t first) {
                    double average = sumFloats(x, count, walker, first) /
                                     static_cast<double>(count);
                    double sum = 0;
                    for (int64_t k = 0; k < count; ++k, walker.next()) {
                      double d = x.values[first + walker[0]] - average;
                      sum += d * d;
                    }
                    mean.values[i] = average;
                    deviations.values[i] = sum;
                  });
}

static void computeFolded(const Array &x, const Folding &folding,
                          fuse::ReduceKind kind, Array &result) {
  bool maximum = kind != fuse::ReduceKind::min;
  folding.forEach(
      x, [&](int64_t i, int64_t count, Walker walker, int64_t first) {
        switch (kind) {
        case fuse::ReduceKind::max:
        case fuse::ReduceKind::min:
        case fuse::ReduceKind::argmax: {
          int64_t at = 0, integer = 0;
          double value = 0;
          if (x.isFloat())
            findExtreme(x.values, count, walker, first, maximum, value, at);
          else
            findExtreme(x.integers, count, walker, first, maximum, integer, at);
          if (kind == fuse::ReduceKind::argmax)
            result.integers[i] = at;
          else if (x.isFloat())
            result.values[i] = value;
          else
            result.integers[i] = integer;
          break;
        }
        case fuse::ReduceKind::sum:
        case fuse::ReduceKind::prod: {
          bool isSum = kind == fuse::ReduceKind::sum;
          double value = isSum ? 0 : 1;
          uint64_t integer = isSum ? 0 : 1;
          for (int64_t k = 0; k < count; ++k, walker.next()) {
            int64_t from = first + walker[0];
            if (x.isFloat())
              value = isSum ? value + x.values[from] : value * x.values[from];
            else
              integer = isSum ? integer + uint64_t(x.integers[from])
                              : integer * uint64_t(x.integers[from]);
          }
          if (x.isFloat())
            result.values[i] = value;
          else
            result.integers[i] = truncateInteger(integer, result.type);
          break;
        }
        case fuse::ReduceKind::moments:
        case fuse::ReduceKind::split_moments:
          break;
        }
      });
}

static Grid uniteDemands(llvm::ArrayRef<Demand> wanted) {
  std::optional<Grid> all;
  for (const Demand &demand : wanted)
    if (demand)
      all = all ? unite(*all, *demand) : *demand;
  return *all;
}

static Folding getFolding(fuse::ReduceOp op) {
  return Folding(op.getDims(), getShape(op.getInput()).size(),
                 op.getKeepdims());
}

static llvm::SmallVector<Grid> demandReduce(mlir::Operation *operation,
                                            llvm::ArrayRef<Demand> wanted) {
  auto op = llvm::cast<fuse::ReduceOp>(operation);
  return {getFolding(op).getOperandGrid(getShape(op.getInput()),
                                        uniteDemands(wanted))};
}

static std::vector<Array> computeReduce(mlir::Operation *operation,
                                        llvm::ArrayRef<const Array *> x,
                                        llvm::ArrayRef<Demand> wanted, bool) {
  auto op = llvm::cast<fuse::ReduceOp>(operation);
  Folding folding = getFolding(op);
  Grid grid = folding.getResultGrid(uniteDemands(wanted));
  std::vector<Array> whole;
  for (mlir::Value result : op->getResults())
    whole.emplace_back(getElementType(result), grid);
  // float64 means need no rest: it stays zero.
  if (op.getKind() == fuse::ReduceKind::moments ||
      op.getKind() == fuse::ReduceKind::split_moments)
    computeMoments(*x[0], folding, whole[0], whole[1]);
  else
    computeFolded(*x[0], folding, op.getKind(), whole[0]);
  for (auto [array, demand] : llvm::zip_equal(whole, wanted))
    array = demand ? restrict(array, *demand) : Array();
  return whole;
}

/// mean and logsumexp: `fold(x, count, walker, first)` gives one element.
template <typename OpTy, typename FoldFn>
static Rule makeFloatRule(FoldFn fold) {
  Rule rule;
  rule.demand = [](mlir::Operation *operation, llvm::ArrayRef<Demand> wanted) {
    auto op = llvm::cast<OpTy>(operation);
    auto shape = getShape(op.getX());
    return llvm::SmallVector<Grid>{
        Folding(op.getDims(), shape.size(), op.getKeepdims())
            .getOperandGrid(shape, *wanted[0])};
  };
  rule.compute = [fold](mlir::Operation *operation,
                        llvm::ArrayRef<const Array *> x,
                        llvm::ArrayRef<Demand> wanted, bool) {
    auto op = llvm::cast<OpTy>(operation);
    Folding folding(op.getDims(), getShape(op.getX()).size(), op.getKeepdims());
    std::vector<Array> results;
    Array &result = results.emplace_back(getElementType(op.getY()),
                                         folding.getResultGrid(*wanted[0]));
    folding.forEach(
        *x[0], [&](int64_t i, int64_t count, Walker walker, int64_t first) {
          result.values[i] = fold(*x[0], count, walker, first);
        });
    result = restrict(result, *wanted[0]);
    return results;
  };
  return rule;
}

static double foldMean(const Array &x, int64_t count, Walker walker,
                       int64_t first) {
  return sumFloats(x, count, walker, first) / static_cast<double>(count);
}

static double foldLogSumExp(const Array &x, int64_t count, Walker walker,
                            int64_t first) {
  double largest = 0;
  int64_t at = 0;
  findExtreme(x.values, count, walker, first, true, largest, at);
  if (!std::isfinite(largest))
    return largest;
  double sum = 0;
  for (int64_t i = 0; i < count; ++i, walker.next())
    sum += std::exp(x.values[first + walker[0]] - largest);
  return largest + std::log(sum);
}

void addReductionRules(RuleTable &table) {
  table["fuse.reduce"] = {demandReduce, computeReduce};
  table["fuse.mean"] = makeFloatRule<fuse::MeanOp>(foldMean);
  table["fuse.logsumexp"] = makeFloatRule<fuse::LogSumExpOp>(foldLogSumExp);
}

} // namespace tilefuse::reference
