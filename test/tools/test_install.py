"""The installed package: what a C++ user gets from `cmake --install`."""

import os
import re
import subprocess

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.abspath(
    os.environ.get("TILEFUSE_BUILD", os.path.join(ROOT, "build", "release")))


def run(*command, **options):
    result = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    assert result.returncode == 0, "%s\n%s%s" % (command, result.stdout, result.stderr)
    return result.stdout


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    folder = tmp_path_factory.mktemp("prefix")
    run("cmake", "--install", BUILD, "--prefix", str(folder))
    return folder


@pytest.fixture(scope="module")
def examples(prefix, tmp_path_factory):
    folder = tmp_path_factory.mktemp("examples")
    run("cmake", "-G", "Ninja", "-S", os.path.join(ROOT, "examples", "cpp"), "-B",
        str(folder), "-DCMAKE_PREFIX_PATH=" + str(prefix))
    run("cmake", "--build", str(folder))
    return folder


def test_example_compiles_and_runs(examples):
    run(str(examples / "compile_and_run"))


def test_example_refuses_a_foreign_program(examples, tmp_path):
    path = tmp_path / "not.program"
    path.write_bytes(b"TILEFUSE" + bytes(100))
    result = subprocess.run([str(examples / "run_program"), str(path)],
                            capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert "error:" in result.stderr


def test_public_headers_name_no_llvm(prefix):
    for folder, _, files in os.walk(prefix / "include"):
        for name in files:
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                text = file.read()
            assert not re.search(r'#include\s+["<](llvm|mlir)/', text), name


def test_runtime_needs_no_llvm(prefix):
    (library,) = [path for path in (prefix / "lib").rglob("libtilefuse-runtime.so")]
    needed = run("/usr/lib/llvm-22/bin/llvm-readelf", "--needed-libs", str(library))
    assert "LLVM" not in needed and "MLIR" not in needed
