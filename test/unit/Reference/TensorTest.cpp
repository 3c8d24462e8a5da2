//===- TensorTest.cpp - element types, files and random tensors -----------===//

#include "lib/Reference/Compare.h"
#include "lib/Reference/Npy.h"
#include "lib/Reference/Random.h"

#include <cmath>
#include <fstream>
#include <gtest/gtest.h>
#include <limits>

using namespace tilefuse;
using namespace tilefuse::reference;

TEST(Rounding, Tf32TiesGoAway) {
  EXPECT_EQ(roundToTF32(1.0 + 0x1p-11), 1.0);
  EXPECT_EQ(roundToTF32(1.0 + 0x1.8p-10), 1.0 + 0x1p-9);
  EXPECT_EQ(roundToTF32(-1.0 - 0x1.8p-10), -1.0 - 0x1p-9);
  EXPECT_EQ(roundToTF32(1.0 + 0x1p-12), 1.0);
  EXPECT_EQ(roundToTF32(2.0 - 0x1p-13), 2.0);
  EXPECT_TRUE(std::isnan(roundToTF32(std::nan(""))));
}

TEST(Rounding, ShortTypesTieToEven) {
  EXPECT_EQ(roundToType(1.0 + 0x1p-11, DType::F16), 1.0);
  EXPECT_EQ(roundToType(1.0 + 0x1.8p-10, DType::F16), 1.0 + 0x1p-9);
  EXPECT_EQ(roundToType(65520.0, DType::F16), HUGE_VAL);
  EXPECT_EQ(roundToType(65519.0, DType::F16), 65504.0);
  EXPECT_EQ(roundToType(0x1p-25, DType::F16), 0.0);
  EXPECT_EQ(roundToType(0x1.8p-25, DType::F16), 0x1p-24);
  EXPECT_EQ(roundToType(1.0 + 0x1p-8, DType::BF16), 1.0);
}

TEST(Rounding, EncodedValuesComeBack) {
  for (DType type : {DType::F16, DType::BF16}) {
    Tensor tensor(type, {1});
    for (double value : {0.0, 1.5, -2.25, 0x1p-14, 0x1p-15, 0x1.8p-20, 1024.0,
                         static_cast<double>(HUGE_VAL)}) {
      tensor.setDouble(0, value);
      EXPECT_EQ(tensor.getDouble(0), roundToType(value, type));
    }
  }
}

namespace {
class NpyFile : public testing::Test {
protected:
  std::string path = testing::TempDir() + "reference-test.npy";

  std::string readError(const std::string &bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
    auto tensor = readNpy(path);
    return tensor ? "" : tensor.error().message;
  }

  static std::string withHeader(std::string header) {
    header.resize(118, ' ');
    header.back() = '\n';
    return std::string("\x93NUMPY\x01\x00\x76\x00", 10) + header;
  }
};
} // namespace

TEST_F(NpyFile, RoundTrips) {
  for (DType type : {DType::F32, DType::F64, DType::F16, DType::I1, DType::I8,
                     DType::I32, DType::I64}) {
    Tensor tensor(type, {3, 5});
    fillRandom(tensor, {Initializer::Kind::Uniform, -9, 9}, 1, 2);
    ASSERT_TRUE(writeNpy(path, tensor));
    auto back = readNpy(path);
    ASSERT_TRUE(back) << back.error().toString();
    EXPECT_EQ(back->getType(), type);
    for (int64_t i = 0; i < tensor.size(); ++i)
      EXPECT_EQ(back->getDouble(i), tensor.getDouble(i));
  }
}

TEST_F(NpyFile, FortranOrderIsTransposed) {
  std::string bytes =
      withHeader("{'descr': '|i1', 'fortran_order': True, 'shape': (2, 3), }");
  ASSERT_EQ(readError(bytes + std::string("\1\2\3\4\5\6", 6)), "");
  auto tensor = readNpy(path);
  EXPECT_EQ(tensor->getInteger(0), 1);
  EXPECT_EQ(tensor->getInteger(1), 3);
  EXPECT_EQ(tensor->getInteger(3), 2);
}

TEST_F(NpyFile, DamagedFilesAreRefused) {
  std::string good =
      withHeader("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }");
  EXPECT_EQ(readError(good + std::string(8, '\0')), "");
  EXPECT_EQ(readError(""), "not an .npy file");
  EXPECT_EQ(readError(good.substr(0, 9)), "truncated .npy header");
  EXPECT_EQ(readError(good.substr(0, 40)), "truncated .npy header");
  EXPECT_NE(readError(good + std::string(7, '\0')).find("found 7"),
            std::string::npos);
  EXPECT_NE(readError(good + std::string(9, '\0')).find("found 9"),
            std::string::npos);
  const char *manyElements = "{'descr': '<f4', 'fortran_order': False, 'shape': "
                             "(1000000000000, 1000000000000, 1000000000000), }";
  for (const char *header :
       {"{'descr': '>f4', 'fortran_order': False, 'shape': (2,), }",
        "{'descr': '<f4', 'fortran_order': False}",
        "{'descr': '<f4', 'fortran_order': 7, 'shape': (2,), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-2,), }",
        "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }",
        manyElements,
        "{'descr': '<f4"})
    EXPECT_NE(readError(withHeader(header)), "") << header;
}

TEST(Random, DependsOnSeedStreamAndPosition) {
  Tensor a(DType::F32, {100000}), b(DType::F32, {100000});
  fillRandom(a, {}, 1, 0);
  fillRandom(b, {}, 1, 0);
  EXPECT_EQ(a.getDouble(77777), b.getDouble(77777));
  fillRandom(b, {}, 1, 1);
  EXPECT_NE(a.getDouble(77777), b.getDouble(77777));
  fillRandom(b, {Initializer::Kind::Normal, 3.0, 2.0}, 1, 0);
  double sum = 0, squares = 0;
  for (int64_t i = 0; i < a.size(); ++i) {
    ASSERT_GE(a.getDouble(i), 0.0);
    ASSERT_LT(a.getDouble(i), 1.0);
    sum += b.getDouble(i);
    squares += (b.getDouble(i) - 3) * (b.getDouble(i) - 3);
  }
  EXPECT_NEAR(sum / 1e5, 3.0, 0.05);
  EXPECT_NEAR(squares / 1e5, 4.0, 0.1);
}

namespace {
/// What the rule says about one output, with an exact reference 1, 2, ..., 1000
/// and a rounded evaluation that is off by `loss` of each.
Report judge(double loss, double change, int64_t at,
             double value = std::nan("")) {
  Grid grid = Grid::makeFull({1000});
  Array exact(DType::F32, grid), rounded(DType::F32, grid);
  Tensor output(DType::F32, {1000});
  for (int64_t i = 0; i < 1000; ++i) {
    exact.values[i] = static_cast<double>(i + 1);
    rounded.values[i] = exact.values[i] * (1 + (i % 2 ? loss : -loss));
    output.setDouble(i, exact.values[i] * (1 + (i % 2 ? change : -change)));
  }
  if (at >= 0)
    output.setDouble(at, value);
  return compare(output, exact, rounded, {});
}
} // namespace

TEST(Rule, BoundFollowsTheRoundedEvaluation) {
  EXPECT_TRUE(judge(0, 0, -1).passed);
  EXPECT_TRUE(judge(0, 9e-7, -1).passed);
  EXPECT_FALSE(judge(0, 3e-6, -1).passed);
  EXPECT_TRUE(judge(1e-3, 1.05e-3, -1).passed);
  EXPECT_FALSE(judge(1e-3, 1.2e-3, -1).passed);
}

TEST(Rule, SpecialValuesMustAgree) {
  EXPECT_FALSE(judge(1e-3, 0, 5, std::nan("")).passed);
  EXPECT_FALSE(judge(1e-3, 0, 5, HUGE_VAL).passed);
}

TEST(Rule, OneWrongElementIsSeen) {
  // Its share of the norm is below the bound of 1e-2.
  EXPECT_FALSE(judge(1e-4, 1e-4, 3, 100.0).passed);
}
