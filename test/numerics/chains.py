"""Seeded random graphs: chains over all op families with branches and several results.

`make_chain(seed)` gives a Graph; the same seed gives the same graph. Sizes are odd and
small. Values are kept in a range where float32 is well conditioned, and ops with jumps
(rounding, comparisons, positions of extremes) read only values that carry no error
above float32's own: there two right answers would differ.
"""

import math
import random

from graphs import BINARY, JUMPS, PARAMETRIC, UNARY, Graph

# Functions whose result stays tame for any tame input.
TAME = ["neg", "abs", "tanh", "erf", "sigmoid", "log_sigmoid", "relu", "relu6", "selu", "silu",
        "mish", "hardswish", "hardsigmoid", "sin", "cos"]

class ChainBuilder:
    def __init__(self, seed, dtypes=("f32",) * 8 + ("f16", "bf16", "f64")):
        self.random = random.Random(seed)
        self.graph = Graph(f"chain_{seed}")
        self.dtype = self.random.choice(dtypes)
        self.inputs = 0
        # Elements of one value, and how far sizes are stretched: now and then past a tile.
        self.limit, self.stretch = self.random.choice([(4000, 1)] * 5 + [(60000, 4)])

    def input(self, shape, **keywords):
        self.inputs += 1
        return self.graph.input(f"a{self.inputs}", shape, self.dtype, **keywords)

    def size(self, low, high):
        """Sizes 1, primes and one off a power of two are as likely as the rest."""
        special = [n for n in (1, 2, 3, 5, 7, 8, 9, 13, 15, 16, 17, 31, 33) if low <= n <= high]
        return self.random.choice(special + [self.random.randint(low, high)])

    def start(self):
        kind = self.random.choice(("image", "image", "matrix", "any"))
        s = self.stretch
        if kind == "image":
            shape = (self.size(1, 3), self.size(1, 9), self.size(3, 17 * s // 2 + 9),
                     self.size(3, 19 * s // 2 + 9))
        elif kind == "matrix":
            shape = (self.size(1, 33 * s), self.size(1, 40 * s))
        else:
            shape = tuple(self.size(1, 9) for _ in range(self.random.randint(1, 4)))
        return self.input(shape)

    # Layers: each takes a value and returns values, or None where it does not fit.

    def layer_unary(self, x):
        return self.graph.unary(self.random.choice(TAME), x)

    def layer_positive(self, x):
        """exp, log, sqrt and their kin on a domain where they are tame."""
        g = self.graph
        name = self.random.choice(["exp", "exp2", "expm1", "log", "log2", "log1p", "sqrt", "rsqrt",
                                   "reciprocal"])
        if name in ("exp", "exp2", "expm1"):
            return g.unary(name, g.unary("tanh", x))
        one = g.constant(1.0, x.dtype)
        return g.unary(name, g.binary("add", g.unary("abs", x), one))

    def layer_parametric(self, x):
        name, text, function = self.random.choice(PARAMETRIC)
        return self.graph.unary(name, x, text, function)

    def layer_jump(self, x):
        g = self.graph
        if x.noisy:
            return None
        kind = self.random.choice(["round", "select", "isnan"])
        if kind == "round":
            name = self.random.choice(sorted(JUMPS - {"remainder"}))
            return g.binary("add", g.unary(name, x), x)
        if kind == "isnan":
            return g.select(g.isnan(x), g.constant(0.5, x.dtype), x)
        mask = g.compare(self.random.choice(["lt", "le", "gt", "ge"]), x,
                         g.constant(0.25, x.dtype))
        return g.select(mask, x, g.unary("tanh", x))

    def layer_parameter(self, x):
        """A learnable tensor that broadcasts."""
        shape = [n if self.random.random() < 0.5 else 1 for n in x.shape]
        shape = shape[self.random.randint(0, len(shape)):]
        name = self.random.choice(["add", "sub", "mul", "maximum", "minimum", "div", "atan2"])
        if name in ("div", "atan2"):
            return self.graph.binary(name, x, self.input(shape, low=0.5))
        operands = (x, self.input(shape))
        return self.graph.binary(name, *(operands if self.random.random() < 0.7
                                         else operands[::-1]))

    def layer_scale(self, x):
        value = self.random.choice([2.0, 0.5, -1.5, 1.0])
        name = self.random.choice(["mul", "add", "div", "sub"])
        return self.graph.binary(name, x, self.graph.constant(value, x.dtype))

    def pick_precision(self):
        if self.dtype != "f32":
            return None
        return self.random.choice([None, None, "f32", "tf32", "bf16"])

    def layer_conv(self, x):
        if len(x.shape) != 4:
            return None
        r = self.random
        n, ci, h, w = x.shape
        groups = r.choice([d for d in range(1, ci + 1) if ci % d == 0])
        co = groups * self.size(1, max(1, 12 // groups))
        kernel = [r.randint(1, 4), r.randint(1, 4)]
        stride, padding, dilation = ([r.randint(1, 3) for _ in "hw"],
                                     [r.randint(0, 2) for _ in "hw"],
                                     [r.choice((1, 1, 2)) for _ in "hw"])
        out = [(e + 2 * p - d * (k - 1) - 1) // s + 1
               for e, p, d, k, s in zip((h, w), padding, dilation, kernel, stride)]
        if min(out) < 1 or n * co * out[0] * out[1] > self.limit:
            return None
        f = self.input((co, ci // groups, *kernel),
                       scale=1 / math.sqrt(ci // groups * kernel[0] * kernel[1]))
        return self.graph.conv2d(x, f, stride, padding, dilation, groups, self.pick_precision())

    def layer_conv_transpose(self, x):
        if len(x.shape) != 4:
            return None
        r = self.random
        n, ci, h, w = x.shape
        groups = r.choice([d for d in range(1, ci + 1) if ci % d == 0])
        local = self.size(1, max(1, 8 // groups))
        kernel = [r.randint(1, 4) for _ in "hw"]
        stride, dilation = [r.randint(1, 3) for _ in "hw"], [r.choice((1, 1, 2)) for _ in "hw"]
        padding = [r.randint(0, d * (k - 1)) for d, k in zip(dilation, kernel)]
        extra = [r.randint(0, max(s, d) - 1) for s, d in zip(stride, dilation)]
        out = [(e - 1) * s - 2 * p + d * (k - 1) + o + 1
               for e, s, p, d, k, o in zip((h, w), stride, padding, dilation, kernel, extra)]
        if min(out) < 1 or n * groups * local * out[0] * out[1] > self.limit:
            return None
        f = self.input((ci, local, *kernel), scale=1 / math.sqrt(ci // groups * 2))
        return self.graph.conv_transpose2d(x, f, stride, padding, extra, dilation, groups,
                                           self.pick_precision())

    def layer_linear(self, x):
        if len(x.shape) < 2:
            return None
        k, n = x.shape[-1], self.size(1, 24 * self.stretch)
        transposed = self.random.random() < 0.5
        w = self.input((n, k) if transposed else (k, n), scale=1 / math.sqrt(k))
        y = self.graph.matmul(x, w, transpose_b=transposed, precision=self.pick_precision())
        return self.graph.binary("add", y, self.input((n,))) if self.random.random() < 0.5 else y

    def layer_self_product(self, x):
        """Scores of attention: x times its own transpose."""
        if len(x.shape) < 2 or math.prod(x.shape[:-1]) * x.shape[-2] > self.limit:
            return None
        y = self.graph.matmul(x, x, transpose_b=True, precision=self.pick_precision())
        return self.graph.binary("mul", y, self.graph.constant(1 / x.shape[-1], x.dtype))

    def layer_pool(self, x):
        if len(x.shape) not in (3, 4) or min(x.shape[-2:]) < 2:
            return None
        r = self.random
        kernel = [r.randint(1, min(4, n)) for n in x.shape[-2:]]
        padding = [r.randint(0, k // 2) for k in kernel]
        stride = None if r.random() < 0.4 else [r.randint(1, 3) for _ in "hw"]
        ceil = r.random() < 0.3
        if r.random() < 0.6:
            return self.graph.max_pool2d(x, kernel, stride, padding, ceil_mode=ceil)
        return self.graph.avg_pool2d(x, kernel, stride, padding, ceil,
                                     count_include_pad=r.random() < 0.5)

    def layer_window(self, x):
        r = self.random
        rank = r.randint(1, len(x.shape)) if x.shape else 0
        if rank == 0 or rank > 3:
            return None
        window = [r.randint(1, min(3, n)) for n in x.shape[len(x.shape) - rank:]]
        low, high = ([r.randint(0, k // 2) for k in window] for _ in "ab")
        return self.graph.window_reduce(r.choice(["max", "min", "sum"]), x, window,
                                        [r.randint(1, 2) for _ in window], low, high)

    def layer_softmax(self, x):
        if not x.shape:
            return None
        return self.graph.softmax(x, self.random.randrange(len(x.shape)),
                                  self.random.random() < 0.3)

    def layer_norm(self, x):
        r, g = self.random, self.graph
        kind = r.choice(["batch", "inference", "layer", "group"])
        if kind == "layer":
            dims = r.randint(1, max(1, len(x.shape) - 1))
            if not x.shape or math.prod(x.shape[len(x.shape) - dims:]) < 4:
                return None
            shape = x.shape[len(x.shape) - dims:]
            return g.layer_norm(x, dims, *([self.input(shape), self.input(shape)]
                                           if r.random() < 0.6 else []), eps=1e-2)
        if len(x.shape) < 2:
            return None
        c = x.shape[1]
        if kind == "group":
            groups = r.choice([d for d in range(1, c + 1) if c % d == 0])
            if math.prod(x.shape[1:]) // groups < 4:
                return None
            return g.group_norm(x, groups, *([self.input((c,)), self.input((c,))]
                                             if r.random() < 0.6 else []), eps=1e-2)
        parameters = [self.input((c,), low=0.5), self.input((c,)), self.input((c,)),
                      self.input((c,), low=0.5)]
        if kind == "inference":
            return g.batch_norm_inference(x, *parameters)
        if math.prod(x.shape) // c < 4:
            return None
        # A generous eps: a channel that is constant but for noise has no right answer.
        y, mean, var = g.batch_norm(x, *parameters, eps=1e-2)
        self.state = parameters[2:]
        return [y, mean, var]

    def layer_reduce(self, x):
        if not x.shape:
            return None
        r = self.random
        dims = sorted(r.sample(range(len(x.shape)), r.randint(1, min(2, len(x.shape)))))
        keep = r.random() < 0.5
        kind = r.choice(["sum", "max", "min", "mean", "logsumexp", "moments", "argmax", "prod"])
        count = math.prod(x.shape[d] for d in dims)
        if kind in ("mean", "logsumexp"):
            return self.graph.fold(kind, x, dims, keep)
        if kind == "moments":
            if x.dtype in ("f16", "bf16"):
                return None
            return self.graph.reduce(kind, x, dims, keep)
        if kind == "argmax":
            if x.noisy:
                return None
            # Positions are integers: a result, never an operand.
            self.graph.result(self.graph.reduce(kind, x, dims, keep))
            return None
        if kind == "prod":
            x = self.graph.unary("sigmoid", x)
            if count > 12:
                return None
        y = self.graph.reduce(kind, x, dims, keep)
        if kind == "sum":
            y = self.graph.binary("mul", y, self.graph.constant(1 / math.sqrt(count), y.dtype))
        return y

    def layer_shape(self, x):
        r, g = self.random, self.graph
        rank = len(x.shape)
        kind = r.choice(["reshape", "transpose", "slice", "pad", "concat", "broadcast"])
        if kind == "reshape":
            if rank >= 2 and r.random() < 0.7:
                at = r.randrange(rank - 1)
                merged = x.shape[:at] + (x.shape[at] * x.shape[at + 1],) + x.shape[at + 2:]
                return g.reshape(x, merged)
            return g.reshape(x, x.shape + (1,)) if rank < 4 else None
        if rank == 0:
            return None
        if kind == "transpose":
            return g.transpose(x, r.sample(range(rank), rank))
        if kind == "slice":
            offsets = [r.randrange(n) for n in x.shape]
            strides = [r.randint(1, 2) for _ in x.shape]
            sizes = [r.randint(1, (n - o - 1) // s + 1)
                     for n, o, s in zip(x.shape, offsets, strides)]
            return g.slice(x, offsets, sizes, strides)
        if kind == "pad":
            low, high = ([r.randint(0, 2) for _ in x.shape] for _ in "ab")
            if math.prod(n + 4 for n in x.shape) > self.limit:
                return None
            return g.pad(x, low, high, r.choice([0.0, 1.0]))
        if kind == "broadcast":
            if rank > 3 or math.prod(x.shape) * 3 > self.limit:
                return None
            return g.broadcast(x, (r.randint(1, 3), *x.shape))
        if math.prod(x.shape) * 2 > self.limit:
            return None
        return g.concat([x, g.unary("tanh", x)], r.randrange(rank))

    def layer_cast(self, x):
        if self.dtype != "f32" or self.random.random() < 0.5:
            return None
        return self.graph.cast(self.graph.cast(x, self.random.choice(["f16", "bf16", "f64"])),
                               "f32")

    def layer_join(self, x):
        """A branch: another value of the graph, or a second path from this one."""
        fits = [v for v in self.values if v.dtype == x.dtype and (
            v.shape == x.shape or v.shape == x.shape[len(x.shape) - len(v.shape):])]
        other = self.random.choice(fits) if fits and self.random.random() < 0.7 else (
            self.layer_unary(x))
        return self.graph.binary(self.random.choice(["add", "mul", "maximum", "sub"]), x, other)

    LAYERS = ([layer_unary] * 3 + [layer_conv] * 5 + [layer_conv_transpose] * 2 +
              [layer_linear] * 4 + [layer_pool] * 3 + [layer_norm] * 3 + [layer_softmax] * 2 +
              [layer_reduce] * 3 + [layer_parameter] * 3 + [layer_shape] * 3 +
              [layer_join] * 3 + [layer_positive, layer_parametric, layer_jump, layer_scale,
                                  layer_window, layer_cast, layer_self_product])

    def build(self):
        x = self.start()
        self.values = [x]
        wanted = self.random.randint(2, 6)
        made = attempts = 0
        while made < wanted and attempts < 60:
            attempts += 1
            layer = self.random.choice(self.LAYERS)
            # Mostly a chain; sometimes a branch from an earlier value.
            x = self.values[-1] if self.random.random() < 0.8 else self.random.choice(self.values)
            self.state = None
            out = layer(self, x)
            if out is None:
                continue
            made += 1
            if isinstance(out, list):
                for extra, state in zip(out[1:], self.state or out[1:]):
                    if self.random.random() < 0.6:
                        self.graph.result(extra)
                        # Either state, as in training, or a value like any other.
                        if self.state and self.random.random() < 0.5:
                            self.graph.alias(state, extra)
                out = out[0]
            if math.prod(out.shape) <= self.limit:
                self.values.append(out)
        results = [self.values[-1]]
        for value in self.values[1:-1]:
            if self.random.random() < 0.15:
                results.append(value)
        return self.graph.result(*results)


def make_chain(seed, **keywords):
    return ChainBuilder(seed, **keywords).build()
