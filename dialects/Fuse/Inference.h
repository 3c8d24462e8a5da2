//===- Inference.h - checking ops and inferring their types -----*- C++ -*-===//
//
// Each op checks itself where it infers its result types. Every message names
// the op, what was expected and what was found. Extents and attributes are
// bounded below 2^31 first, so that the arithmetic after it cannot overflow.
//
//===----------------------------------------------------------------------===//
#ifndef TILEFUSE_DIALECTS_FUSE_INFERENCE_H
#define TILEFUSE_DIALECTS_FUSE_INFERENCE_H

#include "dialects/Fuse/Fuse.h"

namespace tilefuse::fuse {

using Extents = llvm::SmallVector<int64_t>;

/// One inference: where to report, under which name, and where the types go.
class Inference {
public:
  Inference(llvm::StringRef op, std::optional<mlir::Location> loc,
            llvm::SmallVectorImpl<mlir::Type> &types)
      : op(op), loc(loc), types(types) {}

  /// Reports the concatenated parts as the op's error.
  template <typename... Parts> llvm::LogicalResult error(Parts &&...parts) {
    if (!loc)
      return mlir::failure();
    mlir::InFlightDiagnostic diagnostic = mlir::emitError(*loc);
    diagnostic << "'" << op << "' op ";
    (diagnostic << ... << parts);
    return diagnostic;
  }

  /// Adds a result type; fails when it is no tensor of the dialect.
  llvm::LogicalResult add(llvm::ArrayRef<int64_t> shape, mlir::Type element);

  /// Fails unless all values are tensors of the dialect.
  llvm::LogicalResult checkTensors(mlir::ValueRange values);
  llvm::LogicalResult checkRank(llvm::StringRef name, mlir::Value value,
                                int64_t rank);
  llvm::LogicalResult checkSameElements(mlir::ValueRange values);
  /// Fails unless there are `count` values from `least` to 2^31 - 1.
  llvm::LogicalResult checkList(llvm::StringRef name,
                                llvm::ArrayRef<int64_t> values, size_t count,
                                int64_t least);
  /// Fails unless `dims` ascend strictly inside the rank.
  llvm::LogicalResult checkDims(llvm::ArrayRef<int64_t> dims, int64_t rank);
  llvm::LogicalResult checkDim(int64_t dim, int64_t rank);
  /// Fails when the contract's precision does not fit the elements.
  llvm::LogicalResult checkPrecision(mlir::Type element,
                                     std::optional<Precision> precision);
  /// The shape that the operands' shapes broadcast to.
  llvm::LogicalResult broadcast(mlir::ValueRange values, Extents &shape);
  /// Windows that fit into one dim: (in + low + high - reach) / stride + 1.
  llvm::LogicalResult windows(int64_t in, int64_t window, int64_t stride,
                              int64_t low, int64_t high, int64_t dilation,
                              int64_t &out);

  llvm::StringRef op;
  std::optional<mlir::Location> loc;
  llvm::SmallVectorImpl<mlir::Type> &types;
};

/// The tensor type of a value that checkTensors accepted.
inline mlir::RankedTensorType tensorOf(mlir::Value value) {
  return mlir::cast<mlir::RankedTensorType>(value.getType());
}

/// Whether an op passes no gradient on: a rewrite that drops it, or joins it with
/// another op, would let one through.
inline bool stopsGradient(mlir::Operation *op) {
  return op->hasAttr("fuse.stop_gradient");
}

/// "2x3x4", for messages.
std::string formatShape(llvm::ArrayRef<int64_t> shape);

/// The attribute's values, or `count` times `otherwise`.
Extents valuesOr(std::optional<llvm::ArrayRef<int64_t>> values, size_t count,
                 int64_t otherwise);

/// `dims` folded away, or kept with extent 1.
Extents reduceShape(llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<int64_t> dims,
                    bool keepdims);

/// Precision that a contraction of `element` has by default.
Precision defaultPrecision(mlir::Type element, bool convolution);

} // namespace tilefuse::fuse

#endif // TILEFUSE_DIALECTS_FUSE_INFERENCE_H
