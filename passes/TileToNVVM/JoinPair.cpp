//===- JoinPair.cpp - blocks of two thread blocks interleaved -----*- C++ -*-===//
//
// Every value of both operands has one place in the result: a thread block, a warp,
// a lane and a register, and with it a word of that thread block's scratch:
//
//   word = ((warp, register) * 32 + (lane ^ swizzle(register))) * 4 + part
//
// where part counts registers that are registers on both sides: 16 bytes an access.
// All this is linear over F2 in the bits of who has the value, so the address is
// `thread part ^ constant of the register`. Values are stored to their thread block,
// its own or the other's, and read from there, 32 lanes from 32 neighbouring places. Lanes that store to different registers of the result would
// meet in a bank; the swizzle moves them to banks that no other lane's bits reach.
//
// A warp exchanges with the warp of its number only, over two barriers of its own: it
// tells the other that its part of scratch is free, waits for the other's word, stores
// asynchronously, and waits for as many bytes as it will read. No fence is needed,
// which would wait for stores to memory that are on their way.
//
// There are passes over parts of the registers, those with the same highest bits: two,
// or more where scratch is small.
//
//===----------------------------------------------------------------------===//

#include "passes/TileToNVVM/KernelEmitter.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

#include <map>

using namespace mlir;

namespace tilefuse {
namespace {

constexpr unsigned kLaneBits = 5;

/// Where the values of a pair of operands go.
class Exchange {
public:
  Exchange(tile::JoinPairOp op, const tile::DistributedLayout &from,
           const tile::DistributedLayout &to, int64_t capacity)
      : dim(op.getDim()), from(from), to(to) {
    warpBits = from.getNumBits(tile::Hardware::Warp);
    registers = to.getNumRegisters();
    // An even number: each has its own phase of the barriers.
    do
      passes *= 2;
    while (registers / passes * (int64_t(4) << (kLaneBits + warpBits)) > capacity &&
           passes < registers);
    chooseSwizzle();
  }

  int64_t getPasses() const { return passes; }
  int64_t getRegisters() const { return registers / passes; }
  bool isPossible() const { return possible; }

  struct Place {
    int64_t word = 0, pass = 0, block = 0;
  };
  /// Of the value in `reg` of a thread of thread block `block`.
  Place getPlace(int64_t reg, int64_t lane, int64_t warp, int64_t block) const {
    tile::Holder holder = getHolder(reg, lane, warp, block);
    return {getWord(holder.reg % getRegisters(), holder.lane, holder.warp),
            holder.reg / getRegisters(), holder.block};
  }
  /// Of register `reg` of a pass of the result.
  int64_t getWord(int64_t reg, int64_t lane, int64_t warp) const {
    int64_t rest = 0, part = 0;
    unsigned restBit = 0, partBit = 0;
    for (unsigned bit = 0; int64_t(1) << bit < getRegisters(); ++bit) {
      bool isPart = vectorMask >> bit & 1;
      (isPart ? part : rest) |= (reg >> bit & 1)
                                << (isPart ? partBit++ : restBit++);
    }
    for (auto [bit, moved] : swizzle)
      if (reg >> bit & 1)
        lane ^= moved;
    int64_t rows = getRegisters() / getVector();
    return ((warp * rows + rest) << kLaneBits | lane) * getVector() + part;
  }
  /// Registers of the result whose words lie side by side, and of the operand too.
  int64_t getVector() const {
    return int64_t(1) << llvm::popcount(uint64_t(vectorMask));
  }
  int64_t getVectorMask() const { return vectorMask; }
  unsigned getNumWarpBits() const { return warpBits; }

private:
  tile::Holder getHolder(int64_t reg, int64_t lane, int64_t warp,
                         int64_t block) const {
    tile::Coords coords = from.getCoords(reg, lane, warp);
    coords[dim] = 2 * coords[dim] + block;
    return to.getHolder(coords);
  }

  void chooseSwizzle() {
    // Bits that are a register's on both sides move in one access.
    for (unsigned bit = 0; bit < from.getNumBits(tile::Hardware::Register); ++bit) {
      tile::Holder holder = getHolder(int64_t(1) << bit, 0, 0, 0);
      if (holder.lane == 0 && holder.warp == 0 && holder.block == 0 &&
          llvm::isPowerOf2_64(holder.reg) && holder.reg < getRegisters() &&
          getVector() < 4)
        vectorMask |= holder.reg;
    }
    // Eight lanes of an access of 16 bytes meet all banks.
    int64_t reached = 0;
    SmallVector<int64_t> others;
    for (unsigned bit = 0; bit < kLaneBits; ++bit) {
      tile::Holder holder = getHolder(0, int64_t(1) << bit, 0, 0);
      // Who stores decides neither the pass nor the thread block, and warps
      // exchange with warps of their number.
      possible &= holder.block == 0 && holder.reg < getRegisters() &&
                  holder.warp == 0 && (holder.reg & vectorMask) == 0;
      if (bit >= 3)
        continue;
      reached |= holder.lane;
      if (holder.lane == 0 && llvm::isPowerOf2_64(holder.reg))
        others.push_back(llvm::Log2_64(holder.reg));
    }
    for (unsigned bit = 0; bit < warpBits; ++bit) {
      tile::Holder holder = getHolder(0, 0, int64_t(1) << bit, 0);
      possible &= holder.warp == int64_t(1) << bit && holder.lane == 0 &&
                  holder.reg == 0 && holder.block == 0;
    }
    tile::Holder odd = getHolder(0, 0, 0, 1);
    possible &= odd.block == 0 && odd.warp == 0 && odd.reg == 0;
    for (unsigned bit = 0; bit < 3 && !others.empty(); ++bit)
      if (!(reached >> bit & 1)) {
        swizzle.push_back({others.front(), int64_t(1) << bit});
        others.erase(others.begin());
      }
  }

  int64_t dim;
  const tile::DistributedLayout &from, &to;
  unsigned warpBits = 0;
  int64_t registers = 1, passes = 1;
  bool possible = true;
  int64_t vectorMask = 0;
  /// A bit of the register, and what it does to the lane.
  SmallVector<std::pair<int64_t, int64_t>> swizzle;
};

/// Byte offsets `4 * (thread part ^ constant)`, the parts of a constant that meet no
/// bit of the thread part as immediates.
class WordOffsets {
public:
  WordOffsets(OpBuilder &builder, Location loc, Value thread, int64_t mask)
      : builder(builder), loc(loc), thread(thread), mask(mask) {}

  std::pair<Value, int64_t> get(int64_t word) {
    Value &offset = offsets[word & mask];
    if (!offset) {
      auto constant = [&](int64_t value) -> Value {
        return arith::ConstantOp::create(builder, loc,
                                         builder.getI32IntegerAttr(value));
      };
      offset = thread;
      if (word & mask)
        offset = arith::XOrIOp::create(builder, loc, offset,
                                       constant(word & mask));
      offset = arith::MulIOp::create(builder, loc, offset, constant(4));
    }
    return {offset, (word & ~mask) * 4};
  }

private:
  OpBuilder &builder;
  Location loc;
  Value thread;
  int64_t mask;
  DenseMap<int64_t, Value> offsets;
};

} // namespace

/// PTX that has no op, with operands `$0`, `$1`, ...
static void emitPtx(OpBuilder &builder, Location loc, StringRef text,
                    StringRef constraints, ValueRange operands) {
  LLVM::InlineAsmOp::create(builder, loc, TypeRange(), operands, text,
                            (constraints + (constraints.empty() ? "" : ",") +
                             "~{memory}")
                                .str(),
                            /*has_side_effects=*/true, /*is_align_stack=*/false,
                            LLVM::tailcallkind::TailCallKind::None,
                            LLVM::AsmDialectAttr(), ArrayAttr());
}

void KernelEmitter::emitClusterBarrier(Location loc) {
  auto aligned = builder.getUnitAttr();
  NVVM::ClusterArriveOp::create(builder, loc, aligned);
  NVVM::ClusterWaitOp::create(builder, loc, aligned);
}

/// Two transaction barriers a warp: one counts the bytes that arrive in the warp's
/// scratch, one says that the other block's is free.
void KernelEmitter::initPairBarriers(Location loc, Value base) {
  Value isFirst =
      arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq,
                            sums->getThreadNumber(), i32(loc, 0));
  auto branch = scf::IfOp::create(builder, loc, isFirst);
  {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(branch.thenBlock());
    for (int64_t i = 0; i < 2 * int64_t(kernel.getWarps()); ++i)
      emitPtx(builder, loc, "mbarrier.init.shared::cta.b64 [$0], 1;", "r",
              toSharedAddress(loc, offsetPointer(loc, base, 8 * i)));
    emitPtx(builder, loc, "fence.mbarrier_init.release.cluster;", "", {});
  }
  emitClusterBarrier(loc);
  hasPairs = true;
}

Value KernelEmitter::toSharedAddress(Location loc, Value pointer) {
  return LLVM::PtrToIntOp::create(builder, loc, builder.getI32Type(), pointer);
}

LogicalResult KernelEmitter::emitJoinPair(tile::JoinPairOp op) {
  FailureOr<tile::DistributedLayout> from = getLayout(op, op.getValue().getType());
  FailureOr<tile::DistributedLayout> to = getLayout(op, op.getResult().getType());
  if (failed(from) || failed(to))
    return failure();
  auto scratch = cast<tile::SharedType>(op.getScratch().getType());
  int64_t elements =
      cast<tile::SharedLayoutAttr>(scratch.getLayout()).getLayout().getSpan(
          scratch.getShape());
  int64_t bytes = scratch.getElementType().getIntOrFloatBitWidth() / 8;
  Exchange exchange(op, *from, *to, elements * bytes);
  if (!exchange.isPossible())
    return op.emitOpError("stores values of one register to several passes, warps "
                          "or thread blocks");

  // The thread part of a word, by the bits of who stores and who reads.
  Location loc = op.getLoc();
  unsigned threadBits = kLaneBits + exchange.getNumWarpBits();
  auto getThreadPart = [&](auto getWord, int64_t &mask) {
    SmallVector<ThreadTerm> terms;
    SmallVector<uint64_t> sources(63, 0);
    for (unsigned bit = 0; bit < threadBits; ++bit) {
      int64_t lane = bit < kLaneBits ? int64_t(1) << bit : 0;
      int64_t warp = bit < kLaneBits ? 0 : int64_t(1) << (bit - kLaneBits);
      int64_t word = getWord(lane, warp);
      mask |= word;
      for (unsigned i = 0; i < sources.size(); ++i)
        if (word >> i & 1)
          sources[i] |= uint64_t(1) << bit;
    }
    for (auto [i, source] : llvm::enumerate(sources))
      if (source)
        terms.push_back({source, int64_t(1) << i});
    return sums->getSum(terms);
  };
  int64_t writeMask = 0, readMask = 0;
  Value writer = getThreadPart(
      [&](int64_t lane, int64_t warp) {
        return exchange.getPlace(0, lane, warp, 0).word;
      },
      writeMask);
  Value reader = getThreadPart(
      [&](int64_t lane, int64_t warp) { return exchange.getWord(0, lane, warp); },
      readMask);
  int64_t odd = exchange.getPlace(0, 0, 0, 1).word;
  writeMask |= odd;
  Value block = sums->getBlockNumber();
  Value second = arith::MulIOp::create(builder, loc, block, i32(loc, odd));
  writer = arith::XOrIOp::create(builder, loc, writer, second);
  WordOffsets writes(builder, loc, writer, writeMask);
  WordOffsets reads(builder, loc, reader, readMask);

  // Addresses of this warp's barriers, here and in the other thread block.
  Value barriers = getScalar(op.getBarriers());
  Value local = getScalar(op.getScratch());
  SmallVector<ThreadTerm> warpTerms;
  for (unsigned bit = 0; bit < exchange.getNumWarpBits(); ++bit)
    warpTerms.push_back({uint64_t(1) << (kLaneBits + bit), int64_t(16) << bit});
  Value full = arith::AddIOp::create(builder, loc, toSharedAddress(loc, barriers),
                                     sums->getSum(warpTerms));
  Value empty = arith::AddIOp::create(builder, loc, full, i32(loc, 8));
  auto mapTo = [&](Value address, Value rank) -> Value {
    return LLVM::InlineAsmOp::create(
               builder, loc, builder.getI32Type(), ValueRange{address, rank},
               "mapa.shared::cluster.u32 $0, $1, $2;", "=r,r,r",
               /*has_side_effects=*/false, /*is_align_stack=*/false,
               LLVM::tailcallkind::TailCallKind::None, LLVM::AsmDialectAttr(),
               ArrayAttr())
        .getRes();
  };
  Value other = arith::XOrIOp::create(builder, loc, block, i32(loc, 1));
  Value otherEmpty = mapTo(empty, other);
  Value scratchAddress = toSharedAddress(loc, local);
  Value scratchOf[2], fullOf[2];
  for (int64_t rank : {0, 1}) {
    scratchOf[rank] = mapTo(scratchAddress, i32(loc, rank));
    fullOf[rank] = mapTo(full, i32(loc, rank));
  }
  auto wait = [&](Value barrier, int64_t parity) {
    emitPtx(builder, loc,
            "{ .reg .pred p; again: "
            "mbarrier.try_wait.parity.shared::cta.b64 p, [$0], $1; "
            "@p bra done; bra again; done: }",
            "r,n", {barrier, i32(loc, parity)});
  };

  ArrayRef<Value> values = get(op.getValue());
  Type element = getScalarType(op.getValue().getType());
  Value isFirstLane = sums->getIsZero((1 << kLaneBits) - 1);
  uint64_t copies = from->getReplicationMask(tile::Hardware::Register);
  Registers registers;
  for (int64_t pass = 0; pass < exchange.getPasses(); ++pass) {
    // This block is done with its scratch: the other may store to it.
    if (pass == 0)
      NVVM::Barrier0Op::create(builder, loc);
    else
      NVVM::SyncWarpOp::create(builder, loc, i32(loc, -1));
    auto branch = scf::IfOp::create(builder, loc, isFirstLane);
    {
      OpBuilder::InsertionGuard guard(builder);
      builder.setInsertionPointToStart(branch.thenBlock());
      emitPtx(builder, loc,
              "mbarrier.arrive.expect_tx.shared::cta.b64 _, [$0], $1;", "r,n",
              {full, i32(loc, exchange.getRegisters() * 4 << kLaneBits)});
      emitPtx(builder, loc, "mbarrier.arrive.shared::cluster.b64 _, [$0];", "r",
              otherEmpty);
    }
    wait(empty, pass & 1);
    // Registers by the place of the first of their vector.
    std::map<std::pair<int64_t, int64_t>, SmallVector<Value>> vectors;
    int64_t width = exchange.getVector();
    for (int64_t reg = 0; reg < from->getNumRegisters(); ++reg) {
      Exchange::Place place = exchange.getPlace(reg, 0, 0, 0);
      if ((reg & copies) || place.pass != pass)
        continue;
      Value word = values[reg];
      if (!word.getType().isInteger(32))
        word = LLVM::BitcastOp::create(builder, loc, builder.getI32Type(), word);
      int64_t part = place.word % width;
      auto &vector = vectors[{place.block, place.word - part}];
      vector.resize(width);
      vector[part] = word;
    }
    for (auto &[place, vector] : vectors) {
      auto [offset, immediate] = writes.get(place.second);
      SmallVector<Value> operands{arith::AddIOp::create(
          builder, loc, scratchOf[place.first], offset)};
      llvm::append_range(operands, vector);
      operands.push_back(fullOf[place.first]);
      std::string text =
          "st.async.weak.shared::cluster.mbarrier::complete_tx::bytes";
      text += width == 4 ? ".v4" : width == 2 ? ".v2" : "";
      text += ".b32 [$0 + " + std::to_string(immediate) + "], ";
      std::string list, constraints = "r";
      for (int64_t i = 0; i < width; ++i) {
        list += (i ? ", $" : "$") + std::to_string(i + 1);
        constraints += ",r";
      }
      text += width > 1 ? "{" + list + "}" : list;
      text += ", [$" + std::to_string(width + 1) + "];";
      emitPtx(builder, loc, text, constraints + ",r", operands);
    }
    wait(full, pass & 1);
    int64_t first = registers.size();
    registers.resize(first + exchange.getRegisters());
    auto vectorType = VectorType::get({width}, element);
    for (int64_t reg = 0; reg < exchange.getRegisters(); ++reg) {
      if (reg & exchange.getVectorMask())
        continue;
      auto [offset, immediate] = reads.get(exchange.getWord(reg, 0, 0));
      Value moved = LLVM::GEPOp::create(builder, loc, local.getType(),
                                        builder.getI8Type(), local,
                                        LLVM::GEPArg(offset));
      Value loaded = LLVM::LoadOp::create(builder, loc, vectorType,
                                          offsetPointer(loc, moved, immediate),
                                          4 * width);
      for (int64_t other = reg; other < exchange.getRegisters(); ++other)
        if ((other & ~exchange.getVectorMask()) == reg)
          registers[first + other] = LLVM::ExtractElementOp::create(
              builder, loc, loaded,
              i32(loc, exchange.getWord(other, 0, 0) % width));
    }
  }
  set(op.getResult(), registers);
  return success();
}

} // namespace tilefuse
