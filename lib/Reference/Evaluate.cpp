//===- Evaluate.cpp - runs a function in float64 ----------------*- C++ -*-===//
//
// Two passes over the flattened ops. Backwards, the wanted grid of every value
// is collected from its uses; forwards, each op is computed on the grid wanted
// of it, and a value is freed after its last use.
//
//===----------------------------------------------------------------------===//

#include "lib/Reference/Reference.h"
#include "lib/Reference/Rules.h"

#include "dialects/Fuse/Fuse.h"

#include "lib/Reference/Parallel.h"

namespace tilefuse::reference {

llvm::ArrayRef<int64_t> getShape(mlir::Value value) {
  return llvm::cast<mlir::RankedTensorType>(value.getType()).getShape();
}

DType getElementType(mlir::Value value) {
  auto type = llvm::cast<mlir::RankedTensorType>(value.getType());
  return getDType(type.getElementType()).value_or(DType::F32);
}

int64_t truncateInteger(int64_t value, DType type) {
  switch (type) {
  case DType::I1:
    return value & 1;
  case DType::I8:
    return static_cast<int8_t>(value);
  case DType::I32:
    return static_cast<int32_t>(value);
  default:
    return value;
  }
}

static const RuleTable &getRules() {
  static const RuleTable table = [] {
    RuleTable rules;
    addPointwiseRules(rules);
    addShapeRules(rules);
    addContractionRules(rules);
    addReductionRules(rules);
    addWindowRules(rules);
    addNormalizationRules(rules);
    return rules;
  }();
  return table;
}

static std::string toText(mlir::Location location) {
  if (auto file = location->findInstanceOf<mlir::FileLineColLoc>())
    return (file.getFilename().strref() + ":" + llvm::Twine(file.getLine()) +
            ":" + llvm::Twine(file.getColumn()))
        .str();
  return "";
}

namespace {
class Evaluation {
public:
  Evaluation(mlir::func::FuncOp function, const Options &options)
      : function(function), options(options) {}

  Expected<std::vector<Array>> run(llvm::ArrayRef<const Tensor *> inputs);

private:
  Expected<void> checkInputs(llvm::ArrayRef<const Tensor *> inputs);
  /// Lists the ops of a block in order, bodies of kernels in their place.
  Expected<void> flatten(mlir::Block &block);
  mlir::Value resolve(mlir::Value value) const;
  /// Backwards: fills `demands`.
  void collectDemands();
  void want(mlir::Value value, const Grid &grid);
  llvm::SmallVector<Demand> getResultDemands(mlir::Operation *op) const;
  /// Forwards: one op.
  void compute(mlir::Operation *op);
  void define(mlir::Value value, Array array);
  void release(mlir::Value value);

  mlir::func::FuncOp function;
  const Options &options;
  std::vector<mlir::Operation *> ops;
  llvm::SmallVector<mlir::Value> results;
  /// Names of a value inside and outside kernels lead to one definition.
  llvm::DenseMap<mlir::Value, mlir::Value> aliases;
  llvm::DenseMap<mlir::Value, Grid> demands;
  llvm::DenseMap<mlir::Value, int64_t> uses;
  llvm::DenseMap<mlir::Value, Array> arrays;
};
} // namespace

mlir::Value Evaluation::resolve(mlir::Value value) const {
  for (auto it = aliases.find(value); it != aliases.end();
       it = aliases.find(value))
    value = it->second;
  return value;
}

Expected<void> Evaluation::checkInputs(llvm::ArrayRef<const Tensor *> inputs) {
  if (inputs.size() != function.getNumArguments())
    return Error{ErrorCode::InvalidArgument,
                 "expected " + std::to_string(function.getNumArguments()) +
                     " inputs, found " + std::to_string(inputs.size()),
                 ""};
  for (auto [i, argument] : llvm::enumerate(function.getArguments())) {
    if (!llvm::isa<mlir::RankedTensorType>(argument.getType()))
      return Error{ErrorCode::Unsupported,
                   "argument " + std::to_string(i) +
                       " of the reference is no tensor; it evaluates graphs "
                       "of the fuse dialect",
                   toText(argument.getLoc())};
    auto shape = getShape(argument);
    DType type = getElementType(argument);
    if (inputs[i]->getShape() != shape || inputs[i]->getType() != type)
      return Error{ErrorCode::InvalidArgument,
                   "input " + std::to_string(i) + ": expected " +
                       formatShape(shape, type) + ", found " +
                       formatShape(inputs[i]->getShape(), inputs[i]->getType()),
                   ""};
  }
  return {};
}

Expected<void> Evaluation::flatten(mlir::Block &block) {
  for (mlir::Operation &op : block) {
    if (op.hasTrait<mlir::OpTrait::IsTerminator>()) {
      if (block.getParentOp() == function.getOperation())
        results.assign(op.operand_begin(), op.operand_end());
      continue;
    }
    if (auto kernel = llvm::dyn_cast<fuse::KernelOp>(op)) {
      mlir::Block &body = kernel->getRegion(0).front();
      for (auto [inner, outer] :
           llvm::zip_equal(body.getArguments(), kernel.getInputs()))
        aliases[inner] = outer;
      for (auto [outer, inner] : llvm::zip_equal(
               kernel->getResults(), body.getTerminator()->getOperands()))
        aliases[outer] = inner;
      if (auto nested = flatten(body); !nested)
        return nested;
      continue;
    }
    if (!getRules().contains(op.getName().getStringRef()))
      return Error{ErrorCode::Unsupported,
                   "the reference has no rule for '" +
                       op.getName().getStringRef().str() + "'",
                   toText(op.getLoc())};
    ops.push_back(&op);
  }
  return {};
}

void Evaluation::want(mlir::Value value, const Grid &grid) {
  value = resolve(value);
  ++uses[value];
  auto [it, isNew] = demands.try_emplace(value, grid);
  if (!isNew)
    it->second = unite(it->second, grid);
}

llvm::SmallVector<Demand>
Evaluation::getResultDemands(mlir::Operation *op) const {
  llvm::SmallVector<Demand> wanted;
  for (mlir::Value result : op->getResults()) {
    auto it = demands.find(result);
    wanted.push_back(it == demands.end() ? Demand() : Demand(it->second));
  }
  return wanted;
}

static bool isAnyWanted(llvm::ArrayRef<Demand> wanted) {
  return llvm::any_of(wanted, [](const Demand &d) { return d.has_value(); });
}

void Evaluation::collectDemands() {
  for (auto [i, result] : llvm::enumerate(results))
    want(result, options.wanted.empty() ? Grid::makeFull(getShape(result))
                                        : options.wanted[i]);
  for (mlir::Operation *op : llvm::reverse(ops)) {
    auto wanted = getResultDemands(op);
    if (!isAnyWanted(wanted))
      continue;
    const Rule &rule = getRules().find(op->getName().getStringRef())->second;
    auto grids = rule.demand(op, wanted);
    for (auto [operand, grid] : llvm::zip_equal(op->getOperands(), grids))
      want(operand, grid);
  }
}

void Evaluation::define(mlir::Value value, Array array) {
  if (options.rounded && array.isFloat() && array.type != DType::F64)
    parallelFor(array.size(), 1 << 16, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        array.values[i] = roundToType(array.values[i], array.type);
    });
  arrays[value] = std::move(array);
}

void Evaluation::release(mlir::Value value) {
  value = resolve(value);
  if (--uses[value] == 0)
    arrays.erase(value);
}

void Evaluation::compute(mlir::Operation *op) {
  auto wanted = getResultDemands(op);
  if (!isAnyWanted(wanted))
    return;
  const Rule &rule = getRules().find(op->getName().getStringRef())->second;
  auto grids = rule.demand(op, wanted);

  // The grid an operand is held on may be wider than this op's part of it.
  std::vector<Array> restricted;
  restricted.reserve(op->getNumOperands());
  llvm::SmallVector<const Array *> operands;
  for (auto [operand, grid] : llvm::zip_equal(op->getOperands(), grids)) {
    const Array &held = arrays.find(resolve(operand))->second;
    if (held.grid == grid) {
      operands.push_back(&held);
    } else {
      restricted.push_back(restrict(held, grid));
      operands.push_back(&restricted.back());
    }
  }
  std::vector<Array> values =
      rule.compute(op, operands, wanted, options.rounded);
  for (mlir::Value operand : op->getOperands())
    release(operand);
  for (auto [i, result] : llvm::enumerate(op->getResults()))
    if (wanted[i])
      define(result, std::move(values[i]));
}

Expected<std::vector<Array>>
Evaluation::run(llvm::ArrayRef<const Tensor *> inputs) {
  if (function.isExternal())
    return Error{ErrorCode::Unsupported, "the reference function has no body",
                 toText(function.getLoc())};
  if (auto checked = checkInputs(inputs); !checked)
    return checked.error();
  if (auto listed = flatten(function.getBody().front()); !listed)
    return listed.error();
  collectDemands();
  for (auto [argument, input] :
       llvm::zip_equal(function.getArguments(), inputs))
    if (auto it = demands.find(argument); it != demands.end())
      arrays[argument] = load(*input, it->second);
  for (mlir::Operation *op : ops)
    compute(op);
  std::vector<Array> outputs;
  for (auto [i, result] : llvm::enumerate(results)) {
    const Array &held = arrays.find(resolve(result))->second;
    outputs.push_back(
        options.wanted.empty() ? held : restrict(held, options.wanted[i]));
  }
  return outputs;
}

Expected<std::vector<Array>> evaluate(mlir::func::FuncOp function,
                                      llvm::ArrayRef<const Tensor *> inputs,
                                      const Options &options) {
  return Evaluation(function, options).run(inputs);
}

} // namespace tilefuse::reference
