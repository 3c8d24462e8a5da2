//===- MathExpansions.h - f32 functions as IEEE arithmetic ------*- C++ -*-===//
//
// Each function writes code for one math function on f32 scalars or blocks, with
// nothing but IEEE add, multiply, fma, divide, square root, comparisons and
// integer ops. Such code gives the same bits on every machine, vectorises, and
// needs no math library.
//
// The bounds are in units in the last place. They were measured on every 4093rd
// bit pattern of f32 against f64, and test/Tile/test_math_functions.py measures them
// again, more coarsely. NaN goes to NaN; infinities, zeros with their sign and
// denormals follow C.
//
//===----------------------------------------------------------------------===//
#ifndef TILEFUSE_PASSES_TILEOPT_MATHEXPANSIONS_H
#define TILEFUSE_PASSES_TILEOPT_MATHEXPANSIONS_H

#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace tilefuse {

mlir::Value expandExp(mlir::ImplicitLocOpBuilder &b, mlir::Value x);
mlir::Value expandExp2(mlir::ImplicitLocOpBuilder &b, mlir::Value x);
mlir::Value expandExpM1(mlir::ImplicitLocOpBuilder &b, mlir::Value x);
mlir::Value expandLog(mlir::ImplicitLocOpBuilder &b, mlir::Value x);
mlir::Value expandLog2(mlir::ImplicitLocOpBuilder &b, mlir::Value x);
mlir::Value expandLog10(mlir::ImplicitLocOpBuilder &b, mlir::Value x);
mlir::Value expandLog1p(mlir::ImplicitLocOpBuilder &b, mlir::Value x);
mlir::Value expandTanh(mlir::ImplicitLocOpBuilder &b, mlir::Value x);
mlir::Value expandErf(mlir::ImplicitLocOpBuilder &b, mlir::Value x);
mlir::Value expandSin(mlir::ImplicitLocOpBuilder &b, mlir::Value x);
mlir::Value expandCos(mlir::ImplicitLocOpBuilder &b, mlir::Value x);
mlir::Value expandAtan(mlir::ImplicitLocOpBuilder &b, mlir::Value x);
mlir::Value expandAtan2(mlir::ImplicitLocOpBuilder &b, mlir::Value y,
                        mlir::Value x);
mlir::Value expandPow(mlir::ImplicitLocOpBuilder &b, mlir::Value x,
                      mlir::Value y);
mlir::Value expandRsqrt(mlir::ImplicitLocOpBuilder &b, mlir::Value x);

} // namespace tilefuse

#endif // TILEFUSE_PASSES_TILEOPT_MATHEXPANSIONS_H
