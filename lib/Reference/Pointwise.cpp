//===- Pointwise.cpp - functions of one, two or three elements --*- C++ -*-===//
//
// One table row per op: its function on doubles, on integers, or both.
//
//===----------------------------------------------------------------------===//

#include "lib/Reference/Functions.h"
#include "lib/Reference/Rules.h"

#include "dialects/Fuse/Fuse.h"

#include <cmath>

namespace tilefuse::reference {

/// Operands are wanted where the result is, dims of extent 1 at their only
/// index.
static llvm::SmallVector<Grid> demandBroadcast(mlir::Operation *op,
                                               llvm::ArrayRef<Demand> wanted) {
  const Grid &grid = *wanted[0];
  llvm::SmallVector<Grid> grids;
  for (mlir::Value operand : op->getOperands()) {
    auto shape = getShape(operand);
    size_t added = grid.rank() - shape.size();
    Grid needed;
    for (size_t d = 0; d < shape.size(); ++d)
      needed.dims.push_back(shape[d] == 1 ? IndexList{0}
                                          : grid.dims[added + d]);
    grids.push_back(std::move(needed));
  }
  return grids;
}

/// A rule that computes each element by `body(result, position, operands,
/// walker)`.
template <typename BodyFn> static Rule makeRule(BodyFn body) {
  auto compute = [body](mlir::Operation *op,
                        llvm::ArrayRef<const Array *> operands,
                        llvm::ArrayRef<Demand> wanted, bool) {
    std::vector<Array> results;
    Array &result =
        results.emplace_back(getElementType(op->getResult(0)), *wanted[0]);
    body(op, operands, result);
    return results;
  };
  return {demandBroadcast, compute};
}

using FloatUnary = double (*)(double);
using IntegerUnary = int64_t (*)(int64_t);

static Rule makeUnary(FloatUnary onFloats, IntegerUnary onIntegers = nullptr) {
  return makeRule(
      [=](mlir::Operation *, llvm::ArrayRef<const Array *> x, Array &result) {
        parallelFor(result.size(), 1 << 14, [&](int64_t begin, int64_t end) {
          for (int64_t i = begin; i < end; ++i)
            if (result.isFloat())
              result.values[i] = onFloats(x[0]->values[i]);
            else
              result.integers[i] =
                  truncateInteger(onIntegers(x[0]->integers[i]), result.type);
        });
      });
}

/// A function with attributes: `make(op)` reads them and returns the function.
template <typename OpTy, typename MakeFn>
static void addParametric(RuleTable &table, MakeFn make) {
  table[OpTy::getOperationName()] =
      makeRule([make](mlir::Operation *op, llvm::ArrayRef<const Array *> x,
                      Array &result) {
        auto function = make(llvm::cast<OpTy>(op));
        parallelFor(result.size(), 1 << 14, [&](int64_t begin, int64_t end) {
          for (int64_t i = begin; i < end; ++i)
            result.values[i] = function(x[0]->values[i]);
        });
      });
}

using FloatBinary = double (*)(double, double);
using IntegerBinary = int64_t (*)(int64_t, int64_t);

static Rule makeBinary(FloatBinary onFloats,
                       IntegerBinary onIntegers = nullptr) {
  return makeRule([=](mlir::Operation *, llvm::ArrayRef<const Array *> x,
                      Array &result) {
    forEachPosition(result.grid.getShape(), getBroadcastStrides(result.grid, x),
                    [&](int64_t i, const Walker &at) {
                      if (result.isFloat())
                        result.values[i] =
                            onFloats(x[0]->values[at[0]], x[1]->values[at[1]]);
                      else
                        result.integers[i] =
                            truncateInteger(onIntegers(x[0]->integers[at[0]],
                                                       x[1]->integers[at[1]]),
                                            result.type);
                    });
  });
}

template <typename T> static bool holds(fuse::Predicate predicate, T a, T b) {
  switch (predicate) {
  case fuse::Predicate::eq:
    return a == b;
  case fuse::Predicate::ne:
    return a != b;
  case fuse::Predicate::lt:
    return a < b;
  case fuse::Predicate::le:
    return a <= b;
  case fuse::Predicate::gt:
    return a > b;
  case fuse::Predicate::ge:
    return a >= b;
  }
  return false;
}

static void compareElements(mlir::Operation *op,
                            llvm::ArrayRef<const Array *> x, Array &result) {
  fuse::Predicate predicate = llvm::cast<fuse::CompareOp>(op).getPredicate();
  forEachPosition(result.grid.getShape(), getBroadcastStrides(result.grid, x),
                  [&](int64_t i, const Walker &at) {
                    result.integers[i] =
                        x[0]->isFloat()
                            ? holds(predicate, x[0]->values[at[0]],
                                    x[1]->values[at[1]])
                            : holds(predicate, x[0]->integers[at[0]],
                                    x[1]->integers[at[1]]);
                  });
}

static void selectElements(mlir::Operation *, llvm::ArrayRef<const Array *> x,
                           Array &result) {
  forEachPosition(result.grid.getShape(), getBroadcastStrides(result.grid, x),
                  [&](int64_t i, const Walker &at) {
                    size_t side = x[0]->integers[at[0]] ? 1 : 2;
                    if (result.isFloat())
                      result.values[i] = x[side]->values[at[side]];
                    else
                      result.integers[i] = x[side]->integers[at[side]];
                  });
}

/// Float to integer: towards zero, saturating, NaN to 0.
static int64_t truncate(double value, DType type) {
  if (std::isnan(value))
    return 0;
  if (type == DType::I1)
    return value != 0;
  int bits = static_cast<int>(8 * getElementBytes(type));
  double limit = std::ldexp(1.0, bits - 1);
  if (value >= limit)
    return static_cast<int64_t>((uint64_t(1) << (bits - 1)) - 1);
  if (value <= -limit)
    return -static_cast<int64_t>((uint64_t(1) << (bits - 1)) - 1) - 1;
  return static_cast<int64_t>(value);
}

static void castElements(mlir::Operation *, llvm::ArrayRef<const Array *> x,
                         Array &result) {
  const Array &input = *x[0];
  parallelFor(result.size(), 1 << 14, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      if (result.isFloat())
        result.values[i] = input.isFloat()
                               ? input.values[i]
                               : static_cast<double>(input.integers[i]);
      else if (input.isFloat())
        result.integers[i] =
            std::isnan(input.values[i]) && result.type == DType::I1
                ? 1
                : truncate(input.values[i], result.type);
      else
        result.integers[i] =
            result.type == DType::I1
                ? input.integers[i] != 0
                : truncateInteger(input.integers[i], result.type);
  });
}

static void testNaN(mlir::Operation *, llvm::ArrayRef<const Array *> x,
                    Array &result) {
  for (int64_t i = 0; i < result.size(); ++i)
    result.integers[i] = std::isnan(x[0]->values[i]);
}

static void addUnaryRules(RuleTable &table) {
  table["fuse.neg"] = makeUnary(
      [](double x) { return -x; },
      [](int64_t x) { return static_cast<int64_t>(0 - uint64_t(x)); });
  table["fuse.abs"] =
      makeUnary([](double x) { return std::fabs(x); },
                [](int64_t x) {
                  return x < 0 ? static_cast<int64_t>(0 - uint64_t(x)) : x;
                });
  table["fuse.square"] =
      makeUnary([](double x) { return x * x; },
                [](int64_t x) {
                  return static_cast<int64_t>(uint64_t(x) * uint64_t(x));
                });
  table["fuse.sign"] =
      makeUnary([](double x) { return double((x > 0) - (x < 0)); },
                [](int64_t x) { return int64_t((x > 0) - (x < 0)); });
  table["fuse.relu"] = makeUnary(
      functions::relu, [](int64_t x) { return x > 0 ? x : int64_t(0); });
  table["fuse.not"] = makeUnary(nullptr, [](int64_t x) { return ~x; });
  const std::pair<const char *, FloatUnary> rows[] = {
      {"fuse.exp", [](double x) { return std::exp(x); }},
      {"fuse.exp2", [](double x) { return std::exp2(x); }},
      {"fuse.expm1", [](double x) { return std::expm1(x); }},
      {"fuse.log", [](double x) { return std::log(x); }},
      {"fuse.log2", [](double x) { return std::log2(x); }},
      {"fuse.log1p", [](double x) { return std::log1p(x); }},
      {"fuse.sqrt", [](double x) { return std::sqrt(x); }},
      {"fuse.rsqrt", [](double x) { return 1 / std::sqrt(x); }},
      {"fuse.reciprocal", [](double x) { return 1 / x; }},
      {"fuse.sin", [](double x) { return std::sin(x); }},
      {"fuse.cos", [](double x) { return std::cos(x); }},
      {"fuse.tanh", [](double x) { return std::tanh(x); }},
      {"fuse.erf", [](double x) { return std::erf(x); }},
      {"fuse.floor", [](double x) { return std::floor(x); }},
      {"fuse.ceil", [](double x) { return std::ceil(x); }},
      {"fuse.round", [](double x) { return std::nearbyint(x); }},
      {"fuse.trunc", [](double x) { return std::trunc(x); }},
      {"fuse.sigmoid", functions::sigmoid},
      {"fuse.log_sigmoid", functions::logSigmoid},
      {"fuse.relu6", functions::relu6},
      {"fuse.selu", functions::selu},
      {"fuse.silu", functions::silu},
      {"fuse.mish", functions::mish},
      {"fuse.hardswish", functions::hardswish},
      {"fuse.hardsigmoid", functions::hardsigmoid},
  };
  for (auto [name, function] : rows)
    table[name] = makeUnary(function);
  table["fuse.cast"] = makeRule(castElements);
  table["fuse.isnan"] = makeRule(testNaN);
}

static void addParametricRules(RuleTable &table) {
  addParametric<fuse::LeakyReluOp>(table, [](fuse::LeakyReluOp op) {
    double slope = op.getSlope().convertToDouble();
    return [=](double x) { return x > 0 ? x : slope * x; };
  });
  addParametric<fuse::EluOp>(table, [](fuse::EluOp op) {
    double alpha = op.getAlpha().convertToDouble();
    return [=](double x) { return x > 0 ? x : alpha * std::expm1(x); };
  });
  addParametric<fuse::CeluOp>(table, [](fuse::CeluOp op) {
    double alpha = op.getAlpha().convertToDouble();
    return [=](double x) { return x > 0 ? x : alpha * std::expm1(x / alpha); };
  });
  addParametric<fuse::GeluOp>(table, [](fuse::GeluOp op) {
    bool byTanh = op.getApproximate() == fuse::GeluKind::tanh;
    return [=](double x) {
      return byTanh ? functions::geluTanh(x) : functions::gelu(x);
    };
  });
  addParametric<fuse::SoftplusOp>(table, [](fuse::SoftplusOp op) {
    double beta = op.getBeta().convertToDouble();
    double threshold = op.getThreshold().convertToDouble();
    return [=](double x) {
      return x * beta > threshold ? x : functions::softplus(x * beta) / beta;
    };
  });
  addParametric<fuse::ClampOp>(table, [](fuse::ClampOp op) {
    double infinity = std::numeric_limits<double>::infinity();
    double low = op.getMin() ? op.getMin()->convertToDouble() : -infinity;
    double high = op.getMax() ? op.getMax()->convertToDouble() : infinity;
    return [=](double x) {
      return std::isnan(x) ? x : std::min(std::max(x, low), high);
    };
  });
}

static void addBinaryRules(RuleTable &table) {
  using namespace functions;
  table["fuse.add"] = makeBinary([](double a, double b) { return a + b; }, add);
  table["fuse.sub"] =
      makeBinary([](double a, double b) { return a - b; }, subtract);
  table["fuse.mul"] =
      makeBinary([](double a, double b) { return a * b; }, multiply);
  table["fuse.div"] =
      makeBinary([](double a, double b) { return a / b; }, divide);
  table["fuse.maximum"] =
      makeBinary(maximum, [](int64_t a, int64_t b) { return std::max(a, b); });
  table["fuse.minimum"] =
      makeBinary(minimum, [](int64_t a, int64_t b) { return std::min(a, b); });
  table["fuse.pow"] =
      makeBinary([](double a, double b) { return std::pow(a, b); });
  table["fuse.atan2"] =
      makeBinary([](double a, double b) { return std::atan2(a, b); });
  table["fuse.remainder"] = makeBinary(remainder, integerRemainder);
  table["fuse.and"] =
      makeBinary(nullptr, [](int64_t a, int64_t b) { return a & b; });
  table["fuse.or"] =
      makeBinary(nullptr, [](int64_t a, int64_t b) { return a | b; });
  table["fuse.xor"] =
      makeBinary(nullptr, [](int64_t a, int64_t b) { return a ^ b; });
  table["fuse.compare"] = makeRule(compareElements);
  table["fuse.select"] = makeRule(selectElements);
}

void addPointwiseRules(RuleTable &table) {
  addUnaryRules(table);
  addParametricRules(table);
  addBinaryRules(table);
}

} // namespace tilefuse::reference
