//===- SinkMonotone.cpp - monotone functions behind windows -----*- C++ -*-===//

#include "dialects/Fuse/Fuse.h"
#include "dialects/Fuse/Inference.h"
#include "passes/Simplify/Passes.h"

#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace tilefuse {
#define GEN_PASS_DEF_FUSESINKMONOTONE
#include "passes/Simplify/Passes.h.inc"
} // namespace tilefuse

using namespace mlir;
using namespace tilefuse;
using namespace tilefuse::fuse;

/// Whether each window holds an element of the input. One of padding alone has
/// the neutral value, which no function may be applied to.
static bool hasNoEmptyWindow(WindowReduceOp op) {
  ArrayRef<int64_t> window = op.getWindow();
  auto input = op.getInput().getType().getShape().take_back(window.size());
  auto output = cast<RankedTensorType>(op.getResult(0).getType())
                    .getShape()
                    .take_back(window.size());
  SmallVector<int64_t> strides = op.getStrides(), lows = op.getLows(),
                       dilations = op.getDilations();
  for (size_t i = 0; i < window.size(); ++i) {
    int64_t lastTapOfFirst = (window[i] - 1) * dilations[i] - lows[i];
    int64_t firstTapOfLast = (output[i] - 1) * strides[i] - lows[i];
    // Taps farther apart than the input could step over it.
    if (lastTapOfFirst < 0 || firstTapOfLast >= input[i] ||
        dilations[i] > input[i])
      return false;
  }
  return true;
}

/// Whether `other`, broadcast to `type`, has one value per window.
static bool isConstantOverWindow(RankedTensorType other, size_t windowRank) {
  return llvm::all_of(
      other.getShape().take_back(std::min<size_t>(windowRank, other.getRank())),
      [](int64_t extent) { return extent == 1; });
}

namespace {
// window_max(f(x)) -> f(window_max(x)) for increasing f, f(window_min(x)) for
// decreasing f; likewise with min
struct SinkBehindWindow : OpRewritePattern<WindowReduceOp> {
  SinkBehindWindow(MLIRContext *context, PassStatistic &statistic)
      : OpRewritePattern(context), statistic(statistic) {}

  LogicalResult matchAndRewrite(WindowReduceOp op,
                                PatternRewriter &rewriter) const override {
    if (op.getKind() == WindowKind::sum || op.getArgmax())
      return rewriter.notifyMatchFailure(op, "not a plain max or min");
    // The function's other operands would get a gradient.
    if (stopsGradient(op))
      return rewriter.notifyMatchFailure(op, "it passes no gradient on");
    auto function = op.getInput().getDefiningOp<PointwiseOpInterface>();
    if (!function || !function->hasOneUse())
      return rewriter.notifyMatchFailure(op, "no function of its own in front");
    RankedTensorType inputType = op.getInput().getType();
    auto outputType = cast<RankedTensorType>(op.getResult(0).getType());
    if (outputType.getNumElements() > inputType.getNumElements())
      return rewriter.notifyMatchFailure(op, "more windows than elements");
    if (!hasNoEmptyWindow(op))
      return rewriter.notifyMatchFailure(op, "a window of padding alone");

    std::optional<unsigned> moved = findOperand(function, op);
    if (!moved)
      return rewriter.notifyMatchFailure(
          op, "not monotone in one operand with the others constant");
    int direction = function.getMonotonicity(*moved);
    WindowKind kind = op.getKind();
    if (direction < 0)
      kind = kind == WindowKind::max ? WindowKind::min : WindowKind::max;

    Value x = function->getOperand(*moved);
    auto window = WindowReduceOp::create(
        rewriter, op.getLoc(), WindowKindAttr::get(getContext(), kind), x,
        op.getWindowAttr(), op.getStrideAttr(), op.getPaddingLowAttr(),
        op.getPaddingHighAttr(), op.getDilationAttr(), TypeAttr());
    window->setDiscardableAttrs(op->getDiscardableAttrDictionary());
    IRMapping mapping;
    mapping.map(x, window.getResult(0));
    Operation *copy = rewriter.clone(*function, mapping);
    copy->getResult(0).setType(outputType);
    rewriter.replaceOp(op, copy->getResult(0));
    ++statistic;
    return success();
  }

private:
  /// The operand that varies in the windows, when the function reads it element
  /// by element, is monotone in it, and its other operands are constant over
  /// each window.
  static std::optional<unsigned> findOperand(PointwiseOpInterface function,
                                             WindowReduceOp op) {
    auto space = dyn_cast<IterationSpaceOpInterface>(function.getOperation());
    auto inputType = op.getInput().getType();
    if (!space || function->getNumResults() != 1 || function.needsIndex())
      return std::nullopt;
    std::optional<unsigned> moved;
    IterationSpace accesses = space.getIterationSpace();
    for (auto [index, operand] : llvm::enumerate(function->getOperands())) {
      auto type = cast<RankedTensorType>(operand.getType());
      const OperandAccess &access = accesses.operands[index];
      if (access.fill ||
          llvm::any_of(access.divisors, [](int64_t d) { return d != 1; }))
        return std::nullopt;
      if (type.getShape() == inputType.getShape() && access.map.isIdentity()) {
        if (moved)
          return std::nullopt;
        moved = index;
        continue;
      }
      // Aligned at the last dims, each read at its own dim or at 0.
      int64_t offset = inputType.getRank() - type.getRank();
      for (auto [dim, index] : llvm::enumerate(access.map.getResults())) {
        auto name = dyn_cast<AffineDimExpr>(index);
        auto constant = dyn_cast<AffineConstantExpr>(index);
        bool aligned = (name && static_cast<int64_t>(name.getPosition()) ==
                                    offset + static_cast<int64_t>(dim)) ||
                       (constant && constant.getValue() == 0);
        if (!aligned)
          return std::nullopt;
      }
      if (!isConstantOverWindow(type, op.getWindow().size()))
        return std::nullopt;
    }
    if (!moved || function.getMonotonicity(*moved) == 0)
      return std::nullopt;
    return moved;
  }

  PassStatistic &statistic;
};

class SinkMonotone final
    : public tilefuse::impl::FuseSinkMonotoneBase<SinkMonotone> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<SinkBehindWindow>(&getContext(), numSunk);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
