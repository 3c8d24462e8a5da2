//===- Tensor.h - dense host tensors of raw elements ------------*- C++ -*-===//
//
// What a run takes and gives, in the memory format of the compiled programs:
// row-major, little-endian, i1 as one byte. Read from .npy files, filled from
// `fuse.init`, passed to the runtime and to the reference alike.
//
//===----------------------------------------------------------------------===//
#ifndef TILEFUSE_LIB_REFERENCE_TENSOR_H
#define TILEFUSE_LIB_REFERENCE_TENSOR_H

#include "tilefuse/Runtime.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"

#include <string>
#include <vector>

namespace mlir {
class Type;
}

namespace tilefuse::reference {

/// Bytes of one element, as the programs store it.
size_t getElementBytes(DType type);
/// `f32`, `bf16`, ...
llvm::StringRef getName(DType type);
bool isFloat(DType type);
/// The element type of a tensor type; none for a type programs cannot store.
std::optional<DType> getDType(mlir::Type elementType);

/// `2x3xf32`, as in MLIR's tensor types.
std::string formatShape(llvm::ArrayRef<int64_t> shape, DType type);

int64_t getNumElements(llvm::ArrayRef<int64_t> shape);

/// The value of a float type nearest to `value` (ties to even; f64 unchanged).
double roundToType(double value, DType type);
/// Nearest tf32 value, ties to even: what cvt.rn.tf32.f32 gives.
double roundToTF32(double value);

/// A dense tensor that owns its bytes.
class Tensor {
public:
  Tensor() = default;
  /// Zeros.
  Tensor(DType type, llvm::ArrayRef<int64_t> shape);

  DType getType() const { return type; }
  llvm::ArrayRef<int64_t> getShape() const { return shape; }
  int64_t size() const { return numElements; }
  size_t getNumBytes() const { return bytes.size(); }
  void *data() { return bytes.data(); }
  const void *data() const { return bytes.data(); }

  /// Element at a row-major position. Integers convert exactly up to 2^53.
  double getDouble(int64_t position) const;
  int64_t getInteger(int64_t position) const;
  /// Rounds to the element type.
  void setDouble(int64_t position, double value);
  void setInteger(int64_t position, int64_t value);

  /// The same elements in another type.
  Tensor convert(DType to) const;

private:
  DType type = DType::F32;
  llvm::SmallVector<int64_t, 4> shape;
  int64_t numElements = 0;
  std::vector<char> bytes;
};

} // namespace tilefuse::reference

#endif // TILEFUSE_LIB_REFERENCE_TENSOR_H
