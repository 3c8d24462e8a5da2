//===- TileClusterOps.cpp - ops of neighbouring blocks --------------------===//

#include "dialects/Tile/TileClusterOps.h"

using namespace mlir;
using namespace tilefuse::tile;

LogicalResult JoinPairOp::verify() {
  RankedTensorType from = getValue().getType(), to = getResult().getType();
  int64_t dim = getDim();
  if (dim < 0 || dim >= from.getRank())
    return emitOpError("dim ") << dim << " is outside " << from;
  SmallVector<int64_t> shape(from.getShape());
  shape[dim] *= 2;
  if (to.getShape() != ArrayRef(shape) ||
      to.getElementType() != from.getElementType())
    return emitOpError("result ")
           << to << " is not twice as long as " << from << " along dim " << dim;
  if (!from.getElementType().isIntOrFloat() ||
      from.getElementTypeBitWidth() != 32)
    return emitOpError("exchanges elements of 32 bits, not ")
           << from.getElementType();
  auto source = DistributedAttr::lookup(from), target = DistributedAttr::lookup(to);
  if (!source || !target)
    return emitOpError("needs #tile.distributed encodings "
                       "(run tile-assign-layouts)");
  if (target->getNumBits(Hardware::Block) != 1 ||
      source->getNumBits(Hardware::Block) != 0)
    return emitOpError("result's layout must have one bit for the thread block, "
                       "and the operand's none");
  return success();
}

#define GET_OP_CLASSES
#include "dialects/Tile/TileClusterOps.cpp.inc"
