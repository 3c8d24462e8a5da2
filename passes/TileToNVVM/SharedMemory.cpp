//===- SharedMemory.cpp - shared tiles, copies and barriers -------*- C++ -*-===//
//
// All of a kernel's shared memory is one dynamic array, sized at launch by
// `tile.shared_bytes`; tiles are byte offsets into it.
//
//===----------------------------------------------------------------------===//

#include "dialects/Tile/Layout/RegisterOrder.h"
#include "passes/TileToNVVM/Fragments.h"
#include "passes/TileToNVVM/GlobalAccess.h"
#include "passes/TileToNVVM/KernelEmitter.h"
#include "passes/TileToNVVM/SharedAccess.h"
#include "passes/TileToNVVM/Words.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;

namespace tilefuse {
namespace {

/// Registers of a block that is loaded and stored to shared memory at a time.
constexpr int64_t kPartSize = 32;

constexpr StringLiteral kSharedSymbol = "tile_shared_memory";

/// The dynamic shared array, declared once a module.
LLVM::GlobalOp getSharedArray(ModuleOp module, Location loc) {
  for (auto global : module.getOps<LLVM::GlobalOp>())
    if (global.getSymName() == kSharedSymbol)
      return global;
  OpBuilder builder = OpBuilder::atBlockBegin(module.getBody());
  return LLVM::GlobalOp::create(
      builder, loc, LLVM::LLVMArrayType::get(builder.getI8Type(), 0),
      /*isConstant=*/false, LLVM::Linkage::External, kSharedSymbol,
      /*value=*/Attribute(), /*alignment=*/1024, /*addrSpace=*/3);
}

} // namespace

LogicalResult KernelEmitter::emitAllocShared(tile::AllocSharedOp op) {
  if (!op.getOffset())
    return op.emitOpError("has no place in shared memory "
                          "(run tile-allocate-shared first)");
  if (!sharedBase) {
    OpBuilder atStart =
        OpBuilder::atBlockBegin(&function.getBody().front());
    sharedBase = LLVM::AddressOfOp::create(
        atStart, op.getLoc(), getSharedArray(module, op.getLoc()));
  }
  set(op.getResult(),
      offsetPointer(op.getLoc(), sharedBase, *op.getOffset()));
  return success();
}

LogicalResult KernelEmitter::emitSharedSlot(tile::SharedSlotOp op) {
  Location loc = op.getLoc();
  auto type = cast<tile::SharedType>(op.getSource().getType());
  int64_t slots = type.getShape().front();
  int64_t bytes =
      cast<tile::SharedLayoutAttr>(type.getLayout()).getLayout().getStrides()[0] *
      getMemoryBytes(getMemoryType(getScalarType(type.getElementType())));
  Value slot = ringSlots.lookup({op.getStep(), slots});
  if (slot) {
    slot = emitWrapped(loc, slot, op.getAhead(), slots);
  } else {
    slot = arith::TruncIOp::create(builder, loc, builder.getI32Type(),
                                   getScalar(op.getStep()));
    slot = addImmediate(loc, slot, op.getAhead());
    slot = arith::RemUIOp::create(builder, loc, slot, i32(loc, slots));
  }
  Value offset =
      arith::MulIOp::create(builder, loc, slot, i32(loc, bytes));
  Value base = getScalar(op.getSource());
  set(op.getResult(),
      Value(LLVM::GEPOp::create(builder, loc, base.getType(),
                                builder.getI8Type(), base,
                                LLVM::GEPArg(offset))));
  return success();
}

/// x rounded to nearest with 10 mantissa bits, still an f32. Where x is another
/// value or zero, that is rounded instead, once for all elements it is spread over.
static Value roundToTf32(OpBuilder &builder, Location loc, Value value,
                         llvm::DenseMap<Value, Value> &known) {
  auto [place, isNew] = known.try_emplace(value);
  if (!isNew)
    return place->second;
  Value rounded;
  auto isZero = [](Value x) { return matchPattern(x, m_AnyZeroFloat()); };
  auto select = value.getDefiningOp<arith::SelectOp>();
  if (isZero(value)) {
    rounded = value;
  } else if (select &&
             (isZero(select.getTrueValue()) || isZero(select.getFalseValue()))) {
    Value yes = roundToTf32(builder, loc, select.getTrueValue(), known);
    Value no = roundToTf32(builder, loc, select.getFalseValue(), known);
    rounded = arith::SelectOp::create(builder, loc, select.getCondition(), yes,
                                      no);
  } else {
    rounded = LLVM::BitcastOp::create(builder, loc, builder.getF32Type(),
                                      emitTf32(builder, loc, value));
  }
  known[value] = rounded;
  return rounded;
}

/// A tile that some wgmma takes as its right operand.
static bool isReadByWgmma(Value tile) {
  while (Operation *op = tile.getDefiningOp()) {
    if (isa<tile::AllocSharedOp>(op))
      break;
    tile = op->getOperand(0);
  }
  SmallVector<Value> views{tile};
  while (!views.empty()) {
    Value view = views.pop_back_val();
    for (Operation *user : view.getUsers()) {
      auto mma = dyn_cast<tile::MmaOp>(user);
      if (mma && mma.getMma() == tile::MmaKind::wgmma &&
          (mma.getRhs() == view || mma.getRhsRest() == view))
        return true;
      if (user->getNumResults() == 1 &&
          isa<tile::SharedType>(user->getResult(0).getType()))
        views.push_back(user->getResult(0));
    }
  }
  return false;
}

/// Whether another such copy follows before any other thread may look: its fence
/// will do for both.
static bool isFencedLater(tile::CopyToSharedOp op) {
  for (Operation *next = op->getNextNode(); next; next = next->getNextNode()) {
    auto copy = dyn_cast<tile::CopyToSharedOp>(next);
    if (copy && isReadByWgmma(copy.getDest()))
      return true;
    if (next->getNumRegions() ||
        isa<tile::BarrierOp, tile::MmaOp, tile::AsyncCopyOp>(next))
      return false;
  }
  return false;
}

LogicalResult KernelEmitter::emitCopyToShared(tile::CopyToSharedOp op) {
  auto type = cast<RankedTensorType>(op.getValue().getType());
  FailureOr<tile::DistributedLayout> held = getLayout(op, type);
  if (failed(held))
    return failure();
  if (op.getRounding() && *op.getRounding() != tile::Precision::tf32)
    return op.emitOpError("rounds to tf32 only");

  Location loc = op.getLoc();
  auto destType = cast<tile::SharedType>(op.getDest().getType());
  tile::RegisterOrder order = tile::getSharedOrder(
      cast<tile::SharedLayoutAttr>(destType.getLayout()).getLayout(), *held,
      type.getShape(),
      getMemoryBytes(getMemoryType(getScalarType(destType.getElementType()))),
      llvm::Log2_64(kPartSize));
  const tile::DistributedLayout *layout = &order.layout;
  SharedAccess access(*this, loc, op.getDest(), *layout);
  BlockCoords coords(*layout, *sums);
  Value owner = sums->getIsZero(coords.getCopyMask());
  uint64_t copies = layout->getReplicationMask(tile::Hardware::Register);
  auto getInside = [&](int64_t reg) {
    return emitIsReal(loc, coords, type.getShape(), reg);
  };
  int64_t width = access.getVector();
  llvm::DenseMap<Value, Value> roundedValues;
  auto storeGroup = [&](int64_t reg, ArrayRef<Value> values) {
    if ((reg & copies) || coords.isPadding(type.getShape(), reg))
      return;
    // A group is all real or all padding (getSharedVector).
    SmallVector<Value> elements;
    for (int64_t i = 0; i < width; ++i) {
      Value element = values[order.getOld(reg + i)];
      if (op.getRounding()) {
        Value rounded = roundToTf32(builder, loc, element, roundedValues);
        element = op.getRest() ? Value(arith::SubFOp::create(builder, loc,
                                                             element, rounded))
                               : rounded;
      }
      elements.push_back(toMemory(builder, loc, element));
    }
    auto [pointer, offset] = access.getAddress(reg);
    storeElements(builder, loc, pointer, offset,
                  conjoin(loc, owner, getInside(reg)), elements);
  };
  auto storeAll = [&](int64_t begin, int64_t end, ArrayRef<Value> values) {
    for (int64_t reg = begin; reg < end; reg += width)
      storeGroup(reg, values);
    return success();
  };
  auto load = op.getValue().getDefiningOp<tile::LoadOp>();
  if (!load || !isLoadedByItsCopy(load)) {
    (void)storeAll(0, layout->getNumRegisters(), get(op.getValue()));
  } else {
    Registers registers(layout->getNumRegisters());
    if (failed(emitLoadParts(load, *held, kPartSize, registers,
                             [&](int64_t begin, int64_t end) {
                               return storeAll(begin, end, registers);
                             })))
      return failure();
  }
  // Tensor cores that read the tile themselves do so by another path.
  if (isReadByWgmma(op.getDest()) && !isFencedLater(op))
    NVVM::FenceProxyOp::create(
        builder, loc, NVVM::ProxyKind::async_shared,
        NVVM::SharedSpaceAttr::get(builder.getContext(),
                                   NVVM::SharedSpace::shared_cta));
  return success();
}

LogicalResult KernelEmitter::emitLoadShared(tile::LoadSharedOp op) {
  auto type = cast<RankedTensorType>(op.getResult().getType());
  FailureOr<tile::DistributedLayout> layout = getLayout(op, type);
  if (failed(layout))
    return failure();
  Location loc = op.getLoc();
  SharedAccess access(*this, loc, op.getSource(), *layout);
  BlockCoords coords(*layout, *sums);
  Type scalar = getScalarType(type);
  uint64_t copies = layout->getReplicationMask(tile::Hardware::Register);
  int64_t count = layout->getNumRegisters();
  int64_t width = access.getVector();
  Registers registers(count);
  for (int64_t reg = 0; reg < count; reg += width) {
    for (int64_t i = 0; (reg & copies) && i < width; ++i)
      registers[reg + i] = registers[(reg + i) & ~copies];
    if (reg & copies)
      continue;
    if (coords.isPadding(type.getShape(), reg)) {
      std::fill_n(registers.begin() + reg, width,
                  zero(loc, scalar));
      continue;
    }
    // Padding lies past the tile and is not read.
    Value inside = emitIsReal(loc, coords, type.getShape(), reg);
    auto [pointer, offset] = access.getAddress(reg);
    Type stored = access.getMemoryElementType();
    auto loaded =
        loadElements(builder, loc, pointer, offset, inside,
                     inside ? zero(loc, stored) : Value(), stored, width);
    for (int64_t i = 0; i < width; ++i)
      registers[reg + i] = fromMemory(builder, loc, loaded[i], scalar);
  }
  set(op.getResult(), registers);
  return success();
}

/// cp.async where `predicate` holds: no branch, so that lanes stay together.
static void emitPredicatedCopy(OpBuilder &builder, Location loc,
                               Value predicate, Value dest, Value source,
                               int64_t bytes, Value size) {
  std::string text = "@$0 cp.async." + std::string(bytes == 16 ? "cg" : "ca") +
                     ".shared.global [$1], [$2], " + std::to_string(bytes);
  SmallVector<Value> operands = {predicate, dest, source};
  std::string constraints = "b,l,l";
  if (size) {
    operands.push_back(size);
    text += ", $3";
    constraints += ",r";
  }
  LLVM::InlineAsmOp::create(builder, loc, TypeRange(), operands, text + ";",
                            constraints + ",~{memory}",
                            /*has_side_effects=*/true, /*is_align_stack=*/false,
                            LLVM::tailcallkind::TailCallKind::None,
                            LLVM::AsmDialectAttr(), ArrayAttr());
}

// cp.async moves 4, 8 or 16 bytes and writes zeros for what it does not read.
LogicalResult KernelEmitter::emitAsyncCopy(tile::AsyncCopyOp op) {
  auto sharedType = cast<tile::SharedType>(op.getDest().getType());
  tile::DistributedLayout layout = op.getLayout().getLayout();
  Location loc = op.getLoc();
  GlobalAccess global(*this, op, GlobalAccess::Kind::Write, op.getView(),
                      op.getOffsets(), op.getSteps(), sharedType.getShape(),
                      layout);
  global.prepare();
  SharedAccess shared(*this, loc, op.getDest(), layout);
  BlockCoords coords(layout, *sums);
  int64_t elementBytes = getMemoryBytes(shared.getMemoryElementType());
  int64_t width = std::min(global.getVector(), shared.getVector());
  int64_t bytes = width * elementBytes;
  if (bytes < 4)
    return op.emitOpError("copies ")
           << bytes << " neighbouring bytes at a time; cp.async needs 4";

  Value owner = sums->getIsZero(coords.getCopyMask());
  uint64_t copies = layout.getReplicationMask(tile::Hardware::Register);
  auto modifier = bytes == 16 ? NVVM::LoadCacheModifierKind::CG
                              : NVVM::LoadCacheModifierKind::CA;
  for (int64_t reg = 0; reg < layout.getNumRegisters(); reg += width) {
    if ((reg & copies) || global.isPadding(reg))
      continue;
    auto [source, sourceOffset] = global.getAddress(reg);
    auto [dest, destOffset] = shared.getAddress(reg);
    // Padding threads must not write: their part lies outside the tile.
    Value writes = conjoin(
        loc, owner, emitIsReal(loc, coords, sharedType.getShape(), reg));
    Value reads = global.getPredicate(reg);
    source = offsetPointer(loc, source, sourceOffset);
    dest = offsetPointer(loc, dest, destOffset);
    // Of a source outside the view no byte is read, so that it may be any address.
    Value size;
    if (reads)
      size = arith::SelectOp::create(builder, loc, reads, i32(loc, bytes),
                                     i32(loc, 0));
    if (writes) {
      emitPredicatedCopy(builder, loc, writes, dest, source, bytes, size);
      continue;
    }
    NVVM::CpAsyncOp::create(builder, loc, dest, source, uint32_t(bytes),
                            modifier, size);
  }
  if (!op.getDeferred())
    NVVM::CpAsyncCommitGroupOp::create(builder, loc);
  set(op.getToken(), i32(loc, 0));
  return success();
}

/// Copies complete in order, so that at most the groups committed after the
/// newest of the tokens may still be in flight. They are counted where that is
/// simple: all in the wait's own block. Otherwise wait for everything.
LogicalResult KernelEmitter::emitAsyncWait(tile::AsyncWaitOp op) {
  if (op.getTokens().empty()) {
    NVVM::CpAsyncWaitGroupOp::create(builder, op.getLoc(),
                                     uint32_t(op.getNewest()));
    return success();
  }
  int64_t pending = 0;
  bool found = false;
  for (Operation *previous = op->getPrevNode(); previous && !found;
       previous = previous->getPrevNode()) {
    if (previous->getNumRegions() != 0)
      break;
    if (auto copy = dyn_cast<tile::AsyncCopyOp>(previous)) {
      if (llvm::is_contained(op.getTokens(), copy.getToken()))
        found = true;
      else
        ++pending;
    }
  }
  if (!found)
    pending = 0;
  NVVM::CpAsyncWaitGroupOp::create(builder, op.getLoc(), uint32_t(pending));
  return success();
}

LogicalResult KernelEmitter::emitBarrier(Location loc) {
  NVVM::Barrier0Op::create(builder, loc);
  return success();
}

} // namespace tilefuse
