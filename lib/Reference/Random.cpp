//===- Random.cpp - reproducible random tensors -----------------*- C++ -*-===//

#include "lib/Reference/Random.h"

#include "lib/Reference/Parallel.h"

#include <cmath>
#include <numbers>

namespace tilefuse::reference {

/// Finaliser of splitmix64 (Steele, Lea, Flood 2014).
static uint64_t mix(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return z ^ (z >> 31);
}

uint64_t getRandomBits(uint64_t seed, uint64_t stream, uint64_t position) {
  constexpr uint64_t step = 0x9e3779b97f4a7c15ull;
  uint64_t key = mix(mix(seed + step) + (stream + 1) * step);
  return mix(key + (position + 1) * step);
}

/// Uniform in [0, 1) with 53 bits.
static double toUnit(uint64_t bits) {
  return static_cast<double>(bits >> 11) * 0x1p-53;
}

/// Box-Muller: one normal value from one pair of uniforms.
static double getNormal(uint64_t seed, uint64_t stream, uint64_t position) {
  double u = 1.0 - toUnit(getRandomBits(seed, stream, 2 * position));
  double v = toUnit(getRandomBits(seed, stream, 2 * position + 1));
  return std::sqrt(-2.0 * std::log(u)) * std::cos(2 * std::numbers::pi * v);
}

/// The common case, a billion elements of it at full size.
static void fillUniformF32(Tensor &tensor, float low, float high, uint64_t seed,
                           uint64_t stream) {
  auto *data = static_cast<float *>(tensor.data());
  double width = static_cast<double>(high) - low;
  parallelFor(tensor.size(), 1 << 16, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      auto value = static_cast<float>(
          low + width * toUnit(getRandomBits(seed, stream, i)));
      // [low, high) must not reach high by rounding.
      data[i] = value < high ? value : low;
    }
  });
}

void fillRandom(Tensor &tensor, const Initializer &initializer, uint64_t seed,
                uint64_t stream) {
  bool floating = isFloat(tensor.getType());
  bool boolean = tensor.getType() == DType::I1;
  if (tensor.getType() == DType::F32 &&
      initializer.kind == Initializer::Kind::Uniform)
    return fillUniformF32(tensor, static_cast<float>(initializer.a),
                          static_cast<float>(initializer.b), seed, stream);
  double width = initializer.b - initializer.a;
  parallelFor(tensor.size(), 1 << 16, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      uint64_t bits = getRandomBits(seed, stream, i);
      double value;
      if (boolean)
        value = static_cast<double>(bits >> 63);
      else if (initializer.kind == Initializer::Kind::Normal)
        value = initializer.a + initializer.b * getNormal(seed, stream, i);
      else
        value = initializer.a + width * toUnit(bits);
      // [0, 1) must not reach 1 by rounding to a short type.
      if (floating && initializer.kind == Initializer::Kind::Uniform &&
          roundToType(value, tensor.getType()) >= initializer.b && width > 0)
        value = initializer.a;
      tensor.setDouble(i, floating ? value : std::floor(value));
    }
  });
}

} // namespace tilefuse::reference
