"""fuse-run --grad: the backward pass of the examples against the float64 joint graph;
and the C++ example that trains, against PyTorch."""

import os
import subprocess

import numpy
import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.abspath(
    os.environ.get("TILEFUSE_BUILD", os.path.join(ROOT, "build", "release")))
SMALL = os.path.join(ROOT, "examples", "mlir", "small")


def fuse_run(*arguments):
    return subprocess.run([os.path.join(BUILD, "bin", "fuse-run"), *map(str, arguments)],
                          capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.parametrize("schedule", [[], ["--schedule-target=sm_90a"]], ids=["cpu", "sm_90a"])
@pytest.mark.parametrize("name", ["p82", "p54", "p73", "p97", "p91"])
def test_gradients_are_right(name, schedule):
    result = fuse_run(os.path.join(SMALL, name + ".mlir"), "--grad", "--check", *schedule)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "grad_w" in result.stdout


def test_files_and_cotangents(tmp_path):
    source = tmp_path / "f.mlir"
    source.write_text("""func.func @f(%x: tensor<3xf32>) -> tensor<3xf32> {
  %0 = fuse.square %x : tensor<3xf32>
  return %0 : tensor<3xf32>
}""")
    x = numpy.array([1, -2, 3], dtype=numpy.float32)
    dy = numpy.array([1, 10, 100], dtype=numpy.float32)
    numpy.save(tmp_path / "x.npy", x)
    numpy.save(tmp_path / "dy.npy", dy)
    result = fuse_run(source, "--grad", "--input", tmp_path / "x.npy",
                      "--cotangent", tmp_path / "dy.npy", "--output-dir", tmp_path / "o")
    assert result.returncode == 0, result.stderr
    assert (numpy.load(tmp_path / "o" / "out0.npy") == x * x).all()
    assert (numpy.load(tmp_path / "o" / "grad_x.npy") == 2 * x * dy).all()


def test_refusals(tmp_path):
    source = os.path.join(SMALL, "p82.mlir")
    result = fuse_run(source, "--cotangent", "dy.npy")
    assert result.returncode == 1 and "--cotangent is for --grad" in result.stderr
    program = tmp_path / "p.tfp"
    subprocess.run([os.path.join(BUILD, "bin", "fuse-compile"), source, "--target=cpu", "-o",
                    program], check=True, timeout=60)
    result = fuse_run(program, "--grad")
    assert result.returncode == 1 and "--grad needs text" in result.stderr
