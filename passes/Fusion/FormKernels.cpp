//===- FormKernels.cpp - groups of ops become kernels -----------*- C++ -*-===//
//
// Decides a partition of each function (KernelGroups.h, five steps) and then
// writes it down. See the pass description for the shape of the result.
//
// A splat constant that the function returns (a gradient that is exactly zero)
// becomes one more result of a kernel that is there anyway: small ones of the
// last kernel, which stores them beside its own results; a large one, or one
// where there is no kernel, of a kernel that does nothing else.
//
//===----------------------------------------------------------------------===//

#include "passes/Fusion/KernelGroups.h"
#include "passes/Fusion/Passes.h"

namespace tilefuse {
#define GEN_PASS_DEF_FUSEFORMKERNELS
#include "passes/Fusion/Passes.h.inc"
} // namespace tilefuse

using namespace mlir;
using namespace tilefuse;

namespace {

/// Every value once per reader that is not its own kernel.
int64_t getUnfusedBytes(func::FuncOp func) {
  int64_t bytes = 0;
  for (Operation &op : func.getBody().front()) {
    if (op.hasTrait<OpTrait::IsTerminator>() ||
        op.hasTrait<OpTrait::ConstantLike>() || isViewChange(&op))
      continue;
    for (Value operand : op.getOperands())
      if (!operand.getDefiningOp() || !isSplatConstant(operand.getDefiningOp()))
        bytes += getByteSize(operand.getType());
    for (Value result : op.getResults())
      bytes += getByteSize(result.getType());
  }
  return bytes;
}

/// Only fuse ops can be grouped; what else a function may hold has no bytes to
/// count and no access to follow.
LogicalResult checkGraph(func::FuncOp func) {
  for (Operation &op : func.getBody().front()) {
    if (isa<func::ReturnOp>(op) ||
        isa_and_present<fuse::FuseDialect>(op.getDialect()))
      continue;
    return op.emitOpError("cannot become part of a kernel: it is not an "
                          "operation of the fuse dialect");
  }
  for (BlockArgument argument : func.getArguments()) {
    auto tensor = dyn_cast<RankedTensorType>(argument.getType());
    if (tensor && tensor.hasStaticShape() && tensor.getNumElements() > 0)
      continue;
    return emitError(argument.getLoc())
           << "argument " << argument.getArgNumber() << " of '"
           << func.getName() << "' must be a static, non-empty tensor, found "
           << argument.getType();
  }
  return success();
}

class FormKernels : public tilefuse::impl::FuseFormKernelsBase<FormKernels> {
public:
  using FuseFormKernelsBase::FuseFormKernelsBase;

  void runOnOperation() override {
    func::FuncOp func = getOperation();
    if (func.isExternal())
      return;
    if (!func.getBody().hasOneBlock()) {
      func.emitOpError("has more than one block; kernels are formed of "
                       "straight-line graphs");
      return signalPassFailure();
    }
    for (Operation &op : func.getBody().front())
      if (isa<fuse::KernelOp>(op))
        return; // formed already
    if (failed(checkGraph(func)))
      return signalPassFailure();
    CostModel model(fuse::TargetAttr::lookup(func));
    int64_t unfused = getUnfusedBytes(func);
    KernelGroups groups(func, model);
    auto refuse = [&](Operation *op, StringRef reason) {
      ++numRefused;
      if (remarks && !reason.empty())
        op->emitRemark("not fused: ") << reason;
    };
    if (failed(joinConsumers(groups, refuse)))
      return signalPassFailure();
    groups.prune();
    inlineProducers(groups, refuse);
    recomputeProducers(groups, refuse);
    mergeSiblings(groups, refuse);
    splitIllegal(groups, refuse);
    int64_t fused = write(groups);
    bytesSaved += std::max<int64_t>(0, unfused - fused);
  }

private:
  /// Data stays as it is; any change of shape becomes a reshape.
  static void writeHost(Operation *op, OpBuilder &builder, IRMapping &values) {
    if (!isViewChange(op)) {
      builder.clone(*op, values);
      return;
    }
    values.map(op->getResult(0),
               fuse::ReshapeOp::create(builder, op->getLoc(),
                                       op->getResult(0).getType(),
                                       values.lookup(op->getOperand(0))));
  }

  /// Splat constants of at most this many bytes ride in another kernel.
  static constexpr int64_t kRidingBytes = 1 << 16;

  /// Positions at which the function returns splat constants.
  static SmallVector<unsigned> getReturnedConstants(Operation *terminator) {
    SmallVector<unsigned> positions;
    for (OpOperand &operand : terminator->getOpOperands())
      if (Operation *def = operand.get().getDefiningOp();
          def && isSplatConstant(def))
        positions.push_back(operand.getOperandNumber());
    return positions;
  }

  /// A kernel of a splat constant alone.
  Value writeConstant(Operation *op, StringRef name, OpBuilder &builder) {
    auto formed = fuse::KernelOp::create(
        builder, op->getLoc(), op->getResultTypes(), name, ValueRange(),
        /*schedule=*/fuse::ScheduleAttr());
    OpBuilder::InsertionGuard guard(builder);
    builder.createBlock(&formed.getBody());
    Operation *copy = builder.clone(*op);
    fuse::YieldOp::create(builder, formed.getLoc(), copy->getResults());
    ++numKernels;
    return formed.getOutputs()[0];
  }

  /// Turns the partition into IR; returns the bytes its kernels move.
  int64_t write(KernelGroups &groups) {
    func::FuncOp func = groups.getFunction();
    Block &block = func.getBody().front();
    OpBuilder builder(block.getTerminator());
    IRMapping values; // old value -> what provides it now
    for (BlockArgument argument : block.getArguments())
      values.map(argument, argument);
    int64_t bytes = 0;
    unsigned kernelNumber = 0;
    SmallVector<Operation *> old;
    for (Operation &op : block.without_terminator())
      old.push_back(&op);

    SmallVector<unsigned> order = groups.getOrder();
    int carrier = -1;
    for (unsigned index : order)
      if (!groups[index].isHost)
        carrier = index;
    Operation *terminator = block.getTerminator();
    SmallVector<unsigned> riding, alone;
    for (unsigned position : getReturnedConstants(terminator))
      (carrier >= 0 && getByteSize(terminator->getOperand(position).getType()) <=
                           kRidingBytes
           ? riding
           : alone)
          .push_back(position);
    SmallVector<Value> returned(terminator->getNumOperands());

    for (unsigned index : order) {
      const KernelGroups::Group &group = groups[index];
      if (group.isHost) {
        for (Operation *op : group.ops)
          writeHost(op, builder, values);
        continue;
      }
      fuse::KernelGroup kernel = groups.getKernel(index);
      bytes += groups.getModel().getCost(kernel).getBytes();
      ++numKernels;
      SmallVector<Value> inputs = groups.getInputs(group.ops), outer;
      for (Value input : inputs)
        outer.push_back(values.lookup(input));
      SmallVector<Type> types;
      for (Value result : kernel.results)
        types.push_back(result.getType());
      if (int(index) == carrier)
        for (unsigned position : riding)
          types.push_back(terminator->getOperand(position).getType());
      SmallVector<Location> locations;
      for (Operation *op : kernel.ops)
        locations.push_back(op->getLoc());
      std::string name =
          (func.getName() + "_k" + Twine(kernelNumber++)).str();
      auto formed = fuse::KernelOp::create(
          builder, builder.getFusedLoc(locations), types, name, outer,
          /*schedule=*/fuse::ScheduleAttr());
      OpBuilder::InsertionGuard guard(builder);
      Block *body = builder.createBlock(&formed.getBody());
      IRMapping inner;
      for (Value input : inputs)
        inner.map(input,
                  body->addArgument(input.getType(), input.getLoc()));
      for (Operation *op : kernel.ops) {
        Operation *copy = builder.clone(*op, inner);
        if (op == kernel.anchor)
          copy->setAttr("fuse.anchor", builder.getUnitAttr());
      }
      SmallVector<Value> yielded;
      for (Value result : kernel.results)
        yielded.push_back(inner.lookup(result));
      if (int(index) == carrier)
        for (unsigned position : riding) {
          returned[position] = formed.getOutputs()[yielded.size()];
          yielded.push_back(
              builder.clone(*terminator->getOperand(position).getDefiningOp())
                  ->getResult(0));
        }
      fuse::YieldOp::create(builder, formed.getLoc(), yielded);
      for (auto [from, to] : llvm::zip(kernel.results, formed.getOutputs()))
        values.map(from, to);
    }
    for (unsigned position : alone)
      returned[position] = writeConstant(
          terminator->getOperand(position).getDefiningOp(),
          (func.getName() + "_k" + Twine(kernelNumber++)).str(), builder);
    for (OpOperand &operand : terminator->getOpOperands())
      operand.set(returned[operand.getOperandNumber()]
                      ? returned[operand.getOperandNumber()]
                      : values.lookup(operand.get()));
    for (Operation *op : llvm::reverse(old))
      op->erase();
    return bytes;
  }
};

} // namespace
