//===- Tensor.cpp - dense host tensors of raw elements ----------*- C++ -*-===//

#include "lib/Reference/Tensor.h"

#include "lib/Reference/Parallel.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/bit.h"

#include <cmath>
#include <cstring>
#include <limits>

namespace tilefuse::reference {

size_t getElementBytes(DType type) {
  switch (type) {
  case DType::I1:
  case DType::I8:
    return 1;
  case DType::F16:
  case DType::BF16:
    return 2;
  case DType::F32:
  case DType::I32:
    return 4;
  case DType::F64:
  case DType::I64:
    return 8;
  }
  return 0;
}

llvm::StringRef getName(DType type) {
  switch (type) {
  case DType::F32:
    return "f32";
  case DType::F16:
    return "f16";
  case DType::BF16:
    return "bf16";
  case DType::F64:
    return "f64";
  case DType::I1:
    return "i1";
  case DType::I8:
    return "i8";
  case DType::I32:
    return "i32";
  case DType::I64:
    return "i64";
  }
  return "?";
}

bool isFloat(DType type) {
  return type == DType::F32 || type == DType::F16 || type == DType::BF16 ||
         type == DType::F64;
}

std::optional<DType> getDType(mlir::Type elementType) {
  if (elementType.isF32())
    return DType::F32;
  if (elementType.isF16())
    return DType::F16;
  if (elementType.isBF16())
    return DType::BF16;
  if (elementType.isF64())
    return DType::F64;
  if (elementType.isInteger(1))
    return DType::I1;
  if (elementType.isInteger(8))
    return DType::I8;
  if (elementType.isInteger(32))
    return DType::I32;
  if (elementType.isInteger(64))
    return DType::I64;
  return std::nullopt;
}

std::string formatShape(llvm::ArrayRef<int64_t> shape, DType type) {
  std::string text;
  for (int64_t extent : shape)
    text += std::to_string(extent) + "x";
  return text + getName(type).str();
}

int64_t getNumElements(llvm::ArrayRef<int64_t> shape) {
  int64_t count = 1;
  for (int64_t extent : shape)
    count *= extent;
  return count;
}

/// Rounds to `precisionBits` significant bits, ties to even, for a type whose
/// smallest normal is 2^minExponent and whose largest value is `largest`.
static double roundToBits(double value, int precisionBits, int minExponent,
                          double largest) {
  if (!std::isfinite(value) || value == 0)
    return value;
  int exponent = std::max(std::ilogb(value), minExponent);
  double ulp = std::ldexp(1.0, exponent - precisionBits + 1);
  // Division by a power of two is exact; nearbyint is to nearest, ties to even.
  double rounded = std::nearbyint(value / ulp) * ulp;
  if (std::fabs(rounded) > largest)
    return std::copysign(std::numeric_limits<double>::infinity(), value);
  return rounded == 0 ? std::copysign(0.0, value) : rounded;
}

double roundToType(double value, DType type) {
  switch (type) {
  case DType::F32:
    return static_cast<float>(value);
  case DType::F16:
    return roundToBits(value, 11, -14, 65504.0);
  case DType::BF16:
    return roundToBits(value, 8, -126, 0x1.FEp127);
  default:
    return value;
  }
}

double roundToTF32(double value) {
  uint32_t bits = llvm::bit_cast<uint32_t>(static_cast<float>(value));
  if ((bits & 0x7f800000u) == 0x7f800000u)
    return value;
  // Adding half a unit of the 10-bit mantissa to the magnitude, less one bit where
  // that mantissa is even, then cutting, rounds ties to even; a carry moves into
  // the exponent as it should.
  bits = (bits + 0xfffu + ((bits >> 13) & 1)) & 0xffffe000u;
  return llvm::bit_cast<float>(bits);
}

/// IEEE half (exponentBits 5) or bfloat16 (8) from an already rounded value.
static uint16_t encode16(double value, bool isBF16) {
  if (isBF16) {
    float rounded = static_cast<float>(roundToType(value, DType::BF16));
    uint32_t bits = llvm::bit_cast<uint32_t>(rounded);
    if (std::isnan(rounded))
      return static_cast<uint16_t>((bits >> 16) | 0x40u);
    return static_cast<uint16_t>(bits >> 16);
  }
  uint16_t sign = std::signbit(value) ? 0x8000u : 0;
  if (std::isnan(value))
    return sign | 0x7e00u;
  double magnitude = std::fabs(roundToType(value, DType::F16));
  if (std::isinf(magnitude))
    return sign | 0x7c00u;
  if (magnitude < 0x1p-14) // subnormal: units of 2^-24
    return sign | static_cast<uint16_t>(magnitude * 0x1p24);
  int exponent = std::ilogb(magnitude);
  auto mantissa =
      static_cast<uint16_t>((magnitude / std::ldexp(1.0, exponent) - 1) * 1024);
  return sign | static_cast<uint16_t>((exponent + 15) << 10) | mantissa;
}

static double decode16(uint16_t bits, bool isBF16) {
  if (isBF16)
    return llvm::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
  double sign = (bits & 0x8000u) ? -1.0 : 1.0;
  int exponent = (bits >> 10) & 31;
  int mantissa = bits & 1023;
  if (exponent == 31)
    return mantissa ? std::numeric_limits<double>::quiet_NaN()
                    : sign * std::numeric_limits<double>::infinity();
  if (exponent == 0)
    return sign * std::ldexp(mantissa, -24);
  return sign * std::ldexp(1024 + mantissa, exponent - 25);
}

template <typename T>
static T loadAs(const std::vector<char> &bytes, int64_t position) {
  T value;
  std::memcpy(&value, bytes.data() + position * sizeof(T), sizeof(T));
  return value;
}

template <typename T>
static void storeAs(std::vector<char> &bytes, int64_t position, T value) {
  std::memcpy(bytes.data() + position * sizeof(T), &value, sizeof(T));
}

Tensor::Tensor(DType type, llvm::ArrayRef<int64_t> shape)
    : type(type), shape(shape.begin(), shape.end()),
      numElements(reference::getNumElements(shape)),
      bytes(numElements * getElementBytes(type)) {}

double Tensor::getDouble(int64_t position) const {
  switch (type) {
  case DType::F32:
    return loadAs<float>(bytes, position);
  case DType::F64:
    return loadAs<double>(bytes, position);
  case DType::F16:
  case DType::BF16:
    return decode16(loadAs<uint16_t>(bytes, position), type == DType::BF16);
  default:
    return static_cast<double>(getInteger(position));
  }
}

int64_t Tensor::getInteger(int64_t position) const {
  switch (type) {
  case DType::I1:
    return loadAs<int8_t>(bytes, position) != 0;
  case DType::I8:
    return loadAs<int8_t>(bytes, position);
  case DType::I32:
    return loadAs<int32_t>(bytes, position);
  case DType::I64:
    return loadAs<int64_t>(bytes, position);
  default:
    return static_cast<int64_t>(getDouble(position));
  }
}

void Tensor::setDouble(int64_t position, double value) {
  switch (type) {
  case DType::F32:
    return storeAs(bytes, position, static_cast<float>(value));
  case DType::F64:
    return storeAs(bytes, position, value);
  case DType::F16:
  case DType::BF16:
    return storeAs(bytes, position, encode16(value, type == DType::BF16));
  default:
    return setInteger(position, static_cast<int64_t>(value));
  }
}

void Tensor::setInteger(int64_t position, int64_t value) {
  switch (type) {
  case DType::I1:
    return storeAs(bytes, position, static_cast<int8_t>(value != 0));
  case DType::I8:
    return storeAs(bytes, position, static_cast<int8_t>(value));
  case DType::I32:
    return storeAs(bytes, position, static_cast<int32_t>(value));
  case DType::I64:
    return storeAs(bytes, position, value);
  default:
    return setDouble(position, static_cast<double>(value));
  }
}

Tensor Tensor::convert(DType to) const {
  if (to == type)
    return *this;
  Tensor result(to, shape);
  bool integers = !isFloat(to) && !isFloat(type);
  parallelFor(numElements, 1 << 16, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      if (integers)
        result.setInteger(i, getInteger(i));
      else
        result.setDouble(i, getDouble(i));
  });
  return result;
}

} // namespace tilefuse::reference
