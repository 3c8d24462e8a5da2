//===- KernelEmitter.h - one tile.func as code of one thread ------*- C++ -*-===//
//
// A kernel at the second level says what a thread block does; its layouts say
// what each thread holds of every block. The emitter walks the kernel once and
// writes the code of one thread: a block value becomes as many scalars as its
// layout has registers, pointwise code is repeated a register, and what moves
// data between threads (loads, reductions, matrix products, conversions) asks
// the layout algebra who holds what. There is no lane arithmetic here.
//
//   %b = math.absf %a : tensor<64x32xf32, #l>       // #l: 16 registers
//     -> %b0 = math.absf %a0 : f32 ... %b15 = math.absf %a15 : f32
//
// The result mixes arith, math and scf on scalars with llvm and nvvm; the pass
// lowers the former with MLIR's own conversions.
//
// Index values become i64. Offsets inside one block are i32; a block that spans
// 2^31 bytes or more is refused.
//
//===----------------------------------------------------------------------===//
#ifndef TILEFUSE_PASSES_TILETONVVM_KERNELEMITTER_H
#define TILEFUSE_PASSES_TILETONVVM_KERNELEMITTER_H

#include "dialects/Tile/Layout/WgmmaPlan.h"
#include "dialects/Tile/Tile.h"
#include "passes/TileToNVVM/BlockCoords.h"
#include "passes/TileToNVVM/OffsetFacts.h"
#include "passes/TileToNVVM/ThreadSums.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "llvm/ADT/DenseMap.h"
#include <functional>
#include <memory>

namespace tilefuse {

using Registers = llvm::SmallVector<mlir::Value, 4>;

/// The state of a reduction over some elements: one scalar an operand. It is
/// void where `valid` is false (only padding so far); null means everywhere valid.
struct Partial {
  Registers state;
  mlir::Value valid;
};

class KernelEmitter {
public:
  /// `alignments[i]`: bytes that argument i's base is known to be a multiple of.
  KernelEmitter(tile::FuncOp kernel, llvm::ArrayRef<int64_t> alignments);

  /// Adds the thread's code in front of the kernel, which stays as it is.
  mlir::FailureOr<mlir::LLVM::LLVMFuncOp> emit();

private:
  friend class GlobalAccess;
  friend class SharedAccess;

  //===--- KernelEmitter.cpp: values and dispatch --------------------------===//
  mlir::LogicalResult emitBlock(mlir::Block &block);
  mlir::LogicalResult emitOp(mlir::Operation *op);
  mlir::LogicalResult emitElementwise(mlir::Operation *op);
  mlir::FailureOr<int64_t> checkElementwise(mlir::Operation *op);
  mlir::Value emitElement(mlir::Operation *op, int64_t reg);
  mlir::FailureOr<mlir::Operation *> emitElementwiseRun(mlir::Operation *first);
  mlir::LogicalResult emitConstant(mlir::arith::ConstantOp op);
  mlir::LogicalResult emitIndexCast(mlir::Operation *op, bool isSigned);
  mlir::Value emitTableConstant(mlir::Location loc,
                                mlir::DenseElementsAttr values,
                                BlockCoords &coords, int64_t reg);

  llvm::ArrayRef<mlir::Value> get(mlir::Value value) const;
  mlir::Value getScalar(mlir::Value value) const { return get(value).front(); }
  void set(mlir::Value value, llvm::ArrayRef<mlir::Value> registers);
  /// The layout of a block tensor; an error on `op` when it has none.
  mlir::FailureOr<tile::DistributedLayout> getLayout(mlir::Operation *op,
                                                     mlir::Type type);
  /// Scalars that hold a value of this type: registers of a block, 1 else.
  mlir::FailureOr<int64_t> getNumScalars(mlir::Operation *op, mlir::Type type);
  /// The type of those scalars.
  mlir::Type getScalarType(mlir::Type type);
  /// A scalar region (a combiner) applied to values; its yielded scalars.
  mlir::FailureOr<Registers> inlineRegion(mlir::Region &region,
                                          llvm::ArrayRef<mlir::Value> arguments);

  mlir::Value i32(mlir::Location loc, int64_t value);
  mlir::Value zero(mlir::Location loc, mlir::Type type);
  /// `a` and `b` where either may be null for "true".
  mlir::Value conjoin(mlir::Location loc, mlir::Value a, mlir::Value b);
  mlir::Value addImmediate(mlir::Location loc, mlir::Value value,
                           int64_t constant);
  mlir::Value offsetPointer(mlir::Location loc, mlir::Value pointer,
                            int64_t bytes);

  //===--- ControlFlow.cpp -------------------------------------------------===//
  mlir::LogicalResult emitFor(mlir::scf::ForOp op);
  mlir::LogicalResult emitIf(mlir::scf::IfOp op);
  mlir::LogicalResult emitWhile(mlir::scf::WhileOp op);
  mlir::FailureOr<Registers> flatten(mlir::Operation *op,
                                     mlir::ValueRange values);
  mlir::LogicalResult flattenTypes(mlir::Operation *op, mlir::TypeRange types,
                                   llvm::SmallVectorImpl<mlir::Type> &result);
  mlir::LogicalResult assign(mlir::Operation *op, mlir::ValueRange values,
                             mlir::ValueRange scalars);

  //===--- Blocks.cpp: values that need no other thread ---------------------===//
  mlir::LogicalResult emitProgramId(tile::ProgramIdOp op);
  mlir::LogicalResult emitIota(tile::IotaOp op);
  mlir::LogicalResult emitSplat(tile::SplatOp op);
  mlir::LogicalResult emitExtract(tile::ExtractOp op);
  /// Registers of the result renamed from those of the operand, where result
  /// element c is operand element `toSource(c)`.
  mlir::LogicalResult
  emitRename(mlir::Operation *op,
             llvm::function_ref<tile::Coords(llvm::ArrayRef<int64_t>)> toSource);
  mlir::LogicalResult emitInsertWindow(tile::InsertWindowOp op);
  /// True in threads whose register `reg` is not padding; null for all.
  mlir::Value emitIsReal(mlir::Location loc, BlockCoords &coords,
                         llvm::ArrayRef<int64_t> shape, int64_t reg);

  //===--- Shuffles.cpp ----------------------------------------------------===//
  mlir::LogicalResult emitConvertLayout(tile::ConvertLayoutOp op);
  mlir::Value emitShuffleXor(mlir::Location loc, mlir::Value value,
                             int64_t laneMask);
  mlir::Value emitShuffleFrom(mlir::Location loc, mlir::Value value,
                              mlir::Value lane);
  mlir::Value emitShuffleWords(
      mlir::Location loc, mlir::Value value,
      llvm::function_ref<mlir::Value(mlir::Value)> shuffleWord);

  //===--- Reduce.cpp, Scan.cpp --------------------------------------------===//
  mlir::LogicalResult emitReduce(tile::ReduceOp op);
  mlir::LogicalResult
  divideLanes(tile::ReduceOp op,
              llvm::ArrayRef<std::pair<unsigned, int64_t>> divided,
              llvm::MutableArrayRef<llvm::SmallVector<Partial>> groups,
              llvm::function_ref<mlir::FailureOr<Partial>(
                  llvm::ArrayRef<Partial>)>
                  fold);
  /// combiner(lhs, rhs) of two states.
  mlir::FailureOr<Partial> emitCombine(mlir::Region &combiner,
                                       const Partial &lhs, const Partial &rhs);
  mlir::LogicalResult emitScan(tile::ScanOp op);

  //===--- GlobalMemory.cpp ------------------------------------------------===//
  mlir::LogicalResult emitLoad(tile::LoadOp op);
  bool isLoadedByItsCopy(tile::LoadOp op);
  mlir::LogicalResult emitLoadParts(
      tile::LoadOp op, const tile::DistributedLayout &layout, int64_t partSize,
      llvm::MutableArrayRef<mlir::Value> registers,
      llvm::function_ref<mlir::LogicalResult(int64_t, int64_t)> onPart);
  /// Writes registers [begin, end) of what is stored; both are multiples of `width`.
  struct PreparedStore {
    int64_t width;
    std::function<void(int64_t begin, int64_t end)> write;
  };
  mlir::FailureOr<PreparedStore> prepareStore(tile::StoreOp op);
  mlir::LogicalResult emitStore(tile::StoreOp op);
  mlir::LogicalResult emitAtomic(tile::AtomicOp op);
  int64_t getBaseAlignment(mlir::Value view) const;

  //===--- SharedMemory.cpp ------------------------------------------------===//
  mlir::LogicalResult emitAllocShared(tile::AllocSharedOp op);
  mlir::LogicalResult emitSharedSlot(tile::SharedSlotOp op);
  mlir::LogicalResult emitCopyToShared(tile::CopyToSharedOp op);
  mlir::LogicalResult emitLoadShared(tile::LoadSharedOp op);
  mlir::LogicalResult emitAsyncCopy(tile::AsyncCopyOp op);
  mlir::LogicalResult emitAsyncWait(tile::AsyncWaitOp op);
  mlir::LogicalResult emitBarrier(mlir::Location loc);

  //===--- Mma.cpp ---------------------------------------------------------===//
  mlir::LogicalResult emitMma(tile::MmaOp op);
  mlir::LogicalResult emitMmaSync(tile::MmaOp op);
  mlir::LogicalResult emitFmaLoop(tile::MmaOp op);

  //===--- Wgmma.cpp -------------------------------------------------------===//
  mlir::LogicalResult emitWgmma(tile::MmaOp op);
  Registers repairSum(tile::MmaOp op, const tile::MmaLayouts &layouts,
                      size_t first, size_t length, const Registers &sum);
  /// Waits for the sums in flight unless `op` can go first.
  void finishCarried(mlir::scf::ForOp loop);
  mlir::Value emitWrapped(mlir::Location loc, mlir::Value slot, int64_t ahead,
                          int64_t size);
  mlir::LogicalResult finishBefore(mlir::Operation *op);
  /// True for an op that is emitted when the sums it renames are there.
  bool putOff(mlir::Operation *op);
  mlir::LogicalResult finishProduct();
  mlir::Value emitDescriptor(mlir::Location loc, mlir::Value tile,
                             const tile::DistributedLayout &threads,
                             const tile::WgmmaStep &step);

  //===--- Diagnostics.cpp -------------------------------------------------===//
  mlir::LogicalResult emitPrint(tile::PrintOp op);
  mlir::LogicalResult emitAssert(tile::AssertOp op);
  mlir::Value getStringPointer(mlir::Location loc, llvm::StringRef text);
  mlir::LLVM::LLVMFuncOp getDriverFunction(llvm::StringRef name,
                                           mlir::LLVM::LLVMFunctionType type);

  tile::FuncOp kernel;
  mlir::ModuleOp module;
  llvm::SmallVector<int64_t> alignments;
  mlir::OpBuilder builder;
  mlir::LLVM::LLVMFuncOp function;
  std::unique_ptr<ThreadSums> sums;
  OffsetAnalysis offsets;
  llvm::DenseMap<mlir::Value, Registers> values;
  mlir::Value sharedBase;
  /// Products whose instructions are issued but not waited for, first to last.
  struct Unfinished {
    llvm::SmallVector<mlir::Value> results;
    llvm::SmallVector<std::function<mlir::LogicalResult()>> finish;
    /// Transposes of the results, renamed when they are there.
    llvm::SmallVector<mlir::Operation *> waiting;
    /// Whether more products may follow before these are waited for.
    bool joins = false;
  };
  Unfinished unfinished;
  /// By induction variable and size of a ring: the buffer of the round.
  llvm::DenseMap<std::pair<mlir::Value, int64_t>, mlir::Value> ringSlots;
  int64_t numTables = 0;
};

} // namespace tilefuse

#endif // TILEFUSE_PASSES_TILETONVVM_KERNELEMITTER_H
