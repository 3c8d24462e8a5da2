//===- FlatSlice.cpp - computed operands as lines of elements ---*- C++ -*-===//

#include "passes/TileOpt/FlatSlice.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/SmallPtrSet.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace tilefuse;
using namespace tilefuse::tile;

static RankedTensorType getBlock(Value value) {
  return dyn_cast<RankedTensorType>(value.getType());
}

/// `layout` with dims from `first` on as one line of `length` elements, `vector`
/// neighbours a register group: thread bits of those dims, and those of copies,
/// run along the line; all others stay.
static std::optional<DistributedLayout> getLine(const DistributedLayout &layout,
                                                unsigned first, int64_t length,
                                                int64_t vector) {
  unsigned rank = first + 1;
  std::vector<DistributedLayout::Bases> bases(numHardware);
  SmallVector<SmallVector<int64_t, 4>> factors;
  for (unsigned dim = 0; dim < first; ++dim)
    factors.push_back(layout.getFactors(dim));
  auto along = [&](int64_t weight) {
    DistributedLayout::Basis basis(rank, 0);
    basis[first] = weight;
    return basis;
  };
  int64_t weight = 1;
  auto &registers = bases[unsigned(Hardware::Register)];
  for (; weight < vector; weight *= 2)
    registers.push_back(along(weight));
  for (Hardware part : {Hardware::Lane, Hardware::Warp}) {
    for (const DistributedLayout::Basis &old : layout.getBases(part)) {
      auto inLine = [](int64_t c) { return c != 0; };
      bool leads = llvm::any_of(ArrayRef(old).take_front(first), inLine);
      if (leads && llvm::any_of(ArrayRef(old).drop_front(first), inLine))
        return std::nullopt;
      if (leads) {
        DistributedLayout::Basis basis(old.begin(), old.begin() + first);
        basis.push_back(0);
        bases[unsigned(part)].push_back(basis);
        continue;
      }
      bases[unsigned(part)].push_back(along(weight));
      weight *= 2;
    }
  }
  if (layout.getNumBits(Hardware::Block))
    return std::nullopt;
  int64_t rest = llvm::divideCeil(length, weight);
  int64_t even = rest & -rest;
  factors.push_back({weight * even, rest / even});
  for (; even > 1; even /= 2, weight *= 2)
    registers.push_back(along(weight));
  for (const DistributedLayout::Basis &old :
       layout.getBases(Hardware::Register))
    if (llvm::any_of(ArrayRef(old).take_front(first),
                     [](int64_t c) { return c != 0; })) {
      DistributedLayout::Basis basis(old.begin(), old.begin() + first);
      basis.push_back(0);
      registers.push_back(basis);
    }
  std::string error;
  return DistributedLayout::get(factors, bases, error);
}

//===----------------------------------------------------------------------===//
// What can be a line
//===----------------------------------------------------------------------===//

/// As long as the root along the dims that become one.
bool FlatSlice::isFlat(Value value) const {
  RankedTensorType type = getBlock(value);
  return type && type.getRank() == int64_t(rootShape.size()) &&
         type.getShape().drop_front(first) ==
             ArrayRef(rootShape).drop_front(first);
}

/// One element along them.
bool FlatSlice::isSmall(Value value) const {
  RankedTensorType type = getBlock(value);
  return type && type.getRank() == int64_t(rootShape.size()) &&
         llvm::all_of(type.getShape().drop_front(first),
                      [](int64_t extent) { return extent == 1; });
}

SmallVector<int64_t> FlatSlice::getShape(Value value) const {
  SmallVector<int64_t> shape(getBlock(value).getShape().take_front(first));
  shape.push_back(isSmall(value) && length != 1 ? 1 : length);
  return shape;
}

/// Nothing where the layout has no such part.
std::optional<RankedTensorType> FlatSlice::getType(Value value) const {
  SmallVector<int64_t> shape = getShape(value), dims;
  for (unsigned dim = 0; dim <= first; ++dim)
    if (shape[dim] == 1 && (dim == first ? length : rootShape[dim]) != 1)
      dims.push_back(dim);
  std::optional<DistributedLayout> part =
      dims.empty() ? layout : layout.slice(dims);
  if (!part)
    return std::nullopt;
  return RankedTensorType::get(
      shape, getBlock(value).getElementType(),
      DistributedAttr::get(value.getContext(), *part));
}

bool FlatSlice::canMake(Value value,
                        llvm::SmallPtrSetImpl<Operation *> &seen) const {
  RankedTensorType type = getBlock(value);
  if (!type || type.getRank() != int64_t(rootShape.size()))
    return false;
  // Its layout without the dims of one element must be what the line's is.
  if (isSmall(value)) {
    auto own = DistributedAttr::lookup(type);
    std::optional<RankedTensorType> wanted = getType(value);
    if (!own || !wanted)
      return false;
    auto shaped = own->reshape(type.getShape(), wanted->getShape());
    return shaped && shaped->equalUpToRegisters(
                         *DistributedAttr::lookup(*wanted));
  }
  Operation *op = value.getDefiningOp();
  if (!op)
    return false;
  if (!seen.insert(op).second)
    return true;
  if (!getType(value))
    return false;
  if (auto load = dyn_cast<LoadOp>(op))
    return isFlat(value) && llvm::is_contained(loads, load);
  if (isa<IotaOp, SplatOp>(op))
    return true;
  DenseElementsAttr constant;
  if (matchPattern(value, m_Constant(&constant)))
    return constant.isSplat();
  if (!isa<BroadcastOp>(op) && !OpTrait::hasElementwiseMappableTraits(op))
    return false;
  return llvm::all_of(op->getOperands(),
                      [&](Value operand) { return canMake(operand, seen); });
}

std::optional<FlatSlice> FlatSlice::plan(Value root, ArrayRef<LoadOp> loads,
                                         const SharedLayout &dest) {
  RankedTensorType type = getBlock(root);
  std::optional<DistributedLayout> old =
      type ? DistributedAttr::lookup(type) : std::nullopt;
  if (!old || loads.empty() || type.getRank() < 2)
    return std::nullopt;
  FlatSlice flat;
  flat.root = root;
  flat.loads.assign(loads.begin(), loads.end());
  flat.rootShape.assign(type.getShape().begin(), type.getShape().end());
  flat.first = type.getRank() - 2;
  flat.length = type.getShape()[flat.first] * type.getShape()[flat.first + 1];
  SmallVector<int64_t> shape(type.getShape().take_front(flat.first));
  shape.push_back(flat.length);
  std::optional<SharedLayout> line = dest.reshape(type.getShape(), shape);
  if (!line || line->getStrides().back() != 1 || dest.getSwizzle().bits)
    return std::nullopt;
  int64_t vector = 4;
  auto fits = [&](int64_t v) {
    return flat.length % v == 0 && line->getOffset() % v == 0 &&
           llvm::all_of(ArrayRef(line->getStrides()).drop_back(),
                        [&](int64_t stride) { return stride % v == 0; });
  };
  while (vector > 1 && !fits(vector))
    vector /= 2;
  std::optional<DistributedLayout> layout =
      getLine(*old, flat.first, flat.length, vector);
  if (!layout || layout->getNumRegisters() >= old->getNumRegisters())
    return std::nullopt;
  flat.layout = *layout;
  llvm::SmallPtrSet<Operation *, 32> seen;
  if (!flat.canMake(root, seen))
    return std::nullopt;
  return flat;
}

//===----------------------------------------------------------------------===//
// Code
//===----------------------------------------------------------------------===//

namespace tilefuse {
class FlatEmitter {
public:
  FlatEmitter(const FlatSlice &flat, OpBuilder &builder, IRMapping &mapping,
              ArrayRef<Value> tiles)
      : flat(flat), builder(builder), mapping(mapping), tiles(tiles) {}

  Value get(Value value) {
    auto [place, isNew] = known.try_emplace(value);
    if (!isNew)
      return place->second;
    Value made = flat.isSmall(value) ? shrink(value) : make(value);
    return known[value] = made;
  }

private:
  /// As it is, for this round.
  Value clone(Value value) {
    if (Value there = mapping.lookupOrNull(value))
      return there;
    Operation *op = value.getDefiningOp();
    if (!op || op->getBlock() != flat.root.getDefiningOp()->getBlock())
      return value;
    for (Value operand : op->getOperands())
      clone(operand);
    builder.clone(*op, mapping);
    return mapping.lookup(value);
  }

  Value shrink(Value value) {
    Value there = clone(value);
    RankedTensorType type = *flat.getType(value);
    auto own = *DistributedAttr::lookup(value.getType());
    auto shaped =
        *own.reshape(getBlock(value).getShape(), type.getShape());
    auto plain = RankedTensorType::get(
        type.getShape(), type.getElementType(),
        DistributedAttr::get(builder.getContext(), shaped));
    return ReshapeOp::create(builder, value.getLoc(), plain, there);
  }

  Value constant(Location loc, RankedTensorType type, int64_t value) {
    return arith::ConstantOp::create(
        builder, loc,
        DenseElementsAttr::get(
            type, Attribute(builder.getIntegerAttr(type.getElementType(),
                                                   value))));
  }

  /// Positions along one of the dims that became one.
  Value makeIota(IotaOp op, RankedTensorType type) {
    Location loc = op.getLoc();
    auto dim = unsigned(op.getDim());
    auto at = [&](unsigned line) {
      return IotaOp::create(builder, loc, type,
                            builder.getI64IntegerAttr(line));
    };
    if (dim < flat.first)
      return at(dim);
    int64_t inner = 1;
    for (unsigned other = dim + 1; other < flat.rootShape.size(); ++other)
      inner *= flat.rootShape[other];
    Value position = at(flat.first);
    if (inner != 1)
      position = arith::DivUIOp::create(builder, loc, position,
                                        constant(loc, type, inner));
    if (dim > flat.first)
      position = arith::RemUIOp::create(
          builder, loc, position,
          constant(loc, type, flat.rootShape[dim]));
    return position;
  }

  Value make(Value value) {
    Operation *op = value.getDefiningOp();
    Location loc = op->getLoc();
    RankedTensorType type = *flat.getType(value);
    if (auto load = dyn_cast<LoadOp>(op)) {
      size_t number = llvm::find(flat.loads, load) - flat.loads.begin();
      return LoadSharedOp::create(
          builder, loc, type, flat.createView(builder, loc, tiles[number]));
    }
    if (auto iota = dyn_cast<IotaOp>(op))
      return makeIota(iota, type);
    if (auto splat = dyn_cast<SplatOp>(op))
      return SplatOp::create(builder, loc, type, clone(splat.getValue()));
    DenseElementsAttr constant;
    if (matchPattern(value, m_Constant(&constant)))
      return arith::ConstantOp::create(
          builder, loc,
          DenseElementsAttr::get(type, constant.getSplatValue<Attribute>()));
    if (auto broadcast = dyn_cast<BroadcastOp>(op)) {
      Value source = get(broadcast.getValue());
      if (source.getType() == type)
        return source;
      return BroadcastOp::create(builder, loc, type, source);
    }
    IRMapping operands;
    for (Value operand : op->getOperands())
      operands.map(operand, get(operand));
    Operation *copy = builder.clone(*op, operands);
    copy->getResult(0).setType(type);
    return copy->getResult(0);
  }

  const FlatSlice &flat;
  OpBuilder &builder;
  IRMapping &mapping;
  ArrayRef<Value> tiles;
  DenseMap<Value, Value> known;
};
} // namespace tilefuse

Value FlatSlice::emit(OpBuilder &builder, IRMapping &mapping,
                      ArrayRef<Value> tiles) const {
  return FlatEmitter(*this, builder, mapping, tiles).get(root);
}

Value FlatSlice::createView(OpBuilder &builder, Location loc,
                            Value sharedTile) const {
  auto from = cast<SharedType>(sharedTile.getType());
  SmallVector<int64_t> shape(rootShape.begin(), rootShape.begin() + first);
  shape.push_back(length);
  SharedLayout line = *cast<SharedLayoutAttr>(from.getLayout())
                           .getLayout()
                           .reshape(rootShape, shape);
  return SharedReshapeOp::create(
      builder, loc,
      SharedType::get(builder.getContext(), shape, from.getElementType(),
                      SharedLayoutAttr::get(builder.getContext(), line)),
      sharedTile);
}
