//===- TrigExpansions.cpp - trigonometric functions and powers ------------===//
//
// These are rare in tensor programs and go through f64 where that is the simple
// way to be right for every input.
//
//===----------------------------------------------------------------------===//

#include "passes/TileOpt/ArithWriter.h"
#include "passes/TileOpt/MathExpansions.h"

#include <cmath>

using namespace mlir;
using namespace tilefuse;

static constexpr float piHalf = 0x1.921fb6p+0f;
static constexpr float piHalfRest = -0x1.777a5cp-25f;

// 2/pi in pieces of 28 bits: their products with an f32 are exact in f64.
static constexpr double twoOverPi[] = {
    0x1.45f306cp-1,   0x1.c9c882ap-29,  0x1.4fe13a8p-59, 0x1.f47d4dp-86,
    0x1.bb81b6cp-113, 0x1.4acc9ep-143, 0x1.0e4107cp-170};

// (sin(r) - r) / r^3 and (cos(r) - 1 + r^2/2) / r^4 in r^2
static constexpr float sinCoefficients[] = {
    -0.166666672f, 0.0083333794f, -0.000198530732f, 2.83273926e-06f};
static constexpr float cosCoefficients[] = {
    0.0416666679f, -0.001388898f, 2.48220204e-05f, -2.88808906e-07f};
// (atan(t) - t) / t^3 in t^2
static constexpr float atanCoefficients[] = {
    -0.333332986f,  0.19998531f,    -0.142640516f, 0.109511755f, -0.0840048045f,
    0.0579066873f, -0.0311271884f, 0.0108874794f, -0.00178757648f};
// 2^f, and log2(m) / s in s^2 for s = (m - 1) / (m + 1)
static constexpr double exp2Coefficients[] = {
    0x1.ffffffffff7a4p-1,  0x1.62e42fef8615ep-1,  0x1.ebfbdff9319a7p-3,
    0x1.c6b08dd46dcfbp-5,  0x1.3b2ab5c52db49p-7,  0x1.5d874837691a7p-10,
    0x1.430acc97af300p-13, 0x1.00dad306ac10ep-16, 0x1.61afe01711e02p-20};
static constexpr double log2Coefficients[] = {
    0x1.71547652b830fp+1, 0x1.ec709dc37cc82p-1, 0x1.2776c54131898p-1,
    0x1.a6172d71183f9p-2, 0x1.48587310443dcp-2, 0x1.0ae41424d7277p-2,
    0x1.fd4d8c3ed0938p-3, 0x1.26ed0f9c93d08p-5};

//===----------------------------------------------------------------------===//
// sin, cos
//===----------------------------------------------------------------------===//

namespace {

/// x = (quadrant + 4 k) pi/2 + rest, |rest| <= pi/4.
struct ReducedAngle {
  Value quadrant; // i32, low two bits
  Value rest;
};

} // namespace

// x * 2/pi modulo 4, piece by piece: whole multiples of 4 leave each exact
// product before the sum, so that huge x lose nothing.
static ReducedAngle reduceAngle(ArithWriter &w, Value x) {
  Value wide = w.extend(x);
  Value turns;
  for (double piece : twoOverPi) {
    Value product = w.mul(wide, w.d(piece));
    Value whole = w.roundEven(w.mul(product, w.d(0.25)));
    Value part = w.fma(whole, w.d(-4.0), product);
    turns = turns ? w.add(turns, part) : part;
  }
  Value shifted = w.add(turns, w.d(0x1.8p+52));
  Value fraction = w.sub(turns, w.sub(shifted, w.d(0x1.8p+52)));
  Value rest = w.truncate(w.mul(fraction, w.d(0x1.921fb54442d18p+0)));
  Value low = w.andi(w.bitcast(w.i64(), shifted), w.l(3));
  return {low, rest};
}

// sin(rest + quadrant * pi/2).
static Value emitQuadrant(ArithWriter &w, Value quadrant, Value rest) {
  Value square = w.mul(rest, rest);
  Value sine = w.fma(w.mul(w.horner(square, sinCoefficients), square), rest,
                     rest);
  Value cosine = w.fma(w.horner(square, cosCoefficients), square, w.f(-0.5f));
  cosine = w.fma(cosine, square, w.f(1.0f));
  Value isOdd = w.nei(w.andi(quadrant, w.l(1)), w.l(0));
  Value isNegative = w.nei(w.andi(quadrant, w.l(2)), w.l(0));
  Value value = w.select(isOdd, cosine, sine);
  return w.select(isNegative, w.mul(value, w.f(-1.0f)), value);
}

// Error below 2 ulp or 1e-9.
Value tilefuse::expandSin(ImplicitLocOpBuilder &b, Value x) {
  ArithWriter w(b, x);
  ReducedAngle angle = reduceAngle(w, x);
  Value sine = emitQuadrant(w, angle.quadrant, angle.rest);
  return w.select(w.lt(w.abs(x), w.f(0x1p-13f)), x, sine);
}

// Error below 2 ulp or 1e-9.
Value tilefuse::expandCos(ImplicitLocOpBuilder &b, Value x) {
  ArithWriter w(b, x);
  ReducedAngle angle = reduceAngle(w, x);
  Value next = mlir::arith::AddIOp::create(b, angle.quadrant, w.l(1));
  return emitQuadrant(w, next, angle.rest);
}

//===----------------------------------------------------------------------===//
// atan, atan2
//===----------------------------------------------------------------------===//

// atan(t) for 0 <= t <= 1.
static Value emitAtanCore(ArithWriter &w, Value t) {
  Value square = w.mul(t, t);
  return w.fma(w.mul(w.horner(square, atanCoefficients), square), t, t);
}

// pi/2 - angle where `condition` holds.
static Value complementIf(ArithWriter &w, Value condition, Value angle) {
  Value other =
      w.add(w.sub(w.f(piHalf), angle), w.f(piHalfRest));
  return w.select(condition, other, angle);
}

// Error below 2 ulp.
Value tilefuse::expandAtan(ImplicitLocOpBuilder &b, Value x) {
  ArithWriter w(b, x);
  Value magnitude = w.abs(x);
  Value isLarge = w.gt(magnitude, w.f(1.0f));
  Value t =
      w.select(isLarge, w.div(w.f(1.0f), magnitude), magnitude);
  Value angle = complementIf(w, isLarge, emitAtanCore(w, t));
  return w.withSign(angle, w.signBit(x));
}

// Error below 3 ulp.
Value tilefuse::expandAtan2(ImplicitLocOpBuilder &b, Value y, Value x) {
  ArithWriter w(b, x);
  Value ax = w.abs(x), ay = w.abs(y);
  Value isSteep = w.gt(ay, ax);
  Value small = w.select(isSteep, ax, ay);
  Value large = w.select(isSteep, ay, ax);
  // 0/0 is 0 here, infinity/infinity is 1.
  Value ratio = w.div(small, large);
  ratio = w.select(w.eq(large, w.f(0.0f)), w.f(0.0f), ratio);
  ratio = w.select(w.eq(small, w.f(HUGE_VALF)), w.f(1.0f), ratio);
  Value angle = complementIf(w, isSteep, emitAtanCore(w, ratio));
  Value isBehind = w.nei(w.signBit(x), w.i(0));
  Value behind = w.add(w.sub(w.f(2 * piHalf), angle), w.f(2 * piHalfRest));
  angle = w.select(isBehind, behind, angle);
  Value result = w.withSign(angle, w.signBit(y));
  Value sum = w.add(x, y);
  return w.select(w.isNaN(sum), w.select(w.isNaN(x), x,
                                         w.select(w.isNaN(y), y, result)),
                  result);
}

//===----------------------------------------------------------------------===//
// pow
//===----------------------------------------------------------------------===//

// log2 of an f64 that is positive and finite: m in [sqrt(1/2), sqrt(2)).
static Value emitLog2(ArithWriter &w, Value x) {
  constexpr int64_t sqrtHalfBits = 0x3fe6a09e667f3bcd;
  Value bits = w.bitcast(w.i64(), x);
  Value exponent = w.andi(w.subi(bits, w.l(sqrtHalfBits)),
                          w.l(int64_t(0xfff0000000000000)));
  Value m = w.bitcast(w.f64(), w.subi(bits, exponent));
  Value n = w.toFloat(w.f64(), w.shr(exponent, w.l(52)));
  Value s = w.div(w.sub(m, w.d(1.0)), w.add(m, w.d(1.0)));
  return w.fma(w.horner(w.mul(s, s), log2Coefficients), s, n);
}

// 2^z as f32, for any z but NaN.
static Value emitExp2(ArithWriter &w, Value z) {
  Value bounded = w.clamp(z, w.d(-200.0), w.d(200.0));
  Value shifted = w.add(bounded, w.d(0x1.8p+52));
  Value f = w.sub(bounded, w.sub(shifted, w.d(0x1.8p+52)));
  Value n = w.subi(w.bitcast(w.i64(), shifted), w.l(0x4338000000000000));
  Value power = w.bitcast(w.f64(), w.shl(w.addi(n, w.l(1023)), w.l(52)));
  return w.truncate(w.mul(w.horner(f, exp2Coefficients), power));
}

// 2^(y log2|x|) in f64; the sign and the special cases are those of C's pow.
// Error below 1 ulp.
Value tilefuse::expandPow(ImplicitLocOpBuilder &b, Value x, Value y) {
  ArithWriter w(b, x);
  Value magnitude = w.abs(x);
  Value isZero = w.eq(magnitude, w.f(0.0f));
  Value isInfinite = w.eq(magnitude, w.f(HUGE_VALF));
  Value logarithm = emitLog2(w, w.extend(magnitude));
  logarithm = w.select(isZero, w.d(-HUGE_VAL), logarithm);
  logarithm = w.select(isInfinite, w.d(HUGE_VAL), logarithm);
  Value power = emitExp2(w, w.mul(w.extend(y), logarithm));
  power = w.select(w.eq(magnitude, w.f(1.0f)), w.f(1.0f), power);

  // Above 2^24 every f32 is an even integer.
  Value mayBeOdd = w.lt(w.abs(y), w.f(0x1p+24f));
  Value bounded = w.select(mayBeOdd, y, w.f(0.0f));
  Value whole = w.toInt(w.i32(), bounded);
  Value isInteger = w.eq(w.toFloat(w.f32(), whole), bounded);
  Value isOdd = w.nei(w.andi(whole, w.i(1)), w.i(0));
  Value sign = w.select(w.andi(isOdd, isInteger), w.signBit(x), w.i(0));
  Value result = w.withSign(power, sign);
  // A negative finite base needs an integer exponent.
  Value isNegative =
      w.andi(w.lt(x, w.f(0.0f)), w.ne(magnitude, w.f(HUGE_VALF)));
  Value isWrong = w.andi(
      isNegative, w.select(isInteger, w.nei(w.i(0), w.i(0)),
                           w.nei(w.i(1), w.i(0))));
  result = w.select(isWrong, w.f(__builtin_nanf("")), result);
  Value sum = w.add(x, y);
  Value isAnyNaN = w.select(w.isNaN(x), w.isNaN(x), w.isNaN(y));
  result = w.select(isAnyNaN, sum, result);
  result = w.select(w.eq(x, w.f(1.0f)), w.f(1.0f), result);
  return w.select(w.eq(y, w.f(0.0f)), w.f(1.0f), result);
}
