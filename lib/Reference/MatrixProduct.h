//===- MatrixProduct.h - C += A * B in double precision ---------*- C++ -*-===//
#ifndef TILEFUSE_LIB_REFERENCE_MATRIXPRODUCT_H
#define TILEFUSE_LIB_REFERENCE_MATRIXPRODUCT_H

#include <cstdint>

namespace tilefuse::reference {

/// C[i * strideC + j] += sum_k A[i * strideA + k] * B[k * strideB + j] for
/// i < rows, j < columns, k < depth. One thread.
void multiplyAdd(int64_t rows, int64_t columns, int64_t depth, const double *a,
                 int64_t strideA, const double *b, int64_t strideB, double *c,
                 int64_t strideC);

} // namespace tilefuse::reference

#endif // TILEFUSE_LIB_REFERENCE_MATRIXPRODUCT_H
