//===- IndexMath.cpp - affine indices over known ranges ---------*- C++ -*-===//
//
// Upstream's affine simplifier does not know that a dim is below its extent.
// This one does: it splits a sum into the multiples of a divisor and a rest
// whose range is known, which is all that windows and reshapes need:
//   (c * 64 + h * 8 + w) floordiv 8  ->  c * 8 + h      (w in [0, 8))
//   (h floordiv 4) * 4 + h mod 4     ->  h
//
//===----------------------------------------------------------------------===//

#include "dialects/Fuse/KernelStructure.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace tilefuse::fuse {
namespace {

struct Range {
  int64_t low = 0, high = 0; // inclusive
};

/// A sum: constant plus coefficient * term, terms in order of appearance.
struct LinearSum {
  int64_t constant = 0;
  SmallVector<std::pair<AffineExpr, int64_t>> terms;

  void add(AffineExpr term, int64_t coefficient) {
    for (auto &[known, total] : terms)
      if (known == term) {
        total += coefficient;
        return;
      }
    terms.push_back({term, coefficient});
  }
};

class Simplifier {
public:
  Simplifier(MLIRContext *context, ArrayRef<int64_t> extents)
      : context(context), extents(extents) {}

  AffineExpr run(AffineExpr expr) {
    LinearSum sum;
    flatten(expr, 1, sum);
    return rebuild(sum);
  }

private:
  Range rangeOf(AffineExpr expr) {
    if (auto constant = dyn_cast<AffineConstantExpr>(expr))
      return {constant.getValue(), constant.getValue()};
    if (auto dim = dyn_cast<AffineDimExpr>(expr))
      return {0, std::max<int64_t>(extents[dim.getPosition()] - 1, 0)};
    auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
    if (!binary)
      return {INT32_MIN, INT32_MAX};
    Range lhs = rangeOf(binary.getLHS()), rhs = rangeOf(binary.getRHS());
    switch (expr.getKind()) {
    case AffineExprKind::Add:
      return {lhs.low + rhs.low, lhs.high + rhs.high};
    case AffineExprKind::Mul: {
      int64_t a = lhs.low * rhs.low, b = lhs.high * rhs.low;
      return {std::min(a, b), std::max(a, b)};
    }
    case AffineExprKind::FloorDiv:
      if (rhs.low > 0)
        return {llvm::divideFloorSigned(lhs.low, rhs.low),
                llvm::divideFloorSigned(lhs.high, rhs.low)};
      return {INT32_MIN, INT32_MAX};
    case AffineExprKind::Mod:
      return {0, std::max<int64_t>(rhs.low - 1, 0)};
    default:
      return {INT32_MIN, INT32_MAX};
    }
  }

  Range rangeOf(const LinearSum &sum) {
    Range range{sum.constant, sum.constant};
    for (auto [term, coefficient] : sum.terms) {
      Range t = rangeOf(term);
      range.low += std::min(t.low * coefficient, t.high * coefficient);
      range.high += std::max(t.low * coefficient, t.high * coefficient);
    }
    return range;
  }

  /// Adds scale * expr to `sum`, with floordiv and mod already simplified.
  void flatten(AffineExpr expr, int64_t scale, LinearSum &sum) {
    if (auto constant = dyn_cast<AffineConstantExpr>(expr)) {
      sum.constant += scale * constant.getValue();
      return;
    }
    if (auto dim = dyn_cast<AffineDimExpr>(expr)) {
      if (extents[dim.getPosition()] > 1)
        sum.add(expr, scale);
      return;
    }
    auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
    if (!binary) {
      sum.add(expr, scale);
      return;
    }
    auto rhs = dyn_cast<AffineConstantExpr>(binary.getRHS());
    switch (expr.getKind()) {
    case AffineExprKind::Add:
      flatten(binary.getLHS(), scale, sum);
      flatten(binary.getRHS(), scale, sum);
      return;
    case AffineExprKind::Mul:
      if (rhs)
        return flatten(binary.getLHS(), scale * rhs.getValue(), sum);
      break;
    case AffineExprKind::FloorDiv:
      if (rhs && rhs.getValue() > 0)
        return divide(binary.getLHS(), rhs.getValue(), scale, sum, false);
      break;
    case AffineExprKind::Mod:
      if (rhs && rhs.getValue() > 0)
        return divide(binary.getLHS(), rhs.getValue(), scale, sum, true);
      break;
    default:
      break;
    }
    sum.add(expr, scale);
  }

  /// Adds scale * (expr floordiv divisor), or of the remainder.
  void divide(AffineExpr expr, int64_t divisor, int64_t scale, LinearSum &sum,
              bool remainder) {
    LinearSum all, multiple, rest;
    flatten(expr, 1, all);
    // (x floordiv a) floordiv b -> x floordiv (a * b) keeps one dim readable.
    multiple.constant = llvm::divideFloorSigned(all.constant, divisor);
    rest.constant = all.constant - multiple.constant * divisor;
    for (auto [term, coefficient] : all.terms) {
      if (coefficient % divisor == 0)
        multiple.terms.push_back({term, coefficient / divisor});
      else
        rest.terms.push_back({term, coefficient});
    }
    Range range = rangeOf(rest);
    bool restIsSmall = range.low >= 0 && range.high < divisor;
    auto addScaled = [&](const LinearSum &part) {
      sum.constant += scale * part.constant;
      for (auto [term, coefficient] : part.terms)
        sum.add(term, scale * coefficient);
    };
    if (remainder) {
      if (restIsSmall)
        return addScaled(rest);
      // (rest mod divisor), where a multiple of the divisor inside a floordiv
      // or mod term keeps its form.
      sum.add(rebuild(rest) % divisor, scale);
      return;
    }
    addScaled(multiple);
    if (restIsSmall)
      return;
    AffineExpr inner = rebuild(rest);
    if (auto nested = dyn_cast<AffineBinaryOpExpr>(inner))
      if (inner.getKind() == AffineExprKind::FloorDiv)
        if (auto by = dyn_cast<AffineConstantExpr>(nested.getRHS())) {
          sum.add(nested.getLHS().floorDiv(by.getValue() * divisor), scale);
          return;
        }
    sum.add(inner.floorDiv(divisor), scale);
  }

  AffineExpr rebuild(LinearSum sum) {
    // m * (x floordiv m) + x mod m -> x.
    for (size_t i = 0; i < sum.terms.size(); ++i) {
      auto mod = dyn_cast<AffineBinaryOpExpr>(sum.terms[i].first);
      if (!mod || mod.getKind() != AffineExprKind::Mod)
        continue;
      auto by = dyn_cast<AffineConstantExpr>(mod.getRHS());
      if (!by)
        continue;
      int64_t scale = sum.terms[i].second;
      AffineExpr quotient = run(mod.getLHS().floorDiv(by.getValue()));
      for (size_t j = 0; j < sum.terms.size(); ++j) {
        if (sum.terms[j].first != quotient ||
            sum.terms[j].second != scale * by.getValue())
          continue;
        AffineExpr whole = mod.getLHS();
        size_t first = std::min(i, j), second = std::max(i, j);
        sum.terms.erase(sum.terms.begin() + second);
        sum.terms.erase(sum.terms.begin() + first);
        LinearSum merged;
        merged.constant = sum.constant;
        merged.terms = sum.terms;
        flatten(whole, scale, merged);
        return rebuild(merged);
      }
    }
    // One order for equal sums: largest coefficient first, then by dim.
    llvm::sort(sum.terms, [](const auto &a, const auto &b) {
      return std::tuple(-a.second, firstDim(a.first), a.first.getKind()) <
             std::tuple(-b.second, firstDim(b.first), b.first.getKind());
    });
    AffineExpr result = getAffineConstantExpr(0, context);
    for (auto [term, coefficient] : sum.terms)
      if (coefficient != 0)
        result = result + term * coefficient;
    return result + sum.constant;
  }

  static unsigned firstDim(AffineExpr expr) {
    unsigned first = ~0u;
    expr.walk([&](AffineExpr e) {
      if (auto dim = dyn_cast<AffineDimExpr>(e))
        first = std::min(first, dim.getPosition());
    });
    return first;
  }

  MLIRContext *context;
  ArrayRef<int64_t> extents;
};

} // namespace

AffineExpr simplifyIndex(AffineExpr expr, ArrayRef<int64_t> extents) {
  return Simplifier(expr.getContext(), extents).run(expr);
}

AffineMap composeAccess(AffineMap access, AffineMap dims,
                        ArrayRef<int64_t> rootExtents,
                        ArrayRef<int64_t> shape) {
  SmallVector<AffineExpr> replacements(dims.getResults());
  SmallVector<AffineExpr> results;
  for (auto [index, expr] : llvm::enumerate(access.getResults())) {
    AffineExpr composed = expr.replaceDims(replacements);
    bool unit = shape[index] == 1 && isa<AffineDimExpr, AffineConstantExpr>(
                                         expr);
    results.push_back(
        unit ? getAffineConstantExpr(0, access.getContext())
             : simplifyIndex(composed, rootExtents));
  }
  return AffineMap::get(dims.getNumDims(), 0, results, access.getContext());
}

std::optional<BlockIndex> decodeBlockIndex(AffineExpr expr) {
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return constant.getValue() == 0 ? std::optional<BlockIndex>(BlockIndex{})
                                    : std::nullopt;
  BlockIndex index;
  if (expr.getKind() == AffineExprKind::Mod) {
    auto mod = cast<AffineBinaryOpExpr>(expr);
    auto by = dyn_cast<AffineConstantExpr>(mod.getRHS());
    if (!by)
      return std::nullopt;
    index.modulus = by.getValue();
    expr = mod.getLHS();
  }
  if (expr.getKind() == AffineExprKind::FloorDiv) {
    auto div = cast<AffineBinaryOpExpr>(expr);
    auto by = dyn_cast<AffineConstantExpr>(div.getRHS());
    if (!by)
      return std::nullopt;
    index.divisor = by.getValue();
    expr = div.getLHS();
  }
  auto dim = dyn_cast<AffineDimExpr>(expr);
  if (!dim)
    return std::nullopt;
  index.dim = dim.getPosition();
  return index;
}

} // namespace tilefuse::fuse
