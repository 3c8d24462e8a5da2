//===- PlanBuffers.cpp - buffers share a workspace --------------*- C++ -*-===//
//
// Launches run in order, so a buffer is live from the launch that first writes
// it to the one that last reads it, both included. Placing the largest buffer
// first, each at the tightest gap among those it meets in time, is a few percent
// from optimal on real graphs and depends on nothing but sizes and order (the
// "greedy by size" planner of arXiv 2001.03288).
//
//===----------------------------------------------------------------------===//

#include "passes/Plan/Passes.h"

namespace tilefuse {
#define GEN_PASS_DEF_TILEPLANBUFFERS
#include "passes/Plan/Passes.h.inc"
} // namespace tilefuse

using namespace mlir;
using namespace tilefuse;

namespace {

constexpr int64_t kAlignment = 256;

/// One buffer: its size, and the first and last launch that touch it.
struct Buffer {
  tile::AllocOp alloc;
  int64_t bytes = 0;
  int64_t first = -1, last = -1;
  int64_t offset = 0;

  bool meets(const Buffer &other) const {
    return first <= other.last && other.first <= last;
  }
};

int64_t getByteSize(tile::ViewType type) {
  int64_t bits = type.getElementType().getIntOrFloatBitWidth();
  return type.getNumElements() * llvm::divideCeil(bits, 8);
}

class PlanBuffers : public tilefuse::impl::TilePlanBuffersBase<PlanBuffers> {
public:
  using TilePlanBuffersBase::TilePlanBuffersBase;

  void runOnOperation() override {
    func::FuncOp func = getOperation();
    if (!func->hasAttr("tile.entry")) {
      WalkResult result = func.walk([](tile::AllocOp alloc) {
        alloc.emitOpError("is in a function without 'tile.entry'");
        return WalkResult::interrupt();
      });
      if (result.wasInterrupted())
        signalPassFailure();
      return;
    }
    if (func.isExternal() || !func.getBody().hasOneBlock()) {
      func.emitOpError("is an entry of ")
          << (func.isExternal() ? 0 : func.getBody().getBlocks().size())
          << " blocks; a host program is one straight line";
      return signalPassFailure();
    }
    SmallVector<Buffer> buffers;
    if (failed(collect(func, buffers)))
      return signalPassFailure();
    int64_t total = place(buffers);
    Builder builder(&getContext());
    for (Buffer &buffer : buffers)
      buffer.alloc.setOffsetAttr(builder.getI64IntegerAttr(buffer.offset));
    func->setAttr("tile.workspace", builder.getI64IntegerAttr(total));
    numBuffers += buffers.size();
    bytesPlanned += total;
  }

private:
  /// The buffers with their lifetimes, in order.
  LogicalResult collect(func::FuncOp func, SmallVectorImpl<Buffer> &buffers) {
    llvm::DenseMap<Value, unsigned> bufferOf;
    SmallVector<tile::AllocOp> unused;
    int64_t time = 0;
    for (Operation &op : func.getBody().front()) {
      if (auto alloc = dyn_cast<tile::AllocOp>(op)) {
        if (alloc->use_empty()) {
          unused.push_back(alloc);
          continue;
        }
        Buffer buffer;
        buffer.alloc = alloc;
        buffer.bytes = getByteSize(alloc.getResult().getType());
        bytesRequested += buffer.bytes;
        bufferOf[alloc.getResult()] = buffers.size();
        buffers.push_back(buffer);
        continue;
      }
      if (auto cast = dyn_cast<tile::ViewCastOp>(op)) {
        auto it = bufferOf.find(cast.getView());
        if (it != bufferOf.end()) {
          unsigned index = it->second;
          bufferOf[cast.getResult()] = index;
        }
        continue;
      }
      if (isa<tile::ConstantOp>(op))
        continue;
      if (auto launch = dyn_cast<tile::LaunchOp>(op)) {
        for (Value view : launch.getIns())
          if (failed(touch(launch, view, false, time, bufferOf, buffers)))
            return failure();
        for (Value view : launch.getOuts())
          if (failed(touch(launch, view, true, time, bufferOf, buffers)))
            return failure();
        ++time;
        continue;
      }
      if (isa<func::ReturnOp>(op)) {
        if (op.getNumOperands())
          return op.emitOpError("of a host program has no operands: results "
                                "are arguments");
        continue;
      }
      return op.emitOpError("is no part of a host program, which has buffers, "
                            "constants, views, launches and a return");
    }
    for (tile::AllocOp alloc : unused)
      alloc.erase();
    // Views that no launch uses keep their buffer at one point in time.
    for (Buffer &buffer : buffers)
      if (buffer.first < 0)
        buffer.first = buffer.last = 0;
    return success();
  }

  static LogicalResult touch(tile::LaunchOp launch, Value view, bool writes,
                             int64_t time,
                             const llvm::DenseMap<Value, unsigned> &bufferOf,
                             MutableArrayRef<Buffer> buffers) {
    auto it = bufferOf.find(view);
    if (it == bufferOf.end())
      return success();
    Buffer &buffer = buffers[it->second];
    if (buffer.first < 0) {
      if (!writes)
        return launch.emitOpError("reads a buffer that no launch before it "
                                  "wrote")
                   .attachNote(buffer.alloc.getLoc())
               << "the buffer is here";
      buffer.first = time;
    }
    buffer.last = time;
    return success();
  }

  /// Sets the offsets; returns the size of the workspace.
  static int64_t place(MutableArrayRef<Buffer> buffers) {
    SmallVector<Buffer *> order;
    for (Buffer &buffer : buffers)
      order.push_back(&buffer);
    // Equal sizes keep their order: the pointers point into one array.
    llvm::sort(order, [](const Buffer *a, const Buffer *b) {
      return a->bytes != b->bytes ? a->bytes > b->bytes : a < b;
    });
    int64_t total = 0;
    SmallVector<Buffer *> placed; // by offset
    for (Buffer *buffer : order) {
      int64_t size = llvm::alignTo(buffer->bytes, kAlignment);
      int64_t end = 0, best = -1, bestGap = 0;
      for (Buffer *other : placed) {
        if (!buffer->meets(*other))
          continue;
        int64_t gap = other->offset - end;
        if (gap >= size && (best < 0 || gap < bestGap)) {
          best = end;
          bestGap = gap;
        }
        end = std::max<int64_t>(
            end, other->offset + llvm::alignTo(other->bytes, kAlignment));
      }
      buffer->offset = best >= 0 ? best : end;
      total = std::max(total, buffer->offset + size);
      auto *at = llvm::upper_bound(
          placed, buffer, [](const Buffer *a, const Buffer *b) {
            return a->offset < b->offset;
          });
      placed.insert(at, buffer);
    }
    return total;
  }
};

} // namespace
