"""tilefuse: a tile compiler for tensor subgraphs.

    program = tilefuse.compile(open("f.mlir").read())        # for the CPU
    program = tilefuse.compile(text, target="sm_90a")        # for a Hopper GPU
    y, = program(x, w, b)                                    # NumPy arrays or tensors

Programs take and return arrays in the order of their signature. To train through them,
see `tilefuse.torch`, which needs PyTorch; this package does not.
"""

from ._compiler import clear_cache, compile, describe, emit, set_cache
from .errors import (
    ArgumentError,
    CompileError,
    DeviceError,
    Error,
    InternalError,
    NotFoundError,
    OutOfMemoryError,
    ProgramError,
    UnsupportedError,
)
from .program import Program
from .signature import ArgumentInfo, LaunchInfo, Signature

__version__ = "0.1.0"

__all__ = [
    "ArgumentError", "ArgumentInfo", "CompileError", "DeviceError", "Error", "InternalError",
    "LaunchInfo", "NotFoundError", "OutOfMemoryError", "Program", "ProgramError", "Signature",
    "UnsupportedError", "clear_cache", "compile", "describe", "emit", "set_cache",
]
