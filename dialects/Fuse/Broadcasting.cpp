//===- Broadcasting.cpp - types of broadcasting pointwise ops ---*- C++ -*-===//

#include "dialects/Fuse/Inference.h"

using namespace mlir;
using namespace tilefuse;
using namespace tilefuse::fuse;

// Operands of one element type; the result has `element`, or the same.
static LogicalResult inferBroadcast(Inference inference, ValueRange operands,
                                    Type element = {}) {
  Extents shape;
  if (failed(inference.checkTensors(operands)) ||
      failed(inference.checkSameElements(operands)) ||
      failed(inference.broadcast(operands, shape)))
    return failure();
  return inference.add(shape, element ? element
                                      : tensorOf(operands[0]).getElementType());
}

#define INFER_BINARY(OP)                                                       \
  LogicalResult OP::inferReturnTypes(                                          \
      MLIRContext *, std::optional<Location> loc, Adaptor adaptor,             \
      SmallVectorImpl<Type> &types) {                                          \
    return inferBroadcast(Inference(getOperationName(), loc, types),           \
                          adaptor.getOperands());                              \
  }
INFER_BINARY(AddOp)
INFER_BINARY(SubOp)
INFER_BINARY(MulOp)
INFER_BINARY(DivOp)
INFER_BINARY(MaximumOp)
INFER_BINARY(MinimumOp)
INFER_BINARY(PowOp)
INFER_BINARY(RemainderOp)
INFER_BINARY(Atan2Op)
INFER_BINARY(AndOp)
INFER_BINARY(OrOp)
INFER_BINARY(XorOp)
#undef INFER_BINARY

LogicalResult CompareOp::inferReturnTypes(MLIRContext *context,
                                          std::optional<Location> loc,
                                          Adaptor adaptor,
                                          SmallVectorImpl<Type> &types) {
  return inferBroadcast(Inference(getOperationName(), loc, types),
                        adaptor.getOperands(), IntegerType::get(context, 1));
}

LogicalResult IsNanOp::inferReturnTypes(MLIRContext *context,
                                        std::optional<Location> loc,
                                        Adaptor adaptor,
                                        SmallVectorImpl<Type> &types) {
  return inferBroadcast(Inference(getOperationName(), loc, types),
                        adaptor.getOperands(), IntegerType::get(context, 1));
}

LogicalResult SelectOp::inferReturnTypes(MLIRContext *,
                                         std::optional<Location> loc,
                                         Adaptor adaptor,
                                         SmallVectorImpl<Type> &types) {
  Inference inference(getOperationName(), loc, types);
  ValueRange operands = adaptor.getOperands();
  Extents shape;
  if (failed(inference.checkTensors(operands)) ||
      failed(inference.checkSameElements(operands.drop_front())) ||
      failed(inference.broadcast(operands, shape)))
    return failure();
  return inference.add(shape, tensorOf(operands[1]).getElementType());
}
