"""The installed package: what a C++ user gets from `cmake --install`."""

import os
import re
import subprocess
import time

import pytest

from training_reference import train

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


def test_training_example_learns_as_pytorch_does(examples):
    start = time.monotonic()
    lines = run(str(examples / "train_cnn"), "60").splitlines()
    assert time.monotonic() - start < 60
    losses = [float(line.split()[1]) for line in lines]
    expected = train(60)
    assert len(losses) == 60 and losses[-1] < 0.1 * losses[0]
    assert max(abs(a - b) for a, b in zip(losses, expected)) <= 1e-3


C_PROGRAM = r"""
#include <tilefuse-c/compile.h>
#include <stdio.h>
#include <string.h>

static const char *source =
    "func.func @f(%x: tensor<16xf32>) -> tensor<16xf32> {\n"
    "  %y = fuse.square %x : tensor<16xf32>\n"
    "  return %y : tensor<16xf32>\n"
    "}\n";

static float x[16] __attribute__((aligned(64))), y[16] __attribute__((aligned(64))),
    dy[16] __attribute__((aligned(64))), dx[16] __attribute__((aligned(64)));

static int check(int status, tilefuse_error *error) {
  if (status)
    fprintf(stderr, "%s\n", tilefuse_error_message(error));
  return status;
}

int main(void) {
  tilefuse_compile_options options;
  tilefuse_program *program, *forward, *backward;
  tilefuse_error *error = 0;
  const void *inputs[2];
  void *outputs[1];
  int kind, i;
  size_t position;
  memset(&options, 0, sizeof(options));
  options.size = sizeof(options);
  options.target = "cpu";
  options.gradients = 1;
  if (check(tilefuse_compile(source, strlen(source), &options, &program, &error), error) ||
      check(tilefuse_program_select(program, "f_forward", &forward, &error), error) ||
      check(tilefuse_program_select(program, "f_backward", &backward, &error), error))
    return 1;
  if (tilefuse_program_num_entries(program) != 2 || tilefuse_program_num_saved(backward) != 1 ||
      tilefuse_program_saved(backward, 0, &kind, &position) || kind != 0 || position != 0)
    return 2;
  for (i = 0; i < 16; ++i) {
    x[i] = (float)i;
    dy[i] = 3;
  }
  inputs[0] = x;
  outputs[0] = y;
  if (check(tilefuse_program_run_on_host(forward, inputs, 1, outputs, 1, 0, 1, &error), error))
    return 1;
  inputs[1] = dy;
  outputs[0] = dx;
  if (check(tilefuse_program_run_on_host(backward, inputs, 2, outputs, 1, 0, 1, &error), error))
    return 1;
  for (i = 0; i < 16; ++i)
    if (y[i] != (float)(i * i) || dx[i] != (float)(6 * i))
      return 3;
  tilefuse_program_free(forward);
  tilefuse_program_free(backward);
  tilefuse_program_free(program);
  return 0;
}
"""


def test_gradients_from_c(prefix, tmp_path):
    (tmp_path / "gradients.c").write_text(C_PROGRAM)
    run("cc", "-std=c99", "-Wall", "-Wextra", "-pedantic", "-Werror",
        "-I%s" % (prefix / "include"), str(tmp_path / "gradients.c"), "-o",
        str(tmp_path / "gradients"), "-L%s" % (prefix / "lib"), "-ltilefuse",
        "-ltilefuse-runtime", "-Wl,-rpath,%s" % (prefix / "lib"))
    run(str(tmp_path / "gradients"))


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
