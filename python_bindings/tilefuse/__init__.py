"""tilefuse: compile tensor subgraphs and run them on PyTorch tensors.

A thin layer over the C ABI. Programs take and return tensors in the order of
their signature; on CUDA they run on the current stream, without synchronising.
"""

import ctypes as ct

from . import _capi

__all__ = ["CompileError", "Error", "Program", "compile", "emit"]

_lib, _has_compiler = _capi.open_library()
_DTYPES = ["float32", "float16", "bfloat16", "float64", "bool", "int8", "int32", "int64"]
_INVALID_SOURCE = 2


class Error(RuntimeError):
    """An error of tilefuse; `location` is `file:line:column` or empty."""

    def __init__(self, message, location=""):
        super().__init__(f"{location}: {message}" if location else message)
        self.location = location


class CompileError(Error):
    """The source does not parse, verify or compile."""


def _check(status, error):
    if status == 0:
        return
    code = _lib.tilefuse_error_code(error)
    message = _lib.tilefuse_error_message(error).decode()
    location = _lib.tilefuse_error_location(error).decode()
    _lib.tilefuse_error_free(error)
    raise (CompileError if code == _INVALID_SOURCE else Error)(message, location)


def _options(target, schedule_target, entry, assemble, gradients=False):
    encode = lambda text: text.encode() if text else None
    return _capi.CompileOptions(
        size=ct.sizeof(_capi.CompileOptions),
        target=encode(target),
        schedule_target=encode(schedule_target),
        entry=encode(entry),
        source_name=None,
        no_assemble=0 if assemble else 1,
        gradients=1 if gradients else 0,
    )


def _need_compiler():
    if not _has_compiler:
        raise Error("the tilefuse compiler library is not installed, only its runtime")


def compile(source, target="cpu", schedule_target=None, entry=None, assemble=True,
            gradients=False):
    """Compiles MLIR text to a Program for `target` ("cpu" or "sm_90a").

    With `gradients` the program has the entries NAME_forward and NAME_backward.
    """
    _need_compiler()
    program, error = ct.c_void_p(), ct.c_void_p()
    text = source.encode()
    options = _options(target, schedule_target, entry, assemble, gradients)
    _check(_lib.tilefuse_compile(text, len(text), ct.byref(options), ct.byref(program),
                                 ct.byref(error)), error)
    return Program(program)


def emit(source, stage, target="cpu", schedule_target=None, entry=None):
    """The IR or code after `stage`: fuse, kernels, tile, llvm, ptx (str) or cubin (bytes)."""
    _need_compiler()
    result, error = ct.c_void_p(), ct.c_void_p()
    text = source.encode()
    options = _options(target, schedule_target, entry, True)
    _check(_lib.tilefuse_emit(text, len(text), stage.encode(), ct.byref(options),
                              ct.byref(result), ct.byref(error)), error)
    data = ct.string_at(_lib.tilefuse_bytes_data(result), _lib.tilefuse_bytes_size(result))
    _lib.tilefuse_bytes_free(result)
    return data if stage == "cubin" else data.decode()


class ArgumentInfo:
    """Name, dtype (as PyTorch spells it) and shape of one input or output."""

    def __init__(self, raw):
        self.name = raw.name.decode()
        self.dtype = _DTYPES[raw.dtype]
        self.shape = tuple(raw.shape[i] for i in range(raw.rank))
        self.alignment = raw.alignment
        self.alias_result = raw.alias_result

    def __repr__(self):
        return f"{self.name}: {self.dtype}{list(self.shape)}"


class Program:
    """A compiled program; call it with tensors."""

    def __init__(self, handle):
        self._handle = handle
        self._loaded = {}
        self.target = _lib.tilefuse_program_target(handle).decode()
        self.entry = _lib.tilefuse_program_entry(handle).decode()
        self.workspace_bytes = _lib.tilefuse_program_workspace_bytes(handle)
        self.num_launches = _lib.tilefuse_program_num_launches(handle)
        self.inputs = self._describe("input")
        self.outputs = self._describe("output")

    @property
    def entries(self):
        """Names of the entries."""
        count = _lib.tilefuse_program_num_entries(self._handle)
        return [_lib.tilefuse_program_entry_name(self._handle, i).decode()
                for i in range(count)]

    def select(self, entry):
        """The same program with another entry selected."""
        program, error = ct.c_void_p(), ct.c_void_p()
        _check(_lib.tilefuse_program_select(self._handle, entry.encode(), ct.byref(program),
                                            ct.byref(error)), error)
        return Program(program)

    @property
    def saved(self):
        """For a backward entry: ("argument" | "result" | "residual", index) per saved input."""
        kinds = ["argument", "result", "residual"]
        sources = []
        for i in range(_lib.tilefuse_program_num_saved(self._handle)):
            kind, index = ct.c_int(), ct.c_size_t()
            _lib.tilefuse_program_saved(self._handle, i, ct.byref(kind), ct.byref(index))
            sources.append((kinds[kind.value], index.value))
        return sources

    def _describe(self, kind):
        count = getattr(_lib, f"tilefuse_program_num_{kind}s")(self._handle)
        query = getattr(_lib, f"tilefuse_program_{kind}")
        infos = []
        for i in range(count):
            raw = _capi.Argument()
            query(self._handle, i, ct.byref(raw))
            infos.append(ArgumentInfo(raw))
        return infos

    @classmethod
    def load(cls, path):
        """Reads a program file."""
        with open(path, "rb") as file:
            return cls.deserialize(file.read())

    @classmethod
    def deserialize(cls, data):
        """A program from its bytes; CPU programs are compiled again."""
        program, error = ct.c_void_p(), ct.c_void_p()
        _check(_lib.tilefuse_program_deserialize(data, len(data), ct.byref(program),
                                                 ct.byref(error)), error)
        if _lib.tilefuse_program_target(program) == b"cpu":
            _need_compiler()
            loaded, program = program, ct.c_void_p()
            try:
                _check(_lib.tilefuse_recompile(loaded, ct.byref(program), ct.byref(error)),
                       error)
            finally:
                _lib.tilefuse_program_free(loaded)
        return cls(program)

    def serialize(self):
        """The program as bytes."""
        data = _lib.tilefuse_program_serialize(self._handle)
        result = ct.string_at(_lib.tilefuse_bytes_data(data), _lib.tilefuse_bytes_size(data))
        _lib.tilefuse_bytes_free(data)
        return result

    def __del__(self):
        for loaded in getattr(self, "_loaded", {}).values():
            _lib.tilefuse_loaded_free(loaded)
        if getattr(self, "_handle", None):
            _lib.tilefuse_program_free(self._handle)

    def load_on(self, device):
        """Makes the code resident on CUDA device number `device`."""
        if device not in self._loaded:
            loaded, error = ct.c_void_p(), ct.c_void_p()
            _check(_lib.tilefuse_program_load(self._handle, device, ct.byref(loaded),
                                              ct.byref(error)), error)
            self._loaded[device] = loaded
        return self._loaded[device]

    def _prepare(self, tensors):
        import torch

        if len(tensors) != len(self.inputs):
            raise Error(f"expected {len(self.inputs)} inputs, found {len(tensors)}")
        prepared = []
        for tensor, info in zip(tensors, self.inputs):
            if tuple(tensor.shape) != info.shape or tensor.dtype != getattr(torch, info.dtype):
                raise Error(f"input '{info.name}' must be {info.dtype}{list(info.shape)}, "
                            f"found {tensor.dtype}{list(tensor.shape)}")
            tensor = tensor.contiguous()
            if tensor.data_ptr() % info.alignment:
                tensor = tensor.clone()
            prepared.append(tensor)
        return prepared

    def __call__(self, *tensors, threads=0):
        """Runs the program; returns a tuple of new tensors."""
        import torch

        tensors = self._prepare(tensors)
        is_host = self.target == "cpu"
        device = tensors[0].device if tensors else torch.device("cpu" if is_host else "cuda")
        if any(t.device != device for t in tensors) or (device.type == "cpu") != is_host:
            raise Error(f"the program is for {self.target}; every input must be there")
        outputs = tuple(
            torch.empty(info.shape, dtype=getattr(torch, info.dtype), device=device)
            for info in self.outputs)
        workspace = torch.empty(self.workspace_bytes + 256, dtype=torch.uint8, device=device)
        scratch = -(-workspace.data_ptr() // 256) * 256
        self.run_raw(tensors, outputs, scratch, device, threads)
        return outputs

    def run_raw(self, inputs, outputs, workspace, device, threads=0):
        """One run on prepared tensors and a workspace address; allocates nothing."""
        import torch

        pack = lambda tensors: (ct.c_void_p * len(tensors))(*[t.data_ptr() for t in tensors])
        error = ct.c_void_p()
        if device.type == "cpu":
            status = _lib.tilefuse_program_run_on_host(
                self._handle, pack(inputs), len(inputs), pack(outputs), len(outputs),
                workspace, threads, ct.byref(error))
        else:
            index = device.index if device.index is not None else torch.cuda.current_device()
            status = _lib.tilefuse_loaded_launch(
                self.load_on(index), torch.cuda.current_stream(device).cuda_stream,
                pack(inputs), len(inputs), pack(outputs), len(outputs), workspace,
                ct.byref(error))
        _check(status, error)
