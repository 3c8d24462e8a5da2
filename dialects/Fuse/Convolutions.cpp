//===- Convolutions.cpp - convolution, transpose, filter gradient *- C++
//-*-===//
//
// The three contractions of a convolution share channels, groups and windows;
// they differ in which of image, filter and result is summed over.
//
//===----------------------------------------------------------------------===//

#include "dialects/Fuse/Inference.h"
#include "dialects/Fuse/Spaces.h"

using namespace mlir;
using namespace tilefuse;
using namespace tilefuse::fuse;

//===----------------------------------------------------------------------===//
// Checks
//===----------------------------------------------------------------------===//

template <typename Adaptor>
static LogicalResult checkConvolution(Inference &inference, Adaptor adaptor,
                                      StringRef second) {
  ValueRange operands = adaptor.getOperands();
  if (failed(inference.checkTensors(operands)) ||
      failed(inference.checkSameElements(operands)) ||
      failed(inference.checkRank("images", operands[0], 4)) ||
      failed(inference.checkRank(second, operands[1], 4)) ||
      failed(inference.checkList("stride", adaptor.getStride(), 2, 1)) ||
      failed(inference.checkList("padding", adaptor.getPadding(), 2, 0)) ||
      failed(inference.checkList("dilation", adaptor.getDilation(), 2, 1)) ||
      failed(inference.checkList("groups", int64_t(adaptor.getGroups()), 1, 1)))
    return failure();
  return inference.checkPrecision(tensorOf(operands[0]).getElementType(),
                                  adaptor.getPrecision());
}

static LogicalResult checkDivides(Inference &inference, StringRef what,
                                  int64_t channels, int64_t groups) {
  if (channels % groups != 0)
    return inference.error("expected ", what, " that ", groups,
                           " groups divide, but found ", channels);
  return success();
}

LogicalResult Conv2dOp::inferReturnTypes(MLIRContext *,
                                         std::optional<Location> loc,
                                         Adaptor adaptor,
                                         SmallVectorImpl<Type> &types) {
  Inference inference(getOperationName(), loc, types);
  if (failed(checkConvolution(inference, adaptor, "filters")))
    return failure();
  RankedTensorType x = tensorOf(adaptor.getX()), w = tensorOf(adaptor.getW());
  int64_t groups = adaptor.getGroups();
  if (failed(
          checkDivides(inference, "input channels", x.getDimSize(1), groups)) ||
      failed(
          checkDivides(inference, "output channels", w.getDimSize(0), groups)))
    return failure();
  if (w.getDimSize(1) != x.getDimSize(1) / groups)
    return inference.error("expected filters of ", x.getDimSize(1) / groups,
                           " input channels (", x.getDimSize(1), " in ", groups,
                           " groups), but found ", w);
  Extents shape = {x.getDimSize(0), w.getDimSize(0), 0, 0};
  for (int i = 0; i < 2; ++i)
    if (failed(inference.windows(
            x.getDimSize(2 + i), w.getDimSize(2 + i), adaptor.getStride()[i],
            adaptor.getPadding()[i], adaptor.getPadding()[i],
            adaptor.getDilation()[i], shape[2 + i])))
      return failure();
  return inference.add(shape, x.getElementType());
}

LogicalResult
ConvTranspose2dOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc,
                                    Adaptor adaptor,
                                    SmallVectorImpl<Type> &types) {
  Inference inference(getOperationName(), loc, types);
  if (failed(checkConvolution(inference, adaptor, "filters")) ||
      failed(inference.checkList("output_padding", adaptor.getOutputPadding(),
                                 2, 0)))
    return failure();
  RankedTensorType x = tensorOf(adaptor.getX()), w = tensorOf(adaptor.getW());
  int64_t groups = adaptor.getGroups();
  if (failed(
          checkDivides(inference, "input channels", x.getDimSize(1), groups)))
    return failure();
  if (w.getDimSize(0) != x.getDimSize(1))
    return inference.error("expected filters of ", x.getDimSize(1),
                           " input channels, but found ", w);
  Extents shape = {x.getDimSize(0), w.getDimSize(1) * groups, 0, 0};
  for (int i = 0; i < 2; ++i) {
    int64_t stride = adaptor.getStride()[i],
            dilation = adaptor.getDilation()[i];
    int64_t extra = adaptor.getOutputPadding()[i];
    if (extra >= std::max(stride, dilation))
      return inference.error(
          "expected output_padding below stride or dilation (",
          std::max(stride, dilation), "), but found ", extra);
    shape[2 + i] = (x.getDimSize(2 + i) - 1) * stride -
                   2 * adaptor.getPadding()[i] +
                   dilation * (w.getDimSize(2 + i) - 1) + extra + 1;
  }
  return inference.add(shape, x.getElementType());
}

LogicalResult
Conv2dWeightGradOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc,
                                     Adaptor adaptor,
                                     SmallVectorImpl<Type> &types) {
  Inference inference(getOperationName(), loc, types);
  if (failed(checkConvolution(inference, adaptor, "gradients")) ||
      failed(inference.checkList("kernel", adaptor.getKernel(), 2, 1)))
    return failure();
  RankedTensorType x = tensorOf(adaptor.getX()), dy = tensorOf(adaptor.getDy());
  int64_t groups = adaptor.getGroups();
  if (failed(
          checkDivides(inference, "input channels", x.getDimSize(1), groups)) ||
      failed(
          checkDivides(inference, "output channels", dy.getDimSize(1), groups)))
    return failure();
  Extents expected = {x.getDimSize(0), dy.getDimSize(1), 0, 0};
  for (int i = 0; i < 2; ++i)
    if (failed(inference.windows(
            x.getDimSize(2 + i), adaptor.getKernel()[i], adaptor.getStride()[i],
            adaptor.getPadding()[i], adaptor.getPadding()[i],
            adaptor.getDilation()[i], expected[2 + i])))
      return failure();
  if (dy.getShape() != ArrayRef<int64_t>(expected))
    return inference.error("expected gradients of the convolution's result, ",
                           formatShape(expected), ", but found ", dy);
  return inference.add({dy.getDimSize(1), x.getDimSize(1) / groups,
                        adaptor.getKernel()[0], adaptor.getKernel()[1]},
                       x.getElementType());
}

//===----------------------------------------------------------------------===//
// Iteration spaces
//===----------------------------------------------------------------------===//

namespace {
/// The channels of a convolution: group, output and input channel in the group.
struct Channels {
  int64_t groups, out, in;
  /// A group dim only when there are several groups; then an output dim only
  /// when a group has several output channels.
  bool hasGroup() const { return groups > 1; }
  bool hasOut() const { return groups == 1 || out > 1; }
};
} // namespace

/// group * size + channel, without the parts that are not there.
static AffineExpr joinChannel(AffineExpr group, int64_t size,
                              AffineExpr channel) {
  if (!group)
    return channel;
  return channel ? group * size + channel : group;
}

/// Where images are read: window * stride + tap * dilation - padding.
static AffineExpr tapIndex(AffineExpr window, int64_t stride, AffineExpr tap,
                           int64_t dilation, int64_t padding) {
  return window * stride + tap * dilation - padding;
}

IterationSpace Conv2dOp::getIterationSpace() {
  ArrayRef<int64_t> w = getW().getType().getShape();
  ArrayRef<int64_t> y = getResult().getType().getShape();
  int64_t groups = getGroups();
  Channels channels{groups, w[0] / groups, w[1]};

  SpaceBuilder s(getContext());
  AffineExpr n = s.parallel(y[0]), g, co;
  if (channels.hasGroup())
    g = s.parallel(groups);
  if (channels.hasOut())
    co = s.parallel(channels.out);
  AffineExpr oh = s.parallel(y[2]), ow = s.parallel(y[3]);
  AffineExpr ci = s.reduction(channels.in);
  AffineExpr r = s.reduction(w[2]), t = s.reduction(w[3]);

  bool padded = getPadding()[0] != 0 || getPadding()[1] != 0;
  AffineExpr out = joinChannel(g, channels.out, co);
  s.operand(
      {n, joinChannel(g, channels.in, ci),
       tapIndex(oh, getStride()[0], r, getDilation()[0], getPadding()[0]),
       tapIndex(ow, getStride()[1], t, getDilation()[1], getPadding()[1])},
      padded ? getZero(getX().getType().getElementType()) : TypedAttr());
  s.operand({out, ci, r, t});
  s.result({n, out, oh, ow});
  return s.take();
}

IterationSpace ConvTranspose2dOp::getIterationSpace() {
  ArrayRef<int64_t> w = getW().getType().getShape();
  ArrayRef<int64_t> y = getResult().getType().getShape();
  int64_t groups = getGroups();
  Channels channels{groups, w[1], w[0] / groups};

  SpaceBuilder s(getContext());
  AffineExpr n = s.parallel(y[0]), g, co;
  if (channels.hasGroup())
    g = s.parallel(groups);
  if (channels.hasOut())
    co = s.parallel(channels.out);
  AffineExpr oh = s.parallel(y[2]), ow = s.parallel(y[3]);
  AffineExpr ci = s.reduction(channels.in);
  AffineExpr r = s.reduction(w[2]), t = s.reduction(w[3]);

  AffineExpr in = joinChannel(g, channels.in, ci);
  s.operand({n, in, oh + getPadding()[0] - r * getDilation()[0],
             ow + getPadding()[1] - t * getDilation()[1]},
            getZero(getX().getType().getElementType()),
            {1, 1, getStride()[0], getStride()[1]});
  s.operand({in, co ? co : s.zero(), r, t});
  s.result({n, joinChannel(g, channels.out, co), oh, ow});
  return s.take();
}

IterationSpace Conv2dWeightGradOp::getIterationSpace() {
  ArrayRef<int64_t> dy = getDy().getType().getShape();
  ArrayRef<int64_t> w = getResult().getType().getShape();
  int64_t groups = getGroups();
  Channels channels{groups, w[0] / groups, w[1]};

  SpaceBuilder s(getContext());
  AffineExpr g, co;
  if (channels.hasGroup())
    g = s.parallel(groups);
  if (channels.hasOut())
    co = s.parallel(channels.out);
  AffineExpr ci = s.parallel(channels.in);
  AffineExpr r = s.parallel(w[2]), t = s.parallel(w[3]);
  AffineExpr n = s.reduction(dy[0]);
  AffineExpr oh = s.reduction(dy[2]), ow = s.reduction(dy[3]);

  bool padded = getPadding()[0] != 0 || getPadding()[1] != 0;
  AffineExpr out = joinChannel(g, channels.out, co);
  s.operand(
      {n, joinChannel(g, channels.in, ci),
       tapIndex(oh, getStride()[0], r, getDilation()[0], getPadding()[0]),
       tapIndex(ow, getStride()[1], t, getDilation()[1], getPadding()[1])},
      padded ? getZero(getX().getType().getElementType()) : TypedAttr());
  s.operand({n, out, oh, ow});
  s.result({out, ci, r, t});
  return s.take();
}

//===----------------------------------------------------------------------===//
// Precision
//===----------------------------------------------------------------------===//

template <typename ConvolutionOp>
static Precision getConvolutionPrecision(ConvolutionOp op) {
  return op.getPrecision().value_or(
      defaultPrecision(op.getX().getType().getElementType(),
                       /*convolution=*/true));
}

Precision Conv2dOp::getContractionPrecision() {
  return getConvolutionPrecision(*this);
}
Precision ConvTranspose2dOp::getContractionPrecision() {
  return getConvolutionPrecision(*this);
}
Precision Conv2dWeightGradOp::getContractionPrecision() {
  return getConvolutionPrecision(*this);
}
