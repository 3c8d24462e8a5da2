//===- OperandReader.h - blocks of operands over iterations -----*- C++ -*-===//
//
// Reads operands of an op for boxes of its iterations. For the taps of a window
// or filter it reads the union of what they touch once, as a patch, and gives
// each tap a strided window of it.
//
//===----------------------------------------------------------------------===//
#ifndef TILEFUSE_PASSES_TILING_OPERANDREADER_H
#define TILEFUSE_PASSES_TILING_OPERANDREADER_H

#include "passes/Tiling/BlockEmitter.h"

namespace tilefuse {

/// A block whose dim k runs along iteration dim dims[k]; no dim of extent 1.
struct LabelledBlock {
  mlir::Value block;
  llvm::SmallVector<unsigned> dims;
};

class OperandReader {
public:
  /// `form` is the op's own or a permutation of it.
  OperandReader(BlockEmitter &emitter, mlir::Operation *op,
                const SpaceForm &form)
      : emitter(emitter), op(op), form(form), patches(op->getNumOperands()) {}

  /// Elements outside the iteration space in a reduction dim read as zero, so
  /// that products vanish.
  void setZeroBeyondReduction(bool zero) { zeroBeyondReduction = zero; }

  /// Decides, per operand, whether the boxes in `taps` share a patch. Holds
  /// until the next call.
  void planPatches(llvm::ArrayRef<Slice> taps);

  /// The block of operand `index` over `iterations`, dims in the operand's
  /// order.
  mlir::FailureOr<LabelledBlock> read(unsigned index,
                                      llvm::ArrayRef<SliceDim> iterations);
  /// The same with one dim per iteration dim; dims that the operand lacks are 1
  /// unless `expand`. The fill value where a divisor leaves a remainder. What
  /// parallel dims without taps leave may be known at run time only.
  mlir::FailureOr<mlir::Value>
  readAligned(unsigned index, llvm::ArrayRef<SliceDim> iterations, bool expand);
  bool isNeverRead(unsigned index, llvm::ArrayRef<SliceDim> iterations) const {
    return tilefuse::isNeverRead(form.operands[index], iterations);
  }
  /// Whether `dim` is a dim of the operand by itself, as long as it: positions
  /// past its bound then lie outside the operand.
  bool isExactDim(unsigned index, unsigned dim) const;

  /// Whether `iterations` can be read as one block.
  bool canRead(unsigned index, llvm::ArrayRef<SliceDim> iterations) const {
    return getTouched(form.operands[index], iterations).has_value();
  }

private:
  void widenPatch(unsigned index, Slice &patch) const;
  mlir::FailureOr<mlir::Value> readSlice(unsigned index, const Slice &slice);
  /// The dims of an operand whose positions outside its bounds may reach a true
  /// result, and so must be the fill value.
  llvm::SmallVector<bool> getFilledDims(unsigned index) const;

  BlockEmitter &emitter;
  mlir::Operation *op;
  const SpaceForm &form;
  llvm::SmallVector<std::optional<Slice>> patches;
  bool zeroBeyondReduction = false;
};

} // namespace tilefuse

#endif // TILEFUSE_PASSES_TILING_OPERANDREADER_H
