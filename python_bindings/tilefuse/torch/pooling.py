"""Pooling: windows of one size, and the adaptive ones."""

import itertools
import math

import torch

from .table import lowers
from .text import Unsupported, ints


def per_dim(values, count, default):
    """One number per spatial dim; an empty list means the default."""
    values = list(values) if isinstance(values, (list, tuple)) else [values]
    if not values:
        return list(default)
    return values * count if len(values) == 1 else values


def window(b, kind, x, sizes, stride, low, high, dilation, shape):
    words = (f"window {ints(sizes)} stride {ints(stride)} padding_low {ints(low)} "
             f"padding_high {ints(high)} dilation {ints(dilation)}")
    result = b.fresh(shape, x.dtype)
    b.append(f"window_reduce {kind}", [x], [result], words, "arrow")
    return result


def reach(shape, out, kernel, stride, low, dilation):
    """How far the last windows read behind the end (a padding), and cut inputs otherwise."""
    return [max(0, (o - 1) * s + d * (k - 1) + 1 - p - n) for n, o, k, s, p, d in
            zip(shape, out, kernel, stride, low, dilation)]


@lowers("aten.max_pool2d_with_indices.default", "aten.max_pool3d_with_indices.default")
def max_pool(b, x, kernel, stride, padding, dilation, ceil_mode):
    y = b.out[0]
    count = spatial_dims(b)
    kernel = per_dim(kernel, count, ())
    stride = per_dim(stride, count, kernel)
    padding, dilation = per_dim(padding, count, ()), per_dim(dilation, count, ())
    if not x.dtype.is_floating_point:
        raise Unsupported("integers")
    if count == 2 and 1 not in b.used:
        ceil = " ceil_mode" if ceil_mode else ""
        words = (f"kernel {ints(kernel)} stride {ints(stride)} padding {ints(padding)} "
                 f"dilation {ints(dilation)}{ceil}")
        return b.op("max_pool2d", [x], tuple(y.shape), attributes=words, style="arrow"), None
    return max_and_places(b, x, kernel, stride, padding, dilation, tuple(y.shape))


def spatial_dims(b):
    return 3 if "3d" in b.target.name() else 2


def max_windows(b, x, kernel, stride, padding, dilation, shape):
    count = len(kernel)
    out = shape[-count:]
    high = reach(x.shape[-count:], out, kernel, stride, padding, dilation)
    return window(b, "max", x, kernel, stride, padding, high, dilation, shape)


def max_and_places(b, x, kernel, stride, padding, dilation, shape):
    """Maxima and, where somebody reads them, their positions in the whole image."""
    if 1 not in b.used:
        return max_windows(b, x, kernel, stride, padding, dilation, shape), None
    count = len(kernel)
    sizes, out = x.shape[-count:], shape[-count:]
    high = reach(sizes, out, kernel, stride, padding, dilation)
    words = (f"window {ints(kernel)} stride {ints(stride)} padding_low {ints(padding)} "
             f"padding_high {ints(high)} dilation {ints(dilation)} argmax i32")
    y, tap = b.fresh(shape, x.dtype), b.fresh(shape, torch.int32)
    b.append("window_reduce max", [x], [y, tap], words, "arrow")
    # The tap's coordinates, last dim first, scaled to the image and flattened.
    rest, place, step = b.cast(tap, torch.int64), None, 1
    for dim in range(count - 1, -1, -1):
        size = b.constant(kernel[dim], torch.int64)
        tap_place = b.binary("remainder", rest, size)
        rest = b.binary("div", rest, size)
        origin = b.iota(out[dim:dim + 1], 0)
        origin = b.binary("mul", origin, b.constant(stride[dim], torch.int64))
        origin = b.binary("sub", origin, b.constant(padding[dim], torch.int64))
        origin = b.reshape(origin, (out[dim],) + (1,) * (count - 1 - dim))
        tap_place = b.binary("mul", tap_place, b.constant(dilation[dim], torch.int64))
        coordinate = b.binary("mul", b.binary("add", tap_place, origin),
                              b.constant(step, torch.int64))
        place = coordinate if place is None else b.binary("add", place, coordinate)
        step *= sizes[dim]
    return y, place


@lowers("aten.max_pool1d.default")
def max_pool1d(b, x, kernel, stride, padding, dilation, ceil_mode):
    kernel = per_dim(kernel, 1, ())
    stride = per_dim(stride, 1, kernel)
    return max_windows(b, x, kernel, stride, per_dim(padding, 1, ()), per_dim(dilation, 1, ()),
                       tuple(b.out.shape))


@lowers("aten.avg_pool2d.default", "aten.avg_pool3d.default")
def avg_pool(b, x, kernel, stride, padding, ceil_mode, count_include_pad, divisor):
    count = spatial_dims(b)
    kernel = per_dim(kernel, count, ())
    stride = per_dim(stride, count, kernel)
    padding = per_dim(padding, count, ())
    if not x.dtype.is_floating_point:
        raise Unsupported("integers")
    if divisor == 0:
        raise Unsupported("divisor 0")
    if count == 2 and divisor is None:
        ceil = " ceil_mode" if ceil_mode else ""
        counted = "" if count_include_pad else " count_include_pad false"
        words = (f"kernel {ints(kernel)} stride {ints(stride)} padding {ints(padding)}"
                 f"{ceil}{counted}")
        return b.op("avg_pool2d", [x], tuple(b.out.shape), attributes=words, style="arrow")
    return mean_windows(b, x, kernel, stride, padding, count_include_pad, divisor,
                        tuple(b.out.shape))


@lowers("aten.avg_pool1d.default")
def avg_pool1d(b, x, kernel, stride, padding, ceil_mode, count_include_pad):
    kernel = per_dim(kernel, 1, ())
    return mean_windows(b, x, kernel, per_dim(stride, 1, kernel), per_dim(padding, 1, ()),
                        count_include_pad, None, tuple(b.out.shape))


def mean_windows(b, x, kernel, stride, padding, count_include_pad, divisor, shape):
    """Window sums over how many elements each window has."""
    count = len(kernel)
    sizes, out = x.shape[-count:], shape[-count:]
    ones = [1] * count
    high = reach(sizes, out, kernel, stride, padding, ones)
    sums = window(b, "sum", x, kernel, stride, padding, high, ones, shape)
    if divisor is not None:
        return b.binary("div", sums, b.scalar(float(divisor), x))
    counts = [window_counts(*each, count_include_pad)
              for each in zip(sizes, out, kernel, stride, padding)]
    if all(len(set(c)) == 1 for c in counts):
        total = 1
        for c in counts:
            total *= c[0]
        return b.binary("div", sums, b.scalar(float(total), x))
    products = []
    for places in itertools.product(*counts):
        total = 1.0
        for n in places:
            total *= n
        products.append(total)
    table = b.reshape(b.table(products, x.dtype), out)
    return b.binary("div", sums, table)


def window_counts(size, out, kernel, stride, padding, count_include_pad):
    """How many elements each window along one dim counts."""
    counts = []
    for i in range(out):
        start = i * stride - padding
        end = min(start + kernel, size + padding)
        if not count_include_pad:
            start, end = max(start, 0), min(end, size)
        counts.append(end - start)
    return counts


# Adaptive --------------------------------------------------------------------------

def spans(size, out):
    """First element and length of each of `out` spans of an adaptive pool."""
    starts = [i * size // out for i in range(out)]
    ends = [-(-(i + 1) * size // out) for i in range(out)]
    return [(s, e - s) for s, e in zip(starts, ends)]


def regular(size, out):
    """(window, stride) where an adaptive pool is a plain one along a dim, else None."""
    places = spans(size, out)
    length = places[0][1]
    step = places[1][0] if out > 1 else length
    if all(p == (i * step, length) for i, p in enumerate(places)):
        return length, step
    return None


@lowers("aten._adaptive_avg_pool2d.default", "aten._adaptive_avg_pool3d.default",
        "aten.adaptive_avg_pool1d.default")
def adaptive_avg_pool(b, x, output_size):
    if not x.dtype.is_floating_point:
        raise Unsupported("integers")
    count = len(output_size)
    sizes, out = x.shape[-count:], tuple(b.out.shape)[-count:]
    plain = [regular(n, o) for n, o in zip(sizes, out)]
    if all(plain):
        kernel, stride = [p[0] for p in plain], [p[1] for p in plain]
        return mean_windows(b, x, kernel, stride, [0] * count, True, None, tuple(b.out.shape))
    # Means over spans are a product with a constant matrix, one dim after the other.
    for dim in range(x.rank - count, x.rank):
        matrix = b.table(span_matrix(x.shape[dim], b.out.shape[dim]), x.dtype)
        last = [d for d in range(x.rank) if d != dim] + [dim]
        moved = b.transpose(x, last)
        rows = b.reshape(moved, (math.prod(moved.shape[:-1]), moved.shape[-1]))
        means = b.matmul(rows, matrix, exact=True)
        x = b.reshape(means, (*moved.shape[:-1], b.out.shape[dim]))
        x = b.transpose(x, [last.index(d) for d in range(x.rank)])
    return x


def span_matrix(size, out):
    """size x out: the weight of each element in each span's mean."""
    matrix = [[0.0] * out for _ in range(size)]
    for column, (start, length) in enumerate(spans(size, out)):
        for row in range(start, start + length):
            matrix[row][column] = 1.0 / length
    return matrix


@lowers("aten.adaptive_max_pool2d.default", "aten.adaptive_max_pool3d.default")
def adaptive_max_pool(b, x, output_size):
    y = b.out[0]
    count = len(output_size)
    sizes, out = x.shape[-count:], tuple(y.shape)[-count:]
    plain = [regular(n, o) for n, o in zip(sizes, out)]
    ones, zeros = [1] * count, [0] * count
    if all(plain):
        kernel, stride = [p[0] for p in plain], [p[1] for p in plain]
        return max_and_places(b, x, kernel, stride, zeros, ones, tuple(y.shape))
    if 1 in b.used:
        raise Unsupported("positions of the maxima of uneven spans")
    # Uneven: one dim at a time, a window for each span.
    for dim in range(x.rank - count, x.rank):
        parts = []
        for start, length in spans(x.shape[dim], tuple(y.shape)[dim]):
            part = b.slice_dim(x, dim, start, length)
            sizes = [1] * (x.rank - dim)
            sizes[0] = length
            shape = list(part.shape)
            shape[dim] = 1
            neutral, edge = [1] * len(sizes), [0] * len(sizes)
            parts.append(window(b, "max", part, sizes, neutral, edge, edge, neutral, shape))
        x = b.concat(parts, dim)
    return x, None
