"""Calls on NumPy arrays, and on DLPack objects in host memory."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .errors import ArgumentError, NotFoundError

if TYPE_CHECKING:
    from .program import Program
    from .signature import ArgumentInfo

_ALIGNMENT = 256


def _numpy() -> Any:
    try:
        import numpy
    except ImportError:
        raise NotFoundError("a program is called with NumPy arrays or PyTorch tensors, and "
                            "neither is installed") from None
    return numpy


def _dtype(info: ArgumentInfo) -> Any:
    np = _numpy()
    if info.dtype != "bfloat16":
        return np.dtype(info.dtype)
    try:
        ml_dtypes = importlib.import_module("ml_dtypes")
    except ImportError:
        raise NotFoundError(f"'{info.name}' is bfloat16, which NumPy has only with the package "
                            "ml_dtypes; PyTorch tensors have it") from None
    return np.dtype(ml_dtypes.bfloat16)


def _empty(shape: Sequence[int], dtype: Any) -> Any:
    """A new array whose memory is aligned for any program."""
    np = _numpy()
    count = dtype.itemsize
    for extent in shape:
        count *= extent
    memory = np.empty(count + _ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % _ALIGNMENT
    return memory[start:start + count].view(dtype).reshape(tuple(shape))


def _take(value: Any, info: ArgumentInfo) -> Any:
    """An input as a dense, aligned array; the array itself where it is one."""
    np = _numpy()
    if not isinstance(value, np.ndarray):
        if not hasattr(value, "__dlpack__"):
            raise ArgumentError(f"input '{info.name}' must be an array, found "
                                f"{type(value).__name__}")
        try:
            value = np.from_dlpack(value)
        except (BufferError, RuntimeError, TypeError) as error:
            raise ArgumentError(f"input '{info.name}': {error}") from error
    dtype = _dtype(info)
    if value.dtype != dtype or value.shape != info.shape:
        raise ArgumentError(f"input '{info.name}' must be {info.dtype}{list(info.shape)}, found "
                            f"{value.dtype}{list(value.shape)}")
    if value.flags.c_contiguous and value.ctypes.data % info.alignment == 0:
        return value
    copy = _empty(info.shape, dtype)
    copy[...] = value
    return copy


def _give(value: Any, info: ArgumentInfo) -> Any:
    """An output to write to: a new array, or the caller's if it can be."""
    dtype = _dtype(info)
    if value is None:
        return _empty(info.shape, dtype)
    np = _numpy()
    if (not isinstance(value, np.ndarray) or value.dtype != dtype or value.shape != info.shape
            or not value.flags.c_contiguous or not value.flags.writeable
            or value.ctypes.data % info.alignment):
        raise ArgumentError(f"output '{info.name}' must be a writeable, contiguous array "
                            f"{info.dtype}{list(info.shape)} aligned to {info.alignment} bytes")
    return value


def call(program: Program, inputs: Sequence[Any], out: Sequence[Any] | None,
         threads: int) -> tuple[Any, ...]:
    """Program.__call__ on host arrays."""
    np = _numpy()
    arrays = [_take(value, info) for value, info in zip(inputs, program.inputs)]
    outputs = [_give(value, info)
               for value, info in zip(out or [None] * len(program.outputs), program.outputs)]
    workspace = _empty((program.workspace_bytes,), np.dtype(np.uint8))
    program.run_on_host([a.ctypes.data for a in arrays], [a.ctypes.data for a in outputs],
                        workspace.ctypes.data if workspace.size else 0, threads)
    return tuple(outputs)
