//===- StructuredGradients.cpp - derivatives of sums and windows ----------===//
//
// Contractions are bilinear: each operand's gradient is again a contraction of
// the cotangent with the other operand. Reductions give their cotangent back to
// the elements they came from.
//
//===----------------------------------------------------------------------===//

#include "dialects/Fuse/Fuse.h"
#include "dialects/Fuse/GradientBuilder.h"

using namespace mlir;

namespace tilefuse::fuse {
namespace {

using B = GradientBuilder;

ArrayRef<int64_t> getShape(Value value) {
  return cast<RankedTensorType>(value.getType()).getShape();
}

//===----------------------------------------------------------------------===//
// Convolutions
//===----------------------------------------------------------------------===//

// The adjoint of a convolution with `op`'s attributes: `dy` spread over images of
// the shape of `x`. Rows that no window reached come back as output padding.
template <typename Op>
Value buildAdjoint(Op op, B &b, Value dy, Value w, Value x) {
  SmallVector<int64_t> rest;
  for (int i = 0; i < 2; ++i)
    rest.push_back(getShape(x)[i + 2] -
                   ((getShape(dy)[i + 2] - 1) * op.getStride()[i] -
                    2 * op.getPadding()[i] +
                    op.getDilation()[i] * (getShape(w)[i + 2] - 1) + 1));
  return b.create<ConvTranspose2dOp>(dy, w, op.getStride(), op.getPadding(),
                                     rest, op.getDilation(), op.getGroups(),
                                     op.getPrecisionAttr());
}

struct Conv2dGradient
    : DifferentiableOpInterface::ExternalModel<Conv2dGradient, Conv2dOp> {
  LogicalResult buildGradients(Operation *raw, GradientBuilder &b,
                               ValueRange cotangents, ArrayRef<bool> wanted,
                               SmallVectorImpl<Value> &gradients) const {
    auto op = cast<Conv2dOp>(raw);
    Value dy = cotangents[0], dx, dw;
    if (wanted[0])
      dx = buildAdjoint(op, b, dy, op.getW(), op.getX());
    if (wanted[1])
      dw = b.create<Conv2dWeightGradOp>(
          op.getX(), dy, getShape(op.getW()).drop_front(2), op.getStride(),
          op.getPadding(), op.getDilation(), op.getGroups(),
          op.getPrecisionAttr());
    gradients.append({dx, dw});
    return success();
  }
};

// Bilinear in images and cotangent, with filters in the convolution's place.
struct WeightGradGradient
    : DifferentiableOpInterface::ExternalModel<WeightGradGradient,
                                               Conv2dWeightGradOp> {
  LogicalResult buildGradients(Operation *raw, GradientBuilder &b,
                               ValueRange cotangents, ArrayRef<bool> wanted,
                               SmallVectorImpl<Value> &gradients) const {
    auto op = cast<Conv2dWeightGradOp>(raw);
    Value filters = cotangents[0], dx, ddy;
    if (wanted[0])
      dx = buildAdjoint(op, b, op.getDy(), filters, op.getX());
    if (wanted[1])
      ddy = b.create<Conv2dOp>(op.getX(), filters, op.getStride(),
                               op.getPadding(), op.getDilation(),
                               op.getGroups(), op.getPrecisionAttr());
    gradients.append({dx, ddy});
    return success();
  }
};

struct ConvTranspose2dGradient
    : DifferentiableOpInterface::ExternalModel<ConvTranspose2dGradient,
                                               ConvTranspose2dOp> {
  LogicalResult buildGradients(Operation *raw, GradientBuilder &b,
                               ValueRange cotangents, ArrayRef<bool> wanted,
                               SmallVectorImpl<Value> &gradients) const {
    auto op = cast<ConvTranspose2dOp>(raw);
    Value dy = cotangents[0], x = op.getX(), dx, dw;
    // Output padding of a stride or more (dilation allows it) gives the adjoint
    // convolution windows past the end: their images are zero.
    SmallVector<int64_t> beyond(4, 0), none(4, 0), ones(4, 1);
    for (int i = 0; i < 2; ++i)
      beyond[i + 2] = op.getOutputPadding()[i] / op.getStride()[i];
    bool isLonger = beyond != none;
    if (wanted[0]) {
      dx = b.create<Conv2dOp>(dy, op.getW(), op.getStride(), op.getPadding(),
                              op.getDilation(), op.getGroups(),
                              op.getPrecisionAttr());
      if (isLonger)
        dx = b.create<SliceOp>(dx, none, getShape(x), ones);
    }
    // The filters of a transposed convolution are those of its adjoint: the
    // roles of image and cotangent change places.
    if (wanted[1]) {
      Type element = getElementTypeOrSelf(x.getType());
      if (isLonger)
        x = b.create<PadOp>(x, none, beyond, DenseI64ArrayAttr(),
                            b.getBuilder().getFloatAttr(element, 0.0));
      dw = b.create<Conv2dWeightGradOp>(
          dy, x, getShape(op.getW()).drop_front(2), op.getStride(),
          op.getPadding(), op.getDilation(), op.getGroups(),
          op.getPrecisionAttr());
    }
    gradients.append({dx, dw});
    return success();
  }
};

//===----------------------------------------------------------------------===//
// Matrix products
//===----------------------------------------------------------------------===//

// With A = op(lhs), B = op(rhs): dA = dY B^T and dB = A^T dY, written so that
// each comes out in its operand's own orientation.
struct MatmulGradient
    : DifferentiableOpInterface::ExternalModel<MatmulGradient, MatmulOp> {
  LogicalResult buildGradients(Operation *raw, GradientBuilder &b,
                               ValueRange cotangents, ArrayRef<bool> wanted,
                               SmallVectorImpl<Value> &gradients) const {
    auto op = cast<MatmulOp>(raw);
    Value dy = cotangents[0], lhs = op.getLhs(), rhs = op.getRhs(), da, db;
    bool ta = op.getTransposeA(), tb = op.getTransposeB();
    auto product = [&](Value left, Value right, bool transposeLeft,
                       bool transposeRight, Value like) {
      Value result = b.create<MatmulOp>(left, right, transposeLeft,
                                        transposeRight, op.getPrecisionAttr());
      return b.sumTo(result, getShape(like));
    };
    if (wanted[0])
      da = ta ? product(rhs, dy, tb, true, lhs)
              : product(dy, rhs, false, !tb, lhs);
    if (wanted[1])
      db = tb ? product(dy, lhs, true, ta, rhs)
              : product(lhs, dy, !ta, false, rhs);
    gradients.append({da, db});
    return success();
  }
};

//===----------------------------------------------------------------------===//
// Reductions
//===----------------------------------------------------------------------===//

// Elements equal to the extreme share the gradient (PyTorch's amax and amin).
Value differentiateExtreme(ReduceOp op, B &b, Value dy) {
  Value x = op.getInput();
  Value y = b.restoreDims(op.getResult(0), op.getDims(), op.getKeepdims());
  Value mask = b.equal(x, y);
  Value one = b.broadcast(b.scalar(x, 1.0), getShape(x));
  Value count = b.sum(b.where(mask, one), op.getDims(), /*keepDims=*/true);
  return b.div(b.where(mask, b.broadcast(dy, getShape(x))), count);
}

// The first extreme alone has the gradient (PyTorch's max and min over one dim). Its
// position is all that the backward pass needs, in a type as narrow as it fits.
Value differentiateFirst(ReduceOp op, B &b, Value dy) {
  Value x = op.getInput();
  ArrayRef<int64_t> shape = getShape(x);
  int64_t dim = op.getDims()[0];
  Value place = b.create<ReduceOp>(
                     ReduceKind::argmax,
                     op.getKind() == ReduceKind::max ? x : b.neg(x),
                     op.getDims(), /*keepdims=*/true)
                    .getResult(0);
  Type index = b.getBuilder().getIntegerType(shape[dim] < 128 ? 8 : 32);
  place = b.create<CastOp>(RankedTensorType::get(getShape(place), index), place);
  SmallVector<int64_t> line(shape.size(), 1);
  line[dim] = shape[dim];
  Value all = b.create<IotaOp>(RankedTensorType::get(line, index), dim);
  return b.where(b.equal(all, place), b.broadcast(dy, shape));
}

// The product of the other elements: y / x without zeros; with one zero, that
// zero alone gets the product of the rest; with more, nothing does.
Value differentiateProduct(ReduceOp op, B &b, Value dy) {
  Value x = op.getInput(), zero = b.scalar(x, 0.0), one = b.scalar(x, 1.0);
  Value isZero = b.equal(x, zero);
  Value ones = b.broadcast(one, getShape(x));
  Value zeros = b.sum(b.where(isZero, ones), op.getDims(), /*keepDims=*/true);
  Value rest = b.create<ReduceOp>(ReduceKind::prod, b.select(isZero, one, x),
                                  op.getDims(), /*keepdims=*/true)
                   .getResult(0);
  Value atZero = b.where(b.equal(zeros, one), rest);
  Value elsewhere = b.where(b.equal(zeros, zero), b.div(rest, x));
  return b.mul(dy, b.select(isZero, atZero, elsewhere));
}

// mean: 1/N each; m2 = sum (x - mean)^2: 2 (x - mean), the mean's own share
// being zero.
Value differentiateMoments(ReduceOp op, B &b, Value dMean, Value dM2) {
  Value x = op.getInput(), wide = x;
  Type element = getElementTypeOrSelf(op.getResult(0).getType());
  auto type = cast<RankedTensorType>(x.getType());
  if (type.getElementType() != element)
    wide = b.create<CastOp>(RankedTensorType::get(type.getShape(), element), x);
  auto restore = [&](Value value) {
    return b.restoreDims(value, op.getDims(), op.getKeepdims());
  };
  Value gradient;
  if (dMean)
    gradient = b.broadcast(b.mul(restore(dMean), 1.0 / op.getCount()),
                           type.getShape());
  if (dM2) {
    Value centred = b.sub(wide, restore(op.getResult(0)));
    Value part = b.mul(b.mul(restore(dM2), 2.0), centred);
    gradient = gradient ? b.add(gradient, part) : part;
  }
  if (wide != x)
    gradient = b.create<CastOp>(type, gradient);
  return gradient;
}

// A unit attribute says so, of reductions over one dim.
bool isFirstAlone(ReduceOp op) {
  return op->hasAttr("fuse.first_extreme") && op.getDims().size() == 1;
}

struct ReduceGradient
    : DifferentiableOpInterface::ExternalModel<ReduceGradient, ReduceOp> {
  LogicalResult buildGradients(Operation *raw, GradientBuilder &b,
                               ValueRange cotangents, ArrayRef<bool>,
                               SmallVectorImpl<Value> &gradients) const {
    auto op = cast<ReduceOp>(raw);
    // The rest of a split mean has no derivative: the mean has all of it.
    if (op.getKind() == ReduceKind::moments ||
        op.getKind() == ReduceKind::split_moments) {
      gradients.push_back(
          differentiateMoments(op, b, cotangents[0], cotangents[1]));
      return success();
    }
    Value dy = cotangents[0];
    dy = b.restoreDims(dy, op.getDims(), op.getKeepdims());
    switch (op.getKind()) {
    case ReduceKind::sum:
      gradients.push_back(b.broadcast(dy, getShape(op.getInput())));
      return success();
    case ReduceKind::max:
    case ReduceKind::min:
      gradients.push_back(isFirstAlone(op) ? differentiateFirst(op, b, dy)
                                           : differentiateExtreme(op, b, dy));
      return success();
    case ReduceKind::prod:
      gradients.push_back(differentiateProduct(op, b, dy));
      return success();
    default:
      gradients.push_back({});
      return success();
    }
  }
};

//===----------------------------------------------------------------------===//
// Windows
//===----------------------------------------------------------------------===//

struct WindowReduceGradient
    : DifferentiableOpInterface::ExternalModel<WindowReduceGradient,
                                               WindowReduceOp> {
  LogicalResult buildGradients(Operation *raw, GradientBuilder &b,
                               ValueRange cotangents, ArrayRef<bool>,
                               SmallVectorImpl<Value> &gradients) const {
    auto op = cast<WindowReduceOp>(raw);
    Value dy = cotangents[0];
    auto inputSize =
        b.getBuilder().getDenseI64ArrayAttr(getShape(op.getInput())
                                                .take_back(op.getWindow().size()));
    if (op.getKind() == WindowKind::sum) {
      gradients.push_back(b.create<WindowSumGradOp>(
          dy, inputSize, op.getWindowAttr(), op.getStrideAttr(),
          op.getPaddingLowAttr(), op.getPaddingHighAttr(),
          op.getDilationAttr()));
      return success();
    }
    gradients.push_back(b.create<WindowMaxGradOp>(
        dy, getPositions(op, b), inputSize, op.getWindowAttr(),
        op.getStrideAttr(), op.getPaddingLowAttr(), op.getPaddingHighAttr(),
        op.getDilationAttr()));
    return success();
  }

private:
  // The positions of the extremes: the forward op gives them as well from now
  // on.
  static Value getPositions(WindowReduceOp op, B &b) {
    if (op.getArgmax())
      return op.getResult(1);
    OpBuilder::InsertionGuard guard(b.getBuilder());
    b.getBuilder().setInsertionPointAfter(op);
    int64_t positions = 1;
    for (int64_t size : op.getWindow())
      positions *= size;
    Type index = b.getBuilder().getIntegerType(positions <= 256 ? 8 : 32);
    auto both = b.create<WindowReduceOp>(
        op.getKindAttr(), op.getInput(), op.getWindowAttr(), op.getStrideAttr(),
        op.getPaddingLowAttr(), op.getPaddingHighAttr(), op.getDilationAttr(),
        TypeAttr::get(index));
    op.getResult(0).replaceAllUsesWith(both.getResult(0));
    return both.getResult(1);
  }
};

// A window's gradient in its cotangent is the window itself.
struct WindowSumGradGradient
    : DifferentiableOpInterface::ExternalModel<WindowSumGradGradient,
                                               WindowSumGradOp> {
  LogicalResult buildGradients(Operation *raw, GradientBuilder &b,
                               ValueRange cotangents, ArrayRef<bool>,
                               SmallVectorImpl<Value> &gradients) const {
    auto op = cast<WindowSumGradOp>(raw);
    gradients.push_back(
        b.create<WindowReduceOp>(
             WindowKindAttr::get(op.getContext(), WindowKind::sum),
             cotangents[0], op.getWindowAttr(), op.getStrideAttr(),
             op.getPaddingLowAttr(), op.getPaddingHighAttr(),
             op.getDilationAttr(), TypeAttr())
            .getResult(0));
    return success();
  }
};

// A window maximum's gradient is linear in its cotangent: each window reads back
// what its extreme element got. Tap by tap, as the dialect has no gather.
struct WindowMaxGradGradient
    : DifferentiableOpInterface::ExternalModel<WindowMaxGradGradient,
                                               WindowMaxGradOp> {
  LogicalResult buildGradients(Operation *raw, GradientBuilder &b,
                               ValueRange cotangents, ArrayRef<bool>,
                               SmallVectorImpl<Value> &gradients) const {
    auto op = cast<WindowMaxGradOp>(raw);
    ArrayRef<int64_t> window = op.getWindow(), sizes = getShape(op.getDy());
    unsigned lead = sizes.size() - window.size();
    auto get = [](std::optional<ArrayRef<int64_t>> list, unsigned dim,
                  int64_t otherwise) {
      return list ? (*list)[dim] : otherwise;
    };
    SmallVector<int64_t> low(sizes.size(), 0), high(sizes.size(), 0),
        strides(sizes.size(), 1);
    int64_t taps = 1;
    for (unsigned d = 0; d < window.size(); ++d) {
      low[lead + d] = get(op.getPaddingLow(), d, 0);
      high[lead + d] = get(op.getPaddingHigh(), d, 0);
      strides[lead + d] = get(op.getStride(), d, 1);
      taps *= window[d];
    }
    // An op or three a tap: a window of this many is no window.
    if (taps > 4096)
      return failure();
    Type element = getElementTypeOrSelf(cotangents[0].getType());
    Value padded =
        b.create<PadOp>(cotangents[0], low, high, DenseI64ArrayAttr(),
                        b.getBuilder().getFloatAttr(element, 0.0));
    auto position =
        cast<IntegerType>(getElementTypeOrSelf(op.getArgmax().getType()));
    auto scalar = RankedTensorType::get({}, position);
    Value sum;
    for (int64_t tap = 0; tap < taps; ++tap) {
      SmallVector<int64_t> offsets(sizes.size(), 0);
      int64_t rest = tap;
      for (unsigned d = window.size(); d-- > 0; rest /= window[d])
        offsets[lead + d] =
            rest % window[d] * get(op.getDilation(), d, 1);
      Value read = b.create<SliceOp>(padded, offsets, sizes, strides);
      APInt here(position.getWidth(), tap, /*isSigned=*/false,
                 /*implicitTrunc=*/true);
      Value isHere = b.equal(
          op.getArgmax(),
          b.create<ConstantOp>(scalar, DenseElementsAttr::get(scalar, here)));
      sum = sum ? b.select(isHere, read, sum) : b.where(isHere, read);
    }
    gradients.append({sum, Value()});
    return success();
  }
};

} // namespace

void attachStructuredGradients(MLIRContext *context) {
  Conv2dOp::attachInterface<Conv2dGradient>(*context);
  Conv2dWeightGradOp::attachInterface<WeightGradGradient>(*context);
  ConvTranspose2dOp::attachInterface<ConvTranspose2dGradient>(*context);
  MatmulOp::attachInterface<MatmulGradient>(*context);
  ReduceOp::attachInterface<ReduceGradient>(*context);
  WindowReduceOp::attachInterface<WindowReduceGradient>(*context);
  WindowSumGradOp::attachInterface<WindowSumGradGradient>(*context);
  WindowMaxGradOp::attachInterface<WindowMaxGradGradient>(*context);
}

} // namespace tilefuse::fuse
