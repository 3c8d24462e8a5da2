//===- FmaProduct.cpp - matrix products by fused multiply-add -----*- C++ -*-===//
//
// For element types and shapes without a tensor core instruction: each thread
// sums over K for the elements it holds, in order, as one chain of fused
// multiply-adds an element. Operand elements that several of its registers need
// are read once a step of K.
//
//===----------------------------------------------------------------------===//

#include "passes/TileToNVVM/Fragments.h"
#include "passes/TileToNVVM/KernelEmitter.h"
#include "passes/TileToNVVM/Words.h"
#include "dialects/Tile/Layout/SharedLayout.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;

namespace tilefuse {
namespace {

/// Above this many multiply-adds a thread, the outermost contracting dim is a
/// loop.
constexpr int64_t kMaxUnrolled = 1024;

/// x in the precision of the product, as the accumulator's type.
Value convertOperand(OpBuilder &builder, Location loc, Value value,
                     tile::Precision precision, bool isRounded, Type accType) {
  Type type = value.getType();
  if (isa<IntegerType>(type)) {
    if (type == accType)
      return value;
    return arith::ExtSIOp::create(builder, loc, accType, value);
  }
  if (type.isF32() && precision == tile::Precision::tf32 && !isRounded) {
    value = LLVM::BitcastOp::create(builder, loc, type,
                                    emitTf32(builder, loc, value));
  }
  if (type.isF32() && (precision == tile::Precision::bf16 ||
                       precision == tile::Precision::f16)) {
    Type narrow = precision == tile::Precision::bf16
                      ? Type(builder.getBF16Type())
                      : Type(builder.getF16Type());
    value = arith::TruncFOp::create(builder, loc, narrow, value);
    value = arith::ExtFOp::create(builder, loc, type, value);
  }
  if (type.getIntOrFloatBitWidth() < accType.getIntOrFloatBitWidth())
    value = arith::ExtFOp::create(builder, loc, accType, value);
  return value;
}

/// One operand's address as a function of the result's coordinates and K.
struct Operand {
  Value base;
  Type memoryType;
  int64_t elementBytes;
  SmallVector<int64_t> resultWeights; // bytes a step of each result dim
  SmallVector<int64_t> depthWeights;  // bytes a step of each contracting dim
  int64_t offset;                     // bytes of element (0, 0, ...)
  bool isRounded;
  llvm::DenseMap<std::pair<Value, int64_t>, Value> loaded;
};

} // namespace

LogicalResult KernelEmitter::emitFmaLoop(tile::MmaOp op) {
  auto accType = cast<RankedTensorType>(op.getAcc().getType());
  FailureOr<tile::DistributedLayout> layout = getLayout(op, accType);
  if (failed(layout))
    return failure();
  Location loc = op.getLoc();
  Type sumType = getScalarType(accType);
  tile::DotDims dims = op.getDims();
  tile::Coords noResult(accType.getRank(), 0);
  tile::Coords noDepth(dims.lhsContract.size(), 0);
  SmallVector<int64_t> depth;
  for (int64_t dim : dims.lhsContract)
    depth.push_back(dims.lhsShape[dim]);

  auto makeOperand = [&](Value tile, bool isLhs,
                         Operand &operand) -> LogicalResult {
    auto type = cast<tile::SharedType>(tile.getType());
    tile::SharedLayout shared =
        cast<tile::SharedLayoutAttr>(type.getLayout()).getLayout();
    if (shared.getSwizzle().bits != 0)
      return op.emitOpError("sums by fma over a swizzled tile: ") << type;
    auto position = [&](ArrayRef<int64_t> result, ArrayRef<int64_t> k) {
      return shared.getLinearPosition(isLhs ? dims.getLhsCoords(result, k)
                                            : dims.getRhsCoords(result, k));
    };
    operand.base = getScalar(tile);
    operand.memoryType = getMemoryType(getScalarType(type.getElementType()));
    operand.elementBytes = getMemoryBytes(operand.memoryType);
    operand.isRounded = isLhs ? op.getLhsRounded() : op.getRhsRounded();
    int64_t origin = position(noResult, noDepth);
    operand.offset = origin * operand.elementBytes;
    for (int64_t dim = 0; dim < accType.getRank(); ++dim) {
      tile::Coords unit(noResult);
      unit[dim] = 1;
      operand.resultWeights.push_back((position(unit, noDepth) - origin) *
                                      operand.elementBytes);
    }
    for (size_t dim = 0; dim < depth.size(); ++dim) {
      tile::Coords unit(noDepth);
      unit[dim] = 1;
      operand.depthWeights.push_back((position(noResult, unit) - origin) *
                                     operand.elementBytes);
    }
    return success();
  };
  Operand lhs, rhs;
  if (failed(makeOperand(op.getLhs(), true, lhs)) ||
      failed(makeOperand(op.getRhs(), false, rhs)))
    return failure();

  BlockCoords coords(*layout, *sums);
  uint64_t copies = layout->getReplicationMask(tile::Hardware::Register);
  Registers acc(get(op.getAcc()));
  SmallVector<int64_t> active;
  for (int64_t reg = 0; reg < int64_t(acc.size()); ++reg)
    if (!(reg & copies) && !coords.isPadding(accType.getShape(), reg))
      active.push_back(reg);

  auto read = [&](Operand &operand, int64_t reg, int64_t depthOffset,
                  Value dynamicOffset) {
    ThreadAffine bytes = coords.getCombination(operand.resultWeights, reg);
    int64_t offset = bytes.constant + operand.offset + depthOffset;
    Value &value = operand.loaded[{bytes.thread, offset}];
    if (value)
      return value;
    auto atBytes = [&](Value base, Value amount) -> Value {
      return LLVM::GEPOp::create(builder, loc, base.getType(),
                                 builder.getI8Type(), base,
                                 LLVM::GEPArg(amount));
    };
    Value pointer = atBytes(operand.base, bytes.thread);
    if (dynamicOffset)
      pointer = atBytes(pointer, dynamicOffset);
    Value inside = emitIsReal(loc, coords, accType.getShape(), reg);
    value = loadElements(builder, loc, pointer, offset, inside,
                         inside ? zero(loc, operand.memoryType) : Value(),
                         operand.memoryType, 1)
                .front();
    value = convertOperand(builder, loc, value, op.getPrecision(),
                           operand.isRounded, sumType);
    return value;
  };
  auto addProducts = [&](ArrayRef<int64_t> k, Value loopIndex) {
    auto depthOffset = [&](Operand &operand) {
      int64_t offset = 0;
      for (auto [index, weight] : llvm::zip_equal(k, operand.depthWeights))
        offset += index * weight;
      return offset;
    };
    auto dynamicOffset = [&](Operand &operand) -> Value {
      if (!loopIndex)
        return {};
      return arith::MulIOp::create(builder, loc, loopIndex,
                                   i32(loc, operand.depthWeights.front()));
    };
    lhs.loaded.clear();
    rhs.loaded.clear();
    Value lhsDynamic = dynamicOffset(lhs), rhsDynamic = dynamicOffset(rhs);
    for (int64_t reg : active) {
      Value a = read(lhs, reg, depthOffset(lhs), lhsDynamic);
      Value b = read(rhs, reg, depthOffset(rhs), rhsDynamic);
      if (isa<IntegerType>(sumType)) {
        Value product = arith::MulIOp::create(builder, loc, a, b);
        acc[reg] = arith::AddIOp::create(builder, loc, acc[reg], product);
      } else {
        acc[reg] = LLVM::FMAOp::create(builder, loc, a, b, acc[reg]);
      }
    }
  };

  int64_t total = 1;
  for (int64_t size : depth)
    total *= size;
  bool isLoop = !depth.empty() &&
                total * int64_t(active.size()) > kMaxUnrolled;
  auto addAll = [&](Value loopIndex) {
    int64_t steps = isLoop ? total / depth.front() : total;
    for (int64_t step = 0; step < steps; ++step) {
      tile::Coords k(depth.size(), 0);
      int64_t rest = step;
      for (size_t dim = depth.size(); dim-- > (isLoop ? 1 : 0);) {
        k[dim] = rest % depth[dim];
        rest /= depth[dim];
      }
      addProducts(k, loopIndex);
    }
  };
  if (!isLoop) {
    addAll(Value());
    set(op.getResult(), acc);
    return success();
  }
  auto loop = scf::ForOp::create(builder, loc, i32(loc, 0),
                                 i32(loc, depth.front()), i32(loc, 1), acc);
  {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToEnd(loop.getBody());
    acc.assign(loop.getRegionIterArgs().begin(),
               loop.getRegionIterArgs().end());
    addAll(loop.getInductionVar());
    scf::YieldOp::create(builder, loc, acc);
  }
  set(op.getResult(), Registers(loop.getResults()));
  return success();
}

} // namespace tilefuse
