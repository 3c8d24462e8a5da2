//===- Shapes.cpp - constants and moved elements ----------------*- C++ -*-===//

#include "lib/Reference/Rules.h"

#include "dialects/Fuse/Fuse.h"

namespace tilefuse::reference {

using Tables = llvm::SmallVector<IndexList>;

/// Where the source of an op's element is: per result dim, the operand index of
/// each wanted result index, or -1.
using SourceFn = std::function<Tables(mlir::Operation *, const Grid &wanted)>;
/// Which operand dim each result dim reads.
using DimFn = std::function<llvm::SmallVector<size_t>(mlir::Operation *)>;

/// An op whose result dims each read one operand dim (or, for a new dim of a
/// broadcast, none: `noDim`).
static constexpr size_t noDim = ~size_t(0);

static llvm::SmallVector<Grid> demandMoved(mlir::Operation *op,
                                           const Grid &wanted,
                                           const SourceFn &source,
                                           const DimFn &dims) {
  Grid needed;
  needed.dims.resize(getShape(op->getOperand(0)).size());
  Tables sources = source(op, wanted);
  for (auto [from, table] : llvm::zip_equal(dims(op), sources)) {
    if (from == noDim)
      continue;
    for (int64_t index : table)
      if (index >= 0)
        needed.dims[from].push_back(index);
    normalize(needed.dims[from]);
  }
  return {needed};
}

static Array makeFilled(mlir::Value value, const Grid &grid,
                        mlir::Attribute fill) {
  Array result(getElementType(value), grid);
  if (auto number = llvm::dyn_cast_or_null<mlir::FloatAttr>(fill))
    result.values.assign(result.values.size(),
                         number.getValue().convertToDouble());
  if (auto number = llvm::dyn_cast_or_null<mlir::IntegerAttr>(fill)) {
    llvm::APInt bits = number.getValue();
    result.integers.assign(result.integers.size(),
                           bits.getBitWidth() == 1
                               ? static_cast<int64_t>(bits.getZExtValue())
                               : bits.getSExtValue());
  }
  return result;
}

static Rule makeMoveRule(SourceFn source, DimFn dims) {
  Rule rule;
  rule.demand = [=](mlir::Operation *op, llvm::ArrayRef<Demand> wanted) {
    return demandMoved(op, *wanted[0], source, dims);
  };
  rule.compute = [=](mlir::Operation *op, llvm::ArrayRef<const Array *> x,
                     llvm::ArrayRef<Demand> wanted, bool) {
    mlir::Attribute fill;
    if (auto pad = llvm::dyn_cast<fuse::PadOp>(op))
      fill = pad.getValueAttr();
    std::vector<Array> results;
    Array &result =
        results.emplace_back(makeFilled(op->getResult(0), *wanted[0], fill));
    auto strides = getStrides(x[0]->grid.getShape());
    Tables tables = source(op, *wanted[0]);
    for (auto [from, table] : llvm::zip_equal(dims(op), tables))
      for (int64_t &index : table)
        index = from == noDim ? 0
                : index < 0
                    ? nowhere
                    : getPosition(x[0]->grid.dims[from], index) * strides[from];
    gather(result, *x[0], tables);
    return results;
  };
  return rule;
}

static llvm::SmallVector<size_t> getSameDims(mlir::Operation *op) {
  llvm::SmallVector<size_t> dims;
  for (size_t d = 0; d < getShape(op->getResult(0)).size(); ++d)
    dims.push_back(d);
  return dims;
}

static Tables getWantedIndices(mlir::Operation *, const Grid &wanted) {
  return {wanted.dims.begin(), wanted.dims.end()};
}

static llvm::SmallVector<size_t> getPermutedDims(mlir::Operation *op) {
  llvm::SmallVector<size_t> dims;
  for (int64_t from : llvm::cast<fuse::TransposeOp>(op).getPermutation())
    dims.push_back(static_cast<size_t>(from));
  return dims;
}

static llvm::SmallVector<size_t> getBroadcastDims(mlir::Operation *op) {
  size_t added =
      getShape(op->getResult(0)).size() - getShape(op->getOperand(0)).size();
  llvm::SmallVector<size_t> dims;
  for (size_t d = 0; d < getShape(op->getResult(0)).size(); ++d)
    dims.push_back(d < added ? noDim : d - added);
  return dims;
}

static Tables getBroadcastSources(mlir::Operation *op, const Grid &wanted) {
  auto shape = getShape(op->getOperand(0));
  Tables tables;
  for (auto [dim, list] : llvm::zip_equal(getBroadcastDims(op), wanted.dims))
    tables.push_back(dim == noDim || shape[dim] == 1 ? IndexList(list.size(), 0)
                                                     : list);
  return tables;
}

static Tables getSliceSources(mlir::Operation *op, const Grid &wanted) {
  auto slice = llvm::cast<fuse::SliceOp>(op);
  Tables tables;
  for (auto [list, offset, stride] :
       llvm::zip_equal(wanted.dims, slice.getOffsets(), slice.getStrides())) {
    IndexList table;
    for (int64_t index : list)
      table.push_back(offset + index * stride);
    tables.push_back(std::move(table));
  }
  return tables;
}

static Tables getPadSources(mlir::Operation *op, const Grid &wanted) {
  auto pad = llvm::cast<fuse::PadOp>(op);
  auto shape = getShape(op->getOperand(0));
  Tables tables;
  for (size_t d = 0; d < shape.size(); ++d) {
    int64_t step = 1 + (pad.getInterior() ? (*pad.getInterior())[d] : 0);
    IndexList table;
    for (int64_t index : wanted.dims[d]) {
      int64_t shifted = index - pad.getLow()[d];
      bool hits =
          shifted >= 0 && shifted % step == 0 && shifted / step < shape[d];
      table.push_back(hits ? shifted / step : -1);
    }
    tables.push_back(std::move(table));
  }
  return tables;
}

//===----------------------------------------------------------------------===//
// Reshape: dims fall into groups of equal products, for instance 6x4x5 -> 24x5
// into {6, 4 | 24} and {5 | 5}; each group is renumbered by itself.
//===----------------------------------------------------------------------===//

namespace {
struct DimGroup {
  size_t sourceBegin, sourceEnd, targetBegin, targetEnd;
};
} // namespace

static llvm::SmallVector<DimGroup> groupDims(llvm::ArrayRef<int64_t> source,
                                             llvm::ArrayRef<int64_t> target) {
  llvm::SmallVector<DimGroup> groups;
  size_t s = 0, t = 0;
  while (s < source.size() || t < target.size()) {
    DimGroup group{s, s, t, t};
    int64_t sourceSize = 1, targetSize = 1;
    do {
      bool takeSource =
          t == target.size() || (s < source.size() && sourceSize <= targetSize);
      if (takeSource)
        sourceSize *= source[s++];
      else
        targetSize *= target[t++];
    } while (sourceSize != targetSize);
    group.sourceEnd = s;
    group.targetEnd = t;
    groups.push_back(group);
  }
  return groups;
}

/// Row-major positions, in a group's dims, of a product of index lists.
static IndexList getGroupPositions(const Grid &wanted, const DimGroup &group,
                                   llvm::ArrayRef<int64_t> target) {
  IndexList positions = {0};
  for (size_t d = group.targetBegin; d < group.targetEnd; ++d) {
    IndexList next;
    for (int64_t base : positions)
      for (int64_t index : wanted.dims[d])
        next.push_back(base * target[d] + index);
    positions = std::move(next);
  }
  return positions;
}

static llvm::SmallVector<Grid> demandReshape(mlir::Operation *op,
                                             llvm::ArrayRef<Demand> wanted) {
  auto source = getShape(op->getOperand(0));
  auto target = getShape(op->getResult(0));
  Grid needed;
  needed.dims.resize(source.size());
  for (const DimGroup &group : groupDims(source, target))
    for (int64_t position : getGroupPositions(*wanted[0], group, target))
      for (size_t d = group.sourceEnd; d-- > group.sourceBegin;) {
        needed.dims[d].push_back(position % source[d]);
        position /= source[d];
      }
  for (IndexList &list : needed.dims)
    normalize(list);
  return {needed};
}

static std::vector<Array> computeReshape(mlir::Operation *op,
                                         llvm::ArrayRef<const Array *> x,
                                         llvm::ArrayRef<Demand> wanted, bool) {
  auto source = getShape(op->getOperand(0));
  auto target = getShape(op->getResult(0));
  auto strides = getStrides(x[0]->grid.getShape());
  Tables tables;
  for (const DimGroup &group : groupDims(source, target)) {
    IndexList table = getGroupPositions(*wanted[0], group, target);
    for (int64_t &entry : table) {
      int64_t position = entry;
      entry = 0;
      for (size_t d = group.sourceEnd; d-- > group.sourceBegin;) {
        entry +=
            getPosition(x[0]->grid.dims[d], position % source[d]) * strides[d];
        position /= source[d];
      }
    }
    tables.push_back(std::move(table));
  }
  std::vector<Array> results;
  gather(results.emplace_back(getElementType(op->getResult(0)), *wanted[0]),
         *x[0], tables);
  return results;
}

//===----------------------------------------------------------------------===//
// Concat, constant, iota
//===----------------------------------------------------------------------===//

static llvm::SmallVector<Grid> demandConcat(mlir::Operation *op,
                                            llvm::ArrayRef<Demand> wanted) {
  size_t dim = llvm::cast<fuse::ConcatOp>(op).getDim();
  llvm::SmallVector<Grid> grids;
  int64_t begin = 0;
  for (mlir::Value operand : op->getOperands()) {
    int64_t end = begin + getShape(operand)[dim];
    Grid needed = *wanted[0];
    IndexList list;
    for (int64_t index : wanted[0]->dims[dim])
      if (index >= begin && index < end)
        list.push_back(index - begin);
    needed.dims[dim] = std::move(list);
    grids.push_back(std::move(needed));
    begin = end;
  }
  return grids;
}

static std::vector<Array> computeConcat(mlir::Operation *op,
                                        llvm::ArrayRef<const Array *> x,
                                        llvm::ArrayRef<Demand> wanted, bool) {
  size_t dim = llvm::cast<fuse::ConcatOp>(op).getDim();
  std::vector<Array> results;
  Array &result =
      results.emplace_back(getElementType(op->getResult(0)), *wanted[0]);
  int64_t begin = 0;
  for (auto [operand, array] : llvm::zip_equal(op->getOperands(), x)) {
    int64_t end = begin + getShape(operand)[dim];
    auto strides = getStrides(array->grid.getShape());
    Tables tables;
    for (size_t d = 0; d < result.grid.rank(); ++d) {
      IndexList table;
      for (int64_t index : result.grid.dims[d]) {
        bool inside = d != dim || (index >= begin && index < end);
        int64_t local = d == dim ? index - begin : index;
        table.push_back(inside ? getPosition(array->grid.dims[d], local) *
                                     strides[d]
                               : nowhere);
      }
      tables.push_back(std::move(table));
    }
    if (array->size() > 0)
      gather(result, *array, tables);
    begin = end;
  }
  return results;
}

static std::vector<Array> computeConstant(mlir::Operation *op,
                                          llvm::ArrayRef<const Array *>,
                                          llvm::ArrayRef<Demand> wanted, bool) {
  mlir::DenseElementsAttr elements =
      llvm::cast<fuse::ConstantOp>(op).getValue();
  mlir::Value value = op->getResult(0);
  if (elements.isSplat())
    return {makeFilled(value, *wanted[0],
                       elements.getSplatValue<mlir::Attribute>())};
  Array whole(getElementType(value), Grid::makeFull(getShape(value)));
  if (whole.isFloat())
    for (auto [i, element] :
         llvm::enumerate(elements.getValues<llvm::APFloat>()))
      whole.values[i] = element.convertToDouble();
  else
    for (auto [i, element] : llvm::enumerate(elements.getValues<llvm::APInt>()))
      whole.integers[i] = whole.type == DType::I1
                              ? static_cast<int64_t>(element.getZExtValue())
                              : element.getSExtValue();
  return {restrict(whole, *wanted[0])};
}

static std::vector<Array> computeIota(mlir::Operation *op,
                                      llvm::ArrayRef<const Array *>,
                                      llvm::ArrayRef<Demand> wanted, bool) {
  size_t dim = llvm::cast<fuse::IotaOp>(op).getDim();
  std::vector<Array> results;
  Array &result =
      results.emplace_back(getElementType(op->getResult(0)), *wanted[0]);
  forEachPosition(result.grid.getShape(), {}, [&](int64_t i, const Walker &at) {
    int64_t index = result.grid.dims[dim][at.index(dim)];
    if (result.isFloat())
      result.values[i] = static_cast<double>(index);
    else
      result.integers[i] =
          result.type == DType::I8 ? static_cast<int8_t>(index) : index;
  });
  return results;
}

static llvm::SmallVector<Grid> demandNothing(mlir::Operation *,
                                             llvm::ArrayRef<Demand>) {
  return {};
}

void addShapeRules(RuleTable &table) {
  table["fuse.constant"] = {demandNothing, computeConstant};
  table["fuse.iota"] = {demandNothing, computeIota};
  table["fuse.reshape"] = {demandReshape, computeReshape};
  table["fuse.concat"] = {demandConcat, computeConcat};
  table["fuse.transpose"] = makeMoveRule(getWantedIndices, getPermutedDims);
  table["fuse.broadcast"] = makeMoveRule(getBroadcastSources, getBroadcastDims);
  table["fuse.slice"] = makeMoveRule(getSliceSources, getSameDims);
  table["fuse.pad"] = makeMoveRule(getPadSources, getSameDims);
}

} // namespace tilefuse::reference
