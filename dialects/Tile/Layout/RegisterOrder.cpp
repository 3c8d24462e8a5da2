//===- RegisterOrder.cpp - the order in which registers are stored *- C++ -*-===//

#include "dialects/Tile/Layout/RegisterOrder.h"
#include "llvm/ADT/STLExtras.h"
#include <algorithm>
#include <vector>

using namespace tilefuse::tile;

RegisterOrder tilefuse::tile::getSharedOrder(const SharedLayout &shared,
                                             const DistributedLayout &layout,
                                             llvm::ArrayRef<int64_t> shape,
                                             int64_t elementBytes,
                                             unsigned mostBits) {
  constexpr int64_t mostBytes = 16;
  RegisterOrder own{layout, {}};
  int64_t width = getSharedVector(shared, layout, shape, elementBytes);
  if (width * elementBytes >= mostBytes)
    return own;
  unsigned count =
      std::min(mostBits, layout.getNumBits(Hardware::Register));
  int64_t origin = shared.getPosition(layout.getCoords(0, 0, 0));
  RegisterOrder order;
  for (int64_t distance = 1; distance * elementBytes < mostBytes;
       distance *= 2) {
    auto bits = llvm::seq(0u, count);
    auto found = llvm::find_if(bits, [&](unsigned bit) {
      return shared.getPosition(
                 layout.getCoords(int64_t(1) << bit, 0, 0)) -
                 origin ==
             distance;
    });
    if (found == bits.end())
      break;
    order.bits.push_back(*found);
  }
  for (unsigned bit = 0; bit < count; ++bit)
    if (!llvm::is_contained(order.bits, bit))
      order.bits.push_back(bit);

  llvm::SmallVector<llvm::SmallVector<int64_t, 4>> factors;
  for (unsigned dim = 0; dim < layout.getRank(); ++dim)
    factors.push_back(layout.getFactors(dim));
  std::vector<DistributedLayout::Bases> bases;
  for (Hardware part : {Hardware::Register, Hardware::Lane, Hardware::Warp,
                        Hardware::Block})
    bases.push_back(layout.getBases(part));
  DistributedLayout::Bases registers = bases.front();
  for (auto [i, bit] : llvm::enumerate(order.bits))
    bases.front()[i] = registers[bit];
  std::string error;
  auto renamed = DistributedLayout::get(factors, bases, error);
  if (!renamed ||
      getSharedVector(shared, *renamed, shape, elementBytes) <= width)
    return own;
  order.layout = *renamed;
  return order;
}
