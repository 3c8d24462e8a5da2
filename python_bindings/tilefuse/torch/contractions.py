"""Convolutions and matrix products."""

from .table import lowers
from .text import Unsupported, ints


def add_bias(b, y, bias):
    """A bias per channel (dim 1)."""
    if bias is None:
        return y
    shaped = b.reshape(bias, (bias.shape[0],) + (1,) * (y.rank - 2))
    return b.binary("add", y, shaped)


@lowers("aten.convolution.default")
def convolution(b, x, w, bias, stride, padding, dilation, transposed, output_padding, groups):
    if x.rank not in (3, 4):
        raise Unsupported(f"a convolution of {x.rank - 2} dims")
    if not x.dtype.is_floating_point or x.dtype != w.dtype:
        raise Unsupported("element types of the convolution")
    is_1d = x.rank == 3
    if is_1d:
        x, w = (b.reshape(v, (*v.shape[:2], 1, v.shape[2])) for v in (x, w))

    def pair(values, neutral):
        values = list(values) * (1 if len(values) > 1 or is_1d else 2)
        return [neutral, *values] if is_1d else values
    stride, dilation = pair(stride, 1), pair(dilation, 1)
    padding, extra = pair(padding, 0), pair(output_padding, 0)
    words = [f"stride {ints(stride)} padding {ints(padding)}"]
    kernel = w.shape[2:]
    if transposed:
        words.append(f"output_padding {ints(extra)}")
        channels = w.shape[1] * groups
        size = [(n - 1) * s - 2 * p + d * (k - 1) + e + 1 for n, s, p, d, k, e in
                zip(x.shape[2:], stride, padding, dilation, kernel, extra)]
    else:
        channels = w.shape[0]
        size = [(n + 2 * p - d * (k - 1) - 1) // s + 1 for n, s, p, d, k in
                zip(x.shape[2:], stride, padding, dilation, kernel)]
    words.append(f"dilation {ints(dilation)} groups {groups}")
    words += b.precision.attribute(x.dtype, "conv")
    name = "conv_transpose2d" if transposed else "conv2d"
    y = b.op(name, [x, w], (x.shape[0], channels, *size), attributes=" ".join(words),
             style="function")
    y = add_bias(b, y, bias)
    return b.reshape(y, (y.shape[0], y.shape[1], y.shape[3])) if is_1d else y


def product(b, x, y):
    if not x.dtype.is_floating_point:
        raise Unsupported("a product of integers")
    if x.shape[-1] == 0:
        return b.constant(0.0, x.dtype, (*x.shape[:-1], y.shape[-1]))
    return b.matmul(x, y)


@lowers("aten.mm.default", "aten.bmm.default")
def mm(b, x, y):
    return product(b, x, y)


@lowers("aten.matmul.default")
def matmul(b, x, y):
    left = b.reshape(x, (1, *x.shape)) if x.rank == 1 else x
    right = b.reshape(y, (*y.shape, 1)) if y.rank == 1 else y
    return b.reshape(product(b, left, right), tuple(b.out.shape))


@lowers("aten.linear.default")
def linear(b, x, w, bias):
    y = product(b, x, b.transpose(w, [1, 0]))
    return y if bias is None else b.binary("add", y, bias)


def scaled(b, x, factor):
    return x if factor == 1 else b.binary("mul", x, b.scalar(float(factor), x))


def accumulate(b, x, y, beta, alpha):
    """beta * x + alpha * y; nothing of x where beta is 0, not even its NaNs."""
    y = scaled(b, y, alpha)
    return y if beta == 0 else b.binary("add", y, scaled(b, x, beta))


@lowers("aten.addmm.default", "aten.baddbmm.default")
def addmm(b, x, y, z, beta, alpha):
    return accumulate(b, x, product(b, y, z), beta, alpha)


@lowers("aten.addbmm.default")
def addbmm(b, x, y, z, beta, alpha):
    return accumulate(b, x, b.reduce("sum", product(b, y, z), [0]), beta, alpha)


@lowers("aten.mv.default")
def mv(b, x, y):
    return b.reshape(product(b, x, b.reshape(y, (*y.shape, 1))), (x.shape[0],))


@lowers("aten.addmv.default")
def addmv(b, x, y, z, beta, alpha):
    return accumulate(b, x, mv(b, y, z), beta, alpha)


@lowers("aten.dot.default", "aten.vdot.default")
def dot(b, x, y):
    return b.reshape(product(b, b.reshape(x, (1, x.shape[0])), b.reshape(y, (y.shape[0], 1))), ())


@lowers("aten.addr.default")
def addr(b, x, y, z, beta, alpha):
    if not y.dtype.is_floating_point:
        raise Unsupported("a product of integers")
    outer = b.binary("mul", b.reshape(y, (y.shape[0], 1)), z)
    result = accumulate(b, x, outer, beta, alpha)
    return b.broadcast(result, tuple(b.out.shape))
