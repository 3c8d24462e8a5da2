//===- Folds.cpp - pointwise ops on constants and identities ----*- C++ -*-===//
//
// Only splats fold, so that folding never makes a larger constant. A float is
// computed in double and rounded to its type.
//
//===----------------------------------------------------------------------===//

#include "dialects/Fuse/Fuse.h"
#include "dialects/Fuse/Inference.h"

using namespace mlir;
using namespace tilefuse;
using namespace tilefuse::fuse;

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

static bool isFloat(Type type) {
  return isa<FloatType>(getElementTypeOrSelf(type));
}

/// The float that all elements of a folded operand equal.
static std::optional<double> getFloat(Attribute attribute) {
  auto elements = dyn_cast_or_null<DenseElementsAttr>(attribute);
  if (!elements || !elements.isSplat() ||
      !isa<FloatType>(elements.getElementType()))
    return std::nullopt;
  APFloat number = elements.getSplatValue<APFloat>();
  bool losesInfo;
  number.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven,
                 &losesInfo);
  return number.convertToDouble();
}

static std::optional<APInt> getInteger(Attribute attribute) {
  auto elements = dyn_cast_or_null<DenseElementsAttr>(attribute);
  if (!elements || !elements.isSplat() ||
      !isa<IntegerType>(elements.getElementType()))
    return std::nullopt;
  return elements.getSplatValue<APInt>();
}

static DenseElementsAttr makeSplat(Type type, TypedAttr value) {
  return DenseElementsAttr::get(cast<ShapedType>(type), Attribute(value));
}

static DenseElementsAttr makeSplat(Type type, double number) {
  return makeSplat(type, getNumberAttr(getElementTypeOrSelf(type), number));
}

static DenseElementsAttr makeSplat(Type type, APInt integer) {
  return makeSplat(type, IntegerAttr::get(getElementTypeOrSelf(type), integer));
}

template <typename Function>
static OpFoldResult foldUnary(Operation *op, Attribute input,
                              Function function) {
  if (std::optional<double> number = getFloat(input))
    return makeSplat(op->getResult(0).getType(), function(*number));
  return {};
}

//===----------------------------------------------------------------------===//
// Unary
//===----------------------------------------------------------------------===//

#define FOLD_UNARY(OP, FORMULA)                                                \
  OpFoldResult OP::fold(FoldAdaptor adaptor) {                                 \
    return foldUnary(*this, adaptor.getInput(),                                \
                     [](double x) -> double { return FORMULA; });              \
  }
FOLD_UNARY(AbsOp, std::fabs(x))
FOLD_UNARY(SquareOp, x *x)
FOLD_UNARY(SignOp, (x > 0) - (x < 0))
FOLD_UNARY(ExpOp, std::exp(x))
FOLD_UNARY(Exp2Op, std::exp2(x))
FOLD_UNARY(Expm1Op, std::expm1(x))
FOLD_UNARY(LogOp, std::log(x))
FOLD_UNARY(Log2Op, std::log2(x))
FOLD_UNARY(Log1pOp, std::log1p(x))
FOLD_UNARY(SqrtOp, std::sqrt(x))
FOLD_UNARY(RsqrtOp, 1 / std::sqrt(x))
FOLD_UNARY(ReciprocalOp, 1 / x)
FOLD_UNARY(SinOp, std::sin(x))
FOLD_UNARY(CosOp, std::cos(x))
FOLD_UNARY(TanhOp, std::tanh(x))
FOLD_UNARY(ErfOp, std::erf(x))
FOLD_UNARY(FloorOp, std::floor(x))
FOLD_UNARY(CeilOp, std::ceil(x))
FOLD_UNARY(RoundOp, std::nearbyint(x))
FOLD_UNARY(TruncOp, std::trunc(x))

// The activations, by their definitions.
static double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
FOLD_UNARY(SigmoidOp, sigmoid(x))
#undef FOLD_UNARY
static double expm1IfNegative(double x, double alpha, double sharpness) {
  return x > 0 ? x : alpha * std::expm1(x / sharpness);
}
/// min(max(x, low), high), NaN kept.
static double clamp(double x, double low, double high) {
  return std::isnan(x) ? x : std::fmin(std::fmax(x, low), high);
}

#define FOLD_ACTIVATION(OP, FORMULA)                                           \
  OpFoldResult OP::fold(FoldAdaptor adaptor) {                                 \
    return foldUnary(*this, adaptor.getInput(),                                \
                     [&](double x) -> double { return FORMULA; });             \
  }
FOLD_ACTIVATION(LogSigmoidOp,
                std::fmin(x, 0) - std::log1p(std::exp(-std::fabs(x))))
FOLD_ACTIVATION(SeluOp, 1.0507009873554804934193349852946 *
                            expm1IfNegative(x, 1.6732632423543772848, 1))
FOLD_ACTIVATION(SiluOp, x / (1 + std::exp(-x)))
FOLD_ACTIVATION(MishOp, x *std::tanh(std::log1p(std::exp(x))))
FOLD_ACTIVATION(HardswishOp, x *(clamp(x + 3, 0, 6) / 6))
FOLD_ACTIVATION(HardsigmoidOp, clamp(x + 3, 0, 6) / 6)
FOLD_ACTIVATION(LeakyReluOp, x > 0 ? x : x * getSlope().convertToDouble())
FOLD_ACTIVATION(EluOp, expm1IfNegative(x, getAlpha().convertToDouble(), 1))
FOLD_ACTIVATION(CeluOp, expm1IfNegative(x, getAlpha().convertToDouble(),
                                        getAlpha().convertToDouble()))
#undef FOLD_ACTIVATION

OpFoldResult GeluOp::fold(FoldAdaptor adaptor) {
  bool byErf = getApproximate() == GeluKind::none;
  return foldUnary(*this, adaptor.getInput(), [&](double x) {
    double inner =
        byErf ? std::erf(x * 0.70710678118654752440)
              : std::tanh(0.79788456080286535588 * (x + 0.044715 * x * x * x));
    return 0.5 * x * (1 + inner);
  });
}

OpFoldResult SoftplusOp::fold(FoldAdaptor adaptor) {
  double beta = getBeta().convertToDouble();
  double threshold = getThreshold().convertToDouble();
  return foldUnary(*this, adaptor.getInput(), [&](double x) {
    return beta * x > threshold ? x : std::log1p(std::exp(beta * x)) / beta;
  });
}

// clamp(clamp(x)) with the same bounds -> clamp(x)
OpFoldResult ClampOp::fold(FoldAdaptor adaptor) {
  if (auto inner = getInput().getDefiningOp<ClampOp>())
    if (!stopsGradient(*this) && inner.getMinAttr() == getMinAttr() &&
        inner.getMaxAttr() == getMaxAttr())
      return getInput();
  constexpr double infinity = std::numeric_limits<double>::infinity();
  double low = getMin() ? getMin()->convertToDouble() : -infinity;
  double high = getMax() ? getMax()->convertToDouble() : infinity;
  return foldUnary(*this, adaptor.getInput(),
                   [&](double x) { return clamp(x, low, high); });
}

// neg(neg(x)) -> x
OpFoldResult NegOp::fold(FoldAdaptor adaptor) {
  auto inner = getInput().getDefiningOp<NegOp>();
  if (inner && !stopsGradient(*this) && !stopsGradient(inner))
    return inner.getInput();
  return foldUnary(*this, adaptor.getInput(), [](double x) { return -x; });
}

// not(not(x)) -> x
OpFoldResult NotOp::fold(FoldAdaptor adaptor) {
  if (auto inner = getInput().getDefiningOp<NotOp>())
    return inner.getInput();
  if (std::optional<APInt> x = getInteger(adaptor.getInput()))
    return makeSplat(getType(), ~*x);
  return {};
}

// relu(relu(x)) -> relu(x), relu(relu6(x)) -> relu6(x)
OpFoldResult ReluOp::fold(FoldAdaptor adaptor) {
  Operation *inner = getInput().getDefiningOp();
  if (isa_and_present<ReluOp, Relu6Op>(inner) && !stopsGradient(*this))
    return getInput();
  return foldUnary(*this, adaptor.getInput(), [](double x) {
    return clamp(x, 0, std::numeric_limits<double>::infinity());
  });
}

// relu6(relu6(x)) -> relu6(x)
OpFoldResult Relu6Op::fold(FoldAdaptor adaptor) {
  if (getInput().getDefiningOp<Relu6Op>() && !stopsGradient(*this))
    return getInput();
  return foldUnary(*this, adaptor.getInput(),
                   [](double x) { return clamp(x, 0, 6); });
}

/// Whether every value of `from` is one of `to`.
static bool isExactCast(Type from, Type to) {
  if (isa<IntegerType>(from) && isa<IntegerType>(to))
    return from.getIntOrFloatBitWidth() <= to.getIntOrFloatBitWidth();
  if (isa<FloatType>(from) && isa<FloatType>(to))
    return from == to ||
           from.getIntOrFloatBitWidth() < to.getIntOrFloatBitWidth();
  return from.isInteger(1);
}

// cast(x) to x's type -> x; cast(cast(x)) -> cast(x) when the inner is exact
OpFoldResult CastOp::fold(FoldAdaptor adaptor) {
  if (stopsGradient(*this))
    return {};
  if (getInput().getType() == getType())
    return getInput();
  auto inner = getInput().getDefiningOp<CastOp>();
  if (inner && !stopsGradient(inner)) {
    Type source = inner.getInput().getType().getElementType();
    Type middle = getInput().getType().getElementType();
    if (isExactCast(source, middle)) {
      if (inner.getInput().getType() == getType())
        return inner.getInput();
      getInputMutable().assign(inner.getInput());
      return getResult();
    }
  }
  if (std::optional<double> number = getFloat(adaptor.getInput()))
    if (isFloat(getType()))
      return makeSplat(getType(), *number);
  return {};
}

//===----------------------------------------------------------------------===//
// Binary
//===----------------------------------------------------------------------===//

/// Folds two splats of floats or integers with the function for each.
template <typename OnFloats, typename OnIntegers>
static OpFoldResult foldBinary(Operation *op, ArrayRef<Attribute> operands,
                               OnFloats onFloats, OnIntegers onIntegers) {
  Type type = op->getResult(0).getType();
  std::optional<double> x = getFloat(operands[0]), y = getFloat(operands[1]);
  if (x && y)
    return makeSplat(type, onFloats(*x, *y));
  std::optional<APInt> i = getInteger(operands[0]), j = getInteger(operands[1]);
  if (i && j)
    return makeSplat(type, onIntegers(*i, *j));
  return {};
}

/// Whether all elements of `operand` equal `number`, the sign of a zero too.
static bool isNumber(Attribute operand, double number) {
  if (std::optional<double> x = getFloat(operand))
    return *x == number && std::signbit(*x) == std::signbit(number);
  std::optional<APInt> i = getInteger(operand);
  return i && i->getBitWidth() > 1 && i->isSignedIntN(32) &&
         i->getSExtValue() == static_cast<int64_t>(number);
}

/// `value` when it may take the op's place: it has the op's own type (no
/// broadcast), and its gradient. Else null.
static Value ifSameType(Operation *op, Value value) {
  return value.getType() == op->getResult(0).getType() && !stopsGradient(op)
             ? value
             : Value();
}

// x + -0.0 -> x (x + 0.0 would turn -0.0 into 0.0); x + 0 -> x for integers
OpFoldResult AddOp::fold(FoldAdaptor adaptor) {
  double neutral = isFloat(getType()) ? -0.0 : 0.0;
  if (isNumber(adaptor.getRhs(), neutral))
    if (Value x = ifSameType(*this, getLhs()))
      return x;
  if (isNumber(adaptor.getLhs(), neutral))
    if (Value x = ifSameType(*this, getRhs()))
      return x;
  return foldBinary(
      *this, adaptor.getOperands(), [](double x, double y) { return x + y; },
      [](APInt x, APInt y) { return x + y; });
}

// x - 0.0 -> x
OpFoldResult SubOp::fold(FoldAdaptor adaptor) {
  if (isNumber(adaptor.getRhs(), 0.0))
    if (Value x = ifSameType(*this, getLhs()))
      return x;
  return foldBinary(
      *this, adaptor.getOperands(), [](double x, double y) { return x - y; },
      [](APInt x, APInt y) { return x - y; });
}

// x * 1 -> x
OpFoldResult MulOp::fold(FoldAdaptor adaptor) {
  if (isNumber(adaptor.getRhs(), 1.0))
    if (Value x = ifSameType(*this, getLhs()))
      return x;
  if (isNumber(adaptor.getLhs(), 1.0))
    if (Value x = ifSameType(*this, getRhs()))
      return x;
  return foldBinary(
      *this, adaptor.getOperands(), [](double x, double y) { return x * y; },
      [](APInt x, APInt y) { return x * y; });
}

// x / 1 -> x
OpFoldResult DivOp::fold(FoldAdaptor adaptor) {
  if (isNumber(adaptor.getRhs(), 1.0))
    if (Value x = ifSameType(*this, getLhs()))
      return x;
  std::optional<double> x = getFloat(adaptor.getLhs()),
                        y = getFloat(adaptor.getRhs());
  if (x && y)
    return makeSplat(getType(), *x / *y);
  return {};
}

/// PyTorch's maximum (`sign` +1) and minimum (-1): NaN wins.
static double extreme(double x, double y, int sign) {
  if (std::isnan(x) || std::isnan(y))
    return std::numeric_limits<double>::quiet_NaN();
  return (x > y) == (sign > 0) ? x : y;
}

// max(x, x) -> x
OpFoldResult MaximumOp::fold(FoldAdaptor adaptor) {
  if (getLhs() == getRhs() && !stopsGradient(*this))
    return getLhs();
  return foldBinary(
      *this, adaptor.getOperands(),
      [](double x, double y) { return extreme(x, y, 1); },
      [](APInt x, APInt y) { return x.sgt(y) ? x : y; });
}

// min(x, x) -> x
OpFoldResult MinimumOp::fold(FoldAdaptor adaptor) {
  if (getLhs() == getRhs() && !stopsGradient(*this))
    return getLhs();
  return foldBinary(
      *this, adaptor.getOperands(),
      [](double x, double y) { return extreme(x, y, -1); },
      [](APInt x, APInt y) { return x.slt(y) ? x : y; });
}

// x^1 -> x
OpFoldResult PowOp::fold(FoldAdaptor adaptor) {
  if (isNumber(adaptor.getRhs(), 1.0))
    if (Value x = ifSameType(*this, getLhs()))
      return x;
  std::optional<double> x = getFloat(adaptor.getLhs()),
                        y = getFloat(adaptor.getRhs());
  if (x && y)
    return makeSplat(getType(), std::pow(*x, *y));
  return {};
}

// Two splats of floats: the remainder with the divisor's sign.
OpFoldResult RemainderOp::fold(FoldAdaptor adaptor) {
  std::optional<double> x = getFloat(adaptor.getLhs()),
                        y = getFloat(adaptor.getRhs());
  if (!x || !y)
    return {};
  double remainder = std::fmod(*x, *y);
  if (remainder != 0 && (remainder < 0) != (*y < 0))
    remainder += *y;
  return makeSplat(getType(), remainder);
}

OpFoldResult Atan2Op::fold(FoldAdaptor adaptor) {
  std::optional<double> y = getFloat(adaptor.getLhs()),
                        x = getFloat(adaptor.getRhs());
  if (!x || !y)
    return {};
  return makeSplat(getType(), std::atan2(*y, *x));
}

/// x & x -> x, and two constants.
template <typename OpTy, typename Function>
static OpFoldResult foldBits(OpTy op, ArrayRef<Attribute> operands,
                             Function function) {
  std::optional<APInt> x = getInteger(operands[0]), y = getInteger(operands[1]);
  if (x && y)
    return makeSplat(op.getType(), function(*x, *y));
  return {};
}

OpFoldResult AndOp::fold(FoldAdaptor adaptor) {
  if (getLhs() == getRhs())
    return getLhs();
  return foldBits(*this, adaptor.getOperands(),
                  [](APInt x, APInt y) { return x & y; });
}

OpFoldResult OrOp::fold(FoldAdaptor adaptor) {
  if (getLhs() == getRhs())
    return getLhs();
  return foldBits(*this, adaptor.getOperands(),
                  [](APInt x, APInt y) { return x | y; });
}

OpFoldResult XorOp::fold(FoldAdaptor adaptor) {
  return foldBits(*this, adaptor.getOperands(),
                  [](APInt x, APInt y) { return x ^ y; });
}

//===----------------------------------------------------------------------===//
// Comparison and selection
//===----------------------------------------------------------------------===//

template <typename Number>
static bool holds(Predicate predicate, Number x, Number y) {
  switch (predicate) {
  case Predicate::eq:
    return x == y;
  case Predicate::ne:
    return x != y;
  case Predicate::lt:
    return x < y;
  case Predicate::le:
    return x <= y;
  case Predicate::gt:
    return x > y;
  case Predicate::ge:
    return x >= y;
  }
  return false;
}

OpFoldResult CompareOp::fold(FoldAdaptor adaptor) {
  std::optional<double> x = getFloat(adaptor.getLhs()),
                        y = getFloat(adaptor.getRhs());
  if (x && y)
    return makeSplat(getType(), APInt(1, holds(getPredicate(), *x, *y)));
  std::optional<APInt> i = getInteger(adaptor.getLhs()),
                       j = getInteger(adaptor.getRhs());
  if (!i || !j)
    return {};
  bool isBool = i->getBitWidth() == 1;
  int64_t a = isBool ? i->getZExtValue() : i->getSExtValue();
  int64_t b = isBool ? j->getZExtValue() : j->getSExtValue();
  return makeSplat(getType(), APInt(1, holds(getPredicate(), a, b)));
}

// select(true, x, y) -> x, select(false, x, y) -> y, select(c, x, x) -> x
OpFoldResult SelectOp::fold(FoldAdaptor adaptor) {
  if (getLhs() == getRhs())
    return ifSameType(*this, getLhs());
  if (std::optional<APInt> condition = getInteger(adaptor.getCondition()))
    return ifSameType(*this, condition->isZero() ? getRhs() : getLhs());
  return {};
}
