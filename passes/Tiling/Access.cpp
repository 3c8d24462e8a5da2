//===- Access.cpp - slices through an op's affine maps ----------*- C++ -*-===//

#include "passes/Tiling/Access.h"

using namespace mlir;
using namespace tilefuse;

static AccessForm makeForm(AffineMap map, ArrayRef<int64_t> divisors,
                           ArrayRef<int64_t> shape, TypedAttr fill,
                           ArrayRef<int64_t> bounds) {
  AccessForm form;
  form.fill = fill;
  form.shape = llvm::to_vector(shape);
  form.divisors = llvm::to_vector(divisors);
  form.divisors.resize(shape.size(), 1);
  for (AffineExpr expr : map.getResults()) {
    std::optional<LinearForm> linear = getLinearForm(expr, bounds.size());
    if (linear && linear->getDims().size() > 1)
      for (auto [coefficient, bound] : llvm::zip(linear->coefficients, bounds))
        if (bound == 1)
          coefficient = 0;
    form.dims.push_back(std::move(linear));
  }
  return form;
}

SpaceForm::SpaceForm(fuse::IterationSpaceOpInterface op)
    : space(op.getIterationSpace()) {
  auto shapeOf = [](Value value) {
    return cast<ShapedType>(value.getType()).getShape();
  };
  for (auto [access, value] : llvm::zip(space.operands, op->getOperands()))
    operands.push_back(makeForm(access.map, access.divisors, shapeOf(value),
                                access.fill, space.bounds));
  for (auto [map, value] : llvm::zip(space.results, op->getResults()))
    results.push_back(makeForm(map, {}, shapeOf(value), {}, space.bounds));
  skewed.assign(space.bounds.size(), false);
}

SpaceForm SpaceForm::getPermuted(ArrayRef<unsigned> order) const {
  SpaceForm permuted = *this;
  for (auto [to, from] : llvm::enumerate(order)) {
    permuted.space.bounds[to] = space.bounds[from];
    permuted.space.isReduction[to] = space.isReduction[from];
    permuted.skewed[to] = skewed[from];
  }
  auto permute = [&](SmallVectorImpl<AccessForm> &accesses) {
    for (AccessForm &access : accesses)
      for (std::optional<LinearForm> &form : access.dims) {
        if (!form)
          continue;
        SmallVector<int64_t> old = form->coefficients;
        for (auto [to, from] : llvm::enumerate(order))
          form->coefficients[to] = old[from];
      }
  };
  permute(permuted.operands);
  permute(permuted.results);
  return permuted;
}

std::optional<LabelledSlice>
tilefuse::getTouched(const AccessForm &form, ArrayRef<SliceDim> iterations) {
  LabelledSlice result;
  for (auto [dimForm, divisor] : llvm::zip(form.dims, form.divisors)) {
    if (!dimForm)
      return std::nullopt;
    Coord numerator(dimForm->constant);
    SmallVector<std::pair<int64_t, unsigned>> varying; // step, dim
    for (unsigned dim : dimForm->getDims()) {
      int64_t coefficient = dimForm->coefficients[dim];
      numerator = numerator + iterations[dim].base * coefficient;
      if (iterations[dim].extent > 1)
        varying.push_back({coefficient * iterations[dim].step, dim});
    }
    std::optional<Coord> base = numerator.divideExactly(divisor);
    if (!base)
      return std::nullopt;
    llvm::sort(varying, [](const auto &lhs, const auto &rhs) {
      return lhs.first != rhs.first ? lhs.first > rhs.first
                                    : lhs.second < rhs.second;
    });
    SliceDim part{*base, 1, 1};
    SmallVector<unsigned, 2> labels;
    for (auto [step, dim] : llvm::reverse(varying)) {
      if (step <= 0 || step % divisor != 0 ||
          (!labels.empty() && step != part.step * divisor * part.extent))
        return std::nullopt;
      if (labels.empty())
        part.step = step / divisor;
      part.extent *= iterations[dim].extent;
      labels.insert(labels.begin(), dim);
    }
    // One iteration dim along two tensor dims touches a diagonal.
    for (unsigned dim : labels)
      for (const auto &other : result.labels)
        if (llvm::is_contained(other, dim))
          return std::nullopt;
    result.slice.push_back(part);
    result.labels.push_back(std::move(labels));
  }
  return result;
}

bool tilefuse::isNeverRead(const AccessForm &form,
                           ArrayRef<SliceDim> iterations) {
  for (auto [dimForm, divisor] : llvm::zip(form.dims, form.divisors)) {
    if (!dimForm || divisor == 1)
      continue;
    Coord numerator(dimForm->constant);
    for (unsigned dim : dimForm->getDims())
      numerator = numerator + iterations[dim].base * dimForm->coefficients[dim];
    std::optional<int64_t> residue = numerator.getResidue(divisor);
    if (residue && *residue != 0)
      return true;
  }
  return false;
}

bool tilefuse::splitPart(const SliceDim &part, int64_t size,
                         const CoordVars &vars, SliceDim &outer,
                         SliceDim &inner) {
  if (part.step == 1 && part.extent % size == 0) {
    if (std::optional<Coord> base = part.base.divideExactly(size)) {
      outer = {*base, part.extent / size, 1};
      inner = {Coord(0), size, 1};
      return true;
    }
  }
  auto [row, column] = part.base.splitByDivisor(size);
  SliceDim piece{column, part.extent, part.step};
  if (!piece.isInside(size, vars))
    return false;
  outer = {row, 1, 1};
  inner = piece;
  return true;
}

/// Dims of a two-dim form as (outer, inner) with inner's coefficient 1.
static std::optional<std::pair<unsigned, unsigned>>
getOuterInner(const LinearForm &form) {
  SmallVector<unsigned> dims = form.getDims();
  if (dims.size() != 2)
    return std::nullopt;
  if (form.coefficients[dims[0]] == 1)
    std::swap(dims[0], dims[1]);
  if (form.coefficients[dims[1]] != 1 || form.coefficients[dims[0]] < 1)
    return std::nullopt;
  return std::make_pair(dims[0], dims[1]);
}

std::optional<Slice> tilefuse::getIterations(const SpaceForm &form,
                                             unsigned index,
                                             ArrayRef<SliceDim> slice,
                                             const CoordVars &vars) {
  Slice iterations = getWholeSlice(form.space.bounds);
  for (auto [dimForm, part] : llvm::zip(form.results[index].dims, slice)) {
    if (!dimForm || dimForm->constant != 0)
      return std::nullopt;
    SmallVector<unsigned> dims = dimForm->getDims();
    if (dims.empty())
      continue;
    if (dims.size() == 1 && dimForm->coefficients[dims[0]] == 1) {
      iterations[dims[0]] = part;
      continue;
    }
    auto pair = getOuterInner(*dimForm);
    if (!pair ||
        dimForm->coefficients[pair->first] != form.getBound(pair->second) ||
        !splitPart(part, form.getBound(pair->second), vars,
                   iterations[pair->first], iterations[pair->second]))
      return std::nullopt;
  }
  return iterations;
}

static bool refine(std::optional<SliceDim> &known, const SliceDim &part) {
  if (known && !(*known == part))
    return false;
  known = part;
  return true;
}

/// One operand dim read at coefficient * dim + constant.
static bool propagateSingle(const LinearForm &form, unsigned dim,
                            int64_t operandBound, int64_t bound,
                            const SliceDim &part,
                            std::optional<SliceDim> &known) {
  int64_t coefficient = form.coefficients[dim];
  // Every iteration must read inside the operand, or tiles of the operand would
  // not cover all iterations.
  int64_t last = coefficient * (bound - 1) + form.constant;
  if (coefficient < 1 || form.constant < 0 || last >= operandBound)
    return false;
  std::optional<Coord> base =
      (part.base + Coord(-form.constant)).divideExactly(coefficient);
  if (!base)
    return false;
  SliceDim iterations{*base, part.extent, part.step};
  if (coefficient != 1) {
    if (part.step != 1 || part.extent % coefficient != 0)
      return false;
    iterations.extent = part.extent / coefficient;
  }
  return refine(known, iterations);
}

bool tilefuse::propagateSlice(const AccessForm &form, const SpaceForm &space,
                              ArrayRef<SliceDim> slice, const CoordVars &vars,
                              PartialIterations &known) {
  for (auto [i, part] : llvm::enumerate(slice)) {
    if (!form.dims[i] || form.divisors[i] != 1)
      return false;
    const LinearForm &dimForm = *form.dims[i];
    SmallVector<unsigned> dims = dimForm.getDims();
    if (dims.empty()) {
      if (part.extent != 1 || !(part.base == Coord(dimForm.constant)))
        return false;
      continue;
    }
    if (dims.size() == 1) {
      if (!propagateSingle(dimForm, dims[0], form.shape[i],
                           space.getBound(dims[0]), part, known[dims[0]]))
        return false;
      continue;
    }
    // Windows side by side, or a dim seen as rows and columns.
    auto pair = getOuterInner(dimForm);
    SliceDim outer, inner;
    if (!pair || dimForm.constant != 0 ||
        dimForm.coefficients[pair->first] != space.getBound(pair->second) ||
        !splitPart(part, space.getBound(pair->second), vars, outer, inner) ||
        !refine(known[pair->first], outer) ||
        !refine(known[pair->second], inner))
      return false;
  }
  return true;
}
