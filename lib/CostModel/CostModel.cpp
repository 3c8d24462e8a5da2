//===- CostModel.cpp - bytes, flops and time of groups of ops ---*- C++ -*-===//

#include "lib/CostModel/CostModel.h"
#include "dialects/Fuse/OneTerm.h"
#include "llvm/ADT/DenseSet.h"

using namespace mlir;
using namespace tilefuse;

/// Fraction of the measured peak that generated matrix code is taken to reach.
static constexpr double kMatrixEfficiency = 0.5;
/// The same for ordinary arithmetic.
static constexpr double kElementEfficiency = 0.5;
/// How many times longer a product takes that makes another's operand: its blocks
/// are smaller, and nothing is copied ahead for it.
static constexpr double kProducerSlowdown = 1.5;
/// How many times longer ordinary arithmetic takes when it makes an operand of a
/// product on a matrix unit, and stands between a load and a barrier in a kernel
/// whose sums leave few warps to hide it. Measured for 70 instructions an element:
/// 2.4 and 4.8 times.
static constexpr double kMadeSlowdown = 3;
/// Operations that an element of a computed operand takes on its way to shared
/// memory; one that is read as it is gets there by itself.
static constexpr double kStagingCost = 4;
/// Part of the shorter of products on a matrix unit and ordinary arithmetic that
/// the longer hides: other warps and instances are at the other.
static constexpr double kOverlap = 0.8;
/// Bytes of the smallest part of memory that is read or written at once.
static constexpr int64_t kSectorBytes = 32;

int64_t tilefuse::getByteSize(Type type) {
  auto tensor = cast<RankedTensorType>(type);
  int64_t bits = tensor.getElementTypeBitWidth();
  return tensor.getNumElements() * llvm::divideCeil(bits, 8);
}

SmallVector<int64_t> tilefuse::getFootprint(const fuse::OperandAccess &access,
                                            ArrayRef<int64_t> block,
                                            ArrayRef<int64_t> shape) {
  SmallVector<int64_t> footprint;
  for (auto [position, expr] : llvm::enumerate(access.map.getResults())) {
    // The spread of the index: its value at the block's far corner, each dim
    // taken in the direction in which the index grows.
    int64_t spread = 0;
    bool linear = true;
    expr.walk([&](AffineExpr e) {
      if (e.getKind() == AffineExprKind::FloorDiv ||
          e.getKind() == AffineExprKind::CeilDiv ||
          e.getKind() == AffineExprKind::Mod)
        linear = false;
    });
    if (!linear) {
      // A reshape: as many elements as the block at most.
      int64_t points = 1;
      for (unsigned dim = 0; dim < block.size(); ++dim)
        if (expr.isFunctionOfDim(dim))
          points *= block[dim];
      footprint.push_back(std::min(points, shape[position]));
      continue;
    }
    SmallVector<AffineExpr> zero(block.size(),
                                 getAffineConstantExpr(0, expr.getContext()));
    auto evaluate = [&](ArrayRef<AffineExpr> at) {
      auto value = dyn_cast<AffineConstantExpr>(expr.replaceDims(at));
      return value ? value.getValue() : 0;
    };
    int64_t origin = evaluate(zero);
    for (unsigned dim = 0; dim < block.size(); ++dim) {
      if (block[dim] == 1 || !expr.isFunctionOfDim(dim))
        continue;
      SmallVector<AffineExpr> corner = zero;
      corner[dim] = getAffineConstantExpr(block[dim] - 1, expr.getContext());
      spread += std::abs(evaluate(corner) - origin);
    }
    int64_t divisor = access.divisors.empty() ? 1 : access.divisors[position];
    footprint.push_back(spread / divisor + 1);
  }
  return footprint;
}

SmallVector<int64_t> tilefuse::getUnscheduledSteps(ArrayRef<int64_t> bounds,
                                                   bool powersOfTwo) {
  SmallVector<int64_t> steps(bounds.size());
  int64_t room = 256;
  for (unsigned i = steps.size(); i-- > 0;) {
    steps[i] = std::min(bounds[i], room);
    if (powersOfTwo && steps[i] < bounds[i])
      steps[i] = llvm::bit_floor(uint64_t(steps[i]));
    room = std::max<int64_t>(1, room / steps[i]);
  }
  return steps;
}

int64_t CostModel::getOps(Operation *op) const {
  auto spaced = dyn_cast<fuse::IterationSpaceOpInterface>(op);
  if (!spaced || op->hasTrait<OpTrait::ConstantLike>())
    return 0;
  fuse::IterationSpace space = spaced.getIterationSpace();
  int64_t points = 1;
  for (int64_t bound : space.bounds)
    points *= bound;
  if (isa<fuse::ContractionOpInterface>(op)) {
    // Only one iteration in `divisor` meets an element.
    for (const fuse::OperandAccess &access : space.operands)
      for (int64_t divisor : access.divisors)
        points /= std::max<int64_t>(divisor, 1);
    return 2 * points;
  }
  if (fuse::readsOneTerm(op)) {
    int64_t results = 1;
    for (unsigned dim = 0; dim < space.getNumParallel(); ++dim)
      results *= space.bounds[dim];
    return 2 * results;
  }
  if (auto reduction = dyn_cast<fuse::ReductionOpInterface>(op))
    return points * reduction.getAccumulatorTypes().size();
  if (auto pointwise = dyn_cast<fuse::PointwiseOpInterface>(op))
    return points * pointwise.getElementCost();
  return points;
}

bool CostModel::hasMatrixUnit(fuse::ContractionOpInterface op) const {
  if (target.getTensor() <= 0 || !isGPU() ||
      op.getContractionPrecision() == fuse::Precision::f64)
    return false;
  // A matrix has rows and columns: not so a depthwise convolution or a product
  // with a vector.
  fuse::IterationSpace space =
      cast<fuse::IterationSpaceOpInterface>(op.getOperation())
          .getIterationSpace();
  bool hasSide[2] = {false, false};
  for (unsigned dim = 0; dim < space.bounds.size(); ++dim) {
    if (space.isReduction[dim] || space.bounds[dim] == 1)
      continue;
    bool inLhs = space.operands[0].map.isFunctionOfDim(dim);
    bool inRhs = space.operands[1].map.isFunctionOfDim(dim);
    hasSide[0] |= inLhs && !inRhs;
    hasSide[1] |= inRhs && !inLhs;
  }
  return hasSide[0] && hasSide[1];
}

double CostModel::getMatrixSpeedup(fuse::ContractionOpInterface op) const {
  double speedup = double(target.getTensor()) * kMatrixEfficiency /
                   (double(target.getFp32()) * kElementEfficiency);
  switch (op.getContractionPrecision()) {
  case fuse::Precision::f32: // three products of the rounded parts
    return speedup / 3;
  case fuse::Precision::f16:
  case fuse::Precision::bf16:
    return speedup * 2;
  default:
    return speedup;
  }
}

double CostModel::getContractionTime(fuse::ContractionOpInterface op) const {
  double rate = double(target.getFp32()) * kElementEfficiency;
  if (hasMatrixUnit(op))
    rate *= std::max(1.0, getMatrixSpeedup(op));
  else if (op.getContractionPrecision() == fuse::Precision::f64)
    rate /= 2;
  // GFLOP/s are operations a nanosecond.
  return double(getOps(op)) / rate / 1000;
}

double CostModel::getMemoryTime(int64_t bytes) const {
  return double(bytes) / double(target.getDram()) / 1000;
}

/// How many instances write to one sector of `value`, each a piece of it: as many
/// as the contraction behind it has residue classes along the innermost dim.
static int64_t getSectorPieces(Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  int64_t pieces = 1;
  SmallVector<Value> stack{value};
  llvm::DenseSet<Value> seen{value};
  while (!stack.empty()) {
    Operation *op = stack.pop_back_val().getDefiningOp();
    if (!op || type.getRank() == 0)
      continue;
    if (isa<fuse::PointwiseOpInterface>(op)) {
      for (Value operand : op->getOperands())
        if (cast<ShapedType>(operand.getType()).getShape() == type.getShape() &&
            seen.insert(operand).second)
          stack.push_back(operand);
    } else if (auto contraction = dyn_cast<fuse::ContractionOpInterface>(op)) {
      auto spaced = cast<fuse::IterationSpaceOpInterface>(op);
      fuse::IterationSpace space = spaced.getIterationSpace();
      auto inner = dyn_cast<AffineDimExpr>(space.results[0].getResults().back());
      for (const fuse::OperandAccess &access : space.operands)
        for (auto [expr, divisor] :
             llvm::zip(access.map.getResults(), access.divisors))
          if (inner && expr.isFunctionOfDim(inner.getPosition()))
            pieces = std::max(pieces, divisor);
    }
  }
  int64_t elementBytes = llvm::divideCeil(type.getElementTypeBitWidth(), 8);
  return std::min(pieces, std::max<int64_t>(1, kSectorBytes / elementBytes));
}

double CostModel::getWriteTime(Value value) const {
  double time = getMemoryTime(getByteSize(value.getType()));
  int64_t pieces = isGPU() ? getSectorPieces(value) : 1;
  // The pieces come from different instances. Where several results are written
  // so, a sector leaves the cache between them: each piece is a read of the
  // sector and a write (1.09 GB in two pieces moved 5.2 GB).
  return pieces == 1 ? time : 2.0 * double(pieces) * time;
}

double CostModel::getElementTime(int64_t ops) const {
  return double(ops) / (double(target.getFp32()) * kElementEfficiency) / 1000;
}

double CostModel::getVisits(Operation *anchor, unsigned operand,
                            ArrayRef<int64_t> block) const {
  fuse::IterationSpace space =
      cast<fuse::IterationSpaceOpInterface>(anchor).getIterationSpace();
  auto type = cast<RankedTensorType>(anchor->getOperand(operand).getType());
  double elements = 1;
  for (auto [bound, extent] : llvm::zip(space.bounds, block))
    elements *= double(llvm::divideCeil(bound, extent));
  for (int64_t extent :
       getFootprint(space.operands[operand], block, type.getShape()))
    elements *= double(extent);
  return elements / double(type.getNumElements());
}

/// Per op of the group, how often each of its elements is computed.
static llvm::DenseMap<Operation *, double>
getRepeats(const CostModel &model, const fuse::KernelGroup &group,
           ArrayRef<int64_t> block) {
  llvm::DenseMap<Operation *, double> repeats;
  for (Operation *op : llvm::reverse(group.ops)) {
    double &own = repeats.try_emplace(op, 0).first->second;
    bool isRead = op == group.anchor || own > 0;
    if (!isRead || llvm::any_of(op->getResults(), [&](Value result) {
          return llvm::is_contained(group.results, result);
        }))
      own = std::max(own, 1.0);
    double passed = own;
    for (auto [index, operand] : llvm::enumerate(op->getOperands())) {
      Operation *def = operand.getDefiningOp();
      if (!def)
        continue;
      double visits = op == group.anchor
                          ? model.getVisits(op, index, block)
                          : passed;
      double &known = repeats[def];
      known = op == group.anchor ? known + visits : std::max(known, visits);
    }
  }
  return repeats;
}

/// The ops of the group that an operand of its contraction is made of.
static llvm::DenseSet<Operation *>
getMakers(const fuse::KernelGroup &group,
          const llvm::DenseSet<Operation *> &members) {
  llvm::DenseSet<Operation *> makers;
  if (!isa_and_nonnull<fuse::ContractionOpInterface>(group.anchor))
    return makers;
  SmallVector<Operation *> pending{group.anchor};
  while (!pending.empty())
    for (Value operand : pending.pop_back_val()->getOperands())
      if (Operation *def = operand.getDefiningOp();
          def && members.contains(def) && makers.insert(def).second)
        pending.push_back(def);
  return makers;
}

KernelCost CostModel::getCost(const fuse::KernelGroup &group,
                              ArrayRef<int64_t> block) const {
  KernelCost cost;
  llvm::DenseSet<Operation *> members(group.ops.begin(), group.ops.end());
  llvm::DenseSet<Value> counted;
  llvm::DenseMap<Operation *, double> repeats;
  if (group.anchor && !block.empty() &&
      isa<fuse::ContractionOpInterface>(group.anchor))
    repeats = getRepeats(*this, group, block);
  double contractionTime = 0, madeTime = 0;
  bool onMatrixUnit = false;
  llvm::DenseSet<Operation *> makers = getMakers(group, members);
  for (Operation *op : group.ops) {
    for (Value operand : op->getOperands()) {
      Operation *def = operand.getDefiningOp();
      if ((def && members.contains(def)) || !counted.insert(operand).second)
        continue;
      cost.bytesRead += getByteSize(operand.getType());
    }
    double times = repeats.empty() || op == group.anchor ? 1 : repeats[op];
    int64_t ops = int64_t(double(getOps(op)) * times);
    if (auto contraction = dyn_cast<fuse::ContractionOpInterface>(op)) {
      cost.contractionOps += ops;
      contractionTime += getContractionTime(contraction) * times *
                         (op == group.anchor ? 1 : kProducerSlowdown);
      onMatrixUnit |= hasMatrixUnit(contraction);
    } else {
      cost.elementOps += ops;
      if (makers.contains(op))
        madeTime += getElementTime(ops);
    }
  }
  if (!repeats.empty())
    for (auto [index, operand] : llvm::enumerate(group.anchor->getOperands()))
      if (Operation *def = operand.getDefiningOp();
          def && members.contains(def))
        cost.elementOps += int64_t(
            kStagingCost * getVisits(group.anchor, index, block) *
            double(cast<RankedTensorType>(operand.getType()).getNumElements()));
  for (Value result : group.results)
    cost.bytesWritten += getByteSize(result.getType());
  double elementTime = getElementTime(cost.elementOps);
  double hidden = onMatrixUnit
                      ? kOverlap * std::min(contractionTime, elementTime)
                      : 0;
  double waiting = onMatrixUnit ? (kMadeSlowdown - 1) * madeTime : 0;
  cost.time = getLaunchTime() +
              std::max(getMemoryTime(cost.getBytes()),
                       contractionTime + elementTime - hidden + waiting);
  return cost;
}

TileCost CostModel::getTileCost(Operation *op,
                                ArrayRef<int64_t> extents) const {
  TileCost cost;
  fuse::IterationSpace space =
      cast<fuse::IterationSpaceOpInterface>(op).getIterationSpace();
  // A divided index is computed one residue class at a time, and a class meets
  // only its own taps.
  SmallVector<int64_t> block(extents);
  for (const fuse::OperandAccess &access : space.operands)
    for (auto [expr, divisor] :
         llvm::zip(access.map.getResults(), access.divisors))
      for (unsigned dim = 0; divisor > 1 && dim < block.size(); ++dim)
        if (space.isReduction[dim] && expr.isFunctionOfDim(dim))
          block[dim] = llvm::divideCeil(block[dim], divisor);
  cost.accumulator = 1;
  for (unsigned dim = 0; dim < space.getNumParallel(); ++dim)
    cost.accumulator *= block[dim];
  for (auto [access, operand] : llvm::zip(space.operands, op->getOperands())) {
    auto type = cast<RankedTensorType>(operand.getType());
    int64_t elements = 1;
    for (int64_t extent : getFootprint(access, block, type.getShape()))
      elements *= extent;
    cost.operandBytes.push_back(
        elements * llvm::divideCeil(type.getElementTypeBitWidth(), 8));
    cost.sharedBytes += cost.operandBytes.back();
  }
  return cost;
}

int64_t CostModel::getSharedCapacity() const {
  // Two instances share a multiprocessor, and each keeps some for conversions.
  if (isGPU())
    return std::min<int64_t>(target.getSharedMemory() / 2 - 12 * 1024,
                             100 * 1024);
  return 512 * 1024;
}
