"""Calls on PyTorch tensors. Whoever imports this has PyTorch.

The work of a call that depends on the program alone is done once, in Runner; what is
left is on the path of every training step and written for few Python operations.
"""

from __future__ import annotations

import ctypes as ct
import struct
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch.utils.dlpack import from_dlpack

from . import _capi
from .errors import ArgumentError

if TYPE_CHECKING:
    from .program import Program
    from .signature import ArgumentInfo

#: CPU memory is aligned to less than a workspace must be.
WORKSPACE_ALIGNMENT = 256

try:
    get_raw_stream = torch._C._cuda_getCurrentRawStream
except AttributeError:  # a build without CUDA
    def get_raw_stream(device: int) -> int:
        return int(torch.cuda.current_stream(device).cuda_stream)


Allocate = Callable[[Sequence[int], Sequence[int], torch.dtype], torch.Tensor]


def _allocator(device: torch.device) -> Allocate:
    """New tensors of a shape, strides and type, whatever device is current."""
    def allocate(shape: Sequence[int], strides: Sequence[int],
                 dtype: torch.dtype) -> torch.Tensor:
        return torch.empty(shape, dtype=dtype, device=device)

    return allocate


def current_allocator(device: torch.device) -> Allocate:
    """New tensors on a device that is current. PyTorch's compiled code allocates through
    the functions looked for here, in a third of the time of torch.empty."""
    guards = getattr(torch._C._dynamo, "guards", None)
    fast: Allocate | None = getattr(guards, f"_empty_strided_{device.type}", None)
    return fast or _allocator(device)


def dtype_of(info: ArgumentInfo) -> torch.dtype:
    """The PyTorch type of an argument."""
    return getattr(torch, info.dtype)  # type: ignore[no-any-return]


def target_of(device: torch.device) -> str:
    """What to compile for to run on a device: ``cpu`` or ``sm_NN[a]``."""
    if device.type == "cpu":
        return "cpu"
    if device.type != "cuda":
        raise ArgumentError(f"tilefuse runs on cpu and cuda devices, not on {device.type}")
    # A fake tensor may be on a device that is not here.
    if not torch.cuda.is_available():
        return "sm_90a"
    major, minor = torch.cuda.get_device_capability(device)
    return f"sm_{major}{minor}a" if major >= 9 else f"sm_{major}{minor}"


def _copy(tensor: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return tensor.detach().resolve_neg().clone(memory_format=torch.contiguous_format)


class Runner:
    """One program on one device. Immutable."""

    def __init__(self, program: Program, device: torch.device) -> None:
        if (device.type == "cpu") != (program.target == "cpu") or device.type not in (
                "cpu", "cuda"):
            raise ArgumentError(f"the program is for {program.target}; an input is on {device}")
        self._program = program
        self.device = device
        self._expected = [(dtype_of(info), torch.Size(info.shape), info.alignment - 1)
                          for info in program.inputs]
        #: Shape, strides and type of each output.
        self.outputs = [(info.shape, info.strides, dtype_of(info)) for info in program.outputs]
        self._num_inputs = len(program.inputs)
        self._num_outputs = len(program.outputs)
        # Arrays of addresses: bytes are made several times faster than ctypes arrays.
        self._pack_inputs = struct.Struct(f"{self._num_inputs}P").pack
        self._pack_outputs = struct.Struct(f"{self._num_outputs}P").pack
        self._allocate = current_allocator(device) if device.type == "cpu" else _allocator(device)
        #: Bytes to allocate for a workspace.
        self.scratch = program.workspace_bytes
        if self.scratch and device.type == "cpu":
            self.scratch += WORKSPACE_ALIGNMENT
        self._loaded: ct.c_void_p | None = None
        if device.type == "cuda":
            self._loaded = program.load_on(device.index)

    def __call__(self, inputs: Sequence[torch.Tensor],
                 out: Sequence[torch.Tensor | None] | None = None,
                 threads: int = 0) -> list[torch.Tensor]:
        """Runs on tensors of this device; gives the outputs, those of ``out`` in place."""
        device = self.device
        addresses = []
        copies = None
        for tensor, (dtype, shape, misaligned) in zip(inputs, self._expected):
            if tensor.dtype is not dtype or tensor.shape != shape or tensor.device != device:
                raise self._mismatch(inputs)
            address = tensor.data_ptr()
            if address & misaligned or not tensor.is_contiguous():
                tensor = _copy(tensor)
                copies = [tensor] if copies is None else [*copies, tensor]
                address = tensor.data_ptr()
            addresses.append(address)
        allocate = self._allocate
        if out is None:
            outputs = [allocate(*kind) for kind in self.outputs]
        else:
            outputs = [allocate(*kind) if given is None else given
                       for given, kind in zip(out, self.outputs)]
        scratch = 0
        if self.scratch:
            workspace = allocate((self.scratch,), (1,), torch.uint8)
            scratch = -(-workspace.data_ptr() // WORKSPACE_ALIGNMENT) * WORKSPACE_ALIGNMENT
        error = ct.c_void_p()
        packed = (self._pack_inputs(*addresses), self._num_inputs,
                  self._pack_outputs(*[t.data_ptr() for t in outputs]), self._num_outputs, scratch)
        if self._loaded is None:
            status = _capi.lib.tilefuse_program_run_on_host(
                self._program._handle, *packed, threads, ct.byref(error))
        else:
            status = _capi.lib.tilefuse_loaded_launch(
                self._loaded, get_raw_stream(device.index), *packed, ct.byref(error))
        if status:
            _capi.check(status, error)
        return outputs

    def _mismatch(self, inputs: Sequence[torch.Tensor]) -> ArgumentError:
        for tensor, info in zip(inputs, self._program.inputs):
            if tuple(tensor.shape) != info.shape or tensor.dtype != dtype_of(info):
                found = str(tensor.dtype).removeprefix("torch.")
                return ArgumentError(f"input '{info.name}' must be {info.dtype}"
                                     f"{list(info.shape)}, found {found}{list(tensor.shape)}")
        devices = ", ".join(sorted({str(tensor.device) for tensor in inputs}))
        return ArgumentError(f"the program is for {self._program.target}; every input must be "
                             f"on {self.device}, found {devices}")


def runner(program: Program, device: torch.device) -> Runner:
    """The runner of a program on a device, made once."""
    found = program._runners.get(device)
    if found is None:
        if device.type == "cuda" and device.index is None:
            device = torch.device("cuda", torch.cuda.current_device())
        # Where two threads make one, either serves.
        found = program._runners.setdefault(device, Runner(program, device))
    return found  # type: ignore[no-any-return]


def _take(value: Any, info: ArgumentInfo) -> torch.Tensor:
    if isinstance(value, torch.Tensor):
        return value.resolve_neg() if value.is_neg() else value
    if not hasattr(value, "__dlpack__"):
        raise ArgumentError(f"input '{info.name}' must be a tensor or array, found "
                            f"{type(value).__name__}")
    tensor: torch.Tensor = from_dlpack(value)
    return tensor


def _give(value: Any, info: ArgumentInfo, device: torch.device) -> torch.Tensor | None:
    if value is None:
        return None
    if (not isinstance(value, torch.Tensor) or value.dtype != dtype_of(info)
            or tuple(value.shape) != info.shape or value.device != device
            or not value.is_contiguous() or value.data_ptr() % info.alignment):
        raise ArgumentError(f"output '{info.name}' must be a contiguous tensor {info.dtype}"
                            f"{list(info.shape)} on {device}, aligned to {info.alignment} bytes")
    return value


def call(program: Program, inputs: Sequence[Any], out: Sequence[Any] | None,
         threads: int) -> tuple[torch.Tensor, ...]:
    """Program.__call__ on tensors."""
    tensors = [_take(value, info) for value, info in zip(inputs, program.inputs)]
    if tensors:
        device = tensors[0].device
    else:
        device = torch.device("cpu" if program.target == "cpu" else "cuda")
    if device.type == "cuda" and device.index is None:
        device = torch.device("cuda", torch.cuda.current_device())
    given = None
    if out is not None:
        given = [_give(value, info, device) for value, info in zip(out, program.outputs)]
    return tuple(runner(program, device)(tensors, given, threads))
