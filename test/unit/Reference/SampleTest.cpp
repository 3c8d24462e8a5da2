//===- SampleTest.cpp - a sampled evaluation gives the same elements ------===//

#include "lib/Reference/Sample.h"
#include "lib/Reference/Random.h"
#include "lib/Reference/Reference.h"
#include "passes/Registration.h"

#include "mlir/Parser/Parser.h"

#include <cmath>
#include <gtest/gtest.h>

using namespace tilefuse;
using namespace tilefuse::reference;

namespace {

/// One of each family, with strides, padding, dilation and groups.
constexpr const char *graphs[] = {
    R"(func.func @conv(%x: tensor<2x6x11x13xf32>, %w: tensor<4x3x3x2xf32>) -> tensor<2x4x3x2xf32> {
      %y = fuse.conv2d %x, %w stride [2, 1] padding [1, 0] dilation [1, 2] groups 2
        : (tensor<2x6x11x13xf32>, tensor<4x3x3x2xf32>) -> tensor<2x4x6x11xf32>
      %p = fuse.max_pool2d %y kernel [2, 5] : tensor<2x4x6x11xf32> -> tensor<2x4x3x2xf32>
      return %p : tensor<2x4x3x2xf32>
    })",
    R"(func.func @transposed(%x: tensor<2x4x5x6xf32>, %w: tensor<4x3x4x4xf32>) -> tensor<2x6x11x13xf32> {
      %y = fuse.conv_transpose2d %x, %w stride [2, 2] padding [1, 1] output_padding [1, 1] groups 2
        : (tensor<2x4x5x6xf32>, tensor<4x3x4x4xf32>) -> tensor<2x6x11x13xf32>
      %s = fuse.softmax %y dim 1 : tensor<2x6x11x13xf32> -> tensor<2x6x11x13xf32>
      return %s : tensor<2x6x11x13xf32>
    })",
    R"(func.func @norm(%x: tensor<5x7xf32>, %w: tensor<9x7xf32>, %g: tensor<9xf32>) -> (tensor<5x9xf32>, tensor<9xf32>, tensor<9xf32>) {
      %z = fuse.matmul %x, %w transpose_b : (tensor<5x7xf32>, tensor<9x7xf32>) -> tensor<5x9xf32>
      %y, %m, %v = fuse.batch_norm %z, %g, %g, %g, %g
        : (tensor<5x9xf32>, tensor<9xf32>, tensor<9xf32>, tensor<9xf32>, tensor<9xf32>)
        -> (tensor<5x9xf32>, tensor<9xf32>, tensor<9xf32>)
      return %y, %m, %v : tensor<5x9xf32>, tensor<9xf32>, tensor<9xf32>
    })",
    R"(func.func @moved(%x: tensor<6x4x5xf32>) -> (tensor<5x24xf32>, tensor<6x9xf32>) {
      %t = fuse.transpose %x permutation [2, 0, 1] : tensor<6x4x5xf32> -> tensor<5x6x4xf32>
      %r = fuse.reshape %t : tensor<5x6x4xf32> -> tensor<5x24xf32>
      %s = fuse.slice %x offsets [0, 1, 0] sizes [6, 1, 3] strides [1, 1, 2]
        : tensor<6x4x5xf32> -> tensor<6x1x3xf32>
      %f = fuse.reshape %s : tensor<6x1x3xf32> -> tensor<6x3xf32>
      %p = fuse.pad %f low [0, 1] high [0, 2] value 0.0 : f32 : tensor<6x3xf32> -> tensor<6x6xf32>
      %c = fuse.concat %f, %p dim 1 : (tensor<6x3xf32>, tensor<6x6xf32>) -> tensor<6x9xf32>
      return %r, %c : tensor<5x24xf32>, tensor<6x9xf32>
    })",
    R"(func.func @windows(%x: tensor<2x9x10xf32>, %dy: tensor<2x4x5xf32>, %g: tensor<9x10xf32>) -> (tensor<2x9x10xf32>, tensor<2x9x10xf32>, tensor<2x10xf32>) {
      %y:2 = fuse.window_reduce max %x window [3, 3] stride [2, 2] padding_high [0, 1] argmax i8
        : tensor<2x9x10xf32> -> tensor<2x4x5xf32>, tensor<2x4x5xi8>
      %d = fuse.window_max_grad %dy, %y#1 input_size [9, 10] window [3, 3] stride [2, 2] padding_high [0, 1]
        : (tensor<2x4x5xf32>, tensor<2x4x5xi8>) -> tensor<2x9x10xf32>
      %n = fuse.layer_norm %x num_dims 2 gamma %g : (tensor<2x9x10xf32>, tensor<9x10xf32>) -> tensor<2x9x10xf32>
      %l = fuse.logsumexp %n dims [1] : tensor<2x9x10xf32> -> tensor<2x10xf32>
      return %d, %n, %l : tensor<2x9x10xf32>, tensor<2x9x10xf32>, tensor<2x10xf32>
    })",
};

class Sampled : public testing::TestWithParam<const char *> {};

std::vector<Tensor> makeInputs(mlir::func::FuncOp function) {
  std::vector<Tensor> inputs;
  for (mlir::Type type : function.getArgumentTypes()) {
    auto tensor = llvm::cast<mlir::RankedTensorType>(type);
    inputs.emplace_back(*getDType(tensor.getElementType()), tensor.getShape());
    fillRandom(inputs.back(), {}, /*seed=*/7, inputs.size());
  }
  return inputs;
}

} // namespace

TEST_P(Sampled, EqualsWhole) {
  mlir::DialectRegistry registry;
  registerDialects(registry);
  mlir::MLIRContext context(registry);
  auto module = mlir::parseSourceString<mlir::ModuleOp>(GetParam(), &context);
  ASSERT_TRUE(module);
  auto function = *module->getOps<mlir::func::FuncOp>().begin();
  std::vector<Tensor> inputs = makeInputs(function);
  llvm::SmallVector<const Tensor *> addresses;
  for (const Tensor &input : inputs)
    addresses.push_back(&input);
  auto whole = evaluate(function, addresses);
  ASSERT_TRUE(whole) << whole.error().toString();

  for (uint64_t round = 0; round < 20; ++round) {
    reference::Options options;
    for (const Array &array : *whole) {
      Grid &grid = options.wanted.emplace_back();
      for (size_t d = 0; d < array.grid.rank(); ++d) {
        IndexList list;
        for (int64_t i : array.grid.dims[d])
          if (getRandomBits(round, d, i) % 3 == 0)
            list.push_back(i);
        grid.dims.push_back(list.empty() ? IndexList{0} : list);
      }
    }
    auto sampled = evaluate(function, addresses, options);
    ASSERT_TRUE(sampled) << sampled.error().toString();
    for (auto [all, some] : llvm::zip_equal(*whole, *sampled)) {
      Array expected = restrict(all, some.grid);
      ASSERT_EQ(expected.size(), some.size());
      for (int64_t i = 0; i < some.size(); ++i)
        EXPECT_NEAR(expected.values[i], some.values[i],
                    1e-12 * (1 + std::fabs(expected.values[i])));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Families, Sampled, testing::ValuesIn(graphs));
