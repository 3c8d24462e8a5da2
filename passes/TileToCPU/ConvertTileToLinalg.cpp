//===- ConvertTileToLinalg.cpp - convert-tile-to-linalg -------------------===//

#include "passes/TileToCPU/KernelLowering.h"
#include "passes/TileToCPU/Passes.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace tilefuse {
#define GEN_PASS_DEF_CONVERTTILETOLINALG
#include "passes/TileToCPU/Passes.h.inc"
} // namespace tilefuse

using namespace mlir;
using namespace tilefuse;

void tilefuse::emitLoops(
    ImplicitLocOpBuilder &b, ArrayRef<OpFoldResult> extents,
    function_ref<void(ImplicitLocOpBuilder &, ValueRange)> body) {
  OpBuilder::InsertionGuard guard(b);
  Value zero = arith::ConstantIndexOp::create(b, 0);
  Value one = arith::ConstantIndexOp::create(b, 1);
  SmallVector<Value> indices;
  for (OpFoldResult extent : extents) {
    if (isConstantIntValue(extent, 1)) {
      indices.push_back(zero);
      continue;
    }
    Value end = getValueOrCreateConstantIndexOp(b, b.getLoc(), extent);
    auto loop = scf::ForOp::create(b, zero, end, one);
    indices.push_back(loop.getInductionVar());
    b.setInsertionPointToStart(loop.getBody());
  }
  body(b, indices);
}

SmallVector<OpFoldResult> tilefuse::getExtents(OpBuilder &b,
                                               RankedTensorType type) {
  return getAsIndexOpFoldResult(b.getContext(), type.getShape());
}

LogicalResult tilefuse::checkFirstLevel(tile::FuncOp kernel) {
  WalkResult result = kernel.walk([](Operation *op) {
    for (Type type : op->getResultTypes())
      if (auto tensor = dyn_cast<RankedTensorType>(type))
        if (tensor.getEncoding()) {
          op->emitOpError("makes a block with a layout; the CPU takes the "
                          "program before tile-assign-layouts");
          return WalkResult::interrupt();
        }
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

namespace {

/// Lowers the ops of one kernel, in order.
class KernelConverter {
public:
  KernelConverter(KernelLowering &kernel, func::FuncOp function)
      : kernel(kernel), function(function) {}

  LogicalResult run() {
    SmallVector<Operation *> ops;
    function.walk<WalkOrder::PreOrder>([&](Operation *op) {
      if (isa<tile::TileDialect>(op->getDialect()) && !isa<tile::YieldOp>(op))
        ops.push_back(op);
    });
    for (Operation *op : ops)
      if (failed(convert(op)))
        return failure();
    function.walk(carryInPlace);
    return success();
  }

private:
  /// What a value was computed on top of, along destinations.
  static Value getDestinationRoot(Value value) {
    while (auto result = dyn_cast<OpResult>(value)) {
      if (auto op = dyn_cast<DestinationStyleOpInterface>(result.getOwner()))
        value = op.getTiedOpOperand(result)->get();
      else if (auto loop = dyn_cast<scf::ForOp>(result.getOwner()))
        value = loop.getTiedLoopInit(result)->get();
      else
        break;
    }
    return value;
  }

  /// Bufferization wants a carried block to end where it began: one that is made
  /// anew in each iteration is copied there.
  static void carryInPlace(scf::ForOp loop) {
    auto yield = cast<scf::YieldOp>(loop.getBody()->getTerminator());
    OpBuilder b(yield);
    for (auto [argument, operand] :
         llvm::zip(loop.getRegionIterArgs(), yield->getOpOperands())) {
      if (!isa<RankedTensorType>(argument.getType()) ||
          getDestinationRoot(operand.get()) == argument)
        continue;
      operand.set(linalg::CopyOp::create(b, yield.getLoc(), operand.get(),
                                         Value(argument))
                      .getResult(0));
    }
  }

  LogicalResult convert(Operation *op) {
    for (Value operand : op->getOperands())
      if (isa<tile::ViewType>(operand.getType()) &&
          !kernel.views.contains(operand))
        return op->emitOpError(
            "uses a view that is no argument of its kernel");
    ImplicitLocOpBuilder b(op->getLoc(), op);
    SmallVector<Value> results;
    bool isKnown =
        llvm::TypeSwitch<Operation *, bool>(op)
            .Case([&](tile::ReturnOp) {
              func::ReturnOp::create(b);
              return true;
            })
            .Case([&](tile::ProgramIdOp id) {
              results = {kernel.ids[id.getAxis()]};
              return true;
            })
            .Case([&](tile::LoadOp load) {
              results = {lowerLoad(kernel, b, load)};
              return true;
            })
            .Case([&](tile::StoreOp store) {
              lowerStore(kernel, b, store);
              return true;
            })
            .Case([&](tile::AtomicOp atomic) {
              lowerAtomic(kernel, b, atomic);
              return true;
            })
            .Case([&](tile::ViewCastOp cast) {
              results = {lowerViewCast(kernel, b, cast)};
              return true;
            })
            .Case([&](tile::ReshapeOp reshape) {
              results = {lowerReshape(b, reshape.getValue(),
                                      reshape.getType().getShape())};
              return true;
            })
            .Case([&](tile::TransOp trans) {
              results = {
                  lowerTrans(b, trans.getValue(), trans.getPermutation())};
              return true;
            })
            .Case([&](tile::WindowOp window) {
              results = {lowerWindow(b, window)};
              return true;
            })
            .Case([&](tile::InsertWindowOp window) {
              results = {lowerInsertWindow(b, window)};
              return true;
            })
            .Case([&](tile::ExtractOp extract) {
              results = {lowerExtract(b, extract)};
              return true;
            })
            .Case([&](tile::DotOp dot) {
              results = {lowerDot(b, dot)};
              return true;
            })
            .Case([&](tile::ReduceOp reduce) {
              results = lowerReduce(b, reduce);
              return true;
            })
            .Case([&](tile::ScanOp scan) {
              results = lowerScan(b, scan);
              return true;
            })
            .Case([&](tile::PrintOp print) {
              lowerPrint(kernel, b, print);
              return true;
            })
            .Case([&](tile::AssertOp assertion) {
              lowerAssert(kernel, b, assertion);
              return true;
            })
            .Default([](Operation *) { return false; });
    if (!isKnown)
      return op->emitOpError("has no lowering to the CPU");
    op->replaceAllUsesWith(results);
    op->erase();
    return success();
  }

  KernelLowering &kernel;
  func::FuncOp function;
};

// A fresh copy of a block.
static Value copyBlock(ImplicitLocOpBuilder &b, Value block) {
  auto type = cast<RankedTensorType>(block.getType());
  Value empty =
      tensor::EmptyOp::create(b, type.getShape(), type.getElementType());
  return linalg::CopyOp::create(b, b.getLoc(), block, empty)->getResult(0);
}

// Bufferization keeps what a loop carries in one buffer each. So a loop must not
// yield a block that already has another one: a carried value in another's place
// or a value from outside.
static void separateCarriedBlocks(func::FuncOp function) {
  function.walk([](scf::ForOp loop) {
    Operation *yield = loop.getBody()->getTerminator();
    ImplicitLocOpBuilder b(yield->getLoc(), yield);
    for (auto [operand, own] :
         llvm::zip_equal(yield->getOpOperands(), loop.getRegionIterArgs())) {
      Value value = operand.get();
      if (!isa<RankedTensorType>(value.getType()) || value == own)
        continue;
      bool isMadeInside = value.getDefiningOp() &&
                          loop->isProperAncestor(value.getDefiningOp());
      if (!isMadeInside)
        operand.set(copyBlock(b, value));
    }
  });
  function.walk([](scf::WhileOp loop) {
    Operation *yield = loop.getAfterBody()->getTerminator();
    ImplicitLocOpBuilder b(yield->getLoc(), yield);
    if (yield->getNumOperands() != loop.getAfterArguments().size())
      return;
    for (auto [operand, own] : llvm::zip_equal(yield->getOpOperands(),
                                               loop.getAfterArguments())) {
      Value value = operand.get();
      if (!isa<RankedTensorType>(value.getType()) || value == own ||
          value.getType() != own.getType())
        continue;
      operand.set(bufferization::MaterializeInDestinationOp::create(
                      b, own.getType(), copyBlock(b, value), own)
                      ->getResult(0));
    }
  });
}

// tile.func @k(views) -> func.func @k(memrefs, index, index, index)
LogicalResult convertKernel(tile::FuncOp source) {
  if (failed(checkFirstLevel(source)))
    return failure();
  KernelLowering kernel(source->getParentOfType<ModuleOp>());
  OpBuilder builder(source);
  SmallVector<Type> inputs;
  for (Type type : source.getArgumentTypes())
    inputs.push_back(getMemRefType(cast<tile::ViewType>(type)));
  inputs.append(3, builder.getIndexType());

  auto function =
      func::FuncOp::create(builder, source.getLoc(), source.getName(),
                           builder.getFunctionType(inputs, {}));
  function->setAttr(tile::TileDialect::getLoweredAttrName(),
                    builder.getUnitAttr());
  function.getBody().takeBody(source.getBody());
  source.erase();

  Block &body = function.getBody().front();
  for (BlockArgument argument : body.getArguments()) {
    auto view = cast<tile::ViewType>(argument.getType());
    kernel.views[argument] = {view, argument};
    argument.setType(getMemRefType(view));
  }
  for (int axis = 0; axis < 3; ++axis)
    kernel.ids.push_back(
        body.addArgument(builder.getIndexType(), function.getLoc()));
  separateCarriedBlocks(function);
  return KernelConverter(kernel, function).run();
}

struct ConvertTileToLinalg
    : tilefuse::impl::ConvertTileToLinalgBase<ConvertTileToLinalg> {
  void runOnOperation() override {
    SmallVector<tile::FuncOp> kernels(getOperation().getOps<tile::FuncOp>());
    for (tile::FuncOp kernel : kernels) {
      if (failed(convertKernel(kernel)))
        return signalPassFailure();
      ++numKernels;
    }
  }
};

} // namespace
