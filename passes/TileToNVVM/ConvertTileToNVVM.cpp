//===- ConvertTileToNVVM.cpp - tile kernels to LLVM functions -----*- C++ -*-===//

#include "dialects/Tile/Tile.h"
#include "passes/TileToNVVM/KernelEmitter.h"
#include "passes/TileToNVVM/Passes.h"

#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/LLVMCommon/ConversionTarget.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "llvm/ADT/MapVector.h"
#include <numeric>

using namespace mlir;

namespace tilefuse {
#define GEN_PASS_DEF_CONVERTTILETONVVM
#include "passes/TileToNVVM/Passes.h.inc"

namespace {

/// Bytes that the base of every view handed to a kernel is a multiple of, unless
/// the host program says less: the runtime checks it for arguments, and buffers
/// of the workspace are aligned to 256.
constexpr int64_t kBaseAlignment = 16;

/// Alignment of a view of the host program, at most `kBaseAlignment`.
int64_t getHostAlignment(Value view) {
  if (auto cast = view.getDefiningOp<tile::ViewCastOp>()) {
    int64_t bytes =
        cast.getOffset() *
        std::max<int64_t>(
            1, cast.getView().getType().getElementType().getIntOrFloatBitWidth() /
                   8);
    return std::gcd(getHostAlignment(cast.getView()), bytes);
  }
  return kBaseAlignment;
}

/// Alignment of each kernel argument: the least of all its launches.
SmallVector<int64_t> getArgumentAlignments(tile::FuncOp kernel,
                                           ArrayRef<tile::LaunchOp> launches) {
  SmallVector<int64_t> alignments(kernel.getArgumentTypes().size(),
                                  kBaseAlignment);
  for (tile::LaunchOp launch : launches) {
    if (launch.getKernel() != kernel.getSymName())
      continue;
    for (auto [alignment, view] :
         llvm::zip(alignments, launch->getOperands()))
      alignment = std::gcd(alignment, getHostAlignment(view));
  }
  return alignments;
}

/// scf, arith and math on scalars -> llvm.
LogicalResult lowerScalars(ArrayRef<LLVM::LLVMFuncOp> functions) {
  MLIRContext *context = functions.front()->getContext();
  LowerToLLVMOptions options(context);
  LLVMTypeConverter converter(context, options);
  LLVMConversionTarget target(*context);
  target.addLegalDialect<NVVM::NVVMDialect>();
  target.addIllegalDialect<arith::ArithDialect, math::MathDialect,
                           scf::SCFDialect, cf::ControlFlowDialect>();
  RewritePatternSet patterns(context);
  populateSCFToControlFlowConversionPatterns(patterns);
  arith::populateArithToLLVMConversionPatterns(converter, patterns);
  populateMathToLLVMConversionPatterns(converter, patterns);
  cf::populateControlFlowToLLVMConversionPatterns(converter, patterns);
  FrozenRewritePatternSet frozen(std::move(patterns));
  for (LLVM::LLVMFuncOp function : functions)
    if (failed(applyFullConversion(function, target, frozen)))
      return failure();
  return success();
}

class ConvertTileToNVVM
    : public impl::ConvertTileToNVVMBase<ConvertTileToNVVM> {
public:
  void runOnOperation() override {
    ModuleOp module = getOperation();
    SmallVector<tile::LaunchOp> launches;
    module.walk([&](tile::LaunchOp launch) { launches.push_back(launch); });

    SmallVector<tile::FuncOp> kernels(module.getOps<tile::FuncOp>());
    SmallVector<LLVM::LLVMFuncOp> functions;
    for (tile::FuncOp kernel : kernels) {
      KernelEmitter emitter(kernel, getArgumentAlignments(kernel, launches));
      FailureOr<LLVM::LLVMFuncOp> function = emitter.emit();
      if (failed(function))
        return signalPassFailure();
      functions.push_back(*function);
      kernel.erase();
      ++numKernels;
    }
    if (!functions.empty() && failed(lowerScalars(functions)))
      signalPassFailure();
  }
};

} // namespace
} // namespace tilefuse
