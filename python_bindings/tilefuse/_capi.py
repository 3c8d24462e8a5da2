"""The C ABI through ctypes: the declarations of tilefuse-c, and the library they are in."""

from __future__ import annotations

import ctypes as ct
import os
import pathlib
from typing import Any

from .errors import BY_CODE, InternalError, NotFoundError


class Argument(ct.Structure):
    """tilefuse_argument."""

    _fields_ = [
        ("name", ct.c_char_p),
        ("dtype", ct.c_int),
        ("rank", ct.c_int64),
        ("shape", ct.POINTER(ct.c_int64)),
        ("strides", ct.POINTER(ct.c_int64)),
        ("alignment", ct.c_uint64),
        ("bytes", ct.c_uint64),
        ("alias_result", ct.c_int64),
        ("in_place", ct.c_int),
    ]


class Launch(ct.Structure):
    """tilefuse_launch."""

    _fields_ = [
        ("kernel", ct.c_char_p),
        ("grid", ct.c_uint64 * 3),
        ("threads", ct.c_uint32),
        ("shared_bytes", ct.c_uint32),
        ("bytes", ct.c_int64),
        ("is_finish", ct.c_int),
    ]


class CompileOptions(ct.Structure):
    """tilefuse_compile_options."""

    _fields_ = [
        ("size", ct.c_size_t),
        ("target", ct.c_char_p),
        ("schedule_target", ct.c_char_p),
        ("entry", ct.c_char_p),
        ("source_name", ct.c_char_p),
        ("no_assemble", ct.c_int),
        ("gradients", ct.c_int),
        ("gradient_arguments", ct.POINTER(ct.c_int64)),
        ("num_gradient_arguments", ct.c_size_t),
        ("no_cache", ct.c_int),
        ("cache_directory", ct.c_char_p),
    ]


_P = ct.c_void_p
_PP = ct.POINTER(ct.c_void_p)
_SIZE = ct.c_size_t
_OPTIONS = ct.POINTER(CompileOptions)
_ARGUMENT = ct.POINTER(Argument)

# name -> (result, arguments), as the headers have them.
_RUNTIME: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "tilefuse_error_code": (ct.c_int, (_P,)),
    "tilefuse_error_message": (ct.c_char_p, (_P,)),
    "tilefuse_error_location": (ct.c_char_p, (_P,)),
    "tilefuse_error_free": (None, (_P,)),
    "tilefuse_bytes_data": (_P, (_P,)),
    "tilefuse_bytes_size": (_SIZE, (_P,)),
    "tilefuse_bytes_free": (None, (_P,)),
    "tilefuse_program_serialize": (_P, (_P,)),
    "tilefuse_program_deserialize": (ct.c_int, (ct.c_char_p, _SIZE, _PP, _PP)),
    "tilefuse_program_free": (None, (_P,)),
    "tilefuse_program_num_entries": (_SIZE, (_P,)),
    "tilefuse_program_entry_name": (ct.c_char_p, (_P, _SIZE)),
    "tilefuse_program_select": (ct.c_int, (_P, ct.c_char_p, _PP, _PP)),
    "tilefuse_program_num_saved": (_SIZE, (_P,)),
    "tilefuse_program_saved": (
        ct.c_int, (_P, _SIZE, ct.POINTER(ct.c_int), ct.POINTER(_SIZE))),
    "tilefuse_program_entry": (ct.c_char_p, (_P,)),
    "tilefuse_program_target": (ct.c_char_p, (_P,)),
    "tilefuse_program_num_inputs": (_SIZE, (_P,)),
    "tilefuse_program_num_outputs": (_SIZE, (_P,)),
    "tilefuse_program_input": (ct.c_int, (_P, _SIZE, _ARGUMENT)),
    "tilefuse_program_output": (ct.c_int, (_P, _SIZE, _ARGUMENT)),
    "tilefuse_program_workspace_bytes": (_SIZE, (_P,)),
    "tilefuse_program_num_launches": (_SIZE, (_P,)),
    "tilefuse_program_launch": (ct.c_int, (_P, _SIZE, ct.POINTER(Launch))),
    "tilefuse_program_run_on_host": (
        ct.c_int, (_P, _P, _SIZE, _P, _SIZE, _P, ct.c_uint, _P)),
    "tilefuse_program_load": (ct.c_int, (_P, ct.c_int, _PP, _PP)),
    "tilefuse_loaded_free": (None, (_P,)),
    "tilefuse_loaded_launch": (ct.c_int, (_P, _P, _P, _SIZE, _P, _SIZE, _P, _P)),
    "tilefuse_loaded_run": (ct.c_int, (ct.c_char_p, _SIZE, _P)),
    "tilefuse_program_run": (ct.c_int, (ct.c_char_p, _SIZE, _P)),
}
_COMPILER: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "tilefuse_compile": (ct.c_int, (ct.c_char_p, _SIZE, _OPTIONS, _PP, _PP)),
    "tilefuse_recompile": (ct.c_int, (_P, _PP, _PP)),
    "tilefuse_emit": (ct.c_int, (ct.c_char_p, _SIZE, ct.c_char_p, _OPTIONS, _PP, _PP)),
    "tilefuse_describe": (ct.c_int, (ct.c_char_p, _SIZE, _OPTIONS, _PP, _PP)),
    "tilefuse_signatures_free": (None, (_P,)),
    "tilefuse_signatures_count": (_SIZE, (_P,)),
    "tilefuse_signatures_entry": (ct.c_char_p, (_P, _SIZE)),
    "tilefuse_signatures_input": (ct.c_int, (_P, _SIZE, _SIZE, _ARGUMENT)),
    "tilefuse_signatures_output": (ct.c_int, (_P, _SIZE, _SIZE, _ARGUMENT)),
}


def _find(name: str) -> str | None:
    """The library in this package, in $TILEFUSE_LIBRARY_DIR, or in the tree around it: the
    one that was built last."""
    here = pathlib.Path(__file__).resolve().parent
    chosen = os.environ.get("TILEFUSE_LIBRARY_DIR")
    root = here.parents[1]
    for folder in (here, pathlib.Path(chosen) if chosen else None, root / "lib"):
        if folder and (folder / name).exists():
            return str(folder / name)
    built = [path for path in root.glob(f"build/*/lib/{name}") if path.parts[-3] != "asan"]
    return str(max(built, key=lambda path: path.stat().st_mtime)) if built else None


def _declare(library: ct.CDLL, functions: dict[str, tuple[Any, tuple[Any, ...]]]) -> None:
    for name, (result, arguments) in functions.items():
        try:
            function = getattr(library, name)
        except AttributeError:
            raise NotFoundError(f"the library {library._name} is older than this package: "
                                f"it has no {name}") from None
        function.restype = result
        function.argtypes = arguments


def _open() -> tuple[ct.CDLL, bool]:
    problem = ("neither libtilefuse.so nor libtilefuse-runtime.so is in the package, in "
               "$TILEFUSE_LIBRARY_DIR or in build/*/lib")
    for name, functions in (("libtilefuse.so", {**_RUNTIME, **_COMPILER}),
                            ("libtilefuse-runtime.so", _RUNTIME)):
        path = _find(name)
        if path is None:
            continue
        try:
            library = ct.CDLL(path)
        except OSError as error:  # such as a compiler whose LLVM is not here
            problem = str(error)
            continue
        _declare(library, functions)
        return library, functions is not _RUNTIME
    raise NotFoundError(problem)


#: The compiler library where there is one, else the runtime alone.
lib, has_compiler = _open()


def check(status: int, error: ct.c_void_p) -> None:
    """Raises what a failed call reported; frees it."""
    if status == 0:
        return
    code = lib.tilefuse_error_code(error)
    message = lib.tilefuse_error_message(error).decode(errors="replace")
    location = lib.tilefuse_error_location(error).decode(errors="replace")
    lib.tilefuse_error_free(error)
    raise BY_CODE.get(code, InternalError)(message, location)


def need_compiler() -> None:
    """Raises where only the runtime is installed."""
    if not has_compiler:
        raise NotFoundError("the tilefuse compiler library is not installed, only its runtime")


def take_bytes(handle: ct.c_void_p | int) -> bytes:
    """The contents of a tilefuse_bytes, which is freed."""
    data = ct.string_at(lib.tilefuse_bytes_data(handle), lib.tilefuse_bytes_size(handle))
    lib.tilefuse_bytes_free(handle)
    return data
