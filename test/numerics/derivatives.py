"""Small graphs for the derivative of each op: away from its kinks, and at them.

`SMOOTH` and `KINKS` are lists of (name, function that builds a Graph).
"""

import torch

from graphs import BINARY, PARAMETRIC, UNARY, Graph

NAN, INF = float("nan"), float("inf")
# Where some op has a kink or a jump: halves for the rounding ones, bounds of clamps.
CORNERS = [k / 2 for k in range(-8, 17)] + [0.1, 0.3, 0.75, 5.0, 20.0]


def spaced(count, low=-2.0, high=2.0):
    """Distinct values, none within 1e-3 of a corner or of each other, shuffled."""
    values, step = [], (high - low) / count
    for i in range(count):
        value = low + (i + 0.37) * step
        while min(abs(value - corner) for corner in CORNERS) < 1e-3:
            value += 1.7e-3
        values.append(value)
    order = torch.randperm(count, generator=torch.Generator().manual_seed(count))
    return [values[i] for i in order]


def make(name, build):
    def graph():
        g = Graph()
        results = build(g)
        return g.result(*(results if isinstance(results, (list, tuple)) else [results]))
    return name, graph


def positive(g, name="x", shape=(3, 5)):
    count = torch.Size(shape).numel()
    return g.input(name, shape, values=spaced(count, 0.3, 2.0))


def anywhere(g, name="x", shape=(3, 5)):
    return g.input(name, shape, values=spaced(torch.Size(shape).numel()))


def smooth():
    domain = {name: positive for name in ("log", "log2", "log1p", "sqrt", "rsqrt", "reciprocal")}
    for name in UNARY:
        yield make(name, lambda g, n=name: g.unary(n, domain.get(n, anywhere)(g)))
    for i, (name, text, function) in enumerate(PARAMETRIC):
        yield make(f"{name}-{i}", lambda g, n=name, t=text, f=function: g.unary(
            n, anywhere(g), t, f))
    for name in BINARY:
        # The divisor of a remainder: no quotient near an integer.
        yield make(name, lambda g, n=name: g.binary(n, positive(g), g.input(
            "y", (5,), values=[3.1, 2.7, 3.9, 2.3, 4.7])))
    yield make("select", lambda g: g.select(g.compare("gt", c, g.constant(0.2)), a, b)
               if (a := anywhere(g, "a")) and (b := anywhere(g, "b", (5,)))
               and (c := anywhere(g, "c")) else None)
    yield make("cast", lambda g: g.cast(g.cast(anywhere(g), "f64"), "f32"))

    x4 = (2, 4, 6, 5)
    image = lambda g: anywhere(g, "x", x4)
    weights = lambda g, shape: anywhere(g, "w", shape)
    yield make("reshape", lambda g: g.unary("square", g.reshape(image(g), (8, 30))))
    yield make("broadcast", lambda g: g.unary("square", g.broadcast(anywhere(g, "x", (4, 1)),
                                                                    (2, 4, 3))))
    yield make("transpose", lambda g: g.unary("square", g.transpose(image(g), (2, 0, 3, 1))))
    yield make("slice", lambda g: g.unary("square", g.slice(image(g), (0, 1, 1, 0), (2, 2, 2, 3),
                                                            (1, 1, 2, 2))))
    yield make("pad", lambda g: g.unary("square", g.pad(anywhere(g), (1, 0), (0, 2), 0.7,
                                                        (0, 1))))
    yield make("concat", lambda g: g.unary("square", g.concat([anywhere(g), anywhere(
        g, "y", (3, 2))], 1)))

    for i, keywords in enumerate([dict(), dict(stride=(2, 1), padding=(1, 2), dilation=(1, 2)),
                                  dict(groups=2, padding=(1, 1))]):
        yield make(f"conv2d-{i}", lambda g, k=keywords: g.conv2d(image(g), weights(
            g, (6, 4 // k.get("groups", 1), 3, 2)), **k))
    for i, keywords in enumerate([dict(), dict(stride=(2, 3), padding=(1, 0),
                                               output_padding=(1, 2)),
                                  dict(groups=2, dilation=(2, 1))]):
        yield make(f"conv_transpose2d-{i}", lambda g, k=keywords: g.conv_transpose2d(
            image(g), weights(g, (4, 3, 3, 2)), **k))
    yield make("conv2d_weight_grad", lambda g: g.conv2d_weight_grad(
        image(g), anywhere(g, "dy", (2, 3, 3, 4)), (3, 2), (2, 1), (1, 0)))
    for i, (a, b, keywords) in enumerate([
            ((3, 4), (4, 5), {}), ((4, 3), (5, 4), dict(transpose_a=True, transpose_b=True)),
            ((2, 1, 3, 4), (3, 5, 4), dict(transpose_b=True))]):
        yield make(f"matmul-{i}", lambda g, a=a, b=b, k=keywords: g.matmul(
            anywhere(g, "a", a), anywhere(g, "b", b), **k))

    for kind in ("sum", "max", "min", "prod", "moments"):
        for keep in (False, True):
            yield make(f"reduce-{kind}-{keep}", lambda g, k=kind, p=keep: g.reduce(
                k, positive(g, "x", (3, 4, 5)), (0, 2), p))
    for name in ("mean", "logsumexp"):
        yield make(name, lambda g, n=name: g.fold(n, image(g), (1, 3)))
    for kind in ("max", "min", "sum"):
        for i, window in enumerate([((2, 2), (2, 2)), ((3, 2), (1, 2), (1, 0), (1, 1), (1, 2))]):
            yield make(f"window_reduce-{kind}-{i}", lambda g, k=kind, w=window: g.window_reduce(
                k, image(g), *w))
    yield make("window_sum_grad", lambda g: g.window_grad(
        anywhere(g, "dy", (2, 4, 5, 4)), (6, 5), (2, 2)))
    yield make("window_max_grad", lambda g: g.window_grad(
        anywhere(g, "dy", (2, 4, 4, 4)), (6, 5), (3, 2), argmax=g.window_reduce(
            "max", image(g), (3, 2), argmax="i8")[1]))
    yield make("max_pool2d", lambda g: g.max_pool2d(image(g), (3, 2), (2, 1), (1, 0)))
    yield make("avg_pool2d", lambda g: g.avg_pool2d(image(g), (3, 3), (2, 2), (1, 1),
                                                    count_include_pad=False))
    for log in (False, True):
        yield make("log_softmax" if log else "softmax",
                   lambda g, l=log: g.softmax(image(g), 1, l))

    channels = lambda g: [positive(g, "gamma", (4,)), anywhere(g, "beta", (4,)),
                          anywhere(g, "mean", (4,)), positive(g, "var", (4,))]
    yield make("batch_norm", lambda g: g.batch_norm(image(g), *channels(g)))
    yield make("batch_norm_inference", lambda g: g.batch_norm_inference(image(g), *channels(g)))
    yield make("layer_norm", lambda g: g.layer_norm(image(g), 2, positive(g, "gamma", (6, 5)),
                                                    anywhere(g, "beta", (6, 5))))
    yield make("group_norm", lambda g: g.group_norm(image(g), 2, positive(g, "gamma", (4,)),
                                                    anywhere(g, "beta", (4,))))


def kinks():
    at = {"relu": [0.0, -0.0, NAN, INF], "abs": [0.0, -0.0], "relu6": [0.0, 6.0, NAN],
          "selu": [0.0, -0.0, NAN], "hardswish": [-3.0, 3.0, 0.0], "hardsigmoid": [-3.0, 3.0],
          "sign": [0.0, 1.0], "floor": [0.0, 1.0, -1.5], "ceil": [0.0, 1.0, -1.5],
          "round": [0.5, 1.5, -0.5], "trunc": [0.0, 1.0, -1.0], "sqrt": [0.0, 4.0],
          "rsqrt": [0.0], "log": [0.0, -1.0], "log1p": [-1.0], "reciprocal": [0.0],
          "log_sigmoid": [0.0, 800.0, -800.0], "sigmoid": [800.0, -800.0],
          "tanh": [INF, -INF, 400.0], "exp": [-INF, 800.0], "silu": [800.0, -800.0],
          "mish": [800.0, -800.0]}
    for name, values in at.items():
        yield make(name, lambda g, n=name, v=values: g.unary(n, g.input("x", (len(v),),
                                                                        values=v)))
    bounds = [0.0, -0.0, -0.5, 0.75, 0.1, 0.3, 20.0, 5.0, 40.0, -40.0, NAN]
    for i, (name, text, function) in enumerate(PARAMETRIC):
        yield make(f"{name}-{i}", lambda g, n=name, t=text, f=function: g.unary(
            n, g.input("x", (len(bounds),), values=bounds), t, f))
    ties = [1.0, 1.0, 2.0, 0.0, -0.0, INF, -INF, NAN]
    for name in ("maximum", "minimum"):
        yield make(f"{name}-ties", lambda g, n=name: g.binary(
            n, g.input("x", (len(ties), 1), values=ties), g.input("y", (len(ties),),
                                                                  values=ties)))
    yield make("atan2-origin", lambda g: g.binary("atan2", g.input(
        "x", (5,), values=[0.0, -0.0, 0.0, 1.0, 0.0]), g.input(
            "y", (5,), values=[0.0, 0.0, -0.0, 0.0, -1.0])))
    # Quotients that round up to the next integer, and those of what rounds to the divisor.
    yield make("remainder-steps", lambda g: g.binary("remainder", g.input(
        "x", (9,), values=[1.0, 0.3, 6.0, -6.0, 1e-20, 7.0, -7.0, 1.0, 0.0]), g.input(
            "y", (9,), values=[0.1, 0.1, 2.0, 2.0, -1e30, -INF, -INF, 0.0, 0.0])))
    yield make("maximum-of-itself", lambda g: g.binary("maximum", x, x)
               if (x := anywhere(g)) else None)
    rows = [[1.0, 1.0, 1.0, 1.0], [0.0, 2.0, 2.0, 1.0], [-1.0, 0.0, -0.0, 0.0],
            [INF, INF, 1.0, 2.0]]
    for kind in ("max", "min"):
        yield make(f"reduce-{kind}-ties", lambda g, k=kind: g.reduce(
            k, g.input("x", (4, 4), values=rows), (1,)))
        yield make(f"reduce-{kind}-first", lambda g, k=kind: [g.reduce(
            k, x, (d,), keep, first=True) for d, keep in ((0, False), (1, True))] if (
                x := g.input("x", (4, 4), values=rows)) else None)
        yield make(f"reduce-{kind}-first-long", lambda g, k=kind: g.reduce(
            k, g.unary("round", g.input("x", (3, 300, 2))), (1,), first=True))
        yield make(f"window-{kind}-ties", lambda g, k=kind: g.window_reduce(
            k, g.input("x", (4, 4), values=rows), (2, 3), (1, 1)))
    yield make("max_pool2d-ties", lambda g: g.max_pool2d(g.input(
        "x", (1, 1, 4, 4), values=rows), (3, 3), (1, 1), (1, 1)))
    # Behind what makes ties.
    yield make("max-of-relu", lambda g: [
        g.max_pool2d(y, (2, 2)), g.reduce("max", y, (2, 3))]
        if (y := g.unary("relu", g.input("x", (2, 3, 8, 8)))) else None)
    yield make("max-of-clamp", lambda g: [
        g.max_pool2d(y, (3, 3), (1, 1)), g.reduce("min", y, (3,))]
        if (y := g.unary("clamp", g.input("x", (2, 3, 8, 8)), "min -0.5 max 0.75",
                         PARAMETRIC[10][2])) else None)
    yield make("prod-zeros", lambda g: g.reduce("prod", g.input("x", (3, 3), values=[
        [0.0, 2.0, 3.0], [0.0, 0.0, 3.0], [1.0, 2.0, -3.0]]), (1,)))
    yield make("logsumexp-ties", lambda g: g.fold("logsumexp", g.input(
        "x", (2, 3), values=[[1.0, 1.0, 1.0], [INF, 1.0, 0.0]]), (1,)))
    yield make("softmax-far", lambda g: [g.softmax(x, 1), g.softmax(x, 1, True)] if (
        x := g.input("x", (2, 3), values=[[300.0, -300.0, 300.0], [-INF, 0.0, 1.0]])) else None)
    yield make("pow", lambda g: g.binary("pow", g.input("x", (5,), values=[
        0.0, 0.0, 2.0, 1.0, 3.0]), g.input("y", (5,), values=[2.0, 1.0, 0.0, 3.0, -1.0])))


SMOOTH, KINKS = list(smooth()), list(kinks())
