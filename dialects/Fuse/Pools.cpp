//===- Pools.cpp - max and average pooling of images ------------*- C++ -*-===//

#include "dialects/Fuse/GraphBuilder.h"

using namespace mlir;
using namespace tilefuse;
using namespace tilefuse::fuse;

namespace {
/// One spatial dim of a pool, by PyTorch's rules.
struct PoolDim {
  int64_t in, kernel, stride, padding, dilation;

  int64_t reach() const { return (kernel - 1) * dilation + 1; }
  /// With ceil_mode the last window may reach over the end, but must start
  /// inside the input or its front padding.
  int64_t out(bool ceilMode) const {
    int64_t span = in + 2 * padding - reach();
    int64_t count = (span + (ceilMode ? stride - 1 : 0)) / stride + 1;
    if (ceilMode && (count - 1) * stride >= in + padding)
      --count;
    return count;
  }
  /// Where the last window ends, from the input's end: the padding behind.
  int64_t high(bool ceilMode) const {
    int64_t end = (out(ceilMode) - 1) * stride + reach() - padding;
    return std::max<int64_t>(0, end - in);
  }
};
} // namespace

/// The dims of a pool op; `dilation` empty means 1.
template <typename PoolOp>
static SmallVector<PoolDim, 2> getPoolDims(PoolOp op, ArrayRef<int64_t> shape,
                                           ArrayRef<int64_t> dilation) {
  ArrayRef<int64_t> kernel = op.getKernel();
  Extents stride = op.getStride() ? Extents(*op.getStride()) : Extents(kernel);
  SmallVector<PoolDim, 2> dims;
  for (int i = 0; i < 2; ++i)
    dims.push_back({shape[shape.size() - 2 + i], kernel[i], stride[i],
                    op.getPadding()[i], dilation.empty() ? 1 : dilation[i]});
  return dims;
}

//===----------------------------------------------------------------------===//
// Checks
//===----------------------------------------------------------------------===//

template <typename Adaptor>
static LogicalResult inferPool(Inference inference, Adaptor adaptor,
                               ArrayRef<int64_t> dilation) {
  if (failed(inference.checkTensors(adaptor.getOperands())))
    return failure();
  RankedTensorType x = tensorOf(adaptor.getX());
  if (x.getRank() != 3 && x.getRank() != 4)
    return inference.error("expected images of rank 3 or 4, but found ", x);
  if (failed(inference.checkList("kernel", adaptor.getKernel(), 2, 1)) ||
      failed(inference.checkList("padding", adaptor.getPadding(), 2, 0)))
    return failure();
  if (adaptor.getStride() &&
      failed(inference.checkList("stride", *adaptor.getStride(), 2, 1)))
    return failure();
  if (!dilation.empty() &&
      failed(inference.checkList("dilation", dilation, 2, 1)))
    return failure();

  Extents shape(x.getShape());
  for (auto [i, dim] :
       llvm::enumerate(getPoolDims(adaptor, x.getShape(), dilation))) {
    if (dim.padding > dim.reach() / 2)
      return inference.error("expected padding of at most half the window (",
                             dim.reach() / 2, "), but found ", dim.padding);
    int64_t floor;
    if (failed(inference.windows(dim.in, dim.kernel, dim.stride, dim.padding,
                                 dim.padding, dim.dilation, floor)))
      return failure();
    shape[x.getRank() - 2 + i] = dim.out(adaptor.getCeilMode());
  }
  return inference.add(shape, x.getElementType());
}

LogicalResult MaxPool2dOp::inferReturnTypes(MLIRContext *,
                                            std::optional<Location> loc,
                                            Adaptor adaptor,
                                            SmallVectorImpl<Type> &types) {
  return inferPool(Inference(getOperationName(), loc, types), adaptor,
                   adaptor.getDilation());
}

LogicalResult AvgPool2dOp::inferReturnTypes(MLIRContext *,
                                            std::optional<Location> loc,
                                            Adaptor adaptor,
                                            SmallVectorImpl<Type> &types) {
  return inferPool(Inference(getOperationName(), loc, types), adaptor, {});
}

//===----------------------------------------------------------------------===//
// Decomposition
//===----------------------------------------------------------------------===//

static Value createWindows(OpBuilder &b, Location loc, WindowKind kind, Value x,
                           ArrayRef<PoolDim> dims, bool ceilMode) {
  Extents window, stride, low, high, dilation;
  for (const PoolDim &dim : dims) {
    window.push_back(dim.kernel);
    stride.push_back(dim.stride);
    low.push_back(dim.padding);
    high.push_back(dim.high(ceilMode));
    dilation.push_back(dim.dilation);
  }
  auto unless = [&](int64_t standard, ArrayRef<int64_t> values) {
    return llvm::all_equal(values) && values[0] == standard
               ? DenseI64ArrayAttr()
               : b.getDenseI64ArrayAttr(values);
  };
  return WindowReduceOp::create(
             b, loc, WindowKindAttr::get(b.getContext(), kind), x,
             b.getDenseI64ArrayAttr(window), unless(1, stride), unless(0, low),
             unless(0, high), unless(1, dilation), TypeAttr())
      .getResult(0);
}

SmallVector<Value> MaxPool2dOp::decompose(OpBuilder &b) {
  auto dims = getPoolDims(*this, getX().getType().getShape(), getDilation());
  return {
      createWindows(b, getLoc(), WindowKind::max, getX(), dims, getCeilMode())};
}

/// How many elements each window of one dim counts, as a vector with `behind`
/// size-1 dims behind it; null when all count dim.kernel.
static Value createCounts(GraphBuilder &g, const PoolDim &dim, bool ceilMode,
                          bool includePad, int64_t behind) {
  int64_t out = dim.out(ceilMode);
  int64_t lowest = includePad ? -dim.padding : 0;
  int64_t highest = dim.in + (includePad ? dim.padding : 0);
  bool allInside = -dim.padding >= lowest &&
                   (out - 1) * dim.stride - dim.padding + dim.kernel <= highest;
  if (allInside)
    return {};
  Extents shape(behind + 1, 1);
  shape[0] = out;
  Value position = IotaOp::create(
      g.b, g.loc, RankedTensorType::get(shape, g.b.getI64Type()), 0);
  Value begin = g.sub(g.mul(position, dim.stride), dim.padding);
  Value end = g.add(begin, dim.kernel);
  end = g.binary<MinimumOp>(end, g.scalar(end, highest));
  begin = g.binary<MaximumOp>(begin, g.scalar(begin, lowest));
  return g.sub(end, begin);
}

SmallVector<Value> AvgPool2dOp::decompose(OpBuilder &b) {
  GraphBuilder g(b, getLoc());
  auto dims = getPoolDims(*this, getX().getType().getShape(), {});
  Value x = g.widen(getX());
  Type wide = tensorOf(x).getElementType();
  Value sum =
      createWindows(b, getLoc(), WindowKind::sum, x, dims, getCeilMode());

  double constant = 1;
  Value counts;
  for (auto [i, dim] : llvm::enumerate(dims)) {
    Value count =
        createCounts(g, dim, getCeilMode(), getCountIncludePad(), 1 - i);
    if (!count)
      constant *= dim.kernel;
    else
      counts = counts ? g.mul(counts, count) : count;
  }
  Value y;
  if (!counts)
    y = g.div(sum, constant);
  else
    y = g.div(sum, g.mul(g.cast(counts, wide), constant));
  return {g.cast(y, getX().getType().getElementType())};
}
