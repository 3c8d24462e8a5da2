//===- SharedLayoutTest.cpp - shared layouts and banks against brute force ===//

#include "dialects/Tile/Layout/SharedLayout.h"
#include "RandomLayouts.h"
#include <gtest/gtest.h>
#include <map>
#include <set>

using namespace tilefuse::tile;

template <typename Visit>
static void forEachElement(llvm::ArrayRef<int64_t> shape, Visit visit) {
  llvm::SmallVector<int64_t> coords(shape.size(), 0);
  while (true) {
    visit(llvm::ArrayRef<int64_t>(coords));
    int dim = shape.size() - 1;
    for (; dim >= 0 && ++coords[dim] == shape[dim]; --dim)
      coords[dim] = 0;
    if (dim < 0)
      return;
  }
}

TEST(SharedLayout, WindowIsAShift) {
  llvm::SmallVector<int64_t> strides{360, 34, 1};
  SharedLayout layout(strides, 5, Swizzle{2, 1, 3});
  SharedLayout window = layout.window({1, 2, 3}, {1, 2, 3});
  forEachElement({4, 3, 5}, [&](llvm::ArrayRef<int64_t> c) {
    EXPECT_EQ(window.getPosition(c),
              layout.getPosition({1 + c[0], 2 + 2 * c[1], 3 + 3 * c[2]}));
  });
}

TEST(SharedLayout, WindowsCompose) {
  llvm::SmallVector<int64_t> strides{100, 10, 1};
  SharedLayout layout(strides);
  SharedLayout a =
      layout.window({1, 2, 0}, {1, 2, 1}).window({0, 1, 3}, {2, 1, 1});
  SharedLayout b = layout.window({1, 4, 3}, {2, 2, 1});
  EXPECT_TRUE(a == b);
}

TEST(SharedLayout, ReshapeMovesNothing) {
  struct Case {
    llvm::SmallVector<int64_t> strides, from, to;
    bool works;
  };
  for (const Case &c :
       std::vector<Case>{{{340, 34, 1}, {8, 10, 34}, {80, 34}, true},
                         {{340, 34, 1}, {8, 10, 34}, {8, 340}, true},
                         {{344, 34, 1}, {8, 10, 34}, {8, 340}, true},
                         {{344, 34, 1}, {8, 10, 34}, {80, 34}, false},
                         {{344, 34, 1}, {8, 10, 34}, {2, 4, 5, 2, 17, 2}, true},
                         {{76, 9, 3, 1}, {64, 8, 1, 1}, {64, 8}, true},
                         {{1, 65}, {64, 8}, {8, 8, 8}, true},
                         {{1, 65}, {64, 8}, {512}, false},
                         {{1}, {6}, {4, 1}, false}}) {
    SharedLayout layout(c.strides, 3);
    auto result = layout.reshape(c.from, c.to);
    EXPECT_EQ(result.has_value(), c.works);
    if (!result)
      continue;
    std::vector<int64_t> before, after;
    forEachElement(c.from, [&](llvm::ArrayRef<int64_t> coords) {
      before.push_back(layout.getPosition(coords));
    });
    forEachElement(c.to, [&](llvm::ArrayRef<int64_t> coords) {
      after.push_back(result->getPosition(coords));
    });
    EXPECT_EQ(before, after);
  }
}

TEST(SharedLayout, InjectivityAndSpan) {
  RandomLayouts random(31);
  for (int round = 0; round < 200; ++round) {
    llvm::SmallVector<int64_t> shape, strides;
    for (int i = 0; i < 3; ++i) {
      shape.push_back(1 + random.number(5));
      strides.push_back(random.number(30));
    }
    SharedLayout layout(strides, random.number(4),
                        Swizzle{unsigned(random.number(3)), 1, 2});
    std::set<int64_t> seen;
    int64_t count = 0, most = 0;
    forEachElement(shape, [&](llvm::ArrayRef<int64_t> coords) {
      seen.insert(layout.getPosition(coords));
      most = std::max(most, layout.getPosition(coords));
      ++count;
    });
    EXPECT_EQ(layout.isInjective(shape), int64_t(seen.size()) == count);
    EXPECT_LT(most, layout.getSpan(shape));
  }
}

TEST(Banks, PassesByHand) {
  llvm::SmallVector<int64_t> rows, same, strided, wide;
  for (int64_t lane = 0; lane < 32; ++lane) {
    rows.push_back(lane * 4);
    same.push_back(64);
    strided.push_back(lane * 8);
    wide.push_back(lane * 16);
  }
  EXPECT_EQ(countPasses(rows, 4), 1);
  EXPECT_EQ(countPasses(same, 4), 1);    // one word, broadcast
  EXPECT_EQ(countPasses(strided, 4), 2); // every other bank
  EXPECT_EQ(countPasses(wide, 16), 4);   // 512 bytes
}

TEST(Banks, CountMatchesEnumeration) {
  RandomLayouts random(32);
  for (int round = 0; round < 30; ++round) {
    DistributedLayout threads = random.make(false, 5, 1);
    llvm::SmallVector<int64_t> shape(threads.getExtents()), strides;
    for (size_t i = 0; i < shape.size(); ++i)
      strides.push_back(1 + random.number(70));
    SharedLayout layout(strides);
    int64_t passes = 0;
    for (int64_t warp = 0; warp < threads.getNumWarps(); ++warp)
      for (int64_t reg = 0; reg < threads.getNumRegisters(); ++reg) {
        std::map<int64_t, std::set<int64_t>> banks;
        for (int64_t lane = 0; lane < 32; ++lane) {
          int64_t word = layout.getPosition(threads.getCoords(reg, lane, warp));
          banks[word % 32].insert(word);
        }
        size_t most = 0;
        for (auto &[bank, words] : banks)
          most = std::max(most, words.size());
        passes += most;
      }
    EXPECT_EQ(countBankPasses(layout, threads, shape, 4, 1).passes, passes);
  }
}

static SharedLayout makeLayout(int64_t rows, int64_t columns,
                               int64_t offset = 0) {
  return SharedLayout(llvm::SmallVector<int64_t>{rows, columns}, offset);
}

TEST(Banks, VectorWidthIsTrue) {
  DistributedLayout threads = getBlockedLayout({32, 64}, 4, {1, 0}, 4);
  EXPECT_EQ(getSharedVector(makeLayout(64, 1), threads, {32, 64}, 4), 4);
  EXPECT_EQ(getSharedVector(makeLayout(66, 1), threads, {32, 64}, 4), 2);
  EXPECT_EQ(getSharedVector(makeLayout(65, 1), threads, {32, 64}, 4), 1);
  EXPECT_EQ(getSharedVector(makeLayout(1, 32), threads, {32, 64}, 4), 1);
  EXPECT_EQ(getSharedVector(makeLayout(64, 1, 2), threads, {32, 64}, 4), 2);
  EXPECT_EQ(getSharedVector(makeLayout(64, 1), threads, {32, 64}, 8), 2);
}

TEST(Banks, ChosenPaddingIsFreeOfConflicts) {
  // The rhs fragment of m16n8k8: 8 columns in lanes 2-4, 4 channels in lanes
  // 0-1, over a patch of 8 channels x 10 x 34.
  std::string error;
  std::vector<DistributedLayout::Bases> bases = {
      {{4, 0, 0}, {0, 1, 0}, {0, 2, 0}, {0, 4, 0}, {0, 0, 8}, {0, 0, 16}},
      {{1, 0, 0}, {2, 0, 0}, {0, 0, 1}, {0, 0, 2}, {0, 0, 4}}};
  auto fragment = DistributedLayout::get({{8}, {8}, {32}}, bases, error);
  ASSERT_TRUE(fragment.has_value()) << error;
  auto tap = [](const SharedLayout &layout) {
    return std::optional(layout.window({0, 1, 1}, {1, 1, 1}));
  };
  SharedLayout dense = SharedLayout::getDense({8, 10, 34});
  EXPECT_GT(
      countBankPasses(*tap(dense), *fragment, {8, 8, 32}, 4, 1).getConflicts(),
      0);
  SharedAccess access{*fragment, {8, 8, 32}, tap, 1, false};
  SharedLayout chosen = chooseSharedLayout({8, 10, 34}, 4, {access});
  EXPECT_EQ(
      countBankPasses(*tap(chosen), *fragment, {8, 8, 32}, 4, 1).getConflicts(),
      0);
  EXPECT_TRUE(chosen.isInjective({8, 10, 34}));
  int64_t plane = chosen.getStrides()[0] % 32;
  EXPECT_TRUE(plane == 8 || plane == 24) << plane;
}
