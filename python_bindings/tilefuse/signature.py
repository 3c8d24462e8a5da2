"""What a program takes and gives, and what it launches."""

from __future__ import annotations

import dataclasses

from . import _capi

__all__ = ["ArgumentInfo", "LaunchInfo", "Signature"]

#: Names of element types as PyTorch and NumPy spell them, by tilefuse_dtype.
DTYPES = ("float32", "float16", "bfloat16", "float64", "bool", "int8", "int32", "int64")


@dataclasses.dataclass(frozen=True)
class ArgumentInfo:
    """One input or output.

    ``dtype`` is spelled as PyTorch does (``float32``); ``shape`` and ``strides`` are in
    elements; ``alignment`` of the base address and ``nbytes`` are in bytes.
    ``alias_result`` is, for an input, the output that replaces it (running statistics),
    or -1; ``in_place`` says that the output may be written straight into its memory.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    alignment: int
    nbytes: int
    alias_result: int
    in_place: bool

    def __str__(self) -> str:
        return f"{self.name}: {self.dtype}{list(self.shape)}"

    @classmethod
    def _from_raw(cls, raw: _capi.Argument) -> ArgumentInfo:
        return cls(raw.name.decode(), DTYPES[raw.dtype],
                   tuple(raw.shape[i] for i in range(raw.rank)),
                   tuple(raw.strides[i] for i in range(raw.rank)),
                   raw.alignment, raw.bytes, raw.alias_result, bool(raw.in_place))


@dataclasses.dataclass(frozen=True)
class Signature:
    """Name, inputs and outputs of one function."""

    entry: str
    inputs: tuple[ArgumentInfo, ...]
    outputs: tuple[ArgumentInfo, ...]


@dataclasses.dataclass(frozen=True)
class LaunchInfo:
    """One kernel launch of a program.

    ``grid`` counts program instances along three axes; ``threads`` of a block and its
    ``shared_bytes`` are a GPU's; ``bytes`` is the modelled DRAM traffic; ``is_finish``
    says that it merges the partial results of another launch.
    """

    kernel: str
    grid: tuple[int, int, int]
    threads: int
    shared_bytes: int
    bytes: int
    is_finish: bool
