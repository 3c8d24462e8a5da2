"""What single tile ops compute on the CPU, over shapes, types and offsets."""

import numpy
import pytest
import torch

from test_tile_kernels import assert_close, normal, run, wide
from test_tile_kernels import make_random  # noqa: F401 (the fixture `random`)

TYPES = {"f32": numpy.float32, "f16": numpy.float16, "f64": numpy.float64, "i1": numpy.bool_,
         "i8": numpy.int8, "i32": numpy.int32, "i64": numpy.int64}


def program(body, views, inputs, grid="[1]"):
    """A kernel @k on all views, launched once; inputs come first."""
    signature = ", ".join(f"%{name}: !tile.view<{type_}>" for name, type_ in views.items())
    types = [f"!tile.view<{type_}>" for type_ in views.values()]
    names = [f"%{name}" for name in views]
    ins = f"ins({', '.join(names[:inputs])} : {', '.join(types[:inputs])})" if inputs else ""
    outs = f"outs({', '.join(names[inputs:])} : {', '.join(types[inputs:])})"
    return f"""
tile.func @k({signature}) grid {grid} warps 4 {{
{body}
  tile.return
}}
func.func @main({signature}) attributes {{tile.entry, tile.num_inputs = {inputs} : i64}} {{
  tile.launch @k {ins} {outs}
  return
}}
"""


def index(name, value):
    return f"  %{name} = arith.constant {value} : index\n"


@pytest.mark.parametrize("offsets", [(0, 0), (-2, 3), (5, -100), (2**40, 0), (-2**62, 1), (6, 10)])
@pytest.mark.parametrize("steps", [(1, 1), (2, 3)])
def test_load_offsets(tmp_path, random, offsets, steps):
    x = normal(random, 7, 12)
    mask = random.random((5, 6)) < 0.7
    body = index("i", offsets[0]) + index("j", offsets[1]) + index("c0", 0) + f"""
  %fill = arith.constant 7.0 : f32
  %m = tile.load %mask[%c0, %c0] : !tile.view<5x6xi1> -> tensor<5x6xi1>
  %v = tile.load %x[%i, %j] fill %fill : f32 mask %m : tensor<5x6xi1>
      {{steps = array<i64: {steps[0]}, {steps[1]}>}} : !tile.view<7x12xf32> -> tensor<5x6xf32>
  tile.store %v, %y[%c0, %c0] : tensor<5x6xf32>, !tile.view<5x6xf32>"""
    views = {"x": "7x12xf32", "mask": "5x6xi1", "y": "5x6xf32"}
    (y,) = run(program(body, views, 2), tmp_path, x, mask)
    expected = numpy.full((5, 6), 7, numpy.float32)
    for a in range(5):
        for b in range(6):
            i, j = offsets[0] + a * steps[0], offsets[1] + b * steps[1]
            if mask[a, b] and 0 <= i < 7 and 0 <= j < 12:
                expected[a, b] = x[i, j]
    assert numpy.array_equal(y.numpy(), expected)


@pytest.mark.parametrize("offsets", [(0, 0), (-2, 3), (4, -5), (2**40, 0)])
def test_store_offsets(tmp_path, random, offsets):
    """A store writes what is inside, and only where the mask is true."""
    x = normal(random, 5, 6)
    mask = random.random((5, 6)) < 0.7
    body = index("i", offsets[0]) + index("j", offsets[1]) + index("c0", 0) + """
  %m = tile.load %mask[%c0, %c0] : !tile.view<5x6xi1> -> tensor<5x6xi1>
  %v = tile.load %x[%c0, %c0] : !tile.view<5x6xf32> -> tensor<5x6xf32>
  %zero = arith.constant dense<0.0> : tensor<7x12xf32>
  tile.store %zero, %y[%c0, %c0] : tensor<7x12xf32>, !tile.view<7x12xf32>
  tile.store %v, %y[%i, %j] mask %m : tensor<5x6xi1> {steps = array<i64: 1, 2>}
      : tensor<5x6xf32>, !tile.view<7x12xf32>"""
    views = {"x": "5x6xf32", "mask": "5x6xi1", "y": "7x12xf32"}
    (y,) = run(program(body, views, 2), tmp_path, x, mask)
    expected = numpy.zeros((7, 12), numpy.float32)
    for a in range(5):
        for b in range(6):
            i, j = offsets[0] + a, offsets[1] + 2 * b
            if mask[a, b] and 0 <= i < 7 and 0 <= j < 12:
                expected[i, j] = x[a, b]
    assert numpy.array_equal(y.numpy(), expected)


@pytest.mark.parametrize("name", TYPES)
def test_copy_of_each_type(tmp_path, random, name):
    x = random.integers(0, 2 if name == "i1" else 100, (3, 50)).astype(TYPES[name])
    body = index("c0", 0) + f"""
  %v = tile.load %x[%c0, %c0] : !tile.view<3x50x{name}> -> tensor<4x64x{name}>
  %t = tile.trans %v [1, 0] : tensor<4x64x{name}> -> tensor<64x4x{name}>
  tile.store %t, %y[%c0, %c0] : tensor<64x4x{name}>, !tile.view<50x3x{name}>"""
    (y,) = run(program(body, {"x": f"3x50x{name}", "y": f"50x3x{name}"}, 1), tmp_path, x)
    assert numpy.array_equal(y.numpy(), x.T)


def rounded(array, precision):
    """f32 values as the multiplicands they become."""
    if precision == "tf32":
        bits = array.view(numpy.uint32)
        bits = (bits + 0xFFF + ((bits >> 13) & 1)) & 0xFFFFE000  # nearest, ties to even
        return wide(bits.astype(numpy.uint32).view(numpy.float32))
    types = {"bf16": torch.bfloat16, "f16": torch.float16, "ieee": torch.float64}
    return torch.from_numpy(array).to(types[precision]).double()


DOTS = {
    "matrix": ("mk,kn->mn", "[1]", "[0]", "", dict(m=19, n=37, k=21)),
    "transposed": ("km,nk->mn", "[0]", "[1]", "", dict(m=8, n=33, k=70)),
    "vector": ("mk,k->m", "[1]", "[0]", "", dict(m=35, k=40)),
    "inner": ("k,k->", "[0]", "[0]", "", dict(k=40)),
    "outer-dims": ("mck,kcxy->mxy", "[1, 2]", "[1, 0]", "", dict(m=5, c=3, k=7, x=4, y=18)),
    "batch": ("bmk,bkn->bmn", "[2]", "[1]", "batch [0] [0]", dict(b=3, m=4, n=17, k=6)),
    "depthwise": ("bk,bkxy->bxy", "[1]", "[1]", "batch [0] [0]", dict(b=3, k=1, x=6, y=20)),
    "batch-last": ("kb,kb->b", "[0]", "[0]", "batch [1] [1]", dict(b=21, k=6)),
    "long": ("mk,kn->mn", "[1]", "[0]", "", dict(m=3, n=16, k=517)),
}


@pytest.mark.parametrize("precision", ["ieee", "tf32", "bf16", "f16"])
@pytest.mark.parametrize("name", DOTS)
def test_dot(tmp_path, random, name, precision):
    equation, lhs_dims, rhs_dims, batch, extents = DOTS[name]
    operands, result = equation.split("->")
    left, right = operands.split(",")
    shapes = [[extents[c] for c in dims] for dims in (left, right, result)]
    text = ["x".join([*map(str, shape), "f32"]) for shape in shapes]
    a, b = normal(random, *shapes[0]), normal(random, *shapes[1])
    zeros = [", ".join(["%c0"] * len(shape)) for shape in shapes]
    body = index("c0", 0) + f"""
  %a = tile.load %x[{zeros[0]}] : !tile.view<{text[0]}> -> tensor<{text[0]}>
  %b = tile.load %y[{zeros[1]}] : !tile.view<{text[1]}> -> tensor<{text[1]}>
  %acc = arith.constant dense<1.0> : tensor<{text[2]}>
  %r = tile.dot %a, %b, %acc lhs_contract {lhs_dims} rhs_contract {rhs_dims} {batch}
      {{precision = #tile<precision {precision}>}}
      : tensor<{text[0]}>, tensor<{text[1]}> -> tensor<{text[2]}>
  tile.store %r, %z[{zeros[2]}] : tensor<{text[2]}>, !tile.view<{text[2]}>"""
    views = {"x": text[0], "y": text[1], "z": text[2]}
    (z,) = run(program(body, views, 2), tmp_path, a, b)
    a, b = rounded(a, precision), rounded(b, precision)
    error = (z.double() - torch.einsum(equation, a, b) - 1).norm()
    # Of what is added up: a single sum may cancel to nearly nothing.
    assert error <= 2e-7 * (torch.einsum(equation, a.abs(), b.abs()) + 1).norm()


@pytest.mark.parametrize("dims", ["0", "1", "2", "0, 1", "1, 2", "0, 2", "0, 1, 2"])
@pytest.mark.parametrize("shape", [(3, 4, 48), (2, 5, 31), (1, 1, 64)])
def test_reduce(tmp_path, random, shape, dims):
    """A sum, and a combiner that no neutral value is known of."""
    x = normal(random, *shape)
    axes = tuple(map(int, dims.split(",")))
    small = [1 if i in axes else n for i, n in enumerate(shape)]
    full, out = "x".join(map(str, shape)) + "xf32", "x".join(map(str, small)) + "xf32"
    body = index("c0", 0) + f"""
  %v = tile.load %x[%c0, %c0, %c0] : !tile.view<{full}> -> tensor<{full}>
  %s = tile.reduce (%v) dims [{dims}] : (tensor<{full}>) -> (tensor<{out}>) {{
  ^bb0(%a: f32, %b: f32):
    %r = arith.addf %a, %b : f32
    tile.yield %r : f32
  }}
  tile.store %s, %y[%c0, %c0, %c0] : tensor<{out}>, !tile.view<{out}>
  %m = tile.reduce (%v) dims [{dims}] : (tensor<{full}>) -> (tensor<{out}>) {{
  ^bb0(%a: f32, %b: f32):
    %x2 = math.absf %a : f32
    %y2 = math.absf %b : f32
    %c = arith.cmpf ogt, %x2, %y2 : f32
    %r = arith.select %c, %a, %b : f32
    tile.yield %r : f32
  }}
  tile.store %m, %z[%c0, %c0, %c0] : tensor<{out}>, !tile.view<{out}>"""
    y, z = run(program(body, {"x": full, "y": out, "z": out}, 1), tmp_path, x)
    expected = wide(x).sum(axes, keepdim=True)
    assert (y.double() - expected).abs().max() <= 1e-5
    assert torch.equal(z.abs(), torch.from_numpy(x).abs().amax(axes, keepdim=True))


def test_bfloat16(tmp_path, random):
    """bf16 arithmetic rounds after every op; bf16 files are f32."""
    x = torch.from_numpy(normal(random, 100)).bfloat16()
    body = index("c0", 0) + """
  %v = tile.load %x[%c0] : !tile.view<100xbf16> -> tensor<128xbf16>
  %w = arith.mulf %v, %v : tensor<128xbf16>
  %t = arith.addf %w, %v : tensor<128xbf16>
  %e = math.exp %t : tensor<128xbf16>
  tile.store %e, %y[%c0] : tensor<128xbf16>, !tile.view<100xbf16>"""
    (y,) = run(program(body, {"x": "100xbf16", "y": "100xbf16"}, 1), tmp_path, x.float().numpy())
    assert torch.equal(y.bfloat16(), (x * x + x).exp())


def test_windows(tmp_path, random):
    """Strided windows are read and written by value."""
    x = normal(random, 6, 9)
    body = index("c0", 0) + """
  %v = tile.load %x[%c0, %c0] : !tile.view<6x9xf32> -> tensor<6x9xf32>
  %w = tile.window %v [1, 2] strides [2, 3] : tensor<6x9xf32> -> tensor<2x2xf32>
  %d = arith.addf %w, %w : tensor<2x2xf32>
  %r = tile.insert_window %d into %v [0, 0] strides [3, 4] : tensor<2x2xf32> into tensor<6x9xf32>
  %s = arith.subf %r, %v : tensor<6x9xf32>
  tile.store %r, %y[%c0, %c0] : tensor<6x9xf32>, !tile.view<6x9xf32>
  tile.store %s, %z[%c0, %c0] : tensor<6x9xf32>, !tile.view<6x9xf32>"""
    views = {"x": "6x9xf32", "y": "6x9xf32", "z": "6x9xf32"}
    y, z = run(program(body, views, 1), tmp_path, x)
    expected = x.copy()
    expected[0:4:3, 0:5:4] = 2 * x[1:4:2, 2:6:3]
    assert numpy.array_equal(y.numpy(), expected)
    assert numpy.array_equal(z.numpy(), expected - x)


def test_loops_carry_blocks(tmp_path, random):
    """Carried blocks may change places, and a while loop may carry them."""
    x = normal(random, 4, 8)
    body = index("c0", 0) + index("c1", 1) + index("c5", 5) + """
  %v = tile.load %x[%c0, %c0] : !tile.view<4x8xf32> -> tensor<4x8xf32>
  %w = arith.negf %v : tensor<4x8xf32>
  %a, %b = scf.for %i = %c0 to %c5 step %c1 iter_args(%p = %v, %q = %w)
      -> (tensor<4x8xf32>, tensor<4x8xf32>) {
    %s = arith.addf %p, %v : tensor<4x8xf32>
    scf.yield %q, %s : tensor<4x8xf32>, tensor<4x8xf32>
  }
  %r, %n = scf.while (%p = %b, %i = %c0) : (tensor<4x8xf32>, index) -> (tensor<4x8xf32>, index) {
    %c = arith.cmpi slt, %i, %c5 : index
    scf.condition(%c) %p, %i : tensor<4x8xf32>, index
  } do {
  ^bb0(%p: tensor<4x8xf32>, %i: index):
    %t = tile.trans %p [1, 0] : tensor<4x8xf32> -> tensor<8x4xf32>
    %u = tile.reshape %t : tensor<8x4xf32> -> tensor<4x8xf32>
    %j = arith.addi %i, %c1 : index
    scf.yield %u, %j : tensor<4x8xf32>, index
  }
  tile.store %a, %y[%c0, %c0] : tensor<4x8xf32>, !tile.view<4x8xf32>
  tile.store %r, %z[%c0, %c0] : tensor<4x8xf32>, !tile.view<4x8xf32>"""
    y, z = run(program(body, {"x": "4x8xf32", "y": "4x8xf32", "z": "4x8xf32"}, 1), tmp_path, x)
    a, b = x, -x
    for _ in range(5):
        a, b = b, a + x
    for _ in range(5):
        b = b.T.reshape(4, 8)
    assert numpy.array_equal(y.numpy(), a)
    assert numpy.array_equal(z.numpy(), b)


def test_assert_and_print(tmp_path):
    """A false assertion is the run's error; what was printed is on stderr."""
    body = index("c0", 0) + """
  %v = tile.load %x[%c0] : !tile.view<3xi32> -> tensor<3xi32>
  tile.debug_print "v = ", %v : tensor<3xi32>
  %three = arith.constant dense<3> : tensor<3xi32>
  %ok = arith.cmpi slt, %v, %three : tensor<3xi32>
  tile.assert %ok, "all below 3" : tensor<3xi1>
  tile.store %v, %y[%c0] : tensor<3xi32>, !tile.view<3xi32>"""
    text = program(body, {"x": "3xi32", "y": "3xi32"}, 1)
    (y,) = run(text, tmp_path, numpy.array([0, 1, 2], numpy.int32))
    assert y.tolist() == [0, 1, 2]
    with pytest.raises(AssertionError, match="(?s)v = .0, 5, 2.*all below 3"):
        run(text, tmp_path, numpy.array([0, 5, 2], numpy.int32))
