//===- BlockedLayout.cpp - layouts for memory and pointwise code -*- C++
//-*-===//
//
// A blocked layout gives each dim some thread bits. The bits are chosen by
// trying all ways to share lanes and warps among the dims: fewest registers a
// thread first (a footprint of 34 columns as 8 lanes x 5 registers instead of
// 64 lanes-and-warps), where short runs of lanes along the fastest dim count as
// extra registers because they waste memory sectors.
//
//===----------------------------------------------------------------------===//

#include "dialects/Tile/Layout/DistributedLayout.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace tilefuse::tile;

namespace {
/// Thread bits of each dim, in order of `order`.
struct Search {
  llvm::SmallVector<int64_t> units; // vectors along each dim, by order
  int64_t vector;
  int64_t fastestExtent;
  llvm::SmallVector<unsigned> bits, best;
  double bestCost = -1;

  double cost() const {
    double registers = vector;
    for (auto [count, bit] : llvm::zip(units, bits))
      registers *= llvm::divideCeil(count, int64_t(1) << bit);
    // Runs shorter than eight elements do not fill 32-byte sectors.
    int64_t run = vector << std::min(bits.empty() ? 0u : bits[0], 5u);
    int64_t wanted = std::min<int64_t>(8, fastestExtent);
    if (run < wanted)
      registers *= double(wanted) / run;
    return registers;
  }

  void visit(unsigned dim, unsigned left) {
    if (dim == units.size()) {
      double now = cost();
      // Earlier finds have more bits on faster dims and win ties.
      if (bestCost < 0 || now < bestCost) {
        bestCost = now;
        best = bits;
      }
      return;
    }
    unsigned most = std::min(left, llvm::Log2_64_Ceil(units[dim]));
    for (unsigned bit = most + 1; bit-- > 0;) {
      bits[dim] = bit;
      visit(dim + 1, left - bit);
    }
    bits[dim] = 0;
  }
};
} // namespace

DistributedLayout tilefuse::tile::getBlockedLayout(
    llvm::ArrayRef<int64_t> shape, unsigned numWarps,
    llvm::ArrayRef<int64_t> order, int64_t vector) {
  unsigned rank = shape.size();
  unsigned threadBits = 5 + llvm::Log2_64_Ceil(numWarps);
  Search search;
  search.vector = rank ? vector : 1;
  search.fastestExtent = rank ? shape[order[0]] : 1;
  for (auto [i, dim] : llvm::enumerate(order))
    search.units.push_back(i ? shape[dim]
                             : llvm::divideCeil(shape[dim], search.vector));
  search.bits.assign(rank, 0);
  search.visit(0, threadBits);

  llvm::SmallVector<llvm::SmallVector<int64_t, 4>> factors(rank);
  std::vector<DistributedLayout::Bases> bases(numHardware);
  auto &registers = bases[unsigned(Hardware::Register)];
  llvm::SmallVector<DistributedLayout::Basis> threads, outer;
  for (auto [i, dim] : llvm::enumerate(order)) {
    int64_t weight = 1;
    auto place = [&](auto &list, int64_t count) {
      factors[dim].push_back(count);
      for (; count > 1; count /= 2, weight *= 2) {
        DistributedLayout::Basis basis(rank, 0);
        basis[dim] = weight;
        list.push_back(basis);
      }
    };
    if (i == 0)
      place(registers, search.vector);
    place(threads, int64_t(1) << search.best[i]);
    int64_t rest =
        llvm::divideCeil(search.units[i], int64_t(1) << search.best[i]);
    int64_t even = rest & -rest;
    place(outer, even);
    factors[dim].push_back(rest / even);
  }
  registers.append(outer.begin(), outer.end());
  threads.resize(threadBits, DistributedLayout::Basis(rank, 0));
  for (auto [i, basis] : llvm::enumerate(threads))
    bases[unsigned(i < 5 ? Hardware::Lane : Hardware::Warp)].push_back(basis);
  std::string error;
  auto layout = DistributedLayout::get(factors, bases, error);
  return layout ? *layout : DistributedLayout();
}

DistributedLayout
tilefuse::tile::getReplicatedLayout(llvm::ArrayRef<int64_t> shape,
                                    unsigned numWarps) {
  unsigned rank = shape.size();
  llvm::SmallVector<llvm::SmallVector<int64_t, 4>> factors(rank);
  std::vector<DistributedLayout::Bases> bases(numHardware);
  for (unsigned dim = rank; dim-- > 0;) {
    int64_t even = shape[dim] & -shape[dim];
    factors[dim] = {even, shape[dim] / even};
    for (int64_t weight = 1; weight < even; weight *= 2) {
      DistributedLayout::Basis basis(rank, 0);
      basis[dim] = weight;
      bases[unsigned(Hardware::Register)].push_back(basis);
    }
  }
  DistributedLayout::Basis none(rank, 0);
  bases[unsigned(Hardware::Lane)].assign(5, none);
  bases[unsigned(Hardware::Warp)].assign(llvm::Log2_64_Ceil(numWarps), none);
  std::string error;
  auto layout = DistributedLayout::get(factors, bases, error);
  return layout ? *layout : DistributedLayout();
}
