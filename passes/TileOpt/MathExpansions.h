//===- MathExpansions.h - float functions as IEEE arithmetic ----*- C++ -*-===//
//
// Each function writes code for one math function on scalars or blocks, with
// nothing but IEEE add, multiply, fma, divide, square root, comparisons and
// integer ops. Such code gives the same bits on every machine, vectorises, and
// needs no math library.
//
// `approximate` is for machines that have an instruction for 2^x: the same
// expansions take that (math.exp2 with afn) in place of a polynomial. It may be off
// by 2 units in the last place and flushes denormals, so what is built on it may be
// 2 ulp worse than stated; no expansion depends on a denormal power.
//
// The bounds are in units in the last place. They were measured on every 4093rd
// bit pattern of f32 against f64, and test/Tile/test_math_functions.py measures them
// again, more coarsely. NaN goes to NaN; infinities, zeros with their sign and
// denormals follow C. Those of f64 (DoubleExpansions.cpp has the bounds) are measured
// against mpmath by the same test.
//
//===----------------------------------------------------------------------===//
#ifndef TILEFUSE_PASSES_TILEOPT_MATHEXPANSIONS_H
#define TILEFUSE_PASSES_TILEOPT_MATHEXPANSIONS_H

#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace tilefuse {

mlir::Value expandExp(mlir::ImplicitLocOpBuilder &b, mlir::Value x,
                      bool approximate = false);
mlir::Value expandExp2(mlir::ImplicitLocOpBuilder &b, mlir::Value x,
                       bool approximate = false);
mlir::Value expandExpM1(mlir::ImplicitLocOpBuilder &b, mlir::Value x);
mlir::Value expandLog(mlir::ImplicitLocOpBuilder &b, mlir::Value x);
mlir::Value expandLog2(mlir::ImplicitLocOpBuilder &b, mlir::Value x);
mlir::Value expandLog10(mlir::ImplicitLocOpBuilder &b, mlir::Value x);
mlir::Value expandLog1p(mlir::ImplicitLocOpBuilder &b, mlir::Value x);
mlir::Value expandTanh(mlir::ImplicitLocOpBuilder &b, mlir::Value x,
                       bool approximate = false);
mlir::Value expandErf(mlir::ImplicitLocOpBuilder &b, mlir::Value x,
                      bool approximate = false);
mlir::Value expandErfc(mlir::ImplicitLocOpBuilder &b, mlir::Value x,
                       bool approximate = false);
mlir::Value expandSin(mlir::ImplicitLocOpBuilder &b, mlir::Value x);
mlir::Value expandCos(mlir::ImplicitLocOpBuilder &b, mlir::Value x);
mlir::Value expandAtan(mlir::ImplicitLocOpBuilder &b, mlir::Value x);
mlir::Value expandAtan2(mlir::ImplicitLocOpBuilder &b, mlir::Value y,
                        mlir::Value x);
mlir::Value expandPow(mlir::ImplicitLocOpBuilder &b, mlir::Value x,
                      mlir::Value y);
mlir::Value expandRsqrt(mlir::ImplicitLocOpBuilder &b, mlir::Value x);

/// The same functions on f64, by name: `op` is the math op, `x` its operands.
/// Null for an op that is to stay.
mlir::Value expandDouble(mlir::ImplicitLocOpBuilder &b, mlir::Operation *op,
                         llvm::ArrayRef<mlir::Value> x);

} // namespace tilefuse

#endif // TILEFUSE_PASSES_TILEOPT_MATHEXPANSIONS_H
