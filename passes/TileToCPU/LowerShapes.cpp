//===- LowerShapes.cpp - reshapes, windows and transpositions -------------===//

#include "passes/TileToCPU/KernelLowering.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Utils/ReshapeOpsUtils.h"

using namespace mlir;
using namespace tilefuse;

static RankedTensorType getType(Value value) {
  return cast<RankedTensorType>(value.getType());
}

// All dims of a tensor as one group; none for rank 0.
static SmallVector<ReassociationIndices> getOneGroup(int64_t rank) {
  SmallVector<ReassociationIndices> groups;
  if (rank > 0)
    groups.emplace_back(llvm::to_vector(llvm::seq<int64_t>(0, rank)));
  return groups;
}

Value tilefuse::lowerReshape(ImplicitLocOpBuilder &b, Value value,
                             ArrayRef<int64_t> shape) {
  RankedTensorType from = getType(value);
  RankedTensorType to = tile::withShape(from, shape);
  if (from == to)
    return value;
  if (auto groups = getReassociationIndicesForReshape(from, to)) {
    if (from.getRank() > to.getRank())
      return tensor::CollapseShapeOp::create(b, to, value, *groups);
    return tensor::ExpandShapeOp::create(b, to, value, *groups);
  }
  // No dim of one shape is made of whole dims of the other: by way of one dim.
  RankedTensorType flat = tile::withShape(from, from.getNumElements());
  if (from.getRank() != 1)
    value = from.getRank() == 0
                ? Value(tensor::ExpandShapeOp::create(b, flat, value,
                                                      getOneGroup(0)))
                : Value(tensor::CollapseShapeOp::create(
                      b, flat, value, getOneGroup(from.getRank())));
  if (to.getRank() == 1)
    return value;
  if (to.getRank() == 0)
    return tensor::CollapseShapeOp::create(b, to, value, getOneGroup(0));
  return tensor::ExpandShapeOp::create(b, to, value, getOneGroup(to.getRank()));
}

Value tilefuse::lowerTrans(ImplicitLocOpBuilder &b, Value value,
                           ArrayRef<int64_t> permutation) {
  RankedTensorType from = getType(value);
  SmallVector<int64_t> shape;
  for (int64_t dim : permutation)
    shape.push_back(from.getDimSize(dim));
  Value empty = tensor::EmptyOp::create(b, shape, from.getElementType());
  if (shape.empty())
    return value;
  return linalg::TransposeOp::create(b, b.getLoc(), value, empty, permutation)
      ->getResult(0);
}

static SmallVector<OpFoldResult> toAttributes(OpBuilder &b,
                                              ArrayRef<int64_t> values) {
  return getAsIndexOpFoldResult(b.getContext(), values);
}

Value tilefuse::lowerWindow(ImplicitLocOpBuilder &b, tile::WindowOp op) {
  RankedTensorType type = op.getResult().getType();
  return tensor::ExtractSliceOp::create(
      b, type, op.getValue(), toAttributes(b, op.getOffsets()),
      toAttributes(b, type.getShape()), toAttributes(b, op.getStrides()));
}

Value tilefuse::lowerInsertWindow(ImplicitLocOpBuilder &b,
                                  tile::InsertWindowOp op) {
  return tensor::InsertSliceOp::create(
      b, op.getSlice(), op.getInto(), toAttributes(b, op.getOffsets()),
      toAttributes(b, op.getSlice().getType().getShape()),
      toAttributes(b, op.getStrides()));
}

Value tilefuse::lowerExtract(ImplicitLocOpBuilder &b, tile::ExtractOp op) {
  Value zero = arith::ConstantIndexOp::create(b, 0);
  SmallVector<Value> indices(op.getValue().getType().getRank(), zero);
  return tensor::ExtractOp::create(b, op.getValue(), indices);
}
