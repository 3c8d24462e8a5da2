//===- LinearMapTest.cpp - linear maps against brute force ----------------===//

#include "dialects/Tile/Layout/LinearMap.h"
#include <gtest/gtest.h>
#include <random>
#include <set>

using namespace tilefuse::tile;

static LinearMap makeMap(std::mt19937 &engine, unsigned inputs,
                         unsigned outputs) {
  llvm::SmallVector<uint64_t> columns;
  for (unsigned i = 0; i < inputs; ++i)
    columns.push_back(engine() & ((1u << outputs) - 1));
  return LinearMap(columns, outputs);
}

TEST(LinearMap, IsLinear) {
  std::mt19937 engine(1);
  for (int round = 0; round < 50; ++round) {
    LinearMap map = makeMap(engine, 6, 5);
    for (uint64_t a = 0; a < 64; ++a)
      for (uint64_t b = 0; b < 64; b += 7)
        EXPECT_EQ(map.apply(a ^ b), map.apply(a) ^ map.apply(b));
  }
}

TEST(LinearMap, CompositionIsApplicationAndAssociative) {
  std::mt19937 engine(2);
  for (int round = 0; round < 50; ++round) {
    LinearMap a = makeMap(engine, 5, 6), b = makeMap(engine, 6, 4),
              c = makeMap(engine, 4, 7);
    EXPECT_EQ(a.then(b).then(c), a.then(b.then(c)));
    for (uint64_t x = 0; x < 32; ++x)
      EXPECT_EQ(a.then(b).apply(x), b.apply(a.apply(x)));
  }
}

TEST(LinearMap, RankCountsTheImage) {
  std::mt19937 engine(3);
  for (int round = 0; round < 100; ++round) {
    LinearMap map = makeMap(engine, 5, 5);
    std::set<uint64_t> image;
    for (uint64_t x = 0; x < 32; ++x)
      image.insert(map.apply(x));
    EXPECT_EQ(image.size(), size_t(1) << map.rank());
  }
}

TEST(LinearMap, InverseIsARightInverse) {
  std::mt19937 engine(4);
  unsigned onto = 0;
  for (int round = 0; round < 300; ++round) {
    LinearMap map = makeMap(engine, 7, 5);
    std::optional<LinearMap> inverse = map.inverse();
    EXPECT_EQ(inverse.has_value(), map.isSurjective());
    if (!inverse)
      continue;
    ++onto;
    EXPECT_EQ(inverse->then(map), LinearMap::identity(5));
    if (map.isInvertible())
      EXPECT_EQ(map.then(*inverse), LinearMap::identity(7));
  }
  EXPECT_GT(onto, 50u);
}

TEST(LinearMap, QuotientUndoesProduct) {
  std::mt19937 engine(5);
  for (int round = 0; round < 100; ++round) {
    LinearMap low = makeMap(engine, 3, 4), high = makeMap(engine, 4, 2);
    LinearMap whole = low.product(high);
    for (uint64_t x = 0; x < 128; ++x)
      EXPECT_EQ(whole.apply(x), low.apply(x & 7) | high.apply(x >> 3) << 4);
    std::optional<LinearMap> quotient = whole.quotient(low);
    ASSERT_TRUE(quotient.has_value());
    EXPECT_EQ(*quotient, high);
  }
  // A map that mixes low and high outputs has no quotient.
  LinearMap mixed({1, 3}, 2);
  EXPECT_FALSE(mixed.quotient(LinearMap::identity(1)).has_value());
}
