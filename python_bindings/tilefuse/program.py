"""Compiled programs, and how they are called."""

from __future__ import annotations

import ctypes as ct
import os
import sys
import threading
from collections.abc import Sequence
from typing import Any

from . import _capi
from .errors import ArgumentError, NotFoundError
from .signature import ArgumentInfo, LaunchInfo

__all__ = ["Program"]

_SAVED_KINDS = ("argument", "result", "residual")


class Program:
    """A compiled program: its signature, its launch plan and its code.

    Immutable; any number of threads may call one at once. A training program has two
    entries, a forward and a backward one, that share their code; one of them, at first
    the first, is selected (see `select`).
    """

    #: ``cpu``, or the GPU architecture the code is for.
    target: str
    #: Name of the selected entry.
    entry: str
    inputs: tuple[ArgumentInfo, ...]
    outputs: tuple[ArgumentInfo, ...]
    #: Bytes of scratch memory that one run needs, aligned to 256.
    workspace_bytes: int
    launches: tuple[LaunchInfo, ...]
    #: Names of all entries.
    entries: tuple[str, ...]
    #: For a backward entry, where each of its first inputs comes from: the forward
    #: entry's ``argument``, its ``result``, or a ``residual``, one of its outputs after
    #: the results; and which one. The cotangents follow, one per float result that no
    #: argument aliases.
    saved: tuple[tuple[str, int], ...]
    _handle: ct.c_void_p
    #: The code where it is resident, by device number.
    _loaded: dict[int, ct.c_void_p]
    #: What calls on tensors have prepared, by device.
    _runners: dict[Any, Any]
    _lock: threading.Lock

    def __init__(self) -> None:
        raise TypeError("programs are made by tilefuse.compile and Program.load")

    @classmethod
    def _own(cls, handle: ct.c_void_p) -> Program:
        self = cls.__new__(cls)
        lib = _capi.lib
        self._handle = handle
        self._lock = threading.Lock()
        self._loaded = {}
        self._runners = {}
        self.target = lib.tilefuse_program_target(handle).decode()
        self.entry = lib.tilefuse_program_entry(handle).decode()
        self.workspace_bytes = lib.tilefuse_program_workspace_bytes(handle)
        self.inputs = self._list_arguments(lib.tilefuse_program_input)
        self.outputs = self._list_arguments(lib.tilefuse_program_output)
        self.launches = self._list_launches()
        self.entries = tuple(lib.tilefuse_program_entry_name(handle, i).decode()
                             for i in range(lib.tilefuse_program_num_entries(handle)))
        self.saved = self._list_saved()
        return self

    def _list_arguments(self, query: Any) -> tuple[ArgumentInfo, ...]:
        raw = _capi.Argument()
        infos: list[ArgumentInfo] = []
        while query(self._handle, len(infos), ct.byref(raw)) == 0:
            infos.append(ArgumentInfo._from_raw(raw))
        return tuple(infos)

    def _list_launches(self) -> tuple[LaunchInfo, ...]:
        raw = _capi.Launch()
        launches: list[LaunchInfo] = []
        while _capi.lib.tilefuse_program_launch(self._handle, len(launches),
                                                ct.byref(raw)) == 0:
            launches.append(LaunchInfo(
                raw.kernel.decode(), (raw.grid[0], raw.grid[1], raw.grid[2]), raw.threads,
                raw.shared_bytes, raw.bytes, bool(raw.is_finish)))
        return tuple(launches)

    def _list_saved(self) -> tuple[tuple[str, int], ...]:
        kind, index = ct.c_int(), ct.c_size_t()
        sources: list[tuple[str, int]] = []
        while len(sources) < _capi.lib.tilefuse_program_num_saved(self._handle):
            _capi.lib.tilefuse_program_saved(self._handle, len(sources), ct.byref(kind),
                                             ct.byref(index))
            sources.append((_SAVED_KINDS[kind.value], index.value))
        return tuple(sources)

    def __del__(self) -> None:
        for loaded in getattr(self, "_loaded", {}).values():
            _capi.lib.tilefuse_loaded_free(loaded)
        if getattr(self, "_handle", None):
            _capi.lib.tilefuse_program_free(self._handle)

    def __copy__(self) -> Program:
        return self

    def __deepcopy__(self, memo: object) -> Program:
        return self

    def __reduce__(self) -> Any:
        return _restore, (self.serialize(), self.entry)

    def __repr__(self) -> str:
        inputs, outputs = (", ".join(map(str, infos)) for infos in (self.inputs, self.outputs))
        return f"<tilefuse program {self.entry}({inputs}) -> ({outputs}) for {self.target}>"

    @property
    def num_launches(self) -> int:
        """Kernel launches of one run."""
        return len(self.launches)

    def select(self, entry: str) -> Program:
        """The same program with another entry selected. Raises NotFoundError."""
        program, error = ct.c_void_p(), ct.c_void_p()
        _capi.check(_capi.lib.tilefuse_program_select(
            self._handle, entry.encode(), ct.byref(program), ct.byref(error)), error)
        return Program._own(program)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Program:
        """Reads a program file. Raises ProgramError, OSError."""
        with open(path, "rb") as file:
            return cls.deserialize(file.read())

    @classmethod
    def deserialize(cls, data: bytes) -> Program:
        """A program from its bytes; one for the CPU is compiled again. Raises ProgramError
        for damaged, foreign or newer data."""
        program, error = ct.c_void_p(), ct.c_void_p()
        lib = _capi.lib
        _capi.check(lib.tilefuse_program_deserialize(
            data, len(data), ct.byref(program), ct.byref(error)), error)
        if lib.tilefuse_program_target(program) == b"cpu":
            loaded, program = program, ct.c_void_p()
            try:
                _capi.need_compiler()
                _capi.check(lib.tilefuse_recompile(loaded, ct.byref(program),
                                                   ct.byref(error)), error)
            finally:
                lib.tilefuse_program_free(loaded)
        return cls._own(program)

    def serialize(self) -> bytes:
        """The program, all its entries, as bytes that :meth:`deserialize` takes."""
        return _capi.take_bytes(_capi.lib.tilefuse_program_serialize(self._handle))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the program to a file, whole or not at all."""
        part = f"{os.fspath(path)}.{os.getpid()}.part"
        with open(part, "wb") as file:
            file.write(self.serialize())
        os.replace(part, path)

    def load_on(self, device: int) -> ct.c_void_p:
        """Makes a GPU program's code resident on CUDA device number ``device``.

        The first call there does it by itself; do it before a CUDA graph is captured.
        Raises NotFoundError without driver or device, UnsupportedError for another
        architecture, DeviceError.
        """
        loaded = self._loaded.get(device)
        if loaded is not None:
            return loaded
        with self._lock:
            if device not in self._loaded:
                handle, error = ct.c_void_p(), ct.c_void_p()
                _capi.check(_capi.lib.tilefuse_program_load(
                    self._handle, device, ct.byref(handle), ct.byref(error)), error)
                self._loaded[device] = handle
            return self._loaded[device]

    def __call__(self, *inputs: Any, out: Sequence[Any] | None = None,
                 threads: int = 0) -> tuple[Any, ...]:
        """Runs the program on arrays in the order of ``inputs``; returns its outputs.

        NumPy arrays give NumPy arrays, PyTorch tensors give tensors, and any other
        object with ``__dlpack__`` is taken without a copy and gives NumPy arrays, or
        tensors where its memory is a GPU's. Element type, shape and device must be the
        program's. Contiguous, aligned inputs are not copied, others are.

        On a GPU the run is enqueued on PyTorch's current stream of that device, with
        outputs and scratch memory from PyTorch's allocator; nothing is synchronised.
        On the CPU it uses up to ``threads`` threads (0: one per core); the result does
        not depend on their number. ``out`` gives arrays to write to, one per output,
        None for a new one; only one that an input aliases may share that input's memory.
        Gradients are not recorded: see `tilefuse.torch`.

        Raises ArgumentError for inputs that do not fit.
        """
        if len(inputs) != len(self.inputs):
            raise ArgumentError(f"expected {len(self.inputs)} inputs, found {len(inputs)}")
        if out is not None and len(out) != len(self.outputs):
            raise ArgumentError(f"expected {len(self.outputs)} outputs, found {len(out)}")
        if _wants_torch(inputs, self.target):
            from . import _tensors

            return _tensors.call(self, inputs, out, threads)
        from . import _arrays

        return _arrays.call(self, inputs, out, threads)

    def run_on_host(self, inputs: Sequence[int], outputs: Sequence[int], workspace: int = 0,
                    threads: int = 0) -> None:
        """One run of a CPU program on addresses. Allocates nothing and keeps nothing
        alive; the addresses must be aligned, and the workspace to 256 bytes."""
        error = ct.c_void_p()
        _capi.check(_capi.lib.tilefuse_program_run_on_host(
            self._handle, (ct.c_void_p * len(inputs))(*inputs), len(inputs),
            (ct.c_void_p * len(outputs))(*outputs), len(outputs), workspace, threads,
            ct.byref(error)), error)

    def launch(self, device: int, stream: int, inputs: Sequence[int], outputs: Sequence[int],
               workspace: int = 0) -> None:
        """Enqueues one run of a GPU program on ``stream`` (a CUstream, as an integer), on
        device addresses. Allocates nothing, synchronises nothing, works under capture."""
        error = ct.c_void_p()
        _capi.check(_capi.lib.tilefuse_loaded_launch(
            self.load_on(device), stream, (ct.c_void_p * len(inputs))(*inputs), len(inputs),
            (ct.c_void_p * len(outputs))(*outputs), len(outputs), workspace,
            ct.byref(error)), error)


def _restore(data: bytes, entry: str) -> Program:
    """A program from another process."""
    return Program.deserialize(data).select(entry)


def _wants_torch(inputs: Sequence[Any], target: str) -> bool:
    """Whether a call is PyTorch's: a tensor among the inputs, or a GPU's memory."""
    torch = sys.modules.get("torch")
    if torch is not None and any(isinstance(x, torch.Tensor) for x in inputs):
        return True
    if target == "cpu":
        return False
    try:
        import torch as _  # noqa: F401
    except ImportError:
        raise NotFoundError("a GPU program is called with PyTorch tensors, and PyTorch is not "
                            "installed; Program.launch takes addresses") from None
    return True
