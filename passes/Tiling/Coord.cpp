//===- Coord.cpp - linear coordinates of tiles ------------------*- C++ -*-===//

#include "passes/Tiling/Coord.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace tilefuse;

unsigned CoordVars::add(int64_t count, Value value) {
  vars.push_back({count, value, 0, Coord()});
  return vars.size() - 1;
}

Coord CoordVars::addQuotient(const Coord &numerator, int64_t divisor) {
  int64_t low = llvm::divideFloorSigned(numerator.getMin(*this), divisor);
  int64_t high = llvm::divideFloorSigned(numerator.getMax(*this), divisor);
  if (low == high)
    return Coord(low);
  vars.push_back(
      {high - low + 1, {}, divisor, numerator + Coord(-low * divisor)});
  return Coord::ofVar(vars.size() - 1, 1) + Coord(low);
}

Coord CoordVars::addRemainder(const Coord &numerator, int64_t modulus) {
  if (std::optional<int64_t> residue = numerator.getResidue(modulus))
    return Coord(*residue);
  int64_t whole = llvm::divideFloorSigned(numerator.getMin(*this), modulus);
  vars.push_back(
      {modulus, {}, modulus, numerator + Coord(-whole * modulus), true});
  return Coord::ofVar(vars.size() - 1, 1);
}

void CoordVars::emitQuotients(OpBuilder &b, Location loc) {
  for (Var &var : vars) {
    if (var.divisor == 0 || var.value)
      continue;
    Value divisor = arith::ConstantIndexOp::create(b, loc, var.divisor);
    Value numerator = var.numerator.emit(b, loc, *this);
    if (var.isRemainder)
      var.value = arith::RemUIOp::create(b, loc, numerator, divisor);
    else
      var.value = arith::DivUIOp::create(b, loc, numerator, divisor);
  }
}

Coord Coord::ofVar(unsigned var, int64_t coefficient) {
  Coord coord;
  coord.coefficients.assign(var + 1, 0);
  coord.coefficients[var] = coefficient;
  coord.trim();
  return coord;
}

void Coord::trim() {
  while (!coefficients.empty() && coefficients.back() == 0)
    coefficients.pop_back();
}

Coord Coord::operator+(const Coord &other) const {
  Coord sum = *this;
  sum.constant += other.constant;
  if (sum.coefficients.size() < other.coefficients.size())
    sum.coefficients.resize(other.coefficients.size(), 0);
  for (auto [i, c] : llvm::enumerate(other.coefficients))
    sum.coefficients[i] += c;
  sum.trim();
  return sum;
}

Coord Coord::operator*(int64_t factor) const {
  Coord product = *this;
  product.constant *= factor;
  for (int64_t &c : product.coefficients)
    c *= factor;
  product.trim();
  return product;
}

std::optional<Coord> Coord::divideExactly(int64_t divisor) const {
  if (divisor == 0 || constant % divisor != 0 ||
      llvm::any_of(coefficients, [&](int64_t c) { return c % divisor != 0; }))
    return std::nullopt;
  Coord quotient = *this;
  quotient.constant /= divisor;
  for (int64_t &c : quotient.coefficients)
    c /= divisor;
  return quotient;
}

std::pair<Coord, Coord> Coord::splitByDivisor(int64_t divisor) const {
  Coord quotient(llvm::divideFloorSigned(constant, divisor)), remainder;
  remainder.constant = constant - quotient.constant * divisor;
  for (auto [i, c] : llvm::enumerate(coefficients)) {
    if (c % divisor == 0)
      quotient = quotient + ofVar(i, c / divisor);
    else
      remainder = remainder + ofVar(i, c);
  }
  return {quotient, remainder};
}

std::optional<int64_t> Coord::getResidue(int64_t modulus) const {
  if (llvm::any_of(coefficients, [&](int64_t c) { return c % modulus != 0; }))
    return std::nullopt;
  return (constant % modulus + modulus) % modulus;
}

int64_t Coord::getMin(const CoordVars &vars) const {
  int64_t result = constant;
  for (auto [i, c] : llvm::enumerate(coefficients))
    if (c < 0)
      result += c * (vars.getCount(i) - 1);
  return result;
}

int64_t Coord::getMax(const CoordVars &vars) const {
  int64_t result = constant;
  for (auto [i, c] : llvm::enumerate(coefficients))
    if (c > 0)
      result += c * (vars.getCount(i) - 1);
  return result;
}

bool Coord::dependsOn(unsigned var) const {
  return var < coefficients.size() && coefficients[var] != 0;
}

Value Coord::emit(OpBuilder &b, Location loc, const CoordVars &vars) const {
  Value sum;
  for (auto [i, c] : llvm::enumerate(coefficients)) {
    if (c == 0 || vars.getCount(i) == 1)
      continue;
    Value term = vars.getValue(i);
    if (c != 1) {
      Value factor = arith::ConstantIndexOp::create(b, loc, c);
      term = arith::MulIOp::create(b, loc, term, factor);
    }
    sum = sum ? arith::AddIOp::create(b, loc, sum, term).getResult() : term;
  }
  if (sum && constant == 0)
    return sum;
  Value offset = arith::ConstantIndexOp::create(b, loc, constant);
  return sum ? arith::AddIOp::create(b, loc, sum, offset).getResult() : offset;
}

bool SliceDim::isInside(int64_t bound, const CoordVars &vars) const {
  return base.getMin(vars) >= 0 && getLast().getMax(vars) < bound;
}

SmallVector<int64_t> tilefuse::getExtents(ArrayRef<SliceDim> slice) {
  return llvm::map_to_vector(slice,
                             [](const SliceDim &dim) { return dim.extent; });
}

unsigned tilefuse::getDepth(ArrayRef<SliceDim> slice) {
  unsigned depth = 0;
  for (const SliceDim &dim : slice)
    depth = std::max(depth, dim.base.getDepth());
  return depth;
}

Slice tilefuse::getWholeSlice(ArrayRef<int64_t> shape) {
  Slice slice;
  for (int64_t extent : shape)
    slice.push_back({Coord(0), extent, 1});
  return slice;
}

SmallVector<unsigned> LinearForm::getDims() const {
  SmallVector<unsigned> dims;
  for (auto [i, c] : llvm::enumerate(coefficients))
    if (c != 0)
      dims.push_back(i);
  return dims;
}

static bool addTerm(AffineExpr expr, int64_t factor, LinearForm &form) {
  if (auto constant = dyn_cast<AffineConstantExpr>(expr)) {
    form.constant += factor * constant.getValue();
    return true;
  }
  if (auto dim = dyn_cast<AffineDimExpr>(expr)) {
    if (dim.getPosition() >= form.coefficients.size())
      return false;
    form.coefficients[dim.getPosition()] += factor;
    return true;
  }
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary)
    return false;
  if (binary.getKind() == AffineExprKind::Add)
    return addTerm(binary.getLHS(), factor, form) &&
           addTerm(binary.getRHS(), factor, form);
  if (binary.getKind() != AffineExprKind::Mul)
    return false;
  if (auto rhs = dyn_cast<AffineConstantExpr>(binary.getRHS()))
    return addTerm(binary.getLHS(), factor * rhs.getValue(), form);
  if (auto lhs = dyn_cast<AffineConstantExpr>(binary.getLHS()))
    return addTerm(binary.getRHS(), factor * lhs.getValue(), form);
  return false;
}

std::optional<LinearForm> tilefuse::getLinearForm(AffineExpr expr,
                                                  unsigned numDims) {
  LinearForm form;
  form.coefficients.assign(numDims, 0);
  if (!addTerm(expr, 1, form))
    return std::nullopt;
  return form;
}
