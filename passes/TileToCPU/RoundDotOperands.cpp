//===- RoundDotOperands.cpp - tile-round-dot-operands ---------------------===//
//
// The same patch is multiplied once per tap of a convolution, each time through
// another window. Rounding commutes with moving elements about, so it is done to
// the patch itself.
//
//===----------------------------------------------------------------------===//

#include "passes/TileToCPU/Passes.h"

#include "passes/TileToCPU/KernelLowering.h"

namespace tilefuse {
#define GEN_PASS_DEF_TILEROUNDDOTOPERANDS
#include "passes/TileToCPU/Passes.h.inc"
} // namespace tilefuse

using namespace mlir;
using namespace tilefuse;

namespace {

RankedTensorType withElement(Value block, Type element) {
  return RankedTensorType::get(
      cast<RankedTensorType>(block.getType()).getShape(), element);
}

/// Makes rounded blocks, one for each block and precision.
class Rounding {
public:
  int64_t getNumRounded() const { return numRounded; }

  Value round(Value block, tile::Precision precision) {
    Type element = cast<RankedTensorType>(block.getType()).getElementType();
    if (element.isF64() ||
        (element.isF32() && precision == tile::Precision::ieee))
      return block;
    if (!element.isF32())
      precision = tile::Precision::ieee; // only widened
    auto [entry, isNew] =
        done.try_emplace({block, static_cast<unsigned>(precision)});
    if (isNew) {
      Value result = make(block, precision);
      // `make` may have grown the map.
      return done[{block, static_cast<unsigned>(precision)}] = result;
    }
    return entry->second;
  }

private:
  // f(move(x)) -> move(f(x)); otherwise the arithmetic behind the block.
  Value make(Value block, tile::Precision precision) {
    Operation *op = block.getDefiningOp();
    OpBuilder builder(block.getContext());
    if (isa_and_nonnull<tile::WindowOp, tile::ReshapeOp, tile::TransOp,
                        tile::BroadcastOp>(op)) {
      Value source = round(op->getOperand(0), precision);
      builder.setInsertionPointAfter(op);
      Operation *moved = builder.clone(*op);
      moved->setOperand(0, source);
      moved->getResult(0).setType(withElement(block, builder.getF32Type()));
      return moved->getResult(0);
    }
    builder.setInsertionPointAfterValue(block);
    ++numRounded;
    return emit(builder, block, precision);
  }

  static Value emit(OpBuilder &builder, Value block,
                    tile::Precision precision) {
    Location loc = block.getLoc();
    RankedTensorType f32 = withElement(block, builder.getF32Type());
    switch (precision) {
    case tile::Precision::ieee:
      return arith::ExtFOp::create(builder, loc, f32, block);
    case tile::Precision::bf16:
    case tile::Precision::f16: {
      Type narrow = precision == tile::Precision::bf16
                        ? Type(builder.getBF16Type())
                        : Type(builder.getF16Type());
      Value rounded = arith::TruncFOp::create(builder, loc,
                                              withElement(block, narrow), block);
      return arith::ExtFOp::create(builder, loc, f32, rounded);
    }
    case tile::Precision::tf32:
      return emitTf32(builder, loc, block, f32);
    }
    return block;
  }

  // To nearest with 10 mantissa bits, ties to even: add half of the last place
  // that stays, less one bit unless that place is odd, and cut the rest. NaN and
  // infinity stay as they are.
  static Value emitTf32(OpBuilder &builder, Location loc, Value block,
                        RankedTensorType f32) {
    RankedTensorType i32 = withElement(block, builder.getI32Type());
    auto constant = [&](uint32_t value) -> Value {
      return arith::ConstantOp::create(
          builder, loc,
          DenseElementsAttr::get(i32, APInt(32, value)));
    };
    Value bits = arith::BitcastOp::create(builder, loc, i32, block);
    Value exponent =
        arith::AndIOp::create(builder, loc, bits, constant(0x7f800000));
    Value isFinite = arith::CmpIOp::create(
        builder, loc, arith::CmpIPredicate::ne, exponent, constant(0x7f800000));
    Value last = arith::ShRUIOp::create(builder, loc, bits, constant(13));
    Value isOdd = arith::AndIOp::create(builder, loc, last, constant(1));
    Value half = arith::AddIOp::create(builder, loc, bits, constant(0xfff));
    half = arith::AddIOp::create(builder, loc, half, isOdd);
    Value cut = arith::AndIOp::create(builder, loc, half, constant(0xffffe000));
    Value chosen =
        arith::SelectOp::create(builder, loc, isFinite, cut, bits);
    return arith::BitcastOp::create(builder, loc, f32, chosen);
  }

  llvm::DenseMap<std::pair<Value, unsigned>, Value> done;
  int64_t numRounded = 0;
};

struct RoundDotOperands
    : tilefuse::impl::TileRoundDotOperandsBase<RoundDotOperands> {
  void runOnOperation() override {
    for (auto kernel : getOperation().getOps<tile::FuncOp>())
      if (failed(checkFirstLevel(kernel)))
        return signalPassFailure();
    Rounding rounding;
    getOperation().walk([&](tile::DotOp dot) {
      tile::Precision precision = dot.getPrecision();
      dot.getLhsMutable().assign(rounding.round(dot.getLhs(), precision));
      dot.getRhsMutable().assign(rounding.round(dot.getRhs(), precision));
      dot.setPrecision(tile::Precision::ieee);
    });
    numRounded += rounding.getNumRounded();
  }
};

} // namespace
