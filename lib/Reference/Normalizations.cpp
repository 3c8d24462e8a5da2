//===- Normalizations.cpp - norms and softmax -------------------*- C++ -*-===//

#include "lib/Reference/Rules.h"

#include "dialects/Fuse/Fuse.h"

#include <cmath>

namespace tilefuse::reference {

/// Mean and sum of squared deviations of a list of elements.
static std::pair<double, double> getMoments(const Array &x,
                                            llvm::ArrayRef<int64_t> positions) {
  double sum = 0;
  for (int64_t position : positions)
    sum += x.values[position];
  double mean = sum / static_cast<double>(positions.size());
  double deviations = 0;
  for (int64_t position : positions) {
    double d = x.values[position] - mean;
    deviations += d * d;
  }
  return {mean, deviations};
}

//===----------------------------------------------------------------------===//
// Batch normalisation
//===----------------------------------------------------------------------===//

/// Channels of any result: dim 1 of y, dim 0 of the statistics.
static IndexList getWantedChannels(llvm::ArrayRef<Demand> wanted) {
  IndexList channels;
  for (auto [i, demand] : llvm::enumerate(wanted))
    if (demand)
      channels = unite(channels, demand->dims[i == 0 ? 1 : 0]);
  return channels;
}

static llvm::SmallVector<Grid> demandBatchNorm(mlir::Operation *operation,
                                               llvm::ArrayRef<Demand> wanted) {
  auto op = llvm::cast<fuse::BatchNormOp>(operation);
  Grid channels;
  channels.dims.push_back(getWantedChannels(wanted));
  Grid x = Grid::makeFull(getShape(op.getX()));
  x.dims[1] = channels.dims[0];
  llvm::SmallVector<Grid> grids(5, channels);
  grids[0] = x;
  return grids;
}

static std::vector<Array>
computeBatchNorm(mlir::Operation *operation,
                 llvm::ArrayRef<const Array *> operands,
                 llvm::ArrayRef<Demand> wanted, bool) {
  auto op = llvm::cast<fuse::BatchNormOp>(operation);
  double eps = op.getEps().convertToDouble();
  double momentum = op.getMomentum().convertToDouble();
  const Array &x = *operands[0];
  const Array &gamma = *operands[1], &beta = *operands[2];
  auto shape = x.grid.getShape();
  int64_t channels = shape[1], images = shape[0];
  int64_t pixels = channels ? x.size() / (images * channels) : 0;

  Array y(getElementType(op.getY()), x.grid);
  Array newMean(getElementType(op.getNewMean()), gamma.grid);
  Array newVar(getElementType(op.getNewVar()), gamma.grid);
  parallelFor(channels, 1, [&](int64_t begin, int64_t end) {
    for (int64_t c = begin; c < end; ++c) {
      std::vector<int64_t> positions;
      positions.reserve(images * pixels);
      for (int64_t n = 0; n < images; ++n)
        for (int64_t p = 0; p < pixels; ++p)
          positions.push_back((n * channels + c) * pixels + p);
      auto [mean, deviations] = getMoments(x, positions);
      auto count = static_cast<double>(positions.size());
      double scale = gamma.values[c] / std::sqrt(deviations / count + eps);
      for (int64_t position : positions)
        y.values[position] =
            (x.values[position] - mean) * scale + beta.values[c];
      newMean.values[c] =
          (1 - momentum) * operands[3]->values[c] + momentum * mean;
      newVar.values[c] = (1 - momentum) * operands[4]->values[c] +
                         momentum * deviations / (count - 1);
    }
  });
  std::vector<Array> results;
  for (auto [array, demand] :
       llvm::zip_equal(std::array{&y, &newMean, &newVar}, wanted))
    results.push_back(demand ? restrict(*array, *demand) : Array());
  return results;
}

static llvm::SmallVector<Grid>
demandBatchNormInference(mlir::Operation *, llvm::ArrayRef<Demand> wanted) {
  Grid channels;
  channels.dims.push_back(wanted[0]->dims[1]);
  llvm::SmallVector<Grid> grids(5, channels);
  grids[0] = *wanted[0];
  return grids;
}

static std::vector<Array>
computeBatchNormInference(mlir::Operation *operation,
                          llvm::ArrayRef<const Array *> x,
                          llvm::ArrayRef<Demand> wanted, bool) {
  auto op = llvm::cast<fuse::BatchNormInferenceOp>(operation);
  double eps = op.getEps().convertToDouble();
  std::vector<Array> results;
  Array &y = results.emplace_back(getElementType(op.getY()), *wanted[0]);
  forEachPosition(y.grid.getShape(), {}, [&](int64_t i, const Walker &at) {
    int64_t c = at.index(1);
    y.values[i] = (x[0]->values[i] - x[3]->values[c]) /
                      std::sqrt(x[4]->values[c] + eps) * x[1]->values[c] +
                  x[2]->values[c];
  });
  return results;
}

//===----------------------------------------------------------------------===//
// Layer and group normalisation
//===----------------------------------------------------------------------===//

/// Normalises contiguous runs of `length` elements. `parameter(position)` is
/// the position of an element's gamma and beta.
template <typename ParameterFn>
static void normalizeRuns(const Array &x, int64_t length, double eps,
                          const Array *gamma, const Array *beta,
                          ParameterFn parameter, Array &y) {
  int64_t runs = length ? x.size() / length : 0;
  parallelFor(runs, 1, [&](int64_t begin, int64_t end) {
    std::vector<int64_t> positions(length);
    for (int64_t run = begin; run < end; ++run) {
      for (int64_t i = 0; i < length; ++i)
        positions[i] = run * length + i;
      auto [mean, deviations] = getMoments(x, positions);
      double scale =
          1 / std::sqrt(deviations / static_cast<double>(length) + eps);
      for (int64_t position : positions) {
        int64_t p = parameter(position);
        double value = (x.values[position] - mean) * scale;
        if (gamma)
          value *= gamma->values[p];
        if (beta)
          value += beta->values[p];
        y.values[position] = value;
      }
    }
  });
}

/// gamma and beta of an op whose parameters are both optional.
template <typename OpTy>
static std::pair<const Array *, const Array *>
getParameters(OpTy op, llvm::ArrayRef<const Array *> operands) {
  const Array *gamma = op.getGamma() ? operands[1] : nullptr;
  const Array *beta = op.getBeta() ? operands[gamma ? 2 : 1] : nullptr;
  return {gamma, beta};
}

/// All of every parameter, all of x behind the first `free` dims.
static llvm::SmallVector<Grid> demandTrailing(mlir::Operation *op,
                                              const Grid &wanted, size_t free) {
  llvm::SmallVector<Grid> grids;
  for (mlir::Value operand : op->getOperands())
    grids.push_back(Grid::makeFull(getShape(operand)));
  for (size_t d = 0; d < free; ++d)
    grids[0].dims[d] = wanted.dims[d];
  return grids;
}

static size_t getFreeDims(fuse::LayerNormOp op) {
  return getShape(op.getX()).size() - op.getNumDims();
}

static llvm::SmallVector<Grid> demandLayerNorm(mlir::Operation *op,
                                               llvm::ArrayRef<Demand> wanted) {
  return demandTrailing(op, *wanted[0],
                        getFreeDims(llvm::cast<fuse::LayerNormOp>(op)));
}

static std::vector<Array>
computeLayerNorm(mlir::Operation *operation,
                 llvm::ArrayRef<const Array *> operands,
                 llvm::ArrayRef<Demand> wanted, bool) {
  auto op = llvm::cast<fuse::LayerNormOp>(operation);
  auto [gamma, beta] = getParameters(op, operands);
  int64_t length =
      getNumElements(getShape(op.getX()).drop_front(getFreeDims(op)));
  Array y(getElementType(op.getY()), operands[0]->grid);
  normalizeRuns(
      *operands[0], length, op.getEps().convertToDouble(), gamma, beta,
      [&](int64_t position) { return position % length; }, y);
  return {restrict(y, *wanted[0])};
}

static llvm::SmallVector<Grid> demandGroupNorm(mlir::Operation *op,
                                               llvm::ArrayRef<Demand> wanted) {
  return demandTrailing(op, *wanted[0], 1);
}

static std::vector<Array>
computeGroupNorm(mlir::Operation *operation,
                 llvm::ArrayRef<const Array *> operands,
                 llvm::ArrayRef<Demand> wanted, bool) {
  auto op = llvm::cast<fuse::GroupNormOp>(operation);
  auto [gamma, beta] = getParameters(op, operands);
  auto shape = getShape(op.getX());
  int64_t channels = shape[1];
  int64_t pixels = getNumElements(shape.drop_front(2));
  Array y(getElementType(op.getY()), operands[0]->grid);
  normalizeRuns(
      *operands[0], channels / static_cast<int64_t>(op.getGroups()) * pixels,
      op.getEps().convertToDouble(), gamma, beta,
      [&](int64_t position) { return position / pixels % channels; }, y);
  return {restrict(y, *wanted[0])};
}

//===----------------------------------------------------------------------===//
// Softmax
//===----------------------------------------------------------------------===//

template <typename OpTy>
static llvm::SmallVector<Grid> demandSoftmax(mlir::Operation *operation,
                                             llvm::ArrayRef<Demand> wanted) {
  auto op = llvm::cast<OpTy>(operation);
  Grid grid = *wanted[0];
  grid.dims[op.getDim()] = makeRange(getShape(op.getX())[op.getDim()]);
  return {grid};
}

template <typename OpTy, bool isLogarithm>
static std::vector<Array> computeSoftmax(mlir::Operation *operation,
                                         llvm::ArrayRef<const Array *> operands,
                                         llvm::ArrayRef<Demand> wanted, bool) {
  auto op = llvm::cast<OpTy>(operation);
  size_t dim = op.getDim();
  const Array &x = *operands[0];
  auto shape = x.grid.getShape();
  auto strides = getStrides(shape);
  int64_t extent = shape[dim], stride = strides[dim];
  Array y(getElementType(op.getY()), x.grid);
  auto lines = shape;
  lines[dim] = 1;
  forEachPosition(
      lines, {strides},
      [&](int64_t, const Walker &at) {
        const double *from = x.values.data() + at[0];
        double *to = y.values.data() + at[0];
        double largest = from[0];
        for (int64_t i = 0; i < extent; ++i)
          largest = std::max(largest, from[i * stride]);
        double sum = 0;
        for (int64_t i = 0; i < extent; ++i)
          sum += std::exp(from[i * stride] - largest);
        for (int64_t i = 0; i < extent; ++i) {
          double shifted = from[i * stride] - largest;
          to[i * stride] =
              isLogarithm ? shifted - std::log(sum) : std::exp(shifted) / sum;
        }
      },
      std::max<int64_t>(1, (1 << 12) / std::max<int64_t>(extent, 1)));
  return {restrict(y, *wanted[0])};
}

void addNormalizationRules(RuleTable &table) {
  table["fuse.batch_norm"] = {demandBatchNorm, computeBatchNorm};
  table["fuse.batch_norm_inference"] = {demandBatchNormInference,
                                        computeBatchNormInference};
  table["fuse.layer_norm"] = {demandLayerNorm, computeLayerNorm};
  table["fuse.group_norm"] = {demandGroupNorm, computeGroupNorm};
  table["fuse.softmax"] = {demandSoftmax<fuse::SoftmaxOp>,
                           computeSoftmax<fuse::SoftmaxOp, false>};
  table["fuse.log_softmax"] = {demandSoftmax<fuse::LogSoftmaxOp>,
                               computeSoftmax<fuse::LogSoftmaxOp, true>};
}

} // namespace tilefuse::reference
