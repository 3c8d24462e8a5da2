"""Ops that move elements."""

import math

import torch

from .table import lowers
from .text import Unsupported


@lowers("aten.view.default", "aten._unsafe_view.default", "aten.reshape.default",
        "aten.squeeze.default", "aten.squeeze.dim", "aten.squeeze.dims", "aten.unsqueeze.default",
        "aten.flatten.using_ints", "aten._reshape_alias.default", "aten.view_copy.default",
        "aten.squeeze_copy.default", "aten.squeeze_copy.dim", "aten.squeeze_copy.dims",
        "aten.unsqueeze_copy.default")
def reshape(b, x, *_):
    # x.transposed is lost, as it should be: the last two dims are others now.
    return b.reshape(x, tuple(b.out.shape))


@lowers("aten.expand.default", "aten.expand_copy.default", "aten.broadcast_to.default")
def expand(b, x, *_):
    return b.broadcast(x, tuple(b.out.shape))


@lowers("aten.permute.default", "aten.permute_copy.default")
def permute(b, x, dims):
    return b.transpose(x, dims)


@lowers("aten.t.default", "aten.t_copy.default", "aten.mT.default", "aten.numpy_T.default")
def t(b, x):
    return x if x.rank < 2 else b.transpose(x, [1, 0])


@lowers("aten.transpose.int", "aten.transpose_copy.int")
def transpose(b, x, i, j):
    if x.rank == 0:
        return x
    permutation = list(range(x.rank))
    i, j = i % x.rank, j % x.rank
    permutation[i], permutation[j] = j, i
    return b.transpose(x, permutation)


def bounded(index, size):
    """A slice's end as a position between 0 and size."""
    index = index + size if index < 0 else index
    return min(max(index, 0), size)


@lowers("aten.slice.Tensor", "aten.slice_copy.Tensor")
def slice_(b, x, dim, start, end, step):
    dim %= x.rank
    size = x.shape[dim]
    start = bounded(start or 0, size)
    end = bounded(size if end is None else end, size)
    count = max(0, -(-(end - start) // step))
    if count == 0:
        raise Unsupported("an empty tensor")
    return b.slice_dim(x, dim, start, count, step)


@lowers("aten.select.int", "aten.select_copy.int")
def select(b, x, dim, index):
    dim %= x.rank
    part = b.slice_dim(x, dim, index % x.shape[dim], 1)
    return b.reshape(part, tuple(b.out.shape))


@lowers("aten.diagonal.default", "aten.diagonal_copy.default")
def diagonal(b, x, offset, dim1, dim2):
    dim1, dim2 = dim1 % x.rank, dim2 % x.rank
    lead = [d for d in range(x.rank) if d not in (dim1, dim2)]
    x = b.transpose(x, [*lead, dim1, dim2])
    *shape, rows, columns = x.shape
    # Neighbours on a diagonal are a row and a column apart.
    flat = b.reshape(x, (*shape, rows * columns))
    start = offset if offset >= 0 else -offset * columns
    return b.slice_dim(flat, len(shape), start, b.out.shape[-1], columns + 1)


def split_at(b, x, sizes, dim):
    parts, start = [], 0
    for size in sizes:
        parts.append(b.slice_dim(x, dim, start, size) if size else None)
        start += size
    return tuple(parts)


@lowers("aten.split.Tensor", "aten.split_copy.Tensor")
def split(b, x, size, dim):
    dim %= x.rank
    whole = x.shape[dim]
    return split_at(b, x, [min(size, whole - s) for s in range(0, whole, size)], dim)


@lowers("aten.split_with_sizes.default", "aten.split_with_sizes_copy.default")
def split_with_sizes(b, x, sizes, dim):
    return split_at(b, x, sizes, dim % x.rank)


@lowers("aten.unbind.int", "aten.unbind_copy.int")
def unbind(b, x, dim):
    dim %= x.rank
    shape = x.shape[:dim] + x.shape[dim + 1:]
    return tuple(b.reshape(b.slice_dim(x, dim, i, 1), shape) for i in range(x.shape[dim]))


@lowers("aten.cat.default")
def cat(b, values, dim):
    values = [b.cast(v, b.out.dtype) for v in values if 0 not in v.shape]
    return b.concat(values, dim % values[0].rank)


@lowers("aten.stack.default")
def stack(b, values, dim):
    rank = values[0].rank + 1
    dim %= rank
    return b.concat([b.reshape(b.cast(v, b.out.dtype), (*v.shape[:dim], 1, *v.shape[dim:]))
                     for v in values], dim)


@lowers("aten.constant_pad_nd.default")
def constant_pad(b, x, padding, value):
    low, high = [0] * x.rank, [0] * x.rank
    for i in range(len(padding) // 2):
        low[x.rank - 1 - i], high[x.rank - 1 - i] = padding[2 * i], padding[2 * i + 1]
    if 0 in x.shape:
        return b.constant(value, x.dtype, tuple(b.out.shape))
    # Negative padding cuts off.
    offsets = [max(0, -p) for p in low]
    sizes = [n - o - max(0, -q) for n, o, q in zip(x.shape, offsets, high)]
    x = b.slice(x, offsets, sizes)
    return b.pad(x, [max(0, p) for p in low], [max(0, p) for p in high], value)


def mirrored(b, x, padding, edge):
    """Reflection (edge False) or replication (edge True), one dim after the other."""
    for i in range(len(padding) // 2):
        dim = x.rank - 1 - i
        low, high = padding[2 * i], padding[2 * i + 1]
        size = x.shape[dim]
        if low < 0 or high < 0:
            # Negative padding cuts off.
            start = max(0, -low)
            x = b.slice_dim(x, dim, start, size - start - max(0, -high))
            low, high, size = max(0, low), max(0, high), x.shape[dim]
        if low + high > 16:
            raise Unsupported("padding so wide that it would be many slices")
        front = [0 if edge else p for p in range(low, 0, -1)]
        back = [size - 1 if edge else size - 2 - p for p in range(high)]
        one = [b.slice_dim(x, dim, p, 1) for p in front]
        other = [b.slice_dim(x, dim, p, 1) for p in back]
        x = b.concat([*one, x, *other], dim)
    return x


@lowers("aten.reflection_pad1d.default", "aten.reflection_pad2d.default",
        "aten.reflection_pad3d.default")
def reflection_pad(b, x, padding):
    return mirrored(b, x, padding, False)


@lowers("aten.replication_pad1d.default", "aten.replication_pad2d.default",
        "aten.replication_pad3d.default")
def replication_pad(b, x, padding):
    return mirrored(b, x, padding, True)


@lowers("aten.repeat.default")
def repeat(b, x, times):
    shape = (1,) * (len(times) - x.rank) + x.shape
    between = [v for t, n in zip(times, shape) for v in (t, n)]
    spread = [v for n in shape for v in (1, n)]
    return b.reshape(b.broadcast(b.reshape(x, spread), tuple(between)),
                     tuple(t * n for t, n in zip(times, shape)))


@lowers("aten.roll.default")
def roll(b, x, shifts, dims):
    if not dims:
        return b.reshape(roll(b, b.reshape(x, (math.prod(x.shape),)), shifts, [0]), x.shape)
    for shift, dim in zip(shifts, dims):
        dim %= x.rank
        size = x.shape[dim]
        cut = (-shift) % size
        if cut:
            x = b.concat([b.slice_dim(x, dim, cut, size - cut), b.slice_dim(x, dim, 0, cut)], dim)
    return x


@lowers("aten.flip.default")
def flip(b, x, dims):
    for dim in dims:
        dim %= x.rank
        if x.shape[dim] > 16:
            raise Unsupported("a reversal of so many elements")
        x = b.concat([b.slice_dim(x, dim, p, 1) for p in range(x.shape[dim] - 1, -1, -1)], dim)
    return x


def triangle(predicate):
    def lowering(b, x, diagonal):
        shape = x.shape[-2:]
        rows, columns = b.iota(shape, 0), b.iota(shape, 1)
        edge = b.binary("add", rows, b.constant(diagonal, rows.dtype))
        return b.select(b.compare(predicate, columns, edge), x, b.constant(0, x.dtype))
    return lowering


lowers("aten.tril.default")(triangle("le"))
lowers("aten.triu.default")(triangle("ge"))


@lowers("aten.select_scatter.default")
def select_scatter(b, x, part, dim, index):
    dim %= x.rank
    shape = (*x.shape[:dim], 1, *x.shape[dim + 1:])
    return scattered(b, x, b.reshape(part, shape), dim, index % x.shape[dim], 1)


@lowers("aten.slice_scatter.default")
def slice_scatter(b, x, part, dim, start, end, step):
    dim %= x.rank
    if step != 1:
        raise Unsupported("a step")
    size = x.shape[dim]
    start = bounded(start or 0, size)
    end = bounded(size if end is None else end, size)
    return scattered(b, x, part, dim, start, end - start)


def scattered(b, x, part, dim, start, count):
    """x with `count` elements of a dim, from `start`, replaced."""
    pieces = []
    if start:
        pieces.append(b.slice_dim(x, dim, 0, start))
    pieces.append(b.broadcast(part, (*x.shape[:dim], count, *x.shape[dim + 1:])))
    behind = x.shape[dim] - start - count
    if behind:
        pieces.append(b.slice_dim(x, dim, start + count, behind))
    return b.concat(pieces, dim)


@lowers("aten.pixel_shuffle.default")
def pixel_shuffle(b, x, factor):
    *lead, c, h, w = x.shape
    k, n = c // factor ** 2, len(lead)
    parts = b.reshape(x, (*lead, k, factor, factor, h, w))
    moved = b.transpose(parts, [*range(n), n, n + 3, n + 1, n + 4, n + 2])
    return b.reshape(moved, (*lead, k, h * factor, w * factor))


@lowers("aten.pixel_unshuffle.default")
def pixel_unshuffle(b, x, factor):
    *lead, c, h, w = x.shape
    n = len(lead)
    parts = b.reshape(x, (*lead, c, h // factor, factor, w // factor, factor))
    moved = b.transpose(parts, [*range(n), n, n + 2, n + 4, n + 1, n + 3])
    return b.reshape(moved, (*lead, c * factor ** 2, h // factor, w // factor))


@lowers("aten.upsample_nearest1d.default", "aten._upsample_nearest_exact1d.default",
        "aten.upsample_nearest2d.default", "aten._upsample_nearest_exact2d.default")
def upsample_nearest(b, x, size, *scales):
    dims = range(x.rank - len(size), x.rank)
    if any(scale is not None and scale != n / x.shape[d]
           for d, n, scale in zip(dims, size, scales)):
        raise Unsupported("a scale that is not the quotient of the sizes")
    between, spread = list(x.shape[:dims[0]]), list(x.shape[:dims[0]])
    for d, n in zip(dims, size):
        factor, rest = divmod(n, x.shape[d])
        if rest:
            raise Unsupported("a size that is no multiple")
        between += [x.shape[d], 1]
        spread += [x.shape[d], factor]
    repeated = b.broadcast(b.reshape(x, between), tuple(spread))
    return b.reshape(repeated, tuple(b.out.shape))


@lowers("aten.gather.default")
def gather(b, x, dim, index, sparse):
    """One element of every row: the others count as 0 in a sum."""
    dim = dim % x.rank if x.rank else 0
    if x.rank == 0 or x.dtype == torch.bool:
        raise Unsupported("booleans, or one element")
    if index.shape[dim] != 1:
        raise Unsupported("several elements of a row")
    sizes = [*index.shape[:dim], x.shape[dim], *index.shape[dim + 1:]]
    places = b.iota(tuple(sizes), dim)
    taken = b.compare("eq", places, b.broadcast(b.cast(index, places.dtype), tuple(sizes)))
    rows = b.slice(x, [0] * x.rank, sizes)
    return b.reduce("sum", b.select(taken, rows, b.constant(0, x.dtype)), [dim], keepdims=True)


@lowers("aten.index_put.default")
def index_put(b, x, indices, values, accumulate):
    """x[mask] = one value."""
    mask = indices[0]
    if len(indices) != 1 or mask is None or mask.dtype != torch.bool:
        raise Unsupported("places that are not one mask")
    if accumulate or math.prod(values.shape) != 1:
        raise Unsupported("several values")
    mask = b.reshape(mask, (*mask.shape, *[1] * (x.rank - mask.rank)))
    return b.select(b.broadcast(mask, x.shape), b.reshape(b.cast(values, x.dtype), ()), x)
