//===- Fragments.h - operand fragments of matrix instructions -----*- C++ -*-===//
//
// Registers of a fragment of mma.sync, which is also the left fragment of wgmma:
// loaded from a shared tile on first use, rounded or split on the way.
//
//===----------------------------------------------------------------------===//
#ifndef TILEFUSE_PASSES_TILETONVVM_FRAGMENTS_H
#define TILEFUSE_PASSES_TILETONVVM_FRAGMENTS_H

#include "passes/TileToNVVM/SharedAccess.h"

namespace tilefuse {

/// The bits of an f32 rounded to nearest with 10 mantissa bits, ties to even.
mlir::Value emitTf32(mlir::OpBuilder &builder, mlir::Location loc,
                     mlir::Value value);

/// One tf32 operand register, as the instruction reads it.
struct Tf32Pair {
  mlir::Value big;
  mlir::Value small; // null when one product is enough
};

/// What a fragment's registers become on their way into the instruction. `Again`
/// rounds what the thread has read before but must not have kept.
enum class Fragment { Tf32Rounded, Tf32Round, Tf32Split, Tf32Again, Half };

/// Loads fragments on first use and remembers them.
class FragmentLoader {
public:
  FragmentLoader(mlir::OpBuilder &builder, mlir::Location loc,
                 SharedAccess access, int64_t numRegisters, Fragment kind)
      : builder(builder), loc(loc), access(std::move(access)), kind(kind),
        raw(numRegisters), words(numRegisters) {}

  Tf32Pair getTf32(int64_t reg);
  /// Registers `low` and `high` as the two halves of one word.
  mlir::Value getHalves(int64_t low, int64_t high);

private:
  mlir::Value getRaw(int64_t reg);

  mlir::OpBuilder &builder;
  mlir::Location loc;
  SharedAccess access;
  Fragment kind;
  llvm::SmallVector<mlir::Value> raw;
  llvm::SmallVector<Tf32Pair> words;
};

/// `sum`, or where some sum of the warp is not finite, what `repair` makes of it.
llvm::SmallVector<mlir::Value, 4>
emitRepair(mlir::OpBuilder &builder, mlir::Location loc,
           llvm::SmallVector<mlir::Value, 4> sum,
           llvm::function_ref<void(llvm::MutableArrayRef<mlir::Value>)> repair);

/// Adds the products of one step in depth by mma.sync of tf32 to `sum`.
void emitTf32Depth(mlir::OpBuilder &builder, mlir::Location loc,
                   llvm::ArrayRef<tile::MmaStep> steps, FragmentLoader &lhs,
                   FragmentLoader &rhs, llvm::MutableArrayRef<mlir::Value> sum);

} // namespace tilefuse

#endif // TILEFUSE_PASSES_TILETONVVM_FRAGMENTS_H
