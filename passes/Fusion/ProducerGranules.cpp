//===- ProducerGranules.cpp - steps that operands can be made in -*- C++ -*-===//

#include "passes/Fusion/ProducerGranules.h"
#include "dialects/Fuse/OneTerm.h"
#include "llvm/ADT/DenseSet.h"
#include <numeric>

using namespace mlir;
using namespace tilefuse;

/// Per dim of `value`, the multiples at which its blocks must start.
static SmallVector<int64_t>
getStarts(Value value, const llvm::DenseSet<Operation *> &members) {
  ArrayRef<int64_t> shape = cast<RankedTensorType>(value.getType()).getShape();
  SmallVector<int64_t> starts(shape.size(), 1);
  Operation *def = value.getDefiningOp();
  auto spaced = dyn_cast_or_null<fuse::IterationSpaceOpInterface>(def);
  if (!spaced || !members.contains(def))
    return starts;
  fuse::IterationSpace space = spaced.getIterationSpace();
  if (fuse::readsOneTerm(def)) {
    for (auto [start, divisor] :
         llvm::zip(starts, space.operands.front().divisors))
      start = divisor;
    return starts;
  }
  if (!isa<fuse::PointwiseOpInterface>(def))
    return starts;
  for (auto [access, operand] : llvm::zip(space.operands, def->getOperands())) {
    if (!access.map.isIdentity() ||
        cast<RankedTensorType>(operand.getType()).getShape() != shape)
      continue;
    for (auto [start, own] : llvm::zip(starts, getStarts(operand, members)))
      start = std::lcm(start, own);
  }
  return starts;
}

SmallVector<int64_t>
tilefuse::getProducerGranules(const fuse::KernelStructure &structure) {
  SmallVector<int64_t> granules(structure.getBlockExtents().size(), 1);
  Operation *anchor = structure.getAnchor();
  if (!isa_and_nonnull<fuse::ContractionOpInterface>(anchor))
    return granules;
  llvm::DenseSet<Operation *> members;
  for (const fuse::OpPlacement &placement : structure.getPlacements())
    members.insert(placement.op);
  fuse::IterationSpace space =
      cast<fuse::IterationSpaceOpInterface>(anchor).getIterationSpace();
  MLIRContext *context = anchor->getContext();
  SmallVector<AffineExpr> origin(space.bounds.size(),
                                 getAffineConstantExpr(0, context));
  auto evaluate = [](AffineExpr expr, ArrayRef<AffineExpr> at) {
    auto value = dyn_cast<AffineConstantExpr>(expr.replaceDims(at));
    return value ? value.getValue() : 0;
  };
  for (auto [access, operand] :
       llvm::zip(space.operands, anchor->getOperands()))
    for (auto [position, start] :
         llvm::enumerate(getStarts(operand, members))) {
      if (start == 1)
        continue;
      AffineExpr expr = access.map.getResult(position);
      bool divided =
          !access.divisors.empty() && access.divisors[position] != 1;
      for (unsigned dim = 0; dim < granules.size(); ++dim) {
        if (!expr.isFunctionOfDim(dim))
          continue;
        SmallVector<AffineExpr> next = origin;
        next[dim] = getAffineConstantExpr(1, context);
        int64_t step =
            std::abs(evaluate(expr, next) - evaluate(expr, origin));
        granules[dim] = divided || step == 0
                            ? 0
                            : std::lcm(granules[dim],
                                       start / std::gcd(step, start));
      }
    }
  return granules;
}

bool tilefuse::fitsProducers(const fuse::KernelStructure &structure,
                             ArrayRef<int64_t> block, std::string &reason) {
  for (auto [granule, extent, bound] :
       llvm::zip(getProducerGranules(structure), block,
                 structure.getBlockExtents()))
    if (extent < bound && (granule == 0 || extent % granule != 0)) {
      reason = "tiles of " + std::to_string(extent) +
               " do not start where the windows of an operand do";
      return false;
    }
  return true;
}

bool tilefuse::hasMadeOperand(const fuse::KernelStructure &structure) {
  return hasProducerContraction(structure) ||
         llvm::any_of(structure.getPlacements(),
                      [](const fuse::OpPlacement &placement) {
                        return placement.stage == fuse::Stage::Demand &&
                               fuse::readsOneTerm(placement.op);
                      });
}

bool tilefuse::hasProducerContraction(const fuse::KernelStructure &structure) {
  return llvm::any_of(structure.getPlacements(),
                      [&](const fuse::OpPlacement &placement) {
                        return placement.op != structure.getAnchor() &&
                               isa<fuse::ContractionOpInterface>(placement.op);
                      });
}

/// Extents of the iteration dims that a block of the result takes, at most.
static SmallVector<int64_t> getDemand(const fuse::IterationSpace &space,
                                      AffineMap result,
                                      ArrayRef<int64_t> extents) {
  SmallVector<int64_t> demand(space.bounds);
  demand.truncate(space.getNumParallel());
  MLIRContext *context = result.getContext();
  for (auto [expr, extent] : llvm::zip(result.getResults(), extents)) {
    SmallVector<AffineExpr> at(result.getNumDims(),
                               getAffineConstantExpr(0, context));
    for (unsigned dim = 0; dim < demand.size(); ++dim) {
      if (!expr.isFunctionOfDim(dim))
        continue;
      at[dim] = getAffineConstantExpr(1, context);
      auto step = dyn_cast<AffineConstantExpr>(expr.replaceDims(at));
      at[dim] = getAffineConstantExpr(0, context);
      if (!step || step.getValue() < 1)
        continue;
      // Blocks reach over the rims of an image, as tiles are powers of two; of
      // dims that share an index (groups) each goes round at most once. A block
      // need not start at a multiple of the step.
      if (isa<AffineDimExpr>(expr))
        demand[dim] = extent;
      else
        demand[dim] = std::min(demand[dim],
                               (extent - 1) / step.getValue() +
                                   (step.getValue() == 1 ? 1 : 2));
    }
  }
  return demand;
}

ProducerStep tilefuse::getProducerStep(const fuse::KernelStructure &structure,
                                       ArrayRef<int64_t> block,
                                       bool onMatrixUnit,
                                       const CostModel &model) {
  llvm::DenseSet<Operation *> members, seen;
  for (const fuse::OpPlacement &placement : structure.getPlacements())
    members.insert(placement.op);
  ProducerStep most;
  auto visit = [&](auto &&self, Operation *op,
                   ArrayRef<int64_t> extents) -> void {
    fuse::IterationSpace space =
        cast<fuse::IterationSpaceOpInterface>(op).getIterationSpace();
    for (auto [access, operand] : llvm::zip(space.operands, op->getOperands())) {
      Operation *def = operand.getDefiningOp();
      auto spaced = dyn_cast_or_null<fuse::IterationSpaceOpInterface>(def);
      if (!spaced || !members.contains(def) || !seen.insert(def).second)
        continue;
      fuse::IterationSpace made = spaced.getIterationSpace();
      unsigned number = cast<OpResult>(operand).getResultNumber();
      SmallVector<int64_t> demand = getDemand(
          made, made.results[number],
          getFootprint(access, extents,
                       cast<RankedTensorType>(operand.getType()).getShape()));
      demand.append(getUnscheduledSteps(
          ArrayRef(made.bounds).drop_front(demand.size()), model.isGPU()));
      if (auto contraction = dyn_cast<fuse::ContractionOpInterface>(def)) {
        most.bytes =
            std::max(most.bytes, model.getTileCost(def, demand).sharedBytes);
        int64_t products = 1;
        for (int64_t extent : demand)
          products *= extent;
        if (!onMatrixUnit || !model.hasMatrixUnit(contraction))
          most.products = std::max(most.products, products);
      }
      self(self, def, demand);
    }
  };
  if (Operation *anchor = structure.getAnchor())
    visit(visit, anchor, block);
  return most;
}
