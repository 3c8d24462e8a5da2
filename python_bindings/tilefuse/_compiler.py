"""Text to programs: the compiler's calls, and the programs this process has made."""

from __future__ import annotations

import collections
import ctypes as ct
import os
import threading
from collections.abc import Sequence

from . import _capi
from .errors import ArgumentError
from .program import Program
from .signature import ArgumentInfo, Signature

__all__ = ["clear_cache", "compile", "describe", "emit", "set_cache"]

_Key = tuple[object, ...]
#: Programs that are kept, least recently used first.
_MAX_PROGRAMS = 1024
_programs: collections.OrderedDict[_Key, Program] = collections.OrderedDict()
_lock = threading.Lock()
_disk_cache: bool | str = True


def set_cache(disk: bool | str | os.PathLike[str]) -> None:
    """Turns the on-disk cache on (the default) or off, or gives it a folder.

    The folder must be an absolute path, and belong to this user alone (mode 0700); it is
    made when it is not there. By default it is ``$TILEFUSE_CACHE_DIR``, else
    ``tilefuse`` in the user's cache folder.
    """
    global _disk_cache
    if not isinstance(disk, bool):
        disk = os.fspath(disk)
        if not os.path.isabs(disk):
            raise ArgumentError(f"the cache's folder must be an absolute path, not '{disk}'")
    _disk_cache = disk


def clear_cache() -> None:
    """Forgets the programs this process keeps; those on disk stay."""
    with _lock:
        _programs.clear()


def _options(target: str, schedule_target: str | None, entry: str | None,
             gradients: bool | Sequence[int], assemble: bool = True,
             disk: bool | str = True) -> _capi.CompileOptions:
    def encode(text: str | None) -> bytes | None:
        return text.encode() if text else None

    arguments: list[int] = []
    if not isinstance(gradients, bool):
        arguments = [int(index) for index in gradients]
        if not arguments:
            raise ArgumentError("gradients names no argument; to ask for none, pass False")
    return _capi.CompileOptions(
        size=ct.sizeof(_capi.CompileOptions),
        target=encode(target),
        schedule_target=encode(schedule_target),
        entry=encode(entry),
        source_name=None,
        no_assemble=0 if assemble else 1,
        gradients=0 if gradients is False else 1,
        gradient_arguments=(ct.c_int64 * len(arguments))(*arguments),
        num_gradient_arguments=len(arguments),
        no_cache=1 if disk is False else 0,
        cache_directory=encode(disk if isinstance(disk, str) else None),
    )


def compile(source: str, target: str = "cpu", schedule_target: str | None = None,
            entry: str | None = None, assemble: bool = True,
            gradients: bool | Sequence[int] = False, cache: bool = True) -> Program:
    """Compiles MLIR text of any stage from ``fuse`` to ``tile``.

    ``target`` is ``cpu`` or a GPU architecture (``sm_90a``). With target ``cpu``,
    ``schedule_target="sm_90a"`` runs the GPU's tile program on the CPU. ``entry`` names
    the one function to compile; by default every public one becomes an entry.
    ``assemble=False`` leaves assembling PTX to the driver.

    With ``gradients`` each function ``f`` becomes the entries ``f_forward`` and
    ``f_backward``; a sequence names the positions of the arguments to differentiate,
    ``True`` stands for every float argument that no result aliases.

    The same text and options give the same Program again, from memory or from disk
    (see `set_cache`), unless ``cache`` is false. Raises CompileError with the
    compiler's diagnostic.
    """
    _capi.need_compiler()
    wanted = gradients if isinstance(gradients, bool) else tuple(gradients)
    key: _Key = (source, target, schedule_target, entry, assemble, wanted)
    if cache:
        with _lock:
            found = _programs.get(key)
            if found is not None:
                _programs.move_to_end(key)
                return found
    program, error = ct.c_void_p(), ct.c_void_p()
    text = source.encode()
    options = _options(target, schedule_target, entry, wanted, assemble,
                       _disk_cache if cache else False)
    _capi.check(_capi.lib.tilefuse_compile(
        text, len(text), ct.byref(options), ct.byref(program), ct.byref(error)), error)
    result = Program._own(program)
    if not cache:
        return result
    with _lock:
        # Where another thread was faster, there is one program all the same.
        result = _programs.setdefault(key, result)
        while len(_programs) > _MAX_PROGRAMS:
            _programs.popitem(last=False)
    return result


def emit(source: str, stage: str, target: str = "cpu", schedule_target: str | None = None,
         entry: str | None = None, gradients: bool | Sequence[int] = False) -> str | bytes:
    """The IR or code after ``stage``: fuse, joint, kernels, tile, llvm, ptx (text) or cubin
    (bytes). The other arguments are those of `compile`."""
    _capi.need_compiler()
    result, error = ct.c_void_p(), ct.c_void_p()
    text = source.encode()
    options = _options(target, schedule_target, entry, gradients)
    _capi.check(_capi.lib.tilefuse_emit(
        text, len(text), stage.encode(), ct.byref(options), ct.byref(result),
        ct.byref(error)), error)
    data = _capi.take_bytes(result)
    return data if stage == "cubin" else data.decode()


def describe(source: str) -> tuple[Signature, ...]:
    """The signatures of the public functions of a ``fuse`` text, which is parsed and
    verified but not compiled. Raises CompileError."""
    _capi.need_compiler()
    handle, error = ct.c_void_p(), ct.c_void_p()
    text = source.encode()
    options = _options("cpu", None, None, False)
    lib = _capi.lib
    _capi.check(lib.tilefuse_describe(text, len(text), ct.byref(options), ct.byref(handle),
                                      ct.byref(error)), error)
    raw = _capi.Argument()
    lists: list[list[ArgumentInfo]] = []
    signatures = []
    for i in range(lib.tilefuse_signatures_count(handle)):
        lists = [[], []]
        for infos, query in zip(lists, (lib.tilefuse_signatures_input,
                                        lib.tilefuse_signatures_output)):
            while query(handle, i, len(infos), ct.byref(raw)) == 0:
                infos.append(ArgumentInfo._from_raw(raw))
        name = lib.tilefuse_signatures_entry(handle, i).decode()
        signatures.append(Signature(name, tuple(lists[0]), tuple(lists[1])))
    lib.tilefuse_signatures_free(handle)
    return tuple(signatures)
