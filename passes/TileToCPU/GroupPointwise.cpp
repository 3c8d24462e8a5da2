//===- GroupPointwise.cpp - tile-group-pointwise --------------------------===//
//
// One walk up each block finds, for every pointwise op, the op whose loop nest
// it joins: its users', when they all join the same one and see the same shape,
// else its own (it is then a root, and its value exists in memory). Ops that cost
// nothing to repeat (splats, constants, iotas and a little arithmetic on them)
// are cloned into every user's nest instead.
//
//===----------------------------------------------------------------------===//

#include "passes/TileToCPU/Passes.h"

#include "passes/TileToCPU/KernelLowering.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/Iterators.h"

namespace tilefuse {
#define GEN_PASS_DEF_TILEGROUPPOINTWISE
#include "passes/TileToCPU/Passes.h.inc"
} // namespace tilefuse

using namespace mlir;
using namespace tilefuse;

namespace {

constexpr int maxRepeatedOps = 6;

RankedTensorType getBlockType(Operation *op) {
  auto type = op->getNumResults() == 1
                  ? dyn_cast<RankedTensorType>(op->getResult(0).getType())
                  : RankedTensorType();
  return type && type.hasStaticShape() ? type : RankedTensorType();
}

bool isSplatConstant(Operation *op) {
  SplatElementsAttr value;
  return isa<arith::ConstantOp>(op) && matchPattern(op, m_Constant(&value));
}

/// Elementwise arithmetic on blocks; integer division too, which only moves
/// within its block.
bool isArithmetic(Operation *op) {
  return getBlockType(op) && OpTrait::hasElementwiseMappableTraits(op) &&
         isMemoryEffectFree(op);
}

bool isPointwise(Operation *op) {
  return getBlockType(op) &&
         (isArithmetic(op) || isSplatConstant(op) ||
          isa<tile::SplatOp, tile::IotaOp, tile::BroadcastOp>(op));
}

class Grouping {
public:
  explicit Grouping(tile::FuncOp kernel) : kernel(kernel) {}

  /// Returns how many loop nests it made.
  int64_t run() {
    SmallVector<Operation *> roots;
    // Users come after their operands, so a walk in reverse sees them first.
    kernel.walk<WalkOrder::PostOrder, ReverseIterator>([&](Operation *op) {
      if (!isPointwise(op))
        return;
      pointwise.push_back(op);
      if (Operation *root = chooseRoot(op))
        rootOf[op] = root;
      if (rootOf.lookup(op) == op)
        roots.push_back(op);
    });
    for (Operation *root : llvm::reverse(roots))
      emitNest(root);
    for (Operation *op : pointwise)
      if (op->use_empty())
        op->erase();
    return roots.size();
  }

private:
  /// How many ops it takes to repeat `op`; above the limit when it reads a block
  /// from memory.
  int getRepeatCost(Operation *op) {
    if (isSplatConstant(op) || isa<tile::SplatOp>(op))
      return 0;
    if (isa<tile::IotaOp>(op))
      return 1;
    auto [entry, isNew] = repeatCost.try_emplace(op, maxRepeatedOps + 1);
    if (!isNew)
      return entry->second;
    int cost = isa<arith::ArithDialect>(op->getDialect()) ? 1
               : isa<tile::BroadcastOp>(op)               ? 0
                                            : maxRepeatedOps + 1;
    for (Value operand : op->getOperands()) {
      if (!isa<RankedTensorType>(operand.getType()))
        continue;
      Operation *source = operand.getDefiningOp();
      cost += source && isPointwise(source) ? getRepeatCost(source)
                                            : maxRepeatedOps + 1;
      if (cost > maxRepeatedOps)
        break;
    }
    return repeatCost[op] = std::min(cost, maxRepeatedOps + 1);
  }

  bool isRepeated(Operation *op) { return getRepeatCost(op) <= maxRepeatedOps; }

  // The root whose nest `op` joins; itself when its value must exist; null when
  // every user repeats it.
  Operation *chooseRoot(Operation *op) {
    Operation *root = nullptr;
    bool first = true;
    for (Operation *user : op->getUsers()) {
      if (!isPointwise(user))
        return op;
      if (isRepeated(op))
        continue;
      // A broadcast reads its operand many times: the value must exist.
      if (isa<tile::BroadcastOp>(user) || user->getBlock() != op->getBlock() ||
          getBlockType(user).getShape() != getBlockType(op).getShape())
        return op;
      Operation *userRoot = rootOf.lookup(user);
      if (!userRoot || (!first && userRoot != root))
        return op;
      root = userRoot;
      first = false;
    }
    return root;
  }

  /// One generic: its inputs are found while its body is written.
  struct Nest {
    Nest(Operation *root, Block *body)
        : root(root), builder(root->getContext()), body(body) {
      builder.setInsertionPointToEnd(body);
    }
    Operation *root;
    OpBuilder builder;
    Block *body;
    SmallVector<Value> inputs;
    SmallVector<AffineMap> maps;
    llvm::DenseMap<std::pair<Value, AffineMap>, Value> scalars;
  };

  void emitNest(Operation *root) {
    RankedTensorType type = getBlockType(root);
    MLIRContext *context = root->getContext();
    auto body = std::make_unique<Block>();
    Nest nest(root, body.get());
    AffineMap identity =
        AffineMap::getMultiDimIdentityMap(type.getRank(), context);
    Value scalar = emitScalar(nest, root->getResult(0), identity);
    body->addArgument(type.getElementType(), root->getLoc());
    linalg::YieldOp::create(nest.builder, root->getLoc(), scalar);

    OpBuilder builder(root);
    Location loc = root->getLoc();
    Value empty = tensor::EmptyOp::create(builder, loc, type.getShape(),
                                          type.getElementType());
    nest.maps.push_back(identity);
    SmallVector<utils::IteratorType> loops(type.getRank(),
                                           utils::IteratorType::parallel);
    auto generic =
        linalg::GenericOp::create(builder, loc, TypeRange{empty.getType()},
                                  nest.inputs, ValueRange{empty}, nest.maps,
                                  loops);
    generic.getRegion().getBlocks().clear();
    generic.getRegion().push_back(body.release());
    // Pointwise users of what costs nothing still repeat it.
    root->getResult(0).replaceUsesWithIf(
        generic.getResult(0), [&](OpOperand &use) {
          return !isRepeated(root) || !isPointwise(use.getOwner());
        });
  }

  // The element of `block` at `position` (a map from the nest's loops).
  Value emitScalar(Nest &nest, Value block, AffineMap position) {
    if (!isa<RankedTensorType>(block.getType()))
      return block;
    if (Value known = nest.scalars.lookup({block, position}))
      return known;
    Value scalar = emitNewScalar(nest, block, position);
    return nest.scalars[{block, position}] = scalar;
  }

  Value emitNewScalar(Nest &nest, Value block, AffineMap position) {
    Operation *op = block.getDefiningOp();
    bool isInside =
        op && isPointwise(op) &&
        (op == nest.root || isRepeated(op) || rootOf.lookup(op) == nest.root ||
         isa<tile::BroadcastOp>(op));
    if (!isInside)
      return emitInput(nest, block, position);
    OpBuilder &b = nest.builder;
    Location loc = op->getLoc();
    if (isSplatConstant(op)) {
      auto value = cast<SplatElementsAttr>(cast<arith::ConstantOp>(op).getValue());
      return arith::ConstantOp::create(
          b, loc, cast<TypedAttr>(value.getSplatValue<Attribute>()));
    }
    if (auto splat = dyn_cast<tile::SplatOp>(op))
      return splat.getValue();
    if (auto iota = dyn_cast<tile::IotaOp>(op))
      return emitIota(nest, iota, position);
    if (auto broadcast = dyn_cast<tile::BroadcastOp>(op)) {
      auto small = cast<RankedTensorType>(broadcast.getValue().getType());
      SmallVector<AffineExpr> results(position.getResults());
      for (auto [result, extent] : llvm::zip_equal(results, small.getShape()))
        if (extent == 1)
          result = b.getAffineConstantExpr(0);
      AffineMap from = AffineMap::get(position.getNumDims(), 0, results,
                                      op->getContext());
      return emitScalar(nest, broadcast.getValue(), from);
    }
    SmallVector<Value> operands;
    for (Value operand : op->getOperands())
      operands.push_back(emitScalar(nest, operand, position));
    OperationState state(loc, op->getName(), operands,
                         getElementTypeOrSelf(block.getType()),
                         op->getDiscardableAttrDictionary().getValue());
    Operation *scalar = b.create(state);
    scalar->copyProperties(op->getPropertiesStorage());
    return scalar->getResult(0);
  }

  Value emitIota(Nest &nest, tile::IotaOp iota, AffineMap position) {
    OpBuilder &b = nest.builder;
    Location loc = iota.getLoc();
    auto dim = dyn_cast<AffineDimExpr>(position.getResult(iota.getDim()));
    Value index =
        dim ? Value(linalg::IndexOp::create(b, loc, dim.getPosition()))
            : Value(arith::ConstantIndexOp::create(b, loc, 0));
    Type element = iota.getType().getElementType();
    return element.isIndex()
               ? index
               : Value(arith::IndexCastOp::create(b, loc, element, index));
  }

  Value emitInput(Nest &nest, Value block, AffineMap position) {
    nest.inputs.push_back(block);
    nest.maps.push_back(position);
    return nest.body->addArgument(getElementTypeOrSelf(block.getType()),
                                  nest.root->getLoc());
  }

  tile::FuncOp kernel;
  SmallVector<Operation *> pointwise;
  llvm::DenseMap<Operation *, Operation *> rootOf;
  llvm::DenseMap<Operation *, int> repeatCost;
};

struct GroupPointwise
    : tilefuse::impl::TileGroupPointwiseBase<GroupPointwise> {
  void runOnOperation() override {
    for (auto kernel : getOperation().getOps<tile::FuncOp>()) {
      if (failed(checkFirstLevel(kernel)))
        return signalPassFailure();
      numGroups += Grouping(kernel).run();
    }
  }
};

} // namespace
