//===- TileSharedOps.cpp - verifiers of second-level ops ------------------===//

#include "dialects/Tile/Layout/Conversion.h"
#include "dialects/Tile/Layout/WgmmaPlan.h"
#include "dialects/Tile/OperandExtents.h"

using namespace mlir;
using namespace tilefuse::tile;

static SharedLayout getLayout(SharedType type) {
  return cast<SharedLayoutAttr>(type.getLayout()).getLayout();
}

/// A block tensor's layout, or an error: the op is of the second level.
static FailureOr<DistributedLayout> getLayout(Operation *op, Type type,
                                              StringRef what) {
  if (auto layout = DistributedAttr::lookup(type))
    return *layout;
  return op->emitOpError() << what
                           << " needs a #tile.distributed encoding, but "
                           << "is " << type << " (run tile-assign-layouts)";
}

static LogicalResult checkSameBlock(Operation *op, RankedTensorType block,
                                    SharedType shared) {
  if (block.getShape() != shared.getShape() ||
      block.getElementType() != shared.getElementType())
    return op->emitOpError("block ") << block << " and shared tile " << shared
                                     << " differ in shape or element type";
  return success();
}

/// The result of a free view change must be what composition gives.
static LogicalResult checkView(Operation *op, SharedType from, SharedType to,
                               std::optional<SharedLayout> expected) {
  if (from.getElementType() != to.getElementType())
    return op->emitOpError("element type must stay, but changes from ")
           << from.getElementType() << " to " << to.getElementType();
  if (!expected)
    return op->emitOpError("is not representable: strides of ")
           << from << " do not nest";
  SharedLayout actual = getLayout(to);
  bool same = actual.getOffset() == expected->getOffset() &&
              actual.getSwizzle() == expected->getSwizzle();
  for (auto [dim, size] : llvm::enumerate(to.getShape()))
    same &=
        size == 1 || actual.getStrides()[dim] == expected->getStrides()[dim];
  if (!same)
    return op->emitOpError("result must have layout ")
           << SharedLayoutAttr::get(op->getContext(), *expected) << ", but has "
           << to.getLayout();
  return success();
}

//===----------------------------------------------------------------------===//
// Copies
//===----------------------------------------------------------------------===//

int64_t AllocSharedOp::getBytes() {
  SharedType type = getResult().getType();
  int64_t bits = type.getElementType().getIntOrFloatBitWidth();
  return ::getLayout(type).getSpan(type.getShape()) *
         std::max<int64_t>(1, bits / 8);
}

LogicalResult AllocSharedOp::verify() {
  SharedType type = getResult().getType();
  if (auto offset = getOffset(); offset && *offset < 0)
    return emitOpError("offset must not be negative, but is ") << *offset;
  int64_t elements = 1;
  for (int64_t extent : type.getShape())
    elements *= extent;
  constexpr int64_t mostElements = 227 * 1024;
  if (elements > mostElements)
    return emitOpError("has ") << elements << " elements, of " << mostElements
                               << " that shared memory holds at most";
  if (!::getLayout(type).isInjective(type.getShape()))
    return emitOpError("layout gives one position to several elements of ")
           << type;
  return success();
}

LogicalResult CopyToSharedOp::verify() {
  RankedTensorType type = getValue().getType();
  if (failed(checkSameBlock(*this, type, getDest().getType())) ||
      failed(::getLayout(*this, type, "value")))
    return failure();
  if (auto rounding = getRounding();
      rounding &&
      (*rounding != Precision::tf32 || !type.getElementType().isF32()))
    return emitOpError("rounding is tf32, of f32 elements");
  if (getRest() && !getRounding())
    return emitOpError("rest is that of a rounding");
  return success();
}

LogicalResult LoadSharedOp::verify() {
  RankedTensorType type = getResult().getType();
  if (failed(checkSameBlock(*this, type, getSource().getType())))
    return failure();
  return ::getLayout(*this, type, "result");
}

LogicalResult AsyncCopyOp::verify() {
  ViewType view = getView().getType();
  SharedType dest = getDest().getType();
  int64_t rank = view.getRank();
  if (int64_t(dest.getShape().size()) != rank)
    return emitOpError("view of rank ")
           << rank << " and shared tile of rank " << dest.getShape().size();
  if (view.getElementType() != dest.getElementType())
    return emitOpError("view and shared tile have element types ")
           << view.getElementType() << " and " << dest.getElementType();
  unsigned bits = view.getElementType().getIntOrFloatBitWidth();
  if (bits < 32)
    return emitOpError("copies at least 4 bytes at a time, elements have ")
           << bits << " bits";
  if (int64_t(getOffsets().size()) != rank)
    return emitOpError("needs ")
           << rank << " offsets, but has " << getOffsets().size();
  if (auto steps = getSteps()) {
    if (int64_t(steps->size()) != rank)
      return emitOpError("needs ")
             << rank << " steps, but has " << steps->size();
    if (llvm::any_of(*steps, [](int64_t step) { return step < 1; }))
      return emitOpError("steps must be positive");
  }
  return getLayout().verifyEncoding(dest.getShape(), dest.getElementType(),
                                    [&] { return emitOpError(); });
}

//===----------------------------------------------------------------------===//
// Views
//===----------------------------------------------------------------------===//

LogicalResult SharedWindowOp::verify() {
  SharedType from = getSource().getType(), to = getResult().getType();
  size_t rank = from.getShape().size();
  if (to.getShape().size() != rank || getOffsets().size() != rank ||
      getStrides().size() != rank)
    return emitOpError("window, offsets and strides must have the tile's rank ")
           << rank << ", but have " << to.getShape().size() << ", "
           << getOffsets().size() << " and " << getStrides().size();
  for (size_t dim = 0; dim < rank; ++dim) {
    int64_t offset = getOffsets()[dim], stride = getStrides()[dim];
    int64_t extent = from.getShape()[dim];
    // Checked against the extent first, so that the product stays small.
    if (offset < 0 || stride < 1 || offset >= extent || stride > extent ||
        offset + (to.getShape()[dim] - 1) * stride >= extent)
      return emitOpError("window of dim ")
             << dim << " leaves the tile of extent " << extent << ": offset "
             << offset << ", stride " << stride << ", size "
             << to.getShape()[dim];
  }
  return checkView(*this, from, to,
                   ::getLayout(from).window(getOffsets(), getStrides()));
}

LogicalResult SharedReshapeOp::verify() {
  SharedType from = getSource().getType(), to = getResult().getType();
  int64_t before = 1, after = 1;
  for (int64_t extent : from.getShape())
    before *= extent;
  for (int64_t extent : to.getShape())
    after *= extent;
  if (before != after)
    return emitOpError("number of elements must stay, but changes from ")
           << before << " to " << after;
  return checkView(*this, from, to,
                   ::getLayout(from).reshape(from.getShape(), to.getShape()));
}

LogicalResult SharedTransOp::verify() {
  SharedType from = getSource().getType(), to = getResult().getType();
  size_t rank = from.getShape().size();
  SmallVector<int64_t> sorted(getPermutation());
  llvm::sort(sorted);
  bool isPermutation = sorted.size() == rank;
  for (auto [i, dim] : llvm::enumerate(sorted))
    isPermutation &= dim == int64_t(i);
  if (!isPermutation)
    return emitOpError("permutation [")
           << getPermutation() << "] is not one of " << rank << " dims";
  SmallVector<int64_t> shape;
  for (int64_t dim : getPermutation())
    shape.push_back(from.getShape()[dim]);
  if (to.getShape() != ArrayRef(shape))
    return emitOpError("result must have shape [")
           << shape << "], but is " << to;
  return checkView(*this, from, to,
                   ::getLayout(from).transpose(getPermutation()));
}

LogicalResult AsyncWaitOp::verify() {
  if (getNewest() < 0 || (getNewest() && !getTokens().empty()))
    return emitOpError("waits for tokens or for all but some groups");
  return success();
}

LogicalResult SharedSlotOp::verify() {
  SharedType from = getSource().getType(), to = getResult().getType();
  if (from.getShape().empty() || from.getShape().drop_front() != to.getShape())
    return emitOpError("takes the first dim off ") << from << ", but gives " << to;
  if (getAhead() < 0)
    return emitOpError("ahead must not be negative, but is ") << getAhead();
  auto argument = dyn_cast<BlockArgument>(getStep());
  auto loop = argument
                  ? dyn_cast<scf::ForOp>(argument.getOwner()->getParentOp())
                  : scf::ForOp();
  bool counts = loop && loop.getInductionVar() == getStep() &&
                matchPattern(loop.getLowerBound(), m_Zero()) &&
                matchPattern(loop.getStep(), m_One());
  if (!counts && !matchPattern(getStep(), m_Constant()))
    return emitOpError("step must be a constant or the induction variable of a "
                       "loop from 0 by 1");
  SharedLayout layout = ::getLayout(from);
  const Swizzle &swizzle = layout.getSwizzle();
  if (swizzle.bits &&
      layout.getStrides()[0] %
          (int64_t(1) << (swizzle.base + swizzle.bits + swizzle.shift)))
    return emitOpError("buffers must be whole periods of the swizzle");
  return checkView(*this, from, to, layout.getSlot());
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

LogicalResult ConvertLayoutOp::verify() {
  RankedTensorType from = getValue().getType(), to = getResult().getType();
  if (from.getShape() != to.getShape() ||
      from.getElementType() != to.getElementType())
    return emitOpError(
               "only the layout may change, but the block changes from ")
           << from << " to " << to;
  auto source = ::getLayout(*this, from, "operand");
  if (failed(source))
    return failure();
  auto target = ::getLayout(*this, to, "result");
  if (failed(target))
    return failure();
  if (planConversion(*source, *target, from.getShape()).kind ==
      ConversionKind::Shared)
    return emitOpError("moves values between warps, which takes a shared tile");
  return success();
}

DotDims MmaOp::getDims() {
  DotDims dims;
  dims.lhsShape.assign(getLhs().getType().getShape().begin(),
                       getLhs().getType().getShape().end());
  dims.rhsShape.assign(getRhs().getType().getShape().begin(),
                       getRhs().getType().getShape().end());
  dims.lhsBatch.assign(getLhsBatch().begin(), getLhsBatch().end());
  dims.rhsBatch.assign(getRhsBatch().begin(), getRhsBatch().end());
  dims.lhsContract.assign(getLhsContract().begin(), getLhsContract().end());
  dims.rhsContract.assign(getRhsContract().begin(), getRhsContract().end());
  return dims;
}

MmaLayouts MmaOp::getMmaLayouts() {
  MmaLayouts layouts;
  if (auto acc = DistributedAttr::lookup(getAcc().getType()))
    layouts.acc = *acc;
  if (auto lhs = getLhsLayout())
    layouts.lhs = lhs->getLayout();
  if (auto rhs = getRhsLayout())
    layouts.rhs = rhs->getLayout();
  return layouts;
}

/// Batch and contracting dims of one operand: in range, each once.
static LogicalResult checkDims(Operation *op, StringRef name, int64_t rank,
                               ArrayRef<int64_t> batch,
                               ArrayRef<int64_t> contract) {
  SmallVector<bool> seen(rank, false);
  for (int64_t dim : llvm::concat<const int64_t>(batch, contract)) {
    if (dim < 0 || dim >= rank || seen[dim])
      return op->emitOpError()
             << name << " dim " << dim << " is out of range or given twice";
    seen[dim] = true;
  }
  return success();
}

LogicalResult MmaOp::verify() {
  SharedType lhs = getLhs().getType(), rhs = getRhs().getType();
  RankedTensorType acc = getAcc().getType();
  if (failed(checkDims(*this, "lhs", lhs.getShape().size(), getLhsBatch(),
                       getLhsContract())) ||
      failed(checkDims(*this, "rhs", rhs.getShape().size(), getRhsBatch(),
                       getRhsContract())))
    return failure();
  if (getLhsBatch().size() != getRhsBatch().size() ||
      getLhsContract().size() != getRhsContract().size())
    return emitOpError("batch and contracting dims must pair up");
  auto checkPairs = [&](ArrayRef<int64_t> a, ArrayRef<int64_t> b) {
    return llvm::all_of(llvm::zip_equal(a, b), [&](auto pair) {
      return lhs.getShape()[std::get<0>(pair)] ==
             rhs.getShape()[std::get<1>(pair)];
    });
  };
  if (!checkPairs(getLhsBatch(), getRhsBatch()) ||
      !checkPairs(getLhsContract(), getRhsContract()))
    return emitOpError("paired dims of ")
           << lhs << " and " << rhs << " differ in size";
  DotDims dims = getDims();
  if (acc.getShape() != ArrayRef(dims.getResultShape()))
    return emitOpError("accumulator must have shape [")
           << dims.getResultShape() << "], but is " << acc;
  if (lhs.getElementType() != rhs.getElementType())
    return emitOpError("operands have element types ")
           << lhs.getElementType() << " and " << rhs.getElementType();
  if (failed(::getLayout(*this, acc, "accumulator")))
    return failure();
  for (auto [which, type] : {std::pair(0u, lhs), std::pair(1u, rhs)}) {
    if (!(*this)->hasAttr(getOperandExtentsName(which)))
      continue;
    auto extents = getOperandExtents(*this, which);
    if (!extents || extents->size() != type.getShape().size())
      return emitOpError(getOperandExtentsName(which))
             << " must have an extent for each dim of " << type;
    if (getMma() != MmaKind::mma_sync || !lhs.getElementType().isF32())
      return emitOpError(getOperandExtentsName(which))
             << " are for mma_sync of f32";
  }
  bool isWarpgroup = getMma() == MmaKind::wgmma;
  if (!isWarpgroup && (getLhsRounded() || getRhsRounded()) &&
      (getPrecision() != Precision::tf32 || !lhs.getElementType().isF32()))
    return emitOpError("rounded operands are f32, of precision tf32");
  if (getMma() == MmaKind::fma)
    return success();
  Type element = lhs.getElementType();
  if (isWarpgroup && !element.isF32())
    return emitOpError("wgmma multiplies f32 here, not ") << element;
  if (getRhsRest() && (!isWarpgroup || getPrecision() != Precision::ieee ||
                       getRhsRest().getType() != rhs))
    return emitOpError("rest is that of the rhs of a wgmma of precision ieee");
  if (isWarpgroup && (!getRhsRounded() || (getPrecision() == Precision::ieee &&
                                           !getRhsRest())))
    return emitOpError("wgmma reads an rhs that is rounded, and what that took "
                       "away for precision ieee");
  if (!element.isF32() && !element.isF16() && !element.isBF16())
    return emitOpError("mma_sync multiplies f32, f16 or bf16, not ") << element;
  if (!acc.getElementType().isF32())
    return emitOpError("mma_sync adds up in f32, not ") << acc.getElementType();
  if (!getLhsLayout() || !getRhsLayout())
    return emitOpError("mma_sync needs lhs_layout and rhs_layout");
  if (failed(getLhsLayout()->verifyEncoding(
          lhs.getShape(), element,
          [&] { return emitOpError("lhs_layout: "); })) ||
      failed(getRhsLayout()->verifyEncoding(rhs.getShape(), element, [&] {
        return emitOpError("rhs_layout: ");
      })))
    return failure();
  if (!planMma(dims, getMmaLayouts(), element.getIntOrFloatBitWidth()))
    return emitOpError("layouts of accumulator and fragments do not make ")
           << "mma instructions together";
  if (isWarpgroup && !planWgmma(dims, getMmaLayouts(), ::getLayout(rhs)))
    return emitOpError("rhs is not made of core matrices: ") << rhs;
  return success();
}
