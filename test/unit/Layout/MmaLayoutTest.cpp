//===- MmaLayoutTest.cpp - products by fragments, simulated ---------------===//
//
// Every warp executes its planned instructions as PTX defines them: element
// positions of a, b and c registers by lane are written down here once more,
// from the PTX manual, independent of the layouts.
//
//===----------------------------------------------------------------------===//

#include "dialects/Tile/Layout/MmaLayout.h"
#include "RandomLayouts.h"
#include <gtest/gtest.h>
#include <map>

using namespace tilefuse::tile;

namespace {
struct Position {
  int64_t row, column;
};
} // namespace

static Position getA(int64_t index, int64_t lane, bool narrow) {
  int64_t g = lane / 4, t = lane % 4;
  if (!narrow)
    return {g + 8 * (index % 2), t + 4 * (index / 2)};
  return {g + 8 * (index / 2 % 2), 2 * t + index % 2 + 8 * (index / 4)};
}

static Position getB(int64_t index, int64_t lane, bool narrow) {
  int64_t g = lane / 4, t = lane % 4;
  if (!narrow)
    return {t + 4 * index, g};
  return {2 * t + index % 2 + 8 * (index / 2), g};
}

static Position getC(int64_t index, int64_t lane) {
  return {lane / 4 + 8 * (index / 2), 2 * (lane % 4) + index % 2};
}

static int64_t flatten(llvm::ArrayRef<int64_t> coords,
                       llvm::ArrayRef<int64_t> shape) {
  int64_t flat = 0;
  for (size_t i = 0; i < shape.size(); ++i)
    flat = flat * shape[i] + coords[i];
  return flat;
}

static void check(const DotDims &dims, int64_t bits, unsigned warps,
                  llvm::ArrayRef<int64_t> avoid = {}) {
  bool narrow = bits == 16;
  auto layouts = getMmaLayouts(dims, bits, warps, avoid);
  ASSERT_TRUE(layouts.has_value());
  auto plan = planMma(dims, *layouts, bits);
  ASSERT_TRUE(plan.has_value());
  llvm::SmallVector<int64_t> shape = dims.getResultShape();
  // Small integers: products are exact whatever the order.
  RandomLayouts random(7);
  auto fill = [&](llvm::ArrayRef<int64_t> s) {
    int64_t count = 1;
    for (int64_t extent : s)
      count *= extent;
    std::vector<int64_t> values(count);
    for (int64_t &value : values)
      value = random.number(19) - 9;
    return values;
  };
  std::vector<int64_t> lhs = fill(dims.lhsShape), rhs = fill(dims.rhsShape);

  std::map<int64_t, int64_t> result;
  for (int64_t warp = 0; warp < layouts->acc.getNumWarps(); ++warp) {
    std::vector<std::vector<int64_t>> acc(
        32, std::vector<int64_t>(layouts->acc.getNumRegisters(), 0));
    for (const auto &depth : *plan)
      for (const MmaStep &step : depth) {
        std::map<std::pair<int64_t, int64_t>, int64_t> a, b;
        for (int64_t lane = 0; lane < 32; ++lane) {
          for (size_t i = 0; i < step.lhs.size(); ++i) {
            Position at = getA(i, lane, narrow);
            Coords coords = layouts->lhs.getCoords(step.lhs[i], lane, warp);
            a[{at.row, at.column}] = lhs[flatten(coords, dims.lhsShape)];
          }
          for (size_t i = 0; i < step.rhs.size(); ++i) {
            Position at = getB(i, lane, narrow);
            Coords coords = layouts->rhs.getCoords(step.rhs[i], lane, warp);
            b[{at.row, at.column}] = rhs[flatten(coords, dims.rhsShape)];
          }
        }
        for (int64_t lane = 0; lane < 32; ++lane)
          for (size_t i = 0; i < 4; ++i) {
            Position at = getC(i, lane);
            for (int64_t k = 0; k < (narrow ? 16 : 8); ++k)
              acc[lane][step.acc[i]] +=
                  a.at({at.row, k}) * b.at({k, at.column});
          }
      }
    for (int64_t lane = 0; lane < 32; ++lane)
      for (int64_t reg = 0; reg < layouts->acc.getNumRegisters(); ++reg)
        result[flatten(layouts->acc.getCoords(reg, lane, warp), shape)] =
            acc[lane][reg];
  }

  // The definition.
  llvm::SmallVector<int64_t> contractShape;
  for (int64_t dim : dims.lhsContract)
    contractShape.push_back(dims.lhsShape[dim]);
  auto forEach = [](llvm::ArrayRef<int64_t> s, auto visit) {
    llvm::SmallVector<int64_t> coords(s.size(), 0);
    while (true) {
      visit(llvm::ArrayRef<int64_t>(coords));
      int dim = s.size() - 1;
      for (; dim >= 0 && ++coords[dim] == s[dim]; --dim)
        coords[dim] = 0;
      if (dim < 0)
        return;
    }
  };
  int64_t elements = 0;
  forEach(shape, [&](llvm::ArrayRef<int64_t> at) {
    int64_t sum = 0;
    forEach(contractShape, [&](llvm::ArrayRef<int64_t> k) {
      sum += lhs[flatten(dims.getLhsCoords(at, k), dims.lhsShape)] *
             rhs[flatten(dims.getRhsCoords(at, k), dims.rhsShape)];
    });
    EXPECT_EQ(result.at(flatten(at, shape)), sum);
    ++elements;
  });
  EXPECT_EQ(int64_t(result.size()), elements);
}

TEST(Mma, Matmul) {
  check({{64, 32}, {32, 64}, {}, {}, {1}, {0}}, 32, 4);
  check({{64, 32}, {64, 32}, {}, {}, {1}, {1}}, 32, 8);
  check({{64, 32}, {64, 32}, {}, {}, {1}, {1}}, 16, 4);
  check({{16, 16}, {16, 8}, {}, {}, {1}, {0}}, 16, 1);
}

TEST(Mma, MoreWarpsThanTiles) {
  check({{16, 8}, {8, 8}, {}, {}, {1}, {0}}, 32, 8);
}

TEST(Mma, Convolution) {
  // Channels x (rows, columns): free dims stay apart.
  check({{64, 8}, {8, 8, 32}, {}, {}, {1}, {0}}, 32, 8);
  check({{64, 8}, {8, 8, 32}, {}, {}, {1}, {0}}, 32, 8, {0, 3, 3});
  check({{32, 16}, {16, 4, 4, 4}, {}, {}, {1}, {0}}, 16, 4, {0, 7, 0, 0});
}

TEST(Mma, WeightGradient) {
  // K over two dims of both operands.
  check({{16, 4, 8}, {8, 4, 8, 2}, {}, {}, {1, 2}, {1, 2}}, 32, 2);
  check({{4, 16, 8}, {4, 8, 8}, {}, {}, {0, 2}, {0, 2}}, 16, 2);
}

TEST(Mma, Batched) {
  check({{4, 16, 8}, {4, 8, 16}, {0}, {0}, {2}, {1}}, 32, 4);
  check({{2, 3, 16, 8}, {3, 2, 8, 8}, {0, 1}, {1, 0}, {3}, {2}}, 32, 4);
}

TEST(Mma, OddFactorsStayInRegisters) {
  check({{48, 8}, {8, 6, 8}, {}, {}, {1}, {0}}, 32, 4);
  check({{16, 24}, {24, 8}, {}, {}, {1}, {0}}, 32, 1);
}

TEST(Mma, RefusesWhatDoesNotFit) {
  EXPECT_FALSE(getMmaLayouts({{8, 8}, {8, 8}, {}, {}, {1}, {0}}, 32, 4));
  EXPECT_FALSE(getMmaLayouts({{16, 3}, {3, 8}, {}, {}, {1}, {0}}, 32, 4));
  EXPECT_FALSE(getMmaLayouts({{16, 8}, {8, 8}, {}, {}, {1}, {0}}, 16, 4));
  EXPECT_FALSE(getMmaLayouts({{16, 8}, {8, 8}, {}, {}, {1}, {0}}, 64, 4));
}

TEST(Mma, PlanRefusesForeignLayouts) {
  DotDims dims{{64, 32}, {32, 64}, {}, {}, {1}, {0}};
  MmaLayouts layouts = *getMmaLayouts(dims, 32, 4);
  MmaLayouts swapped = layouts;
  swapped.acc = layouts.acc.transpose({1, 0});
  EXPECT_FALSE(planMma(dims, swapped, 32));
  swapped = layouts;
  swapped.rhs = getBlockedLayout({32, 64}, 4, {1, 0}, 1);
  EXPECT_FALSE(planMma(dims, swapped, 32));
  EXPECT_TRUE(planMma(dims, layouts, 32));
}

TEST(Mma, FoldedBitsStayOutOfWarps) {
  // A 4x4 pooling window over rows and columns.
  DotDims dims{{64, 8}, {8, 8, 32}, {}, {}, {1}, {0}};
  MmaLayouts layouts = *getMmaLayouts(dims, 32, 8, {0, 3, 3});
  for (const auto &basis : layouts.acc.getBases(Hardware::Warp)) {
    EXPECT_EQ(basis[1] & 3, 0);
    EXPECT_EQ(basis[2] & 3, 0);
  }
}
