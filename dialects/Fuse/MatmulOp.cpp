//===- MatmulOp.cpp - batched matrix product --------------------*- C++ -*-===//

#include "dialects/Fuse/Inference.h"
#include "dialects/Fuse/Spaces.h"

using namespace mlir;
using namespace tilefuse;
using namespace tilefuse::fuse;

/// The batch extents that two operands' leading dims broadcast to, or nothing.
static std::optional<Extents> getBatch(RankedTensorType lhs,
                                       RankedTensorType rhs) {
  ArrayRef<int64_t> a = lhs.getShape().drop_back(2);
  ArrayRef<int64_t> b = rhs.getShape().drop_back(2);
  Extents batch(std::max(a.size(), b.size()), 1);
  for (ArrayRef<int64_t> shape : {a, b}) {
    size_t offset = batch.size() - shape.size();
    for (auto [i, extent] : llvm::enumerate(shape)) {
      int64_t &joint = batch[offset + i];
      if (extent != 1 && joint != 1 && extent != joint)
        return std::nullopt;
      joint = std::max(joint, extent);
    }
  }
  return batch;
}

LogicalResult MatmulOp::inferReturnTypes(MLIRContext *,
                                         std::optional<Location> loc,
                                         Adaptor adaptor,
                                         SmallVectorImpl<Type> &types) {
  Inference inference(getOperationName(), loc, types);
  ValueRange operands = adaptor.getOperands();
  if (failed(inference.checkTensors(operands)) ||
      failed(inference.checkSameElements(operands)))
    return failure();
  RankedTensorType lhs = tensorOf(operands[0]), rhs = tensorOf(operands[1]);
  for (RankedTensorType type : {lhs, rhs})
    if (type.getRank() < 2)
      return inference.error("expected operands of rank 2 or more, but found ",
                             type);
  if (failed(inference.checkPrecision(lhs.getElementType(),
                                      adaptor.getPrecision())))
    return failure();

  ArrayRef<int64_t> a = lhs.getShape().take_back(2);
  ArrayRef<int64_t> b = rhs.getShape().take_back(2);
  bool transposeA = adaptor.getTransposeA(),
       transposeB = adaptor.getTransposeB();
  if (a[transposeA ? 0 : 1] != b[transposeB ? 1 : 0])
    return inference.error("expected operands of one inner extent, but found ",
                           a[transposeA ? 0 : 1], " in ", lhs, " and ",
                           b[transposeB ? 1 : 0], " in ", rhs);
  std::optional<Extents> shape = getBatch(lhs, rhs);
  if (!shape)
    return inference.error("expected batch dims that broadcast, but found ",
                           lhs, " and ", rhs);
  shape->push_back(a[transposeA ? 1 : 0]);
  shape->push_back(b[transposeB ? 0 : 1]);
  return inference.add(*shape, lhs.getElementType());
}

IterationSpace MatmulOp::getIterationSpace() {
  ArrayRef<int64_t> y = getResult().getType().getShape();
  SpaceBuilder s(getContext());
  SmallVector<AffineExpr> dims;
  for (int64_t extent : y)
    dims.push_back(s.parallel(extent));
  ArrayRef<int64_t> a = getLhs().getType().getShape();
  AffineExpr k = s.reduction(a[a.size() - (getTransposeA() ? 2 : 1)]);
  AffineExpr n = dims.back(), m = dims[dims.size() - 2];

  auto read = [&](RankedTensorType type, AffineExpr row, AffineExpr column) {
    SmallVector<AffineExpr> indices;
    ArrayRef<int64_t> batch = type.getShape().drop_back(2);
    size_t offset = y.size() - 2 - batch.size();
    for (auto [i, extent] : llvm::enumerate(batch))
      indices.push_back(extent == y[offset + i] ? dims[offset + i] : s.zero());
    indices.append({row, column});
    s.operand(indices);
  };
  read(getLhs().getType(), getTransposeA() ? k : m, getTransposeA() ? m : k);
  read(getRhs().getType(), getTransposeB() ? n : k, getTransposeB() ? k : n);
  s.result(dims);
  return s.take();
}

Precision MatmulOp::getContractionPrecision() {
  return getPrecision().value_or(defaultPrecision(
      getLhs().getType().getElementType(), /*convolution=*/false));
}
