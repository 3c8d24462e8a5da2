"""The C ABI through ctypes: the declarations of tilefuse-c, nothing else."""

import ctypes as ct
import os
import pathlib


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
    ]


def _find(name):
    """The library beside this package, in $TILEFUSE_LIBRARY_DIR, or installed."""
    here = pathlib.Path(__file__).resolve()
    folders = [here.parent]
    if "TILEFUSE_LIBRARY_DIR" in os.environ:
        folders.append(pathlib.Path(os.environ["TILEFUSE_LIBRARY_DIR"]))
    root = here.parents[2]
    folders.append(root / "lib")
    folders += sorted(root.glob("build/*/lib"), reverse=True)
    for folder in folders:
        if (folder / name).exists():
            return str(folder / name)
    return name


def _declare(library, name, result, *arguments):
    function = getattr(library, name)
    function.restype = result
    function.argtypes = arguments
    return function


_P = ct.c_void_p
_PP = ct.POINTER(ct.c_void_p)


def load_runtime(library):
    """Declares the functions of tilefuse.h on an opened library."""
    declare = lambda *a: _declare(library, *a)
    declare("tilefuse_error_code", ct.c_int, _P)
    declare("tilefuse_error_message", ct.c_char_p, _P)
    declare("tilefuse_error_location", ct.c_char_p, _P)
    declare("tilefuse_error_free", None, _P)
    declare("tilefuse_bytes_data", ct.c_void_p, _P)
    declare("tilefuse_bytes_size", ct.c_size_t, _P)
    declare("tilefuse_bytes_free", None, _P)
    declare("tilefuse_program_serialize", _P, _P)
    declare("tilefuse_program_deserialize", ct.c_int, ct.c_char_p, ct.c_size_t, _PP, _PP)
    declare("tilefuse_program_free", None, _P)
    declare("tilefuse_program_num_entries", ct.c_size_t, _P)
    declare("tilefuse_program_entry_name", ct.c_char_p, _P, ct.c_size_t)
    declare("tilefuse_program_select", ct.c_int, _P, ct.c_char_p, _PP, _PP)
    declare("tilefuse_program_num_saved", ct.c_size_t, _P)
    declare("tilefuse_program_saved", ct.c_int, _P, ct.c_size_t, ct.POINTER(ct.c_int),
            ct.POINTER(ct.c_size_t))
    declare("tilefuse_program_entry", ct.c_char_p, _P)
    declare("tilefuse_program_target", ct.c_char_p, _P)
    declare("tilefuse_program_num_inputs", ct.c_size_t, _P)
    declare("tilefuse_program_num_outputs", ct.c_size_t, _P)
    declare("tilefuse_program_input", ct.c_int, _P, ct.c_size_t, ct.POINTER(Argument))
    declare("tilefuse_program_output", ct.c_int, _P, ct.c_size_t, ct.POINTER(Argument))
    declare("tilefuse_program_workspace_bytes", ct.c_size_t, _P)
    declare("tilefuse_program_num_launches", ct.c_size_t, _P)
    declare("tilefuse_program_run_on_host", ct.c_int, _P, _PP, ct.c_size_t, _PP,
            ct.c_size_t, _P, ct.c_uint, _PP)
    declare("tilefuse_program_load", ct.c_int, _P, ct.c_int, _PP, _PP)
    declare("tilefuse_loaded_free", None, _P)
    declare("tilefuse_loaded_launch", ct.c_int, _P, _P, _PP, ct.c_size_t, _PP,
            ct.c_size_t, _P, _PP)
    return library


def load_compiler(library):
    """Declares the functions of compile.h as well."""
    load_runtime(library)
    declare = lambda *a: _declare(library, *a)
    options = ct.POINTER(CompileOptions)
    declare("tilefuse_compile", ct.c_int, ct.c_char_p, ct.c_size_t, options, _PP, _PP)
    declare("tilefuse_recompile", ct.c_int, _P, _PP, _PP)
    declare("tilefuse_emit", ct.c_int, ct.c_char_p, ct.c_size_t, ct.c_char_p, options,
            _PP, _PP)
    return library


def open_library():
    """The compiler library where there is one, else the runtime alone.

    Returns the library and whether it can compile.
    """
    try:
        return load_compiler(ct.CDLL(_find("libtilefuse.so"))), True
    except OSError:
        return load_runtime(ct.CDLL(_find("libtilefuse-runtime.so"))), False
