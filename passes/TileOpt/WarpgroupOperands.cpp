//===- WarpgroupOperands.cpp - which operand wgmma reads itself --*- C++ -*-===//

#include "passes/TileOpt/WarpgroupOperands.h"
#include "dialects/Tile/Layout/RegisterOrder.h"
#include "dialects/Tile/Layout/WgmmaPlan.h"

using namespace mlir;
using namespace tilefuse;
using namespace tilefuse::tile;

/// Elements of 16 bytes.
static constexpr int64_t rowElements = 4;
/// Below this many columns the fragments of the left operand, loaded anew for
/// each instruction, take longer than mma.sync.
static constexpr int64_t leastColumns = 24;

static ArrayRef<int64_t> getShape(Value value) {
  return cast<RankedTensorType>(value.getType()).getShape();
}

/// The dim that `dim` of a view's result is in its operand; none when there is no
/// one such dim.
static std::optional<int64_t> getSourceDim(Operation *view, int64_t dim) {
  if (isa<WindowOp>(view))
    return dim;
  if (auto trans = dyn_cast<TransOp>(view))
    return trans.getPermutation()[dim];
  ArrayRef<int64_t> from = getShape(view->getOperand(0));
  ArrayRef<int64_t> to = getShape(view->getResult(0));
  auto countBehind = [](ArrayRef<int64_t> shape, int64_t dim) {
    int64_t count = 1;
    for (int64_t extent : shape.drop_front(dim + 1))
      count *= extent;
    return count;
  };
  for (int64_t source = 0; source < int64_t(from.size()); ++source)
    if (from[source] == to[dim] && (from[source] > 1) &&
        countBehind(from, source) == countBehind(to, dim))
      return source;
  return std::nullopt;
}

/// The dim of a chain's root that `dim` of its end is.
static std::optional<int64_t> getRootDim(const ViewChain &chain, int64_t dim) {
  std::optional<int64_t> at = dim;
  for (Operation *view : llvm::reverse(chain.views))
    if (at)
      at = getSourceDim(view, *at);
  return at;
}

static SmallVector<int64_t> splitDim(ArrayRef<int64_t> shape, int64_t dim) {
  SmallVector<int64_t> split(shape);
  split[dim] /= rowElements;
  split.insert(split.begin() + dim + 1, rowElements);
  return split;
}

static Value createReshape(OpBuilder &builder, Value value,
                           ArrayRef<int64_t> shape) {
  auto type = cast<RankedTensorType>(value.getType());
  return ReshapeOp::create(
      builder, value.getLoc(),
      RankedTensorType::get(shape, type.getElementType()), value);
}

/// The operand's views repeated on its root with the depth split there.
std::optional<ViewChain> WarpgroupPlanner::splitRight(Value operand,
                                                      int64_t dim) {
  ViewChain chain = traceViews(operand);
  SmallVector<int64_t> dims{dim}; // of each view's result, last first
  for (Operation *view : llvm::reverse(chain.views)) {
    std::optional<int64_t> source = getSourceDim(view, dims.back());
    if (!source)
      return std::nullopt;
    if (auto window = dyn_cast<WindowOp>(view))
      if (window.getOffsets()[*source] % rowElements ||
          window.getStrides()[*source] != 1)
        return std::nullopt;
    dims.push_back(*source);
  }
  std::reverse(dims.begin(), dims.end());
  int64_t rootDim = dims.front();
  if (getShape(chain.root)[rootDim] % rowElements)
    return std::nullopt;
  Value &root = roots[{chain.root, rootDim}];
  if (!root) {
    OpBuilder builder(operand.getContext());
    builder.setInsertionPointAfterValue(chain.root);
    root = createReshape(builder, chain.root,
                         splitDim(getShape(chain.root), rootDim));
  }
  ViewChain result{root, {}};
  Value value = root;
  for (auto [view, at] : llvm::zip(chain.views, ArrayRef(dims).drop_front())) {
    OpBuilder builder(view);
    Location loc = view->getLoc();
    SmallVector<int64_t> shape = splitDim(getShape(view->getResult(0)), at);
    auto type = RankedTensorType::get(
        shape, cast<RankedTensorType>(value.getType()).getElementType());
    if (auto window = dyn_cast<WindowOp>(view)) {
      SmallVector<int64_t> offsets(window.getOffsets()),
          strides(window.getStrides());
      offsets[at] /= rowElements;
      offsets.insert(offsets.begin() + at + 1, 0);
      strides.insert(strides.begin() + at + 1, 1);
      value = WindowOp::create(builder, loc, type, value,
                               builder.getDenseI64ArrayAttr(offsets),
                               builder.getDenseI64ArrayAttr(strides));
    } else if (auto trans = dyn_cast<TransOp>(view)) {
      int64_t source = trans.getPermutation()[at];
      SmallVector<int64_t> permutation;
      for (int64_t d : trans.getPermutation()) {
        permutation.push_back(d + (d > source));
        if (d == source)
          permutation.push_back(d + 1);
      }
      value = TransOp::create(builder, loc, type, value,
                              builder.getDenseI64ArrayAttr(permutation));
    } else {
      value = createReshape(builder, value, shape);
    }
    result.views.push_back(value.getDefiningOp());
  }
  return result;
}

/// `root` is `value` with the depth split after it; null where memory runs along the
/// depth.
static Value getSplitValue(Value root, unsigned numWarps, int64_t &depth) {
  auto reshape = root.getDefiningOp<ReshapeOp>();
  if (!reshape)
    return nullptr;
  Value value = reshape.getValue();
  ArrayRef<int64_t> shape = getShape(value), split = getShape(root);
  if (split.size() != shape.size() + 1)
    return nullptr;
  depth = 0;
  while (split[depth] == shape[depth])
    ++depth;
  MemoryOrder order = getMemoryOrder(value, numWarps);
  if (order.dims.front() == depth || order.vector > rowElements ||
      split[depth + 1] != rowElements)
    return nullptr;
  return value;
}

/// The same for extents that are no powers of two, those of a window's patch: lanes
/// run along memory, element by element, and each thread has four steps in depth of
/// its element, which it stores as one vector beside its neighbours'.
static std::optional<DistributedLayout>
getLineLayout(Value value, int64_t depth, unsigned numWarps) {
  SmallVector<int64_t> shape(getShape(value));
  shape[depth] /= rowElements;
  DistributedLayout lines =
      getBlockedLayout(shape, numWarps, getMemoryOrder(value, numWarps).dims, 1);
  SmallVector<SmallVector<int64_t, 4>> factors;
  for (unsigned dim = 0; dim < shape.size(); ++dim)
    factors.push_back(lines.getFactors(dim));
  factors.insert(factors.begin() + depth + 1, {rowElements});
  std::vector<DistributedLayout::Bases> bases(numHardware);
  for (int64_t weight = 1; weight < rowElements; weight *= 2) {
    DistributedLayout::Basis basis(shape.size() + 1, 0);
    basis[depth + 1] = weight;
    bases[unsigned(Hardware::Register)].push_back(basis);
  }
  for (Hardware part : {Hardware::Register, Hardware::Lane, Hardware::Warp})
    for (DistributedLayout::Basis basis : lines.getBases(part)) {
      basis.insert(basis.begin() + depth + 1, 0);
      bases[unsigned(part)].push_back(basis);
    }
  std::string error;
  return DistributedLayout::get(factors, bases, error);
}

/// A thread's patch is four by four: rows of memory that are read in vectors, and
/// stored in vectors across them, the depth of core matrices. (Rows that cannot be
/// read in vectors of four make it narrower.) Eight lanes share the eight columns of
/// a core matrix, and as many steps in depth as that leaves, so that their stores
/// meet all banks. Nothing where memory runs along the depth.
std::optional<DistributedLayout> tilefuse::getPatchLayout(Value root,
                                                          unsigned numWarps) {
  int64_t depth;
  Value value = getSplitValue(root, numWarps, depth);
  if (!value)
    return std::nullopt;
  ArrayRef<int64_t> shape = getShape(value), split = getShape(root);
  if (!llvm::all_of(shape, llvm::isPowerOf2_64))
    return getLineLayout(value, depth, numWarps);
  MemoryOrder order = getMemoryOrder(value, numWarps);
  int64_t row = order.dims.front();

  using Basis = DistributedLayout::Basis;
  SmallVector<SmallVector<int64_t, 4>> factors;
  for (int64_t extent : shape)
    factors.push_back({extent});
  SmallVector<Basis> registers, threads;
  SmallVector<int64_t> taken(shape.size(), 1);
  auto take = [&](SmallVectorImpl<Basis> &list, int64_t dim, int64_t count) {
    for (; count > 1 && taken[dim] < shape[dim]; count /= 2, taken[dim] *= 2) {
      Basis basis(shape.size(), 0);
      basis[dim] = taken[dim];
      list.push_back(basis);
    }
  };
  take(registers, row, order.vector);
  take(registers, depth, rowElements);
  take(threads, row, 8 / order.vector);
  take(threads, depth, order.vector);
  size_t numThreadBits = 5 + llvm::Log2_64(numWarps);
  for (int64_t dim : order.dims)
    take(threads, dim, shape[dim]);
  for (size_t bit = numThreadBits; bit < threads.size(); ++bit)
    registers.push_back(threads[bit]);
  threads.resize(numThreadBits, Basis(shape.size(), 0));
  std::vector<DistributedLayout::Bases> bases(numHardware);
  llvm::append_range(bases[unsigned(Hardware::Register)], registers);
  for (auto [i, basis] : llvm::enumerate(threads))
    bases[unsigned(i < 5 ? Hardware::Lane : Hardware::Warp)].push_back(basis);
  std::string error;
  auto layout = DistributedLayout::get(factors, bases, error);
  return layout ? layout->reshape(shape, split) : std::nullopt;
}

DistributedLayout tilefuse::getCopyLayout(Value root, unsigned numWarps) {
  if (auto patch = getPatchLayout(root, numWarps))
    return *patch;
  if (auto reshape = root.getDefiningOp<ReshapeOp>())
    if (auto layout =
            getMemoryLayout(reshape.getValue(), numWarps)
                .reshape(getShape(reshape.getValue()), getShape(root)))
      return *layout;
  return getMemoryLayout(root, numWarps);
}

/// Core matrices, columns packed, with the padding at which copies meet the fewest
/// bank conflicts. `columns` are dims of the root, fastest first.
SharedLayout WarpgroupPlanner::getLayout(const ViewChain &chain,
                                         ArrayRef<int64_t> columns,
                                         int64_t depthDim) {
  auto [known, isNew] = rootLayouts.try_emplace(chain.root);
  if (!isNew)
    return known->second;
  ArrayRef<int64_t> shape = getShape(chain.root);
  SmallVector<int64_t> order{depthDim + 1};
  llvm::append_range(order, columns);
  size_t depthLevel = order.size();
  order.push_back(depthDim);
  for (int64_t dim = shape.size(); dim-- > 0;)
    if (!llvm::is_contained(order, dim))
      order.push_back(dim);
  DistributedLayout threads = getCopyLayout(chain.root, numWarps);
  std::optional<SharedLayout> best;
  int64_t bestCost = 0;
  constexpr int64_t steps = 8; // of 16 bytes: once round the banks
  for (int64_t depthPad = 0; depthPad < steps; ++depthPad)
    for (int64_t restPad = 0; restPad < steps; ++restPad) {
      SmallVector<int64_t> padding(order.size(), 0);
      padding[depthLevel - 1] = depthPad * rowElements;
      padding[depthLevel] = restPad * rowElements;
      SharedLayout layout = SharedLayout::getPadded(shape, order, padding);
      DistributedLayout stored =
          getSharedOrder(layout, threads, shape, 4).layout;
      int64_t vector = getSharedVector(layout, stored, shape, 4);
      int64_t cost = countBankPasses(layout, stored, shape, 4, vector).passes;
      if (best && cost >= bestCost)
        continue;
      best = layout;
      bestCost = cost;
      if (depthLevel + 1 >= order.size())
        break;
    }
  return rootLayouts[chain.root] = *best;
}

std::optional<WarpgroupProduct>
WarpgroupPlanner::tryPlan(DotOp dot, bool swapped, ArrayRef<int64_t> folded) {
  WarpgroupProduct product;
  product.swapped = swapped;
  Value left = swapped ? dot.getRhs() : dot.getLhs();
  Value right = swapped ? dot.getLhs() : dot.getRhs();
  SmallVector<int64_t> leftContract(swapped ? dot.getRhsContract()
                                            : dot.getLhsContract());
  SmallVector<int64_t> rightContract(swapped ? dot.getLhsContract()
                                             : dot.getRhsContract());
  if (leftContract.empty() || !dot.getLhsBatch().empty() ||
      getShape(left)[leftContract.back()] % rowElements)
    return std::nullopt;
  int64_t leftDim = leftContract.back(), rightDim = rightContract.back();
  std::optional<ViewChain> chain = splitRight(right, rightDim);
  if (!chain)
    return std::nullopt;
  product.right = *chain;
  OpBuilder builder(dot);
  product.left =
      createReshape(builder, left, splitDim(getShape(left), leftDim));

  auto splitContract = [](SmallVector<int64_t> contract, int64_t dim) {
    for (int64_t &d : contract)
      d += d > dim;
    contract.push_back(dim + 1);
    return contract;
  };
  product.dims.lhsShape.assign(getShape(product.left));
  product.dims.rhsShape = splitDim(getShape(right), rightDim);
  product.dims.lhsContract = splitContract(leftContract, leftDim);
  product.dims.rhsContract = splitContract(rightContract, rightDim);

  // The dot's result has the dims of its own left operand first.
  SmallVector<int64_t> foldedHere(folded);
  if (swapped)
    std::rotate(foldedHere.begin(),
                foldedHere.begin() + product.dims.getRhsFree().size(),
                foldedHere.end());
  std::optional<MmaLayouts> layouts = getMmaLayouts(
      product.dims, 32, numWarps, foldedHere, /*warpgroups=*/true);
  if (!layouts)
    return std::nullopt;
  product.layouts = *layouts;

  // Columns in the order of the fragments' bits: last dim fastest. Dims without
  // bits, the rows of a filter, say, follow.
  SmallVector<int64_t> columns;
  SmallVector<int64_t> columnDims;
  for (bool isOdd : {false, true})
    for (int64_t dim : llvm::reverse(product.dims.getRhsFree()))
      if (product.dims.rhsShape[dim] % 2 == isOdd)
        columnDims.push_back(dim);
  for (int64_t dim : columnDims) {
    if (product.dims.rhsShape[dim] == 1)
      continue;
    std::optional<int64_t> root = getRootDim(*chain, dim);
    if (!root)
      return std::nullopt;
    columns.push_back(*root);
  }
  std::optional<int64_t> depthDim =
      getRootDim(*chain, product.dims.rhsContract.back());
  if (!depthDim)
    return std::nullopt;
  product.rightLayout = getLayout(*chain, columns, *depthDim - 1);
  std::optional<SharedLayout> seen = composeViews(product.rightLayout, *chain);
  if (!seen)
    return std::nullopt;
  auto plan = planWgmma(product.dims, product.layouts, *seen);
  if (!plan)
    return std::nullopt;
  product.columns = plan->front().front().getColumns();
  return product;
}

std::optional<WarpgroupProduct>
WarpgroupPlanner::plan(DotOp dot, ArrayRef<int64_t> folded) {
  std::optional<WarpgroupProduct> best;
  for (bool swapped : {false, true}) {
    std::optional<WarpgroupProduct> product = tryPlan(dot, swapped, folded);
    if (!product || product->columns < leastColumns)
      continue;
    // Wide instructions load fewer fragments; of equals, the right operand that
    // is smaller, since it goes through registers, then the one that memory has
    // along the depth.
    auto getSize = [&](const WarpgroupProduct &p) {
      return std::pair(
          cast<RankedTensorType>(p.right.root.getType()).getNumElements(),
          getPatchLayout(p.right.root, numWarps).has_value());
    };
    if (!best || std::min<int64_t>(product->columns, 128) >
                     std::min<int64_t>(best->columns, 128) ||
        (product->columns >= std::min<int64_t>(best->columns, 128) &&
         getSize(*product) < getSize(*best)))
      best = product;
  }
  return best;
}
