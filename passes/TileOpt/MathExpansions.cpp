//===- MathExpansions.cpp - exponentials and logarithms -------------------===//
//
// exp: x = n ln 2 + r with |r| <= ln 2 / 2, exp(x) = 2^n exp(r). Adding 1.5 * 2^23
// rounds to an integer and leaves it in the low bits, so n costs no conversion.
// 2^n is two factors, since n reaches from -150 to 128. With an instruction for
// 2^f, n is kept in the range of one factor, and f takes what lies past it.
//
// erfc: a polynomial in the exponent, 2^(y R(y)) for y = |x|: nothing cancels where
// erfc is small. R is fitted so that the relative error stays below that of
// 1 - erf in f32, which grows as erfc falls.
//
// log: x = 2^n m with m in [2/3, 4/3), so that n is 0 around 1 and nothing
// cancels; log(x) = n ln 2 + log(1 + f), f = m - 1.
//
// Coefficients: weighted minimax fits, rounded to f32 one after another with the
// rest fitted again.
//
//===----------------------------------------------------------------------===//

#include "passes/TileOpt/MathExpansions.h"
#include "passes/TileOpt/ArithWriter.h"

#include <cmath>

using namespace mlir;
using namespace tilefuse;

static constexpr float infinity = HUGE_VALF;
static constexpr float quietNaN = __builtin_nanf("");
// 1.5 * 2^23 and its bits.
static constexpr float roundMagic = 12582912.0f;
static constexpr int32_t roundMagicBits = 0x4b400000;
static constexpr float log2e = 0x1.715476p+0f;
static constexpr float log2eRest = 0x1.4ae0c0p-26f;
// ln 2 = high + low; high has few bits, so that n * high is exact.
static constexpr float ln2High = 0x1.62e400p-1f;
static constexpr float ln2Low = 0x1.7f7d1cp-20f;
// Nearest f32 to ln 2, and what is missing.
static constexpr float ln2 = 0x1.62e430p-1f;
static constexpr float ln2Rest = -0x1.05c610p-29f;

// (exp(r) - 1 - r) / r^2
static constexpr float expCoefficients[] = {
    0.49999994f, 0.166665211f, 0.0416682623f, 0.00836867467f, 0.00138210563f};
static constexpr float expM1Coefficients[] = {
    0.5f,           0.166666657f,   0.0416664928f,
    0.00833354611f, 0.00139323273f, 0.000197616377f};
// (2^f - 1) / f
static constexpr float exp2Coefficients[] = {
    0.693147182f,   0.240226477f,   0.0555035956f,
    0.00961849932f, 0.00133909704f, 0.000153292785f};
// (log(1 + f) - f + f^2 / 2) / f^3
static constexpr float logCoefficients[] = {
    0.333333343f, -0.249998257f, 0.199996859f, -0.16679357f, 0.143025443f,
    -0.1219863f,  0.107716843f,  -0.128333554f, 0.119500235f};
// (tanh(x) - x) / x^3 in x^2
static constexpr float tanhCoefficients[] = {
    -0.333332777f, 0.133313239f, -0.0537295304f, 0.0206048712f,
    -0.00566571392f};
// erf(x) / x - 1 in x^2
static constexpr float erfSmallCoefficients[] = {
    0.128379166f,   -0.376126289f,   0.112836257f,  -0.0268557314f,
    0.00519240508f, -0.000804976968f, 7.99664995e-05f};
// (log(1 - erf(x)) + x) / x
static constexpr float erfLargeCoefficients[] = {
    -0.128551751f,   -0.635625243f,  -0.105262779f,   0.022674242f,
    -0.00293023256f, 4.96170178e-05f, 4.55748232e-05f, -4.93767584e-06f};
// log2(erfc(x)) / x for x >= 0; the last is negative, so that the exponent goes to
// -infinity with x.
static constexpr float erfcCoefficients[] = {
    -1.62791073f,    -0.918386459f,   -0.148619279f,  0.028546018f,
    -0.00109838031f, -0.00129718205f, 0.000387748732f, -3.84958657e-05f};

namespace {

/// x = n ln 2 + rest.
struct ReducedExp {
  Value n;     // i32
  Value magic; // the bits of roundMagic + n
  Value rest;
};

/// x = 2^n (1 + f).
struct ReducedLog {
  Value n; // f32
  Value f;
};

} // namespace

static ReducedExp reduceExp(ArithWriter &w, Value x) {
  Value shifted = w.fma(x, w.f(log2e), w.f(roundMagic));
  Value n = w.sub(shifted, w.f(roundMagic));
  Value rest = w.fma(n, w.f(-ln2High), x);
  rest = w.fma(n, w.f(-ln2Low), rest);
  Value magic = w.bitcast(w.i32(), shifted);
  return {w.subi(magic, w.i(roundMagicBits)), magic, rest};
}

// 2^n for -126 <= n <= 127.
static Value powerOfTwo(ArithWriter &w, Value n) {
  return w.bitcast(w.f32(), w.shl(w.addi(n, w.i(127)), w.i(23)));
}

// value * 2^n for any n of f32's range, given the bits of roundMagic + n; rounds
// once. What the magic number adds to a half of n is shifted out.
static Value scale(ArithWriter &w, Value value, Value magicBits) {
  auto power = [&](Value n) {
    Value bits = w.shl(n, w.i(23));
    return w.bitcast(w.f32(), w.addi(bits, w.i(127 << 23)));
  };
  Value half = w.shr(magicBits, w.i(1));
  Value first = w.mul(value, power(half));
  return w.mul(first, power(w.subi(magicBits, half)));
}

// exp(r) - 1 for |r| <= ln 2 / 2.
static Value emitExpM1Core(ArithWriter &w, Value r,
                           ArrayRef<float> coefficients) {
  return w.fma(w.horner(r, coefficients), w.mul(r, r), r);
}

// exp for |x| < 80: one factor will do.
static Value emitModerateExp(ArithWriter &w, Value x) {
  ReducedExp reduced = reduceExp(w, x);
  Value core = emitExpM1Core(w, reduced.rest, expCoefficients);
  return w.mul(w.add(core, w.f(1.0f)), powerOfTwo(w, reduced.n));
}

// Puts n + 127, the exponent of 2^n, into the low bits.
static constexpr float biasedMagic = roundMagic + 127.0f;

// 2^x = 2^n 2^(x - n) by the instruction, given biasedMagic + n for the integer n
// in [-126, 127] that is nearest to x. Past that range x - n is large, and over- or
// underflows as it should.
static Value emitScaledExp2(ArithWriter &w, Value shifted,
                            function_ref<Value(Value)> subtractFromX) {
  Value rest = subtractFromX(w.sub(shifted, w.f(biasedMagic)));
  Value power = w.shl(w.bitcast(w.i32(), shifted), w.i(23));
  return w.mul(w.exp2(rest), w.bitcast(w.f32(), power));
}

// Error below 1 ulp; 2 ulp if approximate.
Value tilefuse::expandExp(ImplicitLocOpBuilder &b, Value x, bool approximate) {
  ArithWriter w(b, x);
  if (approximate) {
    Value bounded = w.clamp(x, w.f(-87.0f), w.f(88.0f));
    Value shifted = w.fma(bounded, w.f(log2e), w.f(biasedMagic));
    return emitScaledExp2(w, shifted, [&](Value n) {
      Value rest = w.fma(x, w.f(log2e), w.neg(n));
      return w.fma(x, w.f(log2eRest), rest);
    });
  }
  ReducedExp reduced = reduceExp(w, w.clamp(x, w.f(-104.0f), w.f(89.0f)));
  Value core = emitExpM1Core(w, reduced.rest, expCoefficients);
  return scale(w, w.add(core, w.f(1.0f)), reduced.magic);
}

// Error below 1 ulp; 2 ulp if approximate.
Value tilefuse::expandExp2(ImplicitLocOpBuilder &b, Value x,
                           bool approximate) {
  ArithWriter w(b, x);
  if (approximate) {
    Value bounded = w.clamp(x, w.f(-125.5f), w.f(127.0f));
    return emitScaledExp2(w, w.add(bounded, w.f(biasedMagic)),
                          [&](Value n) { return w.sub(x, n); });
  }
  Value clamped = w.clamp(x, w.f(-151.0f), w.f(129.0f));
  Value shifted = w.add(clamped, w.f(roundMagic));
  Value rest = w.sub(clamped, w.sub(shifted, w.f(roundMagic)));
  Value core = w.fma(w.horner(rest, exp2Coefficients), rest, w.f(1.0f));
  return scale(w, core, w.bitcast(w.i32(), shifted));
}

// 2^n (e + 1) - 1 = 2 (2^(n-1) e + (2^(n-1) - 1/2)): no overflow on the way.
// Error below 1.5 ulp.
Value tilefuse::expandExpM1(ImplicitLocOpBuilder &b, Value x) {
  ArithWriter w(b, x);
  ReducedExp reduced = reduceExp(w, w.clamp(x, w.f(-20.0f), w.f(89.0f)));
  Value core = emitExpM1Core(w, reduced.rest, expM1Coefficients);
  Value power = powerOfTwo(w, w.subi(reduced.n, w.i(1)));
  Value half = w.fma(core, power, w.sub(power, w.f(0.5f)));
  Value isTiny = w.lt(w.abs(x), w.f(0x1p-25f));
  return w.select(isTiny, x, w.add(half, half));
}

// Bits of 2/3 off, exponent kept: what to take from the bits of x.
static Value getExponentBits(ArithWriter &w, Value x) {
  Value above = w.subi(w.bitcast(w.i32(), x), w.i(0x3f2aaaab));
  return w.andi(above, w.i(int32_t(0xff800000)));
}

static Value getExponent(ArithWriter &w, Value exponentBits) {
  return w.toFloat(w.f32(), w.shr(exponentBits, w.i(23)));
}

// For 0 < x < infinity, denormals included.
static ReducedLog reduceLog(ArithWriter &w, Value x) {
  Value isDenormal = w.lt(x, w.f(0x1p-126f));
  Value normal = w.select(isDenormal, w.mul(x, w.f(0x1p+23f)), x);
  Value bits = getExponentBits(w, normal);
  Value m = w.bitcast(w.f32(), w.subi(w.bitcast(w.i32(), normal), bits));
  Value shift = w.select(isDenormal, w.f(-23.0f), w.f(0.0f));
  return {w.add(getExponent(w, bits), shift), w.sub(m, w.f(1.0f))};
}

// log(1 + f) for -1/3 <= f <= 1/3.
static Value emitLogCore(ArithWriter &w, Value f) {
  Value tail = w.fma(w.horner(f, logCoefficients), f, w.f(-0.5f));
  return w.fma(tail, w.mul(f, f), f);
}

// What a logarithm gives where `regular` does not hold: -infinity at `pole`, NaN
// below it, x itself for infinity and NaN.
static Value withLogSpecials(ArithWriter &w, Value x, float pole,
                             Value regular) {
  Value below = w.select(w.lt(x, w.f(pole)), w.f(quietNaN), x);
  Value special = w.select(w.eq(x, w.f(pole)), w.f(-infinity), below);
  Value isRegular =
      w.andi(w.gt(x, w.f(pole)), w.lt(x, w.f(infinity)));
  return w.select(isRegular, regular, special);
}

// Error below 1 ulp.
Value tilefuse::expandLog(ImplicitLocOpBuilder &b, Value x) {
  ArithWriter w(b, x);
  ReducedLog reduced = reduceLog(w, x);
  Value core = emitLogCore(w, reduced.f);
  Value sum = w.fma(reduced.n, w.f(ln2Rest), core);
  return withLogSpecials(w, x, 0.0f, w.fma(reduced.n, w.f(ln2), sum));
}

// Error below 2 ulp.
Value tilefuse::expandLog2(ImplicitLocOpBuilder &b, Value x) {
  ArithWriter w(b, x);
  ReducedLog reduced = reduceLog(w, x);
  Value core = emitLogCore(w, reduced.f);
  Value sum = w.fma(core, w.f(log2eRest), reduced.n);
  return withLogSpecials(w, x, 0.0f, w.fma(core, w.f(log2e), sum));
}

// Error below 2 ulp.
Value tilefuse::expandLog10(ImplicitLocOpBuilder &b, Value x) {
  ArithWriter w(b, x);
  ReducedLog reduced = reduceLog(w, x);
  Value core = emitLogCore(w, reduced.f);
  // log10(e) and log10(2), each as nearest f32 and rest.
  Value sum = w.mul(core, w.f(-0x1.a37300p-28f));
  sum = w.fma(reduced.n, w.f(-0x1.aebfd0p-28f), sum);
  sum = w.fma(core, w.f(0x1.bcb7b2p-2f), sum);
  return withLogSpecials(w, x, 0.0f,
                         w.fma(reduced.n, w.f(0x1.344136p-2f), sum));
}

// As log of 1 + x, but f = (1 + x) 2^-n - 1 is taken from x, not from the rounded
// sum. The power of two is 4 * 2^-n, which is never denormal.
// Error below 1.5 ulp.
Value tilefuse::expandLog1p(ImplicitLocOpBuilder &b, Value x) {
  ArithWriter w(b, x);
  Value bits = getExponentBits(w, w.add(x, w.f(1.0f)));
  Value power = w.bitcast(w.f32(), w.subi(w.i(0x40800000), bits));
  Value f = w.fma(w.mul(x, power), w.f(0.25f),
                  w.fma(power, w.f(0.25f), w.f(-1.0f)));
  Value n = getExponent(w, bits);
  Value sum = w.fma(n, w.f(ln2Rest), emitLogCore(w, f));
  Value regular =
      withLogSpecials(w, x, -1.0f, w.fma(n, w.f(ln2), sum));
  return w.select(w.lt(w.abs(x), w.f(0x1p-25f)), x, regular);
}

// Near 0 an odd polynomial, else 1 - 2 / (exp(2|x|) + 1). Error below 1.5 ulp.
Value tilefuse::expandTanh(ImplicitLocOpBuilder &b, Value x,
                           bool approximate) {
  ArithWriter w(b, x);
  Value magnitude = w.abs(x);
  Value square = w.mul(x, x);
  Value small = w.fma(w.mul(w.horner(square, tanhCoefficients), square),
                      magnitude, magnitude);
  Value exponential;
  if (approximate) {
    exponential = w.exp2(w.mul(magnitude, w.f(2.0f * log2e)));
  } else {
    Value bounded = w.min(magnitude, w.f(10.0f));
    exponential = emitModerateExp(w, w.add(bounded, bounded));
  }
  Value half = w.reciprocal(w.add(exponential, w.f(1.0f)));
  Value large = w.fma(w.f(-2.0f), half, w.f(1.0f));
  Value isSmall = w.lt(magnitude, w.f(0.625f));
  return w.withSign(w.select(isSmall, small, large), w.signBit(x));
}

// erfc(x) for x >= 0.
static Value emitErfcOfMagnitude(ArithWriter &w, Value x, bool approximate) {
  Value exponent = w.mul(w.horner(x, erfcCoefficients), x);
  if (approximate)
    return w.exp2(exponent);
  // What lies below is flushed: a factor beside it may be of any size.
  Value isTiny = w.lt(exponent, w.f(-126.0f));
  Value bounded = w.select(isTiny, w.f(-126.0f), exponent);
  Value shifted = w.add(bounded, w.f(roundMagic));
  Value rest = w.sub(bounded, w.sub(shifted, w.f(roundMagic)));
  Value core = w.fma(w.horner(rest, exp2Coefficients), rest, w.f(1.0f));
  Value n = w.subi(w.bitcast(w.i32(), shifted), w.i(roundMagicBits));
  return w.select(isTiny, w.f(0.0f), w.mul(core, powerOfTwo(w, n)));
}

// Near 0 an odd polynomial, else 1 - exp(polynomial). Error below 1.5 ulp.
Value tilefuse::expandErf(ImplicitLocOpBuilder &b, Value x, bool approximate) {
  ArithWriter w(b, x);
  Value magnitude = w.abs(x);
  Value small =
      w.fma(w.horner(w.mul(x, x), erfSmallCoefficients), x, x);
  Value rest;
  if (approximate) {
    rest = emitErfcOfMagnitude(w, magnitude, approximate);
  } else {
    Value bounded = w.min(magnitude, w.f(4.0f));
    Value exponent = w.horner(bounded, erfLargeCoefficients);
    exponent = w.fma(exponent, bounded, w.neg(bounded));
    rest = emitModerateExp(w, exponent);
  }
  Value large = w.sub(w.f(1.0f), rest);
  return w.select(w.lt(magnitude, w.f(0.921875f)), small,
                  w.withSign(large, w.signBit(x)));
}

// Error below 2^-24 + 4 ulp: erfc that is small loses digits, but never more than
// 1 - erf would.
Value tilefuse::expandErfc(ImplicitLocOpBuilder &b, Value x,
                           bool approximate) {
  ArithWriter w(b, x);
  bool isPositive = x.getDefiningOp<math::AbsFOp>();
  Value rest = emitErfcOfMagnitude(w, isPositive ? x : w.abs(x), approximate);
  if (isPositive)
    return rest;
  return w.select(w.lt(x, w.f(0.0f)), w.sub(w.f(2.0f), rest), rest);
}

// Error below 1.5 ulp.
Value tilefuse::expandRsqrt(ImplicitLocOpBuilder &b, Value x) {
  ArithWriter w(b, x);
  return w.div(w.f(1.0f), w.sqrt(x));
}
