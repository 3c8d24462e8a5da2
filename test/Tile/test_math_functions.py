"""Error bounds of the math expansions, over bit patterns spread through all of f32."""

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
