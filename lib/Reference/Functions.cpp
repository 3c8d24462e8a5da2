//===- Functions.cpp - scalar functions in double precision -----*- C++ -*-===//

#include "lib/Reference/Functions.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace tilefuse::reference::functions {

double relu(double x) { return std::isnan(x) || x > 0 ? x : 0; }

double relu6(double x) {
  return std::isnan(x) ? x : std::min(std::max(x, 0.0), 6.0);
}

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

double softplus(double x) {
  return std::max(x, 0.0) + std::log1p(std::exp(-std::fabs(x)));
}

double logSigmoid(double x) { return std::isnan(x) ? x : -softplus(-x); }

double selu(double x) {
  constexpr double alpha = 1.6732632423543772848170429916717;
  constexpr double scale = 1.0507009873554804934193349852946;
  return x > 0 ? scale * x : scale * alpha * std::expm1(x);
}

double silu(double x) { return x / (1 + std::exp(-x)); }

double mish(double x) { return std::isnan(x) ? x : x * std::tanh(softplus(x)); }

double hardsigmoid(double x) { return relu6(x + 3) / 6; }

double hardswish(double x) { return x * (relu6(x + 3) / 6); }

double gelu(double x) {
  return 0.5 * x * (1 + std::erf(x / std::numbers::sqrt2));
}

double geluTanh(double x) {
  double factor = std::sqrt(2 / std::numbers::pi);
  return 0.5 * x * (1 + std::tanh(factor * (x + 0.044715 * x * x * x)));
}

double maximum(double a, double b) {
  return std::isnan(a) ? a : std::isnan(b) ? b : std::max(a, b);
}

double minimum(double a, double b) {
  return std::isnan(a) ? a : std::isnan(b) ? b : std::min(a, b);
}

double remainder(double a, double b) {
  double result = std::fmod(a, b);
  return result != 0 && (result < 0) != (b < 0) ? result + b : result;
}

int64_t add(int64_t a, int64_t b) {
  return static_cast<int64_t>(uint64_t(a) + uint64_t(b));
}

int64_t subtract(int64_t a, int64_t b) {
  return static_cast<int64_t>(uint64_t(a) - uint64_t(b));
}

int64_t multiply(int64_t a, int64_t b) {
  return static_cast<int64_t>(uint64_t(a) * uint64_t(b));
}

int64_t divide(int64_t a, int64_t b) {
  if (b == 0)
    return 0;
  return b == -1 ? subtract(0, a) : a / b;
}

int64_t integerRemainder(int64_t a, int64_t b) {
  if (b == 0 || b == -1)
    return 0;
  int64_t result = a % b;
  return result != 0 && (result < 0) != (b < 0) ? result + b : result;
}

} // namespace tilefuse::reference::functions
