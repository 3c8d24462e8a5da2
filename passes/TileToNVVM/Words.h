//===- Words.h - packing elements into machine words --------------*- C++ -*-===//
//
// Predicated memory accesses and shuffles move 32-bit words whatever the
// elements are. One predicated access is one PTX instruction; LLVM has no
// predicated load, and a branch around each would cost more than the load.
//
//===----------------------------------------------------------------------===//
#ifndef TILEFUSE_PASSES_TILETONVVM_WORDS_H
#define TILEFUSE_PASSES_TILETONVVM_WORDS_H

#include "mlir/IR/Builders.h"
#include "llvm/ADT/SmallVector.h"

namespace tilefuse {

/// The type an element has in memory: i1 is a byte.
mlir::Type getMemoryType(mlir::Type elementType);
int64_t getMemoryBytes(mlir::Type elementType);

/// To and from the type in memory.
mlir::Value toMemory(mlir::OpBuilder &builder, mlir::Location loc,
                     mlir::Value value);
mlir::Value fromMemory(mlir::OpBuilder &builder, mlir::Location loc,
                       mlir::Value value, mlir::Type elementType);

/// Elements of one memory type as i32 words, or as one i16 when they fill less
/// than a word.
llvm::SmallVector<mlir::Value, 4> packWords(mlir::OpBuilder &builder,
                                            mlir::Location loc,
                                            llvm::ArrayRef<mlir::Value> elements);
llvm::SmallVector<mlir::Value, 8>
unpackWords(mlir::OpBuilder &builder, mlir::Location loc,
            llvm::ArrayRef<mlir::Value> words, mlir::Type elementType,
            int64_t count);

/// `count` neighbouring elements of a memory type at `pointer + offset` bytes;
/// where `predicate` is false, `fallback` (one element) instead of each. A null
/// predicate is true. A volatile load (without a predicate) is not merged with
/// others of the same address.
llvm::SmallVector<mlir::Value, 8>
loadElements(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value pointer,
             int64_t offset, mlir::Value predicate, mlir::Value fallback,
             mlir::Type elementType, int64_t count, bool isVolatile = false);

/// The same for stores, which happen where the predicate holds.
void storeElements(mlir::OpBuilder &builder, mlir::Location loc,
                   mlir::Value pointer, int64_t offset, mlir::Value predicate,
                   llvm::ArrayRef<mlir::Value> elements);

} // namespace tilefuse

#endif // TILEFUSE_PASSES_TILETONVVM_WORDS_H
