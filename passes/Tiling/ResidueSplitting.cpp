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
