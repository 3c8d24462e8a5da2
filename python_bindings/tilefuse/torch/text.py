"""Writes one function of the fuse dialect, op by op."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Container, Iterable, Sequence
from typing import Any

import torch

from .precision import Precision

Shape = Sequence[int]
Number = float | int | bool

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
    shape: tuple[int, ...]
    dtype: torch.dtype
    # The value that this one is, with its last two dims exchanged; or None.
    transposed: Value | None = None

    @property
    def rank(self) -> int:
        return len(self.shape)

    @property
    def type(self) -> str:
        return type_of(self.shape, self.dtype)


def type_of(shape: Shape, dtype: torch.dtype) -> str:
    """`tensor<2x3xf32>`."""
    if dtype not in DTYPES:
        raise Unsupported(f"element type {str(dtype).removeprefix('torch.')}")
    if 0 in shape:
        raise Unsupported("an empty tensor")
    return "tensor<" + "".join(f"{n}x" for n in shape) + DTYPES[dtype] + ">"


def number(value: Number, dtype: torch.dtype = torch.float64) -> str:
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


def attribute(value: Number) -> str:
    """A float attribute of an op, which must be finite."""
    if not math.isfinite(value):
        raise Unsupported(f"the number {value}")
    return number(value)


def ints(values: Iterable[int]) -> str:
    """`[1, 2]`."""
    return "[" + ", ".join(str(int(v)) for v in values) + "]"


class Builder:
    """The body of a function under construction.

    `target` is the ATen op being lowered, `out` what it gives (a fake tensor, or a tuple of
    them), `used` the positions of a tuple that somebody reads; `device` is where the region
    runs.
    """

    def __init__(self, precision: Precision, device: torch.device) -> None:
        self.precision = precision
        self.device = device
        self.lines: list[str] = []
        self.constants: dict[object, Value] = {}
        self.target: Any = None
        self.out: Any = None
        self.used: Container[int] = ()
        self.count = 0

    def fresh(self, shape: Shape, dtype: torch.dtype, transposed: Value | None = None) -> Value:
        self.count += 1
        value = Value(f"%{self.count}", tuple(int(n) for n in shape), dtype, transposed)
        value.type  # refuses what the dialect has not
        return value

    def op(self, name: str, operands: Sequence[Value], shape: Shape | None = None,
           dtype: torch.dtype | None = None, attributes: str = "", style: str = "same",
           transposed: Value | None = None) -> Value:
        """Appends an op with one result, by default of the first operand's type.

        `style` is how its types are written: "same" `T`, "arrow" `A -> R`, or "function"
        `(A, B) -> R`.
        """
        shape = operands[0].shape if shape is None else shape
        result = self.fresh(shape, dtype or operands[0].dtype, transposed)
        self.append(name, operands, [result], attributes, style)
        return result

    def append(self, name: str, operands: Sequence[Value], results: Sequence[Value],
               attributes: str, style: str) -> None:
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

    def constant(self, value: Number, dtype: torch.dtype, shape: Shape = ()) -> Value:
        """A tensor with one value everywhere."""
        key = (repr(value), dtype, tuple(shape))
        if key not in self.constants:
            result = self.fresh(shape, dtype)
            self.lines.append(
                f"{result.name} = fuse.constant dense<{number(value, dtype)}> : {result.type}")
            self.constants[key] = result
        return self.constants[key]

    def table(self, values: Sequence[Any], dtype: torch.dtype) -> Value:
        """A tensor of given (nested lists of) numbers, known when compiling."""
        tensor = torch.as_tensor(values)
        result = self.fresh(tensor.shape, dtype)

        def write(part: torch.Tensor) -> str:
            if part.dim() == 0:
                return number(part.item(), dtype)
            return "[" + ", ".join(write(p) for p in part) + "]"

        self.lines.append(f"{result.name} = fuse.constant dense<{write(tensor)}> : {result.type}")
        return result

    # The ops that lowerings are made of -------------------------------------------

    def unary(self, name: str, x: Value, attributes: str = "") -> Value:
        return self.op(name, [x], attributes=attributes)

    def binary(self, name: str, x: Value, y: Value) -> Value:
        shape = torch.broadcast_shapes(x.shape, y.shape)
        same = x.shape == y.shape
        return self.op(name, [x, y], shape, style="same" if same else "function")

    def compare(self, predicate: str, x: Value, y: Value) -> Value:
        shape = torch.broadcast_shapes(x.shape, y.shape)
        result = self.fresh(shape, torch.bool)
        self.append(f"compare {predicate}", [x, y], [result], "", "function")
        return result

    def select(self, condition: Value, x: Value, y: Value) -> Value:
        shape = torch.broadcast_shapes(condition.shape, x.shape, y.shape)
        return self.op("select", [condition, x, y], shape, x.dtype, style="function")

    def cast(self, x: Value, dtype: torch.dtype) -> Value:
        if x.dtype == dtype:
            return x
        return self.op("cast", [x], dtype=dtype, style="arrow")

    def reshape(self, x: Value, shape: Shape) -> Value:
        shape = tuple(int(n) for n in shape)
        if x.shape == shape:
            return x
        return self.op("reshape", [x], shape, style="arrow")

    def broadcast(self, x: Value, shape: Shape) -> Value:
        if x.shape == tuple(shape):
            return x
        return self.op("broadcast", [x], shape, style="arrow")

    def transpose(self, x: Value, permutation: Sequence[int]) -> Value:
        rank = x.rank
        permutation = [p % rank for p in permutation]
        if permutation == list(range(rank)):
            return x
        swaps = rank >= 2 and permutation == [*range(rank - 2), rank - 1, rank - 2]
        return self.op("transpose", [x], [x.shape[p] for p in permutation],
                       attributes=f"permutation {ints(permutation)}", style="arrow",
                       transposed=x if swaps else None)

    def slice(self, x: Value, offsets: Shape, sizes: Shape, strides: Shape | None = None) -> Value:
        strides = strides or [1] * x.rank
        if tuple(sizes) == x.shape:
            return x
        return self.op("slice", [x], sizes, style="arrow",
                       attributes=f"offsets {ints(offsets)} sizes {ints(sizes)} "
                                  f"strides {ints(strides)}")

    def slice_dim(self, x: Value, dim: int, start: int, size: int, step: int = 1) -> Value:
        """Elements start, start + step, ... of one dim."""
        offsets, sizes, strides = [0] * x.rank, list(x.shape), [1] * x.rank
        offsets[dim], sizes[dim], strides[dim] = start, size, step
        return self.slice(x, offsets, sizes, strides)

    def pad(self, x: Value, low: Shape, high: Shape, value: Number = 0.0) -> Value:
        if not any(low) and not any(high):
            return x
        shape = [a + n + b for a, n, b in zip(low, x.shape, high)]
        written = number(value, x.dtype)
        if x.dtype != torch.bool:
            written += f" : {DTYPES[x.dtype]}"
        return self.op("pad", [x], shape, style="arrow",
                       attributes=f"low {ints(low)} high {ints(high)} value {written}")

    def concat(self, values: Sequence[Value], dim: int) -> Value:
        if len(values) == 1:
            return values[0]
        shape = list(values[0].shape)
        shape[dim] = sum(v.shape[dim] for v in values)
        return self.op("concat", values, shape, attributes=f"dim {dim}", style="function")

    def iota(self, shape: Shape, dim: int, dtype: torch.dtype = torch.int64) -> Value:
        result = self.fresh(shape, dtype)
        self.append(f"iota dim {dim}", [], [result], "", "same")
        return result

    def reduce(self, kind: str, x: Value, dims: Iterable[int], keepdims: bool = False,
               dtype: torch.dtype | None = None, attributes: str = "") -> Value:
        """fuse.reduce with one result; no dims at all gives x itself."""
        dims = sorted(dims)
        shape = reduced_shape(x.shape, dims, keepdims)
        result = self.fresh(shape, dtype or x.dtype)
        keep = " keepdims" if keepdims else ""
        self.append(f"reduce {kind}", [x], [result], f"dims {ints(dims)}{keep}{attributes}",
                    "arrow")
        return result

    def fold(self, name: str, x: Value, dims: Iterable[int], keepdims: bool = False) -> Value:
        """fuse.mean or fuse.logsumexp."""
        dims = sorted(dims)
        keep = " keepdims" if keepdims else ""
        return self.op(name, [x], reduced_shape(x.shape, dims, keepdims),
                       attributes=f"dims {ints(dims)}{keep}", style="arrow")

    def matmul(self, x: Value, y: Value, exact: bool = False) -> Value:
        """Matrix product; a transposition of the last two dims in front of it is a flag.
        `exact` ones are no products to PyTorch, whose precision may not be lowered."""
        flags = []
        shape = (*torch.broadcast_shapes(x.shape[:-2], y.shape[:-2]), x.shape[-2], y.shape[-1])
        if x.transposed is not None:
            x = x.transposed
            flags.append("transpose_a")
        if y.transposed is not None:
            y = y.transposed
            flags.append("transpose_b")
        precision = Precision() if exact else self.precision
        flags += precision.attribute(x.dtype, "matmul")
        return self.op("matmul", [x, y], shape, attributes=" ".join(flags), style="function")

    def scalar(self, value: Number, like: Value) -> Value:
        return self.constant(value, like.dtype)


def reduced_shape(shape: Shape, dims: Sequence[int], keepdims: bool) -> tuple[int, ...]:
    return tuple(1 if d in dims else n for d, n in enumerate(shape)
                 if keepdims or d not in dims)


def function(name: str, inputs: Sequence[Value], builder: Builder, results: Sequence[Value],
             attributes: dict[int, str]) -> str:
    """The text of `func.func @name` with the builder's body."""
    arguments = ", ".join(
        f"{v.name}: {v.type}" + (f" {{{attributes[i]}}}" if i in attributes else "")
        for i, v in enumerate(inputs))
    types = ", ".join(r.type for r in results)
    names = ", ".join(r.name for r in results)
    body = "\n".join("  " + line for line in builder.lines)
    return (f"func.func @{name}({arguments}) -> ({types}) {{\n{body}\n"
            f"  return {names} : {types}\n}}\n")
