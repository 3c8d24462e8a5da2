"""Normalisations and softmax."""

import math

import torch

from . import state  # noqa: F401  (defines the tilefuse.batch_norm ops)
from .table import lowers
from .text import Unsupported, attribute


def eps_text(eps):
    return f"eps {attribute(eps)}"


def channel_vector(b, x, value, filler):
    """A parameter per channel, or the constant that stands for its absence."""
    return value if value is not None else b.constant(filler, x.dtype, (x.shape[1],))


@lowers("tilefuse.batch_norm_train.default")
def batch_norm_train(b, x, weight, bias, mean, var, momentum, eps):
    if math.prod(x.shape) == x.shape[1]:
        raise Unsupported("one value per channel")
    parameters = [channel_vector(b, x, weight, 1.0), channel_vector(b, x, bias, 0.0),
                  channel_vector(b, x, mean, 0.0), channel_vector(b, x, var, 1.0)]
    results = [b.fresh(x.shape, x.dtype), *[b.fresh(p.shape, p.dtype) for p in parameters[2:]]]
    b.append("batch_norm", [x, *parameters], results,
             f"{eps_text(eps)} momentum {attribute(momentum)}", "function")
    return (results[0], results[1] if mean is not None else None,
            results[2] if var is not None else None)


@lowers("tilefuse.batch_norm_eval.default")
def batch_norm_eval(b, x, weight, bias, mean, var, eps):
    parameters = [channel_vector(b, x, weight, 1.0), channel_vector(b, x, bias, 0.0), mean, var]
    return b.op("batch_norm_inference", [x, *parameters], attributes=eps_text(eps),
                style="function")


@lowers("aten.native_layer_norm.default")
def layer_norm(b, x, shape, weight, bias, eps):
    if math.prod(shape) == 1:
        # The deviation from the mean of one element is an exact zero, and so is its gradient.
        return affine(b, b.binary("sub", x, x), weight, bias), None, None
    if eps < 0:
        rows = (*x.shape[:x.rank - len(shape)], math.prod(shape))
        return affine(b, standardised(b, x, rows, eps), weight, bias), None, None
    words, operands = [f"num_dims {len(shape)}"], [x]
    for word, value in (("gamma", weight), ("beta", bias)):
        if value is not None:
            words.append(f"{word} {value.name}")
            operands.append(value)
    return written(b, "layer_norm", operands, words, eps), None, None


def written(b, name, operands, words, eps):
    """An op whose optional operands come after words of its own."""
    result = b.fresh(operands[0].shape, operands[0].dtype)
    given = ", ".join(o.type for o in operands)
    b.lines.append(f"{result.name} = fuse.{name} {operands[0].name} {' '.join(words)} "
                   f"{eps_text(eps)} : ({given}) -> {result.type}")
    return result


def affine(b, x, weight, bias):
    x = x if weight is None else b.binary("mul", x, weight)
    return x if bias is None else b.binary("add", x, bias)


def standardised(b, x, shape, eps):
    """The last dim of x, seen in `shape`, by its mean and variance, written out; any eps."""
    wide = torch.float64 if x.dtype == torch.float64 else torch.float32
    rows = b.reshape(b.cast(x, wide), shape)
    dims = [rows.rank - 1]
    centred = b.binary("sub", rows, b.fold("mean", rows, dims, keepdims=True))
    variance = b.fold("mean", b.unary("square", centred), dims, keepdims=True)
    factor = b.unary("rsqrt", b.binary("add", variance, b.scalar(eps, variance)))
    return b.cast(b.reshape(b.binary("mul", centred, factor), x.shape), x.dtype)


@lowers("aten.native_group_norm.default")
def group_norm(b, x, weight, bias, n, c, size, groups, eps):
    if eps < 0:
        shape = (c,) + (1,) * (x.rank - 2)
        weight, bias = (v if v is None else b.reshape(v, shape) for v in (weight, bias))
        rows = (x.shape[0], groups, math.prod(x.shape[1:]) // groups)
        return affine(b, standardised(b, x, rows, eps), weight, bias), None, None
    words, operands = [f"groups {groups}"], [x]
    for word, value in (("gamma", weight), ("beta", bias)):
        if value is not None:
            words.append(f"{word} {value.name}")
            operands.append(value)
    return written(b, "group_norm", operands, words, eps), None, None


@lowers("aten.rms_norm.default", "aten._fused_rms_norm.default")
def rms_norm(b, x, shape, weight, eps):
    wide = torch.float64 if x.dtype == torch.float64 else torch.float32
    eps = torch.finfo(wide if isinstance(b.out, tuple) else x.dtype).eps if eps is None else eps
    value = b.cast(x, wide)
    dims = range(x.rank - len(shape), x.rank)
    power = b.fold("mean", b.unary("square", value), dims, keepdims=True)
    factor = b.unary("rsqrt", b.binary("add", power, b.scalar(eps, power)))
    y = b.binary("mul", value, factor)
    if weight is not None:
        y = b.binary("mul", y, b.cast(weight, wide))
    y = b.cast(y, x.dtype)
    return (y, None) if isinstance(b.out, (tuple, list)) else y


def along(b, name, x, dim, dtype):
    if not dtype.is_floating_point:
        raise Unsupported("integers")
    if x.rank == 0:
        return b.reshape(b.op(name, [b.reshape(b.cast(x, dtype), (1,))], attributes="dim 0",
                              style="arrow"), ())
    return b.op(name, [b.cast(x, dtype)], attributes=f"dim {dim % x.rank}", style="arrow")


@lowers("aten._softmax.default")
def softmax(b, x, dim, half_to_float):
    return along(b, "softmax", x, dim, b.out.dtype)


@lowers("aten._log_softmax.default")
def log_softmax(b, x, dim, half_to_float):
    return along(b, "log_softmax", x, dim, b.out.dtype)


@lowers("aten._scaled_dot_product_flash_attention_for_cpu.default")
def attention(b, query, key, value, dropout, is_causal, mask, scale):
    """softmax(query @ key^T * scale + mask) @ value; zeros where a mask leaves nothing."""
    if dropout:
        raise Unsupported("dropout")
    if query.dtype not in (torch.float32, torch.float64):
        raise Unsupported("16-bit elements")
    if query.shape[:2] != key.shape[:2] or 0 in key.shape:
        raise Unsupported("heads that share keys, or none")
    factor = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    scores = b.matmul(b.binary("mul", query, b.scalar(factor, query)),
                      b.transpose(key, [0, 1, 3, 2]))
    lowest = b.scalar(-math.inf, scores)
    if is_causal:
        shape = scores.shape[-2:]
        seen = b.compare("le", b.iota(shape, 1), b.iota(shape, 0))
        scores = b.select(seen, scores, lowest)
    if mask is None:
        return b.matmul(b.op("softmax", [scores], attributes="dim 3", style="arrow"), value), None
    scores = (b.select(mask, scores, lowest) if mask.dtype == torch.bool
              else b.binary("add", scores, b.cast(mask, scores.dtype)))
    nothing = b.compare("eq", b.reduce("max", scores, [3], keepdims=True), lowest)
    zero = b.scalar(0.0, scores)
    weights = b.op("softmax", [b.select(nothing, zero, scores)], attributes="dim 3", style="arrow")
    return b.matmul(b.select(nothing, zero, weights), value), None
