//===- ConvertKernelsToLLVM.cpp - convert-kernels-to-llvm -----------------===//
//
// Upstream's conversions take a whole module; here the host program has to stay,
// so their patterns are applied to the kernels alone.
//
// No bf16 reaches LLVM but as bits: a host without instructions for it has no
// way to widen, narrow or mask vectors of it that LLVM's vectorizers make (X86
// gives up with a fatal error). Widening is a shift, narrowing rounds in
// integers, and memory is read and written as i16.
//
//===----------------------------------------------------------------------===//

#include "passes/TileToCPU/Passes.h"

#include "dialects/Tile/Tile.h"
#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/FuncToLLVM/ConvertFuncToLLVM.h"
#include "mlir/Conversion/IndexToLLVM/IndexToLLVM.h"
#include "mlir/Conversion/LLVMCommon/ConversionTarget.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/MathToLibm/MathToLibm.h"
#include "mlir/Conversion/MemRefToLLVM/MemRefToLLVM.h"
#include "mlir/Conversion/UBToLLVM/UBToLLVM.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVM.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/Transforms/LoweringPatterns.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace tilefuse {
#define GEN_PASS_DEF_CONVERTKERNELSTOLLVM
#include "passes/TileToCPU/Passes.h.inc"
} // namespace tilefuse

using namespace mlir;
using namespace tilefuse;

namespace {

bool isLowered(Operation &op) {
  return op.hasAttr(tile::TileDialect::getLoweredAttrName()) ||
         isa<memref::GlobalOp>(op);
}

// @k(ptr per view, i64, i64, i64) becomes the body of
// @k(array of ptr, i64, i64, i64).
void packArguments(LLVM::LLVMFuncOp kernel) {
  OpBuilder builder(kernel.getBody());
  Location loc = kernel.getLoc();
  Type pointer = LLVM::LLVMPointerType::get(kernel.getContext());
  Type i64 = builder.getI64Type();
  Block &entry = kernel.getBody().front();
  unsigned numViews = entry.getNumArguments() - 3;
  builder.setInsertionPointToStart(&entry);
  BlockArgument array = entry.insertArgument(0u, pointer, loc);
  for (unsigned i = 0; i < numViews; ++i) {
    Value slot = LLVM::GEPOp::create(builder, loc, pointer, pointer, array,
                                     ArrayRef<LLVM::GEPArg>{int32_t(i)});
    Value base = LLVM::LoadOp::create(builder, loc, pointer, slot);
    entry.getArgument(1).replaceAllUsesWith(base);
    entry.eraseArgument(1);
  }
  kernel.setFunctionType(LLVM::LLVMFunctionType::get(
      LLVM::LLVMVoidType::get(kernel.getContext()), {pointer, i64, i64, i64}));
  kernel->removeAttr("arg_attrs");
}

// f64 to a 16-bit type by way of f32. Hosts have no instruction for it, and rounding
// twice to nearest is wrong at ties; so the first step rounds to odd: where f32
// cannot hold the value, its last bit is set, on the side of the value.
struct NarrowDoubleByOdd : OpRewritePattern<arith::TruncFOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(arith::TruncFOp op,
                                PatternRewriter &rewriter) const override {
    Value value = op.getIn();
    Type type = value.getType(), result = op.getType();
    if (!getElementTypeOrSelf(type).isF64() ||
        getElementTypeOrSelf(result).getIntOrFloatBitWidth() != 16)
      return failure();
    Location loc = op.getLoc();
    auto like = [&](Type element) -> Type {
      auto shaped = dyn_cast<ShapedType>(type);
      return shaped ? shaped.clone(element) : element;
    };
    Type f32 = like(rewriter.getF32Type()), bits = like(rewriter.getI32Type());
    auto integer = [&](int32_t number) -> Value {
      TypedAttr attribute = rewriter.getI32IntegerAttr(number);
      if (auto shaped = dyn_cast<ShapedType>(bits))
        attribute = DenseElementsAttr::get(shaped, Attribute(attribute));
      return arith::ConstantOp::create(rewriter, loc, attribute);
    };
    Value near = arith::TruncFOp::create(rewriter, loc, f32, value);
    Value back = arith::ExtFOp::create(rewriter, loc, type, near);
    // Unordered: a NaN stays as it is.
    Value exact = arith::CmpFOp::create(
        rewriter, loc, arith::CmpFPredicate::UEQ, back, value);
    Value below = arith::CmpFOp::create(
        rewriter, loc, arith::CmpFPredicate::OLT,
        math::AbsFOp::create(rewriter, loc, back),
        math::AbsFOp::create(rewriter, loc, value));
    Value raw = arith::BitcastOp::create(rewriter, loc, bits, near);
    Value one = integer(1);
    Value isOdd = arith::CmpIOp::create(
        rewriter, loc, arith::CmpIPredicate::eq,
        arith::AndIOp::create(rewriter, loc, raw, one), one);
    Value step =
        arith::SelectOp::create(rewriter, loc, below, one, integer(-1));
    Value odd = arith::AddIOp::create(rewriter, loc, raw, step);
    Value keep = arith::OrIOp::create(rewriter, loc, exact, isOdd);
    Value chosen = arith::SelectOp::create(rewriter, loc, keep, raw, odd);
    Value narrow = arith::BitcastOp::create(rewriter, loc, f32, chosen);
    rewriter.replaceOpWithNewOp<arith::TruncFOp>(op, result, narrow);
    return success();
  }
};

/// Scalars only: the lowering makes no vectors of bf16 itself.
void accessAsBits(LLVM::LLVMFuncOp kernel) {
  kernel.walk([](Operation *op) {
    OpBuilder builder(op);
    Type bits = builder.getI16Type();
    Location loc = op->getLoc();
    if (auto load = dyn_cast<LLVM::LoadOp>(op)) {
      if (!load.getType().isBF16())
        return;
      load.getResult().setType(bits);
      builder.setInsertionPointAfter(load);
      auto value = LLVM::BitcastOp::create(builder, loc, builder.getBF16Type(),
                                           load.getResult());
      load.getResult().replaceAllUsesExcept(value, value);
    } else if (auto store = dyn_cast<LLVM::StoreOp>(op)) {
      if (store.getValue().getType().isBF16())
        store.getValueMutable().assign(
            LLVM::BitcastOp::create(builder, loc, bits, store.getValue()));
    }
  });
}

/// Whether a function is what the lowering of a tile.func makes: one memref per
/// view and three coordinates, and nothing returned.
bool isKernel(func::FuncOp function) {
  ArrayRef<Type> inputs = function.getFunctionType().getInputs();
  return !function.isDeclaration() && function.getNumResults() == 0 &&
         inputs.size() >= 3 &&
         llvm::all_of(inputs.take_back(3), llvm::IsaPred<IndexType>) &&
         llvm::all_of(inputs.drop_back(3), llvm::IsaPred<MemRefType>);
}

struct ConvertKernels
    : tilefuse::impl::ConvertKernelsToLLVMBase<ConvertKernels> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    MLIRContext *context = &getContext();
    SmallVector<Operation *> roots;
    SmallVector<StringRef> kernels;
    for (Operation &op : *module.getBody())
      if (isLowered(op)) {
        roots.push_back(&op);
        auto function = dyn_cast<func::FuncOp>(op);
        if (!function)
          continue;
        if (!isKernel(function)) {
          function.emitError("is no lowered kernel: expected memrefs, three "
                             "arguments of type index, and no results");
          return signalPassFailure();
        }
        kernels.push_back(function.getName());
        ++numKernels;
      }

    RewritePatternSet narrow(context);
    narrow.add<NarrowDoubleByOdd>(context);
    arith::populateExpandBFloat16Patterns(narrow);
    FrozenRewritePatternSet frozen(std::move(narrow));
    for (Operation *root : roots)
      if (isa<func::FuncOp>(root) && failed(applyPatternsGreedily(root, frozen)))
        return signalPassFailure();

    LowerToLLVMOptions options(context);
    options.useBarePtrCallConv = true;
    LLVMTypeConverter converter(context, options);
    RewritePatternSet patterns(context);
    arith::populateCeilFloorDivExpandOpsPatterns(patterns);
    arith::populateArithToLLVMConversionPatterns(converter, patterns);
    cf::populateControlFlowToLLVMConversionPatterns(converter, patterns);
    index::populateIndexToLLVMConversionPatterns(converter, patterns);
    populateFinalizeMemRefToLLVMConversionPatterns(converter, patterns);
    populateFuncToLLVMConversionPatterns(converter, patterns);
    populateMathToLLVMConversionPatterns(converter, patterns,
                                         /*approximateLog1p=*/false);
    populateMathToLibmConversionPatterns(patterns, PatternBenefit(0));
    populateVectorToLLVMConversionPatterns(converter, patterns);
    vector::populateVectorMaskOpLoweringPatterns(patterns);
    ub::populateUBToLLVMConversionPatterns(converter, patterns);

    LLVMConversionTarget target(*context);
    target.addIllegalDialect<arith::ArithDialect, math::MathDialect>();
    if (failed(applyPartialConversion(roots, target, std::move(patterns))))
      return signalPassFailure();
    SymbolTable symbols(module);
    for (StringRef name : kernels)
      if (auto kernel = symbols.lookup<LLVM::LLVMFuncOp>(name)) {
        accessAsBits(kernel);
        packArguments(kernel);
      }
  }
};

} // namespace
