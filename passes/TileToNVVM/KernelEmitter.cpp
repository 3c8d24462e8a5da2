//===- KernelEmitter.cpp - one tile.func as code of one thread ----*- C++ -*-===//

#include "passes/TileToNVVM/KernelEmitter.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace tilefuse {

KernelEmitter::KernelEmitter(tile::FuncOp kernel, ArrayRef<int64_t> alignments)
    : kernel(kernel), module(kernel->getParentOfType<ModuleOp>()),
      alignments(alignments), builder(kernel.getContext()) {}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

ArrayRef<Value> KernelEmitter::get(Value value) const {
  auto it = values.find(value);
  assert(it != values.end() && "used before it was emitted");
  return it->second;
}

void KernelEmitter::set(Value value, ArrayRef<Value> registers) {
  values[value] = Registers(registers);
}

FailureOr<tile::DistributedLayout> KernelEmitter::getLayout(Operation *op,
                                                            Type type) {
  std::optional<tile::DistributedLayout> layout =
      tile::DistributedAttr::lookup(type);
  if (!layout)
    return op->emitOpError("has a block without a layout: ")
           << type << " (run tile-assign-layouts first)";
  int64_t warps = kernel.getWarps();
  if (layout->getNumLanes() != 32 || layout->getNumWarps() != warps)
    return op->emitOpError("has a layout over ")
           << layout->getNumLanes() << " lanes and " << layout->getNumWarps()
           << " warps in a kernel of " << warps << " warps of 32 lanes";
  return *layout;
}

FailureOr<int64_t> KernelEmitter::getNumScalars(Operation *op, Type type) {
  if (!isa<RankedTensorType>(type))
    return 1;
  FailureOr<tile::DistributedLayout> layout = getLayout(op, type);
  if (failed(layout))
    return failure();
  return layout->getNumRegisters();
}

Type KernelEmitter::getScalarType(Type type) {
  // Views and shared tiles are shaped types too; what a thread holds of one is
  // a pointer.
  if (isa<tile::ViewType>(type))
    return LLVM::LLVMPointerType::get(builder.getContext(), 1);
  if (isa<tile::SharedType>(type))
    return LLVM::LLVMPointerType::get(builder.getContext(), 3);
  type = getElementTypeOrSelf(type);
  return type.isIndex() ? builder.getI64Type() : type;
}

Value KernelEmitter::i32(Location loc, int64_t value) {
  return arith::ConstantOp::create(
      builder, loc, builder.getI32IntegerAttr(static_cast<int32_t>(value)));
}

Value KernelEmitter::zero(Location loc, Type type) {
  return arith::ConstantOp::create(builder, loc,
                                   cast<TypedAttr>(builder.getZeroAttr(type)));
}

Value KernelEmitter::conjoin(Location loc, Value a, Value b) {
  if (!a || !b)
    return a ? a : b;
  return arith::AndIOp::create(builder, loc, a, b);
}

Value KernelEmitter::addImmediate(Location loc, Value value, int64_t constant) {
  if (constant == 0)
    return value;
  Value immediate = arith::ConstantOp::create(
      builder, loc, builder.getIntegerAttr(value.getType(), constant));
  return arith::AddIOp::create(builder, loc, value, immediate);
}

Value KernelEmitter::offsetPointer(Location loc, Value pointer, int64_t bytes) {
  if (bytes == 0)
    return pointer;
  return LLVM::GEPOp::create(builder, loc, pointer.getType(),
                             builder.getI8Type(), pointer,
                             LLVM::GEPArg(static_cast<int32_t>(bytes)));
}

FailureOr<Registers> KernelEmitter::inlineRegion(Region &region,
                                                 ArrayRef<Value> arguments) {
  Block &block = region.front();
  for (auto [argument, value] : llvm::zip_equal(block.getArguments(), arguments))
    set(argument, value);
  for (Operation &op : block.without_terminator())
    if (failed(emitOp(&op)))
      return failure();
  Registers yielded;
  for (Value value : block.getTerminator()->getOperands())
    yielded.push_back(getScalar(value));
  return yielded;
}

//===----------------------------------------------------------------------===//
// The function
//===----------------------------------------------------------------------===//

/// Whether some reduction of several values folds many states in each thread.
static bool keepsManyStates(tile::FuncOp kernel) {
  constexpr int64_t kManyScalars = 32;
  return kernel
      .walk([&](tile::ReduceOp op) {
        auto layout =
            tile::DistributedAttr::lookup(op.getInputs().front().getType());
        int64_t inputs = op.getInputs().size();
        bool many = layout && inputs > 1 &&
                    inputs * layout->getNumRegisters() > kManyScalars;
        return many ? WalkResult::interrupt() : WalkResult::advance();
      })
      .wasInterrupted();
}

/// An op that makes each element of a block from those of its operands.
static bool isBlockElementwise(Operation *op) {
  return isa_and_nonnull<arith::ArithDialect, math::MathDialect>(
             op->getDialect()) &&
         !isa<arith::ConstantOp, arith::IndexCastOp, arith::IndexCastUIOp>(op) &&
         op->getNumResults() == 1 &&
         isa<RankedTensorType>(op->getResult(0).getType());
}

static bool isF32(tile::MmaOp mma) {
  return cast<tile::SharedType>(mma.getLhs().getType()).getElementType().isF32();
}

/// Instances whose shared memory fits on a multiprocessor.
static int64_t countInstancesInShared(int64_t sharedBytes) {
  constexpr int64_t kSharedBytes = 228 << 10, kReservedBytes = 1 << 10;
  return kSharedBytes / (sharedBytes + kReservedBytes);
}

/// Whether two instances find room on a multiprocessor if each thread keeps to half
/// of the registers that one would leave it: shared memory holds both, and what a
/// thread must hold at once, sums of products and an operand on its way to shared
/// memory, leaves as much again for everything else. Products that are not in a loop
/// mix with what comes before and after them, and take more; so do operands that a
/// loop computes, and long epilogues.
static bool suitsTwoInstances(tile::FuncOp kernel, int64_t sharedBytes) {
  constexpr int64_t kLeastRegisters = 128, kMostCopied = 24, kMostOps = 64;
  int64_t registers = 65536 / (2 * 32 * int64_t(kernel.getWarps()));
  if (registers < kLeastRegisters || registers > 255 ||
      countInstancesInShared(sharedBytes) < 2)
    return false;
  int64_t sums = 0, copied = 0;
  int64_t numOps = 0;
  bool isLoop = true;
  kernel.walk([&](Operation *op) {
    if (isBlockElementwise(op)) {
      ++numOps;
      isLoop &= op->getParentOp() == kernel;
    }
    bool isCopy = isa<tile::CopyToSharedOp>(op);
    if (!isCopy && !isa<tile::MmaOp>(op))
      return;
    if (isCopy && op->getParentOp() == kernel)
      return; // behind the products
    Value value = isCopy ? op->getOperand(0) : op->getResult(0);
    isLoop &= isCopy || op->getParentOp() != kernel;
    auto layout = tile::DistributedAttr::lookup(value.getType());
    int64_t &most = isCopy ? copied : sums;
    // f32 accuracy sums a few depths apart.
    auto mma = dyn_cast<tile::MmaOp>(op);
    int64_t sets = mma && mma.getMma() != tile::MmaKind::fma &&
                           mma.getPrecision() == tile::Precision::ieee &&
                           isF32(mma)
                       ? 2
                       : 1;
    if (layout)
      most = std::max(most, sets * layout->getNumRegisters());
  });
  // A weight gradient carries the sums of all its taps.
  kernel.walk([&](scf::ForOp loop) {
    int64_t carried = 0;
    for (Value value : loop.getRegionIterArgs())
      if (auto layout = tile::DistributedAttr::lookup(value.getType()))
        carried += layout->getNumRegisters();
    if (!loop.getOps<tile::MmaOp>().empty())
      sums = std::max(sums, carried);
  });
  return isLoop && numOps <= kMostOps && sums > 0 && 2 * sums <= registers &&
         copied <= kMostCopied;
}

/// The instances that ptxas should leave registers for on a multiprocessor, or 0 to
/// leave it to ptxas, which does not know how much shared memory a launch takes.
static int32_t countInstances(tile::FuncOp kernel, int64_t sharedBytes) {
  // ptxas spills rather than go below two resident blocks unless it is told
  // that one is enough.
  if (keepsManyStates(kernel))
    return 1;
  if (suitsTwoInstances(kernel, sharedBytes))
    return 2;
  // Or below five blocks of four warps, where shared memory holds three at most.
  constexpr int64_t kWarps = 4, kFewInstances = 3;
  int64_t inShared = countInstancesInShared(sharedBytes);
  return kernel.getWarps() <= kWarps && inShared <= kFewInstances ? inShared : 0;
}

FailureOr<LLVM::LLVMFuncOp> KernelEmitter::emit() {
  MLIRContext *context = kernel.getContext();
  Location loc = kernel.getLoc();
  SmallVector<Type> parameters;
  for (Type type : kernel.getArgumentTypes()) {
    Type scalar = getScalarType(type);
    if (!LLVM::isCompatibleType(scalar))
      return kernel.emitOpError("has an argument of type ")
             << type << ", which has no form on the GPU";
    parameters.push_back(scalar);
  }

  builder.setInsertionPoint(kernel);
  auto type = LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(context),
                                          parameters);
  function = LLVM::LLVMFuncOp::create(builder, loc, kernel.getSymName(), type);
  // Both names until the kernel is erased: the symbol tables are not asked.
  int32_t threads = 32 * kernel.getWarps();
  function->setAttr(NVVM::NVVMDialect::getKernelFuncAttrName(),
                    builder.getUnitAttr());
  function->setAttr(NVVM::NVVMDialect::getReqntidAttrName(),
                    builder.getDenseI32ArrayAttr({threads}));
  function->setAttr("tile.grid", builder.getDenseI64ArrayAttr(kernel.getGrid()));
  function->setAttr("tile.warps", builder.getI64IntegerAttr(kernel.getWarps()));
  auto bytes = kernel->getAttrOfType<IntegerAttr>("tile.shared_bytes");
  function->setAttr("tile.shared_bytes",
                    bytes ? bytes : builder.getI64IntegerAttr(0));

  if (int32_t instances = countInstances(kernel, bytes ? bytes.getInt() : 0))
    function->setAttr(NVVM::NVVMDialect::getMinctasmAttrName(),
                      builder.getI32IntegerAttr(instances));

  Block *entry = function.addEntryBlock(builder);
  builder.setInsertionPointToStart(entry);
  // Thread sums go in front of this operation, everything else behind it.
  auto end = LLVM::ReturnOp::create(builder, loc, ValueRange());
  builder.setInsertionPoint(end);
  Operation *anchor =
      arith::ConstantOp::create(builder, loc, builder.getI32IntegerAttr(0));
  sums = std::make_unique<ThreadSums>(anchor, kernel.getWarps());

  Block &body = kernel.getBody().front();
  for (auto [argument, value] :
       llvm::zip_equal(body.getArguments(), entry->getArguments()))
    set(argument, value);
  if (failed(emitBlock(body)))
    return failure();
  return function;
}

LogicalResult KernelEmitter::emitBlock(Block &block) {
  for (Operation *op = &block.front(); op; op = op->getNextNode()) {
    if (failed(finishBefore(op)))
      return failure();
    if (unfinished.results.empty() && isBlockElementwise(op)) {
      FailureOr<Operation *> last = emitElementwiseRun(op);
      if (failed(last))
        return failure();
      op = *last;
      continue;
    }
    if (!putOff(op) && failed(emitOp(op)))
      return failure();
  }
  if (!unfinished.results.empty() &&
      unfinished.results.front().getParentBlock() != &block)
    return success();
  return finishProduct();
}

//===----------------------------------------------------------------------===//
// Dispatch
//===----------------------------------------------------------------------===//

LogicalResult KernelEmitter::emitOp(Operation *op) {
  auto shift = [&](ArrayRef<int64_t> coords, ArrayRef<int64_t> offsets,
                   ArrayRef<int64_t> strides) {
    tile::Coords source;
    for (auto [c, offset, stride] : llvm::zip_equal(coords, offsets, strides))
      source.push_back(offset + c * stride);
    return source;
  };
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case([](tile::ReturnOp) { return success(); })
      .Case([](scf::YieldOp) { return success(); })
      .Case([](scf::ConditionOp) { return success(); })
      .Case([&](tile::ProgramIdOp o) { return emitProgramId(o); })
      .Case([&](tile::ViewCastOp o) {
        int64_t bits =
            o.getView().getType().getElementType().getIntOrFloatBitWidth();
        set(o.getResult(),
            offsetPointer(o.getLoc(), getScalar(o.getView()),
                          int64_t(o.getOffset()) * std::max<int64_t>(8, bits) / 8));
        return success();
      })
      .Case([&](tile::LoadOp o) { return emitLoad(o); })
      .Case([&](tile::StoreOp o) { return emitStore(o); })
      .Case([&](tile::AtomicOp o) { return emitAtomic(o); })
      .Case([&](tile::IotaOp o) { return emitIota(o); })
      .Case([&](tile::SplatOp o) { return emitSplat(o); })
      .Case([&](tile::ExtractOp o) { return emitExtract(o); })
      .Case([&](tile::BroadcastOp o) {
        ArrayRef<int64_t> shape = o.getValue().getType().getShape();
        return emitRename(o, [&](ArrayRef<int64_t> coords) {
          tile::Coords source(coords);
          for (auto [c, size] : llvm::zip_equal(source, shape))
            c = size == 1 ? 0 : c;
          return source;
        });
      })
      .Case([&](tile::ReshapeOp o) {
        ArrayRef<int64_t> from = o.getValue().getType().getShape();
        ArrayRef<int64_t> to = o.getResult().getType().getShape();
        return emitRename(o, [&](ArrayRef<int64_t> coords) {
          int64_t position = 0;
          for (auto [c, size] : llvm::zip_equal(coords, to))
            position = position * size + c;
          tile::Coords source(from.size(), 0);
          for (size_t dim = from.size(); dim-- > 0;) {
            source[dim] = position % from[dim];
            position /= from[dim];
          }
          return source;
        });
      })
      .Case([&](tile::TransOp o) {
        return emitRename(o, [&](ArrayRef<int64_t> coords) {
          tile::Coords source(coords.size(), 0);
          for (auto [i, dim] : llvm::enumerate(o.getPermutation()))
            source[dim] = coords[i];
          return source;
        });
      })
      .Case([&](tile::WindowOp o) {
        return emitRename(o, [&](ArrayRef<int64_t> coords) {
          return shift(coords, o.getOffsets(), o.getStrides());
        });
      })
      .Case([&](tile::InsertWindowOp o) { return emitInsertWindow(o); })
      .Case([&](tile::ConvertLayoutOp o) { return emitConvertLayout(o); })
      .Case([&](tile::ReduceOp o) { return emitReduce(o); })
      .Case([&](tile::ScanOp o) { return emitScan(o); })
      .Case([&](tile::AllocSharedOp o) { return emitAllocShared(o); })
      .Case<tile::SharedWindowOp, tile::SharedReshapeOp, tile::SharedTransOp>(
          [&](auto o) {
            // The view's shared layout counts from the tile's start.
            set(o.getResult(), getScalar(o.getSource()));
            return success();
          })
      .Case([&](tile::SharedSlotOp o) { return emitSharedSlot(o); })
      .Case([&](tile::CopyToSharedOp o) { return emitCopyToShared(o); })
      .Case([&](tile::LoadSharedOp o) { return emitLoadShared(o); })
      .Case([&](tile::AsyncCopyOp o) { return emitAsyncCopy(o); })
      .Case([&](tile::AsyncCommitOp o) {
        NVVM::CpAsyncCommitGroupOp::create(builder, o.getLoc());
        return success();
      })
      .Case([&](tile::AsyncWaitOp o) { return emitAsyncWait(o); })
      .Case([&](tile::BarrierOp o) { return emitBarrier(o.getLoc()); })
      .Case([&](tile::MmaOp o) { return emitMma(o); })
      .Case([&](tile::PrintOp o) { return emitPrint(o); })
      .Case([&](tile::AssertOp o) { return emitAssert(o); })
      .Case([&](scf::ForOp o) { return emitFor(o); })
      .Case([&](scf::IfOp o) { return emitIf(o); })
      .Case([&](scf::WhileOp o) { return emitWhile(o); })
      .Case([&](arith::ConstantOp o) { return emitConstant(o); })
      .Case([&](arith::IndexCastOp o) { return emitIndexCast(o, true); })
      .Case([&](arith::IndexCastUIOp o) { return emitIndexCast(o, false); })
      .Default([&](Operation *o) { return emitElementwise(o); });
}

/// Math ops that the backend selects instructions for. What it has none for
/// would be a call into libdevice.
static bool hasInstruction(Operation *op) {
  return isa<math::AbsFOp, math::AbsIOp, math::CeilOp, math::CopySignOp,
             math::CountLeadingZerosOp, math::CountTrailingZerosOp,
             math::CtPopOp, math::FloorOp, math::FmaOp, math::RoundOp,
             math::RoundEvenOp, math::RsqrtOp, math::SqrtOp, math::TruncOp>(
             op) ||
         op->getName().getStringRef() == "math.isnan" ||
         op->getName().getStringRef() == "math.isinf" ||
         op->getName().getStringRef() == "math.isfinite";
}

static bool allowsApproximation(Operation *op) {
  auto flags = op->getAttrOfType<arith::FastMathFlagsAttr>("fastmath");
  return flags && arith::bitEnumContainsAll(flags.getValue(),
                                            arith::FastMathFlags::afn);
}

/// The instruction for a function on one f32 that need not be exact; none, where
/// there is no such instruction.
static Value emitApproximation(OpBuilder &builder, Operation *op,
                               ArrayRef<Value> operands) {
  Location loc = op->getLoc();
  Type f32 = builder.getF32Type();
  if (!allowsApproximation(op) || operands.back().getType() != f32)
    return {};
  if (isa<math::Exp2Op>(op))
    return LLVM::CallIntrinsicOp::create(
               builder, loc, f32,
               builder.getStringAttr("llvm.nvvm.ex2.approx.ftz"), operands)
        .getResult(0);
  if (isa<arith::DivFOp>(op) && matchPattern(operands.front(), m_OneFloat()))
    return NVVM::RcpApproxFtzF32Op::create(builder, loc, f32, operands.back());
  return {};
}

// op(tensor...) -> op(scalar...) a register
FailureOr<int64_t> KernelEmitter::checkElementwise(Operation *op) {
  Dialect *dialect = op->getDialect();
  bool isMath = isa_and_nonnull<math::MathDialect>(dialect);
  if (!isMath && !isa_and_nonnull<arith::ArithDialect>(dialect))
    return op->emitOpError("has no lowering to the GPU");
  if (isMath && !hasInstruction(op) &&
      !(isa<math::Exp2Op>(op) && allowsApproximation(op)))
    return op->emitOpError("has no GPU instruction; tile-expand-math expands "
                           "the f32 functions");
  if (op->getNumResults() != 1)
    return op->emitOpError("has no lowering to the GPU: expected one result");

  FailureOr<int64_t> count = getNumScalars(op, op->getResult(0).getType());
  if (failed(count))
    return failure();
  for (Value operand : op->getOperands())
    if (isa<RankedTensorType>(operand.getType()) &&
        int64_t(get(operand).size()) != *count)
      return op->emitOpError("mixes blocks of different layouts");
  return *count;
}

Value KernelEmitter::emitElement(Operation *op, int64_t reg) {
  SmallVector<Value> operands;
  for (Value operand : op->getOperands()) {
    ArrayRef<Value> scalars = get(operand);
    operands.push_back(scalars[scalars.size() == 1 ? 0 : reg]);
  }
  if (Value approximation = emitApproximation(builder, op, operands))
    return approximation;
  Operation *copy = op->cloneWithoutRegions();
  copy->setOperands(operands);
  copy->getResult(0).setType(getScalarType(op->getResult(0).getType()));
  builder.insert(copy);
  return copy->getResult(0);
}

LogicalResult KernelEmitter::emitElementwise(Operation *op) {
  FailureOr<int64_t> count = checkElementwise(op);
  if (failed(count))
    return failure();
  Registers results;
  for (int64_t reg = 0; reg < *count; ++reg)
    results.push_back(emitElement(op, reg));
  set(op->getResult(0), results);
  return success();
}

/// Emits `first` and the elementwise ops on blocks of its layout that follow it, and
/// stores of what they make, a few registers at a time: what is alive in between is
/// a few elements of each block, not all. Returns the last op emitted.
FailureOr<Operation *> KernelEmitter::emitElementwiseRun(Operation *first) {
  // Enough chains to hide their latency.
  int64_t together = 8;
  llvm::SetVector<Operation *> run;
  llvm::DenseMap<Operation *, PreparedStore> stores;
  int64_t count = 0;
  Operation *last = first;
  for (Operation *op = first; op; op = op->getNextNode()) {
    bool usesRun = llvm::any_of(op->getOperands(), [&](Value operand) {
      return operand.getDefiningOp() && run.contains(operand.getDefiningOp());
    });
    bool isScalar = isa_and_nonnull<arith::ArithDialect>(op->getDialect()) &&
                    !isBlockElementwise(op);
    if (!usesRun && (isScalar || isa<tile::BroadcastOp, tile::SplatOp>(op))) {
      if (failed(emitOp(op)))
        return failure();
      last = op;
      continue;
    }
    if (auto store = dyn_cast<tile::StoreOp>(op); store && usesRun) {
      FailureOr<PreparedStore> prepared = prepareStore(store);
      if (failed(prepared))
        return failure();
      together = std::max(together, prepared->width);
      stores[op] = std::move(*prepared);
      run.insert(op);
      last = op;
      continue;
    }
    if (!isBlockElementwise(op))
      break;
    FailureOr<int64_t> here = getNumScalars(op, op->getResult(0).getType());
    if (failed(here))
      return failure();
    if (count && *here != count)
      break;
    count = *here;
    set(op->getResult(0), Registers(count));
    if (failed(checkElementwise(op)))
      return failure();
    run.insert(op);
    last = op;
  }
  for (int64_t begin = 0; begin < count; begin += together)
    for (Operation *op : run) {
      int64_t end = std::min(count, begin + together);
      if (auto store = stores.find(op); store != stores.end()) {
        store->second.write(begin, end);
        continue;
      }
      for (int64_t reg = begin; reg < end; ++reg) {
        Value element = emitElement(op, reg);
        values[op->getResult(0)][reg] = element;
      }
    }
  return last;
}

LogicalResult KernelEmitter::emitConstant(arith::ConstantOp op) {
  Type type = op.getType();
  Type scalarType = getScalarType(type);
  auto makeScalar = [&](Attribute value) -> Value {
    if (auto integer = dyn_cast<IntegerAttr>(value))
      value = builder.getIntegerAttr(
          scalarType, integer.getValue().sextOrTrunc(
                          scalarType.getIntOrFloatBitWidth()));
    return arith::ConstantOp::create(builder, op.getLoc(),
                                     cast<TypedAttr>(value));
  };
  auto dense = dyn_cast<DenseElementsAttr>(op.getValue());
  if (!dense) {
    if (isa<ShapedType>(type))
      return op.emitOpError("has values the GPU lowering cannot read");
    set(op, makeScalar(op.getValue()));
    return success();
  }
  FailureOr<tile::DistributedLayout> layout = getLayout(op, type);
  if (failed(layout))
    return failure();
  int64_t count = layout->getNumRegisters();
  Registers registers;
  if (dense.isSplat()) {
    registers.assign(count, makeScalar(dense.getSplatValue<Attribute>()));
  } else {
    BlockCoords coords(*layout, *sums);
    for (int64_t reg = 0; reg < count; ++reg)
      registers.push_back(emitTableConstant(op.getLoc(), dense, coords, reg));
  }
  set(op, registers);
  return success();
}

/// Each register's element of a constant block differs by thread, so the block
/// becomes a table in constant memory.
Value KernelEmitter::emitTableConstant(Location loc, DenseElementsAttr elements,
                                       BlockCoords &coords, int64_t reg) {
  Type scalar = getScalarType(elements.getType());
  bool isBool = scalar.isInteger(1);
  Type stored = isBool ? builder.getI8Type() : scalar;
  int64_t size = elements.getNumElements();
  ArrayRef<int64_t> shape = elements.getType().getShape();

  if (reg == 0) {
    auto tableType = RankedTensorType::get({size}, stored);
    DenseElementsAttr table;
    if (isa<FloatType>(scalar)) {
      table = elements.reshape(tableType);
    } else {
      SmallVector<APInt> integers;
      for (APInt value : elements.getValues<APInt>())
        integers.push_back(isBool ? value.zext(8)
                                  : value.sextOrTrunc(
                                        stored.getIntOrFloatBitWidth()));
      table = DenseElementsAttr::get(tableType, integers);
    }
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(module.getBody());
    LLVM::GlobalOp::create(
        builder, loc, LLVM::LLVMArrayType::get(stored, size),
        /*isConstant=*/true, LLVM::Linkage::Internal,
        (kernel.getSymName() + "_table" + Twine(numTables++)).str(), table,
        /*alignment=*/16, /*addrSpace=*/4);
  }
  SmallVector<int64_t> strides = tile::ViewType::getDenseStrides(shape);
  ThreadAffine position = coords.getCombination(strides, reg);
  Value index = addImmediate(loc, position.thread, position.constant);
  // Padding reads any element.
  Value inside = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ult,
                                       index, i32(loc, size));
  index = arith::SelectOp::create(builder, loc, inside, index, i32(loc, 0));
  auto pointerType = LLVM::LLVMPointerType::get(builder.getContext(), 4);
  Value base = LLVM::AddressOfOp::create(
      builder, loc, pointerType,
      (kernel.getSymName() + "_table" + Twine(numTables - 1)).str());
  Value address = LLVM::GEPOp::create(builder, loc, pointerType, stored, base,
                                      LLVM::GEPArg(index));
  Value value = LLVM::LoadOp::create(builder, loc, stored, address);
  return isBool ? Value(arith::TruncIOp::create(builder, loc, scalar, value))
                : value;
}

// index is i64 here, so a cast is an extension, a truncation or nothing.
LogicalResult KernelEmitter::emitIndexCast(Operation *op, bool isSigned) {
  Registers results;
  Type to = getScalarType(op->getResult(0).getType());
  Location loc = op->getLoc();
  for (Value value : get(op->getOperand(0))) {
    unsigned from = value.getType().getIntOrFloatBitWidth();
    unsigned width = to.getIntOrFloatBitWidth();
    if (from > width)
      value = arith::TruncIOp::create(builder, loc, to, value);
    else if (from < width && isSigned)
      value = arith::ExtSIOp::create(builder, loc, to, value);
    else if (from < width)
      value = arith::ExtUIOp::create(builder, loc, to, value);
    results.push_back(value);
  }
  set(op->getResult(0), results);
  return success();
}

} // namespace tilefuse
