//===- KernelEmitter.cpp - tile functions and launches ----------*- C++ -*-===//

#include "passes/Tiling/KernelEmitter.h"
#include "passes/Tiling/BlockReduction.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Dominance.h"
#include "mlir/IR/Iterators.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Transforms/CSE.h"

using namespace mlir;
using namespace tilefuse;

static int64_t getByteSize(Type type) {
  auto view = cast<tile::ViewType>(type);
  int64_t bits = view.getElementType().getIntOrFloatBitWidth();
  return view.getNumElements() * llvm::divideCeil(bits, 8);
}

/// Drops what nothing uses, users before definitions.
static void eraseDeadOps(Operation *root) {
  root->walk<WalkOrder::PostOrder, ReverseIterator>([](Operation *op) {
    if (isOpTriviallyDead(op))
      op->erase();
  });
}

namespace {

/// A tile.func under construction, with the host values behind its arguments.
class FunctionBuilder {
public:
  FunctionBuilder(Location loc, OpBuilder &host, SymbolTable &symbols,
                  StringRef name, int64_t warps, int64_t stages = 1)
      : loc(loc), host(host), symbols(symbols), body(host.getContext()) {
    auto type = FunctionType::get(host.getContext(), {}, {});
    OpBuilder detached(host.getContext());
    func = tile::FuncOp::create(detached, loc, name, type, ArrayRef<int64_t>{1},
                                warps);
    if (stages > 1)
      func->setAttr("tile.stages", detached.getI64IntegerAttr(stages));
    symbols.insert(func);
    if (func.getBody().empty())
      func.getBody().emplaceBlock();
    body.setInsertionPointToEnd(&func.getBody().front());
  }

  OpBuilder &getBody() { return body; }

  /// The argument that stands for host buffer `view`.
  Value getArgument(Value view, bool isOutput) {
    auto &arguments = isOutput ? outs : ins;
    for (auto &[host, argument] : arguments)
      if (host == view)
        return argument;
    Value argument =
        func.getBody().front().addArgument(view.getType(), view.getLoc());
    arguments.push_back({view, argument});
    return argument;
  }

  void discard() { symbols.erase(func); }

  /// Ends the function and launches it.
  void finish(ArrayRef<int64_t> grid, bool isFinish);

private:
  using Arguments = SmallVector<std::pair<Value, Value>>;

  Location loc;
  OpBuilder &host;
  SymbolTable &symbols;
  OpBuilder body;
  tile::FuncOp func;
  Arguments ins, outs;
};

void FunctionBuilder::finish(ArrayRef<int64_t> grid, bool isFinish) {
  tile::ReturnOp::create(body, loc);
  eraseDeadOps(func);
  IRRewriter rewriter(func.getContext());
  DominanceInfo dominance(func);
  eliminateCommonSubExpressions(rewriter, dominance, func);

  // The inputs that are read, then the outputs.
  llvm::erase_if(ins, [](auto &pair) { return pair.second.use_empty(); });
  Block &block = func.getBody().front();
  unsigned oldArguments = block.getNumArguments();
  SmallVector<Value> inViews, outViews;
  SmallVector<Type> types;
  for (auto *arguments : {&ins, &outs})
    for (auto &[view, argument] : *arguments) {
      Value moved = block.addArgument(argument.getType(), argument.getLoc());
      argument.replaceAllUsesWith(moved);
      types.push_back(argument.getType());
      (arguments == &ins ? inViews : outViews).push_back(view);
    }
  block.eraseArguments(0, oldArguments);
  func.setFunctionType(FunctionType::get(func.getContext(), types, {}));
  func.setGrid(grid);

  int64_t bytes = 0;
  for (Type type : types)
    bytes += getByteSize(type);
  tile::LaunchOp::create(host, loc,
                         FlatSymbolRefAttr::get(func.getSymNameAttr()), inViews,
                         outViews, isFinish ? host.getUnitAttr() : UnitAttr(),
                         host.getI64IntegerAttr(bytes));
}

/// Emits the stages of one kernel.
class KernelEmitter {
public:
  KernelEmitter(fuse::KernelOp kernel, OpBuilder &host, SymbolTable &symbols,
                bool powersOfTwo)
      : kernel(kernel), host(host), symbols(symbols), powersOfTwo(powersOfTwo) {
  }

  FailureOr<EmittedKernel> run(ValueRange inputs, ValueRange outputs,
                               bool separate);

private:
  void emitAlias(Operation *op);
  LogicalResult emitStage(StagePlan &plan, StringRef name);
  LogicalResult emitStores(StagePlan &plan, FunctionBuilder &function,
                           BlockEmitter &emitter);
  LogicalResult emitCrosses(StagePlan &plan, FunctionBuilder &function,
                            BlockEmitter &emitter);
  LogicalResult emitTiles(StagePlan &plan, FunctionBuilder &function,
                          BlockEmitter &emitter,
                          llvm::function_ref<LogicalResult()> tile);
  void storeStates(const CrossReduction &cross,
                   ArrayRef<SmallVector<Value>> parts,
                   FunctionBuilder &function, BlockEmitter &emitter);
  FailureOr<SmallVector<Value>> emitPart(BlockEmitter &emitter,
                                         const StagePlan &plan,
                                         const CrossReduction &cross,
                                         const Slice &part);
  void emitFills(StagePlan &plan, FunctionBuilder &function,
                 BlockEmitter &emitter);
  void emitCoordinates(StagePlan &plan, OpBuilder &b);
  PartialStates &getStates(const CrossReduction &cross);

  fuse::KernelOp kernel;
  OpBuilder &host;
  SymbolTable &symbols;
  bool powersOfTwo;
  /// Buffers of values in memory.
  llvm::DenseMap<Value, Value> buffers;
  llvm::DenseMap<Value, Value> destinations;
  llvm::DenseMap<Operation *, PartialStates> states;
};

/// The instance's position, delinearised over the grid variables.
void KernelEmitter::emitCoordinates(StagePlan &plan, OpBuilder &b) {
  Location loc = kernel.getLoc();
  Value rest;
  for (unsigned i = plan.grid.size(); i-- > 0;) {
    unsigned var = plan.grid[i];
    int64_t count = plan.vars.getCount(var);
    if (count == 1) {
      plan.vars.setValue(var, arith::ConstantIndexOp::create(b, loc, 0));
      continue;
    }
    if (!rest)
      rest = tile::ProgramIdOp::create(b, loc, b.getIndexType(),
                                       b.getI32IntegerAttr(0));
    bool isLast = llvm::all_of(llvm::seq<unsigned>(0, i), [&](unsigned j) {
      return plan.vars.getCount(plan.grid[j]) == 1;
    });
    if (isLast) {
      plan.vars.setValue(var, rest);
      continue;
    }
    Value size = arith::ConstantIndexOp::create(b, loc, count);
    plan.vars.setValue(var, arith::RemUIOp::create(b, loc, rest, size));
    rest = arith::DivUIOp::create(b, loc, rest, size);
  }
  plan.vars.emitQuotients(b, loc);
}

LogicalResult KernelEmitter::emitStores(StagePlan &plan,
                                        FunctionBuilder &function,
                                        BlockEmitter &emitter) {
  for (auto &slices : plan.classes) {
    emitter.setTileSlices(&slices);
    for (Value value : plan.stores) {
      const Slice &slice = slices.find(value)->second;
      FailureOr<Value> block = emitter.evaluate(value, slice);
      if (failed(block))
        return failure();
      Value &destination = destinations[value];
      if (!destination) {
        auto type = cast<RankedTensorType>(value.getType());
        destination = tile::AllocOp::create(
            host, value.getLoc(),
            tile::ViewType::get(type.getShape(), type.getElementType()),
            IntegerAttr());
      }
      emitter.store(value.getLoc(), *block,
                    function.getArgument(destination, /*isOutput=*/true),
                    slice);
    }
  }
  return success();
}

/// Stores constant results: the elements of each, in one row, are divided among
/// the instances.
void KernelEmitter::emitFills(StagePlan &plan, FunctionBuilder &function,
                              BlockEmitter &emitter) {
  constexpr int64_t largestBlock = 4096;
  Coord instance(0);
  int64_t instances = 1;
  for (unsigned var : plan.grid) {
    int64_t count = plan.vars.getCount(var);
    instances *= count;
    instance = instance * count;
    if (count > 1)
      instance = instance + Coord::ofVar(var, 1);
  }
  for (Value value : plan.fills) {
    Location loc = value.getLoc();
    auto type = cast<RankedTensorType>(value.getType());
    int64_t size = type.getNumElements();
    Value destination = tile::ViewCastOp::create(
        host, loc, tile::ViewType::get({size}, type.getElementType()),
        destinations.lookup(value), host.getI64IntegerAttr(0));
    Value view = function.getArgument(destination, /*isOutput=*/true);
    int64_t share = llvm::PowerOf2Ceil(llvm::divideCeil(size, instances));
    for (int64_t done = 0; done < share; done += largestBlock) {
      Slice slice{{instance * share + Coord(done),
                   std::min(share - done, largestBlock), 1}};
      DenseElementsAttr constant;
      matchPattern(value, m_Constant(&constant));
      Value block = emitter.splat(loc, constant.getSplatValue<TypedAttr>(),
                                  getExtents(slice));
      emitter.store(loc, block, view, slice);
    }
  }
}

/// The partial state of one class.
FailureOr<SmallVector<Value>>
KernelEmitter::emitPart(BlockEmitter &emitter, const StagePlan &plan,
                        const CrossReduction &cross, const Slice &part) {
  if (auto reduction = dyn_cast<fuse::ReductionOpInterface>(cross.op))
    return tileReductionPart(emitter, reduction, part);
  FailureOr<Value> sum = emitter.evaluate(cross.op->getResult(0), part);
  if (failed(sum))
    return failure();
  return SmallVector<Value>{*sum};
}

/// A merge of this many states averages out what sharpens each.
static constexpr int64_t manySlots = 64;

PartialStates &KernelEmitter::getStates(const CrossReduction &cross) {
  auto [it, isNew] = states.try_emplace(cross.op);
  if (!isNew)
    return it->second;
  PartialStates &partial = it->second;
  partial.slots = cross.slots;
  SmallVector<int64_t> shape{cross.slots};
  SmallVector<Type> types;
  if (auto reduction = dyn_cast<fuse::ReductionOpInterface>(cross.op)) {
    SpaceForm form(cast<fuse::IterationSpaceOpInterface>(cross.op));
    shape.append(form.space.bounds.begin(),
                 form.space.bounds.begin() + form.space.getNumParallel());
    types = reduction.getAccumulatorTypes();
  } else {
    auto type = cast<ShapedType>(cross.op->getResult(0).getType());
    llvm::append_range(shape, type.getShape());
    types = {cast<fuse::ContractionOpInterface>(cross.op).getSumType()};
  }
  unsigned kept = types.size();
  if (auto reduction = dyn_cast<fuse::ReductionOpInterface>(cross.op);
      reduction && cross.slots >= manySlots)
    kept = reduction.getNumEssential();
  partial.views.resize(types.size());
  for (unsigned i = 0; i < kept; ++i)
    partial.views[i] =
        tile::AllocOp::create(host, cross.op->getLoc(),
                              tile::ViewType::get(shape, types[i]),
                              IntegerAttr());
  return partial;
}

/// Stores the partial state of a reduction; `parts` has one per class.
void KernelEmitter::storeStates(const CrossReduction &cross,
                                ArrayRef<SmallVector<Value>> parts,
                                FunctionBuilder &function,
                                BlockEmitter &emitter) {
  OpBuilder &b = emitter.getBuilder();
  Location loc = cross.op->getLoc();
  auto reduction = dyn_cast<fuse::ReductionOpInterface>(cross.op);
  // Classes that keep the same elements share one state.
  std::vector<std::pair<Slice, SmallVector<Value>>> kept;
  for (auto [part, state] : llvm::zip_equal(cross.parts, parts)) {
    Slice points = part;
    if (reduction)
      points.resize(emitter.getForm(cross.op).space.getNumParallel());
    auto same = llvm::find_if(
        kept, [&](const auto &other) { return other.first == points; });
    if (same == kept.end())
      kept.push_back({points, state});
    else
      same->second = reduction.combine(b, loc, same->second, state);
  }
  PartialStates &partial = getStates(cross);
  for (auto &[points, state] : kept) {
    Slice slice{{cross.slot, 1, 1}};
    llvm::append_range(slice, points);
    for (auto [view, value] : llvm::zip(partial.views, state)) {
      if (!view)
        continue;
      Value block = emitter.reshape(loc, value, getExtents(slice));
      emitter.store(loc, block, function.getArgument(view, true), slice);
    }
  }
}

/// The reductions whose states are stored for each tile.
LogicalResult KernelEmitter::emitCrosses(StagePlan &plan,
                                         FunctionBuilder &function,
                                         BlockEmitter &emitter) {
  for (const CrossReduction &cross : plan.crosses) {
    if (cross.isCarried)
      continue;
    SmallVector<SmallVector<Value>> parts;
    for (auto [part, slices] : llvm::zip_equal(cross.parts, plan.classes)) {
      emitter.setTileSlices(&slices);
      FailureOr<SmallVector<Value>> state =
          emitPart(emitter, plan, cross, part);
      if (failed(state))
        return failure();
      parts.push_back(*state);
    }
    storeStates(cross, parts, function, emitter);
  }
  return success();
}

/// The tiles of one instance, one after another, and the reductions whose
/// states go from tile to tile.
LogicalResult KernelEmitter::emitTiles(StagePlan &plan,
                                       FunctionBuilder &function,
                                       BlockEmitter &emitter,
                                       llvm::function_ref<LogicalResult()> tile) {
  if (!plan.repeat)
    return tile();
  std::vector<RunningReduction> running;
  SmallVector<Value> inits;
  for (const CrossReduction &cross : plan.crosses)
    for (const Slice &part : cross.parts)
      if (cross.isCarried) {
        running.emplace_back(
            emitter, cast<fuse::ReductionOpInterface>(cross.op), part);
        llvm::append_range(inits, running.back().getInits());
      }
  auto forEachRunning = [&](ValueRange carried, auto visit) {
    unsigned position = 0;
    for (const CrossReduction &cross : plan.crosses) {
      if (!cross.isCarried)
        continue;
      unsigned size = cast<fuse::ReductionOpInterface>(cross.op)
                          .getAccumulatorTypes()
                          .size();
      for (auto &slices : plan.classes) {
        emitter.setTileSlices(&slices);
        if (failed(visit(running[position], carried.take_front(size))))
          return failure();
        carried = carried.drop_front(size);
        ++position;
      }
    }
    return success();
  };
  FailureOr<SmallVector<Value>> carried = emitter.emitRepeat(
      kernel.getLoc(), *plan.repeat, inits,
      [&](ValueRange states) -> FailureOr<SmallVector<Value>> {
        if (failed(tile()))
          return failure();
        SmallVector<Value> next;
        if (failed(forEachRunning(states, [&](RunningReduction &reduction,
                                              ValueRange own) {
              FailureOr<SmallVector<Value>> more = reduction.add(own);
              if (failed(more))
                return failure();
              llvm::append_range(next, *more);
              return success();
            })))
          return failure();
        return next;
      });
  if (failed(carried))
    return failure();
  std::vector<SmallVector<Value>> states;
  (void)forEachRunning(*carried,
                       [&](RunningReduction &reduction, ValueRange own) {
                         states.push_back(reduction.finish(own));
                         return success();
                       });
  ArrayRef<SmallVector<Value>> rest(states);
  for (const CrossReduction &cross : plan.crosses)
    if (cross.isCarried) {
      storeStates(cross, rest.take_front(cross.parts.size()), function, emitter);
      rest = rest.drop_front(cross.parts.size());
    }
  return success();
}

/// Warps that merge partial states on a GPU, at least: a thread holds its share
/// of many states.
static constexpr int64_t finishWarps = 8;

LogicalResult KernelEmitter::emitStage(StagePlan &plan, StringRef name) {
  int64_t warps = kernel.getSchedule() ? kernel.getSchedule()->getWarps() : 4;
  if (plan.isFinish && powersOfTwo)
    warps = std::max(warps, finishWarps);
  int64_t stages =
      kernel.getSchedule() ? kernel.getSchedule()->getStages() : 1;
  FunctionBuilder function(kernel.getLoc(), host, symbols, name, warps, stages);
  emitCoordinates(plan, function.getBody());
  BlockEmitter emitter(function.getBody(), plan.vars, kernel, powersOfTwo);
  // In the order of the body, so that arguments have a fixed order.
  auto bind = [&](Value value) {
    if (Value buffer = buffers.lookup(value))
      emitter.bind(value, function.getArgument(buffer, /*isOutput=*/false));
  };
  for (Value argument : kernel.getBody().front().getArguments())
    bind(argument);
  for (Operation &op : kernel.getBody().front())
    for (Value result : op.getResults())
      bind(result);
  for (Operation *op : plan.merges) {
    PartialStates partial = states.lookup(op);
    for (Value &view : partial.views)
      if (view)
        view = function.getArgument(view, /*isOutput=*/false);
    emitter.bindPartials(op, std::move(partial));
  }
  if (plan.split)
    emitter.setSplit(plan.split->first, plan.split->second);
  auto emitTile = [&]() -> LogicalResult {
    if (plan.primed && failed(emitter.evaluate(plan.primed, plan.primedSlice)))
      return failure();
    if (failed(emitStores(plan, function, emitter)))
      return failure();
    return emitCrosses(plan, function, emitter);
  };
  if (failed(emitTiles(plan, function, emitter, emitTile)))
    return function.discard(), failure();
  emitFills(plan, function, emitter);
  for (Value value : plan.stores)
    buffers[value] = destinations[value];
  for (Value value : plan.fills)
    buffers[value] = destinations[value];
  int64_t instances = 1;
  for (unsigned var : plan.grid)
    instances *= plan.vars.getCount(var);
  function.finish({instances}, plan.isFinish);
  return success();
}

/// A change of shape of a buffer.
void KernelEmitter::emitAlias(Operation *op) {
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  Value buffer = buffers.lookup(op->getOperand(0));
  auto viewType = tile::ViewType::get(type.getShape(), type.getElementType());
  if (buffer.getType() != viewType)
    buffer = tile::ViewCastOp::create(host, op->getLoc(), viewType, buffer,
                                      host.getI64IntegerAttr(0));
  buffers[op->getResult(0)] = buffer;
}

FailureOr<EmittedKernel> KernelEmitter::run(ValueRange inputs,
                                            ValueRange outputs, bool separate) {
  FailureOr<std::vector<StagePlan>> stages =
      separate ? planSeparateStages(kernel, powersOfTwo)
               : planStages(kernel, powersOfTwo);
  if (failed(stages))
    return failure();
  Block &body = kernel.getBody().front();
  for (auto [argument, view] : llvm::zip(body.getArguments(), inputs))
    buffers[argument] = view;
  for (auto [value, view] : llvm::zip(kernel.getYield().getValues(), outputs))
    destinations.try_emplace(value, view);

  EmittedKernel emitted;
  for (StagePlan &plan : *stages) {
    if (plan.alias) {
      emitAlias(plan.alias);
      continue;
    }
    std::string name = kernel.getName().str();
    if (plan.isFinish)
      name += "_finish";
    else if (emitted.mainLaunches > 0)
      name += "_part" + std::to_string(emitted.mainLaunches);
    if (failed(emitStage(plan, name)))
      return failure();
    ++(plan.isFinish ? emitted.finishLaunches : emitted.mainLaunches);
  }
  // A value that is yielded twice, or that needs no stage, is copied.
  for (auto [value, view] : llvm::zip(kernel.getYield().getValues(), outputs))
    if (Value buffer = buffers.lookup(value); buffer && buffer != view)
      emitCopy(kernel.getLoc(), host, symbols,
               (kernel.getName() + "_copy").str(), buffer, view);
  return emitted;
}

} // namespace

FailureOr<EmittedKernel>
tilefuse::emitKernel(fuse::KernelOp kernel, OpBuilder &host,
                     SymbolTable &symbols, ValueRange inputs,
                     ValueRange outputs, bool powersOfTwo) {
  auto attempt = [&](bool separate) {
    return KernelEmitter(kernel, host, symbols, powersOfTwo)
        .run(inputs, outputs, separate);
  };
  Operation *before = host.getInsertionBlock()->empty()
                          ? nullptr
                          : host.getInsertionPoint()->getPrevNode();
  std::string why;
  {
    ScopedDiagnosticHandler handler(kernel.getContext(), [&](Diagnostic &diag) {
      if (diag.getSeverity() == DiagnosticSeverity::Error && why.empty())
        why = diag.str();
      return success();
    });
    FailureOr<EmittedKernel> emitted = attempt(/*separate=*/false);
    if (succeeded(emitted))
      return emitted;
  }
  // Take back what the attempt left, and emit each op by itself.
  Operation *last = host.getInsertionPoint()->getPrevNode();
  while (last && last != before) {
    Operation *previous = last->getPrevNode();
    if (auto launch = dyn_cast<tile::LaunchOp>(last))
      symbols.erase(symbols.lookup(launch.getKernel()));
    last->erase();
    last = previous;
  }
  kernel.emitRemark(
      "fused tiles could not be emitted, its ops run one by one: ")
      << why;
  FailureOr<EmittedKernel> emitted = attempt(/*separate=*/true);
  if (succeeded(emitted))
    emitted->isSeparate = true;
  return emitted;
}

void tilefuse::emitCopy(Location loc, OpBuilder &host, SymbolTable &symbols,
                        StringRef name, Value from, Value to) {
  constexpr int64_t chunk = 4096;
  auto viewType = cast<tile::ViewType>(from.getType());
  int64_t size = viewType.getNumElements();
  auto flatType =
      tile::ViewType::get(ArrayRef<int64_t>{size}, viewType.getElementType());
  auto flatten = [&](Value view) -> Value {
    if (view.getType() == flatType)
      return view;
    return tile::ViewCastOp::create(host, loc, flatType, view,
                                    host.getI64IntegerAttr(0));
  };
  Value flatFrom = flatten(from), flatTo = flatten(to);
  FunctionBuilder function(loc, host, symbols, name, 4);
  OpBuilder &b = function.getBody();
  Value source = function.getArgument(flatFrom, /*isOutput=*/false);
  Value target = function.getArgument(flatTo, /*isOutput=*/true);
  Value id = tile::ProgramIdOp::create(b, loc, b.getIndexType(),
                                       b.getI32IntegerAttr(0));
  Value extent = arith::ConstantIndexOp::create(b, loc, chunk);
  Value base = arith::MulIOp::create(b, loc, id, extent);
  auto blockType = RankedTensorType::get({chunk}, viewType.getElementType());
  Value block =
      tile::LoadOp::create(b, loc, blockType, source, ValueRange{base}, Value(),
                           Value(), DenseI64ArrayAttr());
  tile::StoreOp::create(b, loc, block, target, ValueRange{base}, Value(),
                        DenseI64ArrayAttr());
  int64_t count = llvm::divideCeil(size, chunk);
  function.finish({count}, /*isFinish=*/false);
}
