//===- TilePropagation.cpp - what a tile determines -------------*- C++ -*-===//

#include "passes/Tiling/TilePropagation.h"
#include "passes/Tiling/ReshapeTiling.h"

using namespace mlir;
using namespace tilefuse;

static ArrayRef<int64_t> shapeOf(Value value) {
  return cast<ShapedType>(value.getType()).getShape();
}

SpaceForms tilefuse::getSpaceForms(fuse::KernelOp kernel) {
  SpaceForms forms;
  for (Operation &op : kernel.getBody().front())
    if (auto space = dyn_cast<fuse::IterationSpaceOpInterface>(&op))
      forms[&op] = std::make_shared<SpaceForm>(space);
  return forms;
}

void tilefuse::propagateBackward(const SpaceForms &forms, Value value,
                                 const CoordVars &vars,
                                 const llvm::DenseSet<Value> &available,
                                 llvm::DenseMap<Value, Slice> &slices) {
  Operation *op = value.getDefiningOp();
  auto it = forms.find(op);
  if (!op || it == forms.end() || !isa<fuse::PointwiseOpInterface>(op) ||
      (available.contains(value) && !isShapeChange(op)))
    return;
  const SpaceForm &form = *it->second;
  if (isShapeChange(op)) {
    Value operand = op->getOperand(0);
    std::optional<Slice> from = mapThroughReshape(
        shapeOf(value), shapeOf(operand), slices.lookup(value), vars);
    if (from && slices.try_emplace(operand, *from).second)
      propagateBackward(forms, operand, vars, available, slices);
    return;
  }
  std::optional<Slice> iterations =
      getIterations(form, 0, slices.lookup(value), vars);
  if (!iterations)
    return;
  for (auto [index, access] : llvm::enumerate(form.operands)) {
    Value operand = op->getOperand(index);
    std::optional<LabelledSlice> touched = getTouched(access, *iterations);
    if (slices.contains(operand) || !touched)
      continue;
    // The tile must determine the operand as a whole: each dim is a dim here.
    bool exact = true;
    for (auto [dimForm, size] : llvm::zip(access.dims, access.shape)) {
      SmallVector<unsigned> dims = dimForm->getDims();
      exact &= dims.size() == 1 && dimForm->constant == 0 &&
               dimForm->coefficients[dims[0]] == 1 &&
               form.getBound(dims[0]) == size;
    }
    if (!exact)
      continue;
    slices[operand] = touched->slice;
    propagateBackward(forms, operand, vars, available, slices);
  }
}

/// The iterations of `op` that its operands' slices determine.
static std::optional<Slice>
getDetermined(Operation *op, const SpaceForm &form, const CoordVars &vars,
              const llvm::DenseMap<Value, Slice> &slices) {
  PartialIterations known(form.getNumDims());
  for (auto [index, access] : llvm::enumerate(form.operands)) {
    auto it = slices.find(op->getOperand(index));
    if (it != slices.end() &&
        !propagateSlice(access, form, it->second, vars, known))
      return std::nullopt;
  }
  Slice iterations;
  for (auto [dim, part] : llvm::enumerate(known)) {
    if (!part && form.getBound(dim) != 1)
      return std::nullopt;
    iterations.push_back(part.value_or(SliceDim()));
  }
  return iterations;
}

static bool isHeld(const SliceDim &part, int64_t bound) {
  return part.base == Coord(0) && part.step == 1 && part.extent >= bound;
}

SmallVector<PartialReduction>
tilefuse::propagateForward(fuse::KernelOp kernel, const SpaceForms &forms,
                           const CoordVars &vars,
                           const llvm::DenseSet<Value> &available,
                           llvm::DenseMap<Value, Slice> &slices) {
  SmallVector<PartialReduction> partial;
  for (Operation &op : kernel.getBody().front().without_terminator()) {
    auto it = forms.find(&op);
    if (it == forms.end() || isa<fuse::ContractionOpInterface>(op) ||
        op.getNumResults() == 0 || slices.contains(op.getResult(0)) ||
        (available.contains(op.getResult(0)) && !isShapeChange(&op)) ||
        llvm::none_of(op.getOperands(),
                      [&](Value v) { return slices.contains(v); }))
      continue;
    if (isShapeChange(&op)) {
      Value operand = op.getOperand(0), result = op.getResult(0);
      if (auto to = mapThroughReshape(shapeOf(operand), shapeOf(result),
                                      slices.find(operand)->second, vars))
        slices[result] = *to;
      continue;
    }
    const SpaceForm &form = *it->second;
    std::optional<Slice> iterations = getDetermined(&op, form, vars, slices);
    if (!iterations)
      continue;
    bool whole = true;
    for (auto [dim, part] : llvm::enumerate(*iterations))
      whole &= !form.isReduction(dim) || isHeld(part, form.getBound(dim));
    if (!whole) {
      partial.push_back({&op, *iterations});
      continue;
    }
    Slice points = *iterations;
    for (auto [dim, part] : llvm::enumerate(points))
      if (form.isReduction(dim))
        part = SliceDim();
    for (auto [index, result] : llvm::enumerate(op.getResults()))
      if (auto touched = getTouched(form.results[index], points))
        slices[result] = touched->slice;
  }
  return partial;
}

/// The results of reductions held in part, and what is computed from them: no
/// tile of this stage has those.
static llvm::DenseSet<Value> getMerged(Block &body,
                                       ArrayRef<PartialReduction> partial) {
  llvm::DenseSet<Value> merged;
  for (const PartialReduction &part : partial)
    merged.insert_range(part.op->getResults());
  for (Operation &op : body.without_terminator())
    if (llvm::any_of(op.getOperands(),
                     [&](Value operand) { return merged.contains(operand); }))
      merged.insert_range(op.getResults());
  return merged;
}

/// What may lie where the root's tile lies although nothing ties it to that: the
/// operand of a reduction, or a pointwise result some operands of which agree.
static Value getSeed(Operation &op, const SpaceForms &forms, Value root,
                     const Slice &tile, const CoordVars &vars,
                     const llvm::DenseMap<Value, Slice> &slices) {
  auto hasRootShape = [&](Value value) {
    return shapeOf(value) == shapeOf(root) && !slices.contains(value);
  };
  if (isa<fuse::ReductionOpInterface>(op))
    return op.getNumOperands() > 0 && hasRootShape(op.getOperand(0))
               ? op.getOperand(0)
               : Value();
  auto form = forms.find(&op);
  if (form == forms.end() || !isa<fuse::PointwiseOpInterface>(op) ||
      isShapeChange(&op) || !hasRootShape(op.getResult(0)))
    return {};
  std::optional<Slice> iterations =
      getIterations(*form->second, 0, tile, vars);
  if (!iterations)
    return {};
  bool agrees = false;
  for (auto [access, operand] :
       llvm::zip(form->second->operands, op.getOperands())) {
    auto known = slices.find(operand);
    if (known == slices.end())
      continue;
    std::optional<LabelledSlice> touched = getTouched(access, *iterations);
    if (!touched || touched->slice != known->second)
      return {};
    agrees = true;
  }
  return agrees ? op.getResult(0) : Value();
}

SmallVector<PartialReduction>
tilefuse::propagateRoot(fuse::KernelOp kernel, const SpaceForms &forms,
                        Value root, const CoordVars &vars,
                        const llvm::DenseSet<Value> &available,
                        llvm::DenseMap<Value, Slice> &slices) {
  Block &body = kernel.getBody().front();
  auto rootSlice = slices.find(root);
  std::optional<Slice> tile;
  if (rootSlice != slices.end())
    tile = rootSlice->second;
  propagateBackward(forms, root, vars, available, slices);
  while (true) {
    SmallVector<PartialReduction> partial =
        propagateForward(kernel, forms, vars, available, slices);
    llvm::DenseSet<Value> merged = getMerged(body, partial);
    for (Value value : merged)
      slices.erase(value);
    size_t before = slices.size();
    for (Operation &op : llvm::reverse(body.without_terminator()))
      if (op.getNumResults() == 1 && slices.contains(op.getResult(0)))
        propagateBackward(forms, op.getResult(0), vars, available, slices);
    for (Operation &op : body.without_terminator()) {
      if (!tile || slices.size() != before)
        break;
      Value seed = getSeed(op, forms, root, *tile, vars, slices);
      if (seed && !merged.contains(seed) &&
          slices.try_emplace(seed, *tile).second)
        propagateBackward(forms, seed, vars, available, slices);
    }
    if (slices.size() == before)
      return partial;
  }
}
