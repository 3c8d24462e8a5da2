//===- Mma.cpp - matrix products by mma.sync ----------------------*- C++ -*-===//
//
// Both operands lie in shared memory. A fragment's register is one shared
// address: the thread's pointer, computed once for each operand tile, plus an
// immediate. planMma says which registers meet in which instruction.
//
// f32 accuracy on TF32 tensor cores (3xTF32). x = big + small with big = rna(x)
// and small = rna(x - big), 10 mantissa bits each, so that x - big - small is
// below 2^-22 |x|. The product is
//
//   small_a * big_b + big_a * small_b + big_a * big_b    (small_a * small_b drops
//                                                         2^-22 of it)
//
// small terms first. Tensor cores truncate when they add, a bias that grows with
// the number of additions; so every 32 steps of K are summed from zero and one
// rounded f32 addition an element adds the result to the accumulator.
//
//===----------------------------------------------------------------------===//

#include "passes/TileToNVVM/KernelEmitter.h"
#include "passes/TileToNVVM/SharedAccess.h"
#include "passes/TileToNVVM/Words.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;

namespace tilefuse {
namespace {

/// Depth steps that 3xTF32 sums in the tensor core before it adds them to the
/// accumulator by an f32 addition that rounds.
constexpr size_t kPromotedDepths = 4;

/// One tf32 operand register, as the instruction reads it.
struct Tf32Pair {
  Value big;
  Value small; // null when one product is enough
};

Value toTf32(OpBuilder &builder, Location loc, Value value) {
  return NVVM::ConvertFloatToTF32Op::create(builder, loc, builder.getI32Type(),
                                            value, NVVM::FPRoundingMode::RNA);
}

/// What a fragment's registers become on their way into the instruction.
enum class Fragment { Tf32Rounded, Tf32Round, Tf32Split, Half };

/// Loads fragments on first use and remembers them.
class FragmentLoader {
public:
  FragmentLoader(OpBuilder &builder, Location loc, SharedAccess access,
                 int64_t numRegisters, Fragment kind)
      : builder(builder), loc(loc), access(std::move(access)), kind(kind),
        raw(numRegisters), words(numRegisters) {}

  Tf32Pair getTf32(int64_t reg) {
    Tf32Pair &pair = words[reg];
    if (pair.big)
      return pair;
    Value value = getRaw(reg);
    Type i32 = builder.getI32Type();
    if (kind == Fragment::Tf32Rounded) {
      pair.big = LLVM::BitcastOp::create(builder, loc, i32, value);
      return pair;
    }
    pair.big = toTf32(builder, loc, value);
    if (kind == Fragment::Tf32Split) {
      Value big = LLVM::BitcastOp::create(builder, loc, builder.getF32Type(),
                                          pair.big);
      pair.small = toTf32(builder, loc,
                          arith::SubFOp::create(builder, loc, value, big));
    }
    return pair;
  }

  /// Registers `low` and `high` as the two halves of one word.
  Value getHalves(int64_t low, int64_t high) {
    Value &word = words[low].big;
    if (!word)
      word = packWords(builder, loc, {getRaw(low), getRaw(high)}).front();
    return word;
  }

private:
  Value getRaw(int64_t reg) {
    if (!raw[reg]) {
      int64_t first = reg & ~(access.getVector() - 1);
      for (auto [i, value] : llvm::enumerate(access.loadGroup(reg)))
        raw[first + i] = value;
    }
    return raw[reg];
  }

  OpBuilder &builder;
  Location loc;
  SharedAccess access;
  Fragment kind;
  SmallVector<Value> raw;
  SmallVector<Tf32Pair> words;
};

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

} // namespace

LogicalResult KernelEmitter::emitMma(tile::MmaOp op) {
  switch (op.getMma()) {
  case tile::MmaKind::fma:
    return emitFmaLoop(op);
  case tile::MmaKind::mma_sync:
    return emitMmaSync(op);
  case tile::MmaKind::wgmma:
    return op.emitOpError("asks for wgmma, which has no lowering here");
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
  FragmentLoader lhs(builder, loc,
                     SharedAccess(*this, loc, op.getLhs(), layouts.lhs),
                     layouts.lhs.getNumRegisters(),
                     getKind(op.getLhsRounded()));
  FragmentLoader rhs(builder, loc,
                     SharedAccess(*this, loc, op.getRhs(), layouts.rhs),
                     layouts.rhs.getNumRegisters(),
                     getKind(op.getRhsRounded()));

  Registers acc(get(op.getAcc()));
  Registers sum(acc);
  if (split)
    sum.assign(acc.size(), zero(loc, builder.getF32Type()));
  NVVM::MMATypes type = isTf32           ? NVVM::MMATypes::tf32
                        : element.isF16() ? NVVM::MMATypes::f16
                                          : NVVM::MMATypes::bf16;
  SmallVector<int64_t> shape = {16, 8, tile::getMmaDepth(bits)};
  auto halves = VectorType::get({2}, builder.getF16Type());

  auto promote = [&] {
    for (auto [total, part] : llvm::zip_equal(acc, sum)) {
      total = arith::AddFOp::create(builder, loc, total, part);
      part = zero(loc, builder.getF32Type());
    }
  };
  for (auto [index, depth] : llvm::enumerate(*plan)) {
    if (split && index != 0 && index % kPromotedDepths == 0)
      promote();
    for (const tile::MmaStep &step : depth) {
      SmallVector<Value, 4> values;
      for (int64_t reg : step.acc)
        values.push_back(sum[reg]);
      SmallVector<Value, 4> a, b, smallA, smallB;
      auto collect = [&](FragmentLoader &fragment, ArrayRef<int64_t> registers,
                         SmallVectorImpl<Value> &big,
                         SmallVectorImpl<Value> &small) {
        for (size_t i = 0; i < registers.size(); i += isTf32 ? 1 : 2) {
          if (isTf32) {
            Tf32Pair pair = fragment.getTf32(registers[i]);
            big.push_back(pair.big);
            small.push_back(pair.small);
            continue;
          }
          Value word = fragment.getHalves(registers[i], registers[i + 1]);
          big.push_back(element.isF16()
                            ? LLVM::BitcastOp::create(builder, loc, halves, word)
                            : word);
        }
      };
      collect(lhs, step.lhs, a, smallA);
      collect(rhs, step.rhs, b, smallB);
      if (split) {
        emitInstruction(builder, loc, shape, type, smallA, b, values);
        emitInstruction(builder, loc, shape, type, a, smallB, values);
      }
      emitInstruction(builder, loc, shape, type, a, b, values);
      for (auto [reg, value] : llvm::zip_equal(step.acc, values))
        sum[reg] = value;
    }
  }
  if (split)
    promote();
  set(op.getResult(), split ? acc : sum);
  return success();
}

} // namespace tilefuse
