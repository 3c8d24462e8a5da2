//===- ThreadSums.cpp - integers that depend on the thread --------*- C++ -*-===//

#include "passes/TileToNVVM/ThreadSums.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "llvm/ADT/bit.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace tilefuse {
namespace {

Value constant(OpBuilder &builder, Location loc, int64_t value) {
  return arith::ConstantOp::create(
      builder, loc, builder.getI32IntegerAttr(static_cast<int32_t>(value)));
}

} // namespace

Value ThreadSums::getThreadNumber() {
  if (!threadNumber) {
    OpBuilder builder(anchor);
    int32_t threads = 32 * numWarps;
    auto range = LLVM::ConstantRangeAttr::get(
        builder.getContext(), llvm::APInt(32, 0), llvm::APInt(32, threads));
    threadNumber = NVVM::ThreadIdXOp::create(builder, anchor->getLoc(),
                                             builder.getI32Type(), range);
  }
  return threadNumber;
}

/// (threadNumber >> shift) & mask
Value ThreadSums::shiftRightAndMask(unsigned shift, uint64_t mask) {
  Value value = getThreadNumber();
  OpBuilder builder(anchor);
  Location loc = anchor->getLoc();
  if (shift)
    value = arith::ShRUIOp::create(builder, loc, value,
                                   constant(builder, loc, shift));
  return arith::AndIOp::create(builder, loc, value,
                               constant(builder, loc, mask));
}

/// parity(threadNumber & mask) as an i32 that is 0 or 1.
Value ThreadSums::parityBit(uint64_t mask) {
  OpBuilder builder(anchor);
  Location loc = anchor->getLoc();
  Value result;
  for (unsigned bit = 0; bit < 64; ++bit) {
    if (!(mask >> bit & 1))
      continue;
    Value one = shiftRightAndMask(bit, 1);
    result = result ? Value(arith::XOrIOp::create(builder, loc, result, one))
                    : one;
  }
  return result ? result : constant(builder, loc, 0);
}

Value ThreadSums::getSum(ArrayRef<ThreadTerm> given) {
  std::vector<ThreadTerm> terms;
  for (ThreadTerm term : given)
    if (term.weight != 0 && term.mask != 0)
      terms.push_back(term);
  llvm::sort(terms);
  // Terms of one mask add up.
  std::vector<ThreadTerm> merged;
  for (ThreadTerm term : terms) {
    if (!merged.empty() && merged.back().mask == term.mask)
      merged.back().weight += term.weight;
    else
      merged.push_back(term);
  }
  llvm::erase_if(merged, [](ThreadTerm term) { return term.weight == 0; });
  auto [it, isNew] = sums.try_emplace(merged);
  if (!isNew)
    return it->second;

  OpBuilder builder(anchor);
  Location loc = anchor->getLoc();
  Value sum;
  auto accumulate = [&](Value part, int64_t weight) {
    if (weight != 1)
      part = arith::MulIOp::create(builder, loc, part,
                                   constant(builder, loc, weight));
    sum = sum ? Value(arith::AddIOp::create(builder, loc, sum, part)) : part;
  };
  for (size_t i = 0; i < merged.size(); ++i) {
    ThreadTerm term = merged[i];
    if (!llvm::isPowerOf2_64(term.mask)) {
      accumulate(parityBit(term.mask), term.weight);
      continue;
    }
    // Neighbouring bits with doubling weights are one bit field.
    size_t end = i + 1;
    while (end < merged.size() && merged[end].mask == merged[end - 1].mask * 2 &&
           merged[end].weight == merged[end - 1].weight * 2)
      ++end;
    uint64_t fieldMask = (uint64_t(1) << (end - i)) - 1;
    accumulate(shiftRightAndMask(llvm::countr_zero(term.mask), fieldMask),
               term.weight);
    i = end - 1;
  }
  if (!sum)
    sum = constant(builder, loc, 0);
  return sums[merged] = sum;
}

Value ThreadSums::getIsZero(uint64_t mask) {
  if (!mask)
    return {};
  Value &known = zeros[mask];
  if (known)
    return known;
  Value bits = shiftRightAndMask(0, mask);
  OpBuilder builder(anchor);
  Location loc = anchor->getLoc();
  known = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, bits,
                                constant(builder, loc, 0));
  return known;
}

Value ThreadSums::getParity(uint64_t mask) {
  Value &known = parities[mask];
  if (known)
    return known;
  Value bit = parityBit(mask);
  OpBuilder builder(anchor);
  Location loc = anchor->getLoc();
  known = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ne, bit,
                                constant(builder, loc, 0));
  return known;
}

} // namespace tilefuse
