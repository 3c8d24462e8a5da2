//===- AbsorbBias.cpp - a bias in front of batch-norm -----------*- C++ -*-===//

#include "dialects/Fuse/Fuse.h"
#include "dialects/Fuse/Inference.h"
#include "passes/Simplify/Passes.h"

#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace tilefuse {
#define GEN_PASS_DEF_FUSEABSORBBIAS
#include "passes/Simplify/Passes.h.inc"
} // namespace tilefuse

using namespace mlir;
using namespace tilefuse;
using namespace tilefuse::fuse;

/// Whether `bias`, broadcast to `type`, varies along dim 1 only.
static bool variesAlongChannelsOnly(RankedTensorType bias,
                                    RankedTensorType type) {
  int64_t offset = type.getRank() - bias.getRank();
  if (offset < 0)
    return false;
  for (int64_t dim = 0; dim < bias.getRank(); ++dim)
    if (offset + dim != 1 && bias.getDimSize(dim) != 1)
      return false;
  return true;
}

namespace {
// batch_norm(x + b) -> batch_norm(x), the running mean moved by momentum * b
struct AbsorbIntoBatchNorm : OpRewritePattern<BatchNormOp> {
  AbsorbIntoBatchNorm(MLIRContext *context, PassStatistic &statistic)
      : OpRewritePattern(context), statistic(statistic) {}

  LogicalResult matchAndRewrite(BatchNormOp op,
                                PatternRewriter &rewriter) const override {
    auto add = op.getX().getDefiningOp<AddOp>();
    if (!add)
      return rewriter.notifyMatchFailure(op, "the input is not a sum");
    if (stopsGradient(op) || stopsGradient(add))
      return rewriter.notifyMatchFailure(op, "one passes no gradient on");
    if (!add->hasOneUse())
      return rewriter.notifyMatchFailure(op, "the sum has other uses");
    RankedTensorType type = op.getX().getType();
    TypedValue<RankedTensorType> x = add.getLhs(), bias = add.getRhs();
    if (x.getType() != type || !variesAlongChannelsOnly(bias.getType(), type))
      std::swap(x, bias);
    if (x.getType() != type || !variesAlongChannelsOnly(bias.getType(), type))
      return rewriter.notifyMatchFailure(op, "the summand varies in a channel");

    Location loc = op.getLoc();
    auto norm = BatchNormOp::create(
        rewriter, loc, x, op.getGamma(), op.getBeta(), op.getRunningMean(),
        op.getRunningVar(), op.getEpsAttr(), op.getMomentumAttr());
    // The shift of the running mean, in its own type.
    RankedTensorType meanType = op.getRunningMean().getType();
    Value shift = bias;
    Type element = meanType.getElementType();
    if (bias.getType().getElementType() != element)
      shift =
          CastOp::create(rewriter, loc, bias.getType().clone(element), shift);
    shift = ReshapeOp::create(
        rewriter, loc,
        RankedTensorType::get({bias.getType().getNumElements()}, element),
        shift);
    Value momentum = createScalar(rewriter, loc, element,
                                  op.getMomentum().convertToDouble());
    shift = MulOp::create(rewriter, loc, shift, momentum);
    Value mean = AddOp::create(rewriter, loc, norm.getNewMean(), shift);
    rewriter.replaceOp(op, {norm.getY(), mean, norm.getNewVar()});
    ++statistic;
    return success();
  }

  PassStatistic &statistic;
};

class AbsorbBias final : public tilefuse::impl::FuseAbsorbBiasBase<AbsorbBias> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<AbsorbIntoBatchNorm>(&getContext(), numAbsorbed);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
