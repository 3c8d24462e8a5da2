//===- Shuffles.cpp - values that change lanes --------------------*- C++ -*-===//

#include "dialects/Tile/Layout/Conversion.h"
#include "passes/TileToNVVM/KernelEmitter.h"
#include "passes/TileToNVVM/Words.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;

namespace tilefuse {

/// A shuffle moves 32 bits; other types go as words.
Value KernelEmitter::emitShuffleWords(
    Location loc, Value value, llvm::function_ref<Value(Value)> shuffleWord) {
  Type type = value.getType();
  if (type.isF32() || type.isInteger(32))
    return shuffleWord(value);
  if (isa<IntegerType>(type) && type.getIntOrFloatBitWidth() < 32) {
    Value word =
        arith::ExtUIOp::create(builder, loc, builder.getI32Type(), value);
    return arith::TruncIOp::create(builder, loc, type, shuffleWord(word));
  }
  SmallVector<Value, 4> words = packWords(builder, loc, value);
  for (Value &word : words) {
    bool isHalf = word.getType().isInteger(16);
    if (isHalf)
      word = arith::ExtUIOp::create(builder, loc, builder.getI32Type(), word);
    word = shuffleWord(word);
    if (isHalf)
      word = arith::TruncIOp::create(builder, loc, builder.getI16Type(), word);
  }
  return unpackWords(builder, loc, words, type, 1).front();
}

static Value emitShuffle(OpBuilder &builder, Location loc, Value value,
                         Value operand, NVVM::ShflKind kind) {
  auto constant = [&](int32_t number) -> Value {
    return arith::ConstantOp::create(builder, loc,
                                     builder.getI32IntegerAttr(number));
  };
  return NVVM::ShflOp::create(builder, loc, value.getType(), constant(-1),
                              value, operand, constant(31), kind, UnitAttr());
}

Value KernelEmitter::emitShuffleXor(Location loc, Value value,
                                    int64_t laneMask) {
  return emitShuffleWords(loc, value, [&](Value word) {
    return emitShuffle(builder, loc, word, i32(loc, laneMask),
                       NVVM::ShflKind::bfly);
  });
}

Value KernelEmitter::emitShuffleFrom(Location loc, Value value, Value lane) {
  return emitShuffleWords(loc, value, [&](Value word) {
    return emitShuffle(builder, loc, word, lane, NVVM::ShflKind::idx);
  });
}

/// laneConstant ^ XOR of columns over the lane's set bits, bit by bit of the
/// result: each is a parity of lane bits, complemented where the constant has 1.
static Value emitSourceLane(OpBuilder &builder, Location loc, ThreadSums &sums,
                            const tile::ShuffleMove &move) {
  SmallVector<ThreadTerm> terms;
  int64_t constant = move.laneConstant;
  for (unsigned bit = 0; bit < 5; ++bit) {
    uint64_t mask = 0;
    for (auto [i, column] : llvm::enumerate(move.laneColumns))
      mask |= uint64_t(column >> bit & 1) << i;
    bool complemented = move.laneConstant >> bit & 1;
    int64_t weight = int64_t(1) << bit;
    terms.push_back({mask, complemented ? -weight : weight});
  }
  Value sum = sums.getSum(terms);
  if (constant == 0)
    return sum;
  Value value = arith::ConstantOp::create(builder, loc,
                                          builder.getI32IntegerAttr(constant));
  return arith::AddIOp::create(builder, loc, sum, value);
}

LogicalResult KernelEmitter::emitConvertLayout(tile::ConvertLayoutOp op) {
  auto fromType = cast<RankedTensorType>(op.getValue().getType());
  auto toType = cast<RankedTensorType>(op.getResult().getType());
  FailureOr<tile::DistributedLayout> from = getLayout(op, fromType);
  FailureOr<tile::DistributedLayout> to = getLayout(op, toType);
  if (failed(from) || failed(to))
    return failure();
  tile::ConversionPlan plan =
      tile::planConversion(*from, *to, toType.getShape());
  ArrayRef<Value> values = get(op.getValue());
  Location loc = op.getLoc();
  Registers registers;

  switch (plan.kind) {
  case tile::ConversionKind::Registers:
    for (int64_t source : plan.registers)
      registers.push_back(values[std::max<int64_t>(source, 0)]);
    break;
  case tile::ConversionKind::Shuffles:
    for (const tile::ShuffleMove &move : plan.moves) {
      SmallVector<Value> candidates;
      Value lane = move.staysInLane() ? Value()
                                      : emitSourceLane(builder, loc, *sums, move);
      for (int64_t reg : move.candidates)
        candidates.push_back(lane ? emitShuffleFrom(loc, values[reg], lane)
                                  : values[reg]);
      // Halve the candidates by one bit of the pick at a time, highest first.
      for (unsigned bit = move.pickMasks.size(); bit-- > 0;) {
        Value set = sums->getParity(move.pickMasks[bit]);
        bool complemented = move.pickConstant >> bit & 1;
        size_t half = candidates.size() / 2;
        for (size_t i = 0; i < half; ++i) {
          Value low = candidates[i], high = candidates[i + half];
          if (complemented)
            std::swap(low, high);
          candidates[i] =
              arith::SelectOp::create(builder, loc, set, high, low);
        }
        candidates.resize(half);
      }
      registers.push_back(candidates.front());
    }
    break;
  case tile::ConversionKind::Shared:
    return op.emitOpError("moves values between warps; "
                          "expected a shared tile between, ")
           << fromType << " to " << toType;
  }
  set(op.getResult(), registers);
  return success();
}

} // namespace tilefuse
