//===- LowerMemory.cpp - loads, stores and atomics on the CPU -------------===//
//
// The elements of a block that lie inside a view form a box, whatever the
// offsets and steps: per dim, positions lo <= i < hi of the block. So no element
// is tested by itself: a load fills the block with `fill` unless the box is the
// whole block, and copies the box; a store writes the box.
//
// A load copies at its place in the program, so later stores to the same view
// cannot change it.
//
//===----------------------------------------------------------------------===//

#include "passes/TileToCPU/KernelLowering.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace tilefuse;

MemRefType tilefuse::getMemRefType(tile::ViewType view) {
  Type element = view.getElementType();
  if (element.isInteger(1))
    element = IntegerType::get(view.getContext(), 8);
  if (view.isDense())
    return MemRefType::get(view.getShape(), element);
  return MemRefType::get(
      view.getShape(), element,
      StridedLayoutAttr::get(view.getContext(), 0, view.getStrides()));
}

namespace {

/// The part of a block that lies inside the view.
struct Box {
  SmallVector<Value> starts;  // first position in the block
  SmallVector<OpFoldResult> extents;
  SmallVector<Value> origins; // view index of block position 0
  SmallVector<int64_t> steps;
  Value isWhole;              // i1: nothing of the block is outside
};

} // namespace

// Any offset further out than this leaves nothing inside.
static constexpr int64_t farOutside = int64_t(1) << 33;

static Value clamp(ImplicitLocOpBuilder &b, Value value, Value low,
                   Value high) {
  Value raised = arith::MaxSIOp::create(b, value, low);
  return arith::MinSIOp::create(b, raised, high);
}

static Box emitBox(ImplicitLocOpBuilder &b, tile::ViewType view,
                   ArrayRef<int64_t> block, ValueRange offsets,
                   std::optional<ArrayRef<int64_t>> steps) {
  auto constant = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(b, value);
  };
  Box box;
  Value zero = constant(0);
  for (size_t dim = 0; dim < block.size(); ++dim) {
    int64_t step = steps ? (*steps)[dim] : 1;
    Value bound = constant(view.getShape()[dim]);
    Value extent = constant(block[dim]);
    // No overflow below: the offset is no further out than needed.
    Value origin = clamp(b, offsets[dim], constant(-farOutside), bound);
    Value low, high;
    if (step == 1) {
      low = arith::SubIOp::create(b, zero, origin);
      high = arith::SubIOp::create(b, bound, origin);
    } else {
      Value stepValue = constant(step);
      Value before = arith::SubIOp::create(b, zero, origin);
      Value after = arith::SubIOp::create(b, bound, origin);
      low = arith::CeilDivSIOp::create(b, before, stepValue);
      high = arith::CeilDivSIOp::create(b, after, stepValue);
    }
    low = clamp(b, low, zero, extent);
    high = clamp(b, high, zero, extent);
    Value count = arith::SubIOp::create(b, high, low);
    count = arith::MaxSIOp::create(b, count, zero);
    Value isWhole = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, count,
                                          extent);
    box.isWhole = box.isWhole
                      ? Value(arith::AndIOp::create(b, box.isWhole, isWhole))
                      : isWhole;
    box.starts.push_back(low);
    box.extents.push_back(count);
    box.origins.push_back(origin);
    box.steps.push_back(step);
  }
  return box;
}

// Positions in the block and in the view for a loop's indices.
static void emitPositions(ImplicitLocOpBuilder &b, const Box &box,
                          ValueRange indices, SmallVectorImpl<Value> &inBlock,
                          SmallVectorImpl<Value> &inView) {
  for (size_t dim = 0; dim < indices.size(); ++dim) {
    Value position =
        arith::AddIOp::create(b, box.starts[dim], indices[dim]);
    inBlock.push_back(position);
    if (box.steps[dim] != 1)
      position = arith::MulIOp::create(
          b, position, arith::ConstantIndexOp::create(b, box.steps[dim]));
    inView.push_back(arith::AddIOp::create(b, box.origins[dim], position));
  }
}

Value tilefuse::lowerLoad(KernelLowering &kernel, ImplicitLocOpBuilder &b,
                          tile::LoadOp op) {
  ViewMemory view = kernel.views.lookup(op->getOperand(0));
  RankedTensorType block = op.getResult().getType();
  Type element = block.getElementType();
  Value fill = op.getFill();
  if (!fill)
    fill = arith::ConstantOp::create(b, cast<TypedAttr>(b.getZeroAttr(element)));
  Value buffer = memref::AllocOp::create(
      b, MemRefType::get(block.getShape(), element));

  auto copyElement = [&](ImplicitLocOpBuilder &b, ValueRange from,
                         ValueRange to) {
    Value value = memref::LoadOp::create(b, view.memref, from);
    if (element.isInteger(1)) {
      Value zero = arith::ConstantIntOp::create(b, 0, 8);
      value = arith::CmpIOp::create(b, arith::CmpIPredicate::ne, value, zero);
    }
    if (op.getMask()) {
      Value keep = tensor::ExtractOp::create(b, op.getMask(), to);
      value = arith::SelectOp::create(b, keep, value, fill);
    }
    memref::StoreOp::create(b, value, buffer, to);
  };

  if (block.getRank() == 0) {
    copyElement(b, {}, {});
  } else {
    Box box = emitBox(b, view.type, block.getShape(), op.getOffsets(),
                      op.getSteps());
    Value isPartial = arith::XOrIOp::create(
        b, box.isWhole, arith::ConstantIntOp::create(b, 1, 1));
    auto fillIf = scf::IfOp::create(b, isPartial, /*withElseRegion=*/false);
    {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(fillIf.thenBlock());
      emitLoops(b, getExtents(b, block),
                [&](ImplicitLocOpBuilder &b, ValueRange indices) {
                  memref::StoreOp::create(b, fill, buffer, indices);
                });
    }
    emitLoops(b, box.extents, [&](ImplicitLocOpBuilder &b, ValueRange indices) {
      SmallVector<Value> inBlock, inView;
      emitPositions(b, box, indices, inBlock, inView);
      copyElement(b, inView, inBlock);
    });
  }
  return bufferization::ToTensorOp::create(b, block, buffer,
                                           /*restrict=*/true,
                                           /*writable=*/true);
}

void tilefuse::lowerStore(KernelLowering &kernel, ImplicitLocOpBuilder &b,
                          tile::StoreOp op) {
  ViewMemory view = kernel.views.lookup(op->getOperand(1));
  RankedTensorType block = op.getValue().getType();
  auto storeElement = [&](ImplicitLocOpBuilder &b, ValueRange from,
                          ValueRange to) {
    Value value = tensor::ExtractOp::create(b, op.getValue(), from);
    if (block.getElementType().isInteger(1))
      value = arith::ExtUIOp::create(b, b.getI8Type(), value);
    if (!op.getMask()) {
      memref::StoreOp::create(b, value, view.memref, to);
      return;
    }
    Value keep = tensor::ExtractOp::create(b, op.getMask(), from);
    auto storeIf = scf::IfOp::create(b, keep, /*withElseRegion=*/false);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(storeIf.thenBlock());
    memref::StoreOp::create(b, value, view.memref, to);
  };
  Box box =
      emitBox(b, view.type, block.getShape(), op.getOffsets(), op.getSteps());
  emitLoops(b, box.extents, [&](ImplicitLocOpBuilder &b, ValueRange indices) {
    SmallVector<Value> inBlock, inView;
    emitPositions(b, box, indices, inBlock, inView);
    storeElement(b, inBlock, inView);
  });
}

static arith::AtomicRMWKind getKind(tile::AtomicKind kind) {
  switch (kind) {
  case tile::AtomicKind::add:
    return arith::AtomicRMWKind::addi;
  case tile::AtomicKind::max:
    return arith::AtomicRMWKind::maxs;
  case tile::AtomicKind::min:
    return arith::AtomicRMWKind::mins;
  case tile::AtomicKind::And:
    return arith::AtomicRMWKind::andi;
  case tile::AtomicKind::Or:
    return arith::AtomicRMWKind::ori;
  case tile::AtomicKind::Xor:
    return arith::AtomicRMWKind::xori;
  }
  llvm_unreachable("all kinds are listed");
}

void tilefuse::lowerAtomic(KernelLowering &kernel, ImplicitLocOpBuilder &b,
                           tile::AtomicOp op) {
  ViewMemory view = kernel.views.lookup(op->getOperand(0));
  RankedTensorType block = op.getValue().getType();
  Value bound = arith::ConstantIndexOp::create(b, view.type.getShape()[0]);
  emitLoops(
      b, getExtents(b, block),
      [&](ImplicitLocOpBuilder &b, ValueRange indices) {
        Value index = tensor::ExtractOp::create(b, op.getIndex(), indices);
        if (!index.getType().isIndex())
          index = arith::IndexCastOp::create(b, b.getIndexType(), index);
        // Unsigned: a negative index is past the end too.
        Value isInside = arith::CmpIOp::create(b, arith::CmpIPredicate::ult,
                                               index, bound);
        if (op.getMask()) {
          Value keep = tensor::ExtractOp::create(b, op.getMask(), indices);
          isInside = arith::AndIOp::create(b, isInside, keep);
        }
        Value value = tensor::ExtractOp::create(b, op.getValue(), indices);
        auto update = scf::IfOp::create(b, isInside, /*withElseRegion=*/false);
        OpBuilder::InsertionGuard guard(b);
        b.setInsertionPointToStart(update.thenBlock());
        memref::AtomicRMWOp::create(b, value.getType(), getKind(op.getKind()),
                                    value, view.memref, ValueRange{index});
      });
}

Value tilefuse::lowerViewCast(KernelLowering &kernel, ImplicitLocOpBuilder &b,
                              tile::ViewCastOp op) {
  ViewMemory from = kernel.views.lookup(op->getOperand(0));
  auto type = cast<tile::ViewType>(op.getResult().getType());
  int64_t offset = op.getOffset();
  auto memref = cast<MemRefType>(from.memref.getType());
  int64_t start = memref.getStridesAndOffset().second + offset;
  auto result = MemRefType::get(
      type.getShape(), getMemRefType(type).getElementType(),
      StridedLayoutAttr::get(b.getContext(), start, type.getStrides()));
  Value value = memref::ReinterpretCastOp::create(
      b, result, from.memref, start, type.getShape(), type.getStrides());
  kernel.views[value] = {type, value};
  return value;
}
