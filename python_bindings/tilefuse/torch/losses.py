"""Losses that ATen keeps whole."""

import torch

from .pointwise import NARROW, operand
from .reductions import fold
from .table import lowers
from .text import Unsupported

NONE, MEAN, SUM = 0, 1, 2


def reduced(b, loss, reduction):
    if reduction == NONE:
        return loss
    if loss.rank == 0:
        return loss
    if reduction == MEAN:
        return b.fold("mean", loss, range(loss.rank))
    return fold(b, "sum", loss, None, False)


def both(b, x, y):
    dtype = b.out.dtype
    if not dtype.is_floating_point:
        raise Unsupported("integers")
    return operand(b, x, dtype), operand(b, y, dtype)


@lowers("aten.mse_loss.default")
def mse_loss(b, x, target, reduction):
    x, target = both(b, x, target)
    return reduced(b, b.unary("square", b.binary("sub", x, target)), reduction)


@lowers("aten.smooth_l1_loss.default")
def smooth_l1_loss(b, x, target, reduction, beta):
    x, target = both(b, x, target)
    distance = b.unary("abs", b.binary("sub", x, target))
    if beta == 0:
        return reduced(b, distance, reduction)
    near = b.binary("mul", b.unary("square", distance), b.scalar(0.5 / beta, x))
    far = b.binary("sub", distance, b.scalar(0.5 * beta, x))
    return reduced(b, b.select(b.compare("lt", distance, b.scalar(float(beta), x)), near, far),
                   reduction)


@lowers("aten.huber_loss.default")
def huber_loss(b, x, target, reduction, delta):
    x, target = both(b, x, target)
    distance = b.unary("abs", b.binary("sub", x, target))
    near = b.binary("mul", b.unary("square", distance), b.scalar(0.5, x))
    far = b.binary("mul", b.binary("sub", distance, b.scalar(0.5 * delta, x)),
                   b.scalar(float(delta), x))
    return reduced(b, b.select(b.compare("le", distance, b.scalar(float(delta), x)), near, far),
                   reduction)


@lowers("aten.soft_margin_loss.default")
def soft_margin_loss(b, x, target, reduction):
    x, target = both(b, x, target)
    loss = b.unary("log1p", b.unary("exp", b.unary("neg", b.binary("mul", x, target))))
    return reduced(b, loss, reduction)


@lowers("aten.binary_cross_entropy.default")
def binary_cross_entropy(b, x, target, weight, reduction):
    x, target = both(b, x, target)
    dtype = x.dtype
    if dtype in NARROW:
        x, target = b.cast(x, torch.float32), b.cast(target, torch.float32)
    one = b.scalar(1.0, x)
    fixed = b.op("reshape", [x], attributes="{fuse.stop_gradient}", style="arrow")
    opposite = b.binary("sub", one, fixed)

    def logarithm(p):
        return b.binary("maximum", b.unary("log", p), b.scalar(-100.0, x))
    rest = b.binary("sub", one, target)
    near = b.binary("mul", target, logarithm(fixed))
    far = b.binary("mul", rest, logarithm(opposite))
    loss = b.unary("neg", b.binary("add", near, far))
    # PyTorch's slope, which is finite at 0 and 1 as well: a summand that is zero has it.
    spread = b.binary("maximum", b.binary("mul", opposite, fixed), b.scalar(1e-12, x))
    slope = b.op("div", [b.binary("sub", fixed, target), spread],
                 attributes="{fuse.stop_gradient}")
    loss = b.binary("add", loss, b.binary("mul", b.binary("sub", x, fixed), slope))
    loss = b.cast(loss, dtype)
    if weight is not None:
        loss = b.binary("mul", loss, b.cast(weight, x.dtype))
    return reduced(b, loss, reduction)


@lowers("aten.nll_loss_forward.default", "aten.nll_loss2d_forward.default")
def nll_loss(b, x, target, weight, reduction, ignore_index):
    if 1 in b.used:
        raise Unsupported("the total weight as a result")
    if target.dtype != torch.int64:
        raise Unsupported("a target that is not int64")
    if x.rank == 1:
        x = b.reshape(x, (1, *x.shape))
        target = b.reshape(target, (1,))
    classes = x.shape[1]
    # The target's class, counted along dim 1, picks one element of each row.
    places = b.reshape(target, (x.shape[0], 1, *x.shape[2:]))
    numbers = b.reshape(b.iota((classes,), 0), (classes,) + (1,) * (x.rank - 2))
    hit = b.compare("eq", numbers, places)
    zero = b.scalar(0.0, x)
    valid = b.compare("ne", target, b.constant(ignore_index, torch.int64))
    picked = b.unary("neg", b.reduce("sum", b.select(hit, x, zero), [1]))
    if weight is None:
        weights = b.cast(valid, x.dtype)
    else:
        shaped = b.reshape(weight, (classes,) + (1,) * (x.rank - 2))
        chosen = b.reduce("sum", b.select(hit, shaped, zero), [1])
        weights = b.select(valid, chosen, zero)
    loss = b.select(valid, b.binary("mul", picked, weights), zero)
    if reduction == NONE:
        return b.reshape(loss, tuple(b.out[0].shape)), None
    total = fold(b, "sum", loss, None, False)
    if reduction == MEAN:
        total = b.binary("div", total, fold(b, "sum", weights, None, False))
    return b.reshape(total, ()), None
