//===- LoopPipeliner.h - one loop whose copies run ahead ---------*- C++
//-*-===//
//
// What tile-pipeline does to one loop: LoopPipeliner.cpp finds what can move
// and where it waits, Pipeline.cpp moves it.
//
//===----------------------------------------------------------------------===//
#ifndef TILEFUSE_PASSES_TILEOPT_LOOPPIPELINER_H
#define TILEFUSE_PASSES_TILEOPT_LOOPPIPELINER_H

#include "passes/TileOpt/FlatSlice.h"

#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/SmallBitVector.h"

namespace tilefuse {

/// A tile that each round of a loop fills once, before anything reads it.
struct Staging {
  tile::AllocSharedOp alloc;
  tile::CopyToSharedOp copy; // through registers, or
  tile::AsyncCopyOp async;   // past them
  /// Ops of the loop's body that make what is copied, in program order.
  mlir::SmallVector<mlir::Operation *> slice;
  /// Loads of the slice, issued a round ahead, that wait in registers.
  mlir::SmallVector<tile::LoadOp> held;
  /// How the block is computed as lines of parked loads.
  std::optional<FlatSlice> flat;
  mlir::Value ring;

  /// Whether what is copied is more than what was loaded, in another order.
  bool isComputed() const;
};

/// A load that waits in shared memory, each thread's part where only it looks.
struct Parked {
  tile::LoadOp load;
  mlir::Value tile;
  /// Other threads read it.
  bool isShared = false;
};

class LoopPipeliner {
public:
  LoopPipeliner(mlir::scf::ForOp loop, int64_t stages, int64_t otherBytes,
                const llvm::SmallBitVector &written)
      : loop(loop), stages(stages), otherBytes(otherBytes), written(written),
        builder(loop.getContext()) {}

  /// False when the loop stages nothing that can move.
  bool run();
  int64_t getNumTiles() const { return stagings.size(); }
  /// As it is now: carried loads make another one of it.
  mlir::scf::ForOp getLoop() const { return loop; }

private:
  bool isWritten(mlir::Value view) const {
    while (auto cast = view.getDefiningOp<tile::ViewCastOp>())
      view = cast.getView();
    auto argument = mlir::dyn_cast<mlir::BlockArgument>(view);
    return !argument || argument.getArgNumber() >= written.size() ||
           written[argument.getArgNumber()];
  }
  bool collect();
  bool collectSlice(Staging &staging);
  void chooseHeld();
  void chooseFlat();
  void chooseLate();
  bool hasFlat() const {
    return llvm::any_of(parked, [](const Parked &p) { return p.isShared; });
  }
  /// Where parked loads of `round` wait: `step` + `ahead` steps a ring of two.
  mlir::Value createParkedSlot(const Parked &wait, mlir::Value step,
                               int64_t ahead);
  void copyParked(mlir::Value round, bool isShared, mlir::Value step,
                  int64_t ahead);
  void copyFlatRound(const Staging &staging, mlir::Value round,
                     mlir::Value step, int64_t ahead, mlir::IRMapping &mapping);
  bool canPark(tile::LoadOp load) const;
  bool hasLateLoads() const;
  bool hasParked(const Staging &staging) const {
    return llvm::any_of(parked, [&](const Parked &wait) {
      return llvm::is_contained(staging.slice,
                                tile::LoadOp(wait.load).getOperation());
    });
  }
  static int64_t getParkedBytes(tile::LoadOp load);
  int64_t getTotalBytes() const;
  bool chooseStages();
  int64_t getRingBytes(int64_t slots, const Staging &staging) const;
  int64_t getSlots(const Staging &staging) const {
    int64_t extra = overlaps ? 1 : 0;
    return (staging.async ? stages : 2) + extra;
  }
  void chooseOverlap();
  void chooseEarly();
  void normalise();
  mlir::Value createSlot(mlir::Location loc, mlir::Value ring,
                         mlir::Value step, int64_t ahead);
  void cloneSlice(const Staging &staging, mlir::Value round,
                  mlir::IRMapping &mapping,
                  llvm::function_ref<bool(mlir::Operation *)> isWanted);
  void cloneAddresses(const Staging &staging, mlir::Value round,
                      mlir::IRMapping &mapping);
  void copyRound(const Staging &staging, mlir::Value round, mlir::Value step,
                 int64_t ahead, mlir::IRMapping &mapping);
  /// `round + ahead`, at most the last, and the condition that it is one.
  std::pair<mlir::Value, mlir::Value> getLater(mlir::Location loc,
                                               int64_t ahead);
  mlir::Value constant(mlir::Location loc, int64_t value) {
    return mlir::arith::ConstantIndexOp::create(builder, loc, value);
  }

  mlir::scf::ForOp loop;
  int64_t stages;
  int64_t otherBytes;
  /// Arguments of the kernel whose memory one of its stores may write.
  const llvm::SmallBitVector &written;
  mlir::OpBuilder builder;
  std::vector<Staging> stagings;
  mlir::SmallVector<Parked> parked;
  bool hasInnerProduct = false;
  /// Whether products stay in flight over the barrier between two rounds.
  bool overlaps = false;
  /// Whether products of warpgroups hide what becomes of loads: parked ones are then
  /// issued two rounds ahead, and held ones stored behind the arithmetic.
  bool isEarly = false;
  /// Whether a branch keeps what reads held loads from them.
  bool readsHeldLate = false;
  mlir::Value rounds; // upper bound of the normalised loop
};

/// Where the elements of a parked load wait for their own thread.
tile::SharedLayout getParkedLayout(tile::LoadOp load);

/// Bytes of a shared tile, padding included.
int64_t getSharedBytes(tile::SharedType type);

} // namespace tilefuse

#endif // TILEFUSE_PASSES_TILEOPT_LOOPPIPELINER_H
