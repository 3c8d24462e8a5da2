//===- PlaceBuffers.cpp - tile-place-buffers ------------------------------===//
//
// Bufferization leaves allocations where values are made, loops included, and no
// deallocations. All extents are constants, and a loop's iterations use a buffer
// one after another, so an allocation may move out of every loop; one-shot
// bufferization never lets a buffer made in an iteration out of it.
//
//===----------------------------------------------------------------------===//

#include "passes/TileToCPU/Passes.h"

#include "dialects/Tile/Tile.h"
#include "mlir/Dialect/Bufferization/Transforms/BufferViewFlowAnalysis.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace tilefuse {
#define GEN_PASS_DEF_TILEPLACEBUFFERS
#include "passes/TileToCPU/Passes.h.inc"
} // namespace tilefuse

using namespace mlir;
using namespace tilefuse;

namespace {

constexpr int64_t alignment = 64;

/// More than this no instance needs; it would only exhaust the machine.
constexpr int64_t maxTotalBytes = int64_t(1) << 30;

int64_t getBytes(MemRefType type) {
  Type element = type.getElementType();
  int64_t width = element.isIndex() ? 64 : element.getIntOrFloatBitWidth();
  return type.getNumElements() * std::max<int64_t>(width / 8, 1);
}

/// First and last op of the function's body that touch a buffer.
struct Span {
  Operation *first = nullptr;
  Operation *last = nullptr;
};

Span findSpan(Value buffer, Block &body, const BufferViewFlowAnalysis &aliases) {
  Span span;
  for (Value alias : aliases.resolve(buffer))
    for (Operation *user : alias.getUsers()) {
      Operation *op = body.findAncestorOpInBlock(*user);
      if (!op)
        continue;
      if (!span.first || op->isBeforeInBlock(span.first))
        span.first = op;
      if (!span.last || span.last->isBeforeInBlock(op))
        span.last = op;
    }
  return span;
}

// memref.copy -> linalg.generic: in LLVM a strided copy would be a call.
void expandCopies(func::FuncOp function) {
  SmallVector<memref::CopyOp> copies;
  function.walk([&](memref::CopyOp copy) { copies.push_back(copy); });
  for (memref::CopyOp copy : copies) {
    OpBuilder builder(copy);
    linalg::makeMemRefCopyOp(builder, copy.getLoc(), copy.getSource(),
                             copy.getTarget());
    copy.erase();
  }
}

struct PlaceBuffers : tilefuse::impl::TilePlaceBuffersBase<PlaceBuffers> {
  using Base::Base;

  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (!function->hasAttr(tile::TileDialect::getLoweredAttrName()))
      return;
    expandCopies(function);
    SmallVector<memref::AllocOp> allocs;
    function.walk([&](memref::AllocOp alloc) { allocs.push_back(alloc); });
    Block &body = function.getBody().front();
    BufferViewFlowAnalysis aliases(function);
    int64_t total = 0;
    for (memref::AllocOp alloc : allocs) {
      if (!alloc.getType().hasStaticShape()) {
        alloc.emitOpError("has an extent that is no constant");
        return signalPassFailure();
      }
      total += getBytes(alloc.getType());
      if (total > maxTotalBytes) {
        function.emitError("kernel needs more than 1 GiB for its blocks");
        return signalPassFailure();
      }
      place(alloc, body, aliases);
    }
  }

  void place(memref::AllocOp alloc, Block &body,
             const BufferViewFlowAnalysis &aliases) {
    Span span = findSpan(alloc, body, aliases);
    if (!span.first) {
      alloc.erase();
      return;
    }
    MemRefType type = alloc.getType();
    OpBuilder builder(span.first);
    IntegerAttr align = builder.getI64IntegerAttr(alignment);
    numBytes += getBytes(type);
    if (getBytes(type) <= maxStackBytes) {
      builder.setInsertionPointToStart(&body);
      Value buffer =
          memref::AllocaOp::create(builder, alloc.getLoc(), type, align);
      alloc.replaceAllUsesWith(buffer);
      alloc.erase();
      ++numStack;
      return;
    }
    ++numHeap;
    alloc.setAlignmentAttr(align);
    alloc->moveBefore(span.first);
    builder.setInsertionPointAfter(span.last);
    memref::DeallocOp::create(builder, alloc.getLoc(), alloc);
  }
};

} // namespace
