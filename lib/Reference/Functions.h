//===- Functions.h - scalar functions in double precision -------*- C++ -*-===//
//
// The definitions that are more than a call of <cmath>, with PyTorch's values
// at NaN and infinities.
//
//===----------------------------------------------------------------------===//
#ifndef TILEFUSE_LIB_REFERENCE_FUNCTIONS_H
#define TILEFUSE_LIB_REFERENCE_FUNCTIONS_H

#include <cstdint>

namespace tilefuse::reference::functions {

double relu(double x);
double relu6(double x);
double sigmoid(double x);
double logSigmoid(double x);
double softplus(double x);
double selu(double x);
double silu(double x);
double mish(double x);
double hardswish(double x);
double hardsigmoid(double x);
double gelu(double x);
double geluTanh(double x);

/// NaN when either is NaN.
double maximum(double a, double b);
double minimum(double a, double b);
/// The remainder that has the sign of `b`.
double remainder(double a, double b);

/// Two's complement; what overflows wraps.
int64_t add(int64_t a, int64_t b);
int64_t subtract(int64_t a, int64_t b);
int64_t multiply(int64_t a, int64_t b);
/// Towards zero; 0 when `b` is 0.
int64_t divide(int64_t a, int64_t b);
/// Has the sign of `b`; 0 when `b` is 0.
int64_t integerRemainder(int64_t a, int64_t b);

} // namespace tilefuse::reference::functions

#endif // TILEFUSE_LIB_REFERENCE_FUNCTIONS_H
