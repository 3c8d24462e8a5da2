//===- Contractions.cpp - convolutions and matrix products ------*- C++ -*-===//

#include "lib/Reference/Convolution.h"
#include "lib/Reference/MatrixProduct.h"
#include "lib/Reference/Rules.h"

#include "dialects/Fuse/Fuse.h"

namespace tilefuse::reference {

//===----------------------------------------------------------------------===//
// Precision
//===----------------------------------------------------------------------===//

/// The precision an op declares; without one, f32 convolutions multiply in tf32
/// and everything else in the type of its elements.
static fuse::Precision getPrecision(std::optional<fuse::Precision> declared,
                                    DType type, bool isConvolution) {
  if (declared)
    return *declared;
  switch (type) {
  case DType::F16:
    return fuse::Precision::f16;
  case DType::BF16:
    return fuse::Precision::bf16;
  case DType::F64:
    return fuse::Precision::f64;
  default:
    return isConvolution ? fuse::Precision::tf32 : fuse::Precision::f32;
  }
}

static double roundTo(double value, fuse::Precision precision) {
  switch (precision) {
  case fuse::Precision::f32:
    return roundToType(value, DType::F32);
  case fuse::Precision::tf32:
    return roundToTF32(value);
  case fuse::Precision::bf16:
    return roundToType(value, DType::BF16);
  case fuse::Precision::f16:
    return roundToType(value, DType::F16);
  case fuse::Precision::f64:
    break;
  }
  return value;
}

/// `array` with its values rounded, in `storage`; itself when nothing rounds.
static const Array &roundMultiplicand(const Array &array,
                                      fuse::Precision precision, bool rounded,
                                      Array &storage) {
  if (!rounded || precision == fuse::Precision::f64)
    return array;
  storage = array;
  parallelFor(storage.size(), 1 << 16, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      storage.values[i] = roundTo(storage.values[i], precision);
  });
  return storage;
}

//===----------------------------------------------------------------------===//
// Convolutions
//===----------------------------------------------------------------------===//

static std::array<SpatialDim, 2> getSpatial(llvm::ArrayRef<int64_t> taps,
                                            llvm::ArrayRef<int64_t> stride,
                                            llvm::ArrayRef<int64_t> padding,
                                            llvm::ArrayRef<int64_t> dilation,
                                            bool transposed) {
  std::array<SpatialDim, 2> dims;
  for (int d : {0, 1})
    dims[d] = {taps[d], stride[d], padding[d], dilation[d], transposed};
  return dims;
}

template <typename OpTy>
static void setCommon(Convolution &convolution, OpTy op) {
  auto x = getShape(op.getX());
  convolution.inputExtent = {x[2], x[3]};
  convolution.inputChannels = x[1];
  convolution.groups = op.getGroups();
}

static Convolution describe(fuse::Conv2dOp op) {
  Convolution convolution;
  auto w = getShape(op.getW());
  setCommon(convolution, op);
  convolution.spatial = getSpatial({w[2], w[3]}, op.getStride(),
                                   op.getPadding(), op.getDilation(), false);
  convolution.outputChannels = w[0];
  return convolution;
}

static Convolution describe(fuse::ConvTranspose2dOp op) {
  Convolution convolution;
  auto w = getShape(op.getW());
  setCommon(convolution, op);
  convolution.spatial = getSpatial({w[2], w[3]}, op.getStride(),
                                   op.getPadding(), op.getDilation(), true);
  convolution.outputChannels = w[1] * convolution.groups;
  return convolution;
}

static Convolution describe(fuse::Conv2dWeightGradOp op) {
  Convolution convolution;
  setCommon(convolution, op);
  convolution.spatial = getSpatial(op.getKernel(), op.getStride(),
                                   op.getPadding(), op.getDilation(), false);
  convolution.outputChannels = getShape(op.getDy())[1];
  return convolution;
}

static llvm::SmallVector<Grid> demandConv(mlir::Operation *op,
                                          llvm::ArrayRef<Demand> wanted) {
  Grid filters = Grid::makeFull(getShape(op->getOperand(1)));
  filters.dims[0] = wanted[0]->dims[1];
  return {describe(llvm::cast<fuse::Conv2dOp>(op)).getInputGrid(*wanted[0]),
          filters};
}

static std::vector<Array> computeConv(mlir::Operation *operation,
                                      llvm::ArrayRef<const Array *> operands,
                                      llvm::ArrayRef<Demand> wanted,
                                      bool rounded) {
  auto op = llvm::cast<fuse::Conv2dOp>(operation);
  fuse::Precision precision =
      getPrecision(op.getPrecision(), getElementType(op.getX()), true);
  Array roundedX, roundedW;
  const Array &x =
      roundMultiplicand(*operands[0], precision, rounded, roundedX);
  const Array &w =
      roundMultiplicand(*operands[1], precision, rounded, roundedW);
  int64_t depth = getNumElements(getShape(op.getW()).drop_front());
  std::vector<Array> results;
  Array &out = results.emplace_back(getElementType(op.getResult()), *wanted[0]);
  describe(op).run(
      x,
      [&](int64_t channel) {
        return w.values.data() + getPosition(w.grid.dims[0], channel) * depth;
      },
      out);
  return results;
}

static llvm::SmallVector<Grid>
demandConvTranspose(mlir::Operation *operation, llvm::ArrayRef<Demand> wanted) {
  auto op = llvm::cast<fuse::ConvTranspose2dOp>(operation);
  Grid images = describe(op).getInputGrid(*wanted[0]);
  // Filters are Ci x Co/groups x R x S.
  Grid filters = Grid::makeFull(getShape(op.getW()));
  filters.dims[0] = images.dims[1];
  IndexList local;
  for (int64_t channel : wanted[0]->dims[1])
    local.push_back(channel % getShape(op.getW())[1]);
  normalize(local);
  filters.dims[1] = std::move(local);
  return {images, filters};
}

static std::vector<Array>
computeConvTranspose(mlir::Operation *operation,
                     llvm::ArrayRef<const Array *> operands,
                     llvm::ArrayRef<Demand> wanted, bool rounded) {
  auto op = llvm::cast<fuse::ConvTranspose2dOp>(operation);
  fuse::Precision precision =
      getPrecision(op.getPrecision(), getElementType(op.getX()), true);
  Array roundedX, roundedW;
  const Array &x =
      roundMultiplicand(*operands[0], precision, rounded, roundedX);
  const Array &w =
      roundMultiplicand(*operands[1], precision, rounded, roundedW);
  Convolution convolution = describe(op);
  int64_t perGroup = convolution.inputChannels / convolution.groups;
  int64_t outPerGroup = getShape(op.getW())[1];
  int64_t taps = getShape(op.getW())[2] * getShape(op.getW())[3];
  auto strides = getStrides(w.grid.getShape());
  std::vector<double> filter(perGroup * taps);
  std::vector<Array> results;
  Array &out = results.emplace_back(getElementType(op.getResult()), *wanted[0]);
  convolution.run(
      x,
      [&](int64_t channel) {
        int64_t column =
            getPosition(w.grid.dims[1], channel % outPerGroup) * strides[1];
        int64_t first =
            getPosition(w.grid.dims[0], channel / outPerGroup * perGroup);
        for (int64_t c = 0; c < perGroup; ++c)
          for (int64_t tap = 0; tap < taps; ++tap)
            filter[c * taps + tap] =
                w.values[(first + c) * strides[0] + column + tap];
        return filter.data();
      },
      out);
  return results;
}

static llvm::SmallVector<Grid> demandWeightGrad(mlir::Operation *operation,
                                                llvm::ArrayRef<Demand>) {
  auto op = llvm::cast<fuse::Conv2dWeightGradOp>(operation);
  Grid dy = Grid::makeFull(getShape(op.getDy()));
  return {describe(op).getInputGrid(dy), dy};
}

static std::vector<Array>
computeWeightGrad(mlir::Operation *operation,
                  llvm::ArrayRef<const Array *> operands,
                  llvm::ArrayRef<Demand> wanted, bool rounded) {
  auto op = llvm::cast<fuse::Conv2dWeightGradOp>(operation);
  fuse::Precision precision =
      getPrecision(op.getPrecision(), getElementType(op.getX()), true);
  Array roundedX, roundedDy;
  const Array &x =
      roundMultiplicand(*operands[0], precision, rounded, roundedX);
  const Array &dy =
      roundMultiplicand(*operands[1], precision, rounded, roundedDy);
  std::vector<Array> results;
  describe(op).runWeightGradient(
      x, dy, results.emplace_back(getElementType(op.getResult()), *wanted[0]));
  return results;
}

//===----------------------------------------------------------------------===//
// Matrix products
//===----------------------------------------------------------------------===//

static llvm::SmallVector<Grid> demandMatmul(mlir::Operation *operation,
                                            llvm::ArrayRef<Demand> wanted) {
  auto op = llvm::cast<fuse::MatmulOp>(operation);
  const Grid &grid = *wanted[0];
  size_t rank = grid.rank();
  llvm::SmallVector<Grid> grids;
  for (bool isLhs : {true, false}) {
    auto shape = getShape(isLhs ? op.getLhs() : op.getRhs());
    bool transposed = isLhs ? op.getTransposeA() : op.getTransposeB();
    size_t added = rank - shape.size();
    Grid needed;
    for (size_t d = 0; d + 2 < shape.size(); ++d)
      needed.dims.push_back(shape[d] == 1 ? IndexList{0}
                                          : grid.dims[added + d]);
    size_t free = shape.size() - (isLhs != transposed ? 2 : 1);
    size_t summed = shape.size() - (isLhs != transposed ? 1 : 2);
    needed.dims.resize(shape.size());
    needed.dims[free] = grid.dims[rank - (isLhs ? 2 : 1)];
    needed.dims[summed] = makeRange(shape[summed]);
    grids.push_back(std::move(needed));
  }
  return grids;
}

/// One matrix of a batch, row-major, transposed when asked.
static void packMatrix(const double *source, int64_t rows, int64_t columns,
                       bool transposed, std::vector<double> &target) {
  target.resize(rows * columns);
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < columns; ++j)
      target[i * columns + j] =
          source[transposed ? j * rows + i : i * columns + j];
}

static std::vector<Array> computeMatmul(mlir::Operation *operation,
                                        llvm::ArrayRef<const Array *> operands,
                                        llvm::ArrayRef<Demand> wanted,
                                        bool rounded) {
  auto op = llvm::cast<fuse::MatmulOp>(operation);
  fuse::Precision precision =
      getPrecision(op.getPrecision(), getElementType(op.getLhs()), false);
  Array roundedA, roundedB;
  const Array &a =
      roundMultiplicand(*operands[0], precision, rounded, roundedA);
  const Array &b =
      roundMultiplicand(*operands[1], precision, rounded, roundedB);
  std::vector<Array> results;
  Array &out = results.emplace_back(getElementType(op.getResult()), *wanted[0]);
  auto shape = out.grid.getShape();
  size_t rank = shape.size();
  int64_t m = shape[rank - 2], n = shape[rank - 1];
  auto lhs = getShape(op.getLhs());
  int64_t k = op.getTransposeA() ? lhs[lhs.size() - 2] : lhs.back();

  // Only the batch dims are walked.
  auto strides = getBroadcastStrides(out.grid, {&a, &b});
  llvm::SmallVector<int64_t> batch(shape.begin(), shape.end() - 2);
  for (auto &list : strides)
    list.truncate(rank - 2);
  int64_t batches = getNumElements(batch);
  if (out.size() == 0)
    return results;
  Walker walker(batch, strides);
  std::vector<double> left, right;
  for (int64_t i = 0; i < batches; ++i, walker.next()) {
    packMatrix(a.values.data() + walker[0], m, k, op.getTransposeA(), left);
    packMatrix(b.values.data() + walker[1], k, n, op.getTransposeB(), right);
    double *target = out.values.data() + i * m * n;
    int64_t rowsPerTask = std::max<int64_t>(4, (1 << 21) / (n * k));
    parallelFor(m, rowsPerTask, [&](int64_t begin, int64_t end) {
      multiplyAdd(end - begin, n, k, left.data() + begin * k, k, right.data(),
                  n, target + begin * n, n);
    });
  }
  return results;
}

void addContractionRules(RuleTable &table) {
  table["fuse.conv2d"] = {demandConv, computeConv};
  table["fuse.conv_transpose2d"] = {demandConvTranspose, computeConvTranspose};
  table["fuse.conv2d_weight_grad"] = {demandWeightGrad, computeWeightGrad};
  table["fuse.matmul"] = {demandMatmul, computeMatmul};
}

} // namespace tilefuse::reference
