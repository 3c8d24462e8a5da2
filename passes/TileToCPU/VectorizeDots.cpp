//===- VectorizeDots.cpp - tile-vectorize-dots ----------------------------===//
//
// A product C[.., i, .., j] += A[.., i, .., k] * B[k, .., j] with j contiguous in
// B and C. A register tile is `rows` positions of one dim i by `columns` vectors
// along j: rows * columns sums stay in registers while a chunk of the contracting
// dims is walked, and are added to C. Per step of k it takes `columns` vector
// loads of B and `rows` broadcasts of A for rows * columns FMAs. Chunks keep long
// sums accurate: their partial sums are short and meet in C.
//
// The taps of a convolution are products with one C, one after another. They share
// their loops: a register tile walks all taps before it is added to C.
//
// Every other dim is an outer loop. i is whatever dim of the product makes full
// tiles: a free dim of A for a matrix product, another free dim of B for a
// depthwise convolution. Extents are constants, so what is left over at the end
// of i and j gets tiles of its own, the last columns with a masked vector.
//
//===----------------------------------------------------------------------===//

#include "passes/TileToCPU/Passes.h"

#include "dialects/Tile/Tile.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/Interfaces/ViewLikeInterface.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/TargetParser/Host.h"

namespace tilefuse {
#define GEN_PASS_DEF_TILEVECTORIZEDOTS
#include "passes/TileToCPU/Passes.h.inc"
} // namespace tilefuse

using namespace mlir;
using namespace tilefuse;

namespace {

/// Products that are summed up before they are added to C.
constexpr int64_t maxChunkDepth = 64;

int64_t getHostVectorBits() {
  llvm::StringMap<bool> features = llvm::sys::getHostCPUFeatures();
  if (features.lookup("avx512f"))
    return 512;
  return features.lookup("avx") ? 256 : 128;
}

/// One operand: its memref and which loop walks each of its dims.
struct Operand {
  Value memref;
  SmallVector<unsigned> loops;

  bool uses(unsigned loop) const { return llvm::is_contained(loops, loop); }
  bool isContiguousIn(unsigned loop) const {
    auto [strides, offset] =
        cast<MemRefType>(memref.getType()).getStridesAndOffset();
    return !loops.empty() && loops.back() == loop && strides.back() == 1;
  }
};

/// Number of equal parts to cut `extent` in, the largest up to `limit`; `limit`
/// when only small ones divide.
int64_t chooseTile(int64_t extent, int64_t limit) {
  if (extent <= limit)
    return extent;
  for (int64_t size = limit; size * 2 > limit; --size)
    if (extent % size == 0)
      return size;
  return limit;
}

class DotEmitter {
public:
  /// `ops` add to one memref and have the same loops and maps.
  DotEmitter(ArrayRef<linalg::GenericOp> ops, int64_t vectorBits)
      : ops(ops), b(getLast(ops).getLoc(), getLast(ops)),
        extents(getLast(ops).getStaticLoopRanges()) {
    for (linalg::GenericOp op : ops) {
      SmallVector<AffineMap> maps = op.getIndexingMapsArray();
      factors.push_back({makeOperand(op.getInputs()[0], maps[0]),
                         makeOperand(op.getInputs()[1], maps[1])});
      acc = makeOperand(op.getOutputs()[0], maps[2]);
    }
    lhs = factors.front().first;
    rhs = factors.front().second;
    element = getElementTypeOrSelf(acc.memref.getType());
    lanes = vectorBits / element.getIntOrFloatBitWidth();
    hasManyRegisters = vectorBits >= 512;
  }

  /// False, with nothing changed, when there is no dim to vectorise.
  bool run() {
    if (acc.loops.empty())
      return false;
    vectorLoop = acc.loops.back();
    if (extents[vectorLoop] < 2 || !acc.isContiguousIn(vectorLoop))
      return false;
    // Broadcasts of one operand, vectors of the other, or vectors of both.
    for (const auto &[left, right] : factors)
      for (const Operand *operand : {&left, &right})
        if (operand->uses(vectorLoop) && !operand->isContiguousIn(vectorLoop))
          return false;
    chooseRows();
    emit();
    for (linalg::GenericOp op : ops)
      op.erase();
    return true;
  }

private:
  static linalg::GenericOp getLast(ArrayRef<linalg::GenericOp> ops) {
    return ops.back();
  }

  static Operand makeOperand(Value memref, AffineMap map) {
    Operand operand{memref, {}};
    for (AffineExpr expr : map.getResults())
      operand.loops.push_back(cast<AffineDimExpr>(expr).getPosition());
    return operand;
  }

  // The dim with the most full tiles; free dims of one operand reuse the other.
  void chooseRows() {
    int64_t best = 0;
    for (unsigned loop : acc.loops) {
      if (loop == vectorLoop)
        continue;
      bool reuses = !lhs.uses(loop) || !rhs.uses(loop);
      bool broadcastsDiffer = rhs.uses(vectorLoop) ? !rhs.uses(loop)
                                                   : !lhs.uses(loop);
      int64_t score = std::min<int64_t>(extents[loop], 8) * 4 +
                      (reuses ? 2 : 0) + (broadcastsDiffer ? 1 : 0);
      if (extents[loop] > 1 && score > best) {
        best = score;
        rowLoop = loop;
      }
    }
    int64_t vectors = llvm::divideCeil(extents[vectorLoop], lanes);
    columns = chooseTile(vectors, hasManyRegisters ? 4 : 2);
    if (columns == 3)
      columns = vectors == 3 ? 3 : 2;
    int64_t maxRows = hasManyRegisters ? 24 / columns : 8 / columns;
    maxRows = std::min<int64_t>(maxRows, 8);
    rows = rowLoop ? chooseTile(extents[*rowLoop], maxRows) : 1;
  }

  Value constant(int64_t value) {
    return arith::ConstantIndexOp::create(b, value);
  }

  void emit() {
    OpBuilder::InsertionGuard guard(b);
    indices.assign(extents.size(), Value());
    for (unsigned loop : acc.loops) {
      if (loop == vectorLoop || loop == rowLoop)
        continue;
      indices[loop] = enterLoop(0, extents[loop], 1);
    }
    // Columns outside, rows inside: a panel of the vector operand stays in cache.
    int64_t step = columns * lanes;
    int64_t whole = extents[vectorLoop] / step * step;
    emitColumns(0, whole, step, columns, lanes);
    int64_t left = extents[vectorLoop] - whole;
    if (left == 0)
      return;
    int64_t vectors = left / lanes;
    if (vectors)
      emitColumns(whole, whole + vectors * lanes, vectors * lanes, vectors,
                  lanes);
    if (left % lanes)
      emitColumns(whole + vectors * lanes, extents[vectorLoop], lanes, 1,
                  left % lanes);
  }

  /// Enters a loop (or its only iteration); returns the index.
  Value enterLoop(int64_t begin, int64_t end, int64_t step) {
    if (begin + step >= end)
      return constant(begin);
    auto loop = scf::ForOp::create(b, constant(begin), constant(end),
                                   constant(step));
    b.setInsertionPointToStart(loop.getBody());
    return loop.getInductionVar();
  }

  void emitColumns(int64_t begin, int64_t end, int64_t step, int64_t count,
                   int64_t active) {
    if (begin >= end)
      return;
    OpBuilder::InsertionGuard guard(b);
    indices[vectorLoop] = enterLoop(begin, end, step);
    numColumns = count;
    activeLanes = active;
    int64_t extent = rowLoop ? extents[*rowLoop] : 1;
    int64_t whole = extent / rows * rows;
    emitRows(0, whole, rows);
    emitRows(whole, extent, extent - whole);
  }

  void emitRows(int64_t begin, int64_t end, int64_t count) {
    if (begin >= end)
      return;
    OpBuilder::InsertionGuard guard(b);
    if (rowLoop)
      indices[*rowLoop] = enterLoop(begin, end, count);
    emitTile(count);
  }

  /// Indices of an operand at row `row` and vector `column` of the tile.
  SmallVector<Value> getIndices(const Operand &operand, int64_t row,
                                int64_t column) {
    SmallVector<Value> result;
    for (unsigned loop : operand.loops) {
      Value index = indices[loop];
      int64_t shift = 0;
      if (rowLoop && loop == *rowLoop)
        shift = row;
      else if (loop == vectorLoop)
        shift = column * lanes;
      if (shift)
        index = arith::AddIOp::create(b, index, constant(shift));
      result.push_back(index);
    }
    return result;
  }

  VectorType getVectorType() { return VectorType::get(lanes, element); }

  Value getMask() {
    return vector::ConstantMaskOp::create(
        b, VectorType::get(lanes, b.getI1Type()),
        b.getDenseI64ArrayAttr({activeLanes}));
  }

  Value loadVector(const Operand &operand, ValueRange at) {
    if (!operand.uses(vectorLoop)) {
      Value scalar = memref::LoadOp::create(b, operand.memref, at);
      return vector::BroadcastOp::create(b, getVectorType(), scalar);
    }
    if (activeLanes == lanes)
      return vector::LoadOp::create(b, getVectorType(), operand.memref, at);
    Value zero = arith::ConstantOp::create(b, b.getZeroAttr(getVectorType()));
    return vector::MaskedLoadOp::create(b, getVectorType(), operand.memref, at,
                                        getMask(), zero);
  }

  // C += sums over the contracting dims, a chunk of them at a time.
  void emitTile(int64_t count) {
    SmallVector<unsigned> contracting;
    int64_t depth = 1;
    for (unsigned loop = 0; loop < extents.size(); ++loop)
      if (!acc.uses(loop)) {
        contracting.push_back(loop);
        depth *= extents[loop];
      }
    OpBuilder::InsertionGuard guard(b);
    chunkLoop.reset();
    if (depth > maxChunkDepth && factors.size() == 1) {
      chunkLoop = *llvm::max_element(contracting, [&](unsigned x, unsigned y) {
        return extents[x] < extents[y];
      });
      int64_t extent = extents[*chunkLoop];
      int64_t limit = std::max<int64_t>(1, maxChunkDepth / (depth / extent));
      chunkExtent = chooseTile(extent, limit);
      chunkStart = enterLoop(0, extent, chunkExtent);
    }
    emitChunk(contracting, count);
  }

  void emitChunk(ArrayRef<unsigned> contracting, int64_t count) {
    Value zero = arith::ConstantOp::create(b, b.getZeroAttr(getVectorType()));
    SmallVector<Value> sums(count * numColumns, zero);
    for (const auto &[left, right] : factors) {
      lhs = left;
      rhs = right;
      sums = emitSums(contracting, sums, count);
    }
    for (int64_t row = 0; row < count; ++row)
      for (int64_t column = 0; column < numColumns; ++column) {
        SmallVector<Value> at = getIndices(acc, row, column);
        Value sum = arith::AddFOp::create(b, loadVector(acc, at),
                                          sums[row * numColumns + column]);
        if (activeLanes == lanes)
          vector::StoreOp::create(b, sum, acc.memref, at);
        else
          vector::MaskedStoreOp::create(b, acc.memref, at, getMask(), sum);
      }
  }

  // Loops over the contracting dims that carry the sums.
  SmallVector<Value> emitSums(ArrayRef<unsigned> contracting,
                              ArrayRef<Value> sums, int64_t count) {
    if (contracting.empty())
      return emitProducts(sums, count);
    unsigned loop = contracting.front();
    Value begin = constant(0), end = constant(extents[loop]);
    if (loop == chunkLoop) {
      begin = chunkStart;
      Value next = arith::AddIOp::create(b, begin, constant(chunkExtent));
      end = extents[loop] % chunkExtent == 0
                ? next
                : Value(arith::MinSIOp::create(b, next, end));
    } else if (extents[loop] == 1) {
      indices[loop] = begin;
      return emitSums(contracting.drop_front(), sums, count);
    }
    auto forOp = scf::ForOp::create(b, begin, end, constant(1), sums);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(forOp.getBody());
    indices[loop] = forOp.getInductionVar();
    SmallVector<Value> carried(forOp.getRegionIterArgs());
    SmallVector<Value> next =
        emitSums(contracting.drop_front(), carried, count);
    scf::YieldOp::create(b, next);
    return SmallVector<Value>(forOp.getResults());
  }

  // An operand's vectors for the whole tile, each loaded once.
  SmallVector<Value> loadTile(const Operand &operand, int64_t count) {
    SmallVector<Value> vectors(count * numColumns);
    bool hasRows = rowLoop && operand.uses(*rowLoop);
    bool hasColumns = operand.uses(vectorLoop);
    for (int64_t row = 0; row < count; ++row)
      for (int64_t column = 0; column < numColumns; ++column) {
        int64_t first = (hasRows ? row : 0) * numColumns +
                        (hasColumns ? column : 0);
        Value &source = vectors[first];
        if (!source)
          source = loadVector(operand, getIndices(operand, row, column));
        vectors[row * numColumns + column] = source;
      }
    return vectors;
  }

  SmallVector<Value> emitProducts(ArrayRef<Value> sums, int64_t count) {
    SmallVector<Value> left = loadTile(lhs, count);
    SmallVector<Value> right = loadTile(rhs, count);
    SmallVector<Value> next;
    for (auto [l, r, sum] : llvm::zip_equal(left, right, sums))
      next.push_back(vector::FMAOp::create(b, l, r, sum));
    return next;
  }

  ArrayRef<linalg::GenericOp> ops;
  ImplicitLocOpBuilder b;
  SmallVector<int64_t> extents;
  Operand acc;
  SmallVector<std::pair<Operand, Operand>> factors; // of each product
  Operand lhs, rhs;                                 // of the current one
  Type element;
  int64_t lanes;
  bool hasManyRegisters;
  unsigned vectorLoop = 0;
  std::optional<unsigned> rowLoop;
  int64_t rows = 1;
  int64_t columns = 1;

  // Where the code being written is.
  SmallVector<Value> indices; // by loop
  int64_t numColumns = 1;
  int64_t activeLanes = 1;
  std::optional<unsigned> chunkLoop; // walked in chunks
  int64_t chunkExtent = 1;
  Value chunkStart;
};

/// The buffer that a memref is a view of.
Value getBuffer(Value memref) {
  while (auto view = memref.getDefiningOp<ViewLikeOpInterface>())
    memref = view.getViewSource();
  return memref;
}

bool haveSameLoops(linalg::GenericOp x, linalg::GenericOp y) {
  return x.getIndexingMaps() == y.getIndexingMaps() &&
         x.getStaticLoopRanges() == y.getStaticLoopRanges();
}

int64_t getDepth(linalg::GenericOp op) {
  int64_t depth = 1;
  for (auto [extent, kind] :
       llvm::zip_equal(op.getStaticLoopRanges(), op.getIteratorTypesArray()))
    if (kind == utils::IteratorType::reduction)
      depth *= extent;
  return depth;
}

/// Collects products that can be emitted together, where the last one stands.
class ProductChain {
public:
  bool accepts(linalg::GenericOp op) const {
    if (ops.empty())
      return true;
    linalg::GenericOp last = ops.back();
    return last.getOutputs()[0] == op.getOutputs()[0] &&
           haveSameLoops(last, op) && depth + getDepth(op) <= maxDepth;
  }
  void add(linalg::GenericOp op) {
    ops.push_back(op);
    depth += getDepth(op);
    for (Value operand : op->getOperands())
      touched.insert(getBuffer(operand));
  }
  /// Whether the products may move behind `op`.
  bool mayPass(Operation *op) const {
    if (isMemoryEffectFree(op) || isa<memref::AllocOp, memref::AllocaOp>(op))
      return true;
    auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
    if (!linalgOp || ops.empty())
      return false;
    linalg::GenericOp last = ops.back();
    Value acc = getBuffer(last.getOutputs()[0]);
    return llvm::none_of(linalgOp.getDpsInits(),
                         [&](Value init) {
                           return touched.contains(getBuffer(init));
                         }) &&
           llvm::none_of(op->getOperands(), [&](Value operand) {
             return isa<MemRefType>(operand.getType()) &&
                    getBuffer(operand) == acc;
           });
  }
  ArrayRef<linalg::GenericOp> getOps() const { return ops; }

private:
  static constexpr int64_t maxDepth = 4 * maxChunkDepth;
  SmallVector<linalg::GenericOp> ops;
  llvm::DenseSet<Value> touched;
  int64_t depth = 0;
};

struct VectorizeDots : tilefuse::impl::TileVectorizeDotsBase<VectorizeDots> {
  using Base::Base;

  void runOnOperation() override {
    if (vectorBits && (vectorBits < 64 || vectorBits > 4096)) {
      getOperation().emitError("vector-bits must be 0 or 64 to 4096, found ")
          << int64_t(vectorBits);
      return signalPassFailure();
    }
    SmallVector<ProductChain> chains;
    getOperation().walk([&](Block *block) {
      ProductChain chain;
      auto finish = [&] {
        if (!chain.getOps().empty())
          chains.push_back(chain);
        chain = {};
      };
      for (Operation &op : *block) {
        auto dot = dyn_cast<linalg::GenericOp>(op);
        if (dot && dot->hasAttr("tile.dot") && dot.hasPureBufferSemantics()) {
          if (!chain.accepts(dot))
            finish();
          chain.add(dot);
        } else if (!chain.mayPass(&op)) {
          finish();
        }
      }
      finish();
    });
    int64_t bits = vectorBits ? int64_t(vectorBits) : getHostVectorBits();
    for (const ProductChain &chain : chains) {
      uint64_t count = chain.getOps().size();
      if (DotEmitter(chain.getOps(), bits).run()) {
        numVectorized += count;
        continue;
      }
      numLeft += count;
      for (linalg::GenericOp dot : chain.getOps())
        dot->removeAttr("tile.dot");
    }
  }
};

} // namespace
