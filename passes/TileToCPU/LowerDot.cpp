//===- LowerDot.cpp - tile.dot as linalg.generic --------------------------===//
//
// Loops run over batch, lhs free, rhs free and contracting dims. The last dim of
// the product is the vector dim: the operand that has it is transposed, unless it
// already ends in it, so that tile-vectorize-dots finds contiguous rows.
//
//===----------------------------------------------------------------------===//

#include "passes/TileToCPU/KernelLowering.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"

using namespace mlir;
using namespace tilefuse;

// An operand's rows, along its last dim, are contiguous in memory: no slice with
// a stride there is on the way to where the block is made.
static bool hasContiguousRows(Value operand) {
  for (Operation *op = operand.getDefiningOp(); op;
       op = op->getOperand(0).getDefiningOp()) {
    if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op)) {
      ArrayRef<int64_t> strides = slice.getStaticStrides();
      if (!strides.empty() && strides.back() != 1)
        return false;
      continue;
    }
    if (!isa<tensor::CollapseShapeOp, tensor::ExpandShapeOp>(op))
      return true;
    ArrayRef<int64_t> from =
        cast<RankedTensorType>(op->getOperand(0).getType()).getShape();
    ArrayRef<int64_t> to =
        cast<RankedTensorType>(op->getResult(0).getType()).getShape();
    // The last dim is another one: contiguous when the whole block is.
    if (!from.empty() && !to.empty() && from.back() != to.back())
      return !isa_and_nonnull<tensor::ExtractSliceOp>(
          op->getOperand(0).getDefiningOp());
  }
  return true;
}

// Moves `vectorDim` last; the order of the other dims stays.
static Value makeRowsContiguous(ImplicitLocOpBuilder &b, Value operand,
                                int64_t vectorDim,
                                SmallVectorImpl<AffineExpr> &exprs) {
  int64_t rank = exprs.size();
  if (vectorDim == rank - 1 && hasContiguousRows(operand))
    return operand;
  SmallVector<int64_t> order;
  for (int64_t dim = 0; dim < rank; ++dim)
    if (dim != vectorDim)
      order.push_back(dim);
  order.push_back(vectorDim);
  SmallVector<AffineExpr> moved;
  for (int64_t dim : order)
    moved.push_back(exprs[dim]);
  exprs.assign(moved);
  return lowerTrans(b, operand, order);
}

Value tilefuse::lowerDot(ImplicitLocOpBuilder &b, tile::DotOp op) {
  RankedTensorType lhsType = op.getLhs().getType();
  RankedTensorType rhsType = op.getRhs().getType();
  SmallVector<AffineExpr> lhs(lhsType.getRank()), rhs(rhsType.getRank());
  SmallVector<utils::IteratorType> loops;
  unsigned next = 0;
  auto addLoop = [&](utils::IteratorType kind) {
    loops.push_back(kind);
    return b.getAffineDimExpr(next++);
  };
  for (auto [l, r] : llvm::zip_equal(op.getLhsBatch(), op.getRhsBatch()))
    lhs[l] = rhs[r] = addLoop(utils::IteratorType::parallel);
  SmallVector<int64_t> lhsFree = op.getLhsFreeDims();
  SmallVector<int64_t> rhsFree = op.getRhsFreeDims();
  for (int64_t dim : lhsFree)
    lhs[dim] = addLoop(utils::IteratorType::parallel);
  for (int64_t dim : rhsFree)
    rhs[dim] = addLoop(utils::IteratorType::parallel);
  unsigned resultRank = next;
  for (auto [l, r] : llvm::zip_equal(op.getLhsContract(), op.getRhsContract()))
    lhs[l] = rhs[r] = addLoop(utils::IteratorType::reduction);

  Value left = op.getLhs(), right = op.getRhs();
  if (!rhsFree.empty())
    right = makeRowsContiguous(b, right, rhsFree.back(), rhs);
  else if (!lhsFree.empty())
    left = makeRowsContiguous(b, left, lhsFree.back(), lhs);

  MLIRContext *context = b.getContext();
  SmallVector<AffineExpr> result;
  for (unsigned dim = 0; dim < resultRank; ++dim)
    result.push_back(b.getAffineDimExpr(dim));
  AffineMap maps[] = {AffineMap::get(next, 0, lhs, context),
                      AffineMap::get(next, 0, rhs, context),
                      AffineMap::get(next, 0, result, context)};
  auto generic = linalg::GenericOp::create(
      b, TypeRange{op.getAcc().getType()}, ValueRange{left, right},
      ValueRange{op.getAcc()}, maps, loops,
      [](OpBuilder &inner, Location loc, ValueRange args) {
        Value sum = math::FmaOp::create(inner, loc, args[0], args[1], args[2]);
        linalg::YieldOp::create(inner, loc, sum);
      });
  generic->setAttr("tile.dot", b.getUnitAttr());
  return generic.getResult(0);
}
