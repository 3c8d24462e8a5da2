//===- TileBlockOps.cpp - verifiers of ops on blocks ----------------------===//

#include "dialects/Tile/OpChecks.h"
#include "dialects/Tile/Tile.h"

#include "llvm/ADT/SmallBitVector.h"

using namespace mlir;
using namespace tilefuse::tile;

static LogicalResult checkSameElements(Operation *op, RankedTensorType from,
                                       RankedTensorType to) {
  if (from.getElementType() == to.getElementType())
    return success();
  return op->emitOpError("element type must stay, but changes from ")
         << from.getElementType() << " to " << to.getElementType();
}

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

LogicalResult IotaOp::verify() {
  RankedTensorType type = getResult().getType();
  int64_t dim = getDim();
  if (dim < 0 || dim >= type.getRank())
    return emitOpError("dim ") << dim << " is outside " << type;
  Type element = type.getElementType();
  if (!element.isIndex() && !element.isInteger(32) && !element.isInteger(64))
    return emitOpError("counts in i32, i64 or index, not in ") << element;
  return success();
}

LogicalResult SplatOp::verify() {
  if (getValue().getType() != getResult().getType().getElementType())
    return emitOpError("value has type ")
           << getValue().getType() << ", the block has "
           << getResult().getType().getElementType();
  return success();
}

LogicalResult ExtractOp::verify() {
  RankedTensorType type = getValue().getType();
  if (type.getNumElements() != 1)
    return emitOpError("needs a block of one element, but has ") << type;
  if (type.getElementType() != getResult().getType())
    return emitOpError("result has type ")
           << getResult().getType() << ", the block has "
           << type.getElementType();
  return success();
}

LogicalResult BroadcastOp::verify() {
  RankedTensorType from = getValue().getType(), to = getResult().getType();
  if (failed(checkSameElements(*this, from, to)))
    return failure();
  if (from.getRank() != to.getRank())
    return emitOpError("rank must stay, but changes from ")
           << from.getRank() << " to " << to.getRank();
  for (auto [dim, extents] :
       llvm::enumerate(llvm::zip_equal(from.getShape(), to.getShape()))) {
    auto [small, large] = extents;
    if (small != large && small != 1)
      return emitOpError("dim ") << dim << " cannot grow from " << small
                                 << " to " << large;
  }
  return success();
}

LogicalResult ReshapeOp::verify() {
  RankedTensorType from = getValue().getType(), to = getResult().getType();
  if (failed(checkSameElements(*this, from, to)))
    return failure();
  if (from.getNumElements() != to.getNumElements())
    return emitOpError("number of elements must stay, but changes from ")
           << from.getNumElements() << " to " << to.getNumElements();
  return success();
}

LogicalResult TransOp::verify() {
  RankedTensorType from = getValue().getType(), to = getResult().getType();
  if (failed(checkSameElements(*this, from, to)))
    return failure();
  ArrayRef<int64_t> permutation = getPermutation();
  int64_t rank = from.getRank();
  llvm::SmallBitVector seen(rank);
  bool isPermutation = static_cast<int64_t>(permutation.size()) == rank;
  for (int64_t dim : permutation) {
    isPermutation &= dim >= 0 && dim < rank && !seen.test(dim);
    if (!isPermutation)
      break;
    seen.set(dim);
  }
  if (!isPermutation)
    return emitOpError("permutation [")
           << permutation << "] is not one of " << rank << " dims";
  SmallVector<int64_t> shape;
  for (int64_t dim : permutation)
    shape.push_back(from.getDimSize(dim));
  if (to.getShape() != ArrayRef<int64_t>(shape))
    return emitOpError("result must be ")
           << withShape(from, shape) << ", but is " << to;
  return success();
}

LogicalResult tilefuse::tile::checkWindow(Operation *op, RankedTensorType outer,
                                          RankedTensorType inner,
                                          ArrayRef<int64_t> offsets,
                                          ArrayRef<int64_t> strides) {
  if (failed(checkSameElements(op, outer, inner)))
    return failure();
  int64_t rank = outer.getRank();
  if (inner.getRank() != rank ||
      static_cast<int64_t>(offsets.size()) != rank ||
      static_cast<int64_t>(strides.size()) != rank)
    return op->emitOpError("window, offsets and strides must have the block's "
                           "rank ")
           << rank << ", but have " << inner.getRank() << ", "
           << offsets.size() << " and " << strides.size();
  for (int64_t dim = 0; dim < rank; ++dim) {
    if (strides[dim] < 1)
      return op->emitOpError("strides must be positive, but there is ")
             << strides[dim];
    int64_t last;
    if (offsets[dim] < 0 ||
        llvm::MulOverflow(inner.getDimSize(dim) - 1, strides[dim], last) ||
        llvm::AddOverflow(last, offsets[dim], last) ||
        last >= outer.getDimSize(dim))
      return op->emitOpError("window leaves the block in dim ")
             << dim << ": offset " << offsets[dim] << ", extent "
             << inner.getDimSize(dim) << ", stride " << strides[dim]
             << " in an extent of " << outer.getDimSize(dim);
  }
  return success();
}

LogicalResult WindowOp::verify() {
  return checkWindow(*this, getValue().getType(), getResult().getType(),
                     getOffsets(), getStrides());
}

LogicalResult InsertWindowOp::verify() {
  return checkWindow(*this, getInto().getType(), getSlice().getType(),
                     getOffsets(), getStrides());
}

//===----------------------------------------------------------------------===//
// dot
//===----------------------------------------------------------------------===//

static SmallVector<int64_t> getFreeDims(int64_t rank,
                                        ArrayRef<int64_t> contract,
                                        ArrayRef<int64_t> batch) {
  SmallVector<int64_t> dims;
  for (int64_t dim = 0; dim < rank; ++dim)
    if (!llvm::is_contained(contract, dim) && !llvm::is_contained(batch, dim))
      dims.push_back(dim);
  return dims;
}

SmallVector<int64_t> DotOp::getLhsFreeDims() {
  return getFreeDims(getLhs().getType().getRank(), getLhsContract(),
                     getLhsBatch());
}

SmallVector<int64_t> DotOp::getRhsFreeDims() {
  return getFreeDims(getRhs().getType().getRank(), getRhsContract(),
                     getRhsBatch());
}

// Each dim of an operand is listed at most once.
static LogicalResult checkDotDims(Operation *op, StringRef side,
                                  RankedTensorType type,
                                  ArrayRef<int64_t> contract,
                                  ArrayRef<int64_t> batch) {
  llvm::SmallBitVector seen(type.getRank());
  for (ArrayRef<int64_t> dims : {contract, batch})
    for (int64_t dim : dims) {
      if (dim < 0 || dim >= type.getRank())
        return op->emitOpError() << side << " dim " << dim << " is outside "
                                 << type;
      if (seen.test(dim))
        return op->emitOpError() << side << " dim " << dim << " is used twice";
      seen.set(dim);
    }
  return success();
}

static LogicalResult checkDotPairs(Operation *op, StringRef kind,
                                   RankedTensorType lhs, RankedTensorType rhs,
                                   ArrayRef<int64_t> lhsDims,
                                   ArrayRef<int64_t> rhsDims) {
  if (lhsDims.size() != rhsDims.size())
    return op->emitOpError() << "lhs has " << lhsDims.size() << " " << kind
                             << " dims, rhs has " << rhsDims.size();
  for (auto [l, r] : llvm::zip_equal(lhsDims, rhsDims))
    if (lhs.getDimSize(l) != rhs.getDimSize(r))
      return op->emitOpError()
             << kind << " dims " << l << " of lhs and " << r
             << " of rhs have extents " << lhs.getDimSize(l) << " and "
             << rhs.getDimSize(r);
  return success();
}

LogicalResult DotOp::verify() {
  RankedTensorType lhs = getLhs().getType(), rhs = getRhs().getType();
  RankedTensorType acc = getAcc().getType();
  Type element = lhs.getElementType();
  if (!isa<FloatType>(element) || rhs.getElementType() != element)
    return emitOpError("operands must have one float element type, but have ")
           << element << " and " << rhs.getElementType();
  if (element.isF64() ? !acc.getElementType().isF64()
                      : !acc.getElementType().isF32())
    return emitOpError("acc of ") << element << " operands must be "
                                  << (element.isF64() ? "f64" : "f32")
                                  << ", but is " << acc.getElementType();
  if (getLhsContract().empty())
    return emitOpError("needs at least one contracting dim");
  if (failed(checkDotDims(*this, "lhs", lhs, getLhsContract(),
                          getLhsBatch())) ||
      failed(checkDotDims(*this, "rhs", rhs, getRhsContract(),
                          getRhsBatch())) ||
      failed(checkDotPairs(*this, "contracting", lhs, rhs, getLhsContract(),
                           getRhsContract())) ||
      failed(checkDotPairs(*this, "batch", lhs, rhs, getLhsBatch(),
                           getRhsBatch())))
    return failure();
  SmallVector<int64_t> shape;
  for (int64_t dim : getLhsBatch())
    shape.push_back(lhs.getDimSize(dim));
  for (int64_t dim : getLhsFreeDims())
    shape.push_back(lhs.getDimSize(dim));
  for (int64_t dim : getRhsFreeDims())
    shape.push_back(rhs.getDimSize(dim));
  if (acc.getShape() != ArrayRef<int64_t>(shape))
    return emitOpError("acc and result must be ")
           << withShape(acc, shape) << ", but are " << acc;
  return success();
}

//===----------------------------------------------------------------------===//
// reduce, scan
//===----------------------------------------------------------------------===//

// One or more inputs of one shape; `shape` is the outputs'.
static LogicalResult checkCombined(Operation *op, ArrayRef<int64_t> shape) {
  if (op->getNumOperands() != op->getNumResults())
    return op->emitOpError("has ") << op->getNumOperands() << " inputs and "
                                   << op->getNumResults() << " outputs";
  ArrayRef<int64_t> inputShape =
      cast<RankedTensorType>(op->getOperand(0).getType()).getShape();
  for (auto [from, to] :
       llvm::zip_equal(op->getOperandTypes(), op->getResultTypes())) {
    auto input = cast<RankedTensorType>(from);
    auto output = cast<RankedTensorType>(to);
    if (input.getShape() != inputShape)
      return op->emitOpError("inputs must have one shape, but are ")
             << op->getOperand(0).getType() << " and " << input;
    if (output.getShape() != shape ||
        output.getElementType() != input.getElementType())
      return op->emitOpError("output must be ")
             << withShape(input, shape) << ", but is " << output;
  }
  return success();
}

// Two states in, one out, and no effects.
static LogicalResult checkCombiner(Operation *op, Region &region) {
  Block &block = region.front();
  unsigned count = op->getNumOperands();
  if (block.getNumArguments() != 2 * count)
    return op->emitOpError("combiner must take ")
           << 2 * count << " scalars, but takes " << block.getNumArguments();
  auto yield = block.empty() ? YieldOp() : dyn_cast<YieldOp>(block.back());
  if (!yield)
    return op->emitOpError("combiner must end in tile.yield");
  if (yield->getNumOperands() != count)
    return op->emitOpError("combiner must yield ")
           << count << " scalars, but yields " << yield->getNumOperands();
  for (unsigned i = 0; i < count; ++i) {
    Type element = getElementTypeOrSelf(op->getOperand(i).getType());
    for (Type type : {block.getArgument(i).getType(),
                      block.getArgument(i + count).getType(),
                      yield->getOperand(i).getType()})
      if (type != element)
        return op->emitOpError("combiner must take and yield ")
               << element << " for input " << i << ", but there is " << type;
  }
  for (Operation &inner : block) {
    if (!isMemoryEffectFree(&inner))
      return inner.emitOpError("has effects; a combiner must have none");
    for (Type type : inner.getResultTypes())
      if (!isElementType(type) && !type.isIndex())
        return inner.emitOpError("makes a ")
               << type << "; a combiner works on scalars";
  }
  return success();
}

LogicalResult ReduceOp::verify() {
  if (getInputs().empty())
    return emitOpError("needs at least one input");
  auto type = cast<RankedTensorType>(getInputs().front().getType());
  SmallVector<int64_t> shape(type.getShape());
  int64_t previous = -1;
  if (getDims().empty())
    return emitOpError("needs at least one dim");
  for (int64_t dim : getDims()) {
    if (dim <= previous || dim >= type.getRank())
      return emitOpError("dims [") << getDims() << "] must be increasing dims of "
                                   << type;
    shape[dim] = 1;
    previous = dim;
  }
  return checkCombined(*this, shape);
}

LogicalResult ReduceOp::verifyRegions() {
  return checkCombiner(*this, getCombiner());
}

LogicalResult ScanOp::verify() {
  if (getInputs().empty())
    return emitOpError("needs at least one input");
  auto type = cast<RankedTensorType>(getInputs().front().getType());
  int64_t dim = getDim();
  if (dim < 0 || dim >= type.getRank())
    return emitOpError("dim ") << dim << " is outside " << type;
  return checkCombined(*this, type.getShape());
}

LogicalResult ScanOp::verifyRegions() {
  return checkCombiner(*this, getCombiner());
}
