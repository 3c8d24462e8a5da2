"""Writes one function of the fuse dialect, op by op."""

import dataclasses
import math

import torch

DTYPES = {
    torch.float32: "f32", torch.float16: "f16", torch.bfloat16: "bf16", torch.float64: "f64",
    torch.bool: "i1", torch.int8: "i8", torch.int32: "i32", torch.int64: "i64",
}


class Unsupported(Exception):
    """Why a node has no form in the fuse dialect; the text is shown to people."""


@dataclasses.dataclass(frozen=True)
class Value:
    """A tensor of the function: an SSA name, a static shape and a torch dtype."""

    name: str
    shape: tuple
    dtype: torch.dtype
    # The value that this one is, with its last two dims exchanged; or None.
    transposed: "Value | None" = None

    @property
    def rank(self):
        return len(self.shape)

    @property
    def type(self):
        return type_of(self.shape, self.dtype)


def type_of(shape, dtype):
    """`tensor<2x3xf32>`."""
    if dtype not in DTYPES:
        raise Unsupported(f"element type {str(dtype).removeprefix('torch.')}")
    if 0 in shape:
        raise Unsupported("an empty tensor")
    return "tensor<" + "".join(f"{n}x" for n in shape) + DTYPES[dtype] + ">"


def number(value, dtype=torch.float64):
    """A literal of the dialect; non-finite floats are bit patterns."""
    if dtype == torch.bool:
        return "true" if value else "false"
    if not dtype.is_floating_point:
        return str(int(value))
    value = float(value)
    if not math.isfinite(value):
        bits = torch.tensor(value, dtype=dtype)
        size = bits.element_size()
        raw = int(bits.view({2: torch.int16, 4: torch.int32, 8: torch.int64}[size]))
        return f"0x{raw & (1 << 8 * size) - 1:0{2 * size}X}"
    text = repr(value)
    return text if "e" not in text else f"{value:.17e}"


def ints(values):
    """`[1, 2]`."""
    return "[" + ", ".join(str(int(v)) for v in values) + "]"


class Builder:
    """The body of a function under construction.

    `target` is the ATen op being lowered, `out` what it gives (a fake tensor, or a tuple of them), `used`
    the positions of a tuple that somebody reads; `precision` is of Precision, `device` where
    the region runs.
    """

    def __init__(self, precision, device):
        self.precision = precision
        self.device = device
        self.lines = []
        self.constants = {}
        self.target = None
        self.out = None
        self.used = ()
        self.count = 0

    def fresh(self, shape, dtype, transposed=None):
        self.count += 1
        value = Value(f"%{self.count}", tuple(int(n) for n in shape), dtype, transposed)
        value.type  # refuses what the dialect has not
        return value

    def op(self, name, operands, shape=None, dtype=None, attributes="", style="same",
           transposed=None):
        """Appends an op with one result, by default of the first operand's type.

        `style` is how its types are written: "same" `T`, "arrow" `A -> R`, or "function"
        `(A, B) -> R`.
        """
        shape = operands[0].shape if shape is None else shape
        result = self.fresh(shape, dtype or operands[0].dtype, transposed)
        self.append(name, operands, [result], attributes, style)
        return result

    def append(self, name, operands, results, attributes, style):
        types = ", ".join(r.type for r in results)
        given = ", ".join(o.type for o in operands)
        signature = {
            "same": types,
            "arrow": f"{given} -> {types}",
            "function": f"({given}) -> {types if len(results) == 1 else f'({types})'}",
        }[style]
        names = ", ".join(r.name for r in results)
        parts = [f"{names} = fuse.{name}", ", ".join(o.name for o in operands), attributes]
        self.lines.append(" ".join(p for p in parts if p) + f" : {signature}")

    def constant(self, value, dtype, shape=()):
        """A tensor with one value everywhere."""
        key = (repr(value), dtype, tuple(shape))
        if key not in self.constants:
            result = self.fresh(shape, dtype)
            self.lines.append(
                f"{result.name} = fuse.constant dense<{number(value, dtype)}> : {result.type}")
            self.constants[key] = result
        return self.constants[key]

    def table(self, values, dtype):
        """A tensor of given (nested lists of) numbers, known when compiling."""
        tensor = torch.as_tensor(values)
        result = self.fresh(tensor.shape, dtype)

        def write(part):
            if part.dim() == 0:
                return number(part.item(), dtype)
            return "[" + ", ".join(write(p) for p in part) + "]"

        self.lines.append(f"{result.name} = fuse.constant dense<{write(tensor)}> : {result.type}")
        return result

    # The ops that lowerings are made of -------------------------------------------

    def unary(self, name, x, attributes=""):
        return self.op(name, [x], attributes=attributes)

    def binary(self, name, x, y):
        shape = torch.broadcast_shapes(x.shape, y.shape)
        same = x.shape == y.shape
        return self.op(name, [x, y], shape, style="same" if same else "function")

    def compare(self, predicate, x, y):
        shape = torch.broadcast_shapes(x.shape, y.shape)
        result = self.fresh(shape, torch.bool)
        self.append(f"compare {predicate}", [x, y], [result], "", "function")
        return result

    def select(self, condition, x, y):
        shape = torch.broadcast_shapes(condition.shape, x.shape, y.shape)
        return self.op("select", [condition, x, y], shape, x.dtype, style="function")

    def cast(self, x, dtype):
        if x.dtype == dtype:
            return x
        return self.op("cast", [x], dtype=dtype, style="arrow")

    def reshape(self, x, shape):
        shape = tuple(int(n) for n in shape)
        if x.shape == shape:
            return x
        return self.op("reshape", [x], shape, style="arrow")

    def broadcast(self, x, shape):
        if x.shape == tuple(shape):
            return x
        return self.op("broadcast", [x], shape, style="arrow")

    def transpose(self, x, permutation):
        rank = x.rank
        permutation = [p % rank for p in permutation]
        if permutation == list(range(rank)):
            return x
        swaps = rank >= 2 and permutation == [*range(rank - 2), rank - 1, rank - 2]
        return self.op("transpose", [x], [x.shape[p] for p in permutation],
                       attributes=f"permutation {ints(permutation)}", style="arrow",
                       transposed=x if swaps else None)

    def slice(self, x, offsets, sizes, strides=None):
        strides = strides or [1] * x.rank
        if tuple(sizes) == x.shape:
            return x
        return self.op("slice", [x], sizes, style="arrow",
                       attributes=f"offsets {ints(offsets)} sizes {ints(sizes)} "
                                  f"strides {ints(strides)}")

    def slice_dim(self, x, dim, start, size, step=1):
        """Elements start, start + step, ... of one dim."""
        offsets, sizes, strides = [0] * x.rank, list(x.shape), [1] * x.rank
        offsets[dim], sizes[dim], strides[dim] = start, size, step
        return self.slice(x, offsets, sizes, strides)

    def pad(self, x, low, high, value=0.0):
        if not any(low) and not any(high):
            return x
        shape = [a + n + b for a, n, b in zip(low, x.shape, high)]
        written = number(value, x.dtype)
        if x.dtype != torch.bool:
            written += f" : {DTYPES[x.dtype]}"
        return self.op("pad", [x], shape, style="arrow",
                       attributes=f"low {ints(low)} high {ints(high)} value {written}")

    def concat(self, values, dim):
        if len(values) == 1:
            return values[0]
        shape = list(values[0].shape)
        shape[dim] = sum(v.shape[dim] for v in values)
        return self.op("concat", values, shape, attributes=f"dim {dim}", style="function")

    def iota(self, shape, dim, dtype=torch.int64):
        result = self.fresh(shape, dtype)
        self.append(f"iota dim {dim}", [], [result], "", "same")
        return result

    def reduce(self, kind, x, dims, keepdims=False, dtype=None):
        """fuse.reduce with one result; no dims at all gives x itself."""
        dims = sorted(dims)
        shape = reduced_shape(x.shape, dims, keepdims)
        result = self.fresh(shape, dtype or x.dtype)
        keep = " keepdims" if keepdims else ""
        self.append(f"reduce {kind}", [x], [result], f"dims {ints(dims)}{keep}", "arrow")
        return result

    def fold(self, name, x, dims, keepdims=False):
        """fuse.mean or fuse.logsumexp."""
        dims = sorted(dims)
        keep = " keepdims" if keepdims else ""
        return self.op(name, [x], reduced_shape(x.shape, dims, keepdims),
                       attributes=f"dims {ints(dims)}{keep}", style="arrow")

    def matmul(self, x, y):
        """Matrix product; a transposition of the last two dims in front of it is a flag."""
        flags = []
        shape = (*torch.broadcast_shapes(x.shape[:-2], y.shape[:-2]), x.shape[-2], y.shape[-1])
        if x.transposed is not None:
            x = x.transposed
            flags.append("transpose_a")
        if y.transposed is not None:
            y = y.transposed
            flags.append("transpose_b")
        flags += self.precision.attribute(x.dtype, "matmul")
        return self.op("matmul", [x, y], shape, attributes=" ".join(flags), style="function")

    def scalar(self, value, like):
        return self.constant(value, like.dtype)


def reduced_shape(shape, dims, keepdims):
    return tuple(1 if d in dims else n for d, n in enumerate(shape)
                 if keepdims or d not in dims)


def function(name, inputs, builder, results, attributes):
    """The text of `func.func @name` with the builder's body."""
    arguments = ", ".join(
        f"{v.name}: {v.type}" + (f" {{{attributes[i]}}}" if i in attributes else "")
        for i, v in enumerate(inputs))
    types = ", ".join(r.type for r in results)
    names = ", ".join(r.name for r in results)
    body = "\n".join("  " + line for line in builder.lines)
    return (f"func.func @{name}({arguments}) -> ({types}) {{\n{body}\n"
            f"  return {names} : {types}\n}}\n")
