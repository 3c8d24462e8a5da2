//===- FoldScalars.cpp - chains of scalar constants -------------*- C++ -*-===//

#include "dialects/Fuse/Fuse.h"
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
  Type type = op.getResult().getType();
  if (!op || !isFloat(op.getResult()))
    return std::nullopt;
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
  explicit ScalarPattern(Pass::Statistic &statistic) : statistic(statistic) {}
  Pass::Statistic &statistic;
};

// (x * a) * b -> x * (a * b)      (x + a) + b -> x + (a + b)
template <typename BinaryOp>
struct JoinScalars : OpRewritePattern<BinaryOp>, ScalarPattern {
  JoinScalars(MLIRContext *context, Pass::Statistic &statistic)
      : OpRewritePattern<BinaryOp>(context), ScalarPattern(statistic) {}

  LogicalResult matchAndRewrite(BinaryOp op,
                                PatternRewriter &rewriter) const override {
    std::optional<WithScalar> outer = matchScalar(op);
    if (!outer)
      return rewriter.notifyMatchFailure(op, "no scalar operand");
    auto innerOp = outer->tensor.template getDefiningOp<BinaryOp>();
    if (!innerOp)
      return rewriter.notifyMatchFailure(op, "no chain of one kind");
    std::optional<WithScalar> inner = matchScalar(innerOp);
    if (!inner)
      return rewriter.notifyMatchFailure(op, "no scalar operand inside");
    // Zero and infinite factors make NaN of infinities and zeros: they stay.
    if (!std::isfinite(inner->scalar) || !std::isfinite(outer->scalar) ||
        (std::is_same_v<BinaryOp, MulOp> &&
         (inner->scalar == 0 || outer->scalar == 0)))
      return rewriter.notifyMatchFailure(op, "zero or infinite scalars");
    double joint = std::is_same_v<BinaryOp, MulOp>
                       ? inner->scalar * outer->scalar
                       : inner->scalar + outer->scalar;
    Value scalar = createUsable(rewriter, op.getLoc(), op.getResult(), joint);
    if (!scalar)
      return rewriter.notifyMatchFailure(op, "the joint scalar is out of range");
    rewriter.replaceOpWithNewOp<BinaryOp>(op, inner->tensor, scalar);
    ++statistic;
    return success();
  }
};

// x / 2^n -> x * 2^-n
struct DivideByPowerOfTwo : OpRewritePattern<DivOp>, ScalarPattern {
  DivideByPowerOfTwo(MLIRContext *context, Pass::Statistic &statistic)
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
  ExpandPower(MLIRContext *context, Pass::Statistic &statistic)
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
    patterns.add<JoinScalars<MulOp>, JoinScalars<AddOp>, DivideByPowerOfTwo,
                 ExpandPower>(&getContext(), numFolded);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
