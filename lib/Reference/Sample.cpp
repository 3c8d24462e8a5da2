//===- Sample.cpp - which elements of a large graph are checked -*- C++ -*-===//

#include "lib/Reference/Sample.h"

#include "lib/Reference/Random.h"

#include "dialects/Fuse/Fuse.h"

namespace tilefuse::reference {

/// About a second on one core.
static constexpr double wholeLimit = 3e9;

static int64_t getSize(mlir::Type type) {
  auto tensor = llvm::dyn_cast<mlir::RankedTensorType>(type);
  return tensor && tensor.hasStaticShape() ? tensor.getNumElements() : 0;
}

/// Products behind one element of a contraction's result.
static double getDepth(mlir::Operation *op) {
  auto size = [&](unsigned operand) {
    return static_cast<double>(getSize(op->getOperand(operand).getType()));
  };
  auto shape = [&](unsigned operand) {
    return llvm::cast<mlir::RankedTensorType>(op->getOperand(operand).getType())
        .getShape();
  };
  if (llvm::isa<fuse::Conv2dOp>(op))
    return size(1) / static_cast<double>(shape(1)[0]);
  if (auto conv = llvm::dyn_cast<fuse::ConvTranspose2dOp>(op))
    return size(1) / static_cast<double>(shape(1)[1] * conv.getGroups());
  if (llvm::isa<fuse::Conv2dWeightGradOp>(op))
    return size(1) / static_cast<double>(shape(1)[1]);
  if (auto product = llvm::dyn_cast<fuse::MatmulOp>(op))
    return static_cast<double>(
        shape(0)[shape(0).size() - (product.getTransposeA() ? 2 : 1)]);
  return 0;
}

double estimateWork(mlir::func::FuncOp function) {
  double work = 0;
  function.walk([&](mlir::Operation *op) {
    for (mlir::Type type : op->getResultTypes())
      work += static_cast<double>(getSize(type)) * (20 + getDepth(op));
    // A window or a reduction reads more than it gives.
    for (mlir::Type type : op->getOperandTypes())
      work += static_cast<double>(getSize(type));
  });
  return work;
}

/// How many indices of each dim are wanted.
static int64_t getCount(size_t rank) {
  switch (rank) {
  case 0:
  case 1:
    return 16;
  case 2:
    return 48;
  case 3:
    return 20;
  default:
    return 12;
  }
}

static IndexList chooseIndices(int64_t extent, int64_t count) {
  if (extent <= count)
    return makeRange(extent);
  IndexList list = {0, extent - 1};
  // The same sequence for the same extent: a shorter list is part of a longer.
  for (uint64_t i = 0; static_cast<int64_t>(list.size()) < count; ++i) {
    auto index = static_cast<int64_t>(
        getRandomBits(/*seed=*/0, static_cast<uint64_t>(extent), i) %
        static_cast<uint64_t>(extent));
    if (!llvm::is_contained(list, index))
      list.push_back(index);
  }
  normalize(list);
  return list;
}

std::vector<Grid> chooseSample(mlir::func::FuncOp function) {
  if (estimateWork(function) <= wholeLimit)
    return {};
  std::vector<Grid> grids;
  for (mlir::Type type : function.getResultTypes()) {
    auto tensor = llvm::dyn_cast<mlir::RankedTensorType>(type);
    if (!tensor)
      return {};
    Grid &grid = grids.emplace_back();
    auto rank = static_cast<size_t>(tensor.getRank());
    for (int64_t extent : tensor.getShape())
      grid.dims.push_back(chooseIndices(extent, getCount(rank)));
  }
  return grids;
}

bool hasJumps(mlir::func::FuncOp function) {
  auto result = function.walk([](mlir::Operation *op) {
    bool jumps = llvm::isa<fuse::FloorOp, fuse::CeilOp, fuse::RoundOp,
                           fuse::TruncOp, fuse::SignOp, fuse::RemainderOp>(op);
    // Decisions leave floats by way of an integer or boolean.
    auto isInteger = [](mlir::Type type) {
      auto tensor = llvm::dyn_cast<mlir::RankedTensorType>(type);
      return tensor && !llvm::isa<mlir::FloatType>(tensor.getElementType());
    };
    bool decides = llvm::any_of(op->getResultTypes(), isInteger) &&
                   !llvm::isa<fuse::ConstantOp, fuse::IotaOp>(op);
    return jumps || decides ? mlir::WalkResult::interrupt()
                            : mlir::WalkResult::advance();
  });
  return result.wasInterrupted();
}

bool isAllF64(mlir::func::FuncOp function) {
  auto isShort = [](mlir::Type type) {
    auto tensor = llvm::dyn_cast<mlir::RankedTensorType>(type);
    return tensor && llvm::isa<mlir::FloatType>(tensor.getElementType()) &&
           !tensor.getElementType().isF64();
  };
  if (llvm::any_of(function.getArgumentTypes(), isShort))
    return false;
  return !function
              .walk([&](mlir::Operation *op) {
                return llvm::any_of(op->getResultTypes(), isShort)
                           ? mlir::WalkResult::interrupt()
                           : mlir::WalkResult::advance();
              })
              .wasInterrupted();
}

} // namespace tilefuse::reference
