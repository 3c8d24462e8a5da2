//===- DoubleExpansions.cpp - f64 functions -------------------------------===//
//
// The reductions are those of the f32 files; what is new is where 53 bits are
// not enough on the way: sin, cos and pow carry a value as an unevaluated sum of
// two f64, high + low, with the classical error-free sums and products (Dekker
// 1971). Polynomials are interpolated at Chebyshev points with 60 digits, so
// that their own error is below 2^-56; the bound at each function is rounding.
//
//===----------------------------------------------------------------------===//

#include "passes/TileOpt/ArithWriter.h"
#include "passes/TileOpt/MathExpansions.h"

#include <cmath>

using namespace mlir;
using namespace tilefuse;

static constexpr double infinity = HUGE_VAL;
static constexpr double quietNaN = __builtin_nan("");
// 1.5 * 2^52 and its bits: adding it rounds to an integer in the low bits.
static constexpr double roundMagic = 0x1.8p+52;
static constexpr int64_t roundMagicBits = 0x4338000000000000;
static constexpr double log2e = 0x1.71547652b82fep+0;
static constexpr double log2eRest = 0x1.777d0ffda0d24p-56;
// ln 2 = high + low; high has 42 bits, so that n * high is exact.
static constexpr double ln2High = 0x1.62e42fefa3800p-1;
static constexpr double ln2Low = 0x1.ef35793c76730p-45;
// Nearest f64 to ln 2, and what is missing.
static constexpr double ln2 = 0x1.62e42fefa39efp-1;
static constexpr double ln2Rest = 0x1.abc9e3b39803fp-56;
static constexpr double piHalf = 0x1.921fb54442d18p+0;
static constexpr double piHalfRest = 0x1.1a62633145c07p-54;
static constexpr double piHalfLast = -0x1.f1976b7ed8fbcp-110;

// (exp(r) - 1 - r) / r^2
static constexpr double expCoefficients[] = {
    0x1.0000000000000p-1,  0x1.5555555555557p-3,  0x1.5555555555556p-5,
    0x1.11111111100bep-7,  0x1.6c16c16c162c3p-10, 0x1.a01a01abf85abp-13,
    0x1.a01a01a6e1e2ap-16, 0x1.71de01fdbf9cap-19, 0x1.27e4db46cddd1p-22,
    0x1.af4e554377204p-26, 0x1.1f7340dbc337ep-29};
// (2 atanh(s) - 2 s) / s^3 in s^2
static constexpr double logCoefficients[] = {
    0x1.5555555555555p-1, 0x1.9999999999a39p-2, 0x1.2492492476a1ap-2,
    0x1.c71c7201a55d7p-3, 0x1.745cf8e4bba1bp-3, 0x1.3b1c3c1c81c8fp-3,
    0x1.0fbde0f4ad17bp-3, 0x1.0c0aff044a970p-3};
// (2 atanh(s) - 2 s - 2/3 s^3) / s^5 in s^2
static constexpr double logTailCoefficients[] = {
    0x1.999999999999ap-2, 0x1.2492492492491p-2, 0x1.c71c71c71cfe7p-3,
    0x1.745d1745124c7p-3, 0x1.3b13b1bd0ead0p-3, 0x1.1110df7e2b9b8p-3,
    0x1.e1f80a4c22cd4p-4, 0x1.ac4927065cf5ap-4, 0x1.b8e0c07ef591ap-4};
// erf(x) / x - 1 in x^2
static constexpr double erfSmallCoefficients[] = {
    0x1.06eba8214db69p-3,   -0x1.812746b0379e7p-2,  0x1.ce2f21a042bb4p-4,
    -0x1.b82ce31287992p-6,  0x1.565bcd0e307d5p-8,   -0x1.c02db3f23800dp-11,
    0x1.f9a324c98d5bcp-14,  -0x1.f4d221a057c0dp-17, 0x1.b9e29494fedb0p-20,
    -0x1.5f3ee0c64a31bp-23, 0x1.f92f3d61add71p-27,  -0x1.3d9f06b6f4becp-30,
    0x1.14d3fb792c68ap-34};
// (1 + 2 x) exp(x^2) (1 - erf(x)) in (x - 2.5) / (x + 2.5)
static constexpr double erfLargeCoefficients[] = {
    0x1.43cc6f6c9672cp+0,   -0x1.f52c5d7e22302p-4,  -0x1.959ac16f85723p-4,
    0x1.42d379989b5c6p-3,   -0x1.a5c0c8a40397dp-4,  0x1.0c6092a5a3ec2p-5,
    0x1.e89489562c417p-11,  -0x1.1f2f1326ce59ap-8,  0x1.01e11dac34644p-11,
    0x1.4b6a4a1d2b2b7p-11,  -0x1.731c3e23c77dap-14, -0x1.dc25845b1f114p-14,
    0x1.a4b384055cc83p-18,  0x1.7cd3832f3fe3cp-16,  0x1.5bf9d992dc6cbp-19,
    -0x1.1b117a00f708ap-18, -0x1.998a515d74b1dp-20, 0x1.2031dc83956a3p-21,
    0x1.b3cbf827bf13cp-22};
// (sin(r) - r) / r^3 and (cos(r) - 1 + r^2/2) / r^4 in r^2
static constexpr double sinCoefficients[] = {
    -0x1.5555555555555p-3, 0x1.1111111111110p-7,   -0x1.a01a01a01992fp-13,
    0x1.71de3a545f836p-19, -0x1.ae645410e937bp-26, 0x1.61217d9252c03p-33,
    -0x1.ab16f5caa198ap-41};
static constexpr double cosCoefficients[] = {
    0x1.5555555555555p-5,   -0x1.6c16c16c16c16p-10, 0x1.a01a01a019d06p-16,
    -0x1.27e4fb77125c5p-22, 0x1.1eed8deac3dfep-29,  -0x1.9394b8bd50ae1p-37,
    0x1.ab779550c8d9bp-45};
// (atan(t) - t) / t^3 in t^2
static constexpr double atanCoefficients[] = {
    -0x1.5555555555555p-2, 0x1.9999999999952p-3,  -0x1.249249248d739p-3,
    0x1.c71c71c2fc236p-4,  -0x1.745d165c497f3p-4, 0x1.3b1392a9c2d8bp-4,
    -0x1.110e84aa36d9dp-4, 0x1.e199c62156609p-5,  -0x1.ac7858539e493p-5,
    0x1.74d3a7b43351ap-5,  -0x1.1b1992aa413c9p-5, 0x1.0a997ba33c1dbp-6};

namespace {

using W = ArithWriter;

/// The unevaluated sum high + low, |low| <= ulp(high).
struct Pair {
  Value high, low;
};

} // namespace

// Into [low, high]; NaN stays. (PTX has no max of f64 that keeps NaN.)
static Value clamp(W &w, Value x, double low, double high) {
  Value lowered = w.select(w.gt(x, w.d(high)), w.d(high), x);
  return w.select(w.lt(lowered, w.d(low)), w.d(low), lowered);
}

// x + y without error, for any order of magnitudes (Knuth).
static Pair twoSum(W &w, Value x, Value y) {
  Value sum = w.add(x, y);
  Value part = w.sub(sum, x);
  Value lost = w.add(w.sub(x, w.sub(sum, part)), w.sub(y, part));
  return {sum, lost};
}

// x + y without error, for |x| >= |y|.
static Pair fastTwoSum(W &w, Value x, Value y) {
  Value sum = w.add(x, y);
  return {sum, w.sub(y, w.sub(sum, x))};
}

static Pair twoProduct(W &w, Value x, Value y) {
  Value product = w.mul(x, y);
  return {product, w.fma(x, y, w.mul(product, w.d(-1.0)))};
}

//===----------------------------------------------------------------------===//
// Exponentials
//===----------------------------------------------------------------------===//

// 2^n for -1022 <= n <= 1023, n as i64.
static Value powerOfTwo(W &w, Value n) {
  return w.bitcast(w.f64(), w.shl(w.addi(n, w.l(1023)), w.l(52)));
}

// value * 2^n for any n of f64's range; rounds once.
static Value scale(W &w, Value value, Value n) {
  Value half = w.shr(n, w.l(1));
  Value first = w.mul(value, powerOfTwo(w, half));
  return w.mul(first, powerOfTwo(w, w.subi(n, half)));
}

namespace {
/// x = n ln 2 + rest.
struct ReducedExp {
  Value n; // i64
  Value rest;
};
} // namespace

static ReducedExp reduceExp(W &w, Value x) {
  Value shifted = w.fma(x, w.d(log2e), w.d(roundMagic));
  Value n = w.sub(shifted, w.d(roundMagic));
  Value rest = w.fma(n, w.d(-ln2High), x);
  rest = w.fma(n, w.d(-ln2Low), rest);
  return {w.subi(w.bitcast(w.i64(), shifted), w.l(roundMagicBits)), rest};
}

// exp(r) - 1 for |r| <= ln 2 / 2.
static Value emitExpM1Core(W &w, Value r) {
  return w.fma(w.horner(r, expCoefficients), w.mul(r, r), r);
}

// exp(high + low), |low| tiny; high in f64's range of exponents.
static Value emitExp(W &w, Pair x) {
  ReducedExp reduced = reduceExp(w, x.high);
  Value core = emitExpM1Core(w, reduced.rest);
  if (x.low)
    core = w.add(core, w.fma(core, x.low, x.low));
  return scale(w, w.add(core, w.d(1.0)), reduced.n);
}

// Error below 1 ulp.
static Value expandWideExp(W &w, Value x) {
  return emitExp(w, {clamp(w, x, -746.0, 710.0), {}});
}

// Error below 1.1 ulp.
static Value expandWideExp2(W &w, Value x) {
  Value clamped = clamp(w, x, -1076.0, 1025.0);
  Value shifted = w.add(clamped, w.d(roundMagic));
  Value f = w.sub(clamped, w.sub(shifted, w.d(roundMagic)));
  Value n = w.subi(w.bitcast(w.i64(), shifted), w.l(roundMagicBits));
  Pair r = twoProduct(w, f, w.d(ln2));
  Value low = w.fma(f, w.d(ln2Rest), r.low);
  Value core = w.add(emitExpM1Core(w, r.high), low);
  return scale(w, w.add(core, w.d(1.0)), n);
}

// exp(x) - 1 for x in [-40, 710], but x itself near 0.
// 2 (2^(n-1) e + (2^(n-1) - 1/2)) does not overflow on the way.
static Value emitExpM1(W &w, Value x) {
  ReducedExp reduced = reduceExp(w, x);
  Value core = emitExpM1Core(w, reduced.rest);
  Value power = powerOfTwo(w, w.subi(reduced.n, w.l(1)));
  Value half = w.fma(core, power, w.sub(power, w.d(0.5)));
  Value isTiny = w.lt(w.wideAbs(x), w.d(0x1p-54));
  return w.select(isTiny, x, w.add(half, half));
}

// Error below 2 ulp.
static Value expandWideExpM1(W &w, Value x) {
  return emitExpM1(w, clamp(w, x, -40.0, 710.0));
}

// e / (e + 2) for e = exp(2|x|) - 1: nothing cancels. Error below 2.5 ulp.
static Value expandWideTanh(W &w, Value x) {
  Value magnitude = w.wideAbs(x);
  Value bounded = w.select(w.gt(magnitude, w.d(22.0)), w.d(22.0), magnitude);
  Value e = emitExpM1(w, w.add(bounded, bounded));
  return w.withWideSign(w.div(e, w.add(e, w.d(2.0))), w.wideSignBit(x));
}

// Near 0 an odd polynomial, else 1 - exp(-x^2) P / (1 + 2x). Error below 1.5 ulp.
static Value expandWideErf(W &w, Value x) {
  Value magnitude = w.wideAbs(x);
  Value small = w.fma(w.horner(w.mul(x, x), erfSmallCoefficients), x, x);
  Value a = w.select(w.gt(magnitude, w.d(6.0)), w.d(6.0), magnitude);
  Value t = w.div(w.sub(a, w.d(2.5)), w.add(a, w.d(2.5)));
  Value decay = emitExp(w, {w.mul(w.mul(a, a), w.d(-1.0)), {}});
  Value rest = w.div(w.mul(w.horner(t, erfLargeCoefficients), decay),
                     w.fma(a, w.d(2.0), w.d(1.0)));
  return w.select(w.lt(magnitude, w.d(0.9375)), small,
                  w.withWideSign(w.sub(w.d(1.0), rest), w.wideSignBit(x)));
}

//===----------------------------------------------------------------------===//
// Logarithms
//===----------------------------------------------------------------------===//

namespace {
/// x = 2^n (1 + f), 1 + f from sqrt(1/2) to sqrt(2).
struct ReducedLog {
  Value n; // f64
  Value f;
};
} // namespace

// The bits of sqrt(1/2) off, exponent kept: what to take from the bits of x.
static Value getExponentBits(W &w, Value x) {
  constexpr int64_t sqrtHalfBits = 0x3fe6a09e667f3bcd;
  return w.andi(w.subi(w.bitcast(w.i64(), x), w.l(sqrtHalfBits)),
                w.l(int64_t(0xfff0000000000000)));
}

static Value getExponent(W &w, Value exponentBits) {
  return w.toFloat(w.f64(), w.shr(exponentBits, w.l(52)));
}

// For 0 < x < infinity, denormals included.
static ReducedLog reduceLog(W &w, Value x) {
  Value isDenormal = w.lt(x, w.d(0x1p-1022));
  Value normal = w.select(isDenormal, w.mul(x, w.d(0x1p+54)), x);
  Value bits = getExponentBits(w, normal);
  Value m = w.bitcast(w.f64(), w.subi(w.bitcast(w.i64(), normal), bits));
  Value shift = w.select(isDenormal, w.d(-54.0), w.d(0.0));
  return {w.add(getExponent(w, bits), shift), w.sub(m, w.d(1.0))};
}

// n ln 2 + log(1 + f). With s = f / (2 + f), log(1 + f) = 2 s + R(s) =
// f - (f^2/2 - s (f^2/2 + R/s)): the large part f is exact.
static Value emitLogCore(W &w, Value f, Value n) {
  Value s = w.div(f, w.add(f, w.d(2.0)));
  Value z = w.mul(s, s);
  Value half = w.mul(w.mul(f, f), w.d(0.5));
  Value r = w.mul(w.horner(z, logCoefficients), z);
  Value rest = w.mul(s, w.add(half, r));
  if (!n)
    return w.sub(f, w.sub(half, rest));
  rest = w.fma(n, w.d(ln2Low), rest);
  return w.fma(n, w.d(ln2High), w.sub(f, w.sub(half, rest)));
}

// What a logarithm gives where `regular` does not hold: -infinity at `pole`, NaN
// below it, x itself for infinity and NaN.
static Value withLogSpecials(W &w, Value x, double pole, Value regular) {
  Value below = w.select(w.lt(x, w.d(pole)), w.d(quietNaN), x);
  Value special = w.select(w.eq(x, w.d(pole)), w.d(-infinity), below);
  Value isRegular = w.andi(w.gt(x, w.d(pole)), w.lt(x, w.d(infinity)));
  return w.select(isRegular, regular, special);
}

// Error below 1 ulp.
static Value expandWideLog(W &w, Value x) {
  ReducedLog reduced = reduceLog(w, x);
  return withLogSpecials(w, x, 0.0, emitLogCore(w, reduced.f, reduced.n));
}

// log(1 + f) * (base + rest) + n * (step + stepRest). Error below 2 ulp.
static Value expandOtherLog(W &w, Value x, Pair base, Pair step) {
  ReducedLog reduced = reduceLog(w, x);
  Value core = emitLogCore(w, reduced.f, {});
  Value sum = w.fma(core, base.low, w.mul(reduced.n, step.low));
  Pair whole = twoProduct(w, core, base.high);
  sum = w.add(sum, whole.low);
  Value large = w.mul(reduced.n, step.high);
  Value largeLow = w.fma(reduced.n, step.high, w.mul(large, w.d(-1.0)));
  Pair total = twoSum(w, large, whole.high);
  sum = w.add(w.add(sum, largeLow), total.low);
  return withLogSpecials(w, x, 0.0, w.add(total.high, sum));
}

static Value expandWideLog2(W &w, Value x) {
  return expandOtherLog(w, x, {w.d(log2e), w.d(log2eRest)},
                        {w.d(1.0), w.d(0.0)});
}

static Value expandWideLog10(W &w, Value x) {
  return expandOtherLog(
      w, x, {w.d(0x1.bcb7b1526e50ep-2), w.d(0x1.95355baaafad3p-57)},
      {w.d(0x1.34413509f79ffp-2), w.d(-0x1.9dc1da994fd21p-59)});
}

// As log of 1 + x, but f = (1 + x) 2^-n - 1 is taken from x, not from the rounded
// sum. The power of two is 4 * 2^-n, which is never denormal.
// Error below 1.5 ulp.
static Value expandWideLog1p(W &w, Value x) {
  Value bits = getExponentBits(w, w.add(x, w.d(1.0)));
  Value power = w.bitcast(w.f64(), w.subi(w.l(0x4010000000000000), bits));
  Value f = w.fma(w.mul(x, power), w.d(0.25),
                  w.fma(power, w.d(0.25), w.d(-1.0)));
  Value regular = withLogSpecials(w, x, -1.0,
                                  emitLogCore(w, f, getExponent(w, bits)));
  return w.select(w.lt(w.wideAbs(x), w.d(0x1p-54)), x, regular);
}

//===----------------------------------------------------------------------===//
// Angles
//===----------------------------------------------------------------------===//

namespace {
/// x = (quadrant + 4 k) pi/2 + rest, |rest| <= pi/4; quadrant is -2 to 2, f64.
struct ReducedAngle {
  Value quadrant;
  Pair rest;
};
} // namespace

// pi/2 in three pieces (161 bits), n times the first two without error.
static ReducedAngle reduceAngle(W &w, Value x) {
  Value n = w.roundEven(w.mul(x, w.d(1 / piHalf)));
  Value whole = w.roundEven(w.mul(n, w.d(0.25)));
  Value quadrant = w.fma(whole, w.d(-4.0), n);
  Value minusN = w.mul(n, w.d(-1.0));
  Pair first = twoProduct(w, minusN, w.d(piHalf));
  Pair second = twoProduct(w, minusN, w.d(piHalfRest));
  Pair rest = twoSum(w, w.add(x, first.high), first.low);
  Pair next = twoSum(w, rest.high, second.high);
  Value low = w.add(w.add(rest.low, next.low), second.low);
  low = w.fma(minusN, w.d(piHalfLast), low);
  return {quadrant, fastTwoSum(w, next.high, low)};
}

// 2/pi in pieces of 24 bits.
static constexpr int32_t twoOverPi[] = {
    0xa2f983, 0x6e4e44, 0x1529fc, 0x2757d1, 0xf534dd, 0xc0db62, 0x95993c,
    0x439041, 0xfe5163, 0xabdebb, 0xc561b7, 0x246e3a, 0x424dd2, 0xe00649,
    0x2eea09, 0xd1921c, 0xfe1deb, 0x1cb129, 0xa73ee8, 0x8235f5, 0x2ebb44,
    0x84e99c, 0x7026b4, 0x5f7e41, 0x3991d6, 0x398353, 0x39f49c, 0x845f8b,
    0xbdf928, 0x3b1ff8, 0x97ffde, 0x05980f, 0xef2f11, 0x8b5a0a, 0x6d1f6d,
    0x367ecf, 0x27cb09, 0xb74f46, 0x3f669e, 0x5fea2d, 0x7527ba, 0xc7ebe5,
    0xf17b3d, 0x0739f7, 0x8a5292, 0xea6bfb, 0x5fb11f};
// Pieces that matter for one x: fewer bits than 192 behind the first would show
// where x is close to a multiple of pi/2.
static constexpr unsigned numPieces = 8;

// As reduceAngle for large x (Payne and Hanek 1983): of x * 2/pi modulo 4, pieces
// of 2/pi whose product with the last bit of x is a multiple of 4 do not count,
// nor do those far behind. With 2^(24 q) taken out of x, the pieces that count
// begin at q - 1; they are picked by the bits of q, and their products with the
// halves of x are exact.
static ReducedAngle reduceLargeAngle(W &w, Value x) {
  Value bits = w.bitcast(w.i64(), x);
  Value exponent = w.andi(w.shr(bits, w.l(52)), w.l(0x7ff));
  // q = max(0, floor((exponent - 1075) / 24)), in the low bits of a sum.
  Value q = w.mul(w.add(w.toFloat(w.f64(), exponent), w.d(-1075 - 11.5)),
                  w.d(1.0 / 24));
  q = w.roundEven(w.select(w.gt(q, w.d(0.0)), q, w.d(0.0)));
  Value qBits = w.andi(w.bitcast(w.i64(), w.add(q, w.d(roundMagic))), w.l(63));

  SmallVector<Value> pieces{w.i(0)}; // i32: half the registers of f64
  for (int32_t piece : twoOverPi)
    pieces.push_back(w.i(piece));
  for (unsigned step = 32; step > 0; step /= 2) {
    Value isSet = w.nei(w.andi(qBits, w.l(step)), w.l(0));
    // What later steps still move, and no more.
    unsigned count = std::min<unsigned>(numPieces + step - 1, pieces.size());
    for (unsigned i = 0; i < count && i + step < pieces.size(); ++i)
      pieces[i] = w.select(isSet, pieces[i + step], pieces[i]);
    pieces.resize(count);
  }

  Value scaled = w.bitcast(
      w.f64(), w.subi(bits, w.addi(w.shl(qBits, w.l(55)),
                                   w.shl(qBits, w.l(56)))));
  Value upper = w.bitcast(w.f64(), w.andi(w.bitcast(w.i64(), scaled),
                                          w.l(-(int64_t(1) << 27))));
  Value halves[] = {upper, w.sub(scaled, upper)};
  Pair turns{w.d(0.0), w.d(0.0)};
  for (auto [k, piece] : llvm::enumerate(pieces)) {
    Value weight = w.mul(w.toFloat(w.f64(), piece),
                         w.d(std::ldexp(1.0, -24 * int(k))));
    for (Value half : halves) {
      Value product = w.mul(half, weight);
      Value whole = w.roundEven(w.mul(product, w.d(0.25)));
      Pair sum = twoSum(w, turns.high, w.fma(whole, w.d(-4.0), product));
      turns = {sum.high, w.add(turns.low, sum.low)};
    }
  }
  turns = fastTwoSum(w, turns.high, turns.low);
  Value n = w.roundEven(turns.high);
  Value whole = w.roundEven(w.mul(n, w.d(0.25)));
  Pair fraction = fastTwoSum(w, w.sub(turns.high, n), turns.low);
  Pair rest = twoProduct(w, fraction.high, w.d(piHalf));
  rest.low = w.fma(fraction.high, w.d(piHalfRest),
                   w.fma(fraction.low, w.d(piHalf), rest.low));
  return {w.fma(whole, w.d(-4.0), n), fastTwoSum(w, rest.high, rest.low)};
}

static ReducedAngle reduceAnyAngle(W &w, Value x) {
  ReducedAngle small = reduceAngle(w, x), large = reduceLargeAngle(w, x);
  Value isSmall = w.lt(w.wideAbs(x), w.d(0x1p+30));
  auto choose = [&](Value a, Value b) { return w.select(isSmall, a, b); };
  return {choose(small.quadrant, large.quadrant),
          {choose(small.rest.high, large.rest.high),
           choose(small.rest.low, large.rest.low)}};
}

// sin(rest + quadrant * pi/2).
static Value emitQuadrant(W &w, Value quadrant, Pair rest) {
  Value r = rest.high, z = w.mul(r, r), half = w.mul(z, w.d(0.5));
  // sin(r + low) = r + (r^3 S(z) + low cos(r))
  Value cube = w.mul(w.mul(w.horner(z, sinCoefficients), z), r);
  Value sine = w.add(r, w.add(cube, w.fma(rest.low,
                                          w.mul(half, w.d(-1.0)), rest.low)));
  // cos(r + low) = (1 - z/2) + (what that rounds off + z^2 C(z) - r low)
  Value large = w.sub(w.d(1.0), half);
  Value tail = w.mul(w.mul(z, z), w.horner(z, cosCoefficients));
  tail = w.sub(tail, w.mul(r, rest.low));
  Value cosine =
      w.add(large, w.add(w.sub(w.sub(w.d(1.0), large), half), tail));
  Value magnitude = w.wideAbs(quadrant);
  Value isOdd = w.eq(magnitude, w.d(1.0));
  // Quadrants 2, -2 and -1, which is 3.
  Value isNegative = w.ori(w.eq(magnitude, w.d(2.0)),
                           w.eq(quadrant, w.d(-1.0)));
  Value value = w.select(isOdd, cosine, sine);
  return w.select(isNegative, w.mul(value, w.d(-1.0)), value);
}

static Value withInfiniteAngle(W &w, Value x, Value value) {
  Value isFinite = w.lt(w.wideAbs(x), w.d(infinity));
  return w.select(isFinite, value, w.d(quietNaN));
}

// Error below 1.5 ulp or 2^-90.
static Value expandWideSin(W &w, Value x) {
  ReducedAngle angle = reduceAnyAngle(w, x);
  Value sine = emitQuadrant(w, angle.quadrant, angle.rest);
  sine = w.select(w.lt(w.wideAbs(x), w.d(0x1p-27)), x, sine);
  return withInfiniteAngle(w, x, sine);
}

// Error below 1.5 ulp or 2^-90.
static Value expandWideCos(W &w, Value x) {
  ReducedAngle angle = reduceAnyAngle(w, x);
  // cos(x) = sin(x + pi/2); quadrant 3 is -1.
  Value next = w.add(angle.quadrant, w.d(1.0));
  next = w.select(w.eq(next, w.d(3.0)), w.d(-1.0), next);
  return withInfiniteAngle(w, x, emitQuadrant(w, next, angle.rest));
}

// atan(t) for 0 <= t <= 1. Above tan(pi/8): pi/4 + atan((t - 1) / (t + 1)).
static Value emitAtanCore(W &w, Value t) {
  Value isUpper = w.gt(t, w.d(0x1.a827999fcef32p-2));
  Value u = w.select(isUpper,
                     w.div(w.sub(t, w.d(1.0)), w.add(t, w.d(1.0))), t);
  Value square = w.mul(u, u);
  Value rest = w.mul(w.mul(w.horner(square, atanCoefficients), square), u);
  Value upper = w.add(w.d(0.5 * piHalf),
                      w.add(u, w.add(rest, w.d(0.5 * piHalfRest))));
  return w.select(isUpper, upper, w.add(u, rest));
}

// pi/2 - angle where `condition` holds.
static Value complementIf(W &w, Value condition, Value angle) {
  Value other = w.sub(w.d(piHalf), w.sub(angle, w.d(piHalfRest)));
  return w.select(condition, other, angle);
}

// Error below 2 ulp.
static Value expandWideAtan(W &w, Value x) {
  Value magnitude = w.wideAbs(x);
  Value isLarge = w.gt(magnitude, w.d(1.0));
  Value t = w.select(isLarge, w.div(w.d(1.0), magnitude), magnitude);
  Value angle = complementIf(w, isLarge, emitAtanCore(w, t));
  return w.withWideSign(angle, w.wideSignBit(x));
}

// Error below 3 ulp.
static Value expandWideAtan2(W &w, Value y, Value x) {
  Value ax = w.wideAbs(x), ay = w.wideAbs(y);
  Value isSteep = w.gt(ay, ax);
  Value small = w.select(isSteep, ax, ay);
  Value large = w.select(isSteep, ay, ax);
  // 0/0 is 0 here, infinity/infinity is 1.
  Value ratio = w.div(small, large);
  ratio = w.select(w.eq(large, w.d(0.0)), w.d(0.0), ratio);
  ratio = w.select(w.eq(small, w.d(infinity)), w.d(1.0), ratio);
  Value angle = complementIf(w, isSteep, emitAtanCore(w, ratio));
  Value isBehind = w.nei(w.wideSignBit(x), w.l(0));
  Value behind =
      w.sub(w.d(2 * piHalf), w.sub(angle, w.d(2 * piHalfRest)));
  angle = w.select(isBehind, behind, angle);
  Value result = w.withWideSign(angle, w.wideSignBit(y));
  result = w.select(w.isNaN(y), y, result);
  return w.select(w.isNaN(x), x, result);
}

//===----------------------------------------------------------------------===//
// Powers and roots
//===----------------------------------------------------------------------===//

// log(x) to about 68 bits, 0 < x < infinity:
//   n ln 2 + 2 s + s^3 (2/3 + s^2 T(s^2)), s = f / (2 + f)
static Pair emitPreciseLog(W &w, Value x) {
  ReducedLog reduced = reduceLog(w, x);
  Value f = reduced.f;
  // 2 + f, s and s^2, each with what it rounds off.
  Pair divisor = fastTwoSum(w, w.d(2.0), f);
  Value s = w.div(f, divisor.high);
  Value minusS = w.mul(s, w.d(-1.0));
  Value remainder = w.fma(minusS, divisor.high, f);
  remainder = w.fma(minusS, divisor.low, remainder);
  Value sLow = w.div(remainder, divisor.high);
  Pair z = twoProduct(w, s, s);
  z.low = w.fma(w.add(s, s), sLow, z.low);
  // q = 2/3 + z T
  Value tail = w.mul(w.horner(z.high, logTailCoefficients), z.high);
  Pair q = fastTwoSum(w, w.d(0x1.5555555555555p-1), tail);
  q.low = w.add(q.low, w.d(0x1.5555555555555p-55));
  // c = s z q
  Pair zs = twoProduct(w, z.high, s);
  zs.low = w.fma(z.low, s, w.fma(z.high, sLow, zs.low));
  Pair c = twoProduct(w, zs.high, q.high);
  c.low = w.fma(zs.low, q.high, w.fma(zs.high, q.low, c.low));

  Pair large = twoSum(w, w.mul(reduced.n, w.d(ln2High)), w.add(s, s));
  Pair sum = twoSum(w, large.high, c.high);
  Value low = w.fma(reduced.n, w.d(ln2Low), w.add(sLow, sLow));
  low = w.add(low, w.add(large.low, w.add(sum.low, c.low)));
  return fastTwoSum(w, sum.high, low);
}

// exp(y log|x|) with log|x| as a pair; sign and special cases are those of C's
// pow. Error below 1.5 ulp.
static Value expandWidePow(W &w, Value x, Value y) {
  Value magnitude = w.wideAbs(x);
  Value isZero = w.eq(magnitude, w.d(0.0));
  Value isInfinite = w.eq(magnitude, w.d(infinity));
  Value isExtreme = w.ori(isZero, isInfinite);
  Pair log = emitPreciseLog(w, w.select(isExtreme, w.d(1.0), magnitude));
  Value exponent = clamp(w, y, -0x1p+600, 0x1p+600);
  Pair product = twoProduct(w, log.high, exponent);
  Value low = w.fma(exponent, log.low, product.low);
  Value high = clamp(w, product.high, -746.0, 710.0);
  low = w.select(w.eq(high, product.high), low, w.d(0.0));
  Value power = emitExp(w, {high, low});
  // 0 and infinity: to 0 or infinity.
  Value toZero = w.eq(w.select(isZero, y, w.mul(y, w.d(-1.0))), w.wideAbs(y));
  Value extreme = w.select(toZero, w.d(0.0), w.d(infinity));
  power = w.select(isExtreme, extreme, power);

  Value half = w.mul(y, w.d(0.5));
  Value isInteger = w.eq(w.roundEven(y), y);
  Value isOdd = w.andi(isInteger, w.ne(w.roundEven(half), half));
  Value result = w.withWideSign(
      power, w.select(isOdd, w.wideSignBit(x), w.l(0)));
  // A negative finite base needs an integer exponent.
  Value isNegative = w.andi(w.lt(x, w.d(0.0)), w.ne(magnitude, w.d(infinity)));
  Value isFraction = w.ne(w.roundEven(y), y);
  result = w.select(w.andi(isNegative, isFraction), w.d(quietNaN), result);
  Value isAnyNaN = w.ori(w.isNaN(x), w.isNaN(y));
  result = w.select(isAnyNaN, w.add(x, y), result);
  result = w.select(w.eq(x, w.d(1.0)), w.d(1.0), result);
  return w.select(w.eq(y, w.d(0.0)), w.d(1.0), result);
}

Value tilefuse::expandDouble(ImplicitLocOpBuilder &b, Operation *op,
                             ArrayRef<Value> x) {
  W w(b, x[0]);
  return llvm::TypeSwitch<Operation *, Value>(op)
      .Case([&](math::ExpOp) { return expandWideExp(w, x[0]); })
      .Case([&](math::Exp2Op) { return expandWideExp2(w, x[0]); })
      .Case([&](math::ExpM1Op) { return expandWideExpM1(w, x[0]); })
      .Case([&](math::LogOp) { return expandWideLog(w, x[0]); })
      .Case([&](math::Log2Op) { return expandWideLog2(w, x[0]); })
      .Case([&](math::Log10Op) { return expandWideLog10(w, x[0]); })
      .Case([&](math::Log1pOp) { return expandWideLog1p(w, x[0]); })
      .Case([&](math::TanhOp) { return expandWideTanh(w, x[0]); })
      .Case([&](math::ErfOp) { return expandWideErf(w, x[0]); })
      .Case([&](math::ErfcOp) {
        return w.sub(w.d(1.0), expandWideErf(w, x[0]));
      })
      .Case([&](math::SinOp) { return expandWideSin(w, x[0]); })
      .Case([&](math::CosOp) { return expandWideCos(w, x[0]); })
      .Case([&](math::AtanOp) { return expandWideAtan(w, x[0]); })
      .Case([&](math::Atan2Op) { return expandWideAtan2(w, x[0], x[1]); })
      .Case([&](math::PowFOp) { return expandWidePow(w, x[0], x[1]); })
      .Case([&](math::RsqrtOp) { return w.div(w.d(1.0), w.sqrt(x[0])); })
      .Default([](Operation *) { return Value(); });
}
