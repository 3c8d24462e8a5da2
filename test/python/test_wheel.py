"""The wheel: its layout, in a fresh environment, on every CPython that is here.

It is built around the library that the build folder has, so that LLVM is not linked again.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import zipfile

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Nothing but the standard library: addresses instead of arrays.
CODE = """
import ctypes, sys, tilefuse
program = tilefuse.compile('''func.func @f(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = fuse.relu %x : tensor<2xf32>
  return %0 : tensor<2xf32>
}''')
memory = (ctypes.c_float * 64)()
base = -(-ctypes.addressof(memory) // 16) * 16
x = (ctypes.c_float * 2).from_address(base)
y = (ctypes.c_float * 2).from_address(base + 16)
x[:] = [-1, 2]
program.run_on_host([base], [base + 16])
assert list(y) == [0, 2]
try:
    tilefuse.compile('func')
except tilefuse.CompileError as error:
    assert error.location
assert not {'torch', 'numpy'} & set(sys.modules)
print(tilefuse.__path__[0], tilefuse.__version__)
"""


def run(command, **arguments):
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True,
                            check=False, timeout=300, **arguments)
    assert result.returncode == 0, f"{command}\n{result.stdout}{result.stderr}"
    return result.stdout


def clean_environment(**more):
    environment = {key: value for key, value in os.environ.items()
                   if not key.startswith(("TILEFUSE", "PYTHON"))}
    return {**environment, "TILEFUSE_CACHE_DIR": "", **more}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    pytest.importorskip("scikit_build_core", reason="scripts/setup.sh installs it")
    folder = tmp_path_factory.mktemp("wheel")
    library = pathlib.Path(os.environ["TILEFUSE_LIBRARY_DIR"])
    options = [f"cmake.define.TILEFUSE_PREBUILT={library}", f"build-dir={folder}/build"]
    run([sys.executable, "-m", "pip", "wheel", ROOT, "--no-deps", "--no-build-isolation",
         "--no-index", "-q", "-w", folder, *[f"--config-settings={o}" for o in options]])
    found, = folder.glob("*.whl")
    return found


def test_layout(wheel):
    assert wheel.name == "tilefuse-0.1.0-py3-none-linux_x86_64.whl"
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        entry_points = archive.read("tilefuse-0.1.0.dist-info/entry_points.txt").decode()
    assert {"tilefuse/py.typed", "tilefuse/libtilefuse.so", "tilefuse/torch/operators.py"} <= names
    assert all(name.startswith("tilefuse") for name in names)
    source = ROOT / "python_bindings"
    modules = {str(path.relative_to(source)) for path in source.glob("tilefuse/**/*.py")}
    assert modules <= names
    assert "tilefuse = tilefuse.torch:backend" in entry_points


def test_version_is_the_projects(wheel):
    import tilefuse

    assert wheel.name.split("-")[1] == tilefuse.__version__


def test_fresh_environment(wheel, tmp_path):
    run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"])
    python = tmp_path / "venv" / "bin" / "python"
    run([sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-deps",
         "--no-index", wheel])
    output = run([python, "-c", CODE], cwd=tmp_path, env=clean_environment())
    assert output.startswith(str(tmp_path / "venv"))


def test_backend_by_name(wheel, tmp_path):
    """torch.compile finds the installed package by the name of its entry point."""
    torch = pytest.importorskip("torch")
    run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"])
    python = tmp_path / "venv" / "bin" / "python"
    run([sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-deps",
         "--no-index", wheel])
    packages = str(pathlib.Path(torch.__file__).parents[1])
    output = run([python, ROOT / "test" / "gpu" / "by_name.py", "cpu"], cwd=tmp_path,
                 env=clean_environment(PYTHONPATH=packages))
    assert output.startswith(str(tmp_path / "venv"))


@pytest.mark.parametrize("version", ["3.10", "3.11", "3.12", "3.13"])
def test_every_python(wheel, tmp_path, version):
    python = shutil.which(f"python{version}")
    pyenv = sorted(pathlib.Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))
    python = pyenv[-1] if pyenv else python
    if not python:
        pytest.skip(f"there is no python{version} here")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    output = run([python, "-c", CODE], cwd=tmp_path,
                 env=clean_environment(PYTHONPATH=str(tmp_path)))
    assert output.startswith(str(tmp_path))
