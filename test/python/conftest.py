"""Makes the package importable from the source tree, with the newest library built."""

import os
import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def newest_build():
    """TILEFUSE_BUILD, or the build folder whose library is newest."""
    if "TILEFUSE_BUILD" in os.environ:
        return pathlib.Path(os.environ["TILEFUSE_BUILD"])
    built = sorted(ROOT.glob("build/*/lib/libtilefuse.so"), key=lambda p: p.stat().st_mtime)
    assert built, "build libtilefuse.so first"
    return built[-1].parents[1]


os.environ.setdefault("TILEFUSE_LIBRARY_DIR", str(newest_build().resolve() / "lib"))
sys.path.append(str(ROOT / "python_bindings"))
sys.path.append(str(pathlib.Path(__file__).parent))


@pytest.fixture
def graphs(monkeypatch):
    """The graphs that the backend compiles in a test, as tilefuse.torch.backend.Compiled."""
    import importlib

    backend = importlib.import_module("tilefuse.torch.backend")
    found, compile_graph = [], backend.compile_graph

    def collect(*arguments, **keywords):
        found.append(compile_graph(*arguments, **keywords))
        return found[-1]
    monkeypatch.setattr(backend, "compile_graph", collect)
    return found
