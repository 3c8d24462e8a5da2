//===- Differentiate.cpp - reverse mode over SSA --------------------------===//
//
// A function is straight-line SSA, so reverse mode is one walk backwards: each
// op turns the cotangents of its results into those of its operands, and uses
// of one value add up. Only ops that lie between a wanted argument and a
// differentiable result take part.
//
//===----------------------------------------------------------------------===//

#include "dialects/Fuse/Fuse.h"
#include "dialects/Fuse/GradientBuilder.h"
#include "passes/Autodiff/Passes.h"

#include "llvm/ADT/SetVector.h"

namespace tilefuse {
#define GEN_PASS_DEF_FUSEDIFFERENTIATE
#include "passes/Autodiff/Passes.h.inc"

using namespace mlir;

namespace {

bool isFloatTensor(Type type) {
  return isa<FloatType>(getElementTypeOrSelf(type));
}

class FunctionDifferentiator {
public:
  FunctionDifferentiator(func::FuncOp function, ArrayRef<int64_t> wrtOption)
      : function(function), block(function.getBody().front()),
        numInputs(function.getNumArguments()),
        numResults(function.getNumResults()), wrt(wrtOption) {}

  FailureOr<int64_t> run() {
    if (failed(chooseArguments()))
      return failure();
    markActive();
    addCotangents();
    SmallVector<Operation *> ops;
    for (Operation &op : block.without_terminator())
      ops.push_back(&op);
    OpBuilder builder(block.getTerminator());
    for (Operation *op : llvm::reverse(ops))
      if (failed(visit(op, builder)))
        return failure();
    finish(builder);
    return std::distance(block.begin(), block.end()) - 1 -
           static_cast<int64_t>(ops.size());
  }

private:
  LogicalResult chooseArguments() {
    for (unsigned i = 0; i < numInputs; ++i)
      if (auto alias =
              function.getArgAttrOfType<IntegerAttr>(i, "fuse.alias_result"))
        stateResults.insert(alias.getInt());
    if (wrt.empty()) {
      for (unsigned i = 0; i < numInputs; ++i)
        if (isFloatTensor(function.getArgument(i).getType()) &&
            !function.getArgAttr(i, "fuse.alias_result"))
          wrt.push_back(i);
      return success();
    }
    for (int64_t index : wrt) {
      if (index < 0 || index >= numInputs)
        return function.emitError("'wrt' names argument ")
               << index << ", but the function has " << numInputs;
      if (!isFloatTensor(function.getArgument(index).getType()))
        return function.emitError("'wrt' names argument ")
               << index << ", which has no float elements";
    }
    return success();
  }

  // Active: depends on a wanted argument through float values, and not only
  // through ops marked `fuse.stop_gradient`.
  void markActive() {
    for (int64_t index : wrt)
      active.insert(function.getArgument(index));
    for (Operation &op : block.without_terminator())
      if (!op.hasAttr("fuse.stop_gradient") &&
          llvm::any_of(op.getOperands(),
                       [&](Value operand) { return active.contains(operand); }))
        for (Value result : op.getResults())
          if (isFloatTensor(result.getType()))
            active.insert(result);
  }

  void addCotangents() {
    Operation *terminator = block.getTerminator();
    for (unsigned i = 0; i < numResults; ++i) {
      Value result = terminator->getOperand(i);
      if (stateResults.contains(i) || !isFloatTensor(result.getType()))
        continue;
      Value cotangent = block.addArgument(result.getType(), result.getLoc());
      cotangentResults.push_back(i);
      if (!active.contains(result))
        continue;
      OpBuilder builder(terminator);
      accumulate(builder, result, cotangent);
    }
  }

  void accumulate(OpBuilder &builder, Value value, Value cotangent) {
    Value &sum = cotangents[value];
    if (!sum) {
      sum = cotangent;
      return;
    }
    sum = fuse::AddOp::create(builder, cotangent.getLoc(), sum, cotangent);
  }

  LogicalResult visit(Operation *op, OpBuilder &builder) {
    SmallVector<Value> incoming;
    for (Value result : op->getResults())
      incoming.push_back(cotangents.lookup(result));
    if (llvm::none_of(incoming, [](Value value) { return !!value; }))
      return success();
    SmallVector<bool> wanted;
    for (Value operand : op->getOperands())
      wanted.push_back(active.contains(operand));
    if (llvm::none_of(wanted, [](bool want) { return want; }))
      return success();

    auto differentiable = dyn_cast<fuse::DifferentiableOpInterface>(op);
    if (!differentiable)
      return op->emitOpError("has no derivative rule")
             << (isa<fuse::CompositeOpInterface>(op)
                     ? "; decompose it first (fuse-simplify)"
                     : "");
    fuse::GradientBuilder gradientBuilder(builder, op->getLoc());
    SmallVector<Value> gradients;
    if (failed(differentiable.buildGradients(gradientBuilder, incoming, wanted,
                                             gradients)))
      return op->emitOpError("has no derivative rule for these attributes");
    for (auto [operand, want, gradient] :
         llvm::zip_equal(op->getOperands(), wanted, gradients))
      if (want && gradient)
        accumulate(builder, operand, gradient);
    return success();
  }

  void finish(OpBuilder &builder) {
    Operation *terminator = block.getTerminator();
    SmallVector<Value> results(terminator->getOperands());
    for (int64_t index : wrt) {
      Value argument = function.getArgument(index);
      Value gradient = cotangents.lookup(argument);
      if (!gradient) {
        auto type = cast<RankedTensorType>(argument.getType());
        gradient = fuse::ConstantOp::create(
            builder, argument.getLoc(), type,
            DenseElementsAttr::get(
                type, builder.getFloatAttr(type.getElementType(), 0.0)));
      }
      results.push_back(gradient);
    }
    terminator->setOperands(results);

    SmallVector<Type> argumentTypes(block.getArgumentTypes());
    SmallVector<Type> resultTypes;
    for (Value result : results)
      resultTypes.push_back(result.getType());
    SmallVector<DictionaryAttr> argumentAttributes;
    for (unsigned i = 0; i < numInputs; ++i)
      argumentAttributes.push_back(
          function_interface_impl::getArgAttrDict(function, i));
    SmallVector<DictionaryAttr> resultAttributes;
    for (unsigned i = 0; i < numResults; ++i)
      resultAttributes.push_back(
          function_interface_impl::getResultAttrDict(function, i));
    auto none = DictionaryAttr::get(function.getContext());
    auto init = builder.getNamedAttr(
        "fuse.init",
        fuse::InitAttr::get(function.getContext(), "normal", llvm::APFloat(0.0),
                            llvm::APFloat(1.0)));
    auto getName = [&](const Twine &name) {
      return builder.getNamedAttr("fuse.name", builder.getStringAttr(name));
    };
    for (DictionaryAttr &attributes : argumentAttributes)
      attributes = attributes ? attributes : none;
    for (DictionaryAttr &attributes : resultAttributes)
      attributes = attributes ? attributes : none;
    for (unsigned i = 0; i < cotangentResults.size(); ++i)
      argumentAttributes.push_back(
          builder.getDictionaryAttr({init, getName("cotangent" + Twine(i))}));
    for (int64_t index : wrt) {
      auto name = function.getArgAttrOfType<StringAttr>(index, "fuse.name");
      resultAttributes.push_back(builder.getDictionaryAttr({getName(
          "grad_" + (name ? name.getValue() : "arg" + std::to_string(index)))}));
    }
    function.setType(builder.getFunctionType(argumentTypes, resultTypes));
    function.setAllArgAttrs(argumentAttributes);
    function.setAllResultAttrs(resultAttributes);
    function->setAttr(
        "fuse.joint",
        builder.getDictionaryAttr({
            builder.getNamedAttr("num_inputs",
                                 builder.getI64IntegerAttr(numInputs)),
            builder.getNamedAttr("num_results",
                                 builder.getI64IntegerAttr(numResults)),
            builder.getNamedAttr("wrt", builder.getDenseI64ArrayAttr(wrt)),
        }));
  }

  func::FuncOp function;
  Block &block;
  int64_t numInputs, numResults;
  SmallVector<int64_t> wrt;
  SmallVector<int64_t> cotangentResults;
  llvm::DenseSet<int64_t> stateResults;
  llvm::DenseSet<Value> active;
  llvm::DenseMap<Value, Value> cotangents;
};

struct Differentiate : impl::FuseDifferentiateBase<Differentiate> {
  using FuseDifferentiateBase::FuseDifferentiateBase;

  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      if (function.isExternal() || function->hasAttr("fuse.joint"))
        continue;
      if (!llvm::hasSingleElement(function.getBody())) {
        function.emitError("only straight-line functions have derivatives");
        return signalPassFailure();
      }
      FailureOr<int64_t> added = FunctionDifferentiator(function, wrt).run();
      if (failed(added))
        return signalPassFailure();
      gradientOps += *added;
    }
  }
};

} // namespace
} // namespace tilefuse
