//===- FoldScalars.cpp - chains of scalar constants -------------*- C++ -*-===//

#include "dialects/Fuse/Fuse.h"
#include "dialects/Fuse/Inference.h"
#include "passes/Simplify/Passes.h"

#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace tilefuse {
#define GEN_PASS_DEF_FUSEFOLDSCALARS
#include "passes/Simplify/Passes.h.inc"
} // namespace tilefuse

using namespace mlir;
using namespace tilefuse;
using namespace tilefuse::fuse;

namespace {
/// A binary op on a tensor of the result's type and a scalar constant.
struct WithScalar {
  Value tensor;
  double scalar;
  bool scalarIsLeft;
};
} // namespace

static bool isFloat(Value value) {
  return isa<FloatType>(getElementTypeOrSelf(value.getType()));
}

template <typename BinaryOp>
static std::optional<WithScalar> matchScalar(BinaryOp op) {
  if (!op || !isFloat(op.getResult()) || stopsGradient(op))
    return std::nullopt;
  Type type = op.getResult().getType();
  if (std::optional<double> right = getSplatNumber(op.getRhs()))
    if (op.getLhs().getType() == type)
      return WithScalar{op.getLhs(), *right, false};
  if (std::optional<double> left = getSplatNumber(op.getLhs()))
    if (op.getRhs().getType() == type)
      return WithScalar{op.getRhs(), *left, true};
  return std::nullopt;
}

/// `number` in the element type of `like`, when it is finite there and, unless
/// 0, not so small that it loses digits.
static Value createUsable(PatternRewriter &rewriter, Location loc, Value like,
                          double number) {
  Type element = getElementTypeOrSelf(like.getType());
  auto rounded = cast<FloatAttr>(getNumberAttr(element, number)).getValue();
  if (!rounded.isFinite() || rounded.isDenormal() ||
      (rounded.isZero() && number != 0))
    return {};
  return createScalar(rewriter, loc, element, number);
}

namespace {
struct ScalarPattern {
  explicit ScalarPattern(PassStatistic &statistic) : statistic(statistic) {}
  PassStatistic &statistic;
};

/// Replaces `op` by `x * scalar` (or +, /), unless the scalar is out of range.
template <typename BinaryOp, typename OldOp>
static LogicalResult replaceWith(PatternRewriter &rewriter, OldOp op, Value x,
                                 double number) {
  Value scalar = createUsable(rewriter, op.getLoc(), op.getResult(), number);
  if (!scalar)
    return rewriter.notifyMatchFailure(op, "the joint scalar is out of range");
  rewriter.replaceOpWithNewOp<BinaryOp>(op, x, scalar);
  return success();
}

// (x + a) + b -> x + (a + b)
struct JoinSummands : OpRewritePattern<AddOp>, ScalarPattern {
  JoinSummands(MLIRContext *context, PassStatistic &statistic)
      : OpRewritePattern(context), ScalarPattern(statistic) {}

  LogicalResult matchAndRewrite(AddOp op,
                                PatternRewriter &rewriter) const override {
    std::optional<WithScalar> outer = matchScalar(op);
    if (!outer)
      return rewriter.notifyMatchFailure(op, "no scalar operand");
    std::optional<WithScalar> inner =
        matchScalar(outer->tensor.getDefiningOp<AddOp>());
    if (!inner)
      return rewriter.notifyMatchFailure(op, "no sum with a scalar inside");
    if (!std::isfinite(inner->scalar) || !std::isfinite(outer->scalar))
      return rewriter.notifyMatchFailure(op, "infinite scalars");
    if (failed(replaceWith<AddOp>(rewriter, op, inner->tensor,
                                  inner->scalar + outer->scalar)))
      return failure();
    ++statistic;
    return success();
  }
};

// x - a -> x + (-a), exactly; zeros fold by themselves
struct SubtractScalar : OpRewritePattern<SubOp>, ScalarPattern {
  SubtractScalar(MLIRContext *context, PassStatistic &statistic)
      : OpRewritePattern(context), ScalarPattern(statistic) {}

  LogicalResult matchAndRewrite(SubOp op,
                                PatternRewriter &rewriter) const override {
    std::optional<WithScalar> match = matchScalar(op);
    if (!match || match->scalarIsLeft || match->scalar == 0)
      return rewriter.notifyMatchFailure(op, "no scalar subtrahend");
    if (failed(replaceWith<AddOp>(rewriter, op, match->tensor, -match->scalar)))
      return failure();
    ++statistic;
    return success();
  }
};

/// `value` as x * factor or x / factor with a finite factor other than 0: those
/// make NaN of infinities and zeros, so they stay as they are.
struct Factor {
  Value x;
  double factor;
  bool divides;
};

static std::optional<Factor> matchFactor(Value value) {
  Operation *op = value.getDefiningOp();
  if (op && stopsGradient(op))
    return std::nullopt;
  if (auto neg = dyn_cast_or_null<NegOp>(op); neg && isFloat(value))
    return Factor{neg.getInput(), -1, false};
  auto mul = dyn_cast_or_null<MulOp>(op);
  auto div = dyn_cast_or_null<DivOp>(op);
  std::optional<WithScalar> match = mul ? matchScalar(mul) : matchScalar(div);
  if (!match || (div && match->scalarIsLeft) || match->scalar == 0 ||
      !std::isfinite(match->scalar))
    return std::nullopt;
  return Factor{match->tensor, match->scalar, div != nullptr};
}

// (x * a) * b -> x * (a * b)    (x / a) / b -> x / (a * b)
// (x * a) / b -> x * (a / b)    (x / a) * b -> x * (b / a)    -x is x * -1
template <typename OuterOp>
struct JoinFactors : OpRewritePattern<OuterOp>, ScalarPattern {
  JoinFactors(MLIRContext *context, PassStatistic &statistic)
      : OpRewritePattern<OuterOp>(context), ScalarPattern(statistic) {}

  LogicalResult matchAndRewrite(OuterOp op,
                                PatternRewriter &rewriter) const override {
    std::optional<Factor> outer = matchFactor(op.getResult());
    if (!outer)
      return rewriter.notifyMatchFailure(op, "no usable scalar factor");
    std::optional<Factor> inner = matchFactor(outer->x);
    if (!inner)
      return rewriter.notifyMatchFailure(op, "no scalar factor inside");
    double a = inner->factor, b = outer->factor;
    LogicalResult replaced = failure();
    if (inner->divides && outer->divides)
      replaced = replaceWith<DivOp>(rewriter, op, inner->x, a * b);
    else if (inner->divides)
      replaced = replaceWith<MulOp>(rewriter, op, inner->x, b / a);
    else
      replaced = replaceWith<MulOp>(rewriter, op, inner->x,
                                    outer->divides ? a / b : a * b);
    if (succeeded(replaced))
      ++statistic;
    return replaced;
  }
};

// (x * a) * c -> x * (c * a) where c has fewer elements than x: values per
// channel take the scalar
struct ShiftFactor : OpRewritePattern<MulOp>, ScalarPattern {
  ShiftFactor(MLIRContext *context, PassStatistic &statistic)
      : OpRewritePattern(context), ScalarPattern(statistic) {}

  LogicalResult matchAndRewrite(MulOp op,
                                PatternRewriter &rewriter) const override {
    if (stopsGradient(op))
      return rewriter.notifyMatchFailure(op, "it passes no gradient on");
    for (auto [scaled, other] : {std::pair(op.getLhs(), op.getRhs()),
                                 std::pair(op.getRhs(), op.getLhs())}) {
      std::optional<WithScalar> match =
          matchScalar(scaled.getDefiningOp<MulOp>());
      if (!match || !std::isfinite(match->scalar) || match->scalar == 0 ||
          getSplatNumber(other) ||
          2 * other.getType().getNumElements() > scaled.getType().getNumElements())
        continue;
      Value scalar =
          createUsable(rewriter, op.getLoc(), op.getResult(), match->scalar);
      if (!scalar)
        continue;
      Value factor = MulOp::create(rewriter, op.getLoc(), other, scalar);
      rewriter.replaceOpWithNewOp<MulOp>(op, match->tensor, factor);
      ++statistic;
      return success();
    }
    return rewriter.notifyMatchFailure(op, "no scalar on the larger operand");
  }
};

// x / 2^n -> x * 2^-n
struct DivideByPowerOfTwo : OpRewritePattern<DivOp>, ScalarPattern {
  DivideByPowerOfTwo(MLIRContext *context, PassStatistic &statistic)
      : OpRewritePattern(context), ScalarPattern(statistic) {}

  LogicalResult matchAndRewrite(DivOp op,
                                PatternRewriter &rewriter) const override {
    std::optional<WithScalar> match = matchScalar(op);
    if (!match || match->scalarIsLeft)
      return rewriter.notifyMatchFailure(op, "the divisor is no scalar");
    int exponent;
    if (match->scalar == 0 || !std::isfinite(match->scalar) ||
        std::fabs(std::frexp(match->scalar, &exponent)) != 0.5)
      return rewriter.notifyMatchFailure(op, "the reciprocal is not exact");
    Value factor =
        createUsable(rewriter, op.getLoc(), op.getResult(), 1 / match->scalar);
    if (!factor)
      return rewriter.notifyMatchFailure(op, "the reciprocal is out of range");
    rewriter.replaceOpWithNewOp<MulOp>(op, match->tensor, factor);
    ++statistic;
    return success();
  }
};

// x^2 -> square(x), x^3 -> x * square(x), x^0.5 -> sqrt(x), x^-0.5 -> rsqrt(x),
// x^-1 -> reciprocal(x), x^-2 -> reciprocal(square(x)): PyTorch's own cases
struct ExpandPower : OpRewritePattern<PowOp>, ScalarPattern {
  ExpandPower(MLIRContext *context, PassStatistic &statistic)
      : OpRewritePattern(context), ScalarPattern(statistic) {}

  LogicalResult matchAndRewrite(PowOp op,
                                PatternRewriter &rewriter) const override {
    std::optional<WithScalar> match = matchScalar(op);
    if (!match || match->scalarIsLeft)
      return rewriter.notifyMatchFailure(op, "the exponent is no scalar");
    Location loc = op.getLoc();
    Value x = match->tensor, result;
    auto square = [&] { return SquareOp::create(rewriter, loc, x); };
    if (match->scalar == 2)
      result = square();
    else if (match->scalar == 3)
      result = MulOp::create(rewriter, loc, square(), x);
    else if (match->scalar == 0.5)
      result = SqrtOp::create(rewriter, loc, x);
    else if (match->scalar == -0.5)
      result = RsqrtOp::create(rewriter, loc, x);
    else if (match->scalar == -1)
      result = ReciprocalOp::create(rewriter, loc, x);
    else if (match->scalar == -2)
      result = ReciprocalOp::create(rewriter, loc, square());
    else
      return rewriter.notifyMatchFailure(op, "no small exponent");
    rewriter.replaceOp(op, result);
    ++statistic;
    return success();
  }
};

class FoldScalars final
    : public tilefuse::impl::FuseFoldScalarsBase<FoldScalars> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<JoinFactors<MulOp>, JoinFactors<DivOp>, JoinFactors<NegOp>,
                 JoinSummands, ShiftFactor, SubtractScalar, DivideByPowerOfTwo,
                 ExpandPower>(
        &getContext(), numFolded);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
