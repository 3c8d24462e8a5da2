//===- CostModelTest.cpp - bytes, flops and footprints ----------*- C++ -*-===//

#include "lib/CostModel/CostModel.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace tilefuse;

namespace {

class CostModelTest : public ::testing::Test {
protected:
  CostModelTest() {
    context.loadDialect<fuse::FuseDialect, func::FuncDialect>();
  }

  /// The body of the only function of `text`, as a group that yields what the
  /// function returns.
  fuse::KernelGroup parse(StringRef text) {
    module = parseSourceString<ModuleOp>(text, &context);
    fuse::KernelGroup group;
    if (!module)
      return group;
    auto func = *module->getOps<func::FuncOp>().begin();
    for (Operation &op : func.getBody().front().without_terminator()) {
      group.ops.push_back(&op);
      if (isa<fuse::ContractionOpInterface>(op))
        group.anchor = &op;
    }
    group.results = llvm::to_vector(
        func.getBody().front().getTerminator()->getOperands());
    return group;
  }

  CostModel modelOf(StringRef arch) {
    return CostModel(fuse::TargetAttr::getNamed(&context, arch));
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
};

constexpr const char *kConvolution = R"(
  func.func @f(%x: tensor<2x8x20x20xf32>, %w: tensor<16x8x3x3xf32>) -> tensor<2x16x9x9xf32> {
    %c = fuse.conv2d %x, %w stride [2, 2]
        : (tensor<2x8x20x20xf32>, tensor<16x8x3x3xf32>) -> tensor<2x16x9x9xf32>
    %t = fuse.tanh %c : tensor<2x16x9x9xf32>
    return %t : tensor<2x16x9x9xf32>
  })";

TEST_F(CostModelTest, CountsEachInputAndResultOnce) {
  fuse::KernelGroup group = parse(kConvolution);
  ASSERT_EQ(group.ops.size(), 2u);
  KernelCost cost = modelOf("sm_90a").getCost(group);
  EXPECT_EQ(cost.bytesRead, 4 * (2 * 8 * 20 * 20 + 16 * 8 * 3 * 3));
  EXPECT_EQ(cost.bytesWritten, 4 * 2 * 16 * 9 * 9);
  EXPECT_EQ(cost.contractionOps, 2ll * 2 * 16 * 9 * 9 * 8 * 3 * 3);
  EXPECT_GT(cost.elementOps, 0);
  EXPECT_GT(cost.time, 0);
}

TEST_F(CostModelTest, FootprintFollowsStrideAndTaps) {
  fuse::KernelGroup group = parse(kConvolution);
  ASSERT_TRUE(group.anchor);
  fuse::IterationSpace space =
      cast<fuse::IterationSpaceOpInterface>(group.anchor).getIterationSpace();
  // 4 rows and 8 columns of results, two apart, three taps each.
  SmallVector<int64_t> block{1, 16, 4, 8, 8, 3, 3};
  EXPECT_EQ(getFootprint(space.operands[0], block, {2, 8, 20, 20}),
            (SmallVector<int64_t>{1, 8, 9, 17}));
  EXPECT_EQ(getFootprint(space.operands[1], block, {16, 8, 3, 3}),
            (SmallVector<int64_t>{16, 8, 3, 3}));
  TileCost tile = modelOf("sm_90a").getTileCost(group.anchor, block);
  EXPECT_EQ(tile.accumulator, 16 * 4 * 8);
  EXPECT_EQ(tile.sharedBytes, 4 * (8 * 9 * 17 + 16 * 8 * 9));
}

TEST_F(CostModelTest, DividedIndexMeetsFewerElements) {
  fuse::KernelGroup group = parse(R"(
    func.func @f(%x: tensor<2x8x8x8xf32>, %w: tensor<8x16x4x4xf32>) -> tensor<2x16x16x16xf32> {
      %c = fuse.conv_transpose2d %x, %w stride [2, 2] padding [1, 1]
          : (tensor<2x8x8x8xf32>, tensor<8x16x4x4xf32>) -> tensor<2x16x16x16xf32>
      return %c : tensor<2x16x16x16xf32>
    })");
  ASSERT_TRUE(group.anchor);
  // Four of the sixteen taps count for each element.
  EXPECT_EQ(modelOf("sm_90a").getOps(group.anchor),
            2ll * 2 * 16 * 16 * 16 * 8 * 4);
}

TEST_F(CostModelTest, MatrixUnitDependsOnPrecision) {
  auto timeOf = [&](StringRef precision, StringRef arch) {
    std::string text =
        ("func.func @f(%x: tensor<512x512xf32>, %w: tensor<512x512xf32>) -> "
         "tensor<512x512xf32> {\n %c = fuse.matmul %x, %w precision " +
         precision +
         " : (tensor<512x512xf32>, tensor<512x512xf32>) -> "
         "tensor<512x512xf32>\n return %c : tensor<512x512xf32> }")
            .str();
    fuse::KernelGroup group = parse(text);
    EXPECT_TRUE(group.anchor) << text;
    return group.anchor ? modelOf(arch).getContractionTime(
                              cast<fuse::ContractionOpInterface>(group.anchor))
                        : 0.0;
  };
  EXPECT_DOUBLE_EQ(timeOf("f32", "sm_90a"), 3 * timeOf("tf32", "sm_90a"));
  EXPECT_GT(timeOf("tf32", "sm_90a"), timeOf("bf16", "sm_90a"));
  EXPECT_GT(timeOf("tf32", "cpu"), timeOf("tf32", "sm_90a"));
}

TEST_F(CostModelTest, PiecesOfSectorsCostMore) {
  auto timeOf = [&](int64_t stride, StringRef arch) {
    int64_t extent = 30 * stride + 4;
    std::string tensor = "tensor<2x16x" + std::to_string(extent) + "x" +
                         std::to_string(extent) + "xf32>";
    std::string text = "func.func @f(%x: tensor<2x8x31x31xf32>, %w: "
                       "tensor<8x16x4x4xf32>) -> " +
                       tensor +
                       " { %c = fuse.conv_transpose2d %x, %w stride [" +
                       std::to_string(stride) + ", " + std::to_string(stride) +
                       "] : (tensor<2x8x31x31xf32>, tensor<8x16x4x4xf32>) -> " +
                       tensor + " %t = fuse.tanh %c : " + tensor +
                       " return %t : " + tensor + " }";
    fuse::KernelGroup group = parse(text);
    EXPECT_TRUE(group.anchor) << text;
    if (!group.anchor)
      return 0.0;
    Value result = group.results.front();
    CostModel model = modelOf(arch);
    return model.getWriteTime(result) /
           model.getMemoryTime(getByteSize(result.getType()));
  };
  EXPECT_DOUBLE_EQ(timeOf(1, "sm_90a"), 1);
  EXPECT_DOUBLE_EQ(timeOf(2, "sm_90a"), 4);
  // A sector has room for eight.
  EXPECT_DOUBLE_EQ(timeOf(9, "sm_90a"), 16);
  EXPECT_DOUBLE_EQ(timeOf(2, "cpu"), 1);
}

TEST_F(CostModelTest, IndicesSimplifyOverTheirRanges) {
  AffineExpr c = getAffineDimExpr(0, &context), h = getAffineDimExpr(1, &context),
             w = getAffineDimExpr(2, &context);
  SmallVector<int64_t> extents{16, 8, 8};
  EXPECT_EQ(fuse::simplifyIndex((c * 64 + h * 8 + w).floorDiv(64), extents), c);
  EXPECT_EQ(fuse::simplifyIndex((c * 64 + h * 8 + w) % 64, extents),
            h * 8 + w);
  EXPECT_EQ(fuse::simplifyIndex(h.floorDiv(4) * 4 + h % 4, extents), h);
  EXPECT_EQ(fuse::simplifyIndex(h.floorDiv(8), extents),
            getAffineConstantExpr(0, &context));
  std::optional<fuse::BlockIndex> index =
      fuse::decodeBlockIndex(fuse::simplifyIndex(c.floorDiv(4) % 2, extents));
  ASSERT_TRUE(index);
  EXPECT_EQ(index->dim, 0);
  EXPECT_EQ(index->divisor, 4);
  EXPECT_EQ(index->modulus, 2);
  EXPECT_FALSE(fuse::decodeBlockIndex(c * 8 + h));
}

TEST_F(CostModelTest, StructureSaysWhatATileHolds) {
  fuse::KernelGroup group = parse(R"(
    func.func @f(%x: tensor<4x32xf32>) -> tensor<4x32xf32> {
      %m = fuse.reduce max %x dims [1] keepdims : tensor<4x32xf32> -> tensor<4x1xf32>
      %d = fuse.sub %x, %m : (tensor<4x32xf32>, tensor<4x1xf32>) -> tensor<4x32xf32>
      return %d : tensor<4x32xf32>
    })");
  std::string reason;
  FailureOr<fuse::KernelStructure> structure =
      fuse::KernelStructure::analyze(group, {}, reason);
  ASSERT_TRUE(succeeded(structure)) << reason;
  EXPECT_EQ(structure->getMustHold(), (ArrayRef<bool>{false, true}));
  EXPECT_EQ(structure->getStage(group.ops[0]), fuse::Stage::TileReduce);
  EXPECT_EQ(structure->getStage(group.ops[1]), fuse::Stage::Tile);
  EXPECT_FALSE(structure->hasFinish());

  // Without a reader of the rows, the reduction may cross tiles.
  group.ops.pop_back();
  group.results = {group.ops[0]->getResult(0)};
  structure = fuse::KernelStructure::analyze(group, {}, reason);
  ASSERT_TRUE(succeeded(structure)) << reason;
  EXPECT_TRUE(structure->hasFinish());
  EXPECT_EQ(structure->getStage(group.ops[0]), fuse::Stage::CrossReduce);
  structure = fuse::KernelStructure::analyze(group, {2, 32}, reason);
  ASSERT_TRUE(succeeded(structure)) << reason;
  EXPECT_FALSE(structure->hasFinish());
}

} // namespace
