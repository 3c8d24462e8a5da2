//===- Partition.cpp - what the backward pass keeps -----------------------===//
//
// Save or recompute, as a minimum cut.
//
// Each forward op v is a node in(v), each of its results r a node out(r):
//   source -> in(v)     cost of computing v again in the backward pass
//   in(v)  -> out(r)    cost of saving r: write it forward, read it backward
//   out(o) -> in(v)     infinite, for every operand o of v
//   out(r) -> sink      infinite, when the backward pass needs r
// A cut puts every node on one side. in(v) on the sink's side means v is
// computed again, and the infinite edges then force its operands to be there,
// saved or computed again in turn; in(v) on the source's side and out(r) on the
// sink's means r is saved. Arguments cannot be computed (their source edge is
// infinite) and cost a read; so do results. So the cheapest cut is the cheapest
// choice, exactly, for costs that add up.
//
// Costs are times on the target. Pointwise ops cost their arithmetic (they ride
// in a kernel that reads the operands anyway); contractions their flops;
// reductions a further pass over their input.
//
//===----------------------------------------------------------------------===//

#include "dialects/Fuse/Fuse.h"
#include "lib/CostModel/CostModel.h"
#include "passes/Autodiff/MinCut.h"
#include "passes/Autodiff/Passes.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"

namespace tilefuse {
#define GEN_PASS_DEF_FUSEPARTITION
#include "passes/Autodiff/Passes.h.inc"

using namespace mlir;

namespace {

// Microseconds to the cut's integer unit, picoseconds.
int64_t toCapacity(double microseconds) {
  double scaled = microseconds * 1e6;
  if (!(scaled < double(MinCut::Infinite)))
    return MinCut::Infinite;
  return std::max<int64_t>(1, static_cast<int64_t>(scaled));
}

/// Which part of a joint graph is which.
struct JointGraph {
  explicit JointGraph(func::FuncOp function)
      : function(function), block(function.getBody().front()) {}

  LogicalResult read() {
    auto joint = function->getAttrOfType<DictionaryAttr>("fuse.joint");
    auto inputs = joint.getAs<IntegerAttr>("num_inputs");
    auto results = joint.getAs<IntegerAttr>("num_results");
    auto wrtAttr = joint.getAs<DenseI64ArrayAttr>("wrt");
    Operation *terminator = block.getTerminator();
    if (!inputs || !results || !wrtAttr || inputs.getInt() < 0 ||
        inputs.getInt() > int64_t(block.getNumArguments()) ||
        results.getInt() < 0 ||
        results.getInt() + wrtAttr.size() != terminator->getNumOperands())
      return function.emitError("'fuse.joint' does not describe the function");
    numInputs = inputs.getInt();
    numResults = results.getInt();
    wrt.assign(wrtAttr.asArrayRef().begin(), wrtAttr.asArrayRef().end());

    for (unsigned i = numInputs; i < block.getNumArguments(); ++i)
      backward.insert(block.getArgument(i));
    for (Operation &op : block.without_terminator())
      if (llvm::any_of(op.getOperands(), [&](Value operand) {
            return backward.contains(operand);
          }))
        backward.insert_range(op.getResults());
    for (Operation &op : block.without_terminator())
      for (Value operand : op.getOperands())
        if (backward.contains(op.getResult(0)) && !backward.contains(operand))
          needed.insert(operand);
    for (Value gradient : terminator->getOperands().drop_front(numResults))
      if (!backward.contains(gradient))
        needed.insert(gradient);
    return success();
  }

  bool isArgument(Value value) const {
    auto argument = dyn_cast<BlockArgument>(value);
    return argument && argument.getArgNumber() < numInputs;
  }
  /// Which result of the function `value` is, if any.
  std::optional<unsigned> getResultIndex(Value value) const {
    for (unsigned i = 0; i < numResults; ++i)
      if (block.getTerminator()->getOperand(i) == value)
        return i;
    return std::nullopt;
  }

  func::FuncOp function;
  Block &block;
  unsigned numInputs = 0, numResults = 0;
  SmallVector<int64_t> wrt;
  /// Values that depend on a cotangent.
  llvm::DenseSet<Value> backward;
  /// Forward values that the backward pass reads.
  llvm::SetVector<Value> needed;
};

/// The cut: which forward values are saved.
class ResidualChoice {
public:
  ResidualChoice(const JointGraph &graph, CostModel cost)
      : graph(graph), cost(cost) {
    build();
    cut.solve();
  }

  bool isSaved(Value value) const {
    auto [in, out] = nodes.lookup(value);
    return cut.isOnSourceSide(in) && !cut.isOnSourceSide(out);
  }

  /// Cost of computing an op again, microseconds.
  double getRecomputeTime(Operation *op) const {
    if (op->hasTrait<OpTrait::ConstantLike>() || op->getNumOperands() == 0)
      return 0.0;
    if (auto contraction = dyn_cast<fuse::ContractionOpInterface>(op))
      return cost.getContractionTime(contraction);
    double time = cost.getElementTime(cost.getOps(op));
    if (isa<fuse::ReductionOpInterface>(op))
      for (Value operand : op->getOperands())
        time += cost.getMemoryTime(getByteSize(operand.getType()));
    return time;
  }

  /// Cost of keeping a value for the backward pass, microseconds: a read, and a
  /// write where it is not there anyway.
  double getSaveTime(Value value, bool isThere) const {
    double time = cost.getMemoryTime(getByteSize(value.getType()));
    return isThere ? time : time + cost.getWriteTime(value);
  }

private:
  void build() {
    for (unsigned i = 0; i < graph.numInputs; ++i) {
      unsigned in = cut.addNode();
      cut.addEdge(cut.getSource(), in, MinCut::Infinite);
      addValue(graph.block.getArgument(i), in, /*isThere=*/true,
               /*forbidden=*/false, /*wanted=*/false);
    }
    for (Operation &op : graph.block.without_terminator()) {
      if (graph.backward.contains(op.getResult(0)))
        continue;
      unsigned in = cut.addNode();
      cut.addEdge(cut.getSource(), in,
                  op.hasAttr("fuse.save") ? MinCut::Infinite
                                          : toCapacity(getRecomputeTime(&op)));
      for (Value operand : op.getOperands())
        cut.addEdge(nodes.lookup(operand).second, in, MinCut::Infinite);
      for (Value result : op.getResults())
        addValue(result, in, graph.getResultIndex(result).has_value(),
                 op.hasAttr("fuse.recompute") ||
                     op.hasTrait<OpTrait::ConstantLike>(),
                 op.hasAttr("fuse.save"));
    }
    for (Value value : graph.needed)
      cut.addEdge(nodes.lookup(value).second, cut.getSink(), MinCut::Infinite);
  }

  // What is wanted saved costs next to nothing to save: the cut is there, and
  // not behind what follows from it.
  void addValue(Value value, unsigned in, bool isThere, bool forbidden,
                bool wanted) {
    unsigned out = cut.addNode();
    cut.addEdge(in, out,
                forbidden ? MinCut::Infinite
                : wanted  ? 1
                          : toCapacity(getSaveTime(value, isThere)));
    nodes[value] = {in, out};
  }

  const JointGraph &graph;
  CostModel cost;
  MinCut cut;
  llvm::DenseMap<Value, std::pair<unsigned, unsigned>> nodes;
};

/// Builds the two functions.
class Splitter {
public:
  Splitter(JointGraph &graph, const ResidualChoice &choice)
      : graph(graph), choice(choice), builder(graph.function) {}

  /// Values saved that are neither arguments nor results.
  llvm::SetVector<Value> residuals;

  /// Finds the saved values: walks back from the gradients and stops there.
  void collectSaved() {
    SmallVector<Value> stack(
        graph.block.getTerminator()->getOperands().drop_front(
            graph.numResults));
    llvm::DenseSet<Value> seen;
    llvm::DenseSet<Value> found;
    while (!stack.empty()) {
      Value value = stack.pop_back_val();
      if (!seen.insert(value).second)
        continue;
      bool isForward = !graph.backward.contains(value);
      if (isForward && (graph.isArgument(value) || choice.isSaved(value))) {
        found.insert(value);
        continue;
      }
      if (Operation *op = value.getDefiningOp()) {
        live.insert(op);
        llvm::append_range(stack, op->getOperands());
      }
    }
    // In program order: arguments, results, residuals.
    SmallVector<Value> ordered;
    for (BlockArgument argument : graph.block.getArguments())
      if (found.contains(argument))
        saved.insert(argument);
    for (Operation &op : graph.block.without_terminator())
      for (Value result : op.getResults())
        if (found.contains(result))
          ordered.push_back(result);
    for (Value value : ordered)
      if (graph.getResultIndex(value))
        saved.insert(value);
    for (Value value : ordered)
      if (!graph.getResultIndex(value)) {
        saved.insert(value);
        residuals.insert(value);
      }
  }

  /// Builds both functions and erases the joint one.
  void split() {
    buildForward();
    buildBackward();
    graph.function.erase();
  }

private:
  func::FuncOp createFunction(const Twine &suffix, TypeRange arguments,
                              TypeRange results) {
    auto function = func::FuncOp::create(
        builder, graph.function.getLoc(),
        (graph.function.getName() + suffix).str(),
        builder.getFunctionType(arguments, results));
    function.setVisibility(graph.function.getVisibility());
    function.addEntryBlock();
    return function;
  }

  void copyArgumentAttributes(func::FuncOp function, unsigned to,
                              unsigned from) {
    if (DictionaryAttr attributes =
            function_interface_impl::getArgAttrDict(graph.function, from))
      function_interface_impl::setArgAttrs(function, to, attributes);
  }

  std::string getArgumentName(unsigned index) {
    auto name =
        graph.function.getArgAttrOfType<StringAttr>(index, "fuse.name");
    return name ? name.str() : "arg" + std::to_string(index);
  }

  void buildForward() {
    auto inputs = graph.block.getArguments().take_front(graph.numInputs);
    SmallVector<Value> results(
        graph.block.getTerminator()->getOperands().take_front(
            graph.numResults));
    llvm::append_range(results, residuals);
    SmallVector<Type> inputTypes, resultTypes;
    for (Value value : inputs)
      inputTypes.push_back(value.getType());
    for (Value value : results)
      resultTypes.push_back(value.getType());
    func::FuncOp function =
        createFunction("_forward", inputTypes, resultTypes);
    for (unsigned i = 0; i < graph.numInputs; ++i)
      copyArgumentAttributes(function, i, i);
    for (unsigned i = 0; i < graph.numResults; ++i)
      if (DictionaryAttr attributes =
              function_interface_impl::getResultAttrDict(graph.function, i))
        function_interface_impl::setResultAttrs(function, i, attributes);
    for (unsigned i = 0; i < residuals.size(); ++i)
      function.setResultAttr(graph.numResults + i, "fuse.name",
                             builder.getStringAttr("residual" + Twine(i)));
    IRMapping mapping;
    mapping.map(inputs, function.getArguments());
    OpBuilder body = OpBuilder::atBlockEnd(&function.getBody().front());
    for (Operation &op : graph.block.without_terminator())
      if (!graph.backward.contains(op.getResult(0)))
        cloneInto(body, op, mapping);
    func::ReturnOp::create(body, graph.function.getLoc(),
                           lookUp(mapping, results));
  }

  void buildBackward() {
    SmallVector<Value> arguments(saved.begin(), saved.end());
    unsigned numSaved = arguments.size();
    llvm::append_range(arguments,
                       graph.block.getArguments().drop_front(graph.numInputs));
    SmallVector<Value> results(
        graph.block.getTerminator()->getOperands().drop_front(
            graph.numResults));
    SmallVector<Type> argumentTypes, resultTypes;
    for (Value value : arguments)
      argumentTypes.push_back(value.getType());
    for (Value value : results)
      resultTypes.push_back(value.getType());
    func::FuncOp function =
        createFunction("_backward", argumentTypes, resultTypes);

    SmallVector<Attribute> sources;
    for (auto [i, value] : llvm::enumerate(saved)) {
      std::string source, name;
      if (graph.isArgument(value)) {
        unsigned index = cast<BlockArgument>(value).getArgNumber();
        source = "arg " + std::to_string(index);
        name = getArgumentName(index);
        if (Attribute init = graph.function.getArgAttr(index, "fuse.init"))
          function.setArgAttr(i, "fuse.init", init);
      } else if (auto index = graph.getResultIndex(value)) {
        source = "result " + std::to_string(*index);
        name = "out" + std::to_string(*index);
      } else {
        auto position = llvm::find(residuals, value) - residuals.begin();
        source = "residual " + std::to_string(position);
        name = "residual" + std::to_string(position);
      }
      sources.push_back(builder.getStringAttr(source));
      function.setArgAttr(i, "fuse.name", builder.getStringAttr(name));
    }
    for (unsigned i = numSaved; i < arguments.size(); ++i)
      function.setArgAttr(
          i, "fuse.name",
          builder.getStringAttr("cotangent" + Twine(i - numSaved)));
    for (auto [i, index] : llvm::enumerate(graph.wrt))
      function.setResultAttr(
          i, "fuse.name",
          builder.getStringAttr("grad_" + getArgumentName(index)));
    function->setAttr("fuse.saved", builder.getArrayAttr(sources));

    IRMapping mapping;
    mapping.map(arguments, function.getArguments());
    OpBuilder body = OpBuilder::atBlockEnd(&function.getBody().front());
    for (Operation &op : graph.block.without_terminator())
      if (live.contains(&op))
        cloneInto(body, op, mapping);
    func::ReturnOp::create(body, graph.function.getLoc(),
                           lookUp(mapping, results));
  }

  // A value that is saved keeps its argument even where its op is cloned for
  // another result.
  static void cloneInto(OpBuilder &body, Operation &op, IRMapping &mapping) {
    SmallVector<Value> kept;
    for (Value result : op.getResults())
      kept.push_back(mapping.lookupOrNull(result));
    Operation *clone = body.clone(op, mapping);
    clone->removeAttr("fuse.save");
    clone->removeAttr("fuse.recompute");
    for (auto [result, value] : llvm::zip_equal(op.getResults(), kept))
      if (value)
        mapping.map(result, value);
  }

  static SmallVector<Value> lookUp(IRMapping &mapping, ValueRange values) {
    return llvm::map_to_vector(
        values, [&](Value value) { return mapping.lookup(value); });
  }

  JointGraph &graph;
  const ResidualChoice &choice;
  OpBuilder builder;
  llvm::SetVector<Value> saved;
  llvm::DenseSet<Operation *> live;
};

struct Partition : impl::FusePartitionBase<Partition> {
  using FusePartitionBase::FusePartitionBase;

  void runOnOperation() override {
    CostModel cost(fuse::TargetAttr::lookup(getOperation()));
    SmallVector<func::FuncOp> functions;
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (function->hasAttrOfType<DictionaryAttr>("fuse.joint"))
        functions.push_back(function);
    for (func::FuncOp function : functions) {
      JointGraph graph(function);
      if (failed(graph.read()))
        return signalPassFailure();
      ResidualChoice choice(graph, cost);
      Splitter splitter(graph, choice);
      splitter.collectSaved();
      for (Value value : splitter.residuals) {
        int64_t bytes = getByteSize(value.getType());
        ++residuals;
        residualBytes += bytes;
        if (remarks)
          emitRemark(value.getLoc())
              << "saved: " << bytes << " bytes, " << int64_t(choice.getSaveTime(value, /*isThere=*/false))
              << " us to write and read; computing its op again would take "
              << cost.getOps(value.getDefiningOp()) << " flops, "
              << int64_t(choice.getRecomputeTime(value.getDefiningOp()))
              << " us";
      }
      splitter.split();
    }
  }
};

} // namespace
} // namespace tilefuse
