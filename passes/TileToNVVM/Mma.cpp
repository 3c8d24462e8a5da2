//===- Mma.cpp - matrix products by mma.sync ----------------------*- C++ -*-===//
//
// Both operands lie in shared memory. A fragment's register is one shared
// address: the thread's pointer, computed once for each operand tile, plus an
// immediate. planMma says which registers meet in which instruction.
//
// f32 accuracy on TF32 tensor cores (3xTF32). x = big + small with big = rn(x),
// 10 mantissa bits, and small = x - big, exact, of which the instruction reads
// the upper 10 bits: what it drops is below 2^-21 |x| and of either sign. The
// product is
//
//   small_a * big_b + big_a * small_b + big_a * big_b    (small_a * small_b drops
//                                                         2^-22 of it)
//
// small terms first. Tensor cores truncate when they add, a bias that grows with
// the number of additions; so every 32 steps of K are summed from zero and one
// rounded f32 addition an element adds the result to the accumulator.
//
// An infinity has no small part (inf - inf), and inf * small_b may be NaN or have
// the wrong sign. When a warp meets a sum that is not finite it sums those 32
// steps again by single products, which are right for infinities and NaN, and
// takes them where the three products gave NaN.
//
// An operand that ends inside of the block (OperandExtents.h) is masked when its
// fragment is loaded.
//
//===----------------------------------------------------------------------===//

#include "dialects/Tile/OperandExtents.h"
#include "passes/TileToNVVM/Fragments.h"
#include "passes/TileToNVVM/KernelEmitter.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

#include <map>
#include <memory>

using namespace mlir;

namespace tilefuse {
namespace {

/// Depth steps that 3xTF32 sums in the tensor core before it adds them to the
/// accumulator by an f32 addition that rounds.
constexpr size_t kPromotedDepths = 4;

/// One instruction; `sum` is updated.
void emitInstruction(OpBuilder &builder, Location loc, ArrayRef<int64_t> shape,
                     NVVM::MMATypes type, ArrayRef<Value> lhs,
                     ArrayRef<Value> rhs, SmallVectorImpl<Value> &sum) {
  Type f32 = builder.getF32Type();
  Type resultType = LLVM::LLVMStructType::getLiteral(
      builder.getContext(), SmallVector<Type>(sum.size(), f32));
  Value result = NVVM::MmaOp::create(
      builder, loc, resultType, lhs, rhs, sum, shape, std::nullopt,
      std::nullopt, std::array<NVVM::MMATypes, 2>{type, type},
      std::array<NVVM::MMALayout, 2>{NVVM::MMALayout::row,
                                     NVVM::MMALayout::col});
  for (auto [i, value] : llvm::enumerate(sum))
    value = LLVM::ExtractValueOp::create(builder, loc, result, i);
}

/// The end of an operand inside of its block.
struct OperandEnd {
  /// Whether a fragment register lies behind it in all threads.
  std::function<bool(int64_t)> isBehind;
  /// Whether it lies before it in this thread; null: in all threads.
  std::function<Value(int64_t)> emitIsBefore;
};
using OperandEnds = std::array<std::optional<OperandEnd>, 2>;

/// All instructions of one step in depth, added to `sum`.
void emitDepth(OpBuilder &builder, Location loc, NVVM::MMATypes type,
               ArrayRef<tile::MmaStep> steps, FragmentLoader &lhs,
               FragmentLoader &rhs, MutableArrayRef<Value> sum,
               const OperandEnds &ends = {}) {
  bool isTf32 = type == NVVM::MMATypes::tf32;
  SmallVector<int64_t> shape = {16, 8, tile::getMmaDepth(isTf32 ? 32 : 16)};
  auto halves = VectorType::get({2}, builder.getF16Type());
  struct Operand {
    SmallVector<Value, 4> big, small;
  };
  auto isNothing = [](ArrayRef<int64_t> registers,
                      const std::optional<OperandEnd> &end) {
    return end && llvm::all_of(registers, end->isBehind);
  };
  std::array<std::map<int64_t, Value>, 2> inside;
  auto mask = [&](unsigned which, int64_t reg, Value word) {
    if (!word || !ends[which])
      return word;
    auto [known, isNew] = inside[which].try_emplace(reg);
    if (isNew)
      known->second = ends[which]->emitIsBefore(reg);
    if (!known->second)
      return word;
    Value zero = arith::ConstantOp::create(
        builder, loc, builder.getIntegerAttr(word.getType(), 0));
    return arith::SelectOp::create(builder, loc, known->second, word, zero)
        .getResult();
  };
  auto collect = [&](unsigned which, ArrayRef<int64_t> registers) {
    FragmentLoader &fragment = which == 0 ? lhs : rhs;
    Operand operand;
    for (size_t i = 0; i < registers.size(); i += isTf32 ? 1 : 2) {
      if (isTf32) {
        Tf32Pair pair = fragment.getTf32(registers[i]);
        operand.big.push_back(mask(which, registers[i], pair.big));
        if (pair.small)
          operand.small.push_back(mask(which, registers[i], pair.small));
        continue;
      }
      Value word = fragment.getHalves(registers[i], registers[i + 1]);
      if (type == NVVM::MMATypes::f16)
        word = LLVM::BitcastOp::create(builder, loc, halves, word);
      operand.big.push_back(word);
    }
    return operand;
  };
  for (const tile::MmaStep &step : steps) {
    if (isNothing(step.lhs, ends[0]) || isNothing(step.rhs, ends[1]))
      continue;
    SmallVector<Value, 4> values;
    for (int64_t reg : step.acc)
      values.push_back(sum[reg]);
    Operand a = collect(0, step.lhs), b = collect(1, step.rhs);
    if (!a.small.empty()) {
      emitInstruction(builder, loc, shape, type, a.small, b.big, values);
      emitInstruction(builder, loc, shape, type, a.big, b.small, values);
    }
    emitInstruction(builder, loc, shape, type, a.big, b.big, values);
    for (auto [reg, value] : llvm::zip_equal(step.acc, values))
      sum[reg] = value;
  }
}

} // namespace

void emitTf32Depth(OpBuilder &builder, Location loc,
                   ArrayRef<tile::MmaStep> steps, FragmentLoader &lhs,
                   FragmentLoader &rhs, MutableArrayRef<Value> sum) {
  emitDepth(builder, loc, NVVM::MMATypes::tf32, steps, lhs, rhs, sum);
}

LogicalResult KernelEmitter::emitMma(tile::MmaOp op) {
  switch (op.getMma()) {
  case tile::MmaKind::fma:
    return emitFmaLoop(op);
  case tile::MmaKind::mma_sync:
    return emitMmaSync(op);
  case tile::MmaKind::wgmma:
    return emitWgmma(op);
  }
  llvm_unreachable("all kinds are listed");
}

LogicalResult KernelEmitter::emitMmaSync(tile::MmaOp op) {
  Location loc = op.getLoc();
  auto lhsType = cast<tile::SharedType>(op.getLhs().getType());
  auto accType = cast<RankedTensorType>(op.getAcc().getType());
  Type element = lhsType.getElementType();
  if (!accType.getElementType().isF32() ||
      !(element.isF32() || element.isF16() || element.isBF16()) ||
      element != cast<tile::SharedType>(op.getRhs().getType()).getElementType())
    return op.emitOpError("has no mma.sync instruction for ")
           << lhsType << " and " << accType;
  if (!op.getLhsLayout() || !op.getRhsLayout())
    return op.emitOpError("needs lhs_layout and rhs_layout for mma_sync");
  if (failed(getLayout(op, accType)))
    return failure();

  tile::MmaLayouts layouts = op.getMmaLayouts();
  int64_t bits = element.getIntOrFloatBitWidth();
  auto plan = tile::planMma(op.getDims(), layouts, bits);
  if (!plan)
    return op.emitOpError("has layouts that are not mma.sync fragments of this "
                          "product");

  bool isTf32 = element.isF32();
  bool split = isTf32 && op.getPrecision() == tile::Precision::ieee;
  auto getKind = [&](bool rounded) {
    return !isTf32   ? Fragment::Half
           : split   ? Fragment::Tf32Split
           : rounded ? Fragment::Tf32Rounded
                     : Fragment::Tf32Round;
  };
  auto makeLoader = [&](Value tile, const tile::DistributedLayout &layout,
                        Fragment kind) {
    return FragmentLoader(builder, loc, SharedAccess(*this, loc, tile, layout),
                          layout.getNumRegisters(), kind);
  };
  FragmentLoader lhs =
      makeLoader(op.getLhs(), layouts.lhs, getKind(op.getLhsRounded()));
  FragmentLoader rhs =
      makeLoader(op.getRhs(), layouts.rhs, getKind(op.getRhsRounded()));
  NVVM::MMATypes type = isTf32           ? NVVM::MMATypes::tf32
                        : element.isF16() ? NVVM::MMATypes::f16
                                          : NVVM::MMATypes::bf16;
  OperandEnds ends;
  for (unsigned which : {0, 1})
    if (auto extents = tile::getOperandExtents(op, which)) {
      auto coords = std::make_shared<BlockCoords>(
          which == 0 ? layouts.lhs : layouts.rhs, *sums);
      SmallVector<int64_t> shape(*extents);
      ends[which] = {
          [=](int64_t reg) { return coords->isPadding(shape, reg); },
          [=, this](int64_t reg) {
            return emitIsReal(loc, *coords, shape, reg);
          }};
    }
  Registers acc(get(op.getAcc()));
  if (!split) {
    for (const SmallVector<tile::MmaStep> &depth : *plan)
      emitDepth(builder, loc, type, depth, lhs, rhs, acc, ends);
    set(op.getResult(), acc);
    return success();
  }

  ArrayRef<SmallVector<tile::MmaStep>> rest(*plan);
  while (!rest.empty()) {
    auto part = rest.take_front(kPromotedDepths);
    rest = rest.drop_front(part.size());
    Registers sum(acc.size(), zero(loc, builder.getF32Type()));
    for (const SmallVector<tile::MmaStep> &depth : part)
      emitDepth(builder, loc, type, depth, lhs, rhs, sum, ends);
    // One instruction's sums at a time: the repair must not cost the common path
    // registers.
    sum = emitRepair(builder, loc, sum, [&](MutableArrayRef<Value> again) {
      for (const tile::MmaStep &target : part.front()) {
        FragmentLoader lhs =
            makeLoader(op.getLhs(), layouts.lhs, Fragment::Tf32Again);
        FragmentLoader rhs =
            makeLoader(op.getRhs(), layouts.rhs, Fragment::Tf32Again);
        Registers single(sum.size(), zero(loc, builder.getF32Type()));
        for (const SmallVector<tile::MmaStep> &depth : part)
          for (const tile::MmaStep &step : depth)
            if (step.acc == target.acc)
              emitDepth(builder, loc, type, step, lhs, rhs, single, ends);
        for (int64_t reg : target.acc) {
          Value isNan = arith::CmpFOp::create(builder, loc,
                                              arith::CmpFPredicate::UNO,
                                              again[reg], again[reg]);
          again[reg] = arith::SelectOp::create(builder, loc, isNan, single[reg],
                                               again[reg]);
        }
      }
    });
    for (auto [total, value] : llvm::zip_equal(acc, sum))
      total = arith::AddFOp::create(builder, loc, total, value);
  }
  set(op.getResult(), acc);
  return success();
}

} // namespace tilefuse
