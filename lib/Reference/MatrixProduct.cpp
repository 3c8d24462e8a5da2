//===- MatrixProduct.cpp - C += A * B in double precision -------*- C++ -*-===//
//
// Blocks of 4x8 sums in registers, over 256 terms at a time so that the strip
// of B stays in the first-level cache. The body is compiled twice, once for
// AVX2, and chosen when it runs: full-size checks are 10^9 products.
//
//===----------------------------------------------------------------------===//

#include "lib/Reference/MatrixProduct.h"

#include <algorithm>

namespace tilefuse::reference {

namespace {
struct Operands {
  int64_t rows, columns;
  const double *a;
  int64_t strideA;
  const double *b;
  int64_t strideB;
  double *c;
  int64_t strideC;
};
} // namespace

static constexpr int64_t blockRows = 4;
static constexpr int64_t blockColumns = 8;
static constexpr int64_t blockDepth = 256;

__attribute__((always_inline)) static inline void
multiplyBlock(const Operands &o, int64_t i, int64_t j, int64_t k0, int64_t k1) {
  double sums[blockRows][blockColumns] = {};
  const double *a = o.a + i * o.strideA;
  for (int64_t k = k0; k < k1; ++k) {
    const double *row = o.b + k * o.strideB + j;
    for (int64_t r = 0; r < blockRows; ++r) {
      double factor = a[r * o.strideA + k];
      for (int64_t q = 0; q < blockColumns; ++q)
        sums[r][q] += factor * row[q];
    }
  }
  for (int64_t r = 0; r < blockRows; ++r)
    for (int64_t q = 0; q < blockColumns; ++q)
      o.c[(i + r) * o.strideC + j + q] += sums[r][q];
}

__attribute__((always_inline)) static inline void
multiplyRest(const Operands &o, int64_t i0, int64_t i1, int64_t j0, int64_t j1,
             int64_t k0, int64_t k1) {
  for (int64_t i = i0; i < i1; ++i)
    for (int64_t k = k0; k < k1; ++k) {
      double factor = o.a[i * o.strideA + k];
      for (int64_t j = j0; j < j1; ++j)
        o.c[i * o.strideC + j] += factor * o.b[k * o.strideB + j];
    }
}

__attribute__((always_inline)) static inline void
multiplyStrip(const Operands &o, int64_t k0, int64_t k1) {
  int64_t wholeRows = o.rows / blockRows * blockRows;
  int64_t wholeColumns = o.columns / blockColumns * blockColumns;
  for (int64_t j = 0; j < wholeColumns; j += blockColumns) {
    for (int64_t i = 0; i < wholeRows; i += blockRows)
      multiplyBlock(o, i, j, k0, k1);
    multiplyRest(o, wholeRows, o.rows, j, j + blockColumns, k0, k1);
  }
  multiplyRest(o, 0, o.rows, wholeColumns, o.columns, k0, k1);
}

#if defined(__x86_64__)
__attribute__((target("avx2,fma"))) static void
multiplyStripAVX2(const Operands &o, int64_t k0, int64_t k1) {
  multiplyStrip(o, k0, k1);
}
static bool hasAVX2() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}
#else
static void multiplyStripAVX2(const Operands &, int64_t, int64_t) {}
static bool hasAVX2() { return false; }
#endif

void multiplyAdd(int64_t rows, int64_t columns, int64_t depth, const double *a,
                 int64_t strideA, const double *b, int64_t strideB, double *c,
                 int64_t strideC) {
  Operands operands{rows, columns, a, strideA, b, strideB, c, strideC};
  static const bool wide = hasAVX2();
  for (int64_t k0 = 0; k0 < depth; k0 += blockDepth) {
    int64_t k1 = std::min(depth, k0 + blockDepth);
    if (wide)
      multiplyStripAVX2(operands, k0, k1);
    else
      multiplyStrip(operands, k0, k1);
  }
}

} // namespace tilefuse::reference
