//===- ResidueSplitting.cpp - divisions made exact --------------*- C++ -*-===//

#include "passes/Tiling/ResidueSplitting.h"
#include "passes/Tiling/JoinClasses.h"
#include <numeric>
#include <utility>

using namespace mlir;
using namespace tilefuse;

int64_t tilefuse::getNumResidues(const SpaceForm &form, unsigned dim,
                                 int64_t step) {
  int64_t residues = 1;
  for (const AccessForm &access : form.operands)
    for (auto [dimForm, divisor] : llvm::zip(access.dims, access.divisors)) {
      if (!dimForm || divisor == 1 || dimForm->coefficients[dim] == 0)
        continue;
      int64_t advance = dimForm->coefficients[dim] * step;
      residues = std::lcm(residues, divisor / std::gcd(advance, divisor));
    }
  return residues;
}

std::optional<ResidueTap> tilefuse::getResidueTap(const SpaceForm &form,
                                                  unsigned dim) {
  std::optional<ResidueTap> found;
  for (const AccessForm &access : form.operands)
    for (auto [dimForm, divisor] : llvm::zip(access.dims, access.divisors)) {
      if (!dimForm || divisor == 1 || dimForm->coefficients[dim] == 0)
        continue;
      SmallVector<unsigned> dims = dimForm->getDims();
      if (found || dims.size() != 2 || dimForm->coefficients[dim] != 1)
        return std::nullopt;
      unsigned tap = dims[0] == dim ? dims[1] : dims[0];
      int64_t factor = dimForm->coefficients[tap];
      if (!form.isReduction(tap) || std::gcd(factor, divisor) != 1)
        return std::nullopt;
      found = ResidueTap{tap, factor, dimForm->constant, divisor};
    }
  if (!found)
    return std::nullopt;
  // The tap must be free of other divisions.
  unsigned divisions = 0;
  for (const AccessForm &access : form.operands)
    for (auto [dimForm, divisor] : llvm::zip(access.dims, access.divisors))
      divisions +=
          dimForm && divisor != 1 && dimForm->coefficients[found->tap] != 0;
  return divisions == 1 ? found : std::nullopt;
}

Coord tilefuse::addResidueClass(CoordVars &vars, unsigned residue,
                                const ResidueTap &tap) {
  // c = -factor * u - constant + divisor * ceil((constant + factor * u) /
  // divisor)
  Coord shift = Coord::ofVar(residue, tap.factor) + Coord(tap.constant);
  Coord whole =
      vars.addQuotient(shift + Coord(tap.divisor - 1), tap.divisor);
  return whole * tap.divisor + shift * -1;
}

Coord tilefuse::getCommonStart(const CoordVars &vars, unsigned residue,
                               const ResidueTap &tap) {
  Coord shift = Coord::ofVar(residue, tap.factor) + Coord(tap.constant);
  int64_t whole = llvm::divideCeilSigned(shift.getMin(vars), tap.divisor);
  return Coord(whole * tap.divisor) + shift * -1;
}

namespace {

/// The one division that a parallel dim takes part in.
struct Division {
  LinearForm numerator;
  int64_t divisor;
};

} // namespace

static std::optional<Division> findDivision(const SpaceForm &form,
                                            unsigned dim) {
  std::optional<Division> found;
  for (const AccessForm &access : form.operands)
    for (auto [dimForm, divisor] : llvm::zip(access.dims, access.divisors)) {
      if (!dimForm || divisor == 1 || dimForm->coefficients[dim] == 0)
        continue;
      bool isSame = found && found->divisor == divisor &&
                    found->numerator.coefficients == dimForm->coefficients &&
                    found->numerator.constant == dimForm->constant;
      if (found && !isSame)
        return std::nullopt;
      found = Division{*dimForm, divisor};
    }
  return found;
}

/// The number below `modulus` whose product with `value` is 1 modulo it.
static int64_t getInverse(int64_t value, int64_t modulus) {
  // Euclid: r = a * modulus + x * value throughout.
  int64_t r = modulus, next = ((value % modulus) + modulus) % modulus;
  int64_t x = 0, nextX = 1;
  while (next != 0) {
    int64_t quotient = r / next;
    r = std::exchange(next, r - quotient * next);
    x = std::exchange(nextX, x - quotient * nextX);
  }
  return (x % modulus + modulus) % modulus;
}

std::optional<DividedDim>
tilefuse::divideDim(const SpaceForm &form, unsigned dim, const SliceDim &part,
                    CoordVars &vars, OpBuilder &b, Location loc) {
  std::optional<Division> division = findDivision(form, dim);
  if (!division || division->numerator.coefficients[dim] != 1 ||
      (part.extent > 1 && part.step % division->divisor != 0))
    return std::nullopt;
  DividedDim divided;
  int64_t factor = 0, constant = division->numerator.constant;
  for (unsigned other : division->numerator.getDims()) {
    if (other == dim)
      continue;
    if (divided.tap || !form.isReduction(other))
      return std::nullopt;
    divided.tap = other;
    factor = division->numerator.coefficients[other];
  }
  int64_t common = std::gcd(factor, division->divisor);
  divided.tapStride = division->divisor / common;
  Coord numerator = part.base + Coord(constant);
  Coord rest = vars.addRemainder(numerator, common);
  divided.isOutside = vars.addQuotient(rest + Coord(common - 1), common);
  if (divided.tap) {
    int64_t inverse = getInverse(-factor / common, divided.tapStride);
    Coord whole = common == 1 ? numerator
                              : vars.addQuotient(numerator, common);
    whole = vars.addRemainder(whole, divided.tapStride);
    Coord first = vars.addRemainder(whole * inverse, divided.tapStride);
    divided.firstTap = first + divided.isOutside * form.getBound(*divided.tap);
    numerator = numerator + first * factor;
  }
  Coord quotient = vars.addQuotient(numerator + rest * -1, division->divisor);
  divided.position = quotient * division->divisor + Coord(-constant) +
                     divided.firstTap * -factor;
  vars.emitQuotients(b, loc);
  return divided;
}

FailureOr<Value> tilefuse::assembleResidues(BlockEmitter &emitter,
                                            OpResult value,
                                            const Slice &slice) {
  const SpaceForm &form = emitter.getForm(value.getOwner());
  bool joins = emitter.wantsPowersOfTwo() &&
               isa<fuse::ContractionOpInterface>(value.getOwner()) &&
               emitter.getSplit(value.getOwner()).empty();
  SmallVector<int64_t> counts;
  int64_t total = 1;
  for (auto [part, dimForm] :
       llvm::zip(slice, form.results[value.getResultNumber()].dims)) {
    bool isSplit = part.extent > 1 && dimForm && dimForm->getDims().size() == 1;
    if (isSplit && joins && isJoined(form, dimForm->getDims().front(), part))
      isSplit = false;
    counts.push_back(
        isSplit ? getNumResidues(form, dimForm->getDims().front(), part.step)
                : 1);
    total *= std::min(counts.back(), part.extent);
  }
  // A tile whose class is a grid variable would hold the same elements made by
  // other code, and not to the bit.
  const Slice *tile = total > 1 ? emitter.getTileSlice(value) : nullptr;
  for (unsigned dim = 0; tile && dim < counts.size(); ++dim)
    if (!(*tile)[dim].base.getResidue(counts[dim]))
      return value.getOwner()->emitOpError(
          "tiling: a block of it would be put together from classes, while its "
          "tile has one that is known at run time only");
  if (total > mostClasses)
    return value.getOwner()->emitOpError("tiling: a block of it falls into ")
           << total << " classes of positions, " << mostClasses
           << " at most are put together";
  for (auto [position, residues] : llvm::enumerate(counts)) {
    if (residues == 1)
      continue;
    const SliceDim &part = slice[position];
    OpBuilder &b = emitter.getBuilder();
    Location loc = value.getLoc();
    Type type = getElementTypeOrSelf(value.getType());
    Value whole = emitter.splat(loc, cast<TypedAttr>(b.getZeroAttr(type)),
                                getExtents(slice));
    for (int64_t residue = 0; residue < std::min(residues, part.extent);
         ++residue) {
      Slice piece = slice;
      int64_t extent = llvm::divideCeil(part.extent - residue, residues);
      piece[position] = {part.base + Coord(residue * part.step), extent,
                         part.step * residues};
      FailureOr<Value> block = emitter.evaluate(value, piece);
      if (failed(block))
        return failure();
      SmallVector<int64_t> offsets(slice.size(), 0), strides(slice.size(), 1);
      offsets[position] = residue;
      strides[position] = piece[position].extent > 1 ? residues : 1;
      whole =
          tile::InsertWindowOp::create(b, loc, *block, whole, offsets, strides);
    }
    return whole;
  }
  return Value();
}
