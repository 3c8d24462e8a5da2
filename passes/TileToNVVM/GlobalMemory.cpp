//===- GlobalMemory.cpp - loads, stores and atomics on views ------*- C++ -*-===//

#include "passes/TileToNVVM/GlobalAccess.h"
#include "passes/TileToNVVM/KernelEmitter.h"
#include "passes/TileToNVVM/Words.h"

using namespace mlir;

namespace tilefuse {

int64_t KernelEmitter::getBaseAlignment(Value view) const {
  while (auto cast = view.getDefiningOp<tile::ViewCastOp>()) {
    if (cast.getOffset() != 0)
      return 1;
    view = cast.getView();
  }
  auto argument = dyn_cast<BlockArgument>(view);
  if (!argument || argument.getArgNumber() >= alignments.size())
    return 1;
  return alignments[argument.getArgNumber()];
}

/// The value that all registers of a group have, or nothing.
static std::optional<Value> getCommonValue(ArrayRef<Value> group) {
  if (llvm::all_equal(group))
    return group.front();
  return std::nullopt;
}

/// Above this many registers a block on its way to shared memory is not held as a
/// whole.
static constexpr int64_t kMaxHeld = 64;

/// A large block that only a copy to shared memory in the same region reads, with
/// nothing between that may write global memory: the copy loads it, part by part.
bool KernelEmitter::isLoadedByItsCopy(tile::LoadOp op) {
  auto layout = tile::DistributedAttr::lookup(op.getResult().getType());
  if (!layout || layout->getNumRegisters() <= kMaxHeld ||
      !op.getResult().hasOneUse())
    return false;
  Operation *user = *op.getResult().getUsers().begin();
  if (!isa<tile::CopyToSharedOp>(user) || user->getBlock() != op->getBlock())
    return false;
  for (Operation *between = op->getNextNode(); between != user;
       between = between->getNextNode())
    if (isa<tile::StoreOp, tile::AtomicOp>(between) ||
        between->getNumRegions() != 0)
      return false;
  return true;
}

LogicalResult KernelEmitter::emitLoad(tile::LoadOp op) {
  if (isLoadedByItsCopy(op))
    return success();
  auto type = cast<RankedTensorType>(op.getResult().getType());
  FailureOr<tile::DistributedLayout> layout = getLayout(op, type);
  if (failed(layout))
    return failure();
  Registers registers(layout->getNumRegisters());
  if (failed(emitLoadParts(op, *layout, registers.size(), registers,
                           [](int64_t, int64_t) { return success(); })))
    return failure();
  set(op.getResult(), registers);
  return success();
}

/// Fills `registers` and calls `onPart(begin, end)` each time `partSize` more of
/// them are there. `partSize` is a power of two, at least the widest access, or
/// all.
LogicalResult KernelEmitter::emitLoadParts(
    tile::LoadOp op, const tile::DistributedLayout &layout, int64_t partSize,
    MutableArrayRef<Value> registers,
    llvm::function_ref<LogicalResult(int64_t, int64_t)> onPart) {
  auto type = cast<RankedTensorType>(op.getResult().getType());
  GlobalAccess access(*this, op, GlobalAccess::Kind::Read, op.getView(),
                      op.getOffsets(), op.getSteps(), type.getShape(), layout);
  access.prepare();

  Location loc = op.getLoc();
  Type scalar = getScalarType(type);
  Type stored = getMemoryType(scalar);
  Value fill = op.getFill() ? toMemory(builder, loc, getScalar(op.getFill()))
                            : zero(loc, stored);
  ArrayRef<Value> masks =
      op.getMask() ? get(op.getMask()) : ArrayRef<Value>();
  int64_t count = layout.getNumRegisters();
  uint64_t copies = layout.getReplicationMask(tile::Hardware::Register);
  int64_t width = access.getVector();
  // Of less than a word, under a condition: beside arithmetic the assembler lets each
  // such load wait for the one before, so all of a condition read what may be read in
  // any case.
  bool isRead = !llvm::all_of(op.getResult().getUsers(),
                              llvm::IsaPred<scf::YieldOp>);
  struct Narrow {
    int64_t reg, count, offset;
  };
  llvm::MapVector<std::pair<Value, Value>, SmallVector<Narrow>> narrow;
  auto loadGroup = [&](int64_t reg) {
    if (reg & copies)
      return;
    if (access.isPadding(reg)) {
      std::fill_n(registers.begin() + reg, width, zero(loc, stored));
      return;
    }
    // One access for the group, or one a register where masks differ.
    int64_t step = width;
    if (!masks.empty() && !getCommonValue(masks.slice(reg, width)))
      step = 1;
    for (int64_t i = 0; i < width; i += step) {
      Value predicate = access.getPredicate(reg + i);
      if (!masks.empty())
        predicate = conjoin(loc, predicate, masks[reg + i]);
      auto [pointer, offset] = access.getAddress(reg + i);
      int64_t bytes = step * getMemoryBytes(scalar);
      if (predicate && isRead && bytes < 4 && !op.getFill()) {
        narrow[{pointer, predicate}].push_back({reg + i, step, offset});
        continue;
      }
      auto loaded = loadElements(builder, loc, pointer, offset, predicate, fill,
                                 stored, step);
      llvm::copy(loaded, registers.begin() + reg + i);
    }
  };
  auto loadNarrow = [&] {
    for (auto &[where, loads] : narrow) {
      auto [pointer, predicate] = where;
      auto [low, high] = std::pair(INT64_MAX, INT64_MIN);
      for (const Narrow &load : loads) {
        low = std::min(low, load.offset);
        high = std::max(high,
                        load.offset + load.count * getMemoryBytes(scalar));
      }
      Value safe = access.getSafePointer(pointer, predicate, low, high);
      for (const Narrow &load : loads) {
        auto loaded = loadElements(builder, loc, safe ? safe : pointer,
                                   load.offset, safe ? Value() : predicate,
                                   fill, stored, load.count);
        llvm::copy(loaded, registers.begin() + load.reg);
      }
      for (const Narrow &load : loads)
        for (Value &value : registers.slice(load.reg, safe ? load.count : 0))
          value = arith::SelectOp::create(builder, loc, predicate, value, fill);
    }
    narrow.clear();
  };
  for (int64_t begin = 0; begin < count; begin += partSize) {
    int64_t end = std::min(count, begin + partSize);
    for (int64_t reg = begin; reg < end; reg += width)
      loadGroup(reg);
    loadNarrow();
    for (int64_t reg = begin; reg < end; ++reg)
      if (reg & copies)
        registers[reg] = registers[reg & ~copies];
    // Behind all loads of the part, none of which then waits for another.
    for (Value &value : registers.slice(begin, end - begin))
      if (value.getType() != scalar) // not a copy of an earlier part's
        value = fromMemory(builder, loc, value, scalar);
    if (failed(onPart(begin, end)))
      return failure();
  }
  return success();
}

FailureOr<KernelEmitter::PreparedStore>
KernelEmitter::prepareStore(tile::StoreOp op) {
  auto type = cast<RankedTensorType>(op.getValue().getType());
  FailureOr<tile::DistributedLayout> layout = getLayout(op, type);
  if (failed(layout))
    return failure();
  auto access = std::make_shared<GlobalAccess>(
      *this, op, GlobalAccess::Kind::Write, op.getView(), op.getOffsets(),
      op.getSteps(), type.getShape(), *layout);
  access->prepare();
  // Of threads that hold copies, one stores.
  Value owner = sums->getIsZero(BlockCoords(*layout, *sums).getCopyMask());
  uint64_t copies = layout->getReplicationMask(tile::Hardware::Register);
  int64_t width = access->getVector();
  auto write = [=, this](int64_t begin, int64_t end) mutable {
    Location loc = op.getLoc();
    ArrayRef<Value> values = get(op.getValue());
    ArrayRef<Value> masks =
        op.getMask() ? get(op.getMask()) : ArrayRef<Value>();
    for (int64_t reg = begin; reg < end; reg += width) {
      if ((reg & copies) || access->isPadding(reg))
        continue;
      int64_t step = width;
      if (!masks.empty() && !getCommonValue(masks.slice(reg, width)))
        step = 1;
      for (int64_t i = 0; i < width; i += step) {
        Value predicate = conjoin(loc, owner, access->getPredicate(reg + i));
        if (!masks.empty())
          predicate = conjoin(loc, predicate, masks[reg + i]);
        SmallVector<Value> elements;
        for (int64_t j = 0; j < step; ++j)
          elements.push_back(toMemory(builder, loc, values[reg + i + j]));
        auto [pointer, offset] = access->getAddress(reg + i);
        storeElements(builder, loc, pointer, offset, predicate, elements);
      }
    }
  };
  return PreparedStore{width, std::move(write)};
}

LogicalResult KernelEmitter::emitStore(tile::StoreOp op) {
  FailureOr<PreparedStore> store = prepareStore(op);
  if (failed(store))
    return failure();
  store->write(0, get(op.getValue()).size());
  return success();
}

static LLVM::AtomicBinOp getAtomicOp(tile::AtomicKind kind) {
  switch (kind) {
  case tile::AtomicKind::add:
    return LLVM::AtomicBinOp::add;
  case tile::AtomicKind::max:
    return LLVM::AtomicBinOp::max;
  case tile::AtomicKind::min:
    return LLVM::AtomicBinOp::min;
  case tile::AtomicKind::And:
    return LLVM::AtomicBinOp::_and;
  case tile::AtomicKind::Or:
    return LLVM::AtomicBinOp::_or;
  case tile::AtomicKind::Xor:
    return LLVM::AtomicBinOp::_xor;
  }
  llvm_unreachable("all kinds are listed");
}

LogicalResult KernelEmitter::emitAtomic(tile::AtomicOp op) {
  auto type = cast<RankedTensorType>(op.getValue().getType());
  FailureOr<tile::DistributedLayout> layout = getLayout(op, type);
  FailureOr<tile::DistributedLayout> indexLayout =
      getLayout(op, op.getIndex().getType());
  if (failed(layout) || failed(indexLayout))
    return failure();
  if (!(*layout == *indexLayout))
    return op.emitOpError("has an index and a value of different layouts");
  Type scalar = getScalarType(type);
  if (!scalar.isInteger(32) && !scalar.isInteger(64))
    return op.emitOpError("has no GPU instruction for ")
           << scalar << "; expected i32 or i64";

  Location loc = op.getLoc();
  auto view = cast<tile::ViewType>(op.getView().getType());
  Type i64 = builder.getI64Type();
  BlockCoords coords(*layout, *sums);
  Value owner = sums->getIsZero(coords.getCopyMask());
  uint64_t copies = layout->getReplicationMask(tile::Hardware::Register);
  for (int64_t reg = 0; reg < layout->getNumRegisters(); ++reg) {
    if ((reg & copies) || coords.isPadding(type.getShape(), reg))
      continue;
    Value index = get(op.getIndex())[reg];
    if (index.getType() != i64)
      index = arith::ExtSIOp::create(builder, loc, i64, index);
    Value extent = arith::ConstantOp::create(
        builder, loc, builder.getI64IntegerAttr(view.getShape()[0]));
    Value predicate = arith::CmpIOp::create(
        builder, loc, arith::CmpIPredicate::ult, index, extent);
    predicate = conjoin(loc, owner, predicate);
    if (op.getMask())
      predicate = conjoin(loc, predicate, get(op.getMask())[reg]);
    predicate = conjoin(loc, predicate,
                        emitIsReal(loc, coords, type.getShape(), reg));
    auto branch = scf::IfOp::create(builder, loc, predicate);
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(branch.thenBlock());
    Value stride = arith::ConstantOp::create(
        builder, loc, builder.getI64IntegerAttr(view.getStrides()[0]));
    Value position = arith::MulIOp::create(builder, loc, index, stride);
    Value address = LLVM::GEPOp::create(
        builder, loc, getScalarType(view), scalar, getScalar(op.getView()),
        LLVM::GEPArg(position));
    LLVM::AtomicRMWOp::create(builder, loc, getAtomicOp(op.getKind()), address,
                              get(op.getValue())[reg],
                              LLVM::AtomicOrdering::monotonic, "device");
  }
  return success();
}

} // namespace tilefuse
