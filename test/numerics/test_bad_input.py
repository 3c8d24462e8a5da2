"""Bad input: one clear line on stderr, exit 1, never a signal."""

import json

import numpy
import pytest

import fuserun

IDENTITY = """func.func @f(%x: tensor<2x3xf32>, %y: tensor<3xf32>) -> tensor<2x3xf32> {
  %0 = fuse.add %x, %y : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}
"""


@pytest.fixture
def graph(tmp_path):
    path = tmp_path / "graph.mlir"
    path.write_text(IDENTITY)
    return path


def refuse(*arguments):
    """Runs, expects one line of refusal, and returns it."""
    done = fuserun.run(*arguments, timeout=20)
    assert done.returncode == 1, (done.returncode, done.stdout, done.stderr)
    lines = [line for line in done.stderr.splitlines() if not line.startswith("note: ")]
    assert len(lines) == 1 and "error: " in lines[0], done.stderr
    return lines[0]


# (text, words of the message)
TEXTS = {
    "garbage": ("hello world", "1:1"),
    "empty": ("", "no public function"),
    "unclosed": ("func.func @f(%x: tensor<2xf32>", "1:"),
    "no-function": ("module {}", "no public function"),
    "unknown-op": ("func.func @f(%x: tensor<2xf32>) -> tensor<2xf32> {\n"
                   "  %0 = fuse.nonsense %x : tensor<2xf32>\n  return %0 : tensor<2xf32>\n}",
                   "2:"),
    "wrong-shape": ("func.func @f(%x: tensor<2xf32>, %y: tensor<3xf32>) -> tensor<2xf32> {\n"
                    "  %0 = fuse.add %x, %y : (tensor<2xf32>, tensor<3xf32>) -> tensor<2xf32>\n"
                    "  return %0 : tensor<2xf32>\n}", "2:"),
    "wrong-channels": ("func.func @f(%x: tensor<1x3x8x8xf32>, %w: tensor<4x2x3x3xf32>)"
                       " -> tensor<1x4x6x6xf32> {\n  %0 = fuse.conv2d %x, %w : "
                       "(tensor<1x3x8x8xf32>, tensor<4x2x3x3xf32>) -> tensor<1x4x6x6xf32>\n"
                       "  return %0 : tensor<1x4x6x6xf32>\n}", "2:"),
    "element-type": ("func.func @f(%x: tensor<2xi16>) -> tensor<2xi16> {\n"
                     "  %0 = fuse.neg %x : tensor<2xi16>\n  return %0 : tensor<2xi16>\n}", "2:"),
    "dynamic": ("func.func @f(%x: tensor<?xf32>) -> tensor<?xf32> {\n"
                "  %0 = fuse.neg %x : tensor<?xf32>\n  return %0 : tensor<?xf32>\n}", "static"),
    "zero-sized": ("func.func @f(%x: tensor<0x2xf32>) -> tensor<0x2xf32> {\n"
                   "  %0 = fuse.neg %x : tensor<0x2xf32>\n  return %0 : tensor<0x2xf32>\n}",
                   "empty"),
    "huge": ("func.func @f(%x: tensor<4294967296x8xf32>) -> tensor<4294967296x8xf32> {\n"
             "  %0 = fuse.neg %x : tensor<4294967296x8xf32>\n"
             "  return %0 : tensor<4294967296x8xf32>\n}", ""),
    "too-large-here": ("func.func @f(%x: tensor<1048576x65536xf32>) -> tensor<65536xf32> {\n"
                       "  %0 = fuse.reduce sum %x dims [0] : tensor<1048576x65536xf32> -> "
                       "tensor<65536xf32>\n  return %0 : tensor<65536xf32>\n}", "274 GB"),
    "batch-norm-of-one": ("func.func @f(%x: tensor<1x2xf32>, %c: tensor<2xf32>) -> "
                          "tensor<1x2xf32> {\n  %0:3 = fuse.batch_norm %x, %c, %c, %c, %c : "
                          "(tensor<1x2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, "
                          "tensor<2xf32>) -> (tensor<1x2xf32>, tensor<2xf32>, tensor<2xf32>)\n"
                          "  return %0#0 : tensor<1x2xf32>\n}", "2:"),
    "bytecode": ("ML\ufefeR", ""),
    "scalar-argument": ("func.func @f(%x: i32) { return }", ""),
    "deep": ("[" * 50000, "deep"),
}


@pytest.mark.parametrize("name", TEXTS)
def test_text(name, tmp_path):
    text, words = TEXTS[name]
    path = tmp_path / "bad.mlir"
    path.write_text(text)
    assert words in refuse(path)


def test_file_is_named(tmp_path):
    path = tmp_path / "bad.mlir"
    path.write_text("func.func @f(")
    assert refuse(path).startswith(f"{path}:1:")
    assert "missing.mlir" in refuse(tmp_path / "missing.mlir")


def test_bytecode(tmp_path):
    path = tmp_path / "bad.mlirbc"
    path.write_bytes(b"ML\xefR\x06garbage")
    assert "bytecode" in refuse(path)


def save(path, array):
    numpy.save(path, array)
    return path


def test_inputs_that_do_not_fit(graph, tmp_path):
    x = save(tmp_path / "x.npy", numpy.zeros((2, 3), numpy.float32))
    y = save(tmp_path / "y.npy", numpy.zeros(3, numpy.float32))
    assert fuserun.run(graph, f"--input={x}", f"--input={y}").returncode == 0
    # In one flag, by name, in Fortran order.
    assert fuserun.run(graph, f"--input={x}", y).returncode == 0
    assert fuserun.run(graph, f"--input=y={y}").returncode == 0
    fortran = save(tmp_path / "f.npy", numpy.asfortranarray(numpy.ones((2, 3), numpy.float32)))
    assert fuserun.run(graph, f"--input={fortran}").returncode == 0
    assert "expected 2x3xf32, found 3xf32" in refuse(graph, f"--input={y}")
    wide = save(tmp_path / "wide.npy", numpy.zeros((2, 3)))
    assert "found 2x3xf64" in refuse(graph, f"--input={wide}")
    assert "one input too many" in refuse(graph, *[f"--input={x}", f"--input={y}"],
                                          f"--input={y}")
    assert "given twice" in refuse(graph, f"--input=x={x}", f"--input={x}")
    assert "missing.npy" in refuse(graph, f"--input={tmp_path}/missing.npy")


@pytest.mark.parametrize("cut", [0, 3, 8, 9, 40, 127, 128, 140])
def test_truncated_npy(graph, tmp_path, cut):
    whole = save(tmp_path / "x.npy", numpy.zeros((2, 3), numpy.float32)).read_bytes()
    path = tmp_path / "cut.npy"
    path.write_bytes(whole[:cut])
    assert refuse(graph, f"--input={path}").startswith(f"{path}: ")


def test_damaged_npy(graph, tmp_path):
    whole = save(tmp_path / "x.npy", numpy.zeros((2, 3), numpy.float32)).read_bytes()
    path = tmp_path / "bad.npy"
    for old, new in ((b"<f4", b">f4"), (b"(2, 3)", b"(-2,3)"), (b"'descr'", b"'other'"),
                     (b"False", b"Maybe"), (b"NUMPY", b"NUMPI"), (b"(2, 3)", b"(2, 9)")):
        assert old in whole
        path.write_bytes(whole.replace(old, new))
        assert refuse(graph, f"--input={path}").startswith(f"{path}: ")
    with pytest.raises(Exception):
        numpy.load(path)


def test_foreign_and_damaged_programs(graph, tmp_path):
    program = tmp_path / "graph.program"
    import subprocess
    subprocess.run([str(fuserun.FUSE_COMPILE), str(graph), "--target=cpu", "-o", str(program)],
                   check=True)
    whole = program.read_bytes()
    assert fuserun.run(program, "--check").returncode == 0
    path = tmp_path / "bad.program"
    for damaged in (whole[:8], whole[:20], whole[:-1], whole + b"x",
                    whole[:30] + b"\xff" + whole[31:], b"TILEFUSE" + b"\0" * 64):
        path.write_bytes(damaged)
        assert refuse(path).startswith(f"{path}: ")
    path.write_bytes(b"\x7fELF" + b"\0" * 100)
    refuse(path)


def test_command_line(graph, tmp_path):
    assert "unknown option" in refuse(graph, "--nonsense")
    assert "--device" in refuse(graph, "--device=tpu")
    assert "--seed" in refuse(graph, "--seed=many")
    assert "expected an input file" in refuse()
    assert "'g'" in refuse(graph, "--entry=g")
    assert "unknown target" in refuse(graph, "--schedule-target=sm_1000")
    assert "missing.mlir" in refuse(graph, f"--check={tmp_path}/missing.mlir")
    two = tmp_path / "two.mlir"
    two.write_text(IDENTITY + IDENTITY.replace("@f", "@g"))
    assert "pick one with --entry" in refuse(two)
    assert fuserun.run(two, "--entry=g", "--check").returncode == 0
    other = tmp_path / "other.mlir"
    other.write_text(IDENTITY.replace("2x3", "4x3"))
    assert "other arguments" in refuse(graph, f"--check={other}")
    blocked = tmp_path / "file"
    blocked.write_text("")
    assert "file" in refuse(graph, f"--output-dir={blocked}/out")


def test_json_is_json(graph):
    done = fuserun.run(graph, "--json", "--check", "--bench=2")
    answer = json.loads(done.stdout)
    assert answer["check"]["passed"] and len(answer["bench"]["samples_ms"]) == 2
    assert answer["launches"][0]["kernel"]
