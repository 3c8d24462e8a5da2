//===- ResidueSplitting.cpp - divisions made exact --------------*- C++ -*-===//

#include "passes/Tiling/ResidueSplitting.h"
#include <numeric>

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

FailureOr<Value> tilefuse::assembleResidues(BlockEmitter &emitter,
                                            OpResult value,
                                            const Slice &slice) {
  const SpaceForm &form = emitter.getForm(value.getOwner());
  for (auto [position, dimForm] :
       llvm::enumerate(form.results[value.getResultNumber()].dims)) {
    if (!dimForm || dimForm->getDims().size() != 1)
      continue;
    const SliceDim &part = slice[position];
    int64_t residues =
        part.extent == 1
            ? 1
            : getNumResidues(form, dimForm->getDims().front(), part.step);
    if (residues == 1)
      continue;
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
