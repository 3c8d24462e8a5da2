//===- OffsetFacts.cpp - bounds and divisors of index values ------*- C++ -*-===//

#include "passes/TileToNVVM/OffsetFacts.h"

#include "dialects/Tile/Tile.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"
#include <algorithm>
#include <array>
#include <numeric>

using namespace mlir;

namespace tilefuse {
namespace {

std::optional<int64_t> getConstant(Value value) {
  APInt constant;
  if (matchPattern(value, m_ConstantInt(&constant)) &&
      constant.getSignificantBits() <= 64)
    return constant.getSExtValue();
  return std::nullopt;
}

int64_t commonDivisor(int64_t a, int64_t b) { return std::gcd(a, b); }

/// The product, or nothing on overflow.
std::optional<int64_t> multiply(int64_t a, int64_t b) {
  int64_t result;
  if (llvm::MulOverflow(a, b, result))
    return std::nullopt;
  return result;
}

OffsetFacts unknownMultipleOf(int64_t divisor) {
  OffsetFacts facts;
  facts.divisor = divisor;
  return facts;
}

OffsetFacts add(OffsetFacts a, OffsetFacts b) {
  OffsetFacts facts = unknownMultipleOf(commonDivisor(a.divisor, b.divisor));
  int64_t low, high;
  if (a.isBounded() && b.isBounded() && !llvm::AddOverflow(a.low, b.low, low) &&
      !llvm::AddOverflow(a.high, b.high, high)) {
    facts.low = low;
    facts.high = high;
  }
  return facts;
}

OffsetFacts negate(OffsetFacts a) {
  OffsetFacts facts = unknownMultipleOf(a.divisor);
  if (a.isBounded()) {
    facts.low = -a.high;
    facts.high = -a.low;
  }
  return facts;
}

OffsetFacts multiply(OffsetFacts a, OffsetFacts b) {
  OffsetFacts facts =
      unknownMultipleOf(multiply(a.divisor, b.divisor).value_or(1));
  if (!a.isBounded() || !b.isBounded())
    return facts;
  std::array<std::optional<int64_t>, 4> products = {
      multiply(a.low, b.low), multiply(a.low, b.high), multiply(a.high, b.low),
      multiply(a.high, b.high)};
  if (llvm::is_contained(products, std::nullopt))
    return facts;
  facts.low = **std::min_element(products.begin(), products.end());
  facts.high = **std::max_element(products.begin(), products.end());
  return facts;
}

/// a / c for a >= 0, c > 0: all roundings agree.
OffsetFacts divide(OffsetFacts a, std::optional<int64_t> c) {
  if (!c || *c <= 0 || !a.isBounded() || a.low < 0)
    return {};
  OffsetFacts facts;
  facts.low = a.low / *c;
  facts.high = a.high / *c;
  facts.divisor = a.divisor % *c == 0 ? a.divisor / *c : 1;
  return facts;
}

/// a mod c for a >= 0, c > 0.
OffsetFacts remainder(OffsetFacts a, std::optional<int64_t> c) {
  if (!c || *c <= 0 || !a.isBounded() || a.low < 0)
    return {};
  if (a.high < *c)
    return a;
  OffsetFacts facts;
  facts.low = 0;
  facts.divisor = commonDivisor(a.divisor, *c);
  facts.high = *c - std::max<int64_t>(facts.divisor, 1);
  return facts;
}

OffsetFacts unite(OffsetFacts a, OffsetFacts b) {
  OffsetFacts facts = unknownMultipleOf(commonDivisor(a.divisor, b.divisor));
  facts.low = std::min(a.low, b.low);
  facts.high = std::max(a.high, b.high);
  return facts;
}

OffsetFacts minimum(OffsetFacts a, OffsetFacts b) {
  OffsetFacts facts = unite(a, b);
  facts.high = std::min(a.high, b.high);
  return facts;
}

OffsetFacts maximum(OffsetFacts a, OffsetFacts b) {
  OffsetFacts facts = unite(a, b);
  facts.low = std::max(a.low, b.low);
  return facts;
}

} // namespace

OffsetFacts OffsetFacts::constant(int64_t value) {
  OffsetFacts facts;
  facts.low = facts.high = value;
  facts.divisor = value == kUnknownLow ? 1 : std::abs(value);
  return facts;
}

OffsetFacts OffsetAnalysis::get(Value value) {
  if (auto it = known.find(value); it != known.end())
    return it->second;
  OffsetFacts facts = compute(value);
  known[value] = facts;
  return facts;
}

OffsetFacts OffsetAnalysis::compute(Value value) {
  if (std::optional<int64_t> constant = getConstant(value))
    return OffsetFacts::constant(*constant);

  if (auto argument = dyn_cast<BlockArgument>(value)) {
    // The induction variable: lower bound, then whole steps below the upper.
    auto loop = dyn_cast<scf::ForOp>(argument.getOwner()->getParentOp());
    if (!loop || loop.getInductionVar() != value)
      return {};
    OffsetFacts lower = get(loop.getLowerBound());
    OffsetFacts upper = get(loop.getUpperBound());
    std::optional<int64_t> step = getConstant(loop.getStep());
    if (!step || *step <= 0)
      return {};
    OffsetFacts facts = unknownMultipleOf(commonDivisor(lower.divisor, *step));
    if (!lower.isBounded() || !upper.isBounded())
      return facts;
    facts.low = lower.low;
    facts.high = std::max(lower.low, upper.high - 1);
    if (lower.low == lower.high)
      facts.high = lower.low + (facts.high - lower.low) / *step * *step;
    return facts;
  }

  Operation *op = value.getDefiningOp();
  auto lhs = [&] { return get(op->getOperand(0)); };
  auto rhs = [&] { return get(op->getOperand(1)); };
  return llvm::TypeSwitch<Operation *, OffsetFacts>(op)
      .Case([&](tile::ProgramIdOp id) {
        auto kernel = id->getParentOfType<tile::FuncOp>();
        OffsetFacts facts;
        facts.low = 0;
        if (kernel && id.getAxis() < kernel.getGrid().size())
          facts.high = std::max<int64_t>(kernel.getGrid()[id.getAxis()] - 1, 0);
        return facts;
      })
      .Case([&](arith::AddIOp) { return add(lhs(), rhs()); })
      .Case([&](arith::SubIOp) { return add(lhs(), negate(rhs())); })
      .Case([&](arith::MulIOp) { return multiply(lhs(), rhs()); })
      .Case<arith::DivUIOp, arith::DivSIOp, arith::FloorDivSIOp>([&](auto) {
        return divide(lhs(), getConstant(op->getOperand(1)));
      })
      .Case<arith::RemUIOp, arith::RemSIOp>([&](auto) {
        return remainder(lhs(), getConstant(op->getOperand(1)));
      })
      .Case([&](arith::MinSIOp) { return minimum(lhs(), rhs()); })
      .Case([&](arith::MaxSIOp) { return maximum(lhs(), rhs()); })
      .Case([&](arith::SelectOp) {
        return unite(get(op->getOperand(1)), get(op->getOperand(2)));
      })
      .Case<arith::IndexCastOp, arith::ExtSIOp>([&](auto) { return lhs(); })
      .Default([](Operation *) { return OffsetFacts(); });
}

} // namespace tilefuse
