//===- HostProgram.cpp - the entry function as a host program ---*- C++ -*-===//

#include "passes/Tiling/HostProgram.h"
#include "passes/Tiling/KernelEmitter.h"

using namespace mlir;
using namespace tilefuse;

static tile::ViewType getViewType(Type type) {
  auto tensor = cast<RankedTensorType>(type);
  return tile::ViewType::get(tensor.getShape(), tensor.getElementType());
}

namespace {

class HostProgram {
public:
  HostProgram(func::FuncOp func, SymbolTable &symbols, bool powersOfTwo,
              HostProgramStatistics &statistics)
      : func(func), symbols(symbols), powersOfTwo(powersOfTwo),
        statistics(statistics), b(func.getContext()) {}

  LogicalResult run();

private:
  LogicalResult check();
  void rewriteSignature();
  void assignResults();
  LogicalResult lower(Operation &op);
  LogicalResult lowerKernel(fuse::KernelOp kernel);
  Value cast(Location loc, Value view, tile::ViewType type);

  func::FuncOp func;
  SymbolTable &symbols;
  bool powersOfTwo;
  HostProgramStatistics &statistics;
  OpBuilder b;
  SmallVector<Value> returned;
  SmallVector<BlockArgument> outArguments;
  /// The buffer of each tensor.
  llvm::DenseMap<Value, Value> views;
  /// Kernel results that are written to a result of the function directly.
  llvm::DenseMap<Value, BlockArgument> destinations;
  /// Results that need a copy at the end.
  SmallVector<bool> needsCopy;
};

LogicalResult HostProgram::check() {
  if (!func.getBody().hasOneBlock())
    return func.emitOpError(
        "must have a single block to become a host program");
  for (Type type : func.getFunctionType().getInputs())
    if (!isa<RankedTensorType>(type))
      return func.emitOpError("expects ranked tensor arguments, found ")
             << type;
  for (Operation &op : func.getBody().front().without_terminator()) {
    if (isa<fuse::KernelOp, fuse::ReshapeOp>(op))
      continue;
    DenseElementsAttr value;
    if (matchPattern(&op, m_Constant(&value)))
      continue;
    return op.emitOpError("is outside a kernel; run fuse-form-kernels first");
  }
  return success();
}

Value HostProgram::cast(Location loc, Value view, tile::ViewType type) {
  if (view.getType() == type)
    return view;
  return tile::ViewCastOp::create(b, loc, type, view, b.getI64IntegerAttr(0));
}

/// Arguments: views of the inputs, then of the results, with the attributes of
/// both.
void HostProgram::rewriteSignature() {
  Block &block = func.getBody().front();
  unsigned numInputs = block.getNumArguments();
  SmallVector<Type> types;
  SmallVector<Attribute> attributes;
  for (unsigned i = 0; i < numInputs; ++i) {
    types.push_back(getViewType(block.getArgument(i).getType()));
    DictionaryAttr dictionary = func.getArgAttrDict(i);
    attributes.push_back(dictionary ? dictionary
                                    : DictionaryAttr::get(b.getContext()));
  }
  for (auto [i, value] : llvm::enumerate(returned)) {
    types.push_back(getViewType(value.getType()));
    DictionaryAttr dictionary = func.getResultAttrDict(i);
    attributes.push_back(dictionary ? dictionary
                                    : DictionaryAttr::get(b.getContext()));
  }
  // The tensors live on beside the views until the body is rewritten.
  for (unsigned i = 0; i < numInputs; ++i)
    views[block.getArgument(i)] =
        block.addArgument(types[i], block.getArgument(i).getLoc());
  for (auto [i, value] : llvm::enumerate(returned))
    outArguments.push_back(
        block.addArgument(types[numInputs + i], value.getLoc()));
  func.removeResAttrsAttr();
  func.setFunctionType(FunctionType::get(b.getContext(), types, {}));
  func.setAllArgAttrs(attributes);
  func->setAttr("tile.entry", b.getUnitAttr());
  func->setAttr("tile.num_inputs", b.getI64IntegerAttr(numInputs));
}

/// A kernel's result that is returned, possibly reshaped, is written where it
/// goes; a second time, and everything that no kernel computes, is copied.
void HostProgram::assignResults() {
  for (auto [i, value] : llvm::enumerate(returned)) {
    Value source = value;
    while (auto reshape = source.getDefiningOp<fuse::ReshapeOp>())
      source = reshape.getInput();
    bool direct = isa_and_nonnull<fuse::KernelOp>(source.getDefiningOp()) &&
                  destinations.try_emplace(source, outArguments[i]).second;
    needsCopy.push_back(!direct);
  }
}

LogicalResult HostProgram::lowerKernel(fuse::KernelOp kernel) {
  Location loc = kernel.getLoc();
  SmallVector<Value> inputs, outputs;
  for (Value input : kernel.getInputs())
    inputs.push_back(views.lookup(input));
  for (Value result : kernel.getResults()) {
    tile::ViewType type = getViewType(result.getType());
    auto it = destinations.find(result);
    if (it != destinations.end()) {
      outputs.push_back(cast(loc, it->second, type));
    } else {
      outputs.push_back(tile::AllocOp::create(b, loc, type, IntegerAttr()));
      ++statistics.buffers;
    }
    views[result] = outputs.back();
  }
  FailureOr<EmittedKernel> emitted =
      emitKernel(kernel, b, symbols, inputs, outputs, powersOfTwo);
  if (failed(emitted))
    return failure();
  statistics.kernels += emitted->mainLaunches;
  statistics.finishes += emitted->finishLaunches;
  statistics.separate += emitted->isSeparate;
  return success();
}

LogicalResult HostProgram::lower(Operation &op) {
  if (auto kernel = dyn_cast<fuse::KernelOp>(op))
    return lowerKernel(kernel);
  Value result = op.getResult(0);
  tile::ViewType type = getViewType(result.getType());
  DenseElementsAttr value;
  if (matchPattern(&op, m_Constant(&value)))
    views[result] = tile::ConstantOp::create(b, op.getLoc(), type, value);
  else
    views[result] = cast(op.getLoc(), views.lookup(op.getOperand(0)), type);
  return success();
}

LogicalResult HostProgram::run() {
  if (failed(check()))
    return failure();
  Block &block = func.getBody().front();
  auto terminator = ::cast<func::ReturnOp>(block.getTerminator());
  returned = llvm::to_vector(terminator.getOperands());
  for (Value value : returned)
    if (!isa<RankedTensorType>(value.getType()))
      return func.emitOpError("expects ranked tensor results, found ")
             << value.getType();
  unsigned numInputs = block.getNumArguments();
  SmallVector<Operation *> ops;
  for (Operation &op : block.without_terminator())
    ops.push_back(&op);
  rewriteSignature();
  assignResults();

  b.setInsertionPoint(terminator);
  for (Operation *op : ops)
    if (failed(lower(*op)))
      return failure();
  for (auto [i, value] : llvm::enumerate(returned)) {
    if (!needsCopy[i])
      continue;
    emitCopy(value.getLoc(), b, symbols, (func.getName() + "_copy").str(),
             views.lookup(value), outArguments[i]);
    ++statistics.copies;
  }
  terminator->setOperands({});
  for (Operation *op : llvm::reverse(ops))
    op->erase();
  block.eraseArguments(0, numInputs);
  return success();
}

} // namespace

LogicalResult tilefuse::lowerToHostProgram(func::FuncOp func,
                                           SymbolTable &symbols,
                                           bool powersOfTwo,
                                           HostProgramStatistics &statistics) {
  return HostProgram(func, symbols, powersOfTwo, statistics).run();
}
