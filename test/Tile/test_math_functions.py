"""Error bounds of the math expansions, over bit patterns spread through all of f32, and
over random ones of f64."""

import mpmath
import numpy
import pytest
import torch

from test_semantics import index, program
from test_tile_kernels import run

# Every STEP-th bit pattern, and the special ones.
STEP = 40009
SPECIAL = [0, 1, 0x00800000, 0x3F800000, 0x7F7FFFFF, 0x7F800000, 0x7FC00000]

# Function -> (reference in f64, bound in units in the last place).
FUNCTIONS = {
    "exp": (torch.exp, 1.0),
    "exp2": (torch.exp2, 1.0),
    "expm1": (torch.expm1, 1.5),
    "log": (torch.log, 1.0),
    "log2": (torch.log2, 2.0),
    "log10": (torch.log10, 2.0),
    "log1p": (torch.log1p, 1.5),
    "tanh": (torch.tanh, 1.5),
    "erf": (torch.erf, 1.5),
    "sin": (torch.sin, 2.0),
    "cos": (torch.cos, 2.0),
    "atan": (torch.atan, 2.0),
    "rsqrt": (torch.rsqrt, 1.5),
}


def all_floats():
    bits = numpy.arange(0, 2**32, STEP, dtype=numpy.uint64).astype(numpy.uint32)
    special = numpy.array(SPECIAL, numpy.uint32)
    return numpy.concatenate([special, special | 0x80000000, bits]).view(numpy.float32)


def check(found, expected, bound):
    """`expected` is f64; NaN, infinities and the sign of zero must be equal."""
    rounded = expected.to(torch.float32)
    assert torch.equal(found.isnan(), rounded.isnan())
    assert torch.equal(found.isinf(), rounded.isinf())
    numbers = ~rounded.isnan()
    zeros = numbers & (rounded == 0)
    assert torch.equal(found[zeros].signbit(), rounded[zeros].signbit())
    finite = numbers & ~rounded.isinf()
    unit = numpy.spacing(rounded[finite].abs().numpy()).astype(numpy.float64)
    error = (found[finite].double() - expected[finite]).abs().numpy() / unit
    assert error.max() <= bound, f"{error.max():.2f} ulp"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function(tmp_path, name):
    reference, bound = FUNCTIONS[name]
    x = all_floats()
    blocks = -(-len(x) // 4096)
    body = index("c4096", 4096) + f"""
  %p = tile.program_id 0
  %o = arith.muli %p, %c4096 : index
  %v = tile.load %x[%o] : !tile.view<{len(x)}xf32> -> tensor<4096xf32>
  %r = math.{name} %v : tensor<4096xf32>
  tile.store %r, %y[%o] : tensor<4096xf32>, !tile.view<{len(x)}xf32>"""
    views = {"x": f"{len(x)}xf32", "y": f"{len(x)}xf32"}
    (y,) = run(program(body, views, 1, f"[{blocks}]"), tmp_path, x)
    check(y, reference(torch.from_numpy(x).double()), bound)


def test_erfc(tmp_path):
    """No worse than 1 - erf rounded to f32, and no more than a few ulp near 1."""
    x = numpy.concatenate([numpy.linspace(-12, 12, 4001), 2.0 ** numpy.arange(-30, 120),
                           [numpy.inf, -numpy.inf, numpy.nan]]).astype(numpy.float32)
    n = len(x)
    body = index("c0", 0) + f"""
  %v = tile.load %x[%c0] : !tile.view<{n}xf32> -> tensor<{n}xf32>
  %r = math.erfc %v : tensor<{n}xf32>
  tile.store %r, %y[%c0] : tensor<{n}xf32>, !tile.view<{n}xf32>"""
    (y,) = run(program(body, {"x": f"{n}xf32", "y": f"{n}xf32"}, 1), tmp_path, x)
    expected = torch.erfc(torch.from_numpy(x).double())
    assert torch.equal(y.isnan(), expected.isnan())
    numbers = ~expected.isnan()
    error = (y.double() - expected).abs()[numbers]
    assert (error <= 2.0**-24 + 2.0**-21 * expected[numbers]).all(), error.max()


@pytest.mark.parametrize("name, reference", [("powf", numpy.power), ("atan2", numpy.arctan2)])
def test_function_of_two(tmp_path, name, reference):
    values = [0, 1, 2, 3, 0.5, 1e-3, 1e-40, 7.25, 8388609, 3e7, 1e30, numpy.inf]
    random = numpy.random.default_rng(1)
    some = numpy.concatenate([numpy.array(values), random.lognormal(0, 2, 20)])
    some = numpy.concatenate([some, -some, [numpy.nan]]).astype(numpy.float32)
    x, y = (v.reshape(-1) for v in numpy.meshgrid(some, some))
    n = len(x)
    body = index("c0", 0) + f"""
  %a = tile.load %x[%c0] : !tile.view<{n}xf32> -> tensor<{n}xf32>
  %b = tile.load %y[%c0] : !tile.view<{n}xf32> -> tensor<{n}xf32>
  %r = math.{name} %a, %b : tensor<{n}xf32>
  tile.store %r, %z[%c0] : tensor<{n}xf32>, !tile.view<{n}xf32>"""
    views = {"x": f"{n}xf32", "y": f"{n}xf32", "z": f"{n}xf32"}
    (z,) = run(program(body, views, 2), tmp_path, x, y)
    with numpy.errstate(all="ignore"):
        expected = reference(x.astype(numpy.float64), y.astype(numpy.float64))
    check(z, torch.from_numpy(expected), 3.0)


# f64: function -> (mpmath's, bound in units in the last place, largest |x| it is for).
DOUBLES = {
    "exp": (mpmath.exp, 1.0, 1e300),
    "exp2": (lambda x: mpmath.power(2, x), 1.1, 1e300),
    "expm1": (mpmath.expm1, 2.0, 1e300),
    "log": (mpmath.log, 1.0, 1e308),
    "log2": (lambda x: mpmath.log(x, 2), 2.0, 1e308),
    "log10": (mpmath.log10, 2.0, 1e308),
    "log1p": (mpmath.log1p, 1.5, 1e308),
    "tanh": (mpmath.tanh, 2.5, 1e308),
    "erf": (mpmath.erf, 1.5, 1e308),
    "sin": (mpmath.sin, 1.5, 1e308),
    "cos": (mpmath.cos, 1.5, 1e308),
    "atan": (mpmath.atan, 2.0, 1e308),
    "rsqrt": (lambda x: 1 / mpmath.sqrt(x), 1.5, 1e308),
}
EDGES = [0.0, 1.0, 2.0, 0.5, 4.9e-324, 2.2e-308, 1e-16, 0.35, 0.9375, 6.0, 22.0, 709.8, 745.2]


def some_doubles(limit, count=1500):
    """Every exponent, and more points where functions bend."""
    random = numpy.random.default_rng(1)
    wide = random.integers(0, 2**63, count, dtype=numpy.uint64).view(numpy.float64)
    wide = wide[numpy.abs(wide) <= limit]
    near = numpy.concatenate([random.normal(0, 1, count), random.lognormal(0, 3, count),
                              1 + random.normal(0, 1e-3, 100), numpy.array(EDGES)])
    x = numpy.concatenate([wide, near])
    return numpy.concatenate([x, -x])


def evaluate_exactly(function, *operands):
    """Results rounded to f64, and what the rounding left out."""
    rounded, rest = [], []
    with mpmath.workdps(400):
        for values in zip(*operands):
            try:
                exact = function(*(mpmath.mpf(float(v)) for v in values))
            except (ValueError, ZeroDivisionError):
                exact = mpmath.nan
            if isinstance(exact, mpmath.mpc):
                exact = mpmath.nan
            value = float(exact)
            rounded.append(value)
            rest.append(float(exact - value) if numpy.isfinite(value) else 0.0)
    return numpy.array(rounded), numpy.array(rest)


def check_doubles(found, rounded, rest, bound, inputs):
    finite = numpy.isfinite(rounded)
    assert numpy.array_equal(numpy.isnan(found), numpy.isnan(rounded)), inputs[
        numpy.isnan(found) != numpy.isnan(rounded)][:4]
    units = numpy.abs((found[finite] - rounded[finite]) - rest[finite]) / numpy.spacing(
        numpy.abs(rounded[finite]))
    worst = units.argmax()
    assert units[worst] <= bound, f"{units[worst]:.2f} ulp at {inputs[finite][worst]!r}"


@pytest.mark.parametrize("name", DOUBLES)
def test_double_function(tmp_path, name):
    function, bound, limit = DOUBLES[name]
    x = some_doubles(limit)
    n = len(x)
    body = index("c0", 0) + f"""
  %v = tile.load %x[%c0] : !tile.view<{n}xf64> -> tensor<{n}xf64>
  %r = math.{name} %v : tensor<{n}xf64>
  tile.store %r, %y[%c0] : tensor<{n}xf64>, !tile.view<{n}xf64>"""
    (y,) = run(program(body, {"x": f"{n}xf64", "y": f"{n}xf64"}, 1), tmp_path, x)
    rounded, rest = evaluate_exactly(function, x)
    zero = x == 0  # poles
    check_doubles(y.numpy()[~zero], rounded[~zero], rest[~zero], bound, x[~zero])
    with numpy.errstate(all="ignore"):
        at = numpy.array([0.0, -0.0, numpy.inf, -numpy.inf, numpy.nan] + [1.0] * (n - 5))
    (y,) = run(program(body, {"x": f"{n}xf64", "y": f"{n}xf64"}, 1), tmp_path, at)
    expected = getattr(torch, name)(torch.from_numpy(at))[:5]
    assert torch.equal(y[:5].nan_to_num(7.0), expected.nan_to_num(7.0))
    assert torch.equal(y[:2].signbit(), expected[:2].signbit())


@pytest.mark.parametrize("name, reference, bound", [
    ("powf", lambda x, y: mpmath.power(x, y), 1.5), ("atan2", mpmath.atan2, 3.0)])
def test_double_function_of_two(tmp_path, name, reference, bound):
    random = numpy.random.default_rng(2)
    values = [1.0, 2.0, 3.0, 0.5, 1e-3, 7.25, 2.0 ** 53 + 2, 1e30, 5e-324, 1e308, 1 + 2e-16]
    some = numpy.concatenate([numpy.array(values), random.lognormal(0, 3, 25)])
    some = numpy.concatenate([some, -some])
    x, y = (v.reshape(-1) for v in numpy.meshgrid(some, some))
    n = len(x)
    body = index("c0", 0) + f"""
  %a = tile.load %x[%c0] : !tile.view<{n}xf64> -> tensor<{n}xf64>
  %b = tile.load %y[%c0] : !tile.view<{n}xf64> -> tensor<{n}xf64>
  %r = math.{name} %a, %b : tensor<{n}xf64>
  tile.store %r, %z[%c0] : tensor<{n}xf64>, !tile.view<{n}xf64>"""
    views = {"x": f"{n}xf64", "y": f"{n}xf64", "z": f"{n}xf64"}
    (z,) = run(program(body, views, 2), tmp_path, x, y)
    z = z.numpy()
    # C's rules where mpmath has none: huge results, negative bases.
    with numpy.errstate(all="ignore"):
        c = (numpy.power if name == "powf" else numpy.arctan2)(x, y)
    plain = numpy.isfinite(c) & (c != 0)
    assert numpy.array_equal(z[~plain], c[~plain], equal_nan=True)
    assert numpy.array_equal(numpy.signbit(z[c == 0]), numpy.signbit(c[c == 0]))
    rounded, rest = evaluate_exactly(
        lambda a, b: reference(a, b) if name == "atan2" or a > 0 else
        reference(-a, b) * (-1 if b % 2 else 1), x[plain], y[plain])
    check_doubles(z[plain], rounded, rest, bound, x[plain])


def test_double_special_powers(tmp_path):
    special = [0.0, -0.0, 1.0, -1.0, 2.0, -2.0, 3.0, -3.0, 0.5, -0.5, numpy.inf, -numpy.inf,
               numpy.nan]
    x, y = (v.reshape(-1) for v in numpy.meshgrid(special, special))
    n = len(x)
    for name, reference in (("powf", numpy.power), ("atan2", numpy.arctan2)):
        body = index("c0", 0) + f"""
  %a = tile.load %x[%c0] : !tile.view<{n}xf64> -> tensor<{n}xf64>
  %b = tile.load %y[%c0] : !tile.view<{n}xf64> -> tensor<{n}xf64>
  %r = math.{name} %a, %b : tensor<{n}xf64>
  tile.store %r, %z[%c0] : tensor<{n}xf64>, !tile.view<{n}xf64>"""
        views = {"x": f"{n}xf64", "y": f"{n}xf64", "z": f"{n}xf64"}
        (z,) = run(program(body, views, 2), tmp_path, x, y)
        with numpy.errstate(all="ignore"):
            expected = reference(x, y)
        numpy.testing.assert_allclose(z.numpy(), expected, rtol=4e-16)
        zeros = expected == 0
        assert numpy.array_equal(numpy.signbit(z.numpy()[zeros]), numpy.signbit(expected[zeros]))
