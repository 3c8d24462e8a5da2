//===- FoldMoves.cpp - pads, transposes, reshapes and readers ---*- C++ -*-===//

#include "dialects/Fuse/Fuse.h"
#include "dialects/Fuse/Inference.h"
#include "passes/Simplify/Passes.h"

#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace tilefuse {
#define GEN_PASS_DEF_FUSEFOLDMOVES
#include "passes/Simplify/Passes.h.inc"
} // namespace tilefuse

using namespace mlir;
using namespace tilefuse;
using namespace tilefuse::fuse;

/// Extents and attributes stay below this (Inference.h): a sum may not.
static constexpr int64_t maxAttribute = (int64_t(1) << 31) - 1;

/// Adds `more` to `values`; false when a sum is out of range.
static bool addTo(MutableArrayRef<int64_t> values, ArrayRef<int64_t> more) {
  for (auto [value, extra] : llvm::zip_equal(values, more)) {
    value += extra;
    if (value > maxAttribute)
      return false;
  }
  return true;
}

/// Whether `pad` adds to the last `count` dims only, and nothing in between.
static bool padsTrailing(PadOp pad, size_t count) {
  auto isZero = [](int64_t extent) { return extent == 0; };
  size_t lead = pad.getLow().size() - count;
  return llvm::all_of(pad.getLow().take_front(lead), isZero) &&
         llvm::all_of(pad.getHigh().take_front(lead), isZero) &&
         (!pad.getInterior() || llvm::all_of(*pad.getInterior(), isZero));
}

namespace {
struct MovePattern {
  explicit MovePattern(PassStatistic &statistic) : statistic(statistic) {}
  PassStatistic &statistic;
};

// matmul(transpose(x), y) -> matmul(x, y) with the flag of x turned
struct FoldTranspose : OpRewritePattern<MatmulOp>, MovePattern {
  FoldTranspose(MLIRContext *context, PassStatistic &statistic)
      : OpRewritePattern(context), MovePattern(statistic) {}

  LogicalResult matchAndRewrite(MatmulOp op,
                                PatternRewriter &rewriter) const override {
    auto lhs = matchSwap(op.getLhs()), rhs = matchSwap(op.getRhs());
    if (!lhs && !rhs)
      return rewriter.notifyMatchFailure(op, "no operand is a transpose of "
                                             "the last two dims");
    rewriter.modifyOpInPlace(op, [&] {
      if (lhs) {
        op.getLhsMutable().assign(lhs);
        op.setTransposeA(!op.getTransposeA());
      }
      if (rhs) {
        op.getRhsMutable().assign(rhs);
        op.setTransposeB(!op.getTransposeB());
      }
    });
    ++statistic;
    return success();
  }

private:
  /// What `value` transposes when it exchanges its last two dims, else null.
  static Value matchSwap(Value value) {
    auto transpose = value.getDefiningOp<TransposeOp>();
    if (!transpose || stopsGradient(transpose))
      return {};
    ArrayRef<int64_t> permutation = transpose.getPermutation();
    int64_t rank = permutation.size();
    for (auto [dim, source] : llvm::enumerate(permutation)) {
      int64_t index = dim;
      int64_t expected = index == rank - 2   ? rank - 1
                         : index == rank - 1 ? rank - 2
                                             : index;
      if (source != expected)
        return {};
    }
    return transpose.getInput();
  }
};

// conv2d(pad(x)) -> conv2d(x) with more padding: zeros, as many on both sides
template <typename ConvolutionOp>
struct FoldPadIntoConvolution : OpRewritePattern<ConvolutionOp>, MovePattern {
  FoldPadIntoConvolution(MLIRContext *context, PassStatistic &statistic)
      : OpRewritePattern<ConvolutionOp>(context), MovePattern(statistic) {}

  LogicalResult matchAndRewrite(ConvolutionOp op,
                                PatternRewriter &rewriter) const override {
    auto pad = op.getX().template getDefiningOp<PadOp>();
    if (!pad || stopsGradient(pad))
      return rewriter.notifyMatchFailure(op, "the images are not padded");
    auto value = dyn_cast<FloatAttr>(pad.getValue());
    if (!value || !value.getValue().isZero())
      return rewriter.notifyMatchFailure(op, "padded by another value than 0");
    ArrayRef<int64_t> low = pad.getLow().take_back(2);
    if (!padsTrailing(pad, 2) || low != pad.getHigh().take_back(2))
      return rewriter.notifyMatchFailure(op, "not the same on both sides");
    SmallVector<int64_t> padding(op.getPadding());
    if (!addTo(padding, low))
      return rewriter.notifyMatchFailure(op, "the sum is out of range");
    rewriter.modifyOpInPlace(op, [&] {
      op.getXMutable().assign(pad.getInput());
      op.setPadding(padding);
    });
    ++statistic;
    return success();
  }
};

// window_reduce(pad(x)) -> window_reduce(x) with more padding, where the added
// value is the neutral one
struct FoldPadIntoWindow : OpRewritePattern<WindowReduceOp>, MovePattern {
  FoldPadIntoWindow(MLIRContext *context, PassStatistic &statistic)
      : OpRewritePattern(context), MovePattern(statistic) {}

  LogicalResult matchAndRewrite(WindowReduceOp op,
                                PatternRewriter &rewriter) const override {
    auto pad = op.getInput().getDefiningOp<PadOp>();
    if (!pad || stopsGradient(pad))
      return rewriter.notifyMatchFailure(op, "the input is not padded");
    size_t rank = op.getWindow().size();
    if (!padsTrailing(pad, rank) || !isNeutral(pad.getValue(), op.getKind()))
      return rewriter.notifyMatchFailure(
          op, "other dims than the window's, or another value than its neutral "
              "one, are padded");
    SmallVector<int64_t> low = op.getLows(), high = op.getHighs();
    if (!addTo(low, pad.getLow().take_back(rank)) ||
        !addTo(high, pad.getHigh().take_back(rank)))
      return rewriter.notifyMatchFailure(op, "the sum is out of range");
    rewriter.modifyOpInPlace(op, [&] {
      op.getInputMutable().assign(pad.getInput());
      op.setPaddingLow(low);
      op.setPaddingHigh(high);
    });
    ++statistic;
    return success();
  }

private:
  static bool isNeutral(Attribute value, WindowKind kind) {
    auto number = dyn_cast<FloatAttr>(value);
    if (!number)
      return false;
    const APFloat &added = number.getValue();
    if (kind == WindowKind::sum)
      return added.isZero();
    return added.isInfinity() &&
           added.isNegative() == (kind == WindowKind::max);
  }
};

// pad(pad(x, v), v) -> pad(x, v)
struct JoinPads : OpRewritePattern<PadOp>, MovePattern {
  JoinPads(MLIRContext *context, PassStatistic &statistic)
      : OpRewritePattern(context), MovePattern(statistic) {}

  LogicalResult matchAndRewrite(PadOp op,
                                PatternRewriter &rewriter) const override {
    auto inner = op.getInput().getDefiningOp<PadOp>();
    size_t rank = op.getLow().size();
    if (!inner || stopsGradient(inner) || !padsTrailing(op, rank) ||
        !padsTrailing(inner, rank) ||
        inner.getValue() != op.getValue())
      return rewriter.notifyMatchFailure(op, "no pad by the same value inside");
    SmallVector<int64_t> low(op.getLow()), high(op.getHigh());
    if (!addTo(low, inner.getLow()) || !addTo(high, inner.getHigh()))
      return rewriter.notifyMatchFailure(op, "the sum is out of range");
    rewriter.modifyOpInPlace(op, [&] {
      op.getInputMutable().assign(inner.getInput());
      op.setLow(low);
      op.setHigh(high);
    });
    ++statistic;
    return success();
  }
};

// f(reshape(x) : 1 x 64 x 1, y) -> f(reshape(x) : 64 x 1, y) where f broadcasts
// and y has the dims that x lost
struct DropLeadingOnes : OpRewritePattern<ReshapeOp>, MovePattern {
  DropLeadingOnes(MLIRContext *context, PassStatistic &statistic)
      : OpRewritePattern(context), MovePattern(statistic) {}

  LogicalResult matchAndRewrite(ReshapeOp op,
                                PatternRewriter &rewriter) const override {
    RankedTensorType type = op.getType();
    ArrayRef<int64_t> shape =
        type.getShape().drop_while([](int64_t extent) { return extent == 1; });
    if (shape.size() == type.getShape().size() || stopsGradient(op))
      return rewriter.notifyMatchFailure(op, "no leading dim of 1");
    Value dropped;
    for (OpOperand &use : llvm::make_early_inc_range(op->getUses())) {
      Operation *user = use.getOwner();
      if (!isBroadcasting(user) || !othersHaveRank(use, type.getRank()))
        continue;
      if (!dropped)
        dropped = rewriter.createOrFold<ReshapeOp>(
            op.getLoc(), type.clone(shape), op.getInput());
      rewriter.modifyOpInPlace(user, [&] { use.set(dropped); });
    }
    if (!dropped)
      return rewriter.notifyMatchFailure(op, "no reader broadcasts it");
    ++statistic;
    return success();
  }

private:
  static bool isBroadcasting(Operation *op) {
    return isa<AddOp, SubOp, MulOp, DivOp, MaximumOp, MinimumOp, PowOp,
               RemainderOp, Atan2Op, AndOp, OrOp, XorOp, CompareOp, SelectOp>(
        op);
  }

  /// Whether another operand alone gives the result its rank.
  static bool othersHaveRank(OpOperand &use, int64_t rank) {
    return llvm::any_of(use.getOwner()->getOpOperands(), [&](OpOperand &other) {
      return &other != &use && other.get() != use.get() &&
             cast<RankedTensorType>(other.get().getType()).getRank() >= rank;
    });
  }
};

class FoldMoves final : public tilefuse::impl::FuseFoldMovesBase<FoldMoves> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<FoldTranspose, FoldPadIntoConvolution<Conv2dOp>,
                 FoldPadIntoConvolution<Conv2dWeightGradOp>, FoldPadIntoWindow,
                 JoinPads, DropLeadingOnes>(&getContext(), numFolded);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
