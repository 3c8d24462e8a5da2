//===- RandomLayouts.h - seeded layouts for property tests -------*- C++
//-*-===//
#ifndef TILEFUSE_TEST_UNIT_LAYOUT_RANDOMLAYOUTS_H
#define TILEFUSE_TEST_UNIT_LAYOUT_RANDOMLAYOUTS_H

#include "dialects/Tile/Layout/DistributedLayout.h"
#include <numeric>
#include <random>

namespace tilefuse::tile {

/// A layout with random digits, bits in random parts, some of them mixed by XOR
/// (`mixed`), some copies. Lane bits are 5 and warp bits `warpBits` when
/// `full`.
class RandomLayouts {
public:
  explicit RandomLayouts(unsigned seed) : engine(seed) {}

  int64_t number(int64_t below) {
    return std::uniform_int_distribution<int64_t>(0, below - 1)(engine);
  }

  DistributedLayout make(bool mixed, unsigned laneBits, unsigned warpBits) {
    unsigned rank = 1 + number(3);
    llvm::SmallVector<llvm::SmallVector<int64_t, 4>> factors(rank);
    struct Bit {
      unsigned dim;
      int64_t weight;
    };
    std::vector<Bit> bits;
    unsigned odds = 0;
    for (unsigned dim = 0; dim < rank; ++dim) {
      int64_t weight = 1;
      for (unsigned i = number(6); i-- > 0;) {
        bool odd = odds < 2 && number(5) == 0;
        int64_t factor = odd ? 3 + 2 * number(2) : 2;
        odds += odd;
        factors[dim].push_back(factor);
        if (!odd)
          bits.push_back({dim, weight});
        weight *= factor;
      }
    }
    std::shuffle(bits.begin(), bits.end(), engine);
    std::vector<DistributedLayout::Bases> bases(numHardware);
    unsigned room[] = {64, laneBits, warpBits};
    std::vector<std::pair<unsigned, unsigned>> placed; // part, index
    for (const Bit &bit : bits) {
      unsigned part = number(3);
      if (bases[part].size() >= room[part])
        part = 0;
      DistributedLayout::Basis basis(rank, 0);
      basis[bit.dim] = bit.weight;
      placed.push_back({part, unsigned(bases[part].size())});
      bases[part].push_back(basis);
    }
    // Add one basis to another: the map stays invertible. Bits of one dim may
    // be added as numbers only where they differ, so mix across dims.
    if (mixed)
      for (unsigned i = 0; i + 1 < placed.size(); ++i) {
        if (number(3))
          continue;
        auto &to = bases[placed[i].first][placed[i].second];
        auto &from = bases[placed[i + 1].first][placed[i + 1].second];
        bool disjoint = true;
        for (unsigned dim = 0; dim < rank; ++dim)
          disjoint &= !to[dim] || !from[dim];
        if (disjoint)
          for (unsigned dim = 0; dim < rank; ++dim)
            to[dim] += from[dim];
      }
    for (unsigned part : {1u, 2u})
      while (bases[part].size() < room[part])
        bases[part].insert(bases[part].begin() + number(bases[part].size() + 1),
                           DistributedLayout::Basis(rank, 0));
    std::string error;
    auto layout = DistributedLayout::get(factors, bases, error);
    return layout ? *layout : DistributedLayout();
  }

private:
  std::mt19937 engine;
};

/// Calls `visit` for every register, lane and warp.
template <typename Visit>
void forEachHolder(const DistributedLayout &layout, Visit visit) {
  for (int64_t warp = 0; warp < layout.getNumWarps(); ++warp)
    for (int64_t lane = 0; lane < layout.getNumLanes(); ++lane)
      for (int64_t reg = 0; reg < layout.getNumRegisters(); ++reg)
        visit(Holder{reg, lane, warp, 0});
}

} // namespace tilefuse::tile

#endif // TILEFUSE_TEST_UNIT_LAYOUT_RANDOMLAYOUTS_H
