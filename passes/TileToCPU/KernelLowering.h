//===- KernelLowering.h - state of convert-tile-to-linalg -------*- C++ -*-===//
//
// One kernel on its way from tile to linalg, tensor, memref and scf. The
// functions below each lower one op: they make new code at the builder's place
// and return the values that replace the op's results.
//
//===----------------------------------------------------------------------===//
#ifndef TILEFUSE_PASSES_TILETOCPU_KERNELLOWERING_H
#define TILEFUSE_PASSES_TILETOCPU_KERNELLOWERING_H

#include "dialects/Tile/Tile.h"

#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace tilefuse {

/// A view of the kernel and the memref that stands for it.
struct ViewMemory {
  tile::ViewType type;
  mlir::Value memref;
};

struct KernelLowering {
  explicit KernelLowering(mlir::ModuleOp module)
      : module(module), symbols(module) {}

  mlir::ModuleOp module;
  mlir::SymbolTable symbols;
  /// By view value; types of views change under the ops that use them.
  llvm::DenseMap<mlir::Value, ViewMemory> views;
  /// The instance's position.
  llvm::SmallVector<mlir::Value, 3> ids;
};

/// The program before tile-assign-layouts: no block has a layout. Else an error.
mlir::LogicalResult checkFirstLevel(tile::FuncOp kernel);

/// The memref of a view: strided, an i1 as i8.
mlir::MemRefType getMemRefType(tile::ViewType view);

/// Calls `body` with the indices inside a nest of loops from 0 to `extents`.
void emitLoops(
    mlir::ImplicitLocOpBuilder &b, llvm::ArrayRef<mlir::OpFoldResult> extents,
    llvm::function_ref<void(mlir::ImplicitLocOpBuilder &, mlir::ValueRange)>
        body);

/// Constant extents of a block.
llvm::SmallVector<mlir::OpFoldResult>
getExtents(mlir::OpBuilder &b, mlir::RankedTensorType type);

// Global memory.
mlir::Value lowerLoad(KernelLowering &kernel, mlir::ImplicitLocOpBuilder &b,
                      tile::LoadOp op);
void lowerStore(KernelLowering &kernel, mlir::ImplicitLocOpBuilder &b,
                tile::StoreOp op);
void lowerAtomic(KernelLowering &kernel, mlir::ImplicitLocOpBuilder &b,
                 tile::AtomicOp op);
mlir::Value lowerViewCast(KernelLowering &kernel, mlir::ImplicitLocOpBuilder &b,
                          tile::ViewCastOp op);

// Shapes.
mlir::Value lowerReshape(mlir::ImplicitLocOpBuilder &b, mlir::Value value,
                         llvm::ArrayRef<int64_t> shape);
mlir::Value lowerTrans(mlir::ImplicitLocOpBuilder &b, mlir::Value value,
                       llvm::ArrayRef<int64_t> permutation);
mlir::Value lowerWindow(mlir::ImplicitLocOpBuilder &b, tile::WindowOp op);
mlir::Value lowerInsertWindow(mlir::ImplicitLocOpBuilder &b,
                              tile::InsertWindowOp op);
mlir::Value lowerExtract(mlir::ImplicitLocOpBuilder &b, tile::ExtractOp op);

// Sums and combiners.
mlir::Value lowerDot(mlir::ImplicitLocOpBuilder &b, tile::DotOp op);
llvm::SmallVector<mlir::Value> lowerReduce(mlir::ImplicitLocOpBuilder &b,
                                           tile::ReduceOp op);
llvm::SmallVector<mlir::Value> lowerScan(mlir::ImplicitLocOpBuilder &b,
                                         tile::ScanOp op);

// Diagnostics of a running kernel: calls into the runtime.
void lowerPrint(KernelLowering &kernel, mlir::ImplicitLocOpBuilder &b,
                tile::PrintOp op);
void lowerAssert(KernelLowering &kernel, mlir::ImplicitLocOpBuilder &b,
                 tile::AssertOp op);

} // namespace tilefuse

#endif // TILEFUSE_PASSES_TILETOCPU_KERNELLOWERING_H
