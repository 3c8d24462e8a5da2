//===- FoldSums.cpp - linear algebra of sums --------------------*- C++ -*-===//
//
// A sum is linear: what does not vary along the dims it folds comes out of it.
// For the derivative of a batch-norm that makes all the difference. Reverse mode
// asks for
//
//   sum(ds)   sum(-(ds * (rstd * gamma)))   sum(ds * ((z - mean) * rstd))   ...
//
// and each of these is sum(ds) or sum(ds * (z - mean)) times a value per
// channel: two reductions where there were more, and no product that depends on
// the statistics has to be there before the sums are.
//
// The summand is read as a product: through multiplications, signs and divisions
// by what does not vary, as far down as something that does not vary is found.
// Leaves that vary are multiplied again, in an order that depends on the leaves
// only, so that equal products become equal ops; the others go behind the sum. A
// product with nothing to take out is a leaf as it is: whoever else computes it
// shares it. A mean is subtracted before the
// product is formed and stays there: sum(ds * z) - mean * sum(ds) is the same
// number on paper, and cancels.
//
//===----------------------------------------------------------------------===//

#include "dialects/Fuse/GraphBuilder.h"
#include "passes/Simplify/Passes.h"

#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace tilefuse {
#define GEN_PASS_DEF_FUSEFOLDSUMS
#include "passes/Simplify/Passes.h.inc"
} // namespace tilefuse

using namespace mlir;
using namespace tilefuse;
using namespace tilefuse::fuse;

/// Factors of one product; a longer one is not taken apart further.
static constexpr unsigned kMaxFactors = 16;

/// A sum over something, in a type that sums are kept in: of narrower ones the
/// rounded sum might overflow where the sum of scaled elements does not.
static bool isWideSum(ReduceOp op) {
  Type element = op.getInput().getType().getElementType();
  return op.getKind() == ReduceKind::sum && op.getCount() > 1 &&
         !stopsGradient(op) &&
         isa<FloatType>(element) && getWideType(element) == element;
}

namespace {
struct SumPattern : OpRewritePattern<ReduceOp> {
  SumPattern(MLIRContext *context, PassStatistic &statistic)
      : OpRewritePattern(context), statistic(statistic) {}
  PassStatistic &statistic;
};

/// The summand of a sum as a product.
class Product {
public:
  explicit Product(ReduceOp op)
      : type(op.getInput().getType()), dims(op.getDims()) {
    add(op.getInput());
  }

  /// Leaves that vary along the dims of the sum.
  SmallVector<Value> factors;
  /// Those that do not, and the divisors among them.
  SmallVector<std::pair<Value, bool>> constants;
  bool isNegative = false;

private:
  /// Whether `value`, broadcast to the summand's type, is the same all along
  /// the dims of the sum.
  bool isConstant(Value value) const {
    RankedTensorType own = tensorOf(value);
    int64_t offset = type.getRank() - own.getRank();
    return llvm::all_of(dims, [&](int64_t dim) {
      return dim < offset || own.getDimSize(dim - offset) == 1;
    });
  }

  /// Whether a part of the product `value` goes behind the sum.
  bool hasConstant(Value value) {
    if (auto it = known.find(value); it != known.end())
      return it->second;
    Operation *op = value.getDefiningOp();
    if (op && stopsGradient(op))
      return known[value] = isConstant(value);
    bool found = isConstant(value) || isa_and_present<NegOp>(op);
    if (isa_and_present<MulOp>(op))
      found |= hasConstant(op->getOperand(0)) || hasConstant(op->getOperand(1));
    else if (isa_and_present<DivOp>(op))
      found |= isConstant(op->getOperand(1));
    known[value] = found;
    return found;
  }

  void add(Value value) {
    if (isConstant(value)) {
      constants.push_back({value, false});
      return;
    }
    if (hasConstant(value) &&
        factors.size() + constants.size() < kMaxFactors) {
      if (auto neg = value.getDefiningOp<NegOp>()) {
        isNegative = !isNegative;
        return add(neg.getInput());
      }
      if (auto mul = value.getDefiningOp<MulOp>()) {
        add(mul.getLhs());
        return add(mul.getRhs());
      }
      auto div = value.getDefiningOp<DivOp>();
      if (div && isConstant(div.getRhs())) {
        constants.push_back({div.getRhs(), true});
        return add(div.getLhs());
      }
    }
    factors.push_back(value);
  }

  RankedTensorType type;
  ArrayRef<int64_t> dims;
  llvm::DenseMap<Value, bool> known;
};

/// Arguments in order, then results in order: the same for the same leaves.
bool isBefore(Value lhs, Value rhs) {
  Operation *left = lhs.getDefiningOp(), *right = rhs.getDefiningOp();
  if (!left || !right) {
    if (left || right)
      return !left;
    return cast<BlockArgument>(lhs).getArgNumber() <
           cast<BlockArgument>(rhs).getArgNumber();
  }
  if (left != right)
    return left->isBeforeInBlock(right);
  return cast<OpResult>(lhs).getResultNumber() <
         cast<OpResult>(rhs).getResultNumber();
}

// sum(x * c) -> sum(x) * c    sum(x / c) -> sum(x) / c    sum(-x) -> -sum(x)
// where c does not vary along the dims of the sum
struct TakeOutFactors : SumPattern {
  using SumPattern::SumPattern;

  LogicalResult matchAndRewrite(ReduceOp op,
                                PatternRewriter &rewriter) const override {
    if (!isWideSum(op))
      return rewriter.notifyMatchFailure(op, "no sum in a wide type");
    Product product(op);
    if (product.constants.empty() && !product.isNegative)
      return rewriter.notifyMatchFailure(op, "every factor varies");
    RankedTensorType type = op.getInput().getType();
    Extents shape;
    for (Value factor : product.factors)
      if (failed(joinShapes(shape, tensorOf(factor).getShape())))
        return rewriter.notifyMatchFailure(op, "no common shape");
    if (ArrayRef(shape) != type.getShape())
      return rewriter.notifyMatchFailure(op, "the rest is smaller");

    GraphBuilder g(rewriter, op.getLoc());
    llvm::sort(product.factors, isBefore);
    Value summand = product.factors.front();
    for (Value factor : ArrayRef(product.factors).drop_front())
      summand = g.mul(summand, factor);
    Value sum = g.reduce(ReduceKind::sum, summand, op.getDims(),
                         op.getKeepdims())[0];
    for (auto [constant, divides] : product.constants) {
      Value value = op.getKeepdims() ? constant : dropDims(g, op, constant);
      sum = divides ? g.div(sum, value) : g.mul(sum, value);
    }
    if (product.isNegative)
      sum = g.unary<NegOp>(sum);
    rewriter.replaceOp(op, sum);
    ++statistic;
    return success();
  }

private:
  /// NumPy's rule, aligned at the last dim.
  static LogicalResult joinShapes(Extents &shape, ArrayRef<int64_t> other) {
    if (other.size() > shape.size())
      shape.insert(shape.begin(), other.size() - shape.size(), 1);
    size_t offset = shape.size() - other.size();
    for (auto [dim, extent] : llvm::enumerate(other)) {
      int64_t &own = shape[offset + dim];
      if (own != extent && own != 1 && extent != 1)
        return failure();
      own = std::max(own, extent);
    }
    return success();
  }

  /// `value` as it broadcasts against the sum: without the dims folded.
  static Value dropDims(GraphBuilder &g, ReduceOp op, Value value) {
    RankedTensorType type = tensorOf(value);
    int64_t offset = op.getInput().getType().getRank() - type.getRank();
    Extents shape;
    for (int64_t dim = 0; dim < type.getRank(); ++dim)
      if (!llvm::is_contained(op.getDims(), dim + offset))
        shape.push_back(type.getDimSize(dim));
    return g.reshape(value, shape);
  }
};

// sum(broadcast(x)) -> broadcast(sum(x) * n), n elements for each of x
struct SumBroadcast : SumPattern {
  using SumPattern::SumPattern;

  LogicalResult matchAndRewrite(ReduceOp op,
                                PatternRewriter &rewriter) const override {
    auto broadcast = op.getInput().getDefiningOp<BroadcastOp>();
    if (!broadcast || stopsGradient(broadcast) || !isWideSum(op))
      return rewriter.notifyMatchFailure(op, "no sum of a broadcast");
    RankedTensorType from = broadcast.getInput().getType();
    RankedTensorType type = broadcast.getType();
    int64_t offset = type.getRank() - from.getRank();
    Extents dims;
    double repeats = 1;
    for (int64_t dim : op.getDims())
      if (dim >= offset &&
          from.getDimSize(dim - offset) == type.getDimSize(dim))
        dims.push_back(dim - offset);
      else
        repeats *= static_cast<double>(type.getDimSize(dim));

    GraphBuilder g(rewriter, op.getLoc());
    Value sum = broadcast.getInput();
    if (!dims.empty())
      sum = g.reduce(ReduceKind::sum, sum, dims, /*keepdims=*/true)[0];
    if (repeats != 1)
      sum = g.mul(sum, repeats);
    auto kept = type.clone(reduceShape(type.getShape(), op.getDims(), true));
    if (sum.getType() != kept)
      sum = BroadcastOp::create(rewriter, op.getLoc(), kept, sum);
    auto result = cast<RankedTensorType>(op.getResult(0).getType());
    rewriter.replaceOp(op, g.reshape(sum, result.getShape()));
    ++statistic;
    return success();
  }
};

// sum(sum(x)) -> sum(x) over the dims of both
struct JoinSums : SumPattern {
  using SumPattern::SumPattern;

  LogicalResult matchAndRewrite(ReduceOp op,
                                PatternRewriter &rewriter) const override {
    auto inner = op.getInput().getDefiningOp<ReduceOp>();
    if (!inner || op.getKind() != ReduceKind::sum ||
        inner.getKind() != ReduceKind::sum)
      return rewriter.notifyMatchFailure(op, "no sum of a sum");
    if (!inner->hasOneUse() || stopsGradient(inner) || stopsGradient(op))
      return rewriter.notifyMatchFailure(op, "the inner sum has other uses");
    // Dims of the inner result, by their place in its input.
    Extents places, dims(inner.getDims());
    for (int64_t dim = 0; dim < inner.getInput().getType().getRank(); ++dim)
      if (inner.getKeepdims() || !llvm::is_contained(inner.getDims(), dim))
        places.push_back(dim);
    for (int64_t dim : op.getDims())
      if (!llvm::is_contained(dims, places[dim]))
        dims.push_back(places[dim]);
    llvm::sort(dims);
    GraphBuilder g(rewriter, op.getLoc());
    Value sum = g.reduce(ReduceKind::sum, inner.getInput(), dims, false)[0];
    auto result = cast<RankedTensorType>(op.getResult(0).getType());
    rewriter.replaceOp(op, g.reshape(sum, result.getShape()));
    ++statistic;
    return success();
  }
};

class FoldSums final : public tilefuse::impl::FuseFoldSumsBase<FoldSums> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<TakeOutFactors, SumBroadcast, JoinSums>(&getContext(),
                                                         numFolded);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
