//===- CostModel.h - bytes, flops and time of groups of ops -----*- C++ -*-===//
//
// What a group of fuse ops costs as one kernel on a target, from iteration
// spaces only: DRAM traffic is every distinct input read once and every result
// written once; work is counted per iteration; the time estimate is the larger
// of the memory and the arithmetic time plus a launch. Units: bytes, operations
// (a multiply-add is two), microseconds.
//
// Also what one tile needs: the footprint of an operand (by interval arithmetic
// on its affine map), shared memory of staged operands, accumulator registers.
//
//===----------------------------------------------------------------------===//
#ifndef TILEFUSE_LIB_COSTMODEL_COSTMODEL_H
#define TILEFUSE_LIB_COSTMODEL_COSTMODEL_H

#include "dialects/Fuse/KernelStructure.h"

namespace tilefuse {

/// Bytes of a dense tensor of this type.
int64_t getByteSize(mlir::Type type);

/// Extents of the part of an operand of `shape` that a block of iterations
/// with extents `block` reads, before it is cut at the operand's bounds.
llvm::SmallVector<int64_t> getFootprint(const fuse::OperandAccess &access,
                                        llvm::ArrayRef<int64_t> block,
                                        llvm::ArrayRef<int64_t> shape);

/// Extents of the reduction dims in one step of an op that no schedule speaks of.
llvm::SmallVector<int64_t> getUnscheduledSteps(llvm::ArrayRef<int64_t> bounds,
                                               bool powersOfTwo);

/// Work and traffic of one kernel.
struct KernelCost {
  int64_t bytesRead = 0;
  int64_t bytesWritten = 0;
  /// Multiply-adds of contractions, times two.
  int64_t contractionOps = 0;
  /// Everything else, in the unit of getElementCost.
  int64_t elementOps = 0;
  /// Estimated time in microseconds.
  double time = 0;

  int64_t getBytes() const { return bytesRead + bytesWritten; }
};

/// What one tile of a contraction needs.
struct TileCost {
  /// Elements of the accumulator.
  int64_t accumulator = 0;
  /// Bytes of the operand blocks of one reduction step.
  int64_t sharedBytes = 0;
  /// The same, operand by operand.
  llvm::SmallVector<int64_t> operandBytes;
};

class CostModel {
public:
  explicit CostModel(fuse::TargetAttr target) : target(target) {}

  fuse::TargetAttr getTarget() const { return target; }
  bool isGPU() const { return target.isGPU(); }

  /// The group as one kernel. With the schedule's `block`, what the anchor reads
  /// through other ops of the group counts as often as tiles compute it: their
  /// patches overlap, and each dim that the operand lacks visits it again.
  KernelCost getCost(const fuse::KernelGroup &group,
                     llvm::ArrayRef<int64_t> block = {}) const;

  /// How often tiles of `anchor` with extents `block` read each element of an
  /// operand.
  double getVisits(mlir::Operation *anchor, unsigned operand,
                   llvm::ArrayRef<int64_t> block) const;

  /// Arithmetic operations of one op, over its whole iteration space.
  int64_t getOps(mlir::Operation *op) const;
  /// Time of `ops` arithmetic operations of a contraction, microseconds.
  double getContractionTime(fuse::ContractionOpInterface op) const;
  double getMemoryTime(int64_t bytes) const;
  /// Time to write a value, microseconds. What a contraction computes one residue
  /// class of neighbouring elements at a time is written in pieces of sectors,
  /// which costs several times its bytes.
  double getWriteTime(mlir::Value value) const;
  double getElementTime(int64_t ops) const;
  /// Fixed cost of a launch, microseconds.
  double getLaunchTime() const { return isGPU() ? 3.0 : 10.0; }

  /// Whether the target has matrix instructions for this contraction.
  bool hasMatrixUnit(fuse::ContractionOpInterface op) const;

  /// How many times faster those are than ordinary arithmetic.
  double getMatrixSpeedup(fuse::ContractionOpInterface op) const;

  /// A tile of `op` whose iteration dims have the extents `block`.
  TileCost getTileCost(mlir::Operation *op,
                       llvm::ArrayRef<int64_t> block) const;

  /// Largest tile, in elements of 4 bytes, that one program instance computes
  /// on without spilling: 64 registers of each of 256 threads, or a quarter of
  /// a typical second-level cache.
  int64_t getTileCapacity() const { return isGPU() ? 16384 : 131072; }
  /// Shared memory (or cache) for the operands of one reduction step.
  int64_t getSharedCapacity() const;

private:
  fuse::TargetAttr target;
};

} // namespace tilefuse

#endif // TILEFUSE_LIB_COSTMODEL_COSTMODEL_H
