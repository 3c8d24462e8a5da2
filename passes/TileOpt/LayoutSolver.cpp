//===- LayoutSolver.cpp - the layout each block should have ---------------===//

#include "passes/TileOpt/LayoutSolver.h"
#include "passes/TileOpt/SharedViews.h"

using namespace mlir;
using namespace tilefuse;
using namespace tilefuse::tile;

bool tilefuse::isRematerialisable(Value value) {
  Operation *op = value.getDefiningOp();
  return op && isa<arith::ConstantOp, SplatOp, IotaOp>(op);
}

SmallVector<int64_t> tilefuse::getExpandedDims(BroadcastOp op) {
  SmallVector<int64_t> dims;
  for (auto [dim, extents] :
       llvm::enumerate(llvm::zip_equal(op.getValue().getType().getShape(),
                                       op.getResult().getType().getShape())))
    if (std::get<0>(extents) != std::get<1>(extents))
      dims.push_back(dim);
  return dims;
}

/// Whether all that happens to a result of `op` is one commutative op with a
/// value that a loop carries.
static bool isAddedUp(ReduceOp op) {
  if (op.getOutputs().size() != 1 || !op.getOutputs()[0].hasOneUse())
    return false;
  Block &combiner = op.getCombiner().front();
  if (llvm::range_size(combiner) != 2 ||
      !combiner.front().hasTrait<OpTrait::IsCommutative>())
    return false;
  Operation *user = *op.getOutputs()[0].getUsers().begin();
  if (user->getName() != combiner.front().getName() ||
      !user->getResult(0).hasOneUse())
    return false;
  auto loop = dyn_cast<scf::ForOp>(op->getParentOp());
  return loop && *user->getResult(0).getUsers().begin() ==
                     loop.getBody()->getTerminator();
}

/// Whether a value, element by element, only goes to memory.
static bool isOnlyStored(Value value) {
  return llvm::all_of(value.getUsers(), [](Operation *user) {
    bool passesOn = OpTrait::hasElementwiseMappableTraits(user) ||
                    isa<ReshapeOp, TransOp>(user);
    return isa<StoreOp>(user) || (passesOn && isOnlyStored(user->getResult(0)));
  });
}

/// The same for all results of `op`, of which no part is padding or a copy.
static bool isOnlyStored(ReduceOp op, const DistributedLayout &layout) {
  auto type = cast<RankedTensorType>(op.getInputs().front().getType());
  for (auto [dim, extent] : llvm::enumerate(type.getShape()))
    if (layout.getExtent(dim) != extent)
      return false;
  return !layout.getReplicationMask(Hardware::Register) &&
         llvm::all_of(op.getOutputs(), [](Value v) { return isOnlyStored(v); });
}

std::optional<DistributedLayout>
tilefuse::getReducedLayout(ReduceOp op, const DistributedLayout &layout) {
  std::optional<DistributedLayout> slice = layout.slice(op.getDims());
  if (!slice || !(isAddedUp(op) || isOnlyStored(op, layout)))
    return slice;
  std::vector<DistributedLayout::Bases> bases(numHardware);
  for (unsigned part = 0; part < numHardware; ++part)
    bases[part] = slice->getBases(Hardware(part));
  auto isZero = [](const DistributedLayout::Basis &basis) {
    return llvm::all_of(basis, [](int64_t step) { return step == 0; });
  };
  auto &registers = bases[unsigned(Hardware::Register)];
  auto &lanes = bases[unsigned(Hardware::Lane)];
  for (auto [lane, before] :
       llvm::zip(lanes, layout.getBases(Hardware::Lane))) {
    // Only lanes that meet, and registers that hold different results: neighbours
    // first, which lanes store together.
    if (isZero(before) || !isZero(lane))
      continue;
    auto given = registers.end();
    for (auto it = registers.begin(); it != registers.end(); ++it) {
      bool isEven = !isZero(*it) && llvm::all_of(*it, [&](int64_t step) {
        return step == 0 || llvm::isPowerOf2_64(step);
      });
      if (isEven && (given == registers.end() ||
                     std::lexicographical_compare(it->begin(), it->end(),
                                                  given->begin(), given->end())))
        given = it;
    }
    if (given == registers.end())
      continue;
    lane = *given;
    registers.erase(given);
  }
  std::vector<SmallVector<int64_t, 4>> factors(slice->getRank());
  for (unsigned dim = 0; dim < slice->getRank(); ++dim)
    factors[dim] = slice->getFactors(dim);
  std::string error;
  std::optional<DistributedLayout> divided =
      DistributedLayout::get(factors, bases, error);
  return divided ? divided : slice;
}

namespace {
class Solver {
public:
  explicit Solver(FuncOp func) : func(func), numWarps(func.getWarps()) {}

  LayoutMap run(const LayoutAnchors &anchors) {
    for (const auto &[value, layout] : anchors)
      assign(value, layout);
    spread();
    // What is left, largest first, ties in program order; blocks that each use
    // can make for itself last.
    struct Candidate {
      Value value;
      std::tuple<bool, int64_t, bool, size_t> key;
    };
    SmallVector<Candidate> rest;
    auto collect = [&](Value value) {
      if (isa<RankedTensorType>(value.getType()) && !layouts.contains(value))
        rest.push_back({value,
                        {isRematerialisable(value), -size(value),
                         !isMemory(value), rest.size()}});
    };
    func.walk<WalkOrder::PreOrder>([&](Operation *op) {
      if (op->getParentOfType<ReduceOp>() || op->getParentOfType<ScanOp>())
        return;
      for (Value result : op->getResults())
        collect(result);
      for (Region &region : op->getRegions())
        for (Block &block : region)
          for (Value argument : block.getArguments())
            collect(argument);
    });
    llvm::sort(rest, [](const Candidate &a, const Candidate &b) {
      return a.key < b.key;
    });
    for (auto &[value, key] : rest)
      if (!layouts.contains(value)) {
        assign(value, getMemoryLayout(value, numWarps));
        spread();
      }
    return std::move(layouts);
  }

private:
  static int64_t size(Value value) {
    return cast<RankedTensorType>(value.getType()).getNumElements();
  }
  /// Loaded or stored: its layout decides how well memory is used.
  static bool isMemory(Value value) {
    return value.getDefiningOp<LoadOp>() ||
           llvm::any_of(value.getUsers(), llvm::IsaPred<StoreOp>);
  }

  void assign(Value value, const DistributedLayout &layout) {
    if (layouts.try_emplace(value, layout).second && !isRematerialisable(value))
      pending.push_back(value);
  }
  /// Gives an operand a layout, unless it is made at its use.
  void assignOperand(Value value,
                     const std::optional<DistributedLayout> &layout) {
    if (layout && isa<RankedTensorType>(value.getType()) &&
        !isRematerialisable(value))
      assign(value, *layout);
  }
  void assignTied(ValueRange values, const DistributedLayout &layout) {
    for (Value value : values)
      assignOperand(value, layout);
  }

  void spread() {
    while (!pending.empty()) {
      Value value = pending.pop_back_val();
      DistributedLayout layout = layouts.at(value);
      for (OpOperand &use : value.getUses())
        spreadDown(use, layout);
      if (Operation *op = value.getDefiningOp())
        spreadUp(op, cast<OpResult>(value), layout);
      else
        spreadArgument(cast<BlockArgument>(value), layout);
    }
  }

  static ArrayRef<int64_t> shape(Value value) {
    return cast<RankedTensorType>(value.getType()).getShape();
  }

  /// From an operand to what shares its layout.
  void spreadDown(OpOperand &use, const DistributedLayout &layout) {
    Operation *op = use.getOwner();
    unsigned number = use.getOperandNumber();
    if (OpTrait::hasElementwiseMappableTraits(op)) {
      assignTied(op->getResults(), layout);
      assignTied(op->getOperands(), layout);
    } else if (auto reshape = dyn_cast<ReshapeOp>(op)) {
      assignOperand(
          reshape.getResult(),
          layout.reshape(shape(use.get()), shape(reshape.getResult())));
    } else if (auto trans = dyn_cast<TransOp>(op)) {
      assignOperand(trans.getResult(),
                    layout.transpose(trans.getPermutation()));
    } else if (auto reduce = dyn_cast<ReduceOp>(op)) {
      assignTied(reduce.getInputs(), layout);
      for (Value result : reduce.getOutputs())
        assignOperand(result, getReducedLayout(reduce, layout));
    } else if (auto scan = dyn_cast<ScanOp>(op)) {
      assignTied(scan.getInputs(), layout);
      assignTied(scan.getOutputs(), layout);
    } else if (auto broadcast = dyn_cast<BroadcastOp>(op)) {
      if (getExpandedDims(broadcast).empty())
        assignOperand(broadcast.getResult(), layout);
    } else if (auto loop = dyn_cast<scf::ForOp>(op)) {
      if (number >= loop.getNumControlOperands())
        tieLoop(loop, number - loop.getNumControlOperands(), layout);
    } else if (auto yield = dyn_cast<scf::YieldOp>(op)) {
      spreadYield(yield, number, layout);
    } else if (isa<LoadOp, StoreOp, AtomicOp>(op)) {
      for (Value operand : op->getOperands())
        if (isa<RankedTensorType>(operand.getType()))
          assignOperand(operand, layout);
      assignTied(op->getResults(), layout);
    } else if (isa<MmaOp>(op)) {
      assignTied(op->getResults(), layout);
    } else if (auto whileOp = dyn_cast<scf::WhileOp>(op)) {
      assignOperand(whileOp.getBeforeArguments()[number], layout);
    } else if (auto condition = dyn_cast<scf::ConditionOp>(op)) {
      if (number > 0) {
        auto parent = cast<scf::WhileOp>(condition->getParentOp());
        assignOperand(parent.getAfterArguments()[number - 1], layout);
        assignOperand(parent.getResult(number - 1), layout);
      }
    }
  }

  /// From a result to the operands that should have been in its layout.
  void spreadUp(Operation *op, OpResult result,
                const DistributedLayout &layout) {
    if (OpTrait::hasElementwiseMappableTraits(op)) {
      assignTied(op->getOperands(), layout);
      assignTied(op->getResults(), layout);
    } else if (auto reshape = dyn_cast<ReshapeOp>(op)) {
      assignOperand(reshape.getValue(),
                    layout.reshape(shape(result), shape(reshape.getValue())));
    } else if (auto trans = dyn_cast<TransOp>(op)) {
      SmallVector<int64_t> inverse(trans.getPermutation().size());
      for (auto [i, dim] : llvm::enumerate(trans.getPermutation()))
        inverse[dim] = i;
      assignOperand(trans.getValue(), layout.transpose(inverse));
    } else if (auto broadcast = dyn_cast<BroadcastOp>(op)) {
      assignOperand(broadcast.getValue(),
                    layout.slice(getExpandedDims(broadcast)));
    } else if (auto scan = dyn_cast<ScanOp>(op)) {
      assignTied(scan.getInputs(), layout);
    } else if (isa<LoadOp>(op)) {
      for (Value operand : op->getOperands())
        if (isa<RankedTensorType>(operand.getType()))
          assignOperand(operand, layout);
    } else if (auto mma = dyn_cast<MmaOp>(op)) {
      assignOperand(mma.getAcc(), layout);
    } else if (auto loop = dyn_cast<scf::ForOp>(op)) {
      tieLoop(loop, result.getResultNumber(), layout);
    } else if (auto branch = dyn_cast<scf::IfOp>(op)) {
      for (Region *region : {&branch.getThenRegion(), &branch.getElseRegion()})
        if (!region->empty())
          assignOperand(region->front().getTerminator()->getOperand(
                            result.getResultNumber()),
                        layout);
    } else if (auto whileOp = dyn_cast<scf::WhileOp>(op)) {
      unsigned number = result.getResultNumber();
      assignOperand(whileOp.getAfterArguments()[number], layout);
      assignOperand(whileOp.getConditionOp().getArgs()[number], layout);
    }
  }

  void spreadArgument(BlockArgument argument, const DistributedLayout &layout) {
    Operation *parent = argument.getOwner()->getParentOp();
    unsigned number = argument.getArgNumber();
    if (auto loop = dyn_cast<scf::ForOp>(parent)) {
      if (number >= loop.getNumInductionVars())
        tieLoop(loop, number - loop.getNumInductionVars(), layout);
    } else if (auto whileOp = dyn_cast<scf::WhileOp>(parent)) {
      if (argument.getOwner()->getParent() == &whileOp.getBefore()) {
        assignOperand(whileOp.getInits()[number], layout);
        assignOperand(whileOp.getYieldOp().getOperand(number), layout);
      } else {
        assignOperand(whileOp.getConditionOp().getArgs()[number], layout);
        assignOperand(whileOp.getResult(number), layout);
      }
    }
  }

  void tieLoop(scf::ForOp loop, unsigned number,
               const DistributedLayout &layout) {
    assignOperand(loop.getInitArgs()[number], layout);
    assignOperand(loop.getRegionIterArg(number), layout);
    assignOperand(loop.getResult(number), layout);
    assignOperand(loop.getYieldedValues()[number], layout);
  }

  void spreadYield(scf::YieldOp yield, unsigned number,
                   const DistributedLayout &layout) {
    Operation *parent = yield->getParentOp();
    if (auto loop = dyn_cast<scf::ForOp>(parent))
      tieLoop(loop, number, layout);
    else if (auto whileOp = dyn_cast<scf::WhileOp>(parent))
      assignOperand(whileOp.getBeforeArguments()[number], layout);
    else
      assignOperand(parent->getResult(number), layout);
  }

  FuncOp func;
  unsigned numWarps;
  LayoutMap layouts;
  SmallVector<Value> pending;
};
} // namespace

LayoutMap tilefuse::solveLayouts(FuncOp func, const LayoutAnchors &anchors) {
  return Solver(func).run(anchors);
}
