//===- ConversionTest.cpp - conversion plans simulated on all threads -----===//

#include "dialects/Tile/Layout/Conversion.h"
#include "RandomLayouts.h"
#include <gtest/gtest.h>

using namespace tilefuse::tile;

/// Runs the plan: value of a register is the list of its coordinates.
static void simulate(const DistributedLayout &src, const DistributedLayout &dst,
                     llvm::ArrayRef<int64_t> shape,
                     const ConversionPlan &plan) {
  forEachHolder(dst, [&](Holder at) {
    Coords wanted = dst.getCoords(at);
    for (size_t dim = 0; dim < shape.size(); ++dim)
      if (wanted[dim] >= shape[dim])
        return; // padding
    Holder from = at;
    if (plan.kind == ConversionKind::Registers) {
      from.reg = plan.registers[at.reg];
    } else {
      const ShuffleMove &move = plan.moves[at.reg];
      from.lane = move.getSourceLane(at.lane);
      from.reg = move.getCandidate(at.lane);
      ASSERT_LT(from.lane, 32);
    }
    ASSERT_GE(from.reg, 0);
    EXPECT_EQ(src.getCoords(from), wanted);
  });
}

/// A permutation of lane and register bits keeps values in their warps.
static DistributedLayout shuffleBits(RandomLayouts &random,
                                     const DistributedLayout &layout) {
  llvm::SmallVector<llvm::SmallVector<int64_t, 4>> factors(layout.getRank());
  for (unsigned dim = 0; dim < layout.getRank(); ++dim)
    factors[dim] = layout.getFactors(dim);
  std::vector<DistributedLayout::Bases> bases(numHardware);
  for (unsigned part = 0; part < numHardware; ++part)
    bases[part] = layout.getBases(Hardware(part));
  for (int i = 0; i < 2; ++i) {
    if (bases[0].empty())
      break;
    std::swap(bases[0][random.number(bases[0].size())],
              bases[1][random.number(5)]);
    std::swap(bases[1][random.number(5)], bases[1][random.number(5)]);
  }
  std::string error;
  return *DistributedLayout::get(factors, bases, error);
}

TEST(Conversion, WithinWarps) {
  RandomLayouts random(21);
  unsigned kinds[3] = {};
  for (int round = 0; round < 300; ++round) {
    DistributedLayout src = random.make(round % 2, 5, 2);
    DistributedLayout dst = shuffleBits(random, src);
    ConversionPlan plan = planConversion(src, dst, src.getExtents());
    ++kinds[int(plan.kind)];
    if (plan.kind != ConversionKind::Shared)
      simulate(src, dst, src.getExtents(), plan);
  }
  EXPECT_GT(kinds[0], 10u);
  EXPECT_GT(kinds[1], 50u);
}

TEST(Conversion, AcrossWarpsIsShared) {
  DistributedLayout rows = getBlockedLayout({32, 32}, 4, {1, 0}, 1);
  DistributedLayout columns = getBlockedLayout({32, 32}, 4, {0, 1}, 1);
  EXPECT_EQ(planConversion(rows, columns, {32, 32}).kind,
            ConversionKind::Shared);
  // The other way every thread has all values.
  DistributedLayout all = getReplicatedLayout({32, 32}, 4);
  ConversionPlan plan = planConversion(all, columns, {32, 32});
  // Which register depends on the thread: not a renaming.
  EXPECT_NE(plan.kind, ConversionKind::Registers);
  EXPECT_EQ(planConversion(rows, rows, {32, 32}).kind,
            ConversionKind::Registers);
}

TEST(Conversion, CopiesAreReadNearby) {
  // Lanes 2..4 hold copies; the destination wants the same in other lanes.
  std::string error;
  auto src =
      DistributedLayout::get({{4}}, {{}, {{1}, {2}, {0}, {0}, {0}}}, error);
  auto dst =
      DistributedLayout::get({{4}}, {{}, {{0}, {0}, {0}, {1}, {2}}}, error);
  ASSERT_TRUE(src && dst);
  ConversionPlan plan = planConversion(*src, *dst, {4});
  ASSERT_EQ(plan.kind, ConversionKind::Shuffles);
  simulate(*src, *dst, {4}, plan);
  EXPECT_EQ(plan.getNumShuffles(), 1);
}

TEST(Conversion, PaddingIsFree) {
  // 6 of 8 elements are real; registers that hold the rest map to nothing.
  std::string error;
  std::vector<DistributedLayout::Bases> bases = {
      {{1}, {2}, {4}}, DistributedLayout::Bases(5, {0})};
  auto layout = DistributedLayout::get({{8}}, bases, error);
  ASSERT_TRUE(layout.has_value());
  ConversionPlan plan = planConversion(*layout, *layout, {6});
  ASSERT_EQ(plan.kind, ConversionKind::Registers);
  EXPECT_EQ(plan.registers[5], 5);
  EXPECT_EQ(plan.registers[7], -1);
}
