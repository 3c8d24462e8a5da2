//===- DistributedLayoutTest.cpp - layouts against brute force ------------===//

#include "RandomLayouts.h"
#include <gtest/gtest.h>
#include <map>
#include <set>

using namespace tilefuse::tile;

static llvm::SmallVector<int64_t> list(const Coords &coords) {
  return llvm::SmallVector<int64_t>(coords);
}

static int64_t flatten(llvm::ArrayRef<int64_t> coords,
                       llvm::ArrayRef<int64_t> shape) {
  int64_t flat = 0;
  for (size_t i = 0; i < shape.size(); ++i)
    flat = flat * shape[i] + coords[i];
  return flat;
}

TEST(DistributedLayout, EveryElementHasHoldersAndOneIsCanonical) {
  RandomLayouts random(11);
  for (int round = 0; round < 100; ++round) {
    DistributedLayout layout = random.make(true, 5, 2);
    uint64_t laneCopies = layout.getReplicationMask(Hardware::Lane);
    uint64_t warpCopies = layout.getReplicationMask(Hardware::Warp);
    std::map<llvm::SmallVector<int64_t>, int> canonical;
    forEachHolder(layout, [&](Holder at) {
      Coords coords = layout.getCoords(at);
      Holder back = layout.getHolder(coords);
      bool isCanonical = !(at.lane & laneCopies) && !(at.warp & warpCopies);
      if (isCanonical) {
        EXPECT_EQ(back, at);
        ++canonical[list(coords)];
      } else {
        EXPECT_EQ(layout.getCoords(back), coords);
      }
    });
    int64_t elements = 1;
    for (int64_t extent : layout.getExtents())
      elements *= extent;
    EXPECT_EQ(int64_t(canonical.size()), elements);
    for (auto &[coords, count] : canonical)
      EXPECT_EQ(count, 1);
  }
}

TEST(DistributedLayout, TermsGiveCoordinates) {
  RandomLayouts random(12);
  for (int round = 0; round < 50; ++round) {
    DistributedLayout layout = random.make(true, 5, 2);
    forEachHolder(layout, [&](Holder at) {
      int64_t odd = at.reg >> layout.getNumBits(Hardware::Register);
      Holder oddOnly{odd << layout.getNumBits(Hardware::Register), 0, 0, 0};
      Coords coords = layout.getCoords(oddOnly);
      for (unsigned dim = 0; dim < layout.getRank(); ++dim)
        for (const CoordTerm &term : layout.getTerms(dim))
          coords[dim] += term.weight *
                         ((__builtin_popcountll(at.lane & term.laneMask) +
                           __builtin_popcountll(at.warp & term.warpMask) +
                           __builtin_popcountll(at.reg & term.registerMask)) &
                          1);
      EXPECT_EQ(coords, layout.getCoords(at));
    });
    if (!layout.isAdditive())
      continue;
    forEachHolder(layout, [&](Holder at) {
      Coords sum = layout.getCoords(at.reg, 0, 0);
      Coords thread = layout.getCoords(0, at.lane, at.warp);
      for (unsigned dim = 0; dim < layout.getRank(); ++dim)
        sum[dim] += thread[dim];
      EXPECT_EQ(sum, layout.getCoords(at));
    });
  }
}

TEST(DistributedLayout, ReshapeKeepsRegistersInPlace) {
  RandomLayouts random(13);
  unsigned reshaped = 0;
  for (int round = 0; round < 300; ++round) {
    DistributedLayout layout = random.make(true, 5, 1);
    llvm::SmallVector<int64_t> from(list(layout.getExtents()));
    int64_t elements = 1;
    for (int64_t extent : from)
      elements *= extent;
    // A random factorisation of the number of elements.
    llvm::SmallVector<int64_t> to;
    int64_t rest = elements;
    for (int64_t p : {2, 3, 5})
      while (rest % p == 0) {
        rest /= p;
        if (to.empty() || random.number(3) == 0)
          to.push_back(p);
        else
          to[random.number(to.size())] *= p;
      }
    to.insert(to.begin() + random.number(to.size() + 1), 1);
    std::optional<DistributedLayout> result = layout.reshape(from, to);
    if (!result)
      continue;
    ++reshaped;
    ASSERT_EQ(list(result->getExtents()), to);
    forEachHolder(layout, [&](Holder at) {
      EXPECT_EQ(flatten(layout.getCoords(at), from),
                flatten(result->getCoords(at), to));
    });
    std::optional<DistributedLayout> back = result->reshape(to, from);
    ASSERT_TRUE(back.has_value());
    EXPECT_TRUE(back->equalUpToRegisters(layout));
  }
  EXPECT_GT(reshaped, 60u);
}

TEST(DistributedLayout, ReshapeOfPaddedDims) {
  // 10 rows padded to 12, of 32 columns.
  DistributedLayout layout = getBlockedLayout({10, 32}, 4, {1, 0}, 1);
  ASSERT_GE(layout.getExtent(0), 10);
  auto merged = layout.reshape({10, 32}, {5, 64});
  ASSERT_TRUE(merged.has_value());
  forEachHolder(layout, [&](Holder at) {
    Coords a = layout.getCoords(at), b = merged->getCoords(at);
    EXPECT_EQ(a[0] * 32 + a[1], b[0] * 64 + b[1]);
    EXPECT_EQ(a[0] < 10, b[0] < 5);
  });
  // Padding inside cannot be flattened.
  std::string error;
  auto inner = DistributedLayout::get({{2}, {8}}, {}, error);
  EXPECT_FALSE(inner.has_value());
  auto padded = DistributedLayout::get(
      {{2}, {8}}, {{{1, 0}, {0, 1}, {0, 2}, {0, 4}}}, error);
  ASSERT_TRUE(padded.has_value());
  EXPECT_FALSE(padded->reshape({2, 6}, {12}).has_value());
  EXPECT_TRUE(padded->reshape({2, 6}, {2, 1, 6}).has_value());
}

TEST(DistributedLayout, TransposePermutesCoordinates) {
  RandomLayouts random(14);
  for (int round = 0; round < 60; ++round) {
    DistributedLayout layout = random.make(true, 5, 1);
    llvm::SmallVector<int64_t> permutation(layout.getRank());
    std::iota(permutation.begin(), permutation.end(), 0);
    std::swap(permutation[0], permutation[random.number(permutation.size())]);
    DistributedLayout result = layout.transpose(permutation);
    auto toSource = [&](llvm::ArrayRef<int64_t> coords) {
      Coords source(coords.size(), 0);
      for (size_t i = 0; i < coords.size(); ++i)
        source[permutation[i]] = coords[i];
      return source;
    };
    auto map = getRegisterMap(layout, result, result.getExtents(), toSource);
    ASSERT_TRUE(map.has_value());
    forEachHolder(result, [&](Holder at) {
      EXPECT_EQ(toSource(result.getCoords(at)),
                layout.getCoords((*map)[at.reg], at.lane, at.warp));
    });
  }
}

TEST(DistributedLayout, SliceKeepsTheOtherCoordinates) {
  RandomLayouts random(15);
  for (int round = 0; round < 100; ++round) {
    DistributedLayout layout = random.make(false, 5, 2);
    int64_t dim = random.number(layout.getRank());
    std::optional<DistributedLayout> slice = layout.slice({dim});
    ASSERT_TRUE(slice.has_value());
    EXPECT_EQ(slice->getExtent(dim), 1);
    for (int64_t warp = 0; warp < layout.getNumWarps(); ++warp)
      for (int64_t lane = 0; lane < layout.getNumLanes(); ++lane) {
        std::set<llvm::SmallVector<int64_t>> before, after;
        for (int64_t reg = 0; reg < layout.getNumRegisters(); ++reg) {
          Coords coords = layout.getCoords(reg, lane, warp);
          coords[dim] = 0;
          before.insert(list(coords));
        }
        for (int64_t reg = 0; reg < slice->getNumRegisters(); ++reg)
          after.insert(list(slice->getCoords(reg, lane, warp)));
        EXPECT_EQ(before, after);
        EXPECT_EQ(int64_t(after.size()), slice->getNumRegisters());
      }
    // Expanding puts the dim back, in registers.
    llvm::SmallVector<int64_t> extents(layout.getRank(), 1);
    extents[dim] = 12;
    DistributedLayout grown = slice->expand(extents);
    EXPECT_EQ(grown.getExtent(dim), 12);
    EXPECT_EQ(grown.getNumRegisters(), slice->getNumRegisters() * 12);
    auto again = grown.slice({dim});
    ASSERT_TRUE(again.has_value());
    EXPECT_TRUE(again->equalUpToRegisters(*slice));
  }
}

TEST(DistributedLayout, QuotientUndoesProduct) {
  RandomLayouts random(16);
  unsigned tried = 0;
  for (int round = 0; round < 400; ++round) {
    DistributedLayout inner = random.make(true, 2, 0),
                      outer = random.make(true, 3, 2),
                      third = random.make(true, 0, 1);
    auto product = inner.product(outer);
    EXPECT_EQ(product.has_value(), inner.getRank() == outer.getRank());
    if (!product)
      continue;
    ++tried;
    auto quotient = product->quotient(inner);
    ASSERT_TRUE(quotient.has_value());
    EXPECT_TRUE(*quotient == outer);
    for (unsigned dim = 0; dim < inner.getRank(); ++dim)
      EXPECT_EQ(product->getExtent(dim),
                inner.getExtent(dim) * outer.getExtent(dim));
    // Lanes and warps concatenate; so do register bits.
    for (int64_t lane = 0; lane < 32; ++lane)
      for (int64_t warp = 0; warp < 4; ++warp) {
        Coords a = inner.getCoords(0, lane & 3, 0);
        Coords b = outer.getCoords(0, lane >> 2, warp);
        Coords c = product->getCoords(0, lane, warp);
        for (unsigned dim = 0; dim < inner.getRank(); ++dim)
          EXPECT_EQ(c[dim], a[dim] + inner.getExtent(dim) * b[dim]);
      }
    if (third.getRank() == inner.getRank()) {
      auto left = product->product(third);
      auto right = outer.product(third);
      ASSERT_TRUE(left && right);
      EXPECT_TRUE(*left == *inner.product(*right));
    }
  }
  EXPECT_GT(tried, 50u);
}

TEST(DistributedLayout, ContiguityIsTrue) {
  RandomLayouts random(17);
  for (int round = 0; round < 100; ++round) {
    DistributedLayout layout = random.make(round % 2, 5, 1);
    for (unsigned dim = 0; dim < layout.getRank(); ++dim) {
      int64_t vector = layout.getContiguity(dim);
      forEachHolder(layout, [&](Holder at) {
        Coords first =
            layout.getCoords(at.reg / vector * vector, at.lane, at.warp);
        Coords here = layout.getCoords(at);
        EXPECT_EQ(first[dim] % vector, 0);
        first[dim] += at.reg % vector;
        EXPECT_EQ(first, here);
      });
    }
  }
}

TEST(DistributedLayout, BlockedCoversTheShape) {
  std::vector<llvm::SmallVector<int64_t>> shapes = {
      {1},      {7},          {34},         {1024},        {10, 34},
      {3, 3},   {128, 32},    {8, 10, 34},  {64, 8, 3, 3}, {1, 16, 10, 34},
      {257, 5}, {1, 1, 1, 1}, {2, 63, 129}, {72, 6, 6},    {}};
  for (const auto &shape : shapes)
    for (unsigned warps : {1u, 4u, 8u}) {
      llvm::SmallVector<int64_t> order;
      for (int64_t dim = shape.size(); dim-- > 0;)
        order.push_back(dim);
      int64_t vector = !shape.empty() && shape.back() % 4 == 0 ? 4 : 1;
      DistributedLayout layout = getBlockedLayout(shape, warps, order, vector);
      ASSERT_EQ(layout.getRank(), shape.size());
      EXPECT_EQ(layout.getNumThreads(), int64_t(warps) * 32);
      int64_t elements = 1;
      for (size_t dim = 0; dim < shape.size(); ++dim) {
        EXPECT_GE(layout.getExtent(dim), shape[dim]);
        elements *= shape[dim];
      }
      // At most about twice the registers that a perfect spread needs.
      int64_t ideal = (elements + warps * 32 - 1) / (warps * 32);
      EXPECT_LE(layout.getNumRegisters(), 2 * ideal + 3) << layout.str();
      if (vector == 4)
        EXPECT_EQ(layout.getContiguity(shape.size() - 1) % 4, 0);
    }
}

TEST(DistributedLayout, RefusesBadInput) {
  std::string error;
  // Not independent, not spanning, factor 6, basis past the extent, basis in an
  // odd digit, too many elements.
  EXPECT_FALSE(DistributedLayout::get({{4}}, {{{1}, {1}}}, error));
  EXPECT_FALSE(DistributedLayout::get({{4}}, {{{1}}}, error));
  EXPECT_FALSE(DistributedLayout::get({{6}}, {{{1}}}, error));
  EXPECT_FALSE(DistributedLayout::get({{2}}, {{{2}}}, error));
  EXPECT_FALSE(DistributedLayout::get({{2, 3}}, {{{2}}}, error));
  EXPECT_FALSE(DistributedLayout::get({{-2}}, {{{1}}}, error));
  EXPECT_FALSE(DistributedLayout::get(
      {{int64_t(1) << 30}, {int64_t(1) << 30}, {int64_t(1) << 30}}, {}, error));
  EXPECT_FALSE(error.empty());
}
