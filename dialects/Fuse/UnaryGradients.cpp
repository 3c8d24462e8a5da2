//===- UnaryGradients.cpp - derivatives of functions of one element -------===//
//
// Each rule gives dx from x, y = f(x) and dy. At kinks the subgradients are
// PyTorch's. A rule prefers y to x where both would do: y is more often saved.
//
//===----------------------------------------------------------------------===//

#include "dialects/Fuse/Fuse.h"
#include "dialects/Fuse/GradientBuilder.h"

#include <numbers>

using namespace mlir;

namespace tilefuse::fuse {
namespace {

using B = GradientBuilder;

double toDouble(llvm::APFloat value) { return value.convertToDouble(); }

// Slopes over linear pieces; the conditions are PyTorch's.
Value slopeWhere(B &b, Value condition, Value dy, double inside,
                 double outside) {
  return b.select(condition, b.mul(dy, inside), b.mul(dy, outside));
}

Value differentiate(NegOp, B &b, Value dy) { return b.neg(dy); }
Value differentiate(AbsOp op, B &b, Value dy) {
  return b.mul(dy, b.create<SignOp>(op.getInput()));
}
Value differentiate(SquareOp op, B &b, Value dy) {
  return b.mul(dy, b.mul(op.getInput(), 2.0));
}
Value differentiate(ExpOp op, B &b, Value dy) {
  return b.mul(dy, op.getResult());
}
Value differentiate(Exp2Op op, B &b, Value dy) {
  return b.mul(dy, b.mul(op.getResult(), std::numbers::ln2));
}
Value differentiate(Expm1Op op, B &b, Value dy) {
  return b.mul(dy, b.add(op.getResult(), b.scalar(dy, 1.0)));
}
Value differentiate(LogOp op, B &b, Value dy) {
  return b.div(dy, op.getInput());
}
Value differentiate(Log2Op op, B &b, Value dy) {
  return b.div(dy, b.mul(op.getInput(), std::numbers::ln2));
}
Value differentiate(Log1pOp op, B &b, Value dy) {
  return b.div(dy, b.add(op.getInput(), b.scalar(dy, 1.0)));
}
Value differentiate(SqrtOp op, B &b, Value dy) {
  return b.div(dy, b.mul(op.getResult(), 2.0));
}
// y = x^(-1/2), dy/dx = -1/2 y^3.
Value differentiate(RsqrtOp op, B &b, Value dy) {
  Value y = op.getResult();
  return b.mul(b.mul(dy, -0.5), b.mul(y, b.mul(y, y)));
}
Value differentiate(ReciprocalOp op, B &b, Value dy) {
  Value y = op.getResult();
  return b.neg(b.mul(dy, b.mul(y, y)));
}
Value differentiate(SinOp op, B &b, Value dy) {
  return b.mul(dy, b.create<CosOp>(op.getInput()));
}
Value differentiate(CosOp op, B &b, Value dy) {
  return b.neg(b.mul(dy, b.create<SinOp>(op.getInput())));
}
Value differentiate(TanhOp op, B &b, Value dy) {
  Value y = op.getResult();
  return b.mul(dy, b.sub(b.scalar(y, 1.0), b.mul(y, y)));
}
// 2/sqrt(pi) exp(-x^2).
Value differentiate(ErfOp op, B &b, Value dy) {
  Value x = op.getInput();
  Value bell = b.create<ExpOp>(b.neg(b.mul(x, x)));
  return b.mul(dy, b.mul(bell, 2.0 * std::numbers::inv_sqrtpi));
}
Value differentiate(SigmoidOp op, B &b, Value dy) {
  Value y = op.getResult();
  return b.mul(dy, b.mul(y, b.sub(b.scalar(y, 1.0), y)));
}
Value differentiate(LogSigmoidOp op, B &b, Value dy) {
  return b.mul(dy, b.create<SigmoidOp>(b.neg(op.getInput())));
}
// As in PyTorch, the conditions of relu, elu and their kin are false for NaN: the
// gradient passes as it does where x is positive.
Value isNotPositive(B &b, Value x) {
  return b.create<CompareOp>(Predicate::le, x, b.scalar(x, 0.0));
}
Value differentiate(ReluOp op, B &b, Value dy) {
  return b.select(isNotPositive(b, op.getResult()), b.scalar(dy, 0.0), dy);
}
Value insideOpen(B &b, Value x, double low, double high) {
  return b.create<AndOp>(b.greater(x, low), b.less(x, high));
}
// Zero at and beyond the ends; NaN lets the gradient through, as in PyTorch.
Value differentiate(Relu6Op op, B &b, Value dy) {
  Value x = op.getInput();
  auto beyond = [&](Predicate predicate, double end) {
    return b.create<CompareOp>(predicate, x, b.scalar(x, end));
  };
  Value outside = b.create<OrOp>(beyond(Predicate::le, 0.0),
                                 beyond(Predicate::ge, 6.0));
  return b.select(outside, b.scalar(dy, 0.0), dy);
}
// scale * (x > 0 ? 1 : alpha exp(x)); the negative branch is y + scale*alpha.
Value differentiate(SeluOp op, B &b, Value dy) {
  constexpr double alpha = 1.6732632423543772848170429916717;
  constexpr double scale = 1.0507009873554804934193349852946;
  Value y = op.getResult();
  Value negative = b.mul(dy, b.add(y, b.scalar(y, alpha * scale)));
  return b.select(isNotPositive(b, op.getInput()), negative, b.mul(dy, scale));
}
Value differentiate(EluOp op, B &b, Value dy) {
  Value y = op.getResult();
  Value negative =
      b.mul(dy, b.add(y, b.scalar(y, toDouble(op.getAlpha()))));
  return b.select(isNotPositive(b, op.getInput()), negative, dy);
}
// Below 0: exp(x / alpha) = y / alpha + 1.
Value differentiate(CeluOp op, B &b, Value dy) {
  Value y = op.getResult();
  Value negative = b.mul(
      dy, b.add(b.mul(y, 1.0 / toDouble(op.getAlpha())), b.scalar(y, 1.0)));
  return b.select(isNotPositive(b, op.getInput()), negative, dy);
}
Value differentiate(LeakyReluOp op, B &b, Value dy) {
  return slopeWhere(b, b.greater(op.getInput(), 0.0), dy, 1.0,
                    toDouble(op.getSlope()));
}
// s (1 + x (1 - s)) with s = sigmoid(x).
Value differentiate(SiluOp op, B &b, Value dy) {
  Value x = op.getInput(), s = b.create<SigmoidOp>(x), one = b.scalar(x, 1.0);
  return b.mul(dy, b.mul(s, b.add(one, b.mul(x, b.sub(one, s)))));
}
// t + x (1 - t^2) sigmoid(x) with t = tanh(softplus(x)).
Value differentiate(MishOp op, B &b, Value dy) {
  Value x = op.getInput(), one = b.scalar(x, 1.0);
  Value s = b.create<SigmoidOp>(x);
  // softplus(x) = -log_sigmoid(-x).
  Value t = b.create<TanhOp>(b.neg(b.create<LogSigmoidOp>(b.neg(x))));
  Value slope = b.mul(b.mul(x, s), b.sub(one, b.mul(t, t)));
  return b.mul(dy, b.add(t, slope));
}
// 0 up to -3, x/3 + 1/2 between, 1 from 3 on.
Value differentiate(HardswishOp op, B &b, Value dy) {
  Value x = op.getInput();
  Value middle =
      b.mul(dy, b.add(b.mul(x, 1.0 / 3.0), b.scalar(x, 0.5)));
  Value upper = b.select(b.less(x, 3.0), middle, dy);
  Value isFlat = b.create<CompareOp>(Predicate::le, x, b.scalar(x, -3.0));
  return b.select(isFlat, b.scalar(x, 0.0), upper);
}
Value differentiate(HardsigmoidOp op, B &b, Value dy) {
  return b.where(insideOpen(b, op.getInput(), -3.0, 3.0),
                 b.mul(dy, 1.0 / 6.0));
}
// Absent bounds are open; at a bound the gradient passes, as in PyTorch.
Value differentiate(ClampOp op, B &b, Value dy) {
  Value x = op.getInput();
  auto keep = [&](Predicate predicate, std::optional<llvm::APFloat> bound) {
    if (bound)
      dy = b.where(b.create<CompareOp>(predicate, x,
                                       b.scalar(x, toDouble(*bound))),
                   dy);
  };
  keep(Predicate::ge, op.getMin());
  keep(Predicate::le, op.getMax());
  return dy;
}
// PyTorch is linear where beta x > threshold.
Value differentiate(SoftplusOp op, B &b, Value dy) {
  Value scaled = b.mul(op.getInput(), toDouble(op.getBeta()));
  Value smooth = b.mul(dy, b.create<SigmoidOp>(scaled));
  return b.select(b.greater(scaled, toDouble(op.getThreshold())), dy, smooth);
}
// erf form: Phi(x) + x phi(x). tanh form: with u = k (x + c x^3), t = tanh u,
// (1 + t)/2 + x (1 - t^2)/2 * k (1 + 3 c x^2).
Value differentiate(GeluOp op, B &b, Value dy) {
  Value x = op.getInput(), one = b.scalar(x, 1.0), square = b.mul(x, x);
  if (op.getApproximate() == GeluKind::none) {
    Value cdf = b.mul(
        b.add(one, b.create<ErfOp>(b.mul(x, 1.0 / std::numbers::sqrt2))), 0.5);
    Value pdf = b.mul(b.create<ExpOp>(b.mul(square, -0.5)),
                      std::numbers::inv_sqrtpi / std::numbers::sqrt2);
    return b.mul(dy, b.add(cdf, b.mul(x, pdf)));
  }
  constexpr double c = 0.044715;
  constexpr double k = std::numbers::sqrt2 * std::numbers::inv_sqrtpi;
  Value u = b.mul(b.add(x, b.mul(b.mul(square, x), c)), k);
  Value t = b.create<TanhOp>(u);
  Value left = b.mul(b.add(one, t), 0.5);
  Value inner = b.mul(b.add(one, b.mul(square, 3.0 * c)), k);
  Value right =
      b.mul(b.mul(b.mul(x, 0.5), b.sub(one, b.mul(t, t))), inner);
  return b.mul(dy, b.add(left, right));
}
Value differentiate(CastOp op, B &b, Value dy) {
  Type type = op.getInput().getType();
  if (!isa<FloatType>(getElementTypeOrSelf(type)))
    return {};
  return b.create<CastOp>(type, dy);
}
// Steps: flat wherever they are differentiable.
Value differentiate(SignOp, B &, Value) { return {}; }
Value differentiate(FloorOp, B &, Value) { return {}; }
Value differentiate(CeilOp, B &, Value) { return {}; }
Value differentiate(RoundOp, B &, Value) { return {}; }
Value differentiate(TruncOp, B &, Value) { return {}; }

template <typename Op>
struct UnaryGradient
    : DifferentiableOpInterface::ExternalModel<UnaryGradient<Op>, Op> {
  LogicalResult buildGradients(Operation *op, GradientBuilder &b,
                               ValueRange cotangents, ArrayRef<bool>,
                               SmallVectorImpl<Value> &gradients) const {
    gradients.push_back(differentiate(cast<Op>(op), b, cotangents[0]));
    return success();
  }
};

template <typename... Ops> void attach(MLIRContext *context) {
  (Ops::template attachInterface<UnaryGradient<Ops>>(*context), ...);
}

} // namespace

void attachUnaryGradients(MLIRContext *context) {
  attach<NegOp, AbsOp, SquareOp, ExpOp, Exp2Op, Expm1Op, LogOp, Log2Op, Log1pOp,
         SqrtOp, RsqrtOp, ReciprocalOp, SinOp, CosOp, TanhOp, ErfOp, SigmoidOp,
         LogSigmoidOp, ReluOp, Relu6Op, SeluOp, EluOp, CeluOp, LeakyReluOp,
         SiluOp, MishOp, HardswishOp, HardsigmoidOp, ClampOp, SoftplusOp,
         GeluOp, CastOp, SignOp, FloorOp, CeilOp, RoundOp, TruncOp>(context);
}

} // namespace tilefuse::fuse
