"""Tables of graphs per op family: boundary shapes first.

Sizes 1, primes, one off a block; strides 1-3, paddings, dilations, groups; windows
that overlap or do not divide; NaN, infinities and ties; f16, bf16 and f64 elements.
`CASES[family]` is a list of (name, function that builds a Graph).
"""

import math

import torch

from graphs import (BINARY, LOGICAL, PARAMETRIC, PREDICATES, UNARY, Graph)

INF, NAN = float("inf"), float("nan")
SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, INF, -INF, NAN, 1e-40, -1e-40, 1e-20, 3e38,
           -3e38, 88.0, -88.0, 104.0, -104.0, 20.0, -20.0, 3.0, -3.0, 1e-7, -1e-7, 6.0,
           0.3, -0.7, 2.5, 1.5, -2.5, 9.0, -9.0, 4.0, -4.0, 100.0, 1e4, 12.25]
CASES = {}


def family(name):
    def register(function):
        CASES.setdefault(name, []).extend(function())
        return function
    return register


def case(name, build):
    def make():
        g = Graph()
        results = build(g)
        return g.result(*(results if isinstance(results, (list, tuple)) else [results]))
    return name, make


def spread(g, shape, dtype="f32", scale=1.5):
    return g.input("x", shape, dtype, scale=scale)


# Pointwise ---------------------------------------------------------------------

def apply_unary(g, name, x):
    """The function on a domain where it is defined and tame."""
    if name in ("log", "log2", "sqrt", "rsqrt"):
        x = g.unary("abs", x)
    if name in ("log1p",):
        x = g.unary("abs", x)
    return g.unary(name, x)


@family("pointwise")
def unary_random():
    names = list(UNARY)
    groups = [names[i:i + 8] for i in range(0, len(names), 8)]
    for i, group in enumerate(groups):
        for shape in ((1,), (3, 5, 7)):
            yield case(f"unary{i}-{shape}", lambda g, group=group, shape=shape: [
                apply_unary(g, name, x) for x in [spread(g, shape)] for name in group])


@family("pointwise")
def unary_special():
    """Every function at NaN, infinities, zeros, denormals and large values."""
    # One result each: an overflow in one function must not hide another.
    names = list(UNARY)
    for group in (names[i:i + 10] for i in range(0, len(names), 10)):
        yield case("special-" + group[0], lambda g, group=group: [
            g.unary(name, x) for x in [g.input("x", (len(SPECIAL),), values=SPECIAL)]
            for name in group])


@family("pointwise")
def parametric():
    for special in (False, True):
        def build(g, special=special):
            x = (g.input("x", (len(SPECIAL),), values=SPECIAL) if special
                 else spread(g, (4, 9, 5)))
            return [g.unary(name, x, text, function) for name, text, function in PARAMETRIC]
        yield case(f"parametric-{special}", build)


@family("pointwise")
def exact_pieces():
    """Pieces on which a function is its argument, exactly; what is left shows any rounding."""
    yield case("exact-pieces", lambda g: [
        g.binary("sub", g.unary(name, x), x) for x in [g.input("x", (999,), low=3.0, scale=300.0)]
        for name in ("hardswish", "relu", "abs")])


@family("pointwise")
def element_types():
    for dtype in ("f16", "bf16", "f64"):
        def build(g, dtype=dtype):
            x = spread(g, (2, 3, 19), dtype)
            y = g.input("y", (19,), dtype)
            h = g.unary("gelu", g.binary("add", x, y), "", PARAMETRIC[6][2])
            return [h, g.unary("tanh", g.binary("mul", h, y)), g.unary("sigmoid", x),
                    g.unary("exp", x), g.cast(x, "f32"), g.unary("relu", x)]
        yield case(f"types-{dtype}", build)


@family("pointwise")
def binary_broadcast():
    shapes = [((4, 5), (4, 5)), ((4, 5), (5,)), ((4, 5), ()), ((), (3,)), ((7, 1, 5), (6, 1)),
              ((1,), (1,)), ((2, 1, 3, 1), (4, 1, 33)), ((64, 1, 1), (2, 64, 3, 5))]
    for i, (a, b) in enumerate(shapes):
        def build(g, a=a, b=b, i=i):
            x = g.input("x", a)
            # Away from zero: divisors and bases.
            y = g.input("y", b, low=0.5, scale=1.5)
            results = [g.binary(name, x, y) for name in
                       ("add", "sub", "mul", "div", "maximum", "minimum", "atan2")]
            return results + [g.binary("pow", g.unary("abs", x), y), g.binary("remainder", x, y)]
        yield case(f"binary-{a}-{b}", build)


@family("pointwise")
def binary_special():
    # tuple of all pairs, NaN among them
    values = [0.0, -0.0, 1.0, -2.0, INF, -INF, NAN, 3.0, 0.5]

    def build(g):
        x = g.input("x", (len(values), 1), values=values)
        y = g.input("y", (len(values),), values=values)
        results = [g.binary(name, x, y) for name in
                   ("add", "sub", "mul", "div", "maximum", "minimum", "pow", "atan2")]
        return results + [g.compare(p, x, y) for p in PREDICATES] + [g.isnan(x)]
    yield case("binary-special", build)


@family("pointwise")
def integers():
    for dtype in ("i8", "i32", "i64"):
        def build(g, dtype=dtype):
            x = g.input("x", (5, 7), dtype)
            y = g.input("y", (7,), dtype)
            results = [g.binary(name, x, y) for name in
                       ("add", "sub", "mul", "div", "maximum", "minimum", "and", "or", "xor")]
            results += [g.unary("neg", x), g.unary("abs", x), g.unary("sign", x),
                        g.unary("square", x),
                        g.unary("not", x, "", torch.bitwise_not)]
            return results + [g.cast(x, "f32"), g.cast(x, "i1"), g.cast(g.compare("lt", x, y),
                                                                        dtype)]
        yield case(f"integers-{dtype}", build)


@family("pointwise")
def booleans():
    def build(g):
        m, n = g.input("m", (6, 5), "i1"), g.input("n", (5,), "i1")
        x = g.input("x", (6, 5))
        both = g.binary("and", m, n)
        zero = g.constant(0.0)
        return [both, g.binary("or", m, n), g.binary("xor", m, n),
                g.unary("not", m, "", torch.logical_not), g.select(both, x, zero),
                g.select(g.compare("gt", x, zero), x, g.unary("exp", x)), g.cast(m, "f32")]
    yield case("booleans", build)


@family("pointwise")
def casts():
    def build(g):
        x = g.input("x", (9,), values=[0.0, 1.7, -1.7, 100.0, -3.5, 2.5, 0.2, 7.0, -0.0])
        return [g.cast(x, t) for t in ("f16", "bf16", "f64", "i8", "i32", "i64", "i1")]
    yield case("casts", build)


# Shape ops -----------------------------------------------------------------------

@family("shape")
def moves():
    yield case("transpose", lambda g: [g.transpose(x, p) for x in [spread(g, (3, 5, 2, 7))]
                                       for p in ((3, 1, 0, 2), (0, 1, 3, 2), (1, 0, 2, 3))])
    yield case("reshape", lambda g: [g.reshape(x, s) for x in [spread(g, (4, 6, 5))]
                                     for s in ((24, 5), (4, 30), (2, 2, 3, 2, 5), (120,),
                                               (4, 1, 6, 5, 1), (8, 15))])
    yield case("broadcast", lambda g: [g.broadcast(x, s) for x in [spread(g, (5, 1))]
                                       for s in ((5, 7), (3, 5, 1), (2, 3, 5, 33))])
    yield case("slice", lambda g: [
        g.slice(x, (0, 2), (4, 3), (1, 2)) if i == 0 else g.slice(x, (5, 0), (2, 9), (3, 1))
        for x in [spread(g, (11, 9))] for i in (0, 1)])
    yield case("pad", lambda g: [g.pad(x, (0, 1), (2, 3), 1.5) if i == 0 else
                                 g.pad(x, (1, 0), (0, 2), -INF if i == 2 else 0.0, (1, 2))
                                 for x in [spread(g, (4, 5))] for i in (0, 1, 2)])
    yield case("iota", lambda g: [g.iota((3, 5), 0), g.iota((3, 5), 1, "f32"),
                                  g.iota((2, 3, 4), 2, "i32")])

    def build(g):
        a, b, c = g.input("a", (3, 2)), g.input("b", (3, 5)), g.input("c", (3, 1))
        return [g.concat([a, b, c], 1), g.unary("tanh", g.concat([b, b], 0)), g.concat([c], 1)]
    yield case("concat", build)
    def constants(g):
        x = spread(g, (2, 3))
        g.input("unused", (5,))
        table = g.elements([[1.0, -2.5, 3.0], [0.5, 1e-3, 7.0]], (2, 3))
        places = g.elements([3, -1, 2], (3,), "i32")
        scaled = g.binary("mul", x, table)
        return [scaled, scaled, table, x, g.cast(places, "f32"),
                g.binary("add", x, g.cast(places, "f32"))]
    yield case("constants", constants)
    yield case("identity", lambda g: [x for x in [spread(g, (3, 4))]] + [g.constant(2.5)])

    # Tiles of the product are larger than the dims of extent 1 that the reshapes add.
    def column(g):
        x, w = g.input("x", (9,)), g.input("w", (17, 1))
        padded = g.pad(g.reshape(g.unary("neg", x), (9, 1)), (2, 2), (0, 0))
        return [g.matmul(g.reshape(g.unary("exp", x), (9, 1)), w, transpose_b=True),
                g.matmul(padded, g.input("v", (3, 16)))]
    yield case("columns", column)

    def chain(g):
        x = spread(g, (2, 6, 10))
        y = g.unary("tanh", g.transpose(g.slice(x, (0, 1, 0), (2, 4, 5), (1, 1, 2)), (0, 2, 1)))
        return g.binary("add", g.reshape(y, (2, 20)), g.pad(
            g.reshape(g.slice(x, (0, 0, 0), (2, 1, 10), (1, 1, 1)), (2, 10)), (0, 5), (0, 5)))
    yield case("chain", chain)


# Contractions ----------------------------------------------------------------------

def conv(n, ci, h, w, co, r, s, dtype="f32", **keywords):
    def build(g):
        groups = keywords.get("groups", 1)
        x = g.input("x", (n, ci, h, w), dtype, low=0.0)
        f = g.input("w", (co, ci // groups, r, s), dtype, scale=1 / math.sqrt(ci * r * s))
        return g.conv2d(x, f, **keywords)
    label = "-".join(f"{k}{v}" for k, v in keywords.items()).replace(" ", "")
    return case(f"conv-{n}x{ci}x{h}x{w}-{co}x{r}x{s}-{dtype}-{label}", build)


@family("conv")
def convolutions():
    yield conv(1, 1, 1, 1, 1, 1, 1)
    yield conv(1, 1, 3, 3, 1, 3, 3)
    yield conv(2, 3, 7, 11, 5, 3, 3)
    yield conv(1, 8, 18, 34, 16, 3, 3)
    yield conv(1, 4, 9, 33, 7, 3, 3, padding=(1, 1))
    yield conv(1, 2, 40, 42, 3, 30, 31)
    yield conv(2, 4, 11, 13, 8, 3, 3, stride=(2, 2), padding=(1, 1))
    yield conv(2, 4, 16, 17, 3, 5, 2, stride=(3, 2), padding=(2, 0))
    yield conv(1, 3, 17, 19, 4, 3, 3, dilation=(2, 3), padding=(2, 3))
    yield conv(2, 6, 9, 9, 9, 3, 3, groups=3)
    yield conv(2, 7, 8, 10, 7, 3, 3, groups=7, padding=(1, 1))
    yield conv(1, 4, 8, 8, 8, 3, 3, groups=4, stride=(2, 1))
    yield conv(3, 5, 6, 6, 17, 1, 1)
    yield conv(1, 2, 20, 20, 3, 7, 7, stride=(2, 2), padding=(3, 3))
    yield conv(2, 3, 8, 9, 4, 3, 3, precision="f32")
    yield conv(2, 3, 8, 9, 4, 3, 3, precision="bf16")
    yield conv(2, 3, 8, 9, 4, 3, 3, precision="f16")
    yield conv(1, 3, 8, 9, 4, 3, 3, dtype="f64")
    yield conv(1, 3, 8, 9, 4, 3, 3, dtype="f16")
    yield conv(1, 3, 8, 9, 4, 3, 3, dtype="bf16")
    yield conv(1, 2, 5, 3, 2, 5, 3)

    def shared(g):
        x = g.input("x", (2, 3, 9, 10), low=0.0)
        v = g.input("v", (4, 3, 3, 3), scale=0.2)
        w = g.input("w", (4, 3, 1, 1), scale=0.5)
        b = g.input("b", (4,))
        a = g.conv2d(x, v, padding=(1, 1))
        z = g.binary("add", a, g.conv2d(x, w))
        return g.unary("relu", g.binary("add", z, g.reshape(b, (4, 1, 1))))
    yield case("sum-of-two", shared)


def conv_transpose(n, ci, h, w, co, r, s, dtype="f32", **keywords):
    def build(g):
        groups = keywords.get("groups", 1)
        x = g.input("x", (n, ci, h, w), dtype, low=0.0)
        f = g.input("w", (ci, co // groups, r, s), dtype, scale=1 / math.sqrt(ci * r * s))
        return g.conv_transpose2d(x, f, **keywords)
    label = "-".join(f"{k}{v}" for k, v in keywords.items()).replace(" ", "")
    return case(f"convt-{n}x{ci}x{h}x{w}-{co}x{r}x{s}-{dtype}-{label}", build)


@family("conv_transpose")
def transposed_convolutions():
    yield conv_transpose(1, 1, 1, 1, 1, 1, 1)
    yield conv_transpose(2, 3, 5, 7, 4, 3, 3)
    yield conv_transpose(1, 3, 7, 3, 3, 4, 1, groups=3, padding=(5, 0), output_padding=(1, 1),
                         dilation=(2, 2))
    yield conv_transpose(2, 4, 6, 17, 8, 4, 4, stride=(2, 2), padding=(1, 1))
    yield conv_transpose(1, 4, 5, 6, 8, 4, 4, stride=(2, 2), padding=(1, 1),
                         output_padding=(1, 1))
    yield conv_transpose(1, 3, 4, 5, 2, 5, 5, stride=(3, 3), padding=(2, 2),
                         output_padding=(1, 1))
    yield conv_transpose(1, 3, 6, 5, 2, 3, 2, stride=(2, 3), dilation=(2, 1))
    yield conv_transpose(1, 3, 3, 4, 2, 12, 11, stride=(9, 10), padding=(1, 0))
    yield conv_transpose(1, 2, 1, 5, 3, 1, 4, stride=(1, 90), dilation=(1, 60))
    yield conv_transpose(1, 2, 3, 3, 3, 34, 36, stride=(2, 2))
    yield conv_transpose(2, 6, 4, 4, 9, 3, 3, groups=3, stride=(2, 2))
    yield conv_transpose(1, 5, 4, 4, 5, 3, 3, groups=5, padding=(1, 1))
    yield conv_transpose(1, 2, 3, 3, 2, 2, 2, stride=(3, 3))
    yield conv_transpose(1, 2, 4, 5, 3, 3, 3, dtype="f64", stride=(2, 2))
    yield conv_transpose(1, 2, 4, 5, 3, 3, 3, dtype="f16", stride=(2, 1))


def weight_grad(n, ci, h, w, co, kernel, dtype="f32", **keywords):
    def build(g):
        x = g.input("x", (n, ci, h, w), dtype, low=0.0)
        stride = keywords.get("stride", (1, 1))
        padding = keywords.get("padding", (0, 0))
        dilation = keywords.get("dilation", (1, 1))
        size = [(e + 2 * p - d * (k - 1) - 1) // t + 1 for e, p, d, k, t in
                zip((h, w), padding, dilation, kernel, stride)]
        dy = g.input("dy", (n, co, *size), dtype)
        return g.conv2d_weight_grad(x, dy, kernel, **keywords)
    label = "-".join(f"{k}{v}" for k, v in keywords.items()).replace(" ", "")
    return case(f"wgrad-{n}x{ci}x{h}x{w}-{co}-{kernel}-{dtype}-{label}", build)


@family("weight_grad")
def weight_gradients():
    yield weight_grad(1, 1, 1, 1, 1, (1, 1))
    yield weight_grad(2, 3, 9, 10, 4, (3, 3))
    yield weight_grad(3, 5, 8, 17, 7, (3, 2), padding=(1, 1), stride=(2, 1))
    yield weight_grad(2, 4, 9, 11, 6, (3, 3), groups=2, dilation=(2, 1))
    yield weight_grad(2, 3, 7, 7, 3, (3, 3), groups=3, padding=(1, 1))
    yield weight_grad(2, 2, 10, 8, 3, (3, 3), dtype="f64", stride=(3, 2))


def matmul(a, b, dtype="f32", **keywords):
    def build(g):
        x = g.input("x", a, dtype, low=0.0)
        y = g.input("y", b, dtype, scale=0.2)
        return g.matmul(x, y, **keywords)
    label = "-".join(f"{k}{v}" for k, v in keywords.items())
    return case(f"matmul-{a}-{b}-{dtype}-{label}".replace(" ", ""), build)


@family("matmul")
def products():
    yield matmul((1, 1), (1, 1))
    yield matmul((5, 7), (7, 3))
    yield matmul((33, 65), (65, 31))
    yield matmul((64, 64), (64, 64))
    yield matmul((17, 130), (19, 130), transpose_b=True)
    yield matmul((31, 17), (31, 23), transpose_a=True)
    yield matmul((9, 5), (11, 9), transpose_a=True, transpose_b=True)
    yield matmul((3, 4, 5), (3, 5, 6))
    yield matmul((2, 3, 4, 5), (3, 5, 6))
    yield matmul((2, 1, 4, 5), (3, 5, 6))
    yield matmul((4, 5), (3, 6, 5), transpose_b=True)
    yield matmul((1, 257), (257, 1))
    yield matmul((13, 29), (29, 37), precision="tf32")
    yield matmul((13, 29), (29, 37), precision="bf16")
    yield matmul((13, 29), (29, 37), dtype="f64")
    yield matmul((13, 29), (29, 37), dtype="f16")
    yield matmul((13, 29), (29, 37), dtype="bf16")


# Reductions ------------------------------------------------------------------------

@family("reduce")
def reductions():
    for kind in ("sum", "max", "min", "prod", "moments"):
        def build(g, kind=kind):
            x = g.input("x", (3, 5, 7, 9), low=0.6, scale=0.7)
            made = []
            for dims, keep in (((1,), False), ((0, 2, 3), True), ((3,), True), ((0, 1), False)):
                out = g.reduce(kind, x, dims, keep)
                made += out if isinstance(out, list) else [out]
            return made
        yield case(f"reduce-{kind}", build)
    # Taps around a kept dim of one element: none of them reads it.
    yield case("padding-only", lambda g: g.conv2d(
        g.reduce("sum", g.input("x", (2, 3, 4, 5)), (0, 2), True),
        g.input("w", (4, 3, 2, 1)), padding=(1, 0), dilation=(2, 1)))
    yield case("argmax", lambda g: [g.reduce("argmax", x, dims) for x in [spread(g, (4, 6, 5))]
                                    for dims in ((1,), (2,), (0, 2), (0, 1, 2))])
    yield case("ones", lambda g: [g.reduce(kind, x, (0, 2)) for x in [spread(g, (1, 3, 1))]
                                  for kind in ("sum", "max", "prod", "argmax")])
    # Of one sign: a single sum that cancels says nothing of how it was made.
    yield case("everything", lambda g: [g.reduce("sum", x, (0, 1)) for x in
                                        [g.input("x", (67, 131), low=0.0)]])
    yield case("folds", lambda g: [g.fold(name, x, dims, keep) for x in [spread(g, (3, 7, 5))]
                                   for name in ("mean", "logsumexp")
                                   for dims, keep in (((1,), False), ((0, 2), True))])
    ties = [1.0, 3.0, 3.0, -INF, NAN, 2.0, NAN, 3.0, -INF, -INF, -INF, -INF, INF, 1.0, INF, 0.0]

    def special(g):
        x = g.input("x", (4, 4), values=ties)
        return [g.reduce(kind, x, (1,)) for kind in ("max", "min", "argmax", "sum")] + [
            g.fold("logsumexp", x, (1,))]
    yield case("special", special)
    for dtype in ("i8", "i32", "i64"):
        yield case(f"integers-{dtype}", lambda g, dtype=dtype: [
            g.reduce(kind, x, (0,)) for x in [g.input("x", (5, 6), dtype)]
            for kind in ("max", "min", "argmax", "sum")])
    for dtype in ("f16", "bf16", "f64"):
        yield case(f"types-{dtype}", lambda g, dtype=dtype: [
            g.reduce(kind, x, (1,)) for x in [g.input("x", (5, 33), dtype, low=0.0)]
            for kind in ("max", "sum")] + [g.fold("mean", x, (0,)) for x in
                                           [g.input("y", (7, 6), dtype)]])


# Windows ---------------------------------------------------------------------------

@family("window")
def pools():
    for i, keywords in enumerate([
            dict(kernel=(2, 2)), dict(kernel=(4, 4)), dict(kernel=(3, 3), stride=(2, 2)),
            dict(kernel=(3, 3), stride=(2, 2), padding=(1, 1)),
            dict(kernel=(3, 2), stride=(1, 3)), dict(kernel=(1, 1)),
            dict(kernel=(3, 3), stride=(1, 1), padding=(1, 1), dilation=(2, 2)),
            dict(kernel=(3, 3), stride=(2, 2), ceil_mode=True),
            dict(kernel=(2, 5), stride=(2, 3), padding=(0, 2), ceil_mode=True)]):
        yield case(f"max-{i}", lambda g, k=keywords: g.max_pool2d(
            spread(g, (2, 3, 11, 14)), **k))
    for i, keywords in enumerate([
            dict(kernel=(2, 2)), dict(kernel=(4, 4)), dict(kernel=(3, 3), stride=(2, 2)),
            dict(kernel=(3, 3), stride=(2, 2), padding=(1, 1)),
            dict(kernel=(3, 3), stride=(2, 2), padding=(1, 1), count_include_pad=False),
            dict(kernel=(3, 3), stride=(2, 2), ceil_mode=True),
            dict(kernel=(3, 3), stride=(2, 2), padding=(1, 1), ceil_mode=True)]):
        yield case(f"avg-{i}", lambda g, k=keywords: g.avg_pool2d(
            spread(g, (2, 3, 11, 14)), **k))
    ties = [1.0, 1.0, 2.0, 2.0, NAN, 0.0, -INF, -INF, 1.0, 1.0, NAN, 5.0, -INF, -INF, -INF, -INF,
            INF, 3.0, -1.0, -1.0, 3.0, INF, -1.0, -1.0]
    yield case("special", lambda g: [g.max_pool2d(x, (2, 2)) for x in
                                     [g.input("x", (1, 6, 4), values=ties)]])

    def windows(g):
        x = spread(g, (3, 4, 9, 10))
        best, where = g.window_reduce("max", x, (3, 3), (2, 2), (1, 0), (0, 1), argmax="i8")
        return [best, where, g.window_reduce("min", x, (2, 2)),
                g.window_reduce("sum", x, (3,), (1,), (1,), (1,)),
                g.window_reduce("sum", x, (2, 2, 2), (1, 2, 2)),
                *g.window_reduce("min", x, (2, 3), (2, 3), dilation=(2, 1), argmax="i32")]
    yield case("window", windows)

    for i, keywords in enumerate([
            dict(window=(2, 2), stride=(2, 2)), dict(window=(3, 3), stride=(1, 1)),
            dict(window=(3, 2), stride=(2, 3), low=(1, 0), high=(0, 1)),
            dict(window=(2, 3), stride=(3, 1), dilation=(2, 2)), dict(window=(1, 1))]):
        def gradients(g, k=keywords, i=i):
            x = spread(g, (2, 3, 9, 11))
            best, where = g.window_reduce("max", x, argmax="i8" if i % 2 else "i32", **k)
            dy = g.input("dy", best.shape)
            return [g.window_grad(dy, (9, 11), **k), g.window_grad(dy, (9, 11), argmax=where, **k)]
        yield case(f"gradient-{i}", gradients)

    # More residue classes than are laid out one by one.
    for i, (size, keywords) in enumerate([
            ((1500,), dict(window=(500,), stride=(500,))),
            ((700,), dict(window=(150,), stride=(70,))),
            ((700,), dict(window=(20,), stride=(90,), low=(5,))),
            ((900,), dict(window=(50,), stride=(90,), dilation=(6,))),
            ((400,), dict(window=(3,), stride=(100,), dilation=(100,))),
            ((500,), dict(window=(1,), stride=(80,))),
            ((48, 60), dict(window=(12, 12), stride=(12, 12))),
            ((40, 36), dict(window=(15, 10), stride=(10, 9), low=(1, 2))),
            ((200,), dict(window=(150,), stride=(2,)))]):
        def strided(g, k=keywords, size=size):
            x = spread(g, (2, 3) + size)
            best, where = g.window_reduce("max", x, argmax="i32", **k)
            dy = g.input("dy", best.shape)
            return [g.window_grad(dy, size, **k), g.window_grad(dy, size, argmax=where, **k)]
        yield case(f"strided-{i}", strided)

    def after_conv(g):
        x = g.input("x", (2, 3, 14, 19), low=0.0)
        w = g.input("w", (4, 3, 3, 3), scale=0.2)
        b = g.input("b", (4, 1, 1))
        y = g.unary("tanh", g.binary("add", g.conv2d(x, w), b))
        return g.max_pool2d(y, (4, 4))
    yield case("after-conv", after_conv)

    def negative_scale(g):
        x = spread(g, (2, 3, 9, 9))
        return g.max_pool2d(g.binary("mul", g.unary("tanh", x), g.constant(-1.5)), (3, 3))
    yield case("decreasing", negative_scale)


# Normalisations ----------------------------------------------------------------------

def norm_inputs(g, c, dtype="f32"):
    return [g.input("gamma", (c,), dtype, low=0.5), g.input("beta", (c,), dtype),
            g.input("mean", (c,), dtype), g.input("var", (c,), dtype, low=0.5)]


@family("norm")
def normalisations():
    for shape in ((2, 1, 1, 1), (4, 3, 5, 7), (2, 5, 17, 33), (37, 6), (2, 3, 9)):
        def build(g, shape=shape):
            x = spread(g, shape)
            return g.batch_norm(x, *norm_inputs(g, shape[1]))
        yield case(f"batch-{shape}", build)
    yield case("batch-offset", lambda g: g.batch_norm(
        g.input("x", (4, 3, 8, 8), low=100.0), *norm_inputs(g, 3)))
    yield case("batch-inference", lambda g: g.batch_norm_inference(
        spread(g, (3, 4, 5, 6)), *norm_inputs(g, 4)))
    yield case("batch-momentum", lambda g: g.batch_norm(
        spread(g, (3, 4, 5)), *norm_inputs(g, 4), eps=1e-3, momentum=0.7))
    for dtype in ("f64", "f16"):
        yield case(f"batch-{dtype}", lambda g, dtype=dtype: g.batch_norm(
            spread(g, (4, 3, 6), dtype), *norm_inputs(g, 3, dtype)))
    for dims, shape in ((1, (7, 33)), (2, (3, 5, 9)), (1, (2, 3, 1)), (3, (2, 3, 4, 5))):
        def build(g, dims=dims, shape=shape):
            tail = shape[len(shape) - dims:]
            x = spread(g, shape)
            return [g.layer_norm(x, dims, g.input("g", tail), g.input("b", tail)),
                    g.layer_norm(x, dims)]
        yield case(f"layer-{dims}-{shape}", build)
    for groups, shape in ((2, (3, 4, 5, 7)), (1, (2, 3, 6)), (6, (2, 6, 3, 5)), (3, (4, 9))):
        def build(g, groups=groups, shape=shape):
            x = spread(g, shape)
            c = shape[1]
            return [g.group_norm(x, groups, g.input("g", (c,)), g.input("b", (c,))),
                    g.group_norm(x, groups)]
        yield case(f"group-{groups}-{shape}", build)


@family("softmax")
def softmaxes():
    for shape, dim in (((5, 7), 1), ((5, 7), 0), ((2, 6, 5, 3), 1), ((2, 6, 5, 33), 3),
                       ((1, 1), 1), ((3, 257), 1), ((2, 3, 4, 5), 2)):
        yield case(f"softmax-{shape}-{dim}", lambda g, s=shape, d=dim: [
            g.softmax(x, d, log) for x in [spread(g, s, scale=3.0)] for log in (False, True)])
    rows = [1.0, 2.0, 2.0, INF, -INF, 0.0, -INF, 1.0, -INF, -INF, -INF, -INF, NAN, 0.0, 1.0, 2.0,
            300.0, -300.0, 300.0, 0.0]
    yield case("special", lambda g: [g.softmax(x, 1, log) for x in
                                     [g.input("x", (5, 4), values=rows)]
                                     for log in (False, True)])
    for dtype in ("f16", "bf16", "f64"):
        yield case(f"types-{dtype}", lambda g, t=dtype: g.softmax(spread(g, (4, 33), t), 1))

    def after_conv(g):
        x = g.input("x", (2, 3, 6, 7), low=0.0)
        w = g.input("w", (3, 9, 4, 4), scale=0.3)
        y = g.conv_transpose2d(x, w, stride=(2, 2), padding=(1, 1), output_padding=(1, 1))
        return g.unary("sigmoid", g.softmax(y, 1))
    yield case("after-conv-transpose", after_conv)


# Whole chains in the families of the examples and beyond --------------------------------

@family("chain")
def chains():
    def attention(g):
        q, k, v = (g.input(n, (2, 9, 8)) for n in "qkv")
        scores = g.binary("mul", g.matmul(q, k, transpose_b=True), g.constant(8 ** -0.5))
        return g.matmul(g.softmax(scores, 2), v)
    yield case("attention", attention)

    def repeated_layers(g):
        x = g.input("x", (2, 5, 24, 24))
        for i in range(4):
            w = g.input(f"w{i}", (5, 5, 3, 3), scale=0.2)
            x = g.softmax(g.conv2d(x, w, padding=(1, 1)), 1)
        return x
    yield case("repeated-layers", repeated_layers)

    def depthwise(g):
        x = g.input("x", (2, 6, 12, 13), low=0.0)
        w = g.input("w", (6, 1, 3, 3), scale=0.3)
        return g.max_pool2d(g.unary("relu", g.conv2d(x, w, groups=6)), (3, 3), (2, 2))
    yield case("depthwise-overlapping-pool", depthwise)

    def linear_layer_norm(g):
        x, w, b = g.input("x", (19, 40), low=0.0), g.input("w", (24, 40), scale=0.1), g.input(
            "b", (24,))
        return g.unary("gelu", g.layer_norm(g.binary("add", g.matmul(x, w, transpose_b=True), b),
                                            1), "", PARAMETRIC[6][2])
    yield case("matmul-layer-norm", linear_layer_norm)

    def dilated_softmax(g):
        x, w = g.input("x", (2, 3, 9, 16), low=0.0), g.input("w", (4, 3, 3, 3), scale=0.2)
        return g.softmax(g.conv2d(x, w, dilation=(2, 2)), 3)
    yield case("dilated-softmax-w", dilated_softmax)

    def residual(g):
        x, w = g.input("x", (2, 5, 7, 8), low=0.0), g.input("w", (5, 5, 3, 3), scale=0.15)
        y, mean, var = g.batch_norm(g.conv2d(x, w, padding=(1, 1)), *norm_inputs(g, 5))
        out = g.unary("relu", g.binary("add", y, x))
        return [out, mean, var, g.fold("mean", out, (2, 3))]
    yield case("residual", residual)

    def mlp(g):
        x = g.input("x", (6, 10), low=0.0)
        v, w = g.input("v", (14, 10), scale=0.3), g.input("w", (3, 14), scale=0.3)
        h = g.unary("silu", g.matmul(x, v, transpose_b=True))
        return [g.matmul(h, w, transpose_b=True), h]
    yield case("two-layers", mlp)


# Extents of several blocks and a ragged one --------------------------------------------------

@family("blocks")
def many_blocks():
    yield conv(2, 16, 42, 75, 33, 3, 3, padding=(1, 1))
    yield conv(1, 40, 30, 35, 70, 3, 3)
    yield conv_transpose(1, 33, 20, 37, 40, 4, 4, stride=(2, 2), padding=(1, 1))
    yield weight_grad(3, 17, 30, 37, 35, (3, 3), padding=(1, 1))
    yield matmul((130, 521), (521, 141))
    yield matmul((2, 70, 300), (2, 90, 300), transpose_b=True)
    # One sum of both signs may all but vanish, and with it PyTorch's error.
    yield case("reduce-long", lambda g: [
        g.reduce(kind, x, dims)
        for x, folds in [(g.input("x", (5, 3, 701), scale=1.0), ((2,),)),
                         (g.input("y", (5, 3, 701), low=0.0), ((0, 2), (0, 1, 2)))]
        for kind in ("sum", "max") for dims in folds])
    yield case("reduce-tall", lambda g: [out for x in [g.input("x", (1031, 67), low=0.0)]
                                         for out in (g.reduce("sum", x, (0,)),
                                                     *g.reduce("moments", x, (0,)))])
    yield case("argmax-long", lambda g: [g.reduce("argmax", x, (1,)) for x in
                                         [spread(g, (9, 1500))]])
    yield case("softmax-long", lambda g: g.softmax(spread(g, (65, 1001)), 1))
    yield case("softmax-tall", lambda g: g.softmax(spread(g, (2, 515, 35)), 1))
    yield case("batch-norm", lambda g: g.batch_norm(spread(g, (5, 37, 23, 41)),
                                                    *norm_inputs(g, 37)))
    yield case("batch-norm-rows", lambda g: g.batch_norm(spread(g, (777, 70)),
                                                         *norm_inputs(g, 70)))
    yield case("layer-norm", lambda g: g.layer_norm(spread(g, (67, 1030)), 1,
                                                    g.input("g", (1030,)), g.input("b", (1030,))))
    yield case("group-norm", lambda g: g.group_norm(spread(g, (3, 12, 33, 35)), 4))
    yield case("pointwise", lambda g: g.unary("gelu", g.binary(
        "add", spread(g, (3, 65, 1025)), g.input("y", (65, 1))), "", PARAMETRIC[6][2]))
    yield case("transpose", lambda g: g.unary("tanh", g.transpose(spread(g, (3, 130, 131)),
                                                                  (2, 0, 1))))
    yield case("pool", lambda g: g.max_pool2d(spread(g, (2, 9, 67, 131)), (3, 3), (2, 2), (1, 1)))
    yield case("mean", lambda g: g.fold("mean", g.unary("relu", spread(g, (3, 70, 33, 37))),
                                        (2, 3)))

    def stem(g):
        x, w = g.input("x", (2, 3, 45, 50), low=0.0), g.input("w", (18, 3, 7, 7), scale=0.08)
        y, mean, var = g.batch_norm(g.conv2d(x, w, (2, 2), (3, 3)), *norm_inputs(g, 18))
        return [g.max_pool2d(g.unary("relu", y), (3, 3), (2, 2), (1, 1)), mean, var]
    yield case("stem", stem)
