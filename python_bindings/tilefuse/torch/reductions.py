"""Reductions over dims."""

import math

import torch

from .table import lowers
from .text import Unsupported, ints, reduced_shape


def folded(x, dim):
    """The dims that an ATen `dim` argument names; none named means all."""
    if dim is None or (isinstance(dim, (list, tuple)) and not dim):
        return list(range(x.rank))
    dims = list(dim) if isinstance(dim, (list, tuple)) else [dim]
    return sorted(d % x.rank for d in dims) if x.rank else []


def single(b, x):
    """A rank-0 tensor as a vector, so that it can be reduced."""
    return b.reshape(x, (1,)) if x.rank == 0 else x


def fold(b, kind, x, dim, keepdim, dtype=None):
    dims = folded(x, dim)
    if x.rank == 0:
        return b.reshape(b.reduce(kind, single(b, x), [0], dtype=dtype), ())
    return b.reduce(kind, x, dims, keepdim, dtype)


@lowers("aten.sum.default")
def sum_all(b, x, dtype):
    return sum_dims(b, x, None, False, dtype)


@lowers("aten.sum.dim_IntList")
def sum_dims(b, x, dim, keepdim, dtype):
    return fold(b, "sum", b.cast(x, b.out.dtype), dim, keepdim)


@lowers("aten.mean.default")
def mean_all(b, x, dtype):
    return mean_dims(b, x, None, False, dtype)


@lowers("aten.mean.dim")
def mean_dims(b, x, dim, keepdim, dtype):
    x = b.cast(x, b.out.dtype)
    if x.rank == 0:
        return x
    return b.fold("mean", x, folded(x, dim), keepdim)


@lowers("aten.prod.default")
def prod_all(b, x, dtype):
    return fold(b, "prod", b.cast(x, b.out.dtype), None, False)


@lowers("aten.prod.dim_int")
def prod_dim(b, x, dim, keepdim, dtype):
    return fold(b, "prod", b.cast(x, b.out.dtype), dim, keepdim)


def _numbers(x):
    if x.dtype == torch.bool:
        raise Unsupported("booleans")


@lowers("aten.amax.default")
def amax(b, x, dim, keepdim):
    _numbers(x)
    return fold(b, "max", x, dim, keepdim)


@lowers("aten.amin.default")
def amin(b, x, dim, keepdim):
    _numbers(x)
    return fold(b, "min", x, dim, keepdim)


@lowers("aten.max.default")
def max_all(b, x):
    return amax(b, x, None, False)


@lowers("aten.min.default")
def min_all(b, x):
    return amin(b, x, None, False)


@lowers("aten.aminmax.default")
def aminmax(b, x, dim, keepdim):
    return amin(b, x, dim, keepdim), amax(b, x, dim, keepdim)


def extreme(b, x, dim, keepdim, kind):
    """Values and first positions along one dim."""
    _numbers(x)
    if x.rank == 0:
        return x, b.constant(0, torch.int64)
    dims = [dim % x.rank]
    # Of equal elements the first alone has the gradient.
    values = b.reduce(kind, x, dims, keepdim, attributes=" {fuse.first_extreme}")
    places = None
    if 1 in b.used:
        places = position(b, x, dims, keepdim, kind)
    return values, places


def position(b, x, dims, keepdim, kind):
    if kind == "min":
        if not x.dtype.is_floating_point:
            raise Unsupported("positions of the least integers")
        x = b.unary("neg", x)
    return b.reduce("argmax", x, dims, keepdim, torch.int64)


@lowers("aten.max.dim")
def max_dim(b, x, dim, keepdim):
    return extreme(b, x, dim, keepdim, "max")


@lowers("aten.min.dim")
def min_dim(b, x, dim, keepdim):
    return extreme(b, x, dim, keepdim, "min")


def arg(b, x, dim, keepdim, kind):
    _numbers(x)
    if x.rank == 0:
        return b.constant(0, torch.int64)
    return position(b, x, folded(x, dim), keepdim, kind)


@lowers("aten.argmax.default")
def argmax(b, x, dim, keepdim):
    return arg(b, x, dim, keepdim, "max")


@lowers("aten.argmin.default")
def argmin(b, x, dim, keepdim):
    return arg(b, x, dim, keepdim, "min")


@lowers("aten.logsumexp.default")
def logsumexp(b, x, dim, keepdim):
    if not x.dtype.is_floating_point:
        raise Unsupported("integers")
    if x.rank == 0:
        return x
    return b.fold("logsumexp", x, folded(x, dim), keepdim)


# Moments ---------------------------------------------------------------------------

def moments(b, x, dim, correction, keepdim):
    """Mean and variance; the sum of squared deviations over count - correction."""
    if not x.dtype.is_floating_point:
        raise Unsupported("integers")
    dtype = x.dtype
    wide = torch.float64 if dtype == torch.float64 else torch.float32
    if x.rank == 0:
        raise Unsupported("a tensor of rank 0")
    dims = folded(x, dim)
    count = math.prod(x.shape[d] for d in dims)
    rest = count - (1 if correction is None else correction)
    shape = reduced_shape(x.shape, dims, keepdim)
    mean, squares = b.fresh(shape, wide), b.fresh(shape, wide)
    keep = " keepdims" if keepdim else ""
    b.append("reduce moments", [x], [mean, squares], f"dims {ints(dims)}{keep}", "arrow")
    variance = b.binary("div", squares, b.scalar(float(max(rest, 0)), squares))
    return mean, variance, dtype


@lowers("aten.var.correction")
def var(b, x, dim, correction, keepdim):
    _, variance, dtype = moments(b, x, dim, correction, keepdim)
    return b.cast(variance, dtype)


@lowers("aten.std.correction")
def std(b, x, dim, correction, keepdim):
    _, variance, dtype = moments(b, x, dim, correction, keepdim)
    return b.cast(root(b, variance), dtype)


def root(b, variance):
    """The square root, whose gradient here is 0 where it is 0 itself."""
    zero = b.scalar(0.0, variance)
    vanishes = b.compare("eq", variance, zero)
    return b.select(vanishes, zero, b.unary("sqrt", b.select(
        vanishes, b.scalar(1.0, variance), variance)))


@lowers("aten.var_mean.correction")
def var_mean(b, x, dim, correction, keepdim):
    mean, variance, dtype = moments(b, x, dim, correction, keepdim)
    return b.cast(variance, dtype), b.cast(mean, dtype)


@lowers("aten.std_mean.correction")
def std_mean(b, x, dim, correction, keepdim):
    mean, variance, dtype = moments(b, x, dim, correction, keepdim)
    return b.cast(root(b, variance), dtype), b.cast(mean, dtype)


# Truth and norms -------------------------------------------------------------------

def quantifier(kind):
    def lowering(b, x, dim=None, keepdim=False):
        ones = b.cast(b.cast(x, torch.bool), torch.int32)
        return b.cast(fold(b, kind, ones, dim, keepdim), torch.bool)
    return lowering


lowers("aten.any.default", "aten.any.dim", "aten.any.dims")(quantifier("max"))
lowers("aten.all.default", "aten.all.dim", "aten.all.dims")(quantifier("min"))


@lowers("aten.count_nonzero.dim_IntList", "aten.count_nonzero.default")
def count_nonzero(b, x, dim):
    return fold(b, "sum", b.cast(b.cast(x, torch.bool), torch.int64), dim, False)


@lowers("aten.linalg_vector_norm.default")
def vector_norm(b, x, order, dim, keepdim, dtype):
    if not b.out.dtype.is_floating_point:
        raise Unsupported("integers")
    x = b.cast(x, b.out.dtype)
    size = b.unary("abs", x)
    zero = b.scalar(0.0, x)
    if order == 0:
        return fold(b, "sum", b.cast(b.compare("ne", x, zero), x.dtype), dim, keepdim)
    if x.rank == 0:
        return size
    kinds = {math.inf: "max", -math.inf: "min", 1: "sum"}
    if order in kinds:
        return fold(b, kinds[order], size, dim, keepdim)
    if order < 1:
        raise Unsupported(f"the norm of order {order}, whose gradient at 0 has a rule of its own")
    if order == 2:
        power = b.unary("square", x)
    else:
        power = b.binary("pow", size, b.scalar(float(order), x))
    total = fold(b, "sum", power, dim, keepdim)
    # The root's gradient at 0 is not finite, the norm's is 0.
    vanishes = b.compare("eq", total, zero)
    safe = b.select(vanishes, b.scalar(1.0, x), total)
    root = b.unary("sqrt", safe) if order == 2 else (
        b.binary("pow", safe, b.scalar(1.0 / order, x)))
    return b.select(vanishes, zero, root)


@lowers("aten.norm.ScalarOpt_dim", "aten.norm.Scalar")
def norm(b, x, order, dim=None, keepdim=False):
    return vector_norm(b, x, 2 if order is None else order, dim, keepdim, None)
