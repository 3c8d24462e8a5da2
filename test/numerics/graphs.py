"""Graphs of the fuse dialect with their meaning in PyTorch.

A Graph is built op by op; it prints itself as MLIR text and evaluates itself with
torch, in one of these ways:

  exact    float64 throughout: the reference
  rounded  float64, but multiplicands of contractions are rounded to the precision
           the op declares and every tensor is rounded to its element type
  own      float32 throughout: PyTorch's own error
  wide     float64 for f32 too; 16-bit types round
  shaken   wide, and every tensor is off by a part in 2^50

All can be differentiated by torch.autograd, and what is rounded on the way
forward is rounded on the way back.

    g = Graph("f")
    x = g.input("x", (2, 8, 10, 10))
    w = g.input("w", (4, 8, 3, 3), scale=0.1)
    g.result(g.unary("tanh", g.conv2d(x, w, padding=(1, 1))))
    text, outputs = g.text(), g.evaluate(g.make_inputs(seed=0), "exact")
"""

import dataclasses
import math
import random

import torch
import torch.nn.functional as F

TORCH_TYPES = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16,
               "f64": torch.float64, "i1": torch.bool, "i8": torch.int8,
               "i32": torch.int32, "i64": torch.int64}
FLOATS = ("f32", "f16", "bf16", "f64")


@dataclasses.dataclass(frozen=True)
class Value:
    name: str
    shape: tuple
    dtype: str = "f32"
    # Whether an error far above f32's own may sit in it: ops with jumps must not read it.
    noisy: bool = False

    @property
    def type(self):
        return "tensor<" + "".join(f"{n}x" for n in self.shape) + self.dtype + ">"


def round_tf32(x):
    """Nearest tf32 value, ties to even, of a float64 tensor."""
    bits = x.to(torch.float32).contiguous().view(torch.int32)
    rounded = ((bits + 0xFFF + ((bits >> 13) & 1)) & ~0x1FFF).view(torch.float32).to(torch.float64)
    return torch.where(torch.isfinite(x), rounded, x)


def round_to(x, name):
    if name == "tf32":
        return round_tf32(x)
    if name == "f64" or not x.is_floating_point():
        return x
    if name in ("f16", "bf16"):
        return Narrow.apply(x, name)
    return x.to(TORCH_TYPES[name]).to(torch.float64)


class Narrow(torch.autograd.Function):
    """A float64 tensor, and its gradient, to the nearest value of a 16-bit type. PyTorch goes
    by way of f32 and rounds twice, which is wrong next to ties; here that step rounds to odd."""

    @staticmethod
    def forward(ctx, x, name):
        ctx.name = name
        near = x.to(torch.float32)
        back = near.to(torch.float64)
        inexact = (back != x) & ~x.isnan()
        bits = near.contiguous().view(torch.int32) - (inexact & (back.abs() > x.abs())).int()
        odd = torch.where(inexact, bits | 1, bits).view(torch.float32)
        return odd.to(TORCH_TYPES[name]).to(torch.float64)

    @staticmethod
    def backward(ctx, gradient):
        return Narrow.apply(gradient, ctx.name), None


# Ways to round multiplicands that are as good as one another: draws of rounding errors of
# one size. Algebra that moves a factor past a product makes one, as does a product that
# needs no rounding because nothing is summed.
DRAWS = ("rounded", "rounded-1", "rounded-2", "rounded-3", "rounded-4", "rounded-5")


def make_rounding(kind, draw, place):
    """How the product at `place` in a graph rounds its multiplicands in a draw."""
    if draw == DRAWS[0]:
        return lambda t: round_to(t, kind)
    generator = random.Random(f"{draw} {place}")
    scale = 1 + generator.random()
    if generator.random() < 0.2:
        return lambda t: t
    return lambda t: round_to(t * scale, kind) / scale


SHAKE = 2.0 ** -50


class Shaken(torch.autograd.Function):
    """A tensor, or a cotangent, with its elements a little off at random."""

    @staticmethod
    def forward(ctx, x):
        return x * (1 + SHAKE * torch.randn(x.shape, dtype=x.dtype))

    @staticmethod
    def backward(ctx, dy):
        return dy * (1 + SHAKE * torch.randn(dy.shape, dtype=dy.dtype))


class RoundedProduct(torch.autograd.Function):
    """A bilinear function whose multiplicands, cotangents too, are rounded."""

    @staticmethod
    def forward(ctx, a, b, round_operand, function):
        ctx.save_for_backward(a, b)
        ctx.round_operand, ctx.function = round_operand, function
        return function(round_operand(a), round_operand(b))

    @staticmethod
    def backward(ctx, dy):
        rounded = [ctx.round_operand(t).detach().requires_grad_() for t in ctx.saved_tensors]
        with torch.enable_grad():
            y = ctx.function(*rounded)
        return (*torch.autograd.grad(y, rounded, ctx.round_operand(dy)), None, None)


def fmt(values):
    return "[" + ", ".join(str(int(v)) for v in values) + "]"


def fnum(value, dtype="f64"):
    if math.isinf(value) or math.isnan(value):
        # Non-finite literals are bit patterns.
        bits = torch.tensor(value, dtype=TORCH_TYPES[dtype])
        size = bits.element_size()
        raw = int(bits.view({2: torch.int16, 4: torch.int32, 8: torch.int64}[size]))
        return f"0x{raw & (1 << 8 * size) - 1:0{2 * size}X}"
    return repr(float(value)) if "e" not in repr(float(value)) else f"{float(value):.17e}"


# fuse name -> torch function of float tensors
UNARY = {
    "neg": torch.neg, "abs": torch.abs, "square": torch.square, "sign": torch.sign,
    "exp": torch.exp, "exp2": torch.exp2, "expm1": torch.expm1, "log": torch.log,
    "log2": torch.log2, "log1p": torch.log1p, "sqrt": torch.sqrt, "rsqrt": torch.rsqrt,
    "reciprocal": torch.reciprocal, "sin": torch.sin, "cos": torch.cos,
    "tanh": torch.tanh, "erf": torch.erf, "sigmoid": torch.sigmoid,
    "log_sigmoid": F.logsigmoid, "relu": F.relu, "relu6": F.relu6, "selu": F.selu,
    "silu": F.silu, "mish": F.mish, "hardswish": F.hardswish,
    # F.hardsigmoid's own derivative has a sixth in float32.
    "hardsigmoid": lambda x: F.relu6(x + 3) / 6, "floor": torch.floor, "ceil": torch.ceil,
    "round": torch.round, "trunc": torch.trunc,
}
# (name, attribute text, torch function)
PARAMETRIC = [
    ("leaky_relu", "", lambda x: F.leaky_relu(x, 0.01)),
    ("leaky_relu", "slope 0.2", lambda x: F.leaky_relu(x, 0.2)),
    ("leaky_relu", "slope -0.5", lambda x: F.leaky_relu(x, -0.5)),
    ("elu", "", F.elu),
    ("elu", "alpha 0.5", lambda x: F.elu(x, 0.5)),
    ("celu", "alpha 2.0", lambda x: F.celu(x, 2.0)),
    ("gelu", "", F.gelu),
    ("gelu", "approximate tanh", lambda x: F.gelu(x, approximate="tanh")),
    ("softplus", "", F.softplus),
    ("softplus", "beta 2.0 threshold 10.0", lambda x: F.softplus(x, 2.0, 10.0)),
    ("clamp", "min -0.5 max 0.75", lambda x: torch.clamp(x, -0.5, 0.75)),
    ("clamp", "min 0.1", lambda x: torch.clamp(x, min=0.1)),
    ("clamp", "max 0.3", lambda x: torch.clamp(x, max=0.3)),
]
BINARY = {
    "add": torch.add, "sub": torch.sub, "mul": torch.mul, "div": torch.div,
    "maximum": torch.maximum, "minimum": torch.minimum, "pow": torch.pow,
    "remainder": torch.remainder, "atan2": torch.atan2,
}
LOGICAL = {"and": torch.bitwise_and, "or": torch.bitwise_or, "xor": torch.bitwise_xor}
PREDICATES = {"eq": torch.eq, "ne": torch.ne, "lt": torch.lt, "le": torch.le,
              "gt": torch.gt, "ge": torch.ge}
JUMPS = {"sign", "floor", "ceil", "round", "trunc", "remainder"}


class Windows:
    """Sliding windows over trailing dims."""

    def __init__(self, window, stride, low, high, dilation):
        rank = len(window)
        self.window, self.stride = list(window), list(stride or [1] * rank)
        self.low, self.high = list(low or [0] * rank), list(high or [0] * rank)
        self.dilation = list(dilation or [1] * rank)

    def text(self):
        return (f"window {fmt(self.window)} stride {fmt(self.stride)} padding_low "
                f"{fmt(self.low)} padding_high {fmt(self.high)} dilation {fmt(self.dilation)}")

    def output_shape(self, shape):
        lead = len(shape) - len(self.window)
        return list(shape[:lead]) + [
            (l + n + h - (w - 1) * d - 1) // s + 1 for n, w, s, l, h, d in
            zip(shape[lead:], self.window, self.stride, self.low, self.high, self.dilation)]

    def unfold(self, a, fill):
        """The windows of `a`, their taps flattened into one last dim."""
        rank = len(self.window)
        lead = a.dim() - rank
        full = a.new_full(list(a.shape[:lead]) + [
            l + n + h for l, n, h in zip(self.low, a.shape[lead:], self.high)], fill)
        full[(...,) + tuple(slice(l, l + n) for l, n in zip(self.low, a.shape[lead:]))] = a
        taps = full
        for d in range(rank):
            extent = (self.window[d] - 1) * self.dilation[d] + 1
            taps = taps.unfold(lead + d, extent, self.stride[d])[..., ::self.dilation[d]]
        return taps.reshape(list(taps.shape[:a.dim()]) + [-1])


class Graph:
    """A function under construction."""

    def __init__(self, name="f"):
        self.name = name
        self.inputs = []      # (Value, maker)
        self.lines = []
        self.steps = []       # (results, operands, function(mode, *tensors))
        self.results = []
        self.aliases = {}     # name of an input: name of the result that may share its memory
        self.counter = 0

    # Values ------------------------------------------------------------------

    def input(self, name, shape, dtype="f32", scale=1.0, low=None, values=None):
        """normal(0, scale); uniform [low, low + scale) with `low`; or fixed values."""
        value = Value(name, tuple(shape), dtype)

        def make(generator):
            if values is not None:
                data = torch.as_tensor(values)
                data = data if data.dtype == torch.bool else data.to(torch.float64)
                return data.to(TORCH_TYPES[dtype]).reshape(shape)
            if dtype == "i1":
                return torch.rand(shape, generator=generator) < 0.5
            if dtype not in FLOATS:
                return torch.randint(-9, 10, shape, generator=generator).to(TORCH_TYPES[dtype])
            if low is not None:
                data = torch.rand(shape, generator=generator, dtype=torch.float64) * scale + low
            else:
                data = torch.randn(shape, generator=generator, dtype=torch.float64) * scale
            return data.to(TORCH_TYPES[dtype])

        self.inputs.append((value, make))
        return value

    def result(self, *values):
        self.results += values
        return self

    def alias(self, argument, result):
        """Makes an input state: `result`, one of the graph's, is its next value."""
        self.aliases[argument.name] = result.name

    def _op(self, text, types, operands, function, noisy=None):
        """Adds an op with results of the given (shape, dtype)."""
        if noisy is None:
            noisy = any(v.noisy for v in operands)
        results = []
        for shape, dtype in types:
            results.append(Value(f"v{self.counter}", tuple(int(n) for n in shape), dtype, noisy))
            self.counter += 1
        names = ", ".join(f"%{r.name}" for r in results)
        self.lines.append(f"{names} = {text}")
        self.steps.append((results, list(operands), function))
        return results[0] if len(results) == 1 else results

    def _shaped(self, function, *operands):
        """The shape torch infers, without data."""
        made = [torch.empty(v.shape, dtype=torch.float64 if v.dtype in FLOATS
                            else TORCH_TYPES[v.dtype], device="meta") for v in operands]
        return tuple(function(*made).shape)

    # Pointwise ---------------------------------------------------------------

    def constant(self, value, dtype="f32", shape=()):
        result = Value("", tuple(shape), dtype)
        kind = torch.float64 if dtype in FLOATS else TORCH_TYPES[dtype]
        stored = torch.tensor(value, dtype=TORCH_TYPES[dtype]).to(kind)
        # As the type stores it: the text made of wider types means the same.
        literal = fnum(stored.item(), dtype) if dtype in FLOATS else (
            str(bool(value)).lower() if dtype == "i1" else str(int(value)))
        return self._op(f"fuse.constant dense<{literal}> : {result.type}", [(shape, dtype)], [],
                        lambda mode: stored.expand(tuple(shape)).clone())

    def elements(self, values, shape, dtype="f32"):
        """A constant with different elements."""
        result = Value("", tuple(shape), dtype)
        data = torch.tensor(values, dtype=TORCH_TYPES[dtype]).reshape(tuple(shape))
        if dtype in FLOATS:
            data = data.to(torch.float64)

        def literal(rows):
            if isinstance(rows, list):
                return "[" + ", ".join(literal(row) for row in rows) + "]"
            return fnum(rows, dtype) if dtype in FLOATS else str(rows).lower()

        return self._op(f"fuse.constant dense<{literal(data.tolist())}> : {result.type}",
                        [(shape, dtype)], [], lambda mode: data.clone())

    def unary(self, name, x, attributes="", function=None):
        function = function or UNARY[name]
        text = f"fuse.{name} %{x.name} {attributes} : {x.type}"
        return self._op(text, [(x.shape, x.dtype)], [x], lambda mode, a: function(a))

    def binary(self, name, a, b):
        function = BINARY.get(name) or LOGICAL[name]
        shape = torch.broadcast_shapes(a.shape, b.shape)
        result = Value("", tuple(shape), a.dtype)
        types = (result.type if a.shape == b.shape
                 else f"({a.type}, {b.type}) -> {result.type}")

        def run(mode, x, y):
            if name == "div" and not x.is_floating_point():
                return torch.where(y == 0, 0, torch.div(x, torch.where(y == 0, 1, y),
                                                        rounding_mode="trunc")).to(x.dtype)
            return function(x, y)

        return self._op(f"fuse.{name} %{a.name}, %{b.name} : {types}", [(shape, a.dtype)],
                        [a, b], run)

    def compare(self, predicate, a, b):
        shape = torch.broadcast_shapes(a.shape, b.shape)
        result = Value("", tuple(shape), "i1")
        return self._op(f"fuse.compare {predicate} %{a.name}, %{b.name} : "
                        f"({a.type}, {b.type}) -> {result.type}", [(shape, "i1")], [a, b],
                        lambda mode, x, y: PREDICATES[predicate](x, y))

    def select(self, c, a, b):
        shape = torch.broadcast_shapes(c.shape, a.shape, b.shape)
        result = Value("", tuple(shape), a.dtype)
        return self._op(f"fuse.select %{c.name}, %{a.name}, %{b.name} : "
                        f"({c.type}, {a.type}, {b.type}) -> {result.type}",
                        [(shape, a.dtype)], [c, a, b],
                        lambda mode, m, x, y: torch.where(m, x, y))

    def isnan(self, x):
        result = Value("", x.shape, "i1")
        return self._op(f"fuse.isnan %{x.name} : {x.type} -> {result.type}", [(x.shape, "i1")],
                        [x], lambda mode, a: torch.isnan(a))

    def cast(self, x, dtype):
        result = Value("", x.shape, dtype)

        def run(mode, a):
            if dtype in FLOATS:
                return a.to(torch.float32 if mode == "own" else torch.float64)
            return a.to(TORCH_TYPES[dtype])

        return self._op(f"fuse.cast %{x.name} : {x.type} -> {result.type}", [(x.shape, dtype)],
                        [x], run, noisy=x.noisy or dtype in ("f16", "bf16"))

    # Shape ops ---------------------------------------------------------------

    def iota(self, shape, dim, dtype="i64"):
        result = Value("", tuple(shape), dtype)

        def run(mode):
            view = [1] * len(shape)
            view[dim] = shape[dim]
            kind = torch.float64 if dtype in FLOATS else TORCH_TYPES[dtype]
            return torch.arange(shape[dim]).to(kind).reshape(view).expand(shape).clone()

        return self._op(f"fuse.iota dim {dim} : {result.type}", [(shape, dtype)], [], run)

    def _move(self, name, x, attributes, function):
        shape = self._shaped(function, x)
        result = Value("", shape, x.dtype)
        return self._op(f"fuse.{name} %{x.name} {attributes} : {x.type} -> {result.type}",
                        [(shape, x.dtype)], [x], lambda mode, a: function(a))

    def reshape(self, x, shape):
        return self._move("reshape", x, "", lambda a: a.reshape(tuple(shape)))

    def broadcast(self, x, shape):
        return self._move("broadcast", x, "", lambda a: a.expand(tuple(shape)).clone())

    def transpose(self, x, permutation):
        return self._move("transpose", x, f"permutation {fmt(permutation)}",
                          lambda a: a.permute(tuple(permutation)))

    def slice(self, x, offsets, sizes, strides):
        def run(a):
            for d, (o, n, s) in enumerate(zip(offsets, sizes, strides)):
                a = a[(slice(None),) * d + (slice(o, o + (n - 1) * s + 1, s),)]
            return a
        return self._move("slice", x, f"offsets {fmt(offsets)} sizes {fmt(sizes)} "
                          f"strides {fmt(strides)}", run)

    def pad(self, x, low, high, value=0.0, interior=None):
        inner = interior or [0] * len(low)

        def run(a):
            shape = [n + (n - 1) * i for n, i in zip(a.shape, inner)]
            full = a.new_full([l + n + h for l, n, h in zip(low, shape, high)], value)
            at = tuple(slice(l, l + n, i + 1) for l, n, i in zip(low, shape, inner))
            full[at] = a
            return full

        extra = f"interior {fmt(interior)} " if interior else ""
        literal = fnum(value, x.dtype) if x.dtype in FLOATS else str(int(value))
        typed = f"{literal} : {x.dtype}"
        return self._move("pad", x, f"low {fmt(low)} high {fmt(high)} {extra}value {typed}", run)

    def concat(self, values, dim):
        shape = self._shaped(lambda *t: torch.cat(t, dim), *values)
        result = Value("", shape, values[0].dtype)
        names = ", ".join(f"%{v.name}" for v in values)
        types = ", ".join(v.type for v in values)
        return self._op(f"fuse.concat {names} dim {dim} : ({types}) -> {result.type}",
                        [(shape, values[0].dtype)], values,
                        lambda mode, *t: torch.cat(t, dim))

    # Contractions ------------------------------------------------------------

    def _contract(self, name, a, b, attributes, default, precision, function):
        if a.dtype != "f32":
            default = a.dtype
        kind, place = precision or default, self.counter
        if precision:
            attributes += f" precision {precision}"

        def run(mode, x, y):
            if mode in DRAWS:
                return RoundedProduct.apply(x, y, make_rounding(kind, mode, place), function)
            return function(x, y)

        shape = self._shaped(function, a, b)
        result = Value("", shape, a.dtype)
        return self._op(f"fuse.{name} %{a.name}, %{b.name} {attributes} : "
                        f"({a.type}, {b.type}) -> {result.type}", [(shape, a.dtype)], [a, b],
                        run, noisy=a.noisy or b.noisy or kind not in ("f32", "f64"))

    def conv2d(self, x, w, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1,
               precision=None):
        attributes = (f"stride {fmt(stride)} padding {fmt(padding)} "
                      f"dilation {fmt(dilation)} groups {groups}")
        return self._contract("conv2d", x, w, attributes, "tf32", precision,
                              lambda a, b: F.conv2d(a, b, None, stride, padding, dilation,
                                                    groups))

    def conv_transpose2d(self, x, w, stride=(1, 1), padding=(0, 0), output_padding=(0, 0),
                         dilation=(1, 1), groups=1, precision=None):
        attributes = (f"stride {fmt(stride)} padding {fmt(padding)} output_padding "
                      f"{fmt(output_padding)} dilation {fmt(dilation)} groups {groups}")
        return self._contract("conv_transpose2d", x, w, attributes, "tf32", precision,
                              lambda a, b: F.conv_transpose2d(a, b, None, stride, padding,
                                                              output_padding, groups, dilation))

    def conv2d_weight_grad(self, x, dy, kernel, stride=(1, 1), padding=(0, 0),
                           dilation=(1, 1), groups=1, precision=None):
        size = (dy.shape[1], x.shape[1] // groups, *kernel)
        attributes = (f"kernel {fmt(kernel)} stride {fmt(stride)} padding {fmt(padding)} "
                      f"dilation {fmt(dilation)} groups {groups}")

        def run(a, b):
            if a.device.type == "meta":
                return torch.empty(size, device="meta")
            return torch.nn.grad.conv2d_weight(a, size, b, stride, padding, dilation, groups)

        return self._contract("conv2d_weight_grad", x, dy, attributes, "tf32", precision, run)

    def matmul(self, a, b, transpose_a=False, transpose_b=False, precision=None):
        attributes = ("transpose_a " if transpose_a else "") + (
            "transpose_b" if transpose_b else "")
        return self._contract("matmul", a, b, attributes, "f32", precision,
                              lambda x, y: torch.matmul(x.mT if transpose_a else x,
                                                        y.mT if transpose_b else y))

    # Reductions and windows ----------------------------------------------------

    def reduce(self, kind, x, dims, keepdims=False, first=False):
        """`first`: of equal extremes along the one dim the first has the gradient."""
        dims = sorted(dims)
        kept = [1 if d in dims else n for d, n in enumerate(x.shape)] if keepdims else [
            n for d, n in enumerate(x.shape) if d not in dims]
        rest = [d for d in range(len(x.shape)) if d not in dims]

        def flat(a):
            return a.permute(*rest, *dims).reshape([a.shape[d] for d in rest] + [-1])

        def run(mode, a):
            a = flat(a)
            if kind == "moments":
                mean = a.mean(-1)
                deviations = ((a - mean[..., None]) ** 2).sum(-1)
                return mean.reshape(kept), deviations.reshape(kept)
            if first:
                place = {"max": a.argmax, "min": a.argmin}[kind](-1, keepdim=True)
                out = a.gather(-1, place)[..., 0]
            elif kind in ("max", "min", "argmax"):
                out = {"max": a.amax, "min": a.amin, "argmax": a.argmax}[kind](-1)
            else:
                out = (a.sum if kind == "sum" else a.prod)(-1)
            if kind in ("sum", "prod"):
                out = out.to(a.dtype)
            return out.reshape(kept)

        if kind == "moments":
            dtype = "f64" if x.dtype == "f64" else "f32"
            types = [(kept, dtype), (kept, dtype)]
        else:
            types = [(kept, "i64" if kind == "argmax" else x.dtype)]
        printed = ", ".join(Value("", tuple(s), d).type for s, d in types)
        keep = ("keepdims " if keepdims else "") + ("{fuse.first_extreme} " if first else "")
        return self._op(f"fuse.reduce {kind} %{x.name} dims {fmt(dims)} {keep}: "
                        f"{x.type} -> {printed}", types, [x], run)

    def fold(self, name, x, dims, keepdims=False):
        """mean or logsumexp"""
        function = {"mean": lambda a: a.mean(tuple(dims), keepdim=keepdims),
                    "logsumexp": lambda a: a.logsumexp(tuple(dims), keepdim=keepdims)}[name]
        return self._move(name, x, f"dims {fmt(sorted(dims))}" + (" keepdims" if keepdims
                                                                  else ""), function)

    def max_pool2d(self, x, kernel, stride=None, padding=(0, 0), dilation=(1, 1),
                   ceil_mode=False):
        attributes = f"kernel {fmt(kernel)} "
        if stride:
            attributes += f"stride {fmt(stride)} "
        attributes += f"padding {fmt(padding)} dilation {fmt(dilation)}"
        if ceil_mode:
            attributes += " ceil_mode"
        return self._move("max_pool2d", x, attributes, lambda a: F.max_pool2d(
            a, kernel, stride, padding, dilation, ceil_mode))

    def avg_pool2d(self, x, kernel, stride=None, padding=(0, 0), ceil_mode=False,
                   count_include_pad=True):
        attributes = f"kernel {fmt(kernel)} "
        if stride:
            attributes += f"stride {fmt(stride)} "
        attributes += f"padding {fmt(padding)}"
        if ceil_mode:
            attributes += " ceil_mode"
        if not count_include_pad:
            attributes += " count_include_pad false"
        return self._move("avg_pool2d", x, attributes, lambda a: F.avg_pool2d(
            a, kernel, stride, padding, ceil_mode, count_include_pad))

    def window_reduce(self, kind, x, window, stride=None, low=None, high=None, dilation=None,
                      argmax=None):
        geometry = Windows(window, stride, low, high, dilation)
        fill = {"max": float("-inf"), "min": float("inf"), "sum": 0}[kind]

        def run(mode, a):
            flat = geometry.unfold(a, fill)
            if kind == "sum":
                return flat.sum(-1)
            # Of equal ones the first: it alone has the gradient, as in PyTorch's pools.
            where = flat.argmax(-1) if kind == "max" else flat.argmin(-1)
            best = flat.gather(-1, where[..., None])[..., 0]
            return (best, where.to(TORCH_TYPES[argmax])) if argmax else best

        shape = geometry.output_shape(x.shape)
        types = [(shape, x.dtype)] + ([(shape, argmax)] if argmax else [])
        attributes = geometry.text() + (f" argmax {argmax}" if argmax else "")
        printed = ", ".join(Value("", tuple(s), d).type for s, d in types)
        return self._op(f"fuse.window_reduce {kind} %{x.name} {attributes} : {x.type} -> "
                        f"{printed}", types, [x], run)

    def window_grad(self, dy, input_size, window, stride=None, low=None, high=None,
                    dilation=None, argmax=None):
        """window_sum_grad, or window_max_grad with the positions `argmax`."""
        geometry = Windows(window, stride, low, high, dilation)
        shape = dy.shape[:len(dy.shape) - len(window)] + tuple(input_size)
        result = Value("", shape, dy.dtype)
        operands = [dy, argmax] if argmax else [dy]

        def run(mode, gradient, where=None):
            a = torch.zeros(shape, dtype=gradient.dtype, requires_grad=True)
            with torch.enable_grad():
                flat = geometry.unfold(a, 0)
            weight = gradient[..., None].expand(flat.shape)
            if where is not None:
                tap = where.to(torch.int64)[..., None]
                tap = tap % 256 if argmax.dtype == "i8" else tap
                weight = weight * (torch.arange(flat.shape[-1]) == tap)
            return torch.autograd.grad(flat, a, weight, create_graph=gradient.requires_grad)[0]

        name = "window_max_grad" if argmax else "window_sum_grad"
        names = ", ".join(f"%{v.name}" for v in operands)
        types = ", ".join(v.type for v in operands)
        return self._op(f"fuse.{name} {names} input_size {fmt(input_size)} {geometry.text()} : "
                        f"{f'({types})' if argmax else types} -> {result.type}",
                        [(shape, dy.dtype)], operands, run)

    # Normalisations ------------------------------------------------------------

    def softmax(self, x, dim, log=False):
        def run(mode, a):
            if mode != "shaken":
                return (F.log_softmax if log else F.softmax)(a, dim)
            # Its derivative cancels where one element is nearly all: the sum is off too.
            shifted = a - a.amax(dim, keepdim=True).detach()
            exps = Shaken.apply(shifted.exp())
            total = Shaken.apply(exps.sum(dim, keepdim=True))
            return shifted - total.log() if log else exps / total

        return self._op(f"fuse.{'log_softmax' if log else 'softmax'} %{x.name} dim {dim} : "
                        f"{x.type} -> {x.type}", [(x.shape, x.dtype)], [x], run)

    def batch_norm(self, x, gamma, beta, mean, var, eps=1e-5, momentum=0.1):
        def run(mode, a, g, b, m, v):
            # The statistics' next values have a derivative, which F.batch_norm leaves out.
            dims = [0, *range(2, a.dim())]
            count = a.numel() // a.shape[1]
            average, biased = a.mean(dims), a.var(dims, correction=0)
            unbiased = biased * (count / max(1, count - 1))
            y = (F.batch_norm(a, None, None, g, b, True, momentum, eps) if mode == "own"
                 else self._normalise(a, g, b, average, biased, eps))
            return (y, (1 - momentum) * m + momentum * average,
                    (1 - momentum) * v + momentum * unbiased)

        operands = [x, gamma, beta, mean, var]
        results = [x, mean, var]
        types = ", ".join(v.type for v in operands)
        printed = ", ".join(v.type for v in results)
        names = ", ".join(f"%{v.name}" for v in operands)
        return self._op(f"fuse.batch_norm {names} eps {fnum(eps)} momentum {fnum(momentum)} : "
                        f"({types}) -> ({printed})", [(v.shape, v.dtype) for v in results],
                        operands, run)

    def batch_norm_inference(self, x, gamma, beta, mean, var, eps=1e-5):
        operands = [x, gamma, beta, mean, var]
        types = ", ".join(v.type for v in operands)
        names = ", ".join(f"%{v.name}" for v in operands)
        return self._op(f"fuse.batch_norm_inference {names} eps {fnum(eps)} : ({types}) -> "
                        f"{x.type}", [(x.shape, x.dtype)], operands,
                        lambda mode, a, g, b, m, v: self._normalise(a, g, b, m, v, eps))

    @staticmethod
    def _normalise(a, gamma, beta, mean, var, eps):
        # F.batch_norm has no derivative in the statistics.
        wide = lambda t: t.reshape((1, -1) + (1,) * (a.dim() - 2))
        return (a - wide(mean)) * torch.rsqrt(wide(var) + eps) * wide(gamma) + wide(beta)

    def _affine_norm(self, name, x, attributes, gamma, beta, eps, function):
        operands = [x] + [v for v in (gamma, beta) if v]
        extra = (f" gamma %{gamma.name}" if gamma else "") + (
            f" beta %{beta.name}" if beta else "")
        types = ", ".join(v.type for v in operands)

        def run(mode, a, *parameters):
            rest = list(parameters)
            return function(a, rest.pop(0) if gamma else None, rest.pop(0) if beta else None)

        return self._op(f"fuse.{name} %{x.name} {attributes}{extra} eps {fnum(eps)} : "
                        f"({types}) -> {x.type}", [(x.shape, x.dtype)], operands, run)

    def layer_norm(self, x, dims, gamma=None, beta=None, eps=1e-5):
        shape = x.shape[len(x.shape) - dims:]
        return self._affine_norm("layer_norm", x, f"num_dims {dims}", gamma, beta, eps,
                                 lambda a, g, b: F.layer_norm(a, shape, g, b, eps))

    def group_norm(self, x, groups, gamma=None, beta=None, eps=1e-5):
        return self._affine_norm("group_norm", x, f"groups {groups}", gamma, beta, eps,
                                 lambda a, g, b: F.group_norm(a, groups, g, b, eps))

    # Output --------------------------------------------------------------------

    def text(self):
        order = [v.name for v in self.results]

        def attributes(v):
            if v.name not in self.aliases:
                return ""
            return f" {{fuse.alias_result = {order.index(self.aliases[v.name])}}}"

        arguments = ", ".join(f"%{v.name}: {v.type}{attributes(v)}" for v, _ in self.inputs)
        types = ", ".join(v.type for v in self.results)
        names = ", ".join(f"%{v.name}" for v in self.results)
        body = "".join(f"  {line}\n" for line in self.lines)
        return (f"func.func @{self.name}({arguments}) -> ({types}) {{\n{body}"
                f"  return {names} : {types}\n}}\n")

    def make_inputs(self, seed):
        generator = torch.Generator().manual_seed(seed)
        return [make(generator) for _, make in self.inputs]

    def evaluate(self, inputs, mode, values=None):
        """One tensor per result; floats in float64 (`own`: float32). `values` gets every
        tensor by name."""
        wide = torch.float32 if mode == "own" else torch.float64
        values = {} if values is None else values
        for (value, _), tensor in zip(self.inputs, inputs):
            tensor = tensor.to(wide) if value.dtype in FLOATS else tensor
            values[value.name] = (Shaken.apply(tensor) if mode == "shaken"
                                  and value.dtype in FLOATS else tensor)
        for results, operands, function in self.steps:
            made = function(mode, *[values[v.name] for v in operands])
            for value, tensor in zip(results, made if isinstance(made, tuple) else (made,)):
                if value.dtype in FLOATS:
                    tensor = tensor.to(wide)
                    if mode in DRAWS or mode in ("wide", "shaken") and value.dtype in (
                            "f16", "bf16"):
                        tensor = round_to(tensor, value.dtype)
                    elif mode == "shaken":
                        tensor = Shaken.apply(tensor)
                values[value.name] = tensor
        return [values[v.name] for v in self.results]
