//===- GlobalAccess.h - addresses and bounds of a block -----------*- C++ -*-===//
//
// Where each register's element of a block lies in a view, whether it must be
// checked against the view's bounds, and how many neighbouring registers one
// access may move.
//
// Element c of the block is view element offset + c * step. Its byte address is
//
//   view + sum_d offset_d * stride_d            64 bits, the same in all threads
//        + sum_d c_d(thread) * step_d * stride_d   32 bits, once a thread
//        + constant of the register                an immediate
//
// (all in 64 bits for the rare block that spans 2^31 bytes).
//
// A dim needs a check unless the facts about its offset prove that no element
// leaves the view; registers with the same coordinate share its comparison.
// Where the layout pads a dim, padding reads whatever lies there when that is
// inside the view, and is never written.
//
//===----------------------------------------------------------------------===//
#ifndef TILEFUSE_PASSES_TILETONVVM_GLOBALACCESS_H
#define TILEFUSE_PASSES_TILETONVVM_GLOBALACCESS_H

#include "passes/TileToNVVM/KernelEmitter.h"
#include <map>

namespace tilefuse {

class GlobalAccess {
public:
  enum class Kind { Read, Write };

  GlobalAccess(KernelEmitter &emitter, mlir::Operation *op, Kind kind,
               mlir::Value view, mlir::ValueRange offsets,
               std::optional<llvm::ArrayRef<int64_t>> steps,
               llvm::ArrayRef<int64_t> shape,
               const tile::DistributedLayout &layout);

  /// Computes the base address.
  void prepare();

  /// Registers r, ..., r + vector - 1 (r a multiple of it) are neighbours in
  /// memory, aligned together, and all inside or all outside the view.
  int64_t getVector() const { return vector; }

  /// Pointer and immediate byte offset of a register.
  std::pair<mlir::Value, int64_t> getAddress(int64_t reg);

  /// Null when the element is certainly inside.
  mlir::Value getPredicate(int64_t reg);

  /// `pointer` where the predicate holds, else one from which the bytes `low` to
  /// `high` lie inside the view, too; null where no such run fits the view.
  mlir::Value getSafePointer(mlir::Value pointer, mlir::Value predicate,
                             int64_t low, int64_t high);

  /// True when the register is padding in every thread.
  bool isPadding(int64_t reg) { return coords.isPadding(shape, reg); }

private:
  bool needsBoundsCheck(unsigned dim);
  bool needsPaddingCheck(unsigned dim);
  bool isVectorLegal(int64_t width);
  int64_t chooseVector();
  mlir::Value compare(unsigned dim, int64_t reg);
  mlir::Value getWideAddress(int64_t reg);

  KernelEmitter &emitter;
  mlir::Location loc;
  Kind kind;
  mlir::Value view;
  tile::ViewType viewType;
  llvm::SmallVector<mlir::Value> offsets;
  llvm::SmallVector<int64_t> steps, shape, byteWeights;
  tile::DistributedLayout layout;
  BlockCoords coords;
  llvm::SmallVector<OffsetFacts> facts;
  llvm::SmallVector<mlir::Value> offsets32;
  int64_t elementBytes;
  int64_t vector = 1;
  bool isWide = false;
  mlir::Value base;
  /// Pointers by the thread part they add; one for an additive layout.
  llvm::DenseMap<mlir::Value, mlir::Value> pointers;
  /// Comparisons by dim, thread part and constant.
  std::map<std::pair<unsigned, int64_t>, llvm::DenseMap<mlir::Value, mlir::Value>>
      comparisons;
  llvm::DenseMap<std::pair<mlir::Value, mlir::Value>, mlir::Value> conjunctions;
};

} // namespace tilefuse

#endif // TILEFUSE_PASSES_TILETONVVM_GLOBALACCESS_H
